//! Live rooms: one task for each, found by the id of its meeting.

mod deliver;
mod handle;
mod quality;
mod records;
mod task;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

pub use handle::{RoomGone, RoomHandle};
use muster_model::MeetingId;
use muster_room::{Answer, Command, CommandError, CommandId, Connect, ConnectionId};
use muster_store::participants::MeetingScope;
use tokio_util::task::TaskTracker;

use crate::{
    app::App,
    media::{Media, MediaEvents, RoomMedia},
    node::Node,
    realtime::outbox::Outbox,
};

/// Every live room of this process.
pub struct Rooms {
    live: Mutex<HashMap<MeetingId, RoomHandle>>,
    resuming: Mutex<HashSet<MeetingId>>,
    media: Box<dyn Media>,
    node: Node,
    connections: AtomicU64,
    commands: AtomicU64,
    tasks: TaskTracker,
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms")
            .field("live", &self.lock().len())
            .finish_non_exhaustive()
    }
}

/// Why a room could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// The session is live elsewhere, or was until a moment ago.
    #[error("the session is live on another node")]
    Elsewhere,
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
}

impl Rooms {
    /// No rooms yet.
    pub fn new(media: Box<dyn Media>, node: Node) -> Self {
        Self {
            live: Mutex::default(),
            resuming: Mutex::default(),
            media,
            node,
            connections: AtomicU64::new(1),
            commands: AtomicU64::new(1),
            tasks: TaskTracker::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MeetingId, RoomHandle>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process's name in the records.
    pub fn node(&self) -> &str {
        self.node.name()
    }

    /// Where media sockets are.
    pub fn media_addresses(&self) -> Vec<SocketAddr> {
        self.media.addresses()
    }

    /// Whether no room is alive.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// A number that no other connection of this process has; later ones are higher.
    pub fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    /// The live room of a meeting.
    pub fn get(&self, meeting: MeetingId) -> Option<RoomHandle> {
        self.lock().get(&meeting).cloned()
    }

    /// Brings a connection into its room, which comes to life when it is not yet.
    pub async fn connect(
        &self,
        app: &App,
        at: &MeetingScope,
        parent: Option<MeetingId>,
        connect: Connect,
        outbox: Arc<Outbox>,
    ) -> Result<RoomHandle, RoomError> {
        // A room may end between being found and being told; then another one begins.
        for _ in 0..8 {
            let room = self.get_or_start(app, at, parent)?;
            match room.connected(connect.clone(), outbox.clone()).await {
                Ok(()) => return Ok(room),
                Err(RoomGone) => tokio::task::yield_now().await,
            }
        }
        Err(RoomError::Stopping)
    }

    /// The live room of a meeting, perhaps a breakout room of `parent`; begun when there is none.
    pub fn get_or_start(
        &self,
        app: &App,
        at: &MeetingScope,
        parent: Option<MeetingId>,
    ) -> Result<RoomHandle, RoomError> {
        let mut live = self.lock();
        if let Some(room) = live.get(&at.meeting) {
            return Ok(room.clone());
        }
        if app.is_stopping() {
            return Err(RoomError::Stopping);
        }
        let (room, inbox) = RoomHandle::channel(at.clone(), parent);
        live.insert(at.meeting, room.clone());
        self.tasks.spawn(task::run(app.clone(), room.clone(), inbox));
        Ok(room)
    }

    fn open_media(&self, meeting: MeetingId, events: MediaEvents) -> Box<dyn RoomMedia> {
        self.media.open(meeting, events)
    }

    /// Takes a room that failed out of the list.
    fn forget(&self, room: &RoomHandle) {
        let mut live = self.lock();
        // Another room of the meeting may have begun since.
        if live.get(&room.at().meeting).is_some_and(|there| there.is(room)) {
            live.remove(&room.at().meeting);
        }
    }

    /// Takes a room that has nothing left to do out of the list, unless somebody asked for it meanwhile.
    fn retire(&self, room: &RoomHandle, inbox: &mut handle::Inbox) -> bool {
        let mut live = self.lock();
        if !inbox.is_empty() {
            return false;
        }
        inbox.close();
        live.remove(&room.at().meeting);
        true
    }

    /// Has the live room of a meeting carry out a command.
    pub async fn command(&self, at: &MeetingScope, command: Command) -> Result<Answer, CommandError> {
        let Some(room) = self.get(at.meeting).filter(|room| room.at() == at) else {
            return Err(CommandError::NoSession);
        };
        self.carry_out(&room, command).await
    }

    async fn carry_out(&self, room: &RoomHandle, command: Command) -> Result<Answer, CommandError> {
        let id = CommandId(self.commands.fetch_add(1, Ordering::Relaxed));
        room.command(id, command).await
    }

    /// Has the live rooms of a meeting and of its breakout rooms carry out a command.
    pub async fn command_family(&self, at: &MeetingScope, command: &Command) {
        let rooms: Vec<RoomHandle> = self
            .lock()
            .values()
            .filter(|room| room.is_of_family(at))
            .cloned()
            .collect();
        for room in rooms {
            // A room that has ended meanwhile has nothing to do.
            let _ = self.carry_out(&room, command.clone()).await;
        }
    }

    /// Goes on with the sessions that a stop or a crash cut short.
    pub async fn resume(&self, app: &App) -> anyhow::Result<()> {
        for live in app.store.live_sessions_of(self.node.name()).await? {
            self.lock_resuming().insert(live.at.meeting);
            self.get_or_start(app, &live.at, live.parent)?;
        }
        Ok(())
    }

    /// Whether rooms of before a stop have yet to read when they were last alive; until then nothing may be
    /// noted over it.
    pub fn is_resuming(&self) -> bool {
        !self.lock_resuming().is_empty()
    }

    /// A room has read what it begins with, or cannot.
    fn has_begun(&self, meeting: MeetingId) {
        self.lock_resuming().remove(&meeting);
    }

    fn lock_resuming(&self) -> MutexGuard<'_, HashSet<MeetingId>> {
        self.resuming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every room's task has ended, once the server stops.
    pub async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
