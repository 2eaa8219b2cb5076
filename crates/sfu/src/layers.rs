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
/// How much of the smallest layer the way has to carry for it to stay, in percent. The estimation falls
/// below what is sent with every passing delay, and nothing at all is worse than some loss.
const KEEP: u64 = 50;
/// How long after a change there is no step up.
const HOLD: Duration = Duration::from_secs(3);
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
}

impl Want {
    /// The layers from the wish downwards.
    fn steps(&self) -> impl DoubleEndedIterator<Item = usize> + use<'_> {
        (self.wish..LAYERS).filter(|layer| self.rates[*layer].is_some())
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

/// Shares what a way carries beside audio, in bits per second: everybody the smallest layer first, in the
/// order given, then a step more each in turn. Steps down are taken at once, steps up after a while and
/// with room to spare.
pub(crate) fn share(budget: u64, wants: &[Want], now: Instant) -> Vec<Option<usize>> {
    let mut given: Vec<Option<usize>> = vec![None; wants.len()];
    let mut reserved = vec![0; wants.len()];
    let mut used = 0;
    loop {
        let mut more = false;
        for ((want, given), reserved) in wants.iter().zip(&mut given).zip(&mut reserved) {
            let next = match given {
                None => want.steps().next_back(),
                Some(layer) => want.steps().rfind(|step| step < layer),
            };
            let Some(next) = next else { continue };
            let is_up = want.now.is_none_or(|layer| next < layer);
            let hold = if want.now.is_none() { HOLD_NOTHING } else { HOLD };
            let held = is_up
                && want
                    .changed
                    .is_some_and(|at| now.saturating_duration_since(at) < hold);
            let rate = want.rate(next);
            let (needed, reserve) = if is_up && want.changed.is_some() {
                let step = rate.saturating_sub(given.map_or(0, |layer| want.rate(layer)));
                (rate + step.saturating_mul(MARGIN - 100) / 100, rate)
            } else if given.is_none() && !is_up {
                let kept = rate.saturating_mul(KEEP) / 100;
                (kept, kept)
            } else {
                (rate, rate)
            };
            let others = used - *reserved;
            if !held && others + needed <= budget {
                used = others + reserve;
                *reserved = reserve;
                *given = Some(next);
                more = true;
            }
        }
        if !more {
            return given;
        }
    }
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
        }
    }

    #[test]
    fn everybody_gets_something_before_one_gets_more() {
        let start = Instant::now();
        let wants = [camera(None, None), camera(None, None)];
        assert_eq!(share(320_000, &wants, start), [Some(2), Some(2)]);
        assert_eq!(share(700_000, &wants, start), [Some(1), Some(2)]);
        assert_eq!(share(160_000, &wants, start), [Some(2), None]);
        assert_eq!(share(5_000_000, &wants, start), [Some(0), Some(0)]);
    }

    #[test]
    fn up_is_slower_than_down() {
        let start = Instant::now();
        let just = [camera(Some(1), Some(start))];
        assert_eq!(share(9_000_000, &just, start + Duration::from_secs(1)), [Some(1)]);
        assert_eq!(share(9_000_000, &just, start + Duration::from_secs(4)), [Some(0)]);
        assert_eq!(
            share(1_550_000, &just, start + Duration::from_secs(4)),
            [Some(1)],
            "no room to spare"
        );
        assert_eq!(share(200_000, &just, start), [Some(2)]);
    }

    #[test]
    fn what_is_sent_once_stays_until_half_of_it_fits() {
        let start = Instant::now();
        let only = |now| Want {
            wish: 0,
            rates: [Some(400_000), None, None],
            now,
            changed: Some(start),
        };
        let later = start + Duration::from_secs(4);
        assert_eq!(share(200_000, &[only(Some(0))], later), [Some(0)]);
        assert_eq!(share(199_000, &[only(Some(0))], later), [None]);
        assert_eq!(share(470_000, &[only(None)], later), [None]);
        assert_eq!(share(480_000, &[only(None)], later), [Some(0)]);
        assert_eq!(
            share(400_000, &[only(Some(0)), only(Some(0))], later),
            [Some(0), Some(0)]
        );
        assert_eq!(
            share(399_000, &[only(Some(0)), only(Some(0))], later),
            [Some(0), None]
        );
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
