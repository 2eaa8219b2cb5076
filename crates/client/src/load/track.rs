//! Something that a publisher sends: when the next packet is due, and what it holds.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use str0m::{
    format::Codec,
    media::{ExtensionValues, MediaKind, Mid, Rid},
    rtp::RtpWrite,
};

use super::{
    profile::{Audio, Profile, Video},
    stats::Clock,
};
use crate::{
    payload::{self, Picture, Stamp},
    transport::Transport,
};

/// Who is behind by more leaves frames out rather than to send them in one burst.
const BEHIND: Duration = Duration::from_millis(500);
/// The first number of a stream; far enough from the end of 16 bits.
const FIRST_NUMBER: u64 = 1_000;
/// How loud the sound is, in decibels below the loudest.
const LEVEL: i8 = -30;

/// What was sent at once.
#[derive(Debug, Default, Clone, Copy)]
pub struct Sent {
    /// Packets.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// How late the latest of them was.
    pub late: Duration,
}

/// Something that is sent.
#[derive(Debug)]
pub struct Track {
    /// Its section.
    pub mid: Mid,
    /// A number that no other track of the load has.
    pub number: u32,
    /// Whether it is a picture.
    pub video: bool,
    source: Source,
    streams: Vec<Stream>,
    /// When the next frame is due.
    next: Instant,
    /// Packets of frames that are due already.
    queue: VecDeque<Planned>,
    born: Instant,
}

#[derive(Debug)]
enum Source {
    Audio(Audio),
    Video(Video),
}

#[derive(Debug)]
struct Stream {
    rid: Option<Rid>,
    number: u64,
    picture: u16,
    until_key: u64,
}

#[derive(Debug)]
struct Planned {
    due: Instant,
    stream: usize,
    time: u32,
    size: usize,
    last: bool,
    picture: Option<Picture>,
}

impl Track {
    /// What a profile has of a kind, from now on. Tracks begin at different times within an interval.
    pub fn new(profile: &Profile, kind: MediaKind, mid: Mid, number: u32, now: Instant) -> Option<Self> {
        let (source, rids) = match kind {
            MediaKind::Audio => (Source::Audio(profile.audio.clone()?), Vec::new()),
            MediaKind::Video => {
                let video = profile.video.clone()?;
                let rids = video.rids();
                (Source::Video(video), rids)
            }
        };
        let stream = |rid: Option<&str>| Stream {
            rid: rid.map(Rid::from),
            number: FIRST_NUMBER,
            picture: 0,
            until_key: 0,
        };
        let streams = if rids.is_empty() {
            vec![stream(None)]
        } else {
            rids.into_iter().map(|rid| stream(Some(rid))).collect()
        };
        let interval = source.interval();
        let first = now + interval.mul_f64((f64::from(number) * 0.618_034).fract());
        Some(Self {
            mid,
            number,
            video: kind.is_video(),
            source,
            streams,
            next: first,
            queue: VecDeque::new(),
            born: now,
        })
    }

    /// Makes the next frame of a layer a key frame.
    pub fn want_key_frame(&mut self, rid: Option<Rid>) {
        for stream in self.streams.iter_mut().filter(|stream| stream.rid == rid) {
            stream.until_key = 0;
        }
    }

    /// When the next packet is due.
    pub fn due(&self) -> Instant {
        self.queue
            .front()
            .map_or(self.next, |planned| planned.due.min(self.next))
    }

    /// Sends what is due.
    pub fn send(&mut self, transport: &mut Transport, now: Instant, clock: &Clock) -> Sent {
        let mut sent = Sent::default();
        let codec = if self.video { Codec::Vp8 } else { Codec::Opus };
        let Some(pt) = transport.payload_type(codec) else {
            return sent;
        };
        if now.saturating_duration_since(self.next) > BEHIND {
            sent.late = now - self.next;
            self.next = now;
        }
        while self.next <= now {
            self.plan();
        }
        while let Some(planned) = self.queue.pop_front_if(|planned| planned.due <= now) {
            let stream = &mut self.streams[planned.stream];
            stream.number += 1;
            let written = Instant::now();
            let stamp = Stamp {
                track: self.number,
                layer: stream.rid.map_or(b'-', |rid| rid.as_bytes()[0]),
                sent: clock.nanos(written),
            };
            let payload = match planned.picture {
                Some(picture) => payload::video(picture, stamp, planned.size),
                None => payload::audio(stamp, planned.size),
            };
            let extensions = ExtensionValues {
                audio_level: (!self.video).then_some(LEVEL),
                voice_activity: (!self.video).then_some(true),
                ..ExtensionValues::default()
            };
            let bytes = payload.len() as u64;
            let packet = RtpWrite::new(pt, stream.number.into(), planned.time, written, payload)
                .marker(planned.last)
                .ext_vals(extensions)
                .nackable(self.video);
            if transport.write(self.mid, stream.rid, packet, written) {
                sent.packets += clock.counts(stamp.sent);
                sent.bytes += bytes * clock.counts(stamp.sent);
                sent.late = sent.late.max(written.saturating_duration_since(planned.due));
            }
        }
        sent
    }

    /// Cuts the next frame of each layer into packets.
    fn plan(&mut self) {
        let due = self.next;
        self.next += self.source.interval();
        let video = match &self.source {
            Source::Audio(audio) => {
                self.queue.push_back(Planned {
                    due,
                    stream: 0,
                    time: ticks(due - self.born, 48_000),
                    size: audio.size(),
                    last: false,
                    picture: None,
                });
                return;
            }
            Source::Video(video) => video,
        };
        // What a key frame left behind goes first.
        let mut at = self.queue.back().map_or(due, |last| last.due.max(due));
        let count: usize = self
            .streams
            .iter()
            .map(|stream| video.cut(stream.rid.as_deref(), false).packets)
            .sum();
        #[expect(clippy::cast_precision_loss)]
        let step = video.interval().div_f64((video.pacing * count as f64).max(1.0));
        for (place, stream) in self.streams.iter_mut().enumerate() {
            let key = stream.until_key == 0;
            stream.until_key = if key {
                video.key_frame_every()
            } else {
                stream.until_key - 1
            };
            stream.picture = stream.picture.wrapping_add(1) & 0x7fff;
            let cut = video.cut(stream.rid.as_deref(), key);
            for part in 0..cut.packets {
                self.queue.push_back(Planned {
                    due: at,
                    stream: place,
                    time: ticks(due - self.born, 90_000),
                    size: cut.size,
                    last: part + 1 == cut.packets,
                    picture: Some(Picture {
                        id: stream.picture,
                        key,
                        first: part == 0,
                    }),
                });
                at += step;
            }
        }
    }
}

impl Source {
    fn interval(&self) -> Duration {
        match self {
            Self::Audio(audio) => audio.interval,
            Self::Video(video) => video.interval(),
        }
    }
}

/// RTP time; it wraps.
#[expect(clippy::cast_possible_truncation)]
fn ticks(since: Duration, rate: u128) -> u32 {
    (since.as_nanos() * rate / 1_000_000_000) as u32
}
