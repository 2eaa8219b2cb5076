//! What happens in a live room and must be kept: each is written before anybody is told of it.

use crate::{
    ChatMessageId, MeetingId, ParticipantId, PeerId, SessionId, Timestamp,
    chat::ChatMessage,
    poll::Poll,
    session::{PeerViewType, SessionKind},
};

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Somebody ended it for all.
    EndedByHost,
    /// Everybody had left, and the time for coming back had passed.
    AllLeft,
}

impl EndReason {
    /// As webhooks tell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndedByHost => "HOST_ENDED_MEETING",
            Self::AllLeft => "ALL_PARTICIPANTS_LEFT",
        }
    }
}

/// Somebody's coming into a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The id that the peer chose for itself.
    pub peer: PeerId,
    /// The record of the stay, in most cases the peer's own id (see [`crate::session::Peer::id`]).
    pub record: PeerId,
    /// The participant.
    pub participant_id: ParticipantId,
    /// The caller's own name for the person.
    pub custom_participant_id: String,
    /// Display name.
    pub display_name: Option<String>,
    /// Name of the preset.
    pub preset_name: String,
    /// The kind of room the peer sees.
    pub view_type: PeerViewType,
    /// When its connection was accepted.
    pub connected_at: Timestamp,
    /// When it came in.
    pub joined_at: Timestamp,
}

/// What happens in a live room and must be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainEvent {
    /// The first peer came in.
    SessionStarted {
        /// The new session.
        session: SessionId,
        /// The session it is a breakout room of.
        parent: Option<SessionId>,
        /// What it is for.
        kind: SessionKind,
        /// The meeting's title.
        title: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A peer came in, for the first time or again. Its record stays one and the same within a session.
    PeerJoined {
        /// The session.
        session: SessionId,
        /// Who, and when.
        stay: Stay,
    },
    /// A peer went.
    PeerLeft {
        /// The session.
        session: SessionId,
        /// The record of its stay.
        record: PeerId,
        /// When.
        at: Timestamp,
    },
    /// The session is over. Nobody is inside any more.
    SessionEnded {
        /// The session.
        session: SessionId,
        /// Why.
        reason: EndReason,
        /// When.
        at: Timestamp,
    },
    /// A message was written, edited or pinned.
    ChatSaved {
        /// The session.
        session: SessionId,
        /// As it is now.
        message: ChatMessage,
    },
    /// A message was deleted.
    ChatDeleted {
        /// The session.
        session: SessionId,
        /// Which.
        message: ChatMessageId,
    },
    /// A poll was made or voted in.
    PollSaved {
        /// The session.
        session: SessionId,
        /// As it is now.
        poll: Poll,
    },
    /// A participant may not come back until the ban is lifted.
    Banned {
        /// Who.
        participant: ParticipantId,
        /// When.
        at: Timestamp,
    },
    /// A participant that had been let in was sent away: it must be let in again, also where the room goes on
    /// after a stop.
    AdmissionRevoked {
        /// The session.
        session: SessionId,
        /// Who.
        participant: ParticipantId,
    },
    /// Breakout rooms were made.
    ConnectedMeetingsCreated {
        /// Ids and titles.
        meetings: Vec<(MeetingId, String)>,
        /// When.
        at: Timestamp,
    },
    /// Breakout rooms were given up.
    ConnectedMeetingsDeleted {
        /// Which.
        meetings: Vec<MeetingId>,
    },
}
