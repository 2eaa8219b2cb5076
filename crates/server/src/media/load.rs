//! How busy a shard is: what part of the time it waits for nothing, and how late it does what is due.

use std::time::{Duration, Instant};

use muster_sfu::Load;

/// How often the load is told.
const WINDOW: Duration = Duration::from_secs(1);

/// Measures one shard.
#[derive(Debug)]
pub(super) struct Meter {
    begun: Instant,
    waited: Duration,
    lag: Duration,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            waited: Duration::ZERO,
            lag: Duration::ZERO,
        }
    }

    /// The shard began to wait at `slept` and was at work again at `woke`; something was due at `due`. The load,
    /// where it is time to tell it.
    pub(super) fn woke(&mut self, slept: Instant, woke: Instant, due: Option<Instant>) -> Option<Load> {
        self.waited += woke.saturating_duration_since(slept);
        if let Some(due) = due {
            self.lag = self.lag.max(woke.saturating_duration_since(due));
        }
        let elapsed = woke.saturating_duration_since(self.begun);
        if elapsed < WINDOW {
            return None;
        }
        let load = Load {
            busy: 1.0 - (self.waited.as_secs_f32() / elapsed.as_secs_f32()).clamp(0.0, 1.0),
            lag: self.lag,
        };
        *self = Self::new(woke);
        Some(load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_told_once_a_second() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let mut meter = Meter::new(begun);
        // It waits for 40 ms of every 100 ms, and does once what was due 30 ms before.
        for turn in 0..9 {
            let due = (turn == 3).then(|| at(turn * 100 + 70));
            assert_eq!(meter.woke(at(turn * 100 + 60), at(turn * 100 + 100), due), None);
        }
        let load = meter.woke(at(960), at(1_000), None).unwrap();
        assert!((load.busy - 0.6).abs() < 0.001, "{load:?}");
        assert_eq!(load.lag, Duration::from_millis(30));
        let load = meter.woke(at(1_000), at(2_500), Some(at(2_500))).unwrap();
        assert!(load.busy < 0.001, "{load:?}");
        assert_eq!(load.lag, Duration::ZERO);
    }
}
