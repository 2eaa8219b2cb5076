//! What runs beside the requests: deliveries of webhooks, the purge, the probe of the disk, small tidying.

pub mod deliver_webhooks;
pub mod sessions;

use std::time::Duration;

use muster_store::StoreError;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;

const TIDY_EVERY: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_secs(60);
const NOTE_USE_EVERY: Duration = Duration::from_secs(30);
/// Expired files that one transaction forgets.
const FILES_AT_ONCE: i64 = 100;
/// How soon after a failed write the next attempt shows whether it was a passing trouble.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// Runs until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(
        every(TIDY_EVERY, &stop, || async {
            app.metrics.tidy();
            app.rate_limit.tidy();
            app.upload_rate.tidy();
        }),
        every(NOTE_USE_EVERY, &stop, || note_use(&app)),
        every(PROBE_EVERY, &stop, || probe(&app)),
        every(sessions::HEARTBEAT_EVERY, &stop, || sessions::beat(&app)),
        purge(&app, &stop),
        deliver_webhooks::run(&app, &stop),
    );
    note_use(&app).await;
}

async fn every<F: Future<Output = ()>>(
    period: Duration,
    stop: &CancellationToken,
    mut work: impl FnMut() -> F,
) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => work().await,
        }
    }
}

async fn note_use(app: &App) {
    if let Err(error) = app.api_tokens.note_use().await {
        notice(app, &error);
        tracing::warn!(%error, "the last use of tokens was not noted");
    }
}

/// A job's write that fails says as much of the store as a caller's.
fn notice(app: &App, error: &StoreError) {
    if error.is_write_failure() {
        app.set_writable(false);
    }
}

/// After a write has failed: tries one until it succeeds.
async fn probe(app: &App) {
    if !app.is_writable() && app.store.probe_write(app.now()).await.is_ok() {
        app.set_writable(true);
    }
}

async fn purge(app: &App, stop: &CancellationToken) {
    loop {
        match app.store.purge(app.now(), || stop.is_cancelled()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => {
                notice(app, &error);
                tracing::warn!(%error, "the purge failed and will be tried again");
            }
        }
        let chat = app
            .store
            .purge_chat(app.now(), app.config.chat_retention, || stop.is_cancelled());
        match chat.await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged of chat"),
            Err(error) => {
                notice(app, &error);
                tracing::warn!(%error, "chat was not purged and will be tried again");
            }
        }
        if let Err(error) = purge_files(app, stop).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "files were not purged and will be tried again"
            );
        }
        let next = Instant::now() + PURGE_EVERY;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep_until(next) => {}
            () = app.purge_wanted.notified() => {}
        }
    }
}

/// Removes expired files: first the bytes, then the record, so that no bytes are left without one.
async fn purge_files(app: &App, stop: &CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let expired = app.store.expired_files(app.now(), FILES_AT_ONCE).await?;
        if expired.is_empty() {
            break;
        }
        let (mut removed, mut failed) = (Vec::new(), None);
        for id in expired {
            match app.files.remove(id).await {
                Ok(()) => removed.push(id),
                Err(error) => failed = Some(error),
            }
        }
        let forgotten = app
            .store
            .write(move |conn| Box::pin(async move { muster_store::files::forget(conn, &removed).await }))
            .await;
        if let Err(error) = &forgotten {
            notice(app, error);
        }
        tracing::info!(files = forgotten?, "purged");
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    Ok(())
}
