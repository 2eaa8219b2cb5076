//! Which simulcast layer a receiver gets: its wish, what there is, and what its way carries.

use std::time::{Duration, Instant};

/// Layers are numbered from the best: `f`, `h`, `q`. What is sent once counts as `f`.
pub(crate) const LAYERS: usize = 3;
/// What clients call them.
pub(crate) const RIDS: [&str; LAYERS] = ["f", "h", "q"];
/// What the layers of a camera take before it was measured, in bits per second.
const NOMINAL: [u64; LAYERS] = [1_500_000, 500_000, 150_000];
/// How much room there has to be for more than now, in percent of it.
const MARGIN: u64 = 120;
/// So many times what is needed is ample.
const AMPLE: u64 = 2;
/// How much of the smallest layer the way has to carry for it to stay, in percent. The estimation falls
/// below what is sent with every passing delay, and nothing at all is worse than some loss.
const KEEP: u64 = 50;
/// How long after a change there is no step up.
const HOLD: Duration = Duration::from_secs(3);
/// A step down so soon after a step up undoes it.
const UNDONE: Duration = Duration::from_secs(10);
/// Where the estimate has not fallen for so long, the next try does not wait longer, unless so many failed.
const CALM: Duration = Duration::from_secs(6);
const FAILED_CALM: u32 = 3;
/// A step up that lasted so long has proven right.
const PROVEN: Duration = Duration::from_secs(30);
/// How long the next step up waits at most, however many were undone.
const HOLD_LONGEST: Duration = Duration::from_secs(20);
/// The same where there is nothing at all, which looks frozen.
const HOLD_NOTHING: Duration = Duration::from_secs(1);

/// The layer of a rid.
pub(crate) fn of_rid(rid: Option<&str>) -> Option<usize> {
    match rid {
        None => Some(0),
        Some(rid) => RIDS.iter().position(|known| *known == rid),
    }
}

/// The nearest layer there is: the wish, else the next smaller, else the next larger.
pub(crate) fn nearest(wish: usize, present: [bool; LAYERS]) -> Option<usize> {
    (wish..LAYERS)
        .chain((0..wish).rev())
        .find(|layer| present[*layer])
}

/// Measures a bit rate.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: u64,
    since: Option<Instant>,
    rate: Option<u64>,
}

impl Meter {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Takes the measure about once a second.
    pub(crate) fn tick(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < Duration::from_secs(1) {
            return;
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = self.bytes.saturating_mul(8_000) / millis;
        // Half of the old keeps single key frames from moving the layers of everybody.
        self.rate = (rate > 0).then(|| self.rate.map_or(rate, |old| old.midpoint(rate)));
        self.bytes = 0;
        self.since = Some(now);
    }

    /// Bits per second.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.rate
    }
}

/// One stream of pictures that shares a way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Want {
    /// The layer wished for; one that there is.
    pub wish: usize,
    /// What each layer takes, in bits per second; none where it is not sent.
    pub rates: [Option<u64>; LAYERS],
    /// What it gets now: none is nothing.
    pub now: Option<usize>,
    /// When that changed.
    pub changed: Option<Instant>,
    /// Whether it is a screen, which is what is talked about.
    pub screen: bool,
}

impl Want {
    /// The layers from the wish downwards.
    fn steps(&self) -> impl DoubleEndedIterator<Item = usize> + use<'_> {
        (self.wish..LAYERS).filter(|layer| self.rates[*layer].is_some())
    }

    /// Whether there is no step up yet.
    fn is_held(&self, now: Instant, may_climb: bool) -> bool {
        let Some(changed) = self.changed else {
            return false;
        };
        let hold = if self.now.is_none() { HOLD_NOTHING } else { HOLD };
        let since = now.saturating_duration_since(changed);
        since < hold || (self.now.is_some() && !may_climb)
    }

    /// Whether it gets less than now for want of room.
    fn falls(&self, given: Option<usize>) -> bool {
        self.now.is_some_and(|layer| {
            let wished = layer >= self.wish && self.rates[layer].is_some();
            wished && given.is_none_or(|given| given > layer)
        })
    }

    /// Whether it gets more than now because there seems to be room.
    fn climbs(&self, given: Option<usize>) -> bool {
        let better = given.is_some_and(|given| self.now.is_none_or(|layer| given < layer));
        better && self.changed.is_some()
    }

    fn rate(&self, layer: usize) -> u64 {
        self.rates[layer].unwrap_or_default()
    }

    /// What the best layer takes. The wish would be too little to look for: the estimation takes the
    /// result of a probe for what there is, and would forget all room beyond the wish of the moment.
    pub(crate) fn desired(&self) -> u64 {
        self.rates.iter().flatten().copied().max().unwrap_or_default()
    }
}

/// What layers take, by measure or by guess.
pub(crate) fn rates(present: [bool; LAYERS], measured: [Option<u64>; LAYERS]) -> [Option<u64>; LAYERS] {
    let simulcast = present.iter().filter(|p| **p).count() > 1;
    std::array::from_fn(|layer| {
        present[layer].then(|| measured[layer].unwrap_or(if simulcast { NOMINAL[layer] } else { 0 }))
    })
}

/// Shares what a way carries beside audio, in bits per second: everybody the smallest layer first, then a
/// step more each in turn. In each turn screens come first, and then who has that much already, so that
/// nobody loses a layer to somebody else's climbing. Steps down are taken at once, steps up after a while and
/// with room to spare, and only where `may_climb` or where there is nothing at all.
pub(crate) fn share(budget: u64, wants: &[Want], now: Instant, may_climb: bool) -> Vec<Option<usize>> {
    let mut given: Vec<Option<usize>> = vec![None; wants.len()];
    let mut reserved = vec![0; wants.len()];
    let mut used = 0;
    loop {
        let steps = wants.iter().zip(&given).enumerate();
        let mut turn: Vec<(bool, bool, usize, usize)> = steps
            .filter_map(|(at, (want, given))| {
                let next = match given {
                    None => want.steps().next_back(),
                    Some(layer) => want.steps().rfind(|step| step < layer),
                }?;
                let is_up = want.now.is_none_or(|layer| next < layer);
                Some((!want.screen, is_up, at, next))
            })
            .collect();
        turn.sort_unstable();
        let mut more = false;
        for (_, is_up, at, next) in turn {
            let want = &wants[at];
            if is_up && want.is_held(now, may_climb) {
                continue;
            }
            let rate = want.rate(next);
            let (needed, reserve) = if is_up && want.changed.is_some() {
                let step = rate.saturating_sub(given[at].map_or(0, |layer| want.rate(layer)));
                (rate + step.saturating_mul(MARGIN - 100) / 100, rate)
            } else if given[at].is_none() && !is_up {
                let kept = rate.saturating_mul(KEEP) / 100;
                (kept, kept)
            } else {
                (rate, rate)
            };
            let others = used - reserved[at];
            if others + needed <= budget {
                used = others + reserve;
                reserved[at] = reserve;
                given[at] = Some(next);
                more = true;
            }
        }
        if !more {
            return given;
        }
    }
}

/// When more may be tried on a way. What a way carries is only known by trying, and each try that fails is a
/// moment of too much; so tries become rare where they fail.
#[derive(Debug, Default)]
pub(crate) struct Climb {
    up: Option<Instant>,
    failed: u32,
    until: Option<Instant>,
    estimate: u64,
    calm_since: Option<Instant>,
}

impl Climb {
    pub(crate) fn is_allowed(&self, now: Instant) -> bool {
        let calm = |since| now.saturating_duration_since(since) >= CALM;
        self.until.is_none_or(|until| now >= until)
            || (self.failed < FAILED_CALM && self.calm_since.is_some_and(calm))
    }

    /// Takes what the way is thought to carry, in bits per second.
    pub(crate) fn estimated(&mut self, estimate: u64, now: Instant) {
        let falls = estimate < self.estimate - self.estimate / 20;
        if falls || estimate > self.estimate {
            self.estimate = estimate;
        }
        if falls || self.calm_since.is_none() {
            self.calm_since = Some(now);
        }
    }

    /// Takes what became of a sharing.
    pub(crate) fn note(&mut self, wants: &[Want], given: &[Option<usize>], now: Instant) {
        let pairs = || wants.iter().zip(given);
        if pairs().any(|(want, given)| want.falls(*given)) {
            let recent = |since: Duration| {
                self.up
                    .is_some_and(|up| now.saturating_duration_since(up) < since)
            };
            if recent(UNDONE) {
                self.failed += 1;
                // A fall of several layers is one failure.
                self.up = None;
            } else if !recent(PROVEN) && self.is_allowed(now) {
                self.failed = 0;
            }
            let wait = HOLD.saturating_mul(1 << self.failed.min(4)).min(HOLD_LONGEST);
            self.until = Some(now + wait);
            self.calm_since = Some(now);
        } else if pairs().any(|(want, given)| want.climbs(*given)) {
            self.up = Some(now);
        }
    }
}

/// Whether there is far more room than the next step up takes, which is believed however often steps failed.
pub(crate) fn is_ample(budget: u64, wants: &[Want]) -> bool {
    let given: Vec<Option<usize>> = wants.iter().map(|want| want.now).collect();
    next_rate(wants, &given).is_some_and(|next| budget / AMPLE >= next)
}

/// What the smallest layer takes of the stream that is served first, in bits per second.
pub(crate) fn least(wants: &[Want]) -> Option<u64> {
    let first = wants
        .iter()
        .min_by_key(|want| (!want.screen, want.now.is_none()))?;
    first.steps().next_back().map(|layer| first.rate(layer))
}

/// A rate with room to spare.
pub(crate) fn with_margin(rate: u64) -> u64 {
    rate.saturating_mul(MARGIN) / 100
}

/// What the cheapest step up from what was given would take in all, with room to spare, in bits per
/// second; none where everybody has what it wishes for.
pub(crate) fn next_rate(wants: &[Want], given: &[Option<usize>]) -> Option<u64> {
    let rate = |want: &Want, layer: &Option<usize>| layer.map_or(0, |layer| want.rate(layer));
    let used: u64 = wants
        .iter()
        .zip(given)
        .map(|(want, layer)| rate(want, layer))
        .sum();
    let steps = wants.iter().zip(given).filter_map(|(want, layer)| {
        let next = want
            .steps()
            .rfind(|step| layer.is_none_or(|layer| *step < layer))?;
        Some(want.rate(next).saturating_sub(rate(want, layer)))
    });
    let cheapest = steps.min()?;
    Some((used + cheapest).saturating_mul(MARGIN) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_layer() {
        assert_eq!(nearest(2, [true, true, false]), Some(1));
        assert_eq!(nearest(0, [false, true, true]), Some(1));
        assert_eq!(nearest(1, [true, false, true]), Some(2));
        assert_eq!(nearest(1, [true, false, false]), Some(0));
        assert_eq!(nearest(0, [false; 3]), None);
    }

    fn camera(now: Option<usize>, changed: Option<Instant>) -> Want {
        Want {
            wish: 0,
            rates: [Some(1_500_000), Some(500_000), Some(150_000)],
            now,
            changed,
            screen: false,
        }
    }

    #[test]
    fn everybody_gets_something_before_one_gets_more() {
        let start = Instant::now();
        let wants = [camera(None, None), camera(None, None)];
        assert_eq!(share(320_000, &wants, start, true), [Some(2), Some(2)]);
        assert_eq!(share(700_000, &wants, start, true), [Some(1), Some(2)]);
        assert_eq!(share(160_000, &wants, start, true), [Some(2), None]);
        assert_eq!(share(5_000_000, &wants, start, true), [Some(0), Some(0)]);
    }

    #[test]
    fn up_is_slower_than_down() {
        let start = Instant::now();
        let just = [camera(Some(1), Some(start))];
        assert_eq!(
            share(9_000_000, &just, start + Duration::from_secs(1), true),
            [Some(1)]
        );
        assert_eq!(
            share(9_000_000, &just, start + Duration::from_secs(4), true),
            [Some(0)]
        );
        assert_eq!(
            share(1_550_000, &just, start + Duration::from_secs(4), true),
            [Some(1)],
            "no room to spare"
        );
        assert_eq!(share(200_000, &just, start, true), [Some(2)]);
    }

    #[test]
    fn what_is_sent_once_stays_until_half_of_it_fits() {
        let start = Instant::now();
        let only = |now| Want {
            wish: 0,
            rates: [Some(400_000), None, None],
            now,
            changed: Some(start),
            screen: false,
        };
        let later = start + Duration::from_secs(4);
        assert_eq!(share(200_000, &[only(Some(0))], later, true), [Some(0)]);
        assert_eq!(share(199_000, &[only(Some(0))], later, true), [None]);
        assert_eq!(share(470_000, &[only(None)], later, true), [None]);
        assert_eq!(share(480_000, &[only(None)], later, true), [Some(0)]);
        assert_eq!(
            share(400_000, &[only(Some(0)), only(Some(0))], later, true),
            [Some(0), Some(0)]
        );
        assert_eq!(
            share(399_000, &[only(Some(0)), only(Some(0))], later, true),
            [Some(0), None]
        );
    }

    #[test]
    fn nobody_loses_a_layer_to_another_climbing() {
        let start = Instant::now();
        let later = start + Duration::from_secs(4);
        let wants = [camera(Some(1), Some(start)), camera(Some(0), Some(start))];
        assert_eq!(share(2_100_000, &wants, later, true), [Some(1), Some(0)]);
        let mut screen = camera(Some(1), None);
        screen.screen = true;
        let wants = [camera(Some(0), Some(start)), screen];
        assert_eq!(
            share(2_100_000, &wants, later, true),
            [Some(1), Some(0)],
            "but to a screen"
        );
    }

    #[test]
    fn steps_up_that_fail_become_rare() {
        let mut now = Instant::now();
        let mut climb = Climb::default();
        let mut estimate = u64::MAX;
        let mut waits = Vec::new();
        for _ in 0..5 {
            assert!(climb.is_allowed(now));
            climb.note(&[camera(Some(1), Some(now))], &[Some(0)], now);
            now += Duration::from_secs(2);
            let fallen = [camera(Some(0), Some(now))];
            climb.note(&fallen, &[Some(1)], now);
            let from = now;
            while !climb.is_allowed(now) {
                now += Duration::from_secs(1);
                estimate -= estimate / 10;
                climb.estimated(estimate, now);
            }
            waits.push((now - from).as_secs());
            assert_eq!(
                share(9_000_000, &[camera(Some(1), Some(from))], from + HOLD, false),
                [Some(1)]
            );
            assert_eq!(
                share(9_000_000, &[camera(None, Some(from))], from + HOLD, false),
                [Some(0)],
                "nothing at all is not left as it is"
            );
        }
        assert_eq!(waits, [6, 12, 20, 20, 20]);
        climb.note(&[camera(Some(1), Some(now))], &[Some(0)], now);
        now += Duration::from_secs(40);
        climb.note(&[camera(Some(0), Some(now))], &[Some(1)], now);
        assert!(climb.is_allowed(now + HOLD), "what lasted was right");
    }

    #[test]
    fn where_the_estimate_is_calm_the_next_try_is_not_late() {
        let mut now = Instant::now();
        let mut climb = Climb::default();
        for expected in [6, 6, 20] {
            climb.note(&[camera(Some(1), Some(now))], &[Some(0)], now);
            now += Duration::from_secs(2);
            climb.note(&[camera(Some(0), Some(now))], &[Some(1)], now);
            let from = now;
            while !climb.is_allowed(now) {
                now += Duration::from_secs(1);
                climb.estimated(1_000_000, now);
            }
            assert_eq!((now - from).as_secs(), expected);
        }
    }

    #[test]
    fn the_next_step_is_the_cheapest() {
        let wants = [camera(None, None), camera(None, None)];
        assert_eq!(next_rate(&wants, &[Some(0), Some(0)]), None);
        assert_eq!(next_rate(&wants, &[Some(1), Some(2)]), Some(1_200_000));
        assert_eq!(next_rate(&wants, &[Some(2), None]), Some(360_000));
    }

    #[test]
    fn a_meter_measures() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.tick(start);
        meter.add(125_000);
        meter.tick(start + Duration::from_secs(1));
        assert_eq!(meter.rate(), Some(1_000_000));
        meter.tick(start + Duration::from_secs(2));
        assert_eq!(meter.rate(), None);
    }
}
