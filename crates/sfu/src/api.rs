//! What goes in and what comes out.

use std::{net::SocketAddr, time::Duration};

pub use muster_model::MediaKind;
use muster_model::{MeetingId, PeerId};

/// How a shard works.
#[derive(Debug, Clone)]
pub struct SfuConfig {
    /// UDP addresses at which clients reach this shard; told to them as host candidates. At least one.
    pub candidates: Vec<SocketAddr>,
    /// TCP addresses at which clients reach this shard; told to them as passive candidates (RFC 6544).
    pub tcp_candidates: Vec<SocketAddr>,
    /// Bounds for one peer.
    pub caps: Caps,
    /// How long a connection may take to be set up, and how long it may be silent, before it is given up.
    pub patience: Duration,
    /// What a receiving connection is believed to carry at first, in bits per second.
    pub initial_bitrate: u64,
}

impl SfuConfig {
    /// The usual settings.
    pub fn new(candidates: Vec<SocketAddr>) -> Self {
        Self {
            candidates,
            tcp_candidates: Vec::new(),
            caps: Caps::default(),
            patience: Duration::from_secs(45),
            initial_bitrate: 1_500_000,
        }
    }
}

/// Bounds for one peer.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Things sent at a time.
    pub producers: usize,
    /// Things received at a time.
    pub consumers: usize,
    /// Sections of one connection, closed ones included.
    pub sections: usize,
    /// Bytes of a session description.
    pub description: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            producers: 8,
            consumers: 200,
            sections: 600,
            description: 1 << 20,
        }
    }
}

/// What a peer may send, or what is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// The microphone.
    pub audio: bool,
    /// The camera.
    pub video: bool,
    /// The screen, with its sound.
    pub screen_share: bool,
}

impl Kinds {
    /// Everything.
    pub const ALL: Self = Self {
        audio: true,
        video: true,
        screen_share: true,
    };

    /// Whether something of this kind is among them.
    pub const fn contains(self, kind: MediaKind, screen_share: bool) -> bool {
        match (screen_share, kind) {
            (true, _) => self.screen_share,
            (false, MediaKind::Audio) => self.audio,
            (false, MediaKind::Video) => self.video,
        }
    }
}

/// What a peer, or the room about a peer, asks for. A peer is known from its first command until
/// [`Command::RemovePeer`].
#[derive(Debug, Clone)]
pub enum Command {
    /// A connection for sending or receiving; it replaces the peer's earlier one of that direction.
    CreateTransport {
        /// Whether it is for receiving.
        consuming: bool,
        /// The client's offer.
        offer: String,
    },
    /// Send something.
    Produce {
        /// What.
        kind: MediaKind,
        /// Whether it begins paused.
        paused: bool,
        /// Whether it is a screen or its sound.
        screen_share: bool,
        /// The client's offer, with the section.
        offer: String,
        /// JSON whose `mid` names the section; the last section of the kind where it does not.
        app_data: Option<String>,
        /// Such as `video/VP8`, to choose among what the section offers; the first of VP8, H.264 and VP9 that
        /// is there where it is absent or not offered.
        mime_type: Option<String>,
        /// By which connection; the peer's sending one where absent.
        transport: Option<String>,
    },
    /// Receive things.
    Consume {
        /// Which.
        requests: Vec<ConsumeRequest>,
        /// By which connection; the peer's receiving one where absent.
        transport: Option<String>,
    },
    /// The answer to this side's offer.
    Renegotiate {
        /// Of which connection.
        transport: String,
        /// The answer.
        answer: String,
    },
    /// Send something no more.
    CloseProducer {
        /// Which; an unknown one is no error.
        producer: String,
        /// The client's offer, with the section inactive.
        offer: String,
    },
    /// Receive things no more.
    CloseConsumer {
        /// The sections that carry them; unknown ones are no error.
        mids: Vec<String>,
        /// The client's offer.
        offer: String,
        /// By which connection; the peer's receiving one where absent.
        transport: Option<String>,
    },
    /// Pause or resume what the peer sends. Resuming lifts a mute.
    ToggleProducer {
        /// Which.
        producer: String,
        /// Whether it pauses.
        pause: bool,
    },
    /// Wish for other layers.
    UpdateSimulcast {
        /// Consumer id (which is the producer's) and rid.
        layers: Vec<(String, String)>,
    },
    /// The peer is gone: its connections end.
    RemovePeer,
    /// The peer came back with a new signalling connection: connections stay, producers are made anew.
    Rejoined,
    /// Whether the peer may send and receive.
    Admit(bool),
    /// What the peer may send. What it sends beyond that is cut.
    MayProduce(Kinds),
    /// Cut what the peer sends until it resumes.
    Mute(Kinds),
}

/// Something to be received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumeRequest {
    /// What.
    pub producer: String,
    /// The layer wished for: `f`, `h` or `q`.
    pub preferred_rid: Option<String>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A connection is made.
    Transport {
        /// Its id.
        transport: String,
        /// The answer to the offer.
        answer: String,
    },
    /// A producer is made.
    Produced {
        /// Its id, unique everywhere.
        producer: String,
        /// The answer to the offer.
        answer: String,
    },
    /// Consumers are made.
    Consumed {
        /// For each requested producer.
        consumers: Vec<(String, Result<Consumed, ConsumeError>)>,
        /// The offer to be answered by [`Command::Renegotiate`]; none where nothing changed.
        offer: Option<String>,
    },
    /// The answer to an offer.
    Answer(String),
    /// It is done.
    Done,
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumed {
    /// Its id, which is the producer's.
    pub consumer: String,
    /// The section that carries it, on the receiver's connection.
    pub mid: String,
    /// The id of the track in that section.
    pub track: String,
    /// Who sends.
    pub producing_peer: PeerId,
    /// By which connection.
    pub producing_transport: String,
    /// The sender's own JSON.
    pub app_data: Option<String>,
}

/// Why something is not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// There is no such producer in the room.
    #[error("there is no such track")]
    NotFound,
    /// The peer receives as much as it may.
    #[error("too many tracks")]
    TooMany,
    /// The receiver did not offer to receive its codec.
    #[error("the codec of the track is not supported")]
    UnsupportedCodec,
}

impl ConsumeError {
    /// The client's word for it; with either it does not try again.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found_track_error",
            Self::TooMany | Self::UnsupportedCodec => "backend_error",
        }
    }
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The room is not open here.
    #[error("no such room")]
    NoRoom,
    /// The peer has no such connection (any more); it should make one anew.
    #[error("no such transport")]
    NoTransport,
    /// The peer sends no such thing.
    #[error("no such producer")]
    NoProducer,
    /// The peer may not do that.
    #[error("not allowed")]
    NotAllowed,
    /// A bound is reached.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// Only opus, VP8, H.264 and VP9 are forwarded, and what is named has to be offered.
    #[error("the codec is not supported")]
    UnsupportedCodec,
    /// The session description does not read or does not fit what was negotiated before; the client
    /// should make the connection anew.
    #[error("invalid session description: {0}")]
    InvalidDescription(String),
    /// The connection broke down inside; it is gone.
    #[error("internal error")]
    Internal,
}

impl MediaError {
    /// The client's word for it. After the first two it makes its connection anew, which is what helps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidDescription(_) | Self::NoTransport => "invalid_session_description",
            Self::Internal => "internal_error",
            Self::NoProducer => "not_found_track_error",
            Self::NoRoom | Self::NotAllowed | Self::TooMany(_) | Self::UnsupportedCodec => "backend_error",
        }
    }
}

/// Something a peer sends, for the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerInfo {
    /// Whose.
    pub peer: PeerId,
    /// Its id, unique everywhere.
    pub id: String,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Whether it pauses or is muted.
    pub paused: bool,
    /// Whether it is a screen.
    pub screen_share: bool,
    /// The sender's own JSON.
    pub app_data: Option<String>,
    /// By which connection it is sent.
    pub transport: String,
    /// `audio/opus`, `video/VP8`, `video/H264` or `video/VP9`.
    pub mime_type: &'static str,
}

/// What happens by itself or should be told to others.
#[derive(Debug, Clone, PartialEq)]
pub enum SfuEvent {
    /// A peer sends something.
    ProducerCreated(ProducerInfo),
    /// A peer sends something no more.
    ProducerClosed(ProducerInfo),
    /// Something pauses or resumes.
    ProducerToggled {
        /// What, after the change.
        producer: ProducerInfo,
        /// Whether it was cut here rather than by the peer itself.
        muted: bool,
    },
    /// A connection is up.
    TransportConnected {
        /// Whose.
        peer: PeerId,
        /// Which.
        transport: String,
        /// Whether it is for receiving.
        consuming: bool,
    },
    /// A connection is gone and the peer does not know.
    TransportLost {
        /// Whose.
        peer: PeerId,
        /// Which.
        transport: String,
        /// Whether it was for receiving.
        consuming: bool,
        /// Why.
        why: Lost,
    },
    /// Who speaks, the present speaker first, told when the first changes.
    ActiveSpeakers(Vec<PeerId>),
    /// How a connection fares, every five seconds.
    Stats(TransportStats),
}

/// Why a connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It was not set up in time, or was silent for too long.
    Silent,
    /// The client closed it.
    Closed,
    /// It failed here.
    Failed,
}

/// How a connection fares. Bytes and packets count since its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportStats {
    /// Whose.
    pub peer: PeerId,
    /// Which.
    pub transport: String,
    /// Whether it is for receiving.
    pub consuming: bool,
    /// Bytes from the client.
    pub bytes_received: u64,
    /// Bytes to the client.
    pub bytes_sent: u64,
    /// From the client in the last interval, in bits per second, all protocols; none in the first.
    pub bitrate_received: Option<u64>,
    /// To the client likewise.
    pub bitrate_sent: Option<u64>,
    /// The part of packets lost in the last interval, 0 to 1, in the direction media flows.
    pub loss: Option<f32>,
    /// The latest round trip. It is measured by what is sent, so a connection for sending seldom knows it;
    /// the one for receiving takes the same way.
    pub round_trip: Option<Duration>,
    /// The worst variation of delay (RFC 3550) of a stream in the last interval.
    pub jitter: Option<Duration>,
    /// What the way to the client is believed to carry, in bits per second.
    pub estimate: Option<u64>,
    /// Whether something wished for is held back because of that.
    pub held_back: bool,
    /// Receiving: for each camera or screen, by producer, the layer that is handed on; none is nothing.
    pub layers: Vec<(String, Option<&'static str>)>,
    /// Each stream that media flows by, in the order of sections and layers. Sending: one for each layer of
    /// a producer. Receiving: one for each consumer.
    pub streams: Vec<StreamStats>,
}

/// How a stream fares. Packets, bytes and requests count since its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamStats {
    /// What it is, or is a layer of.
    pub producer: String,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Whether it is a screen or its sound.
    pub screen_share: bool,
    /// Such as `video/VP8`.
    pub mime_type: &'static str,
    /// Of a picture: the layer (`f`, `h`, `q`), which is `f` where there is but one; none is nothing.
    pub layer: Option<&'static str>,
    /// Packets, repairs included.
    pub packets: u64,
    /// Bytes, repairs included.
    pub bytes: u64,
    /// In the last interval, in bits per second; none in the first.
    pub bitrate: Option<u64>,
    /// The part of packets lost by the last reports, 0 to 1.
    pub loss: Option<f32>,
    /// The variation of delay (RFC 3550).
    pub jitter: Option<Duration>,
    /// The latest round trip.
    pub round_trip: Option<Duration>,
    /// Requests for lost packets, by whoever receives it.
    pub nacks: u64,
    /// Requests for key frames, by whoever receives it.
    pub key_frame_requests: u64,
}

/// How a datagram travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// By itself.
    Udp,
    /// As a frame of a stream (RFC 4571).
    Tcp,
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// How.
    pub protocol: Protocol,
    /// From which of the candidates.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// What a shard has counted since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Datagrams that came.
    pub datagrams: u64,
    /// Datagrams that belonged to nobody.
    pub unknown: u64,
    /// Datagrams that did not read.
    pub malformed: u64,
    /// Media packets handed on, counted once for each receiver.
    pub forwarded: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
    /// Changes of layer.
    pub layer_switches: u64,
    /// Connections that broke down inside.
    pub failures: u64,
}

pub(crate) type Told = (MeetingId, SfuEvent);
