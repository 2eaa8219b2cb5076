//! A receiver whose machine is too busy: it reads and reports late, in bursts, though nothing is lost.

use std::time::Duration;

use crate::{
    layers::last_layer,
    matrix::Call,
    world::{Path, Starved, World},
};

const SECOND: Duration = Duration::from_secs(1);

/// Lets time pass in which somebody's machine does nothing for 100 to 400 ms every now and then.
fn starve(world: &mut World, client: usize, time: Duration) {
    let end = world.now + time;
    while world.now < end {
        let asleep = Duration::from_millis(100 + world.random(300));
        world.starved = Some(Starved {
            client,
            until: world.now + asleep,
            slowness: Duration::from_micros(3_000 + world.random(5_000)),
        });
        let awake = Duration::from_millis(300 + world.random(1_000));
        world.run(asleep + awake);
    }
    world.starved = None;
}

#[test]
fn a_starved_receiver_keeps_its_pictures() {
    for seed in 0..4 {
        let mut call = Call::new(6_000 + seed);
        let from = call.world.now;
        starve(&mut call.world, call.to, SECOND * 20);
        call.world.run(SECOND * 10);
        let came = call.came(from);
        assert!(came.freeze < SECOND * 3, "{seed}: {came:?}");
        assert!(came.sounds >= 1_450, "{seed}: {came:?}");
        let layer = last_layer(&call.world, call.to, &call.picture);
        assert_eq!(layer, 'f', "{seed}: {came:?}");
    }
}

/// Sound fits, the smallest pictures do not.
#[test]
fn a_way_for_sound_alone_carries_it() {
    let mut call = Call::new(6_100);
    let narrow = Path {
        rate: Some(180_000),
        ..call.world.path
    };
    call.over(narrow, SECOND * 40);
    let came = call.over(narrow, SECOND * 60);
    assert!(came.sounds >= 2_970, "of 3000: {came:?}");
}
