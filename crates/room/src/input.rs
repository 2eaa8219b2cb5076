//! What goes into a room: connections, requests of people, commands from REST, the passing of time.

use std::{collections::BTreeMap, sync::Arc};

pub use muster_model::participant::Person;
use muster_model::{
    ChatMessageId, MeetingId, ParticipantId, PeerId, PollId, PresetId, chat::ChatPayloadKind,
};

/// One connection of a peer: a peer that reconnects has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The client's own name for one request, repeated in the reply. Opaque to the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The id that the client chose; empty where it chose none.
    pub id: Arc<str>,
    /// The event number of the request.
    pub event: u32,
}

/// Names one command, so that its answer finds the caller. Opaque to the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// A connection that was accepted: token, meeting and participant have been checked.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The id that the client chose for itself.
    pub peer: PeerId,
    /// This connection.
    pub connection: ConnectionId,
    /// Whose it is.
    pub person: Arc<Person>,
    /// The record a stay of this peer is kept under: `peer`, unless that is in use elsewhere.
    pub record: PeerId,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// The client closed it for good (close code 1000).
    Left,
    /// It broke; the client may come back within the grace period.
    Lost,
}

/// What goes into a room.
#[derive(Debug, Clone)]
pub enum Input {
    /// A connection was accepted.
    Connect(Connect),
    /// A connection ended.
    Disconnect {
        /// Whose.
        peer: PeerId,
        /// Which; one that was replaced since is ignored.
        connection: ConnectionId,
        /// How.
        how: Disconnect,
    },
    /// A client asks for something.
    Request {
        /// Who.
        peer: PeerId,
        /// By which connection; one that was replaced since is ignored.
        connection: ConnectionId,
        /// The client's name for it.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// REST, or the server itself, wants something.
    Command {
        /// Names it in [`crate::Effect::Answer`].
        id: CommandId,
        /// What.
        command: Command,
    },
    /// Something of a connected meeting, sent by the shell from room to room.
    Connected(Connected),
    /// The time of [`crate::Room::next_deadline`] has come.
    Timeout,
}

/// What a client may ask for. Users are participants; peers are single connections of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    // Presence (PROTOCOL f.1)
    /// Come in. The name given is taken where the preset lets it be edited.
    Join {
        /// Display name wished for.
        display_name: Option<String>,
    },
    /// About the room: session, title, recordings.
    RoomInfo,
    /// Who is inside.
    Peers {
        /// Part of a name.
        search: String,
        /// How many; 0 for all.
        limit: usize,
        /// How many to pass over.
        offset: usize,
    },
    /// About one peer.
    PeerInfo(PeerId),
    /// Remove peers.
    Kick(Vec<PeerId>),
    /// End the session for all.
    KickAll,

    // Waiting room (f.2)
    /// Who waits.
    WaitingRequests,
    /// Let in.
    AcceptWaiting(Vec<ParticipantId>),
    /// Turn away.
    DenyWaiting(Vec<ParticipantId>),

    // Stage (f.3)
    /// Who asks to come on stage.
    StageRequests,
    /// Ask to come on stage.
    RequestStage,
    /// Not any more.
    CancelStageRequest,
    /// Let on stage.
    GrantStage(Vec<ParticipantId>),
    /// Refuse.
    DenyStage(Vec<ParticipantId>),
    /// Step on stage.
    JoinStage,
    /// Step down oneself, or have others step down.
    LeaveStage(Vec<ParticipantId>),

    // Chat (f.4)
    /// The last messages that one may see, oldest first.
    ChatMessages,
    /// Write to everybody.
    SendChat {
        /// What the payload is.
        kind: ChatPayloadKind,
        /// The payload.
        payload: String,
    },
    /// Write to some.
    SendPrivateChat {
        /// To whom; the sender may or may not be among them.
        peers: Vec<PeerId>,
        /// What the payload is.
        kind: ChatPayloadKind,
        /// The payload.
        payload: String,
    },
    /// Change a message.
    EditChat {
        /// Which.
        message: ChatMessageId,
        /// A new kind.
        kind: Option<ChatPayloadKind>,
        /// A new payload.
        payload: Option<String>,
        /// Pin or unpin.
        pinned: Option<bool>,
    },
    /// Delete a message.
    DeleteChat(ChatMessageId),
    /// Pin or unpin a message.
    PinChat {
        /// Which.
        message: ChatMessageId,
        /// Whether it is pinned then.
        pinned: bool,
    },
    /// A page of messages.
    ChatPage(ChatPage),
    /// A page of messages that contain a text.
    SearchChat {
        /// The text, looked for without regard to case.
        term: String,
        /// Where and how many; its filter is not used.
        page: ChatPage,
    },

    // Polls (f.5)
    /// All polls.
    Polls,
    /// Ask a question.
    CreatePoll(NewPoll),
    /// Vote.
    Vote {
        /// In which poll.
        poll: PollId,
        /// For which answer, from 0.
        option: usize,
    },

    // Key-value stores (f.6)
    /// Read keys; all where none are named. Works before coming in.
    StoreGet {
        /// The store.
        store: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// Write keys.
    StoreInsert {
        /// The store.
        store: String,
        /// Keys and JSON.
        items: Vec<(String, Vec<u8>)>,
    },
    /// Delete keys.
    StoreDelete {
        /// The store.
        store: String,
        /// The keys.
        keys: Vec<String>,
    },

    // Broadcasts (f.7)
    /// Tell everybody inside.
    Broadcast(Broadcast),
    /// Tell some peers.
    BroadcastToPeers(Vec<PeerId>, Broadcast),
    /// Tell everybody in other rooms of the same app.
    BroadcastToRooms(Vec<MeetingId>, Broadcast),

    // Permissions (f.8)
    /// Change what participants may do.
    UpdatePermissions(Vec<(ParticipantId, PermissionPatch)>),
    /// Read what participants may do.
    ReadPermissions(Vec<ParticipantId>),

    // Connected meetings (f.11)
    /// All breakout rooms and who is in them.
    ConnectedRooms,
    /// Make breakout rooms with these titles.
    CreateConnectedRooms(Vec<String>),
    /// Give up breakout rooms.
    DeleteConnectedRooms(Vec<MeetingId>),
    /// Move people.
    MovePeople {
        /// From here.
        source: MeetingId,
        /// To here.
        destination: MeetingId,
        /// Who, and the preset they get, if another.
        people: Vec<(ParticipantId, Option<PresetId>)>,
    },

    // Media presence and control (e.1, e.5 to e.7)
    /// The peer's media session begins. Allowed before coming in.
    JoinMedia,
    /// The peer's transports are up: it wants to know who else sends.
    CompleteMediaJoin,
    /// The peer's media session ends.
    LeaveMedia,
    /// Mute one peer.
    MutePeer {
        /// Whom.
        peer: PeerId,
        /// What.
        kinds: MediaKinds,
    },
    /// Mute everybody else.
    MuteAll(MediaKinds),
    /// Pin a peer for everybody; none: unpin.
    PinPeer(Option<PeerId>),
}

/// Kinds of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaKinds {
    /// The microphone.
    pub audio: bool,
    /// The camera.
    pub video: bool,
    /// The screen.
    pub screenshare: bool,
}

impl MediaKinds {
    /// All of them.
    pub const ALL: Self = Self {
        audio: true,
        video: true,
        screenshare: true,
    };
}

/// A question to the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPoll {
    /// The question.
    pub question: String,
    /// The answers.
    pub options: Vec<String>,
    /// Whether names of voters are kept from everybody.
    pub anonymous: bool,
    /// Whether results are kept from those who have not voted.
    pub hide_votes: bool,
}

/// Which part of the chat is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatPage {
    /// Milliseconds since 1970: messages from then on, or up to then where `reversed`; 0 for no bound.
    pub time_ms: u64,
    /// How many.
    pub size: usize,
    /// How many to pass over.
    pub from: usize,
    /// Newest first, going back from the time.
    pub reversed: bool,
    /// Which messages; public ones where there is none.
    pub filter: ChatFilter,
}

/// Which messages of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChatFilter {
    /// Those for everybody.
    #[default]
    Public,
    /// Those that are pinned (or are not).
    Pinned(bool),
    /// Those between oneself and another.
    With(ParticipantId),
}

/// Something to be passed on as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// What it is, in the words of the application.
    pub kind: String,
    /// JSON.
    pub payload: Vec<u8>,
    /// Milliseconds since 1970, as the client says.
    pub timestamp_ms: u64,
}

/// What is to change in somebody's permissions: dotted paths into [`muster_model::preset::Permissions`] as JSON
/// (`chat.public.can_send`) and the new values. The codec makes only paths that exist; the room checks
/// that the outcome is a `Permissions` again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PermissionPatch(pub BTreeMap<String, serde_json::Value>);

/// What REST, or the server itself, may want of a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Remove participants; with `ban` they may not come back.
    Kick {
        /// By participant id.
        participants: Vec<ParticipantId>,
        /// By custom id.
        custom_ids: Vec<String>,
        /// Whether they may not come back.
        ban: bool,
    },
    /// End the session.
    KickAll,
    /// Mute participants.
    Mute {
        /// By participant id.
        participants: Vec<ParticipantId>,
        /// By custom id.
        custom_ids: Vec<String>,
    },
    /// Mute everybody.
    MuteAll {
        /// Whether people may unmute themselves.
        allow_unmute: bool,
    },
    /// Ask a question.
    CreatePoll {
        /// The question.
        poll: NewPoll,
        /// Who asks, in words.
        created_by: String,
    },
    /// A participant was deleted: its connections end, whatever state they are in.
    RemoveParticipant(ParticipantId),
    /// A participant was deleted, and may stay where it is inside: those of its connections that have not
    /// come in yet end, as its tokens are of no use any more.
    TurnAwayParticipant(ParticipantId),
    /// The meeting was made active or inactive: while it is not, nobody comes in; those inside stay.
    SetActive(bool),
    /// A recording came into another state.
    Recording(RecordingState),
    /// A livestream came into another state.
    Livestream(LivestreamState),
}

/// The state of a recording, for those inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingState {
    /// The recording.
    pub id: muster_model::RecordingId,
    /// What it does.
    pub phase: RecordingPhase,
}

/// What a recording does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingPhase {
    /// It was asked for.
    Starting,
    /// It runs.
    Recording,
    /// It pauses.
    Paused,
    /// It ends.
    Stopping,
    /// It is over.
    Stopped,
}

/// The state of a livestream, for those inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivestreamState {
    /// The livestream.
    pub id: muster_model::LivestreamId,
    /// Its name.
    pub name: String,
    /// Where it is watched.
    pub playback_url: String,
    /// Whether the picture comes from outside.
    pub manual_ingest: bool,
    /// What it does.
    pub phase: LivestreamPhase,
}

/// What a livestream does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LivestreamPhase {
    /// It was asked for.
    Invoked,
    /// It is on air.
    Started,
    /// It is over.
    Stopped,
    /// It failed.
    Errored,
}

/// Word from a connected meeting. The parent keeps the list of the family; its breakout rooms are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Connected {
    /// To the parent: who is in a breakout room now.
    Roster {
        /// The breakout room.
        meeting: MeetingId,
        /// Who is in it.
        people: Vec<Arc<Person>>,
    },
    /// To a breakout room: the family as it is now; nobody is told anything where nothing changed.
    Family(Arc<Family>),
    /// To any room: a message from another one.
    Broadcast(Broadcast),
    /// To any room of the family: some of its people are to go to another.
    Move {
        /// There.
        destination: MeetingId,
        /// Who, and the preset they get, if another.
        people: Vec<(ParticipantId, Option<PresetId>)>,
    },
    /// To a breakout room: it was given up; its people go back to the parent.
    Closed,
    /// To a breakout room: the parent's session was ended for all, so its own ends too.
    Ended,
}

/// A parent meeting and its breakout rooms.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The parent, first.
    pub parent: ConnectedRoom,
    /// The breakout rooms, in the order in which they were made.
    pub rooms: Vec<ConnectedRoom>,
}

/// A room of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectedRoom {
    /// Its meeting.
    pub meeting: MeetingId,
    /// Its title.
    pub title: String,
    /// Who is in it.
    pub people: Vec<Arc<Person>>,
}
