//! Which layer of a camera a receiver gets.

use std::time::Duration;

use muster_sfu::{Command, MediaKind};

use crate::{
    got::Got,
    media::assert_without_gap,
    world::{Path, World},
};

const SECOND: Duration = Duration::from_secs(1);

pub fn wish(producer: &str, rid: &str) -> Command {
    Command::UpdateSimulcast {
        layers: vec![(producer.to_owned(), rid.to_owned())],
    }
}

/// Numbers, times and picture ids go on; layers change only at key frames.
pub fn assert_smooth(got: &[Got]) {
    assert_without_gap(got);
    for pair in got.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let step = after.time.wrapping_sub(before.time);
        if before.layer() == after.layer() {
            assert!(step == 0 || step == 3_600, "a step of {step} ticks");
        } else {
            assert!(after.key(), "a change of layer without a key frame");
            assert!((1..=9_000).contains(&step), "a step of {step} ticks at a change");
        }
        if let (Some(before), Some(after)) = (before.picture(), after.picture()) {
            let pictures = after.wrapping_sub(before) & 0x7fff;
            assert!(pictures <= 1, "a step of {pictures} pictures");
            assert_eq!(pictures == 0, step == 0, "a picture has one time");
        }
    }
}

pub fn last_layer(world: &World, index: usize, mid: &str) -> char {
    world.clients[index].recv.of(mid).last().unwrap().layer()
}

/// Has `b` go through the layers of a camera that it receives: each comes when it is wished for, and nothing is
/// missing at the changes.
pub fn assert_layers_change(world: &mut World, b: usize, camera: &str, mid: &str) {
    assert_eq!(last_layer(world, b, mid), 'f');
    for rid in ["q", "h", "f"] {
        world.command(b, wish(camera, rid));
        world.run(SECOND * 4);
        assert_eq!(last_layer(world, b, mid).to_string(), rid);
    }
    let got = world.clients[b].recv.of(mid);
    assert_smooth(&got);
    assert!(got.len() > 700, "{}", got.len());
    let longest = got
        .windows(2)
        .map(|pair| pair[1].at.saturating_duration_since(pair[0].at))
        .max()
        .unwrap();
    assert!(
        longest < Duration::from_millis(200),
        "{longest:?} without a picture"
    );
}

#[test]
fn layers_change_at_key_frames_without_a_gap() {
    let mut world = World::new(11);
    let (a, b) = (world.join(), world.join());
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
    let consumed = world.consume(b, &[(&camera, "f")]);
    let mid = consumed[0].mid.clone();
    world.run(SECOND * 4);
    assert_layers_change(&mut world, b, &camera, &mid);
}

#[test]
fn the_nearest_layer_is_given_for_one_that_is_not_sent() {
    let mut world = World::new(12);
    let (a, b) = (world.join(), world.join());
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h"], false);
    let mid = world.consume(b, &[(&camera, "q")])[0].mid.clone();
    world.run(SECOND * 3);
    assert_eq!(last_layer(&world, b, &mid), 'h');
    world.clients[a].pause_layer(b'h', true);
    world.run(SECOND * 4);
    assert_eq!(last_layer(&world, b, &mid), 'f');
    world.clients[a].pause_layer(b'h', false);
    world.run(SECOND * 6);
    assert_eq!(last_layer(&world, b, &mid), 'h');
}

#[test]
fn padding_leaves_no_gap() {
    let mut world = World::new(13);
    let (a, b) = (world.join(), world.join());
    world.clients[a].padding = 2;
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
    let mid = world.consume(b, &[(&camera, "q")])[0].mid.clone();
    world.run(SECOND * 3);
    let got = world.clients[b].recv.of(&mid);
    assert!(
        got.len() > 50 && got.last().unwrap().layer() == 'q',
        "{} packets",
        got.len()
    );
    assert_smooth(&got);
}

#[test]
fn key_frame_requests_of_many_are_one() {
    let mut world = World::new(14);
    let a = world.join();
    let (camera, _) = world.produce(a, MediaKind::Video, &[], false);
    world.run(SECOND);
    let before = world.clients[a].key_frames;
    let watchers: Vec<usize> = (0..6).map(|_| world.join()).collect();
    let mids: Vec<String> = watchers
        .iter()
        .map(|w| world.consume(*w, &[(&camera, "f")])[0].mid.clone())
        .collect();
    world.run(SECOND * 2);
    for (watcher, mid) in watchers.iter().zip(&mids) {
        assert!(world.clients[*watcher].recv.of(mid).len() > 30);
    }
    let asked = world.clients[a].key_frames - before;
    assert!(
        (1..=2).contains(&asked),
        "{asked} key frames for six people who came at once"
    );
}

#[test]
fn a_narrow_way_gets_small_pictures_and_all_sound() {
    let mut world = World::new(15);
    let (a, b) = (world.join(), world.join());
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let consumed = world.consume(b, &[(&camera, "f"), (&sound, "f")]);
    let (picture, sound) = (consumed[0].mid.clone(), consumed[1].mid.clone());
    world.run(SECOND * 8);
    assert_eq!(last_layer(&world, b, &picture), 'f');
    let narrow = Path {
        rate: Some(300_000),
        ..world.path
    };
    let wide = std::mem::replace(&mut world.path, narrow);
    world.run(SECOND * 8);
    let from = world.now;
    world.run(SECOND * 10);
    let got: Vec<Got> = world.clients[b]
        .recv
        .of(&sound)
        .into_iter()
        .filter(|got| got.at >= from)
        .collect();
    assert!(got.len() >= 495, "{} of 500 packets of sound", got.len());
    assert_ne!(last_layer(&world, b, &picture), 'f', "700 kbit/s do not fit");
    world.path = wide;
    world.run(SECOND * 40);
    assert_eq!(last_layer(&world, b, &picture), 'f', "and back up");
    assert_eq!(world.sfu.counters().failures, 0);
}
