//! What a room's effects do to the records, and what webhooks are told of it: one transaction.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::bail;
use muster_model::{
    PeerId, SessionId, Timestamp,
    app::Scope,
    event::{DomainEvent, Stay},
    webhook::WebhookEvent,
};
use muster_store::{StoreError, deliveries, participants::MeetingScope, rooms};

use crate::{
    app::App,
    webhooks::payload::{self, ChatLink},
};

/// Pauses between attempts to write, while the disk is full or the database away. Meanwhile nobody is
/// told of anything; after the last the room fails.
const ATTEMPTS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// How long links to exports that webhooks are told hold.
const EXPORT_LINK: Duration = Duration::from_secs(7 * 24 * 3600);

/// What has to be known of the session besides its events.
#[derive(Debug)]
pub(super) struct Context {
    at: MeetingScope,
    /// The meeting's title.
    title: Option<String>,
    app_name: Option<String>,
    started_at: Timestamp,
    /// Those inside, by the record of their stay.
    stays: BTreeMap<PeerId, Stay>,
    /// Whether something was written in this session.
    has_chat: bool,
}

/// What webhooks are told: the session, the event and the body.
type Told = (SessionId, WebhookEvent, String);

impl Context {
    pub(super) async fn load(
        app: &App,
        at: MeetingScope,
        title: Option<String>,
        resumed: Option<&rooms::ResumedRoom>,
    ) -> anyhow::Result<Self> {
        let mut context = Self {
            app_name: app.store.app(&at.scope).await?.name,
            at,
            title,
            started_at: app.now(),
            stays: BTreeMap::new(),
            has_chat: false,
        };
        if let Some(resumed) = resumed {
            context.started_at = resumed.started_at;
            context.has_chat = app.store.has_chat(&context.at.scope, resumed.session).await?;
            for stay in app.store.stays_inside(&context.at.scope, resumed.session).await? {
                context.stays.insert(stay.record, stay);
            }
        }
        Ok(context)
    }

    /// Ends the stays of people who were deleted while the room was away.
    pub(super) async fn let_go(&mut self, app: &App, resumed: &rooms::ResumedRoom) -> anyhow::Result<()> {
        let left = |record: &PeerId| DomainEvent::PeerLeft {
            session: resumed.session,
            record: *record,
            at: resumed.heartbeat_at,
        };
        self.keep(app, resumed.gone.iter().map(left).collect()).await
    }

    /// Writes what is to be kept; answers once it is on disk.
    pub(super) async fn keep(&mut self, app: &App, events: Vec<DomainEvent>) -> anyhow::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let told = self.tell(app, &events);
        let tells = !told.is_empty();
        let kept = Arc::new((events, told));
        let mut pauses = ATTEMPTS.iter();
        loop {
            match write(app, &self.at, kept.clone()).await {
                Ok(()) => break,
                Err(error) if error.is_write_failure() => {
                    app.set_writable(false);
                    let Some(pause) = pauses.next() else { bail!(error) };
                    tokio::time::sleep(*pause).await;
                }
                Err(error) => bail!(error),
            }
        }
        if tells {
            app.deliveries_wanted.notify_one();
        }
        Ok(())
    }

    /// What webhooks are told of the events, which are taken note of on the way.
    fn tell(&mut self, app: &App, events: &[DomainEvent]) -> Vec<Told> {
        let mut told = Vec::new();
        for event in events {
            let Some(session) = self.note(event) else { continue };
            let chat = match event {
                DomainEvent::SessionEnded { at, .. } if self.has_chat => {
                    Some(chat_link(app, &self.at.scope, session, *at))
                }
                _ => None,
            };
            let stay = |record: PeerId| self.stays.get(&record).cloned();
            let context = payload::Context {
                app: self.at.scope.app,
                app_name: self.app_name.as_deref(),
                meeting: self.at.meeting,
                title: self.title.as_deref(),
                created_at: self.started_at,
                started_at: self.started_at,
                stay: &stay,
                chat,
            };
            for (kind, body) in payload::for_domain_event(event, &context) {
                told.push((session, kind, body.to_string()));
            }
            self.forget(event);
        }
        told
    }

    /// The session an event belongs to.
    fn note(&mut self, event: &DomainEvent) -> Option<SessionId> {
        match event {
            DomainEvent::SessionStarted { session, at, .. } => {
                self.started_at = *at;
                self.has_chat = false;
                Some(*session)
            }
            DomainEvent::PeerJoined { session, stay } => {
                self.stays.insert(stay.record, stay.clone());
                Some(*session)
            }
            DomainEvent::ChatSaved { session, .. } => {
                self.has_chat = true;
                Some(*session)
            }
            DomainEvent::PeerLeft { session, .. } | DomainEvent::SessionEnded { session, .. } => {
                Some(*session)
            }
            _ => None,
        }
    }

    fn forget(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::PeerLeft { record, .. } => {
                self.stays.remove(record);
            }
            DomainEvent::SessionEnded { .. } => self.stays.clear(),
            _ => {}
        }
    }
}

fn chat_link(app: &App, scope: &Scope, session: SessionId, at: Timestamp) -> ChatLink {
    let expires_at = at.plus(EXPORT_LINK);
    ChatLink {
        url: app.chat_export_link(scope, session, expires_at),
        expires_at,
    }
}

async fn write(
    app: &App,
    at: &MeetingScope,
    kept: Arc<(Vec<DomainEvent>, Vec<Told>)>,
) -> Result<(), StoreError> {
    let (at, node, now) = (at.clone(), app.rooms.node().to_owned(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let (events, told) = &*kept;
                for event in events {
                    let changed = rooms::record(conn, &at, &node, event).await?;
                    // Another node took the session for dead, or its app was deleted.
                    let lost = matches!(
                        event,
                        DomainEvent::ChatSaved { .. } | DomainEvent::PollSaved { .. }
                    );
                    if lost && !changed {
                        return Err(StoreError::Conflict("the session is over".to_owned()));
                    }
                }
                for (session, kind, body) in told {
                    deliveries::enqueue(conn, at.scope.app, Some(*session), *kind, body, now).await?;
                }
                Ok(())
            })
        })
        .await
}
