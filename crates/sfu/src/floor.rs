//! The least of pictures that is kept on a way, whatever its estimate says.
//!
//! The estimation takes every delay for want of room. A receiver that is busy, or whose way loses packets at
//! random, seems to have none; without pictures there is then only sound to measure by, and the estimate
//! stays where it is. So the smallest layer of one stream goes on until it is seen to do harm: more is
//! lost, or packets are later, than without it. Where it did it is tried again, ever more rarely.

use std::time::{Duration, Instant};

/// Pictures that take more than this, in bits per second, and cannot be had smaller, do much harm where there
/// is no room for them. Once they did they are seldom tried without the estimate having room for them.
const SMALL: u64 = 300_000;
/// The part of packets whose loss more than before is put down to the pictures, and what it grows by where
/// packets are lost without pictures, too.
const LOSS: f32 = 0.1;
const LOSS_SPREAD: f32 = 0.6;
/// So much more round trip is put down to the pictures.
const DELAY: Duration = Duration::from_millis(500);
/// A queue on the way that is full makes packets late and loses some: so much more of both is harm, too.
const CROWDED_LOSS: f32 = 0.075;
const CROWDED_DELAY: Duration = Duration::from_millis(220);
/// A way on which so much is lost without pictures loses packets at random.
const LOSSY: f32 = 0.04;
/// A round trip shorter than half of what it was, and this, is that of another way.
const SHORTER: Duration = Duration::from_millis(50);
/// So much more loss than usual is flagrant: with what is large it is believed at once.
const FLAGRANT: f32 = 0.4;
/// How long after a measure the next one is taken, except for harm that is believed at once.
const INTERVAL: Duration = Duration::from_millis(950);
/// How often in a row it is seen before it is believed.
const BELIEVED: u32 = 2;
/// After so long what is measured is measured without pictures.
const CLEARED: Duration = Duration::from_millis(1_100);
/// How long after harm it is tried again, doubled with each time, and at most.
const RETRY: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Harm so long after a try does not come from it.
const PROVEN: Duration = Duration::from_secs(30);
/// How often it is probed meanwhile.
const PROBE: Duration = Duration::from_secs(3);
/// How long the estimation has to find out by itself before it is started anew, doubled up to the most
/// where that does not help.
const LIFT: Duration = Duration::from_secs(2);
const LIFT_MAX: Duration = Duration::from_secs(30);
/// Where the estimate was good for so long, lifting is quick again.
const CALM: Duration = Duration::from_secs(5);

/// What a way showed during the last second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// The part of the packets that was reported lost.
    pub loss: Option<f32>,
    pub round_trip: Option<Duration>,
}

/// The least of pictures on a way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Least {
    /// What it takes, in bits per second.
    pub rate: u64,
    /// Whether there are pictures now.
    pub flows: bool,
    /// Whether the estimate has room for it, so that nothing is kept in spite of it.
    pub vouched: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Floor {
    /// When what was seen was taken.
    noted: Option<Instant>,
    /// Since when there have been no pictures because they did harm.
    off: Option<Instant>,
    /// Since when there have been some.
    on: Option<Instant>,
    /// What was lost of late with pictures.
    lost: Option<f32>,
    bad: u32,
    failed: u32,
    /// What the way is like without pictures, as far as known.
    base: Sample,
    /// What its round trip was without pictures when they did harm.
    usual: Option<Duration>,
    probed: Option<Instant>,
    lifted: Option<Instant>,
    lifts: u32,
    /// Since when the estimate has not been too low.
    enough: Option<Instant>,
}

/// Old and new in equal parts, as far as there are any.
fn mean(old: Option<f32>, new: Option<f32>) -> Option<f32> {
    old.zip(new)
        .map(|(old, new)| f32::midpoint(old, new))
        .or(new)
        .or(old)
}

impl Floor {
    /// Whether the smallest layer goes on, or is to be tried.
    pub(crate) fn holds(&self) -> bool {
        self.off.is_none()
    }

    /// `sample` has the mean of the losses of late: there are few packets in a second.
    fn is_harm(&self, sample: Sample) -> bool {
        let usual = self.base.loss.unwrap_or_default();
        let lost = |more: f32| {
            let loss = sample.loss;
            loss.is_some_and(|loss| loss > usual + more + usual * LOSS_SPREAD)
        };
        let late = |more: Duration| {
            let round_trips = self.base.round_trip.zip(sample.round_trip);
            round_trips.is_some_and(|(usual, now)| now > usual + more)
        };
        lost(LOSS) || late(DELAY) || (lost(CROWDED_LOSS) && late(CROWDED_DELAY))
    }

    /// Whether a way is worse than usual in this moment.
    pub(crate) fn suffers(&self, sample: Sample) -> bool {
        self.is_harm(sample)
    }

    /// Takes what was seen of the last second, as often as that is. Whether something changed.
    pub(crate) fn look(&mut self, now: Instant, sample: Sample, least: Least) -> bool {
        let since = self.noted.map(|at| now.saturating_duration_since(at));
        if since.is_none_or(|since| since >= INTERVAL) {
            self.noted = Some(now);
            return self.note(now, sample, least);
        }
        if self.off.is_some() || !least.flows || least.vouched {
            return false;
        }
        let usual = self.base.loss.unwrap_or_default();
        let flagrant = least.rate > SMALL && sample.loss.is_some_and(|loss| loss > usual + FLAGRANT);
        let ends = flagrant || (self.is_known() && self.is_harm(sample));
        if ends {
            self.noted = Some(now);
            self.fall(now);
        }
        ends
    }

    /// Whether it did harm more than once, on a way that does not lose packets anyway.
    fn is_known(&self) -> bool {
        self.failed >= 2 && self.base.loss.is_none_or(|loss| loss <= LOSSY)
    }

    /// Ends the pictures, which did harm.
    fn fall(&mut self, now: Instant) {
        let on = *self.on.get_or_insert(now);
        let proven = now.saturating_duration_since(on) >= PROVEN;
        self.bad = 0;
        self.failed = if proven { 1 } else { self.failed.saturating_add(1) };
        self.lost = None;
        self.usual = self.base.round_trip;
        self.off = Some(now);
    }

    /// Takes what was seen: about once a second. Whether something changed.
    fn note(&mut self, now: Instant, sample: Sample, least: Least) -> bool {
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        if let Some(off) = since(self.off) {
            if least.vouched {
                self.off = None;
                return true;
            }
            if off < CLEARED {
                return false;
            }
            let harmless = !self.is_harm(sample);
            self.base.loss = mean(self.base.loss, sample.loss);
            self.base.round_trip = sample.round_trip.or(self.base.round_trip);
            // It is as bad without them. Later on it may be the doing of probes.
            let blameless = self.failed <= 1 && !harmless && off < PROBE;
            let wait = if least.rate <= SMALL {
                RETRY.saturating_mul(1 << self.failed.saturating_sub(1).min(5))
            } else {
                RETRY_MAX
            };
            // It is another way now.
            let changed = self.usual.zip(sample.round_trip);
            let changed = changed.is_some_and(|(usual, now)| now + SHORTER < usual / 2);
            if changed {
                self.failed = 0;
                self.base = sample;
            }
            if changed || blameless || off >= wait.min(RETRY_MAX) {
                self.off = None;
                self.on = None;
                self.bad = 0;
                return true;
            }
            return false;
        }
        if !least.flows || least.vouched {
            self.bad = 0;
            self.lost = None;
            if !least.flows {
                self.on = None;
            }
            let round_trips = self.base.round_trip.into_iter().chain(sample.round_trip);
            self.base.round_trip = round_trips.min();
            return false;
        }
        let on = *self.on.get_or_insert(now);
        let proven = now.saturating_duration_since(on) >= PROVEN;
        self.lost = mean(self.lost, sample.loss);
        let of_late = Sample {
            loss: self.lost,
            ..sample
        };
        if !self.is_harm(of_late) {
            self.bad = 0;
            if proven {
                self.failed = 0;
            }
            return false;
        }
        self.bad += 1;
        // What was tried before and did harm is given up at once.
        if self.bad < BELIEVED && !self.is_known() {
            return false;
        }
        self.fall(now);
        true
    }

    /// Whether it is to be looked by a short probe, while there are no pictures, for whether there is room again.
    pub(crate) fn probes(&mut self, now: Instant) -> bool {
        let Some(off) = self.off else { return false };
        let last = self.probed.map_or(off, |probed| probed.max(off));
        let due = now.saturating_duration_since(last) >= PROBE;
        if due {
            self.probed = Some(now);
        }
        due
    }

    /// Whether the estimation is to be started anew, as it is not good for what is needed.
    pub(crate) fn lifts(&mut self, now: Instant, is_enough: bool) -> bool {
        if is_enough {
            let since = *self.enough.get_or_insert(now);
            if now.saturating_duration_since(since) >= CALM {
                self.lifts = 0;
            }
            return false;
        }
        self.enough = None;
        let wait = LIFT.saturating_mul(1 << self.lifts.min(5)).min(LIFT_MAX);
        let waits = self.lifts > 0
            && self
                .lifted
                .is_some_and(|at| now.saturating_duration_since(at) < wait);
        if waits {
            return false;
        }
        self.lifted = Some(now);
        self.lifts = self.lifts.saturating_add(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(loss: f32, millis: u64) -> Sample {
        Sample {
            loss: Some(loss),
            round_trip: Some(Duration::from_millis(millis)),
        }
    }

    fn least(flows: bool, vouched: bool) -> Least {
        Least {
            rate: SMALL,
            flows,
            vouched,
        }
    }

    /// For how long there are no pictures, where packets are lost `with` them and `without`; `None` where it goes on.
    fn pause(floor: &mut Floor, now: &mut Instant, with: Sample, without: Sample) -> Option<u64> {
        let second = Duration::from_secs(1);
        for _ in 0..5 {
            *now += second;
            floor.note(*now, with, least(true, false));
            if !floor.holds() {
                let from = *now;
                while !floor.holds() {
                    *now += second;
                    floor.note(*now, without, least(false, false));
                }
                return Some((*now - from).as_secs());
            }
        }
        None
    }

    #[test]
    fn what_does_harm_is_tried_ever_more_rarely() {
        let mut now = Instant::now();
        for with in [sample(0.3, 50), sample(0.0, 900)] {
            let mut floor = Floor::default();
            floor.note(now, sample(0.0, 50), least(true, true));
            let mut next = || pause(&mut floor, &mut now, with, sample(0.0, 50));
            let pauses: Vec<_> = std::iter::repeat_with(&mut next).take(7).flatten().collect();
            assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        }
    }

    #[test]
    fn what_is_large_is_seldom_tried_again() {
        let mut now = Instant::now();
        let mut floor = Floor::default();
        let large = |flows, vouched| Least {
            rate: SMALL + 1,
            ..least(flows, vouched)
        };
        floor.note(now, sample(0.0, 50), large(true, true));
        while floor.holds() {
            now += Duration::from_secs(1);
            floor.note(now, sample(0.3, 50), large(true, false));
        }
        now += RETRY_MAX.saturating_sub(Duration::from_secs(1));
        assert!(!floor.note(now, sample(0.0, 50), large(false, false)));
        now += Duration::from_secs(1);
        assert!(floor.note(now, sample(0.0, 50), large(false, false)) && floor.holds());
    }

    #[test]
    fn flagrant_harm_of_what_is_large_is_believed_at_once() {
        for (rate, loss, ends) in [
            (SMALL + 1, 0.5, true),
            (SMALL + 1, 0.3, false),
            (SMALL, 0.5, false),
        ] {
            let mut now = Instant::now();
            let mut floor = Floor::default();
            let of = |flows, vouched| Least {
                rate,
                ..least(flows, vouched)
            };
            floor.look(now, sample(0.0, 50), of(true, true));
            now += INTERVAL / 4;
            assert!(
                !floor.look(now, sample(loss, 50), of(true, true)),
                "the estimate has room"
            );
            now += INTERVAL / 4;
            let changed = floor.look(now, sample(loss, 50), of(true, false));
            assert_eq!((changed, !floor.holds()), (ends, ends), "{rate} {loss}");
        }
    }

    #[test]
    fn known_harm_is_believed_at_once() {
        let mut now = Instant::now();
        let mut floor = Floor::default();
        floor.look(now, sample(0.0, 50), least(true, true));
        for known in [false, false, true] {
            now += INTERVAL / 4;
            let at_once = floor.look(now, sample(0.2, 50), least(true, false));
            assert_eq!(at_once, known);
            while floor.holds() {
                now += INTERVAL;
                floor.look(now, sample(0.2, 50), least(true, false));
            }
            while !floor.holds() {
                now += INTERVAL;
                floor.look(now, sample(0.0, 50), least(false, false));
            }
        }
    }

    #[test]
    fn what_probes_do_later_does_not_acquit() {
        let mut now = Instant::now();
        let mut floor = Floor::default();
        let large = |flows| Least {
            rate: SMALL + 1,
            ..least(flows, false)
        };
        while floor.holds() {
            now += Duration::from_secs(1);
            floor.note(now, sample(0.5, 50), large(true));
        }
        for second in 1..60 {
            now += Duration::from_secs(1);
            let loss = if second < 3 { 0.0 } else { 0.2 };
            floor.note(now, sample(loss, 50), large(false));
            assert!(!floor.holds(), "{second}");
        }
    }

    #[test]
    fn what_is_as_bad_without_pictures_is_not_their_doing() {
        let mut now = Instant::now();
        let mut floor = Floor::default();
        let bad = sample(0.2, 300);
        assert_eq!(pause(&mut floor, &mut now, bad, bad), Some(2));
        assert_eq!(pause(&mut floor, &mut now, bad, bad), None);
    }

    #[test]
    fn a_way_that_became_shorter_is_tried_at_once() {
        let mut now = Instant::now();
        let mut floor = Floor::default();
        for (away, expected) in [(400, 2), (400, 4), (40, 2), (40, 2)] {
            let pause = pause(&mut floor, &mut now, sample(0.5, 400), sample(0.0, away));
            assert_eq!(pause, Some(expected));
        }
    }

    #[test]
    fn what_fills_a_queue_does_harm() {
        let mut now = Instant::now();
        for (with, expected) in [
            (sample(0.09, 300), Some(2)),
            (sample(0.09, 200), None),
            (sample(0.05, 300), None),
        ] {
            let mut floor = Floor::default();
            floor.note(now, sample(0.0, 50), least(true, true));
            let pause = pause(&mut floor, &mut now, with, sample(0.0, 50));
            assert_eq!(pause, expected, "{with:?}");
        }
    }

    #[test]
    fn nothing_lost_is_no_harm() {
        let mut now = Instant::now();
        let mut floor = Floor::default();
        floor.note(now, sample(0.0, 50), least(true, true));
        assert_eq!(
            pause(&mut floor, &mut now, sample(0.0, 450), sample(0.0, 50)),
            None
        );
    }

    #[test]
    fn lifting_that_does_not_help_becomes_rare() {
        let mut floor = Floor::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let lifts: Vec<u64> = (0..40).filter(|second| floor.lifts(at(*second), false)).collect();
        assert_eq!(lifts, [0, 4, 12, 28]);
        assert!(!floor.lifts(at(40), true) && !floor.lifts(at(45), true));
        assert!(floor.lifts(at(46), false), "calm");
    }
}
