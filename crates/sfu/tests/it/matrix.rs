//! Ways of many kinds: what is seen and heard over each of them. Both hops, from a person to the shard and
//! from there to another, are alike, so that all happens twice.

use std::time::{Duration, Instant};

use muster_sfu::MediaKind;
use str0m::media::Mid;

use crate::{
    layers::last_layer,
    world::{Path, World},
};

const SECOND: Duration = Duration::from_secs(1);

/// Somebody who sees and hears somebody else over good ways.
pub struct Call {
    pub world: World,
    pub to: usize,
    pub picture: String,
    pub sound: String,
}

/// What came since a moment.
#[derive(Debug)]
pub struct Came {
    pub pictures: usize,
    pub freeze: Duration,
    pub sounds: usize,
}

impl Call {
    pub fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let (a, b) = (world.join(), world.join());
        let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
        let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
        let consumed = world.consume(b, &[(&camera, "f"), (&sound, "f")]);
        world.run(SECOND * 4);
        Self {
            world,
            to: b,
            picture: consumed[0].mid.clone(),
            sound: consumed[1].mid.clone(),
        }
    }

    pub fn came(&self, from: Instant) -> Came {
        let recv = &self.world.clients[self.to].recv;
        let decoder = &recv.decoders[&Mid::from(self.picture.as_str())];
        let sounds = recv.of(&self.sound);
        Came {
            pictures: decoder.shown.iter().filter(|at| **at > from).count(),
            freeze: decoder.longest_freeze(from, self.world.now),
            sounds: sounds.iter().filter(|got| got.at > from).count(),
        }
    }

    pub fn over(&mut self, path: Path, time: Duration) -> Came {
        self.world.path = path;
        let from = self.world.now;
        self.world.run(time);
        self.came(from)
    }
}

pub fn path(loss: u64, delay: u64, jitter: u64) -> Path {
    Path {
        loss,
        delay: Duration::from_millis(delay),
        jitter: Duration::from_millis(jitter),
        rate: None,
    }
}

/// There and back between two people in 50, 150 and 300 ms, and with packets that overtake each other.
fn no_freeze(loss: u64) {
    for (delay, jitter) in [(12, 0), (37, 0), (75, 0), (12, 20), (75, 20)] {
        let mut call = Call::new(1_000 + loss * 100 + delay + jitter);
        let came = call.over(path(loss, delay, jitter), SECOND * 10);
        assert!(came.freeze < SECOND, "{delay} ms, {jitter} ms: {came:?}");
        assert!(came.pictures > 225, "{delay} ms, {jitter} ms: {came:?}");
        let heard = 500 * (100 - loss).pow(2) / 10_000;
        let least = usize::try_from(heard).unwrap() * 96 / 100 - 8;
        assert!(came.sounds >= least, "{delay} ms, {jitter} ms: {came:?}");
    }
}

#[test]
fn nothing_freezes_without_loss() {
    no_freeze(0);
}

#[test]
fn nothing_freezes_with_some_loss() {
    no_freeze(2);
}

#[test]
fn nothing_freezes_with_much_loss() {
    no_freeze(5);
}

/// A repair that is lost itself takes three times the way there and back: here nearly a second.
#[test]
fn far_away_pictures_go_on() {
    let mut call = Call::new(2_000);
    let came = call.over(path(5, 150, 20), SECOND * 20);
    assert!(came.freeze < SECOND * 2 && came.pictures > 350, "{came:?}");
}

#[test]
fn with_terrible_loss_pictures_still_come() {
    for (delay, jitter) in [(12, 0), (75, 20)] {
        let mut call = Call::new(3_000 + delay);
        let came = call.over(path(20, delay, jitter), SECOND * 15);
        assert!(came.freeze < SECOND * 4 && came.pictures > 120, "{came:?}");
        assert!(came.sounds > 430, "of 750, lost twice: {came:?}");
        let came = call.over(path(0, 10, 0), SECOND * 5);
        assert!(came.pictures > 110 && came.sounds > 245, "{came:?}");
    }
}

#[test]
fn a_way_that_narrows_keeps_the_sound() {
    let mut call = Call::new(4_000);
    let wide = call.world.path;
    // The best layer and the sound take 780 kbit/s with what goes around them.
    let narrow = Path {
        rate: Some(260_000),
        ..wide
    };
    let at_once = call.over(narrow, SECOND * 10);
    assert!(at_once.sounds > 440, "of 500, while it is found out: {at_once:?}");
    assert!(at_once.freeze < SECOND * 3, "{at_once:?}");
    let then = call.over(narrow, SECOND * 20);
    assert!(then.sounds >= 990, "of 1000: {then:?}");
    assert!(then.freeze < SECOND, "{then:?}");
    assert_eq!(last_layer(&call.world, call.to, &call.picture), 'q');
    let back = call.over(wide, SECOND * 40);
    assert!(back.sounds >= 1_990 && back.freeze < SECOND, "{back:?}");
    assert_eq!(last_layer(&call.world, call.to, &call.picture), 'f');
}

#[test]
fn layers_settle_where_not_all_fit() {
    for jitter in [0, 5] {
        let mut world = World::new(5_000 + jitter);
        let b = world.join();
        let mut cameras = Vec::new();
        for _ in 0..3 {
            let a = world.join();
            cameras.push(world.produce(a, MediaKind::Video, &["f", "h", "q"], false).0);
        }
        let asked: Vec<(&str, &str)> = cameras.iter().map(|camera| (camera.as_str(), "f")).collect();
        world.path = Path {
            rate: Some(1_500_000),
            ..path(0, 25, jitter)
        };
        let mids = world.consume(b, &asked);
        world.run(SECOND * 20);
        let (before, from) = (world.sfu.counters().layer_switches, world.now);
        world.run(SECOND * 40);
        let switches = world.sfu.counters().layer_switches - before;
        assert!(switches <= 10, "{switches} changes of layer in 40 s");
        for consumed in mids {
            let decoder = &world.clients[b].recv.decoders[&Mid::from(consumed.mid.as_str())];
            let freeze = decoder.longest_freeze(from, world.now);
            assert!(freeze < SECOND, "{freeze:?}");
        }
    }
}
