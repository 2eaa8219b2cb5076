//! The task of one room: it owns the room, its clock and its media engine.
//!
//! Inputs that wait are taken together; what they do to the records is one commit, and nobody is told
//! of any of it before that commit is on disk. A room whose records cannot be written, or that panics,
//! ends as in a crash: its clients come back, and the room begins again from what is stored.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use muster_model::{
    MeetingId, PeerId, Timestamp, event::DomainEvent, meeting::MeetingStatus, session::SessionKind,
};
use muster_room::{
    Answer, CommandError, CommandId, ConnectionId, Effect, Input, Limits, Resumed, Room, RoomSettings,
};
use muster_store::{
    StoreError,
    participants::MeetingScope,
    rooms::{ChatLimits, ResumedRoom},
};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    RoomError,
    handle::{Inbox, RoomHandle, ToRoom},
    quality::Quality,
    records,
};
use crate::{
    app::App,
    jobs::sessions::HEARTBEAT_EVERY,
    media::{MediaEvent, MediaEvents, RoomMedia},
    realtime::{
        codec::ProducerState,
        outbox::{CloseCode, Outbox},
    },
};

/// Inputs that are taken together.
const BATCH: usize = 256;

/// What a room's task has at hand.
pub(super) struct Task {
    pub(super) app: App,
    pub(super) at: MeetingScope,
    /// The meeting it is a breakout room of.
    pub(super) parent: Option<MeetingId>,
    pub(super) room: Room,
    pub(super) media: Box<dyn RoomMedia>,
    /// What each peer sends, as others were told.
    pub(super) sent: HashMap<PeerId, Vec<ProducerState>>,
    /// Every open connection, those that were replaced or refused included until they end.
    pub(super) lines: HashMap<ConnectionId, Arc<Outbox>>,
    /// The connection by which each peer is reached.
    pub(super) current: HashMap<PeerId, ConnectionId>,
    pub(super) commands: HashMap<CommandId, oneshot::Sender<Result<Answer, CommandError>>>,
    pub(super) records: records::Context,
    pub(super) quality: Quality,
}

/// A process that has not noted its sessions as alive for so long is gone: one that lost its data folder
/// comes back under another name.
const GONE_AFTER: Duration = HEARTBEAT_EVERY.saturating_mul(3);
/// How long a room that failed stays away, so that what made it fail may pass.
const BEGIN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Runs a room from its first connection until nothing is left to do.
pub(super) async fn run(app: App, handle: RoomHandle, mut inbox: Inbox) {
    let failed = match live(&app, &handle, &mut inbox).await {
        Ok(()) => false,
        Err(error) => {
            tracing::error!(meeting = %handle.at().meeting, "a room failed: {error:#}");
            app.metrics.rooms_failed.increment(1);
            true
        }
    };
    // Whoever is still about to speak to it finds another one.
    inbox.close();
    app.rooms.forget(&handle);
    while let Some(word) = inbox.recv().await {
        if let ToRoom::Connect(_, outbox) = word {
            outbox.close(CloseCode::RoomFailed);
        }
    }
    if failed {
        // Its session is still live in the records: it is gone on with, whether or not anybody comes back.
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = tokio::time::sleep(BEGIN_AGAIN_AFTER) => {
                let _ = app.rooms.get_or_start(&app, handle.at(), handle.parent());
            }
        }
    }
}

async fn live(app: &App, handle: &RoomHandle, inbox: &mut Inbox) -> anyhow::Result<()> {
    let (events, mut media_events) = MediaEvents::channel();
    let begun = Task::begin(app.clone(), handle.at().clone(), events).await;
    app.rooms.has_begun(handle.at().meeting);
    let mut task = match begun {
        Ok(task) => task,
        // Its app or meeting was deleted meanwhile; or it is live elsewhere, and clients that come back here
        // find out whether it still is.
        Err(error)
            if matches!(error.downcast_ref(), Some(StoreError::NotFound(_)))
                || matches!(error.downcast_ref(), Some(RoomError::Elsewhere)) =>
        {
            tracing::warn!(meeting = %handle.at().meeting, %error, "a room did not begin");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let ended = task.serve(handle, inbox, &mut media_events).await;
    task.hang_up();
    ended
}

impl Task {
    async fn begin(app: App, at: MeetingScope, events: MediaEvents) -> anyhow::Result<Self> {
        let store = &app.store;
        let limits = Limits::default();
        let chat_limits = ChatLimits {
            messages: limits.chat_messages,
            bytes: limits.chat_bytes,
        };
        let silent_since = app.now().minus(GONE_AFTER);
        if !store.take_over(&at, app.rooms.node(), silent_since).await? {
            return Err(RoomError::Elsewhere.into());
        }
        // A change from here on is a command that waits.
        let meeting = store.meeting(&at.scope, at.meeting).await?;
        let (parent, about) = (meeting.parent, meeting.settings);
        let resumed = store.resume_room(&at, chat_limits).await?;
        let earlier_chat = if about.persist_chat && resumed.is_none() {
            store.meeting_chat(&at, chat_limits).await?
        } else {
            Vec::new()
        };
        let mut records =
            records::Context::load(&app, at.clone(), about.title.clone(), resumed.as_ref()).await?;
        if let Some(resumed) = &resumed {
            records.let_go(&app, resumed).await?;
        }
        let parent_session = match parent {
            Some(parent) => {
                let at = MeetingScope {
                    scope: at.scope.clone(),
                    meeting: parent,
                };
                store.active_session(&at).await?.map(|session| session.id)
            }
            None => None,
        };
        let settings = RoomSettings {
            meeting: at.meeting,
            title: about.title,
            kind: SessionKind::Meeting,
            parent,
            parent_session,
            persist_chat: about.persist_chat,
            inactive: about.status == MeetingStatus::Inactive,
            earlier_chat,
            keep_alive_micros: i64::from(about.keep_alive_secs) * 1_000_000,
            grace_micros: micros(app.config.reconnect_grace),
            limits,
        };
        let media = app.rooms.open_media(at.meeting, events);
        let room = Room::new(
            settings,
            resumed.map(into_resumed),
            app.now(),
            Box::new(Uuid::new_v4),
        );
        Ok(Self {
            app,
            at,
            parent,
            room,
            media,
            sent: HashMap::new(),
            lines: HashMap::new(),
            current: HashMap::new(),
            commands: HashMap::new(),
            records,
            quality: Quality::default(),
        })
    }

    async fn serve(
        &mut self,
        handle: &RoomHandle,
        inbox: &mut Inbox,
        media_events: &mut mpsc::UnboundedReceiver<MediaEvent>,
    ) -> anyhow::Result<()> {
        let stop = self.app.stop.clone();
        let mut batch = Vec::with_capacity(BATCH);
        let mut said = Vec::new();
        loop {
            if self.room.is_idle() && self.lines.is_empty() && self.app.rooms.retire(handle, inbox) {
                return Ok(());
            }
            let due = self.room.next_deadline().map(|at| until(self.app.now(), at));
            tokio::select! {
                _ = inbox.recv_many(&mut batch, BATCH) => {}
                _ = media_events.recv_many(&mut said, BATCH) => {}
                () = sleep(due) => batch.push(ToRoom::Input(Input::Timeout)),
                // Sockets end by themselves and their peers stay in the records, to be gone on with.
                () = stop.cancelled() => {
                    let changed = self.quality.changed();
                    self.write_quality(changed).await;
                    return Ok(());
                }
                () = sleep_until(self.quality.due()) => {
                    let changed = self.quality.changed();
                    self.write_quality(changed).await;
                }
            }
            // What was said before somebody left is heard before: it belongs to that stay's report.
            while said.len() < BATCH
                && let Ok(event) = media_events.try_recv()
            {
                said.push(event);
            }
            for event in said.drain(..) {
                self.hear_media(event);
            }
            let effects = self.take_in(batch.drain(..))?;
            self.carry_out(effects).await?;
        }
    }

    /// Gives the room what came in. A panic in it is this room's end alone.
    fn take_in(&mut self, words: impl Iterator<Item = ToRoom>) -> anyhow::Result<Vec<Effect>> {
        let mut effects = Vec::new();
        for word in words {
            match word {
                ToRoom::Input(input) => {
                    if let Input::Disconnect { peer, connection, .. } = &input {
                        self.lines.remove(connection);
                        if self.current.get(peer) == Some(connection) {
                            self.current.remove(peer);
                        }
                    }
                    effects.append(&mut self.ask_room(input)?);
                }
                ToRoom::Connect(connect, outbox) => {
                    let (peer, connection) = (connect.peer, connect.connection);
                    self.lines.insert(connection, outbox);
                    let mut came = self.ask_room(Input::Connect(connect))?;
                    // One that the room refuses does not take the place of the peer's own connection.
                    let refused = |effect: &Effect| matches!(effect, Effect::Close { connection: closed, .. } if *closed == connection);
                    if !came.iter().any(refused) {
                        self.current.insert(peer, connection);
                    }
                    effects.append(&mut came);
                }
                ToRoom::Command(id, command, reply) => {
                    self.commands.insert(id, reply);
                    effects.append(&mut self.ask_room(Input::Command { id, command })?);
                }
                ToRoom::Media {
                    peer,
                    connection,
                    id,
                    request,
                } => {
                    if self.current.get(&peer) == Some(&connection) {
                        self.ask_media(peer, id, request);
                    }
                }
            }
        }
        Ok(effects)
    }

    fn ask_room(&mut self, input: Input) -> anyhow::Result<Vec<Effect>> {
        let now = self.app.now();
        let room = &mut self.room;
        catch_unwind(AssertUnwindSafe(|| room.handle(now, input)))
            .map_err(|_| anyhow::anyhow!("the room panicked"))
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        let mut events = Vec::new();
        let mut rest = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Record(event) => events.push(event),
                other => rest.push(other),
            }
        }
        let gone = events.iter().filter_map(|event| match event {
            DomainEvent::PeerLeft { record, .. } => Some((*record, self.quality.take(*record)?)),
            _ => None,
        });
        let gone: Vec<_> = gone.collect();
        self.records
            .keep(&self.app, events)
            .await
            .context("the room's records were not written")?;
        // Who is answered that people are gone finds their reports whole.
        self.write_quality(gone).await;
        for effect in rest {
            self.deliver(effect);
        }
        Ok(())
    }

    /// Writes how people's media fared. Nothing depends on it, so a failure is only noted.
    async fn write_quality(&mut self, quality: Vec<(PeerId, Map<String, Value>)>) {
        if quality.is_empty() {
            return;
        }
        if let Err(error) = self.app.store.keep_quality(&self.at.scope, quality).await {
            tracing::warn!(meeting = %self.at.meeting, %error, "the quality of media was not kept");
        }
    }

    /// The room has failed or the server stops: clients are to come back.
    fn hang_up(&mut self) {
        let code = if self.app.is_stopping() {
            CloseCode::Restarting
        } else {
            CloseCode::RoomFailed
        };
        for (_, outbox) in self.lines.drain() {
            outbox.close(code);
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(at.as_micros() - now.as_micros()).unwrap_or(0))
}

async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn sleep(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due).await,
        None => std::future::pending().await,
    }
}

fn into_resumed(stored: ResumedRoom) -> Resumed {
    Resumed {
        session: stored.session,
        started_at: stored.started_at,
        alive_at: stored.heartbeat_at,
        inside: stored
            .inside
            .into_iter()
            .map(|inside| (inside.peer, inside.record, Arc::new(inside.person)))
            .collect(),
        admitted: stored.admitted,
        chat: stored.chat,
        polls: stored.polls,
        connected_rooms: stored.connected_meetings,
    }
}
