//! What a shard remembers of rooms, people, connections and streams. Streams and connections know each
//! other by their places in slabs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use muster_model::{MeetingId, PeerId};
use str0m::{
    media::{Mid, Pt},
    rtp::Ssrc,
};

use crate::{
    api::{Kinds, MediaKind, ProducerInfo, Protocol},
    codec::{Codec, Descriptor, Start},
    floor::Floor,
    layers::{self, Climb, LAYERS, Meter},
    link::Link,
    report::Gathered,
    retire::Retirement,
    rewrite::Rewriter,
    sdp::{Description, Section},
    sequence::Numbering,
    speakers::Speakers,
};

/// Layers that sent nothing for so long count as absent.
const PRESENCE: Duration = Duration::from_millis(1_200);
/// Sender reports are believed about the past and future of this length.
const BELIEVED: Duration = Duration::from_secs(5);
/// By how much a sender's clock may seem to fall behind before it is taken to have been set anew.
const CLOCK_JUMP: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Room {
    pub peers: BTreeMap<PeerId, Peer>,
    /// By the id that clients know.
    pub producers: BTreeMap<String, usize>,
    pub speakers: Speakers,
}

#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub admitted: bool,
    pub kinds: Kinds,
    pub sending: Option<usize>,
    pub receiving: Option<usize>,
    /// Places of what it sends.
    pub producers: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Transport {
    pub id: String,
    pub meeting: MeetingId,
    pub peer: PeerId,
    pub consuming: bool,
    pub link: Link,
    /// This side's ICE user fragment.
    pub fragment: String,
    /// From where authentic messages came.
    pub addresses: Vec<(Protocol, SocketAddr)>,
    /// Since when it has not been up.
    pub down_since: Option<Instant>,
    /// The deadline that is queued.
    pub queued: Option<Instant>,
    /// Whether packets wait for the next tick of the link.
    pub dirty: bool,

    /// Sending: what the incoming streams are; none for those of nobody.
    pub streams: HashMap<Ssrc, Option<(usize, usize)>>,
    /// Sending: sections whose producers ended and that have not been given to others.
    pub ended: BTreeSet<Mid>,
    /// Sending: whether it is to be replaced.
    pub retirement: Retirement,
    /// Sending: our clock and the client's at the same moment.
    pub clock: Option<(Instant, SystemTime)>,

    /// Receiving: the other side's description, with the sections that were offered since.
    pub view: Description,
    /// Receiving: sections by which new ones are made, for audio and video.
    pub templates: [Option<Section>; 2],
    /// Receiving: how many sections were ever added here.
    pub added: u32,
    /// Receiving: places of consumers by section.
    pub consumers: BTreeMap<Mid, usize>,
    /// Receiving: what the way carries, in bits per second.
    pub estimate: Option<u64>,
    /// The same of the last measure. Unlike the other it is not the mean of some seconds, so it swings widely.
    pub momentary: Option<u64>,
    /// Whether the last measure showed more loss or delay than usual.
    pub suffers: bool,
    /// Receiving: what str0m was told to pad to and would be sent.
    pub desired: (u64, u64),
    /// Receiving: when more may be tried.
    pub climb: Climb,
    /// Receiving: the least of pictures.
    pub floor: Floor,
    /// Receiving: whether less is sent than wished for.
    pub held_back: bool,
    pub gathered: Gathered,
}

impl Transport {
    /// What the way is thought to carry, in bits per second, as far as known. Where it suffers the mean is that
    /// of better times.
    pub(crate) fn believed(&self) -> Option<u64> {
        let momentary = self.momentary.filter(|_| self.suffers).unwrap_or(u64::MAX);
        self.estimate.map(|estimate| estimate.min(momentary))
    }

    /// Takes a sender report's times.
    pub(crate) fn synchronise(&mut self, received: Instant, sent: SystemTime) {
        let better = match self.on_our_clock(sent) {
            None => true,
            Some(predicted) => received < predicted || received.duration_since(predicted) > CLOCK_JUMP,
        };
        if better {
            self.clock = Some((received, sent));
        }
    }

    fn on_our_clock(&self, theirs: SystemTime) -> Option<Instant> {
        let (ours, same) = self.clock?;
        match theirs.duration_since(same) {
            Ok(later) => ours.checked_add(later),
            Err(earlier) => ours.checked_sub(earlier.duration()),
        }
    }
}

/// One incoming stream of a producer.
#[derive(Debug, Default)]
pub(crate) struct Encoding {
    pub ssrc: Option<Ssrc>,
    /// How often the stream began anew.
    pub epoch: u32,
    pub numbering: Numbering,
    pub meter: Meter,
    pub last_packet: Option<Instant>,
    /// The latest sender report: the client's clock and RTP time.
    pub report: Option<(SystemTime, u32)>,
    pub wants_key_frame: bool,
    /// Whether key frames bring what is needed to decode them.
    pub whole: bool,
    pub asked: Option<Instant>,
}

impl Encoding {
    /// When a packet was captured, on our clock.
    pub(crate) fn captured(
        &self,
        transport: &Transport,
        clock_rate: u32,
        time: u32,
        now: Instant,
    ) -> Instant {
        let by_report = || {
            let (ntp, rtp) = self.report?;
            // Times wrap; what is more than half the way round lies before.
            let ticks = i64::from(time.wrapping_sub(rtp).cast_signed());
            let distance = Duration::from_micros(ticks.unsigned_abs() * 1_000_000 / u64::from(clock_rate));
            let theirs = if ticks >= 0 {
                ntp.checked_add(distance)
            } else {
                ntp.checked_sub(distance)
            };
            let ours = transport.on_our_clock(theirs?)?;
            let off = now
                .saturating_duration_since(ours)
                .max(ours.saturating_duration_since(now));
            (off < BELIEVED).then_some(ours.min(now))
        };
        by_report().unwrap_or(now)
    }

    /// Whether a receiver may begin with a packet.
    pub(crate) fn is_entry(&mut self, packet: Option<Descriptor>) -> bool {
        match packet.map_or(Start::Nothing, |packet| packet.start) {
            Start::Nothing => false,
            // Where others bring all that is needed, that was lost here.
            Start::Bare => !self.whole,
            Start::Whole => {
                self.whole = true;
                true
            }
        }
    }

    /// Begins anew, after a pause or with another stream.
    pub(crate) fn restart(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.numbering.restart();
        self.whole = false;
    }
}

#[derive(Debug)]
pub(crate) struct Producer {
    pub id: String,
    pub meeting: MeetingId,
    pub peer: PeerId,
    pub kind: MediaKind,
    pub codec: Codec,
    /// By which payload type it comes.
    pub pt: Pt,
    pub screen_share: bool,
    pub app_data: Option<String>,
    /// Paused by its owner.
    pub paused: bool,
    /// Cut until its owner resumes it.
    pub muted: bool,
    /// Whether its owner may send it.
    pub allowed: bool,
    pub transport: usize,
    pub transport_id: String,
    pub mid: Mid,
    pub encodings: [Encoding; LAYERS],
    /// Places of its consumers.
    pub consumers: Vec<usize>,
}

impl Producer {
    /// Whether its packets are handed on.
    pub(crate) fn is_live(&self) -> bool {
        !self.paused && !self.muted && self.allowed
    }

    /// The layers that are sent now. One that is alone may pause, as still screens do.
    pub(crate) fn present(&self, now: Instant) -> [bool; LAYERS] {
        let known = std::array::from_fn(|layer| self.encodings[layer].ssrc.is_some());
        let recent = std::array::from_fn(|layer: usize| {
            let last = self.encodings[layer].last_packet;
            last.is_some_and(|at| now.saturating_duration_since(at) < PRESENCE)
        });
        if recent.contains(&true) { recent } else { known }
    }

    pub(crate) fn rates(&self, now: Instant) -> [Option<u64>; LAYERS] {
        let measured = std::array::from_fn(|layer| self.encodings[layer].meter.rate());
        layers::rates(self.present(now), measured)
    }

    pub(crate) fn info(&self) -> ProducerInfo {
        ProducerInfo {
            peer: self.peer,
            id: self.id.clone(),
            kind: self.kind,
            paused: !self.is_live(),
            screen_share: self.screen_share,
            app_data: self.app_data.clone(),
            transport: self.transport_id.clone(),
            mime_type: self.codec.mime_type(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Consumer {
    pub producer: usize,
    pub transport: usize,
    pub mid: Mid,
    pub ssrc: Ssrc,
    pub pt: Pt,
    /// Whether the client has answered the offer of its section.
    pub negotiated: bool,
    /// The layer wished for.
    pub wish: usize,
    /// The layer it is to get; forwarding changes to it with its next key frame.
    pub target: Option<usize>,
    /// When the target changed.
    pub changed: Option<Instant>,
    pub rewriter: Rewriter,
}
