//! Keeps the records of live sessions alive, and ends those that nobody keeps any more.

use std::time::Duration;

use muster_model::{
    Timestamp,
    event::{DomainEvent, EndReason},
    webhook::WebhookEvent,
};
use muster_store::{Conn, StoreError, deliveries, rooms};
use serde_json::Value;

use super::notice;
use crate::{app::App, webhooks::payload};

/// How often the rooms of this process are noted as alive. After a crash their sessions end at the last note.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// A session without a note for so long belongs to a process that is gone for good.
const STALE_AFTER: Duration = Duration::from_secs(120);

/// Notes that the rooms of this process are alive; then ends sessions that no process keeps.
pub async fn beat(app: &App) {
    if let Err(error) = note(app).await {
        notice(app, &error);
        tracing::warn!(%error, "live sessions were not noted");
    }
}

async fn note(app: &App) -> Result<(), StoreError> {
    if app.rooms.is_resuming() {
        return Ok(());
    }
    // Before others are judged: after a long trouble of the disk our own are as old.
    if !app.rooms.is_empty() {
        app.store.heartbeat(app.rooms.node(), app.now()).await?;
    }
    while close_stale(app).await? {}
    Ok(())
}

async fn close_stale(app: &App) -> Result<bool, StoreError> {
    if !app.store.has_stale_sessions(app.now().minus(STALE_AFTER)).await? {
        return Ok(false);
    }
    let now = app.now();
    let closed = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let closed = rooms::close_stale(conn, now, STALE_AFTER).await?;
                for session in &closed {
                    tell(conn, session, now).await?;
                }
                Ok(closed.len())
            })
        })
        .await?;
    app.deliveries_wanted.notify_one();
    tracing::warn!(sessions = closed, "sessions of a process that is gone were ended");
    Ok(closed > 0)
}

/// Tells webhooks of the end of a session. Who was inside is not told one by one.
async fn tell(conn: &mut Conn, closed: &rooms::Closed, now: Timestamp) -> Result<(), StoreError> {
    let session = &closed.session;
    let ended_at = session.ended_at.unwrap_or(session.heartbeat_at);
    let app = muster_store::apps::load(conn, &closed.at.scope).await?;
    let ended = ended(closed, app.name.as_deref(), ended_at);
    for (kind, body) in ended {
        deliveries::enqueue(
            conn,
            closed.at.scope.app,
            Some(session.id),
            kind,
            &body.to_string(),
            now,
        )
        .await?;
    }
    Ok(())
}

fn ended(closed: &rooms::Closed, app_name: Option<&str>, at: Timestamp) -> Vec<(WebhookEvent, Value)> {
    let session = &closed.session;
    let context = payload::Context {
        app: closed.at.scope.app,
        app_name,
        meeting: closed.at.meeting,
        title: session.title.as_deref(),
        created_at: session.created_at,
        started_at: session.started_at,
        stay: &|_| None,
        chat: None,
    };
    let event = DomainEvent::SessionEnded {
        session: session.id,
        reason: EndReason::AllLeft,
        at,
    };
    payload::for_domain_event(&event, &context)
}
