//! What comes out of a room. The shell carries effects out in order, and holds back everything that
//! follows a [`Effect::Record`] until that record is on disk.

use std::sync::Arc;

use muster_model::{
    ChatMessageId, MeetingId, ParticipantId, PeerId, PresetId, SessionId, Timestamp, chat::ChatMessage,
    event::DomainEvent, poll::Poll,
};

use crate::input::{
    Broadcast, CommandId, Connected, ConnectionId, Family, LivestreamState, MediaKinds, PermissionPatch,
    Person, RecordingState, RequestId,
};

/// What comes out of a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Keep this. What follows waits until it is kept.
    Record(DomainEvent),
    /// The reply to a request.
    Reply {
        /// To whom.
        peer: PeerId,
        /// To what.
        to: RequestId,
        /// What.
        event: Event,
    },
    /// A request was refused.
    Refuse {
        /// To whom.
        peer: PeerId,
        /// Which.
        to: RequestId,
        /// Why.
        why: Refusal,
    },
    /// Something that several are told; encoded once.
    Send {
        /// To whom; those without a connection miss it.
        to: Vec<PeerId>,
        /// What.
        event: Event,
    },
    /// End a connection.
    Close {
        /// Whose.
        peer: PeerId,
        /// Which.
        connection: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
    /// Tell the media engine.
    Media(MediaEffect),
    /// The answer to a command.
    Answer {
        /// Which.
        to: CommandId,
        /// What came of it.
        answer: Result<Answer, CommandError>,
    },
    /// Pass on to another room.
    ToRoom(MeetingId, Connected),
    /// Give a participant a token for another meeting of the family and tell its peers to go there
    /// (event 24).
    Transfer {
        /// Whom, and which connections of it.
        participant: ParticipantId,
        /// Its peers here.
        peers: Vec<PeerId>,
        /// Where.
        destination: MeetingId,
        /// With which preset, if another.
        preset: Option<PresetId>,
    },
}

/// What clients are told. Each has one event number (PROTOCOL d.3); two belong to several and say which.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// 3: somebody came in, or the reply to that somebody.
    PeerJoined(Arc<PeerView>),
    /// 4: somebody went.
    PeerLeft(Arc<PeerView>),
    /// 0.
    PeerInfo(Arc<PeerView>),
    /// 5.
    RoomInfo(RoomInfo),
    /// 2.
    Peers(Vec<Arc<PeerView>>),
    /// 17: how many watch.
    PeerCount(u64),
    /// 30: you are removed.
    Kicked,
    /// 31: the session was ended.
    KickedAll,
    /// 33: everybody who waits.
    WaitingRequests(Vec<WaitingPerson>),
    /// 35.
    WaitingAccepted,
    /// 37.
    WaitingDenied,
    /// 12: everybody who asks to come on stage.
    StageRequests(Vec<StageRequest>),
    /// 15.
    StageGranted,
    /// 16.
    StageDenied,
    /// 19: others were taken off stage.
    StageLeft,
    /// 38.
    StageStatus {
        /// Whose.
        peer: PeerId,
        /// Its participant.
        participant: ParticipantId,
        /// Where it is now.
        stage: Stage,
    },
    /// 65536.
    ChatMessages(Vec<Arc<ChatMessage>>),
    /// 65537.
    ChatSent(Arc<ChatMessage>),
    /// 65538.
    PrivateChatSent(Arc<ChatMessage>),
    /// 65539.
    ChatEdited(Arc<ChatMessage>),
    /// 65540.
    ChatDeleted(ChatMessageId),
    /// 65546.
    ChatPinned(Arc<ChatMessage>),
    /// 65541.
    ChatPage {
        /// In the order asked for.
        messages: Vec<Arc<ChatMessage>>,
        /// Whether there are more.
        more: bool,
    },
    /// 65543.
    ChatFound(Vec<Arc<ChatMessage>>),
    /// 196609.
    Polls(Vec<PollView>),
    /// 196608.
    PollCreated(PollView),
    /// 196610.
    PollVoted(PollView),
    /// 131081, 131082 or 131083.
    Store {
        /// Which of the three.
        change: StoreChange,
        /// The store.
        store: String,
        /// Items read, written or deleted.
        items: Vec<StoreItem>,
    },
    /// 29: to the room.
    Broadcast(Broadcast),
    /// 39: to peers or rooms.
    BroadcastTo {
        /// What.
        broadcast: Broadcast,
        /// Whether it was for rooms rather than peers.
        rooms: bool,
    },
    /// 327681.
    PermissionsUpdated(Vec<(ParticipantId, PermissionPatch)>),
    /// 327680.
    Permissions(Vec<PeerPermissions>),
    /// 40, 41, 42.
    Recording(RecordingState),
    /// 8, 9, 10, 44.
    Livestream(LivestreamState),
    /// 20: breakout rooms, as a reply or when they changed.
    ConnectedRooms(Arc<Family>),
    /// 21 as a reply, 26 to others.
    ConnectedRoomsCreated {
        /// Ids and titles.
        rooms: Vec<(MeetingId, String)>,
        /// Whether it is the reply.
        reply: bool,
    },
    /// 22 as a reply, 27 to others.
    ConnectedRoomsDeleted {
        /// Ids and titles.
        rooms: Vec<(MeetingId, String)>,
        /// Whether it is the reply.
        reply: bool,
    },
    /// 23: reply to a move.
    PeopleMoved {
        /// Where.
        destination: MeetingId,
        /// Whom, by custom id.
        custom_ids: Vec<String>,
    },
    /// 50331664: reply.
    MediaJoined,
    /// 50331668: reply. The media engine adds what everybody sends.
    MediaJoinCompleted {
        /// The session, none while waiting.
        session: SessionId,
        /// The peer itself.
        peer: PeerId,
        /// Pinned for everybody.
        pinned: Vec<PeerId>,
        /// Others whose media session is complete.
        participants: Vec<Arc<PeerView>>,
    },
    /// 50331673: somebody's media session is complete.
    PeerMediaJoined(Arc<PeerView>),
    /// 50331665: reply.
    MediaLeft,
    /// 50331674: somebody's media session is over.
    PeerMediaLeft(PeerId),
    /// 50331741 or 50331742: reply.
    Muted {
        /// Whether it was for everybody.
        all: bool,
    },
    /// 50331667: reply.
    Pinned,
    /// 50331678: pinned for everybody; none: unpinned.
    PeerPinned(Option<PeerId>),
    /// 50331688: whether clients are to take this peer's media however many others speak.
    AlwaysTaken(PeerId, bool),
    /// An empty reply under the number of the request.
    Done,
}

/// Where a peer is with respect to the stage (`StageType` on the wire).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// 1.
    On,
    /// 2: may step on.
    Approved,
    /// 3: asks to.
    Requested,
    /// 4.
    Off,
}

/// A peer as others see it.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerView {
    /// Its id.
    pub peer: PeerId,
    /// Who it is. Its name is the one shown, which may differ from the record's.
    pub person: Arc<Person>,
    /// The name shown.
    pub display_name: String,
    /// Where it is with respect to the stage.
    pub stage: Stage,
    /// Whether it waits to be let in.
    pub waiting: bool,
}

/// About the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomInfo {
    /// The meeting.
    pub meeting: MeetingId,
    /// Its title.
    pub title: String,
    /// When the session began.
    pub started_at: Timestamp,
    /// The session; none while nobody is inside.
    pub session: Option<SessionId>,
    /// Recordings that run.
    pub recordings: Vec<RecordingState>,
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingPerson {
    /// The peer.
    pub peer: PeerId,
    /// Who.
    pub person: Arc<Person>,
    /// The name shown.
    pub display_name: String,
}

/// Somebody who asks to come on stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRequest {
    /// The peer.
    pub peer: PeerId,
    /// Its participant.
    pub participant: ParticipantId,
    /// The name shown.
    pub display_name: String,
}

/// A poll as one person may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollView {
    /// The poll; names of voters are gone where it is anonymous, and counts where they are hidden.
    pub poll: Arc<Poll>,
    /// Votes for each answer; none where they are hidden from this person.
    pub counts: Option<Vec<u64>>,
    /// Everybody who voted.
    pub voted: Vec<ParticipantId>,
    /// Whether names of voters may be told.
    pub names: bool,
}

/// What happened to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreChange {
    /// 131081.
    Inserted,
    /// 131082: nothing; it was read.
    Read,
    /// 131083.
    Deleted,
}

/// An item of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreItem {
    /// Its key.
    pub key: String,
    /// JSON; empty where it was deleted.
    pub payload: Arc<[u8]>,
    /// Who wrote it.
    pub peer: PeerId,
    /// When.
    pub at: Timestamp,
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerPermissions {
    /// The peer.
    pub peer: PeerId,
    /// Its participant.
    pub participant: ParticipantId,
    /// As changed in the room.
    pub permissions: Arc<muster_model::preset::Permissions>,
}

/// Why a request was refused; the client gets the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The preset, as changed in the room, does not allow it.
    #[error("you are not permitted to {0}")]
    NotPermitted(&'static str),
    /// It needs one to be inside.
    #[error("join the room first")]
    NotJoined,
    /// There is no such thing.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Too many requests of this kind.
    #[error("too many requests; wait a moment")]
    TooMany,
    /// Something is full.
    #[error("{0}")]
    Full(&'static str),
}

/// Why a connection is ended. The shell knows the close codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Another connection of the same peer took its place.
    Replaced,
    /// The peer id is somebody else's.
    Refused,
    /// Removed, turned away, or the session was ended: the client is not to come back by itself.
    Removed,
    /// The room takes no more.
    Full,
}

/// What the media engine is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEffect {
    /// A peer may send and get media from now on (it is inside), or may not any more.
    Admit {
        /// Which.
        peer: PeerId,
        /// Whether.
        admitted: bool,
    },
    /// A peer is gone for good: its transports end.
    Remove(PeerId),
    /// A peer came back with a new connection; its transports live on, its producers are made anew.
    Rejoined(PeerId),
    /// What a peer may send now.
    MayProduce {
        /// Which.
        peer: PeerId,
        /// What.
        kinds: MediaKinds,
    },
    /// Cut what a peer sends.
    Mute {
        /// Which.
        peer: PeerId,
        /// What.
        kinds: MediaKinds,
        /// Who did it; none: REST.
        by: Option<PeerId>,
        /// Whether it may unmute itself.
        allow_unmute: bool,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Participants that were kicked or muted.
    People(Vec<Arc<Person>>),
    /// How many peers were kicked or muted.
    Count(u64),
    /// The poll that was made.
    Poll(Arc<Poll>),
    /// Nothing to tell.
    Done,
}

/// Why a command did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nobody is inside.
    #[error("no session is live")]
    NoSession,
    /// None of the named people is inside.
    #[error("No user found with id {0}")]
    NobodyFound(String),
    /// Something is full, or makes no sense.
    #[error(transparent)]
    Refused(#[from] Refusal),
}
