//! The numbers of events (PROTOCOL d.3). Those of room services are `(service << 16) + n`.

/// Declares the numbers of one service.
macro_rules! events {
    ($base:expr; $($(#[$doc:meta])* $name:ident = $n:literal),* $(,)?) => {
        $($(#[$doc])* pub const $name: u32 = $base + $n;)*
    };
}

events! { 0;
    /// About one peer.
    GET_PEER_INFO = 0,
    /// Everybody inside.
    GET_ROOM_PEERS = 2,
    /// Somebody comes in.
    JOIN_ROOM = 3,
    /// Somebody went.
    LEAVE_ROOM = 4,
    /// About the room.
    GET_ROOM_INFO = 5,
    /// The livestream is on air.
    LIVESTREAM_STARTED = 8,
    /// The livestream is over.
    LIVESTREAM_STOPPED = 9,
    /// The livestream failed.
    LIVESTREAM_ERRORED = 10,
    /// Who asks to come on stage.
    GET_STAGE_REQUESTS = 12,
    /// Ask to come on stage.
    REQUEST_STAGE_ACCESS = 13,
    /// Not any more.
    CANCEL_STAGE_REQUEST = 14,
    /// Let on stage.
    GRANT_STAGE_ACCESS = 15,
    /// Refuse the stage.
    DENY_STAGE_ACCESS = 16,
    /// How many watch.
    ROOM_PEER_COUNT = 17,
    /// Step on stage.
    JOIN_STAGE = 18,
    /// Step down, or have others step down.
    LEAVE_STAGE = 19,
    /// The family of connected meetings.
    CONNECTED_ROOMS_DUMP = 20,
    /// Make connected meetings.
    CREATE_CONNECTED_ROOMS = 21,
    /// Give up connected meetings.
    DELETE_CONNECTED_ROOMS = 22,
    /// Move people between connected meetings.
    MOVE_PEERS = 23,
    /// Go to another meeting.
    TRANSFER_PEER = 24,
    /// Connected meetings were made.
    CONNECTED_ROOMS_UPDATED = 26,
    /// Connected meetings were given up.
    CONNECTED_ROOMS_DELETED = 27,
    /// A message to the room.
    BROADCAST_MESSAGE = 29,
    /// Remove peers; you are removed. Whoever gets it leaves.
    KICK = 30,
    /// End the session for all. Whoever gets it leaves.
    KICK_ALL = 31,
    /// Who waits to be let in.
    GET_WAITING_ROOM_REQUESTS = 33,
    /// Let in.
    ACCEPT_WAITING_ROOM_REQUESTS = 34,
    /// You are let in.
    WAITING_ROOM_REQUEST_ACCEPTED = 35,
    /// Turn away.
    DENY_WAITING_ROOM_REQUESTS = 36,
    /// You are turned away.
    WAITING_ROOM_REQUEST_DENIED = 37,
    /// Where a peer is with respect to the stage.
    PEER_STAGE_STATUS_UPDATE = 38,
    /// A message to peers or rooms.
    BROADCAST_TO_ENTITY = 39,
    /// A recording runs.
    RECORDING_STARTED = 40,
    /// A recording is over.
    RECORDING_STOPPED = 41,
    /// A recording pauses.
    RECORDING_PAUSED = 42,
    /// A livestream was asked for.
    LIVESTREAM_INVOKED = 44,
    /// A request of a room service was refused.
    ERROR = 65_535,
}

events! { 1 << 16;
    /// The last messages.
    GET_MESSAGES = 0,
    /// Write to everybody.
    SEND_MESSAGE_TO_ROOM = 1,
    /// Write to some.
    SEND_MESSAGE_TO_PEERS = 2,
    /// Change a message.
    EDIT_MESSAGE = 3,
    /// Delete a message.
    DELETE_MESSAGE = 4,
    /// A page of messages.
    GET_PAGINATED_MESSAGES = 5,
    /// Messages that contain a text.
    SEARCH_MESSAGES = 7,
    /// Pin or unpin a message.
    PIN_MESSAGE = 10,
}

events! { 2 << 16;
    /// Write keys of a store.
    STORE_INSERT_KEYS = 9,
    /// Read keys of a store.
    STORE_GET_KEYS = 10,
    /// Delete keys of a store.
    STORE_DELETE_KEYS = 11,
}

events! { 3 << 16;
    /// Ask a question.
    CREATE_POLL = 0,
    /// All polls.
    GET_POLLS = 1,
    /// Vote.
    VOTE_POLL = 2,
}

events! { 5 << 16;
    /// What participants may do.
    GET_USER_PRESETS = 0,
    /// Change what participants may do.
    UPDATE_USER_PRESET = 1,
}

/// The base of the media service's numbers.
pub const MEDIA: u32 = 0x0300_0000;

events! { MEDIA;
    /// A connection for sending or receiving.
    CREATE_WEBRTC_TRANSPORT = 1,
    /// Send something.
    PRODUCE = 2,
    /// Receive something.
    CONSUME = 3,
    /// Pause or resume what one sends.
    TOGGLE_PRODUCER = 4,
    /// Send something no more.
    CLOSE_PRODUCER = 6,
    /// Receive something no more.
    CLOSE_CONSUMER = 7,
    /// Wish for another layer.
    UPDATE_CONSUMERS_SIMULCAST = 8,
    /// A media session begins.
    MEDIA_JOIN_ROOM = 16,
    /// A media session ends.
    MEDIA_LEAVE_ROOM = 17,
    /// Pin a peer for everybody.
    GLOBAL_PIN_PEER = 19,
    /// A media session is complete.
    SELF_JOIN_COMPLETE = 20,
    /// Somebody's media session is complete.
    PEER_JOINED = 25,
    /// Somebody's media session is over.
    PEER_LEFT = 26,
    /// Somebody sends something.
    PEER_PRODUCER_CREATED = 27,
    /// Somebody pauses or resumes something.
    PEER_PRODUCER_TOGGLED = 28,
    /// Somebody sends something no more.
    PEER_PRODUCER_CLOSED = 29,
    /// A peer is pinned for everybody.
    PEER_PINNED = 30,
    /// The media session was ended by the server.
    MEDIA_TERMINATED = 36,
    /// Who speaks.
    SELECTED_PEERS_DIFF = 40,
    /// The answer to a server's offer.
    RENEGOTIATE = 50,
    /// A request of the media service was refused.
    MEDIA_ERROR = 60,
    /// Change the name shown.
    CHANGE_DISPLAY_NAME = 92,
    /// Mute one peer.
    HOST_CONTROL_PEER = 93,
    /// Mute everybody else.
    HOST_CONTROL_ALL_PEERS = 94,
    /// How loud one is.
    AUDIO_ACTIVITY = 100,
}

/// Whether an event belongs to the media service.
pub const fn is_media(event: u32) -> bool {
    event >> 24 == MEDIA >> 24
}
