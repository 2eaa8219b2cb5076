//! How others speak to a room's task.

use std::sync::Arc;

use muster_model::{MeetingId, PeerId};
use muster_room::{
    Answer, Command, CommandError, CommandId, Connect, Connected, ConnectionId, Disconnect, Input,
};
use muster_store::participants::MeetingScope;
use muster_wire::frame::Frame;
use tokio::sync::{mpsc, oneshot};

use crate::realtime::{
    codec::{Decoded, MediaRequest},
    outbox::Outbox,
};

/// Inputs that may wait. A socket that has more to say is read no further meanwhile.
const INBOX: usize = 1024;

/// What a room's task is told.
#[derive(Debug)]
pub(super) enum ToRoom {
    /// A connection, and where what it is told goes.
    Connect(Connect, Arc<Outbox>),
    /// Anything else that the room knows of.
    Input(Input),
    /// A command, and where its answer goes.
    Command(CommandId, Command, oneshot::Sender<Result<Answer, CommandError>>),
    /// Something for the media engine.
    Media {
        /// Who asks.
        peer: PeerId,
        /// By which connection.
        connection: ConnectionId,
        /// The client's name for it.
        id: muster_room::RequestId,
        /// What.
        request: MediaRequest,
    },
}

/// The room's end of the channel.
pub(super) type Inbox = mpsc::Receiver<ToRoom>;

/// The room has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the room has ended")]
pub struct RoomGone;

/// A live room, as others see it; cheap to clone.
#[derive(Debug, Clone)]
pub struct RoomHandle {
    at: Arc<MeetingScope>,
    parent: Option<MeetingId>,
    inbox: mpsc::Sender<ToRoom>,
}

impl RoomHandle {
    pub(super) fn channel(at: MeetingScope, parent: Option<MeetingId>) -> (Self, Inbox) {
        let (inbox, heard) = mpsc::channel(INBOX);
        let room = Self {
            at: Arc::new(at),
            parent,
            inbox,
        };
        (room, heard)
    }

    /// Its meeting.
    pub fn at(&self) -> &MeetingScope {
        &self.at
    }

    /// The meeting it is a breakout room of.
    pub(super) fn parent(&self) -> Option<MeetingId> {
        self.parent
    }

    /// Whether it is the room of a meeting, or a breakout room of that.
    pub(super) fn is_of_family(&self, parent: &MeetingScope) -> bool {
        self.at.scope == parent.scope
            && (self.at.meeting == parent.meeting || self.parent == Some(parent.meeting))
    }

    /// Whether both are one and the same room, not only rooms of one meeting.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.inbox.same_channel(&other.inbox)
    }

    async fn tell(&self, word: ToRoom) -> Result<(), RoomGone> {
        self.inbox.send(word).await.map_err(|_| RoomGone)
    }

    pub(super) async fn connected(&self, connect: Connect, outbox: Arc<Outbox>) -> Result<(), RoomGone> {
        self.tell(ToRoom::Connect(connect, outbox)).await
    }

    /// A connection ended.
    pub async fn disconnected(&self, peer: PeerId, connection: ConnectionId, how: Disconnect) {
        // A room that is gone has no use for it.
        let _ = self
            .tell(ToRoom::Input(Input::Disconnect {
                peer,
                connection,
                how,
            }))
            .await;
    }

    /// A client asks for something; false when the room is gone.
    pub async fn request(
        &self,
        peer: PeerId,
        connection: ConnectionId,
        frame: &Frame,
        decoded: Decoded,
    ) -> bool {
        let id = muster_room::RequestId {
            id: frame.id.as_str().into(),
            event: frame.event,
        };
        let word = match decoded {
            Decoded::Room(request) => ToRoom::Input(Input::Request {
                peer,
                connection,
                id,
                request,
            }),
            Decoded::Media(request) => ToRoom::Media {
                peer,
                connection,
                id,
                request,
            },
        };
        self.tell(word).await.is_ok()
    }

    pub(super) async fn command(&self, id: CommandId, command: Command) -> Result<Answer, CommandError> {
        let (reply, answer) = oneshot::channel();
        if self.tell(ToRoom::Command(id, command, reply)).await.is_err() {
            return Err(CommandError::NoSession);
        }
        answer.await.unwrap_or(Err(CommandError::NoSession))
    }

    /// Word from another room. Not waited for: two rooms with much to say to each other would wait for
    /// ever.
    pub(super) fn pass_on(&self, word: Connected) {
        let inbox = self.inbox.clone();
        if let Err(mpsc::error::TrySendError::Full(word)) =
            self.inbox.try_send(ToRoom::Input(Input::Connected(word)))
        {
            tokio::spawn(async move {
                let _ = inbox.send(word).await;
            });
        }
    }
}
