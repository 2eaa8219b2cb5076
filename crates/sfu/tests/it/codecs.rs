//! Pictures of other codecs than VP8.

use std::time::Duration;

use muster_sfu::{Command, ConsumeError, ConsumeRequest, MediaKind, Reply, SfuEvent};
use str0m::format::Codec;

use crate::{
    layers::{assert_layers_change, last_layer, wish},
    world::{Path, World},
};

const SECOND: Duration = Duration::from_secs(1);
const ALL: [Codec; 3] = [Codec::Vp8, Codec::Vp9, Codec::H264];

/// Two people with these codecs; the first sends a camera as what is named, the second receives it.
fn camera(seed: u64, mime: &str, codec: Codec) -> (World, usize, usize, String, String) {
    let mut world = World::new(seed);
    let (a, b) = (world.join_with(&ALL), world.join_with(&ALL));
    let (camera, _) = world.produce_as(a, MediaKind::Video, &["f", "h", "q"], false, Some(mime));
    let told = world.events.iter().any(
        |event| matches!(event, SfuEvent::ProducerCreated(info) if info.id == camera && info.mime_type == mime),
    );
    assert!(told, "others are told the codec");
    let (consumed, offer) = world.ask(b, &[(&camera, "f")]);
    let offer = offer.unwrap();
    let section = offer.split("m=").last().unwrap();
    let name = mime.strip_prefix("video/").unwrap();
    let types = section.lines().next().unwrap().split(' ').skip(3).count();
    assert_eq!(types, 2, "one codec and its repair: {section}");
    assert!(section.contains(&format!(" {name}/90000")), "{section}");
    world.renegotiate(b, &offer);
    world.run(SECOND * 4);
    let mid = consumed[0].mid.clone();
    let got = world.clients[b].recv.of(&mid);
    assert!(got.iter().all(|got| got.codec == codec));
    assert!(got[0].key(), "it begins with a key frame");
    (world, a, b, camera, mid)
}

fn layers_change(seed: u64, mime: &str, codec: Codec) {
    let (mut world, _, b, camera, mid) = camera(seed, mime, codec);
    assert_layers_change(&mut world, b, &camera, &mid);
    assert_eq!(world.sfu.counters().failures, 0);
}

#[test]
fn layers_of_h264_change_at_key_frames_without_a_gap() {
    layers_change(41, "video/H264", Codec::H264);
}

#[test]
fn layers_of_vp9_change_at_key_frames_without_a_gap() {
    layers_change(42, "video/VP9", Codec::Vp9);
}

/// With loss, each picture still begins where it can be decoded, and goes on.
fn loss_is_repaired(seed: u64, mime: &str, codec: Codec) {
    let (mut world, _, b, camera, mid) = camera(seed, mime, codec);
    world.path = Path {
        loss: 5,
        delay: Duration::from_millis(25),
        jitter: Duration::from_millis(4),
        rate: None,
    };
    for rid in ["q", "f", "h", "f"] {
        world.command(b, wish(&camera, rid));
        world.run(SECOND * 5);
    }
    world.path.loss = 0;
    world.run(SECOND * 2);
    assert_eq!(last_layer(&world, b, &mid), 'f');
    let got = world.clients[b].recv.of(&mid);
    for pair in got.windows(2) {
        if pair[0].number + 1 == pair[1].number && pair[0].layer() != pair[1].layer() {
            assert!(pair[1].key(), "a change of layer without a key frame");
        }
    }
    let mut frames: Vec<u32> = got.iter().map(crate::got::Got::frame).collect();
    frames.dedup();
    let expected = usize::try_from(frames[frames.len() - 1] - frames[0] + 1).unwrap();
    assert!(
        frames.len() * 100 >= expected * 98,
        "{} of {expected} frames",
        frames.len()
    );
}

#[test]
fn loss_of_h264_is_repaired() {
    loss_is_repaired(43, "video/H264", Codec::H264);
}

#[test]
fn loss_of_vp9_is_repaired() {
    loss_is_repaired(44, "video/VP9", Codec::Vp9);
}

#[test]
fn who_cannot_receive_a_codec_is_told() {
    let mut world = World::new(45);
    let (a, b) = (world.join_with(&ALL), world.join_with(&[Codec::Vp8]));
    let (h264, _) = world.produce_as(a, MediaKind::Video, &[], false, Some("video/h264"));
    let (vp8, _) = world.produce(a, MediaKind::Video, &[], true);
    let requests = [&h264, &vp8].map(|producer| ConsumeRequest {
        producer: producer.clone(),
        preferred_rid: None,
    });
    let reply = world.command(
        b,
        Command::Consume {
            requests: requests.into(),
            transport: None,
        },
    );
    let Reply::Consumed { consumers, offer } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(consumers[0].1, Err(ConsumeError::UnsupportedCodec));
    let screen = consumers[1].1.clone().unwrap();
    world.renegotiate(b, &offer.unwrap());
    world.run(SECOND * 2);
    assert!(
        world.clients[b].recv.of(&screen.mid).len() > 30,
        "what can be received is"
    );
    assert!(
        world.clients[b]
            .recv
            .got
            .iter()
            .all(|got| got.codec == Codec::Vp8)
    );
}

#[test]
fn vp8_is_sent_where_nothing_is_named() {
    let mut world = World::new(46);
    let a = world.join_with(&[Codec::H264, Codec::Vp9, Codec::Vp8]);
    let b = world.join_with(&ALL);
    let (camera, _) = world.produce(a, MediaKind::Video, &[], false);
    let mid = world.consume(b, &[(&camera, "f")])[0].mid.clone();
    world.run(SECOND * 2);
    let got = world.clients[b].recv.of(&mid);
    assert!(got.len() > 30 && got.iter().all(|got| got.codec == Codec::Vp8));
}

#[test]
fn what_is_offered_is_sent_whatever_is_named() {
    let mut world = World::new(47);
    let (a, b) = (world.join_with(&[Codec::H264]), world.join_with(&ALL));
    let (camera, _) = world.produce_as(a, MediaKind::Video, &[], false, Some("video/VP8"));
    let created = world.events.iter().find_map(|event| match event {
        SfuEvent::ProducerCreated(producer) => Some(producer.mime_type),
        _ => None,
    });
    assert_eq!(created, Some("video/H264"), "the others are told what it is");
    let mid = world.consume(b, &[(&camera, "f")])[0].mid.clone();
    world.run(SECOND * 2);
    let got = world.clients[b].recv.of(&mid);
    assert!(got.len() > 30 && got.iter().all(|got| got.codec == Codec::H264));
}
