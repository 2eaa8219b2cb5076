//! Sending, receiving, pausing, cutting and leaving.

use std::{collections::BTreeSet, time::Duration};

use muster_sfu::{Command, Kinds, MediaError, MediaKind, Reply, SfuEvent, TransportStats};
use str0m::media::Mid;

use crate::{got::Got, world::World};

const SECOND: Duration = Duration::from_secs(1);

/// Numbers go up by one.
pub fn assert_without_gap(got: &[Got]) {
    for pair in got.windows(2) {
        assert_eq!(pair[1].number, pair[0].number + 1);
    }
}

#[test]
fn two_people_see_and_hear_each_other() {
    let mut world = World::new(1);
    let (a, b) = (world.join(), world.join());
    for (from, to) in [(a, b), (b, a)] {
        let (sound, _) = world.produce(from, MediaKind::Audio, &[], false);
        let (picture, _) = world.produce(from, MediaKind::Video, &[], false);
        let consumed = world.consume(to, &[(&sound, "f"), (&picture, "f")]);
        assert_eq!(consumed.len(), 2);
        world.run(SECOND * 3);
        let sound = world.clients[to].recv.of(&consumed[0].mid);
        let picture = world.clients[to].recv.of(&consumed[1].mid);
        assert!(sound.len() > 140, "{} packets of sound", sound.len());
        assert!(picture.len() > 70, "{} packets of pictures", picture.len());
        assert!(picture[0].key(), "it begins with a key frame");
        assert_eq!(sound[0].level, Some(-30), "levels are handed on");
        assert!(sound[0].number < 65_536 && picture[0].number < 65_536);
        assert_without_gap(&sound);
        assert_without_gap(&picture);
    }
    assert_eq!(world.sfu.counters().failures, 0);
}

#[test]
fn sound_and_picture_of_a_person_share_a_stream() {
    let mut world = World::new(2);
    let (a, b) = (world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let (picture, _) = world.produce(a, MediaKind::Video, &[], false);
    let (screen, _) = world.produce(a, MediaKind::Video, &[], true);
    let (consumed, offer) = world.ask(b, &[(&sound, "f"), (&picture, "f"), (&screen, "f")]);
    let offer = offer.unwrap();
    let msids: Vec<&str> = offer
        .lines()
        .filter_map(|line| line.strip_prefix("a=msid:"))
        .collect();
    let stream = |track: &str| msids.iter().find_map(|msid| msid.strip_suffix(track)).unwrap();
    assert_eq!(stream(&sound), stream(&picture));
    assert_ne!(stream(&sound), stream(&screen));
    assert!(offer.contains("a=setup:actpass") && offer.contains("a=rtpmap:111 opus"));
    for consumed in &consumed {
        assert!(offer.contains(&format!("a=mid:{}\r\n", consumed.mid)));
    }
    let (again, offer_again) = world.ask(b, &[(&sound, "f")]);
    assert_eq!(again[0], consumed[0], "asking again changes nothing");
    assert_eq!(
        offer_again.unwrap().matches("m=").count(),
        offer.matches("m=").count()
    );
    world.renegotiate(b, &offer);
    let (_, none) = world.ask(b, &[(&sound, "f"), (&picture, "f")]);
    assert_eq!(none, None, "all is negotiated");
}

#[test]
fn a_pause_stops_the_stream_and_its_end_begins_with_a_key_frame() {
    let mut world = World::new(3);
    let (a, b) = (world.join(), world.join());
    let (picture, _) = world.produce(a, MediaKind::Video, &[], false);
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let consumed = world.consume(b, &[(&picture, "f"), (&sound, "f")]);
    world.run(SECOND * 2);
    let toggle = |producer: &str, pause| Command::ToggleProducer {
        producer: producer.to_owned(),
        pause,
    };
    for producer in [&picture, &sound] {
        world.command(a, toggle(producer, true));
    }
    world.run(SECOND);
    let before: Vec<usize> = consumed
        .iter()
        .map(|c| world.clients[b].recv.of(&c.mid).len())
        .collect();
    world.run(SECOND * 2);
    let after: Vec<usize> = consumed
        .iter()
        .map(|c| world.clients[b].recv.of(&c.mid).len())
        .collect();
    assert_eq!(before, after, "nothing passes, though it is sent");
    for producer in [&picture, &sound] {
        world.command(a, toggle(producer, false));
    }
    world.run(SECOND * 2);
    for (consumed, (before, rate)) in consumed.iter().zip(before.iter().zip([90_000, 48_000])) {
        let got = world.clients[b].recv.of(&consumed.mid);
        assert!(got.len() > before + 30);
        assert_without_gap(&got);
        let gap = got[*before].time.wrapping_sub(got[before - 1].time);
        assert!(
            (rate * 5 / 2..rate * 4).contains(&gap),
            "time went on in the pause: {gap}"
        );
    }
    assert!(world.clients[b].recv.of(&consumed[0].mid)[before[0]].key());
    let toggled = world
        .events
        .iter()
        .filter(|e| matches!(e, SfuEvent::ProducerToggled { muted: false, .. }));
    assert_eq!(toggled.count(), 4);
}

#[test]
fn a_mute_cuts_at_the_server() {
    let mut world = World::new(4);
    let (a, b) = (world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let consumed = world.consume(b, &[(&sound, "f")]);
    world.run(SECOND);
    let audio = Kinds {
        audio: true,
        ..Kinds::default()
    };
    world.command(a, Command::Mute(audio));
    world.run(SECOND);
    let count = world.clients[b].recv.of(&consumed[0].mid).len();
    world.run(SECOND);
    assert_eq!(world.clients[b].recv.of(&consumed[0].mid).len(), count);
    let unmute = Command::ToggleProducer {
        producer: sound.clone(),
        pause: false,
    };
    world.command(a, Command::MayProduce(Kinds::default()));
    assert_eq!(world.try_command(a, unmute.clone()), Err(MediaError::NotAllowed));
    world.command(a, Command::MayProduce(Kinds::ALL));
    world.run(SECOND);
    assert_eq!(
        world.clients[b].recv.of(&consumed[0].mid).len(),
        count,
        "being allowed is not unmuting"
    );
    world.command(a, unmute);
    world.run(SECOND);
    assert!(world.clients[b].recv.of(&consumed[0].mid).len() > count + 30);
    world.command(b, Command::Admit(false));
    world.run(SECOND);
    let count = world.clients[b].recv.of(&consumed[0].mid).len();
    world.run(SECOND);
    assert_eq!(
        world.clients[b].recv.of(&consumed[0].mid).len(),
        count,
        "who is outside gets nothing"
    );
}

#[test]
fn who_leaves_is_gone_for_the_others() {
    let mut world = World::new(5);
    let (a, b, c) = (world.join(), world.join(), world.join());
    let (from_a, _) = world.produce(a, MediaKind::Video, &[], false);
    let (from_b, _) = world.produce(b, MediaKind::Video, &[], false);
    let consumed = world.consume(c, &[(&from_a, "f"), (&from_b, "f")]);
    world.run(SECOND);
    world.command(a, Command::RemovePeer);
    assert!(
        world
            .events
            .iter()
            .any(|e| matches!(e, SfuEvent::ProducerClosed(info) if info.id == from_a))
    );
    world.run(SECOND);
    let count = |world: &World| {
        consumed
            .iter()
            .map(|x| world.clients[c].recv.of(&x.mid).len())
            .collect::<Vec<_>>()
    };
    let before = count(&world);
    world.run(SECOND);
    let after = count(&world);
    assert_eq!(before[0], after[0]);
    assert!(after[1] > before[1] + 20);
    assert!(
        world
            .sfu
            .producers(world.meeting, world.clients[a].peer)
            .is_empty()
    );
    let (again, offer) = {
        let request = muster_sfu::ConsumeRequest {
            producer: from_a,
            preferred_rid: None,
        };
        let Reply::Consumed { consumers, offer } = world.command(
            c,
            Command::Consume {
                requests: vec![request],
                transport: None,
            },
        ) else {
            panic!()
        };
        (consumers, offer)
    };
    assert_eq!(again[0].1, Err(muster_sfu::ConsumeError::NotFound));
    assert_eq!(offer, None);
    world.sfu.close_room(world.now, world.meeting);
    assert_eq!(
        world.sfu.poll_timeout().filter(|at| *at > world.now + SECOND),
        None
    );
}

/// Whether an answer closes a section, and takes it out of the bundle.
fn is_rejected(answer: &str, mid: Mid) -> bool {
    let section = answer
        .split("\r\nm=")
        .find(|section| section.contains(&format!("a=mid:{mid}\r\n")));
    let group = answer.lines().find(|line| line.starts_with("a=group:BUNDLE"));
    section.is_some_and(|section| section.split(' ').nth(1) == Some("0"))
        && !group.unwrap().split(' ').any(|word| word == &*mid)
}

#[test]
fn what_is_sent_anew_after_a_cut_has_a_place_of_its_own() {
    let mut world = World::new(6);
    let a = world.join();
    let (_, before) = world.produce(a, MediaKind::Audio, &[], false);
    world.command(a, Command::Rejoined);
    let (mid, offer) = world.clients[a].offer_track(MediaKind::Audio, &[]);
    let reply = world.command(
        a,
        Command::Produce {
            kind: MediaKind::Audio,
            paused: false,
            screen_share: false,
            offer,
            app_data: Some(format!(r#"{{"mid":"{mid}"}}"#)),
            mime_type: None,
            transport: None,
        },
    );
    let Reply::Produced { answer, .. } = reply else {
        panic!("{reply:?}")
    };
    // The official client would look for its next track in the place that was freed, and fail.
    assert!(
        !is_rejected(&answer, before) && !is_rejected(&answer, mid),
        "{answer}"
    );
}

#[test]
fn offers_do_not_grow_with_what_was_shared() {
    let mut world = World::new(6);
    let (a, b) = (world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let kept = world.consume(b, &[(&sound, "f")]);
    let mut sizes = Vec::new();
    let mut mids = BTreeSet::new();
    for _ in 0..40 {
        let (screen, mid) = world.produce(a, MediaKind::Video, &[], true);
        let (consumed, offer) = world.ask(b, &[(&screen, "f")]);
        let offer = offer.unwrap();
        sizes.push(offer.len());
        world.renegotiate(b, &offer);
        world.run(SECOND / 2);
        let seen = world.clients[b].recv.of(&consumed[0].mid);
        assert!(seen.len() > 5, "{} packets in round {}", seen.len(), sizes.len());
        assert!(mids.insert(consumed[0].mid.clone()), "names are not used again");
        let offer = world.clients[a].offer_inactive(mid);
        let reply = world.command(
            a,
            Command::CloseProducer {
                producer: screen,
                offer,
            },
        );
        let Reply::Answer(answer) = reply else {
            panic!("{reply:?}")
        };
        // One place is free; a browser would use it for the next screen, these clients do not.
        assert_eq!(is_rejected(&answer, mid), sizes.len() == 1, "{answer}");
        world.clients[a].send.answered(&answer);
        world.close_consumer(b, &consumed[0].mid);
    }
    assert!(
        sizes[39] <= sizes[4] + 100,
        "from {} to {} bytes",
        sizes[4],
        sizes[39]
    );
    let before = world.clients[b].recv.of(&kept[0].mid).len();
    world.run(SECOND);
    assert!(
        world.clients[b].recv.of(&kept[0].mid).len() > before + 40,
        "what stayed goes on"
    );
}

#[test]
fn a_connection_made_anew_replaces_the_one_before() {
    let mut world = World::new(7);
    let (a, b) = (world.join(), world.join());
    let (first, _) = world.produce(a, MediaKind::Audio, &[], false);
    world.connect(a, false);
    world.run(SECOND);
    assert!(
        world
            .events
            .iter()
            .any(|e| matches!(e, SfuEvent::ProducerClosed(info) if info.id == first))
    );
    let (second, _) = world.produce(a, MediaKind::Audio, &[], false);
    world.connect(b, true);
    world.run(SECOND);
    let consumed = world.consume(b, &[(&second, "f")]);
    world.run(SECOND);
    assert!(world.clients[b].recv.of(&consumed[0].mid).len() > 30);
    world.command(a, Command::Rejoined);
    assert!(
        world
            .events
            .iter()
            .any(|e| matches!(e, SfuEvent::ProducerClosed(info) if info.id == second))
    );
    let (third, _) = world.produce(a, MediaKind::Audio, &[], false);
    let consumed = world.consume(b, &[(&third, "f")]);
    world.run(SECOND);
    assert!(
        world.clients[b].recv.of(&consumed[0].mid).len() > 30,
        "on the connection that stayed"
    );
}

#[test]
fn the_loudest_speaks() {
    let mut world = World::new(8);
    let (a, b) = (world.join(), world.join());
    world.clients[a].level = -90;
    for index in [a, b] {
        world.produce(index, MediaKind::Audio, &[], false);
    }
    world.run(SECOND * 3);
    let (loud, quiet) = (world.clients[b].peer, world.clients[a].peer);
    let last = |world: &World| {
        let order = world.events.iter().rev().find_map(|event| match event {
            SfuEvent::ActiveSpeakers(order) => Some(order.clone()),
            _ => None,
        });
        order.unwrap()
    };
    assert_eq!(last(&world), [loud]);
    world.clients[a].level = -20;
    world.clients[b].level = -90;
    world.run(SECOND * 4);
    assert_eq!(last(&world), [quiet, loud]);
}

#[test]
fn sound_and_picture_are_played_in_step() {
    let mut world = World::new(9);
    let (a, b) = (world.join(), world.join());
    world.path.jitter = Duration::from_millis(40);
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    world.run(SECOND * 3);
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
    let consumed = world.consume(b, &[(&sound, "f"), (&camera, "f")]);
    world.run(SECOND * 10);
    let settled = world.now;
    world.run(SECOND * 20);
    // What the receiver reckons less what was, each in microseconds of a clock of its own.
    let mut skews = Vec::new();
    for (consumed, clock_rate) in consumed.iter().zip([48_000, 90_000]) {
        let got = world.clients[b].recv.of(&consumed.mid);
        let late = got.iter().filter(|got| got.at >= settled);
        skews.extend(late.map(|got| got.reckoned(clock_rate).unwrap() - i128::from(got.captured())));
    }
    let apart = skews.iter().max().unwrap() - skews.iter().min().unwrap();
    assert!(
        apart < 10_000,
        "{apart} microseconds apart, on a way with 40 ms of jitter"
    );
}

#[test]
fn connections_tell_how_they_fare() {
    let mut world = World::new(15);
    let (a, b) = (world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
    world.consume(b, &[(&sound, "f"), (&camera, "h")]);
    world.run(SECOND * 3);
    world.path.delay = Duration::from_millis(40);
    world.path.jitter = Duration::from_millis(20);
    world.path.loss = 5;
    world.run(SECOND * 20);
    let latest = |consuming: bool, index: usize| {
        let peer = world.clients[index].peer;
        let told = world.events.iter().rev().find_map(|event| match event {
            SfuEvent::Stats(stats) if stats.peer == peer && stats.consuming == consuming => Some(stats),
            _ => None,
        });
        told.unwrap()
    };
    let sending = latest(false, a);
    let streams = |stats: &TransportStats| {
        let streams = stats.streams.iter();
        streams
            .map(|stream| (stream.layer, stream.producer.clone()))
            .collect::<BTreeSet<_>>()
    };
    let all = ["f", "h", "q"].map(|layer| (Some(layer), camera.clone()));
    assert_eq!(
        streams(sending),
        all.into_iter().chain([(None, sound.clone())]).collect()
    );
    let receiving = latest(true, b);
    assert_eq!(
        streams(receiving),
        [(None, sound.clone()), (Some("h"), camera.clone())].into()
    );
    assert_eq!(receiving.layers, [(camera.clone(), Some("h"))]);
    let of_h = |stats: &TransportStats| {
        let mut streams = stats.streams.iter();
        streams.find(|stream| stream.layer == Some("h")).unwrap().clone()
    };
    for stats in [sending, receiving] {
        let loss = stats.loss.unwrap();
        assert!((0.01..0.15).contains(&loss), "{loss} lost");
        let picture = of_h(stats);
        let jitter = picture.jitter.unwrap().as_millis();
        assert!((2..100).contains(&jitter), "{jitter} ms");
        assert!(picture.loss.is_some() && picture.nacks > 10, "{picture:?}");
        assert!(picture.packets > 1_000);
    }
    assert!(
        of_h(sending).key_frame_requests > 0,
        "one was needed to begin with"
    );
    let round_trip = receiving.round_trip.unwrap().as_millis();
    assert!((80..160).contains(&round_trip), "{round_trip} ms");
    // Three packets of 500 bytes 25 times a second.
    let rate = of_h(sending).bitrate.unwrap();
    assert!((280_000..400_000).contains(&rate), "{rate} bits per second");
    let rate = receiving.bitrate_sent.unwrap();
    assert!((300_000..800_000).contains(&rate), "{rate} bits per second");
    assert!(sending.bitrate_received.unwrap() > 900_000);
}
