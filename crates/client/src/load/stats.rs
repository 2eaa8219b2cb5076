//! What is counted: while it runs, by all threads together; in the end, from what each thread kept.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::Serialize;

/// The load's own clock, and the time during which is measured.
#[derive(Debug)]
pub struct Clock {
    epoch: Instant,
    from: AtomicU64,
    until: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            from: AtomicU64::new(u64::MAX),
            until: AtomicU64::new(u64::MAX),
        }
    }
}

impl Clock {
    /// A time as nanoseconds.
    pub fn nanos(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch)
            .as_nanos()
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Measures from now on, for so long.
    pub fn measure(&self, during: Duration) {
        let from = self.nanos(Instant::now());
        let during = u64::try_from(during.as_nanos()).unwrap_or(u64::MAX);
        self.until.store(from.saturating_add(during), Relaxed);
        self.from.store(from, Relaxed);
    }

    /// 1 for what was sent while it was measured, else 0.
    pub fn counts(&self, sent: u64) -> u64 {
        u64::from(sent >= self.from.load(Relaxed) && sent < self.until.load(Relaxed))
    }
}

/// Counts while it runs.
#[derive(Debug, Default)]
pub struct Live {
    /// Participants that came in.
    pub joined: AtomicU64,
    /// Participants that have all they are to have.
    pub ready: AtomicU64,
    /// Participants that did not come in.
    pub failed: AtomicU64,
    /// Participants that were inside and were lost.
    pub lost: AtomicU64,
    /// Packets received.
    pub received: AtomicU64,
    /// Bytes of their payloads.
    pub received_bytes: AtomicU64,
}

/// Times, in microseconds.
#[derive(Debug)]
pub struct Times(Option<Histogram<u64>>);

impl Default for Times {
    fn default() -> Self {
        // A microsecond to two minutes, to three digits; these bounds are always taken.
        Self(Histogram::new_with_bounds(1, 120_000_000, 3).ok())
    }
}

impl Times {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(micros.max(1));
        }
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        if let (Some(histogram), Some(other)) = (&mut self.0, &other.0) {
            // Both have the same bounds.
            let _ = histogram.add(other);
        }
    }

    /// How they are spread.
    #[expect(clippy::cast_precision_loss)]
    pub fn spread(&self) -> Spread {
        let Some(histogram) = &self.0 else {
            return Spread::default();
        };
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        if histogram.is_empty() {
            return Spread::default();
        }
        Spread {
            count: histogram.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p99_9_ms: at(0.999),
            max_ms: histogram.max() as f64 / 1_000.0,
        }
    }
}

/// How times are spread, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are; all else is 0 without any.
    pub count: u64,
    /// Half of them are not longer.
    pub p50_ms: f64,
    /// 99 % of them are not longer.
    pub p99_ms: f64,
    /// 99.9 % of them are not longer.
    pub p99_9_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// What one thread kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// From the first byte to being inside, with both connections up.
    pub joins: Times,
    /// From the first byte to the first packet of media.
    pub first_packets: Times,
    /// From the writing of a packet to its reading.
    pub delays: Times,
    /// How late packets were sent: what the load itself adds.
    pub lag: Duration,
    /// What was sent while it was measured.
    pub sent: Vec<SentTrack>,
    /// Bytes of their payloads.
    pub sent_bytes: u64,
    /// What was received.
    pub subscriptions: Vec<Received>,
    /// Who was inside until the end and receives, by meeting.
    pub receivers: HashMap<usize, u64>,
    /// Key frames that the server asked for.
    pub key_frame_requests: u64,
    /// What went wrong, each text once, and how often.
    pub errors: HashMap<String, u64>,
}

impl Kept {
    /// Notes what went wrong.
    pub fn error(&mut self, error: impl std::fmt::Display) {
        *self.errors.entry(error.to_string()).or_default() += 1;
    }

    /// Takes in what another thread kept.
    pub fn merge(&mut self, other: Self) {
        self.joins.merge(&other.joins);
        self.first_packets.merge(&other.first_packets);
        self.delays.merge(&other.delays);
        self.lag = self.lag.max(other.lag);
        self.sent.extend(other.sent);
        self.sent_bytes += other.sent_bytes;
        self.subscriptions.extend(other.subscriptions);
        self.key_frame_requests += other.key_frame_requests;
        for (meeting, count) in other.receivers {
            *self.receivers.entry(meeting).or_default() += count;
        }
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }
}

/// What was sent on one track while it was measured.
#[derive(Debug, Clone, Copy)]
pub struct SentTrack {
    /// The meeting's place in the plan.
    pub meeting: usize,
    /// Packets.
    pub packets: u64,
    /// Whether its sender is among the receivers of the meeting, who does not get what it sends.
    pub own: bool,
}

/// What one participant received of one track while it was measured.
#[derive(Debug, Default, Clone, Copy)]
pub struct Received {
    /// Packets.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Those among them that came after a later one.
    pub late: u64,
    /// The first and the last number.
    pub numbers: Option<(u64, u64)>,
    /// How often the layer became another.
    pub switches: u64,
    /// The layer of the last packet.
    pub layer: Option<u8>,
}

impl Received {
    /// Counts a packet.
    pub fn add(&mut self, number: u64, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        self.late += u64::from(self.numbers.is_some_and(|(_, last)| number < last));
        self.numbers = Some(self.numbers.map_or((number, number), |(first, last)| {
            (first.min(number), last.max(number))
        }));
    }

    /// How many packets there were by the numbers.
    pub fn numbered(&self) -> u64 {
        self.numbers.map_or(0, |(first, last)| last - first + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_seen() {
        let mut received = Received::default();
        for number in [10, 11, 13, 12, 16] {
            received.add(number, 100);
        }
        assert_eq!((received.packets, received.late, received.numbered()), (5, 1, 7));
        assert_eq!(Received::default().numbered(), 0);
    }

    #[test]
    fn only_what_is_sent_within_counts() {
        let clock = Clock::default();
        assert_eq!(clock.counts(clock.nanos(Instant::now())), 0);
        clock.measure(Duration::from_secs(60));
        let now = clock.nanos(Instant::now());
        assert_eq!(clock.counts(now), 1);
        assert_eq!(clock.counts(now + 61_000_000_000), 0);
    }

    #[test]
    fn times_are_spread() {
        let mut times = Times::default();
        assert_eq!(times.spread(), Spread::default());
        for millis in 1..=100 {
            times.add(Duration::from_millis(millis));
        }
        let spread = times.spread();
        assert_eq!(spread.count, 100);
        assert!((spread.p50_ms - 50.0).abs() < 0.1 && (spread.p99_ms - 99.0).abs() < 0.1);
    }
}
