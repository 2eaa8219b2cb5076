//! What an overloaded shard leaves out: pictures before sound, cameras before screens, a step at a time.
//!
//! A step more is taken as long as the shard is overloaded, which is not said after a single bad second; a step back after it was calm for a while. Where
//! a step back brought the overload back, the next try comes later, so that layers do not go to and fro.

use std::time::{Duration, Instant};

use crate::{layers::LAYERS, sfu::Sfu};

/// How busy a shard was since it was last told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// The part of the time that it did not wait for anything, 0 to 1.
    pub busy: f32,
    /// The longest that something was done too late.
    pub lag: Duration,
}

impl Load {
    fn is_overload(self) -> bool {
        self.busy >= 0.9 || self.lag >= Duration::from_millis(250)
    }

    fn is_calm(self) -> bool {
        self.busy <= 0.6 && self.lag <= Duration::from_millis(50)
    }
}

/// How often in a row it is told of overload before it believes it.
const BELIEVED: u32 = 2;
/// How long a step may take to show before the next.
const SETTLE: Duration = Duration::from_secs(1);
/// How long it has to be calm before the first step back, and at most.
const CALM: Duration = Duration::from_secs(5);
const CALM_MAX: Duration = Duration::from_secs(80);
/// An overload so soon after a step back comes from it.
const RELAPSE: Duration = Duration::from_secs(10);

/// Smaller pictures of cameras, step by step, then none, then none of screens either.
const WITHOUT_CAMERAS: usize = LAYERS;
const WITHOUT_SCREENS: usize = LAYERS + 1;

/// How much is left out.
#[derive(Debug, Default)]
pub(crate) struct Shedder {
    step: usize,
    overloads: u32,
    changed: Option<Instant>,
    recovered: Option<Instant>,
    calm_since: Option<Instant>,
    relapses: u32,
}

impl Shedder {
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    /// Takes what a shard was told of its load; whether more or less is left out from now on.
    pub(crate) fn note(&mut self, now: Instant, load: Load) -> bool {
        let within =
            |at: Option<Instant>, time| at.is_some_and(|at| now.saturating_duration_since(at) < time);
        if load.is_overload() {
            self.calm_since = None;
            self.overloads = self.overloads.saturating_add(1);
            if self.overloads < BELIEVED || self.step == WITHOUT_SCREENS || within(self.changed, SETTLE) {
                return false;
            }
            if within(self.recovered, RELAPSE) {
                self.relapses += 1;
            }
            self.recovered = None;
            self.step += 1;
        } else {
            self.overloads = 0;
            let calm = CALM.saturating_mul(1 << self.relapses.min(8)).min(CALM_MAX);
            if !load.is_calm() {
                self.calm_since = None;
                return false;
            }
            let since = *self.calm_since.get_or_insert(now);
            if now.saturating_duration_since(since) < calm {
                return false;
            }
            self.calm_since = Some(now);
            if self.step == 0 {
                self.relapses = 0;
                return false;
            }
            self.step -= 1;
            self.recovered = Some(now);
        }
        self.changed = Some(now);
        true
    }

    /// The layer that takes the place of the one wished for; none where there is to be no picture.
    pub(crate) fn wish(&self, wish: usize, screen_share: bool) -> Option<usize> {
        match (screen_share, self.step) {
            (true, WITHOUT_SCREENS) => None,
            (true, _) => Some(wish),
            (false, step) => (step < WITHOUT_CAMERAS).then(|| wish.max(step)),
        }
    }
}

impl Sfu {
    /// Takes how busy the shard was, about once a second; decides what it leaves out.
    pub fn note_load(&mut self, now: Instant, load: Load) {
        self.advance(now);
        if self.shedder.note(self.now, load) {
            for place in self.receiving() {
                self.guarded_at(place, |sfu| sfu.retarget(place));
            }
            self.guarded(Self::settle);
        }
    }

    /// How much is left out because of overload: 0 is nothing; then, step by step, larger layers of cameras,
    /// cameras, and screens.
    pub fn shed_step(&self) -> usize {
        self.shedder.step()
    }

    fn receiving(&self) -> Vec<usize> {
        let receiving = self
            .transports
            .iter()
            .filter(|(_, transport)| transport.consuming);
        receiving.map(|(place, _)| place).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{api::MediaKind, got::Got, world::World};

    const OVERLOAD: Load = Load {
        busy: 0.97,
        lag: Duration::ZERO,
    };
    const CALM_LOAD: Load = Load {
        busy: 0.3,
        lag: Duration::ZERO,
    };
    const BETWEEN: Load = Load {
        busy: 0.75,
        lag: Duration::ZERO,
    };

    /// The steps after each second of a load.
    fn run(shedder: &mut Shedder, now: &mut Instant, load: Load, seconds: usize) -> Vec<usize> {
        let mut steps = Vec::new();
        for _ in 0..seconds {
            *now += Duration::from_secs(1);
            shedder.note(*now, load);
            steps.push(shedder.step());
        }
        steps
    }

    #[test]
    fn pictures_go_step_by_step_and_sound_never() {
        let (mut shedder, mut now) = (Shedder::default(), Instant::now());
        assert_eq!(
            (shedder.wish(0, false), shedder.wish(2, true)),
            (Some(0), Some(2))
        );
        assert_eq!(
            run(&mut shedder, &mut now, OVERLOAD, 1),
            [0],
            "once is not enough"
        );
        run(&mut shedder, &mut now, BETWEEN, 1);
        assert_eq!(run(&mut shedder, &mut now, OVERLOAD, 3), [0, 1, 2]);
        assert_eq!(shedder.wish(0, false), Some(2));
        assert_eq!(shedder.wish(0, true), Some(0));
        assert_eq!(run(&mut shedder, &mut now, OVERLOAD, 4), [3, 4, 4, 4]);
        assert_eq!((shedder.wish(2, false), shedder.wish(0, true)), (None, None));
    }

    #[test]
    fn lateness_is_overload_too_and_a_step_may_take_a_second() {
        let (mut shedder, now) = (Shedder::default(), Instant::now());
        let late = Load {
            busy: 0.1,
            lag: Duration::from_millis(400),
        };
        let at = |millis| now + Duration::from_millis(millis);
        assert!(!shedder.note(at(0), late));
        assert!(shedder.note(at(1_000), late));
        assert!(!shedder.note(at(1_900), late));
        assert!(shedder.note(at(2_000), late));
    }

    #[test]
    fn steps_back_wait_for_calm_and_nothing_between() {
        let (mut shedder, mut now) = (Shedder::default(), Instant::now());
        run(&mut shedder, &mut now, OVERLOAD, 3);
        assert!(
            run(&mut shedder, &mut now, BETWEEN, 60)
                .iter()
                .all(|step| *step == 2)
        );
        assert_eq!(run(&mut shedder, &mut now, CALM_LOAD, 6), [2, 2, 2, 2, 2, 1]);
        assert_eq!(run(&mut shedder, &mut now, BETWEEN, 1), [1], "calm is over");
        assert_eq!(run(&mut shedder, &mut now, CALM_LOAD, 6), [1, 1, 1, 1, 1, 0]);
    }

    #[test]
    fn after_a_relapse_the_next_try_comes_later() {
        let (mut shedder, mut now) = (Shedder::default(), Instant::now());
        run(&mut shedder, &mut now, OVERLOAD, 2);
        let mut waits = Vec::new();
        for _ in 0..7 {
            let mut wait = 0;
            while shedder.step() > 0 {
                run(&mut shedder, &mut now, CALM_LOAD, 1);
                wait += 1;
            }
            waits.push(wait);
            run(&mut shedder, &mut now, OVERLOAD, 2);
        }
        assert_eq!(waits, [6, 11, 21, 41, 81, 81, 81]);
    }

    /// The layers that arrived in a second of which the beginning is left out, and packets of sound in it.
    fn second(world: &mut World, who: usize, picture: &str, sound: &str) -> (String, usize) {
        world.run(Duration::from_millis(1_500));
        let begun = world.now;
        world.run(Duration::from_secs(1));
        let recent = |mid: &str| {
            let got = world.clients[who].recv.of(mid);
            got.into_iter().filter(|got| got.at > begun).collect::<Vec<_>>()
        };
        let layers: BTreeSet<char> = recent(picture).iter().map(Got::layer).collect();
        (layers.into_iter().collect(), recent(sound).len())
    }

    #[test]
    fn an_overloaded_shard_sends_smaller_pictures_then_none_and_all_sound() {
        let mut world = World::new(3);
        let (ana, bo) = (world.join(), world.join());
        let (camera, _) = world.produce(ana, MediaKind::Video, &["f", "h", "q"], false);
        let (sound, _) = world.produce(ana, MediaKind::Audio, &[], false);
        let consumed = world.consume(bo, &[(&camera, "f"), (&sound, "f")]);
        let (picture, sound) = (consumed[0].mid.clone(), consumed[1].mid.clone());
        world.run(Duration::from_secs(5));
        let mut seen = vec![second(&mut world, bo, &picture, &sound)];
        world.sfu.note_load(world.now, OVERLOAD);
        for _ in 0..3 {
            world.sfu.note_load(world.now, OVERLOAD);
            seen.push(second(&mut world, bo, &picture, &sound));
        }
        assert_eq!(world.sfu.shed_step(), 3);
        for _ in 0..3 {
            for _ in 0..6 {
                world.sfu.note_load(world.now, CALM_LOAD);
                world.run(Duration::from_secs(1));
            }
        }
        assert_eq!(world.sfu.shed_step(), 0);
        world.run(Duration::from_secs(4));
        seen.push(second(&mut world, bo, &picture, &sound));
        let layers: Vec<&str> = seen.iter().map(|(layers, _)| layers.as_str()).collect();
        assert_eq!(layers, ["f", "h", "q", "", "f"]);
        assert!(
            seen.iter().all(|(_, sounds)| (49..=51).contains(sounds)),
            "{seen:?}"
        );
    }
}
