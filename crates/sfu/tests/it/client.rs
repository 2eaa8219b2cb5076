//! A person: a connection for sending and one for receiving, as the official client has them.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use muster_model::PeerId;
use muster_sfu::MediaKind;
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::Codec,
    media::{
        Direction, ExtensionValues, KeyframeRequestKind, MediaKind as Kind, Mid, Pt, Rid, Simulcast,
        SimulcastLayer,
    },
    net::{Protocol, Receive},
    rtp::RtpWrite,
};

use crate::{
    decoder::Decoder,
    got::{Got, TRAILER},
    pictures::{self, Picture},
};

pub struct Connection {
    pub id: String,
    pub address: SocketAddr,
    pub rtc: Rtc,
    deadline: Instant,
    pending: Option<SdpPendingOffer>,
    /// Whether what is sent can be repaired by a stream of its own.
    rtx: bool,
    /// How often packets were asked for again.
    pub nacks: u64,
    pub got: Vec<Got>,
    pub decoders: BTreeMap<Mid, Decoder>,
    pub key_frames_wanted: Vec<(Mid, Option<Rid>)>,
}

impl Connection {
    fn new(address: SocketAddr, rtx: bool, codecs: &[Codec], now: Instant) -> Self {
        let mut config = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .set_stats_interval(Some(Duration::from_secs(1)))
            .enable_opus(true, false);
        for codec in codecs {
            pictures::offer(config.codec_config(), *codec, rtx);
        }
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self {
            id: String::new(),
            address,
            rtc,
            deadline: now,
            pending: None,
            rtx,
            nacks: 0,
            got: Vec::new(),
            decoders: BTreeMap::new(),
            key_frames_wanted: Vec::new(),
        }
    }

    /// The offer without candidates: the official client gives none.
    fn offered(&mut self, made: Option<(SdpOffer, SdpPendingOffer)>) -> String {
        let (offer, pending) = made.unwrap();
        self.pending = Some(pending);
        let text = offer.to_sdp_string();
        let rtx = self.rtx;
        let kept = text.lines().filter(|line| {
            !line.starts_with("a=candidate")
                && !line.starts_with("a=end-of")
                && (rtx || !line.starts_with("a=ssrc-group"))
        });
        kept.chain([""]).collect::<Vec<_>>().join("\r\n")
    }

    pub fn answered(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc
            .sdp_api()
            .accept_answer(self.pending.take().unwrap(), answer)
            .unwrap();
    }

    pub fn accept(&mut self, offer: &str) -> String {
        let offer = SdpOffer::from_sdp_string(offer).unwrap();
        self.rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string()
    }

    pub fn offer_without(&mut self, mid: &str) -> String {
        let mut api = self.rtc.sdp_api();
        api.stop_media(Mid::from(mid));
        let made = api.apply();
        self.offered(made)
    }

    fn drain(&mut self, now: Instant, out: &mut VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.deadline = at.max(now + Duration::from_micros(100));
                    return;
                }
                Output::Transmit(sent) => {
                    out.push_back((sent.source, sent.destination, sent.contents.into()));
                }
                Output::Event(Event::RtpPacket(packet)) => {
                    let codec = self.codec(packet.header.payload_type);
                    let mid = self
                        .rtc
                        .direct_api()
                        .stream_rx(&packet.header.ssrc)
                        .map(|stream| stream.mid());
                    let mid = mid.unwrap();
                    if codec != Codec::Opus && !packet.payload.is_empty() {
                        let key = pictures::starts_key_frame(codec, &packet.payload);
                        let decoder = self.decoders.entry(mid).or_default();
                        decoder.take(*packet.seq_no, packet.header.marker, key, now);
                    }
                    self.got.push(Got {
                        at: now,
                        mid,
                        number: *packet.seq_no,
                        time: packet.header.timestamp,
                        level: packet.header.ext_vals.audio_level,
                        report: packet.last_sender_info.map(|info| {
                            (
                                info.ntp_time,
                                (info.rtp_time.numer() & u64::from(u32::MAX)).try_into().unwrap(),
                            )
                        }),
                        codec,
                        payload: packet.payload.to_vec(),
                    });
                }
                Output::Event(Event::KeyframeRequest(request)) => {
                    self.key_frames_wanted.push((request.mid, request.rid));
                }
                Output::Event(Event::MediaEgressStats(stats)) => self.nacks = self.nacks.max(stats.nacks),
                Output::Event(_) => {}
            }
        }
    }

    fn codec(&self, pt: Pt) -> Codec {
        let params = self.rtc.codec_config().params();
        params.iter().find(|p| p.pt() == pt).unwrap().spec().codec
    }

    /// What arrived for a section, in the order of its numbers.
    pub fn of(&self, mid: &str) -> Vec<Got> {
        let mut got: Vec<Got> = self.got.iter().filter(|got| &*got.mid == mid).cloned().collect();
        got.sort_by_key(|got| got.number);
        got
    }
}

/// Something that is sent.
struct Track {
    codec: Codec,
    pt: Pt,
    mid: Mid,
    layers: Vec<Layer>,
    next: Instant,
    count: u32,
}

struct Layer {
    rid: Option<Rid>,
    letter: u8,
    number: u64,
    time: u32,
    picture: u16,
    key_wanted: bool,
    paused: bool,
}

pub struct Client {
    pub peer: PeerId,
    pub send: Connection,
    pub recv: Connection,
    pub out: VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>,
    tracks: Vec<Track>,
    /// How loud the microphone is, in negative decibels.
    pub level: i8,
    /// How many key frames were sent.
    pub key_frames: u32,
    /// How many padding packets go between frames.
    pub padding: u64,
    /// How many packets a picture has that is not of the smallest layer.
    pub parts: usize,
    /// Whether pictures can be sent again; the official client cannot.
    pub rtx: bool,
    /// What is offered of pictures, what is preferred first.
    pub codecs: Vec<Codec>,
    pub born: Instant,
    index: usize,
    ports: u16,
}

impl Client {
    pub fn new(peer: PeerId, index: usize, now: Instant) -> Self {
        let address = |port: u16| SocketAddr::from(([10, 0, 1, u8::try_from(index).unwrap()], port));
        Self {
            peer,
            send: Connection::new(address(1), true, &[Codec::Vp8], now),
            recv: Connection::new(address(2), true, &[Codec::Vp8], now),
            out: VecDeque::new(),
            tracks: Vec::new(),
            level: -30,
            key_frames: 0,
            padding: 0,
            parts: 3,
            rtx: true,
            codecs: vec![Codec::Vp8],
            born: now,
            index,
            ports: 2,
        }
    }

    pub fn side(&mut self, consuming: bool) -> &mut Connection {
        if consuming { &mut self.recv } else { &mut self.send }
    }

    /// A fresh connection with the two sections without tracks.
    pub fn bootstrap(&mut self, consuming: bool, now: Instant) -> String {
        self.ports += 1;
        let address = SocketAddr::from(([10, 0, 1, u8::try_from(self.index).unwrap()], self.ports));
        let fresh = Connection::new(address, self.rtx, &self.codecs, now);
        let side = self.side(consuming);
        *side = fresh;
        let mut api = side.rtc.sdp_api();
        api.add_media(Kind::Audio, Direction::SendOnly, None, None, None);
        let layers = (!consuming).then(|| simulcast(&["f", "h", "q"]));
        api.add_media(Kind::Video, Direction::SendOnly, None, None, layers);
        let made = api.apply();
        side.offered(made)
    }

    pub fn connected(&mut self, consuming: bool, id: String, answer: &str) {
        let side = self.side(consuming);
        side.id = id;
        side.answered(answer);
    }

    pub fn offer_track(&mut self, kind: MediaKind, rids: &[&str]) -> (Mid, String) {
        let mut api = self.send.rtc.sdp_api();
        let kind = if kind == MediaKind::Audio {
            Kind::Audio
        } else {
            Kind::Video
        };
        let layers = (!rids.is_empty()).then(|| simulcast(rids));
        let mid = api.add_media(kind, Direction::SendOnly, None, None, layers);
        let made = api.apply();
        (mid, self.send.offered(made))
    }

    /// Offers with a section inactive.
    pub fn offer_inactive(&mut self, mid: Mid) -> String {
        self.tracks.retain(|track| track.mid != mid);
        let mut api = self.send.rtc.sdp_api();
        api.set_direction(mid, Direction::Inactive);
        let made = api.apply();
        self.send.offered(made)
    }

    pub fn begin(&mut self, mid: Mid, rids: &[&str], now: Instant) {
        let names: Vec<Option<&str>> = if rids.is_empty() {
            vec![None]
        } else {
            rids.iter().copied().map(Some).collect()
        };
        let layer = |(at, rid): (u32, Option<&str>)| Layer {
            rid: rid.map(Rid::from),
            letter: rid.map_or(b'-', |rid| rid.as_bytes()[0]),
            // Numbers wrap in the course of a test.
            number: u64::from(at) * 2_500 + 60_000,
            // Streams begin at times of their own.
            time: at.wrapping_mul(1_000_000_007).wrapping_sub(5_000),
            picture: u16::try_from(at).unwrap() * 9_000 + 0x7ff0,
            key_wanted: true,
            paused: false,
        };
        for rid in &names {
            let mut api = self.send.rtc.direct_api();
            let stream = api.stream_tx_by_mid(mid, rid.map(Rid::from)).unwrap();
            // Browsers repair what they are asked for, however much that is.
            stream.set_rtx_cache(1_000, Duration::from_secs(3), None);
        }
        let media = self.send.rtc.media(mid).unwrap();
        let params = self.send.rtc.codec_config().params();
        // What the answer lists first is sent.
        let agreed = params
            .iter()
            .find(|p| Some(&p.pt()) == media.remote_pts().first());
        let agreed = agreed.unwrap();
        self.tracks.push(Track {
            codec: agreed.spec().codec,
            pt: agreed.pt(),
            mid,
            layers: (0..).zip(names).map(layer).collect(),
            next: now,
            count: 0,
        });
    }

    pub fn pause_layer(&mut self, letter: u8, paused: bool) {
        let layers = self.tracks.iter_mut().flat_map(|track| &mut track.layers);
        layers
            .filter(|layer| layer.letter == letter)
            .for_each(|layer| layer.paused = paused);
    }

    pub fn deadline(&self) -> Instant {
        let tracks = self.tracks.iter().map(|track| track.next);
        tracks
            .chain([self.send.deadline, self.recv.deadline])
            .min()
            .unwrap()
    }

    pub fn owns(&self, address: SocketAddr) -> bool {
        self.send.address == address || self.recv.address == address
    }

    pub fn receive(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let consuming = self.recv.address == to;
        let mut out = std::mem::take(&mut self.out);
        let side = self.side(consuming);
        if let Ok(received) = Receive::new(Protocol::Udp, from, to, bytes) {
            let _ = side.rtc.handle_input(Input::Receive(now, received));
            side.drain(now, &mut out);
        }
        self.out = out;
    }

    pub fn tick(&mut self, now: Instant) {
        let mut out = std::mem::take(&mut self.out);
        let due: Vec<usize> = (0..self.tracks.len())
            .filter(|at| self.tracks[*at].next <= now)
            .collect();
        for wanted in std::mem::take(&mut self.send.key_frames_wanted) {
            for track in self.tracks.iter_mut().filter(|track| track.mid == wanted.0) {
                let layers = track.layers.iter_mut().filter(|layer| layer.rid == wanted.1);
                layers.for_each(|layer| layer.key_wanted = true);
            }
        }
        for at in due {
            self.emit(at, now, &mut out);
        }
        let decoders = self.recv.decoders.iter_mut();
        let lacking: Vec<Mid> = decoders
            .filter_map(|(mid, decoder)| decoder.lacks_key_frame(now).then_some(*mid))
            .collect();
        for mid in lacking {
            self.want_key_frame(&mid);
        }
        for side in [&mut self.send, &mut self.recv] {
            if side.deadline <= now || !side.rtc.is_connected() {
                let _ = side.rtc.handle_input(Input::Timeout(now));
            }
            side.drain(now, &mut out);
        }
        self.out = out;
    }

    /// Sends a packet with anything in it, its number so much after the highest. What is sent well goes on
    /// after the highest, too: numbers that were used once are taken for a replay.
    pub fn forge(
        &mut self,
        at: usize,
        layer: usize,
        step: i64,
        marker: bool,
        payload: Vec<u8>,
        now: Instant,
    ) {
        let mut out = std::mem::take(&mut self.out);
        let track = &mut self.tracks[at];
        let (pt, mid) = (track.pt, track.mid);
        let count = track.layers.len();
        let layer = &mut track.layers[layer % count];
        let highest = layer.number;
        layer.number = highest.saturating_add_signed(step);
        write(&mut self.send, mid, layer, now, &mut out, |number, time| {
            RtpWrite::new(pt, number.into(), time, now, payload)
                .marker(marker)
                .nackable(true)
        });
        layer.number = layer.number.max(highest);
        self.out.append(&mut out);
    }

    /// Asks for a key frame of something that is received.
    pub fn want_key_frame(&mut self, mid: &str) {
        let mut api = self.recv.rtc.direct_api();
        if let Some(stream) = api.stream_rx_by_mid(Mid::from(mid), None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Sends a frame of each layer, or 20 ms of sound.
    fn emit(&mut self, at: usize, now: Instant, out: &mut VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>) {
        let track = &mut self.tracks[at];
        let audio = track.codec == Codec::Opus;
        track.next = now + Duration::from_millis(if audio { 20 } else { 40 });
        track.count += 1;
        if !self.send.rtc.is_connected() {
            return;
        }
        let (pt, count) = (track.pt, track.count);
        for layer in &mut track.layers {
            layer.time = layer.time.wrapping_add(if audio { 960 } else { 3_600 });
            if layer.paused {
                continue;
            }
            let single = audio || layer.letter == b'q';
            let packets = if single { 1 } else { self.parts };
            let key = std::mem::take(&mut layer.key_wanted);
            self.key_frames += u32::from(key && !audio);
            layer.picture = layer.picture.wrapping_add(1) & 0x7fff;
            let mut trailer = vec![layer.letter];
            trailer.extend(count.to_be_bytes());
            let micros = u64::try_from((now - self.born).as_micros()).unwrap();
            trailer.extend(micros.to_be_bytes());
            let size = match layer.letter {
                b'f' => 1_000,
                b'h' => 500,
                _ => 300,
            };
            for part in 0..packets {
                let picture = Picture {
                    number: layer.picture,
                    index: count.to_be_bytes()[3],
                    key,
                    part,
                    parts: packets,
                };
                let mut payload = picture.header(track.codec);
                payload.resize(size - TRAILER, 0);
                payload.extend(&trailer);
                pictures::seal(track.codec, &mut payload);
                let extensions = ExtensionValues {
                    audio_level: audio.then_some(self.level),
                    voice_activity: audio.then_some(true),
                    ..ExtensionValues::default()
                };
                write(&mut self.send, track.mid, layer, now, out, |number, time| {
                    RtpWrite::new(pt, number.into(), time, now, payload)
                        .marker(part + 1 == packets)
                        .ext_vals(extensions)
                        .nackable(true)
                });
            }
            for _ in 0..self.padding {
                write(&mut self.send, track.mid, layer, now, out, |number, time| {
                    RtpWrite::new(pt, number.into(), time, now, Vec::new()).nackable(true)
                });
            }
        }
    }
}

fn write(
    side: &mut Connection,
    mid: Mid,
    layer: &mut Layer,
    now: Instant,
    out: &mut VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>,
    packet: impl FnOnce(u64, u32) -> RtpWrite,
) {
    layer.number += 1;
    let mut api = side.rtc.direct_api();
    let Some(stream) = api.stream_tx_by_mid(mid, layer.rid) else {
        return;
    };
    stream.write_rtp(packet(layer.number, layer.time));
    side.drain(now, out);
    let _ = side.rtc.handle_input(Input::Timeout(now));
    side.drain(now, out);
}

fn simulcast(rids: &[&str]) -> Simulcast {
    let mut simulcast = Simulcast::new();
    for rid in rids {
        simulcast.add_send_layer(SimulcastLayer::new(rid));
    }
    simulcast
}
