//! One outgoing stream made from several incoming ones: numbers, times and picture ids go on without a
//! gap when the layer changes or a pause ends.

use std::time::Instant;

use crate::codec::Descriptor;

/// Where the numbers of each outgoing stream begin: well below 65536, since a receiver takes the
/// roll-over counter of SRTP (RFC 3711) to be 0 at first.
const FIRST: u64 = 1_000;
/// The least step of time between layers, in ticks.
const STEP: u32 = 90;

/// Which incoming stream: the layer, and how often that began anew.
pub(crate) type Source = (usize, u32);

/// What of a packet is rewritten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    pub source: Source,
    /// The number without gaps.
    pub number: u64,
    /// Whether a later packet came before.
    pub late: bool,
    /// RTP time, in ticks of the codec's clock.
    pub time: u32,
    /// When it was captured, on our clock.
    pub captured: Instant,
    /// None for audio and empty packets.
    pub descriptor: Option<Descriptor>,
}

/// What it is rewritten to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub number: u64,
    pub time: u32,
    pub picture_id: Option<u16>,
    pub tl0_picture_index: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    source: Source,
    number: u64,
    out: u64,
    time_shift: u32,
    picture_shift: u16,
    tl0_shift: u8,
}

/// The state of one outgoing stream.
#[derive(Debug)]
pub(crate) struct Rewriter {
    clock_rate: u32,
    anchor: Option<Anchor>,
    next: u64,
    last: Option<(u32, Instant)>,
    last_picture: Option<u16>,
    last_tl0: Option<u8>,
}

impl Rewriter {
    pub(crate) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            anchor: None,
            next: FIRST,
            last: None,
            last_picture: None,
            last_tl0: None,
        }
    }

    /// What is forwarded now.
    pub(crate) fn source(&self) -> Option<Source> {
        self.anchor.map(|anchor| anchor.source)
    }

    /// Forwards nothing until [`Rewriter::attach`].
    pub(crate) fn detach(&mut self) {
        self.anchor = None;
    }

    /// Goes on with this packet's stream, from this packet.
    pub(crate) fn attach(&mut self, packet: &Incoming) {
        let time_shift = self.last.map_or(0, |(time, captured)| {
            let elapsed = packet.captured.saturating_duration_since(captured);
            let ticks = elapsed.as_micros() * u128::from(self.clock_rate) / 1_000_000;
            // RTP time wraps.
            #[expect(clippy::cast_possible_truncation)]
            let ticks = (ticks as u32).max(STEP);
            time.wrapping_add(ticks).wrapping_sub(packet.time)
        });
        let descriptor = packet.descriptor;
        let picture = descriptor.and_then(|d| d.picture_id).map(|(id, _)| id);
        let picture_shift = match (self.last_picture, picture) {
            (Some(last), Some(id)) => last.wrapping_add(1).wrapping_sub(id),
            _ => 0,
        };
        let tl0_shift = match (self.last_tl0, descriptor.and_then(|d| d.tl0_picture_index)) {
            (Some(last), Some(index)) => last.wrapping_add(1).wrapping_sub(index),
            _ => 0,
        };
        self.anchor = Some(Anchor {
            source: packet.source,
            number: packet.number,
            out: self.next,
            time_shift,
            picture_shift,
            tl0_shift,
        });
    }

    /// Rewrites a packet of the stream that is forwarded; none for others and for packets from before.
    pub(crate) fn rewrite(&mut self, packet: &Incoming) -> Option<Outgoing> {
        let anchor = self.anchor.filter(|anchor| anchor.source == packet.source)?;
        let number = anchor.out + packet.number.checked_sub(anchor.number)?;
        let time = packet.time.wrapping_add(anchor.time_shift);
        let picture = packet.descriptor.and_then(|d| d.picture_id).map(|(id, bits)| {
            let mask = if bits == 7 { 0x7f } else { 0x7fff };
            id.wrapping_add(anchor.picture_shift) & mask
        });
        let tl0 = packet.descriptor.and_then(|d| d.tl0_picture_index);
        let tl0 = tl0.map(|index| index.wrapping_add(anchor.tl0_shift));
        if number >= self.next {
            self.next = number + 1;
            self.last = Some((time, packet.captured));
            self.last_picture = picture.or(self.last_picture);
            self.last_tl0 = tl0.or(self.last_tl0);
        }
        Some(Outgoing {
            number,
            time,
            picture_id: picture,
            tl0_picture_index: tl0,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::codec::Start;

    fn packet(source: Source, number: u64, time: u32, captured: Instant, picture: u16) -> Incoming {
        Incoming {
            source,
            number,
            late: false,
            time,
            captured,
            descriptor: Some(Descriptor {
                start: Start::Whole,
                picture_id: Some((picture, 15)),
                tl0_picture_index: Some(0),
            }),
        }
    }

    #[test]
    fn a_switch_leaves_no_gap() {
        let start = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        let first = packet((0, 0), 70_000, 4_000_000_000, start, 0x7fff);
        rewriter.attach(&first);
        let out = rewriter.rewrite(&first).unwrap();
        assert_eq!((out.number, out.picture_id), (FIRST, Some(0x7fff)));
        let other = packet((1, 0), 5, 77, start + Duration::from_millis(100), 3);
        assert_eq!(rewriter.rewrite(&other), None);
        rewriter.attach(&other);
        let switched = rewriter.rewrite(&other).unwrap();
        assert_eq!(switched.number, FIRST + 1);
        assert_eq!(switched.time, out.time.wrapping_add(9_000));
        assert_eq!(switched.picture_id, Some(0));
        assert_eq!(switched.tl0_picture_index, out.tl0_picture_index.map(|i| i + 1));
        assert_eq!(
            rewriter.rewrite(&packet((1, 0), 4, 70, start, 2)),
            None,
            "from before the switch"
        );
    }

    #[test]
    fn time_never_stands_still() {
        let start = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        let first = packet((0, 0), 1, 10, start, 1);
        rewriter.attach(&first);
        let out = rewriter.rewrite(&first).unwrap();
        let same = packet((2, 0), 9, 999, start, 1);
        rewriter.attach(&same);
        assert_eq!(rewriter.rewrite(&same).unwrap().time, out.time + STEP);
    }
}
