//! Loss, strangers and nonsense.

use std::time::Duration;

use muster_sfu::{Command, Lost, MediaError, MediaKind, SfuEvent};

use crate::{
    got::Got,
    world::{Path, SERVER, World},
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn loss_is_repaired_in_both_directions() {
    let mut world = World::new(21);
    let (a, b) = (world.join(), world.join());
    let (camera, _) = world.produce(a, MediaKind::Video, &[], false);
    let mid = world.consume(b, &[(&camera, "f")])[0].mid.clone();
    world.run(SECOND * 2);
    world.path = Path {
        loss: 5,
        delay: Duration::from_millis(25),
        jitter: Duration::from_millis(4),
        rate: None,
    };
    let from = world.now;
    world.run(SECOND * 20);
    world.path.loss = 0;
    let until = world.now;
    world.run(SECOND * 2);
    let got = world.clients[b].recv.of(&mid);
    let mut frames: Vec<u32> = got
        .iter()
        .filter(|got| got.at >= from && got.at < until)
        .map(Got::frame)
        .collect();
    frames.dedup();
    let (first, last) = (frames[0], frames[frames.len() - 1]);
    let expected = last - first + 1;
    let arrived = u32::try_from(frames.len()).unwrap();
    assert!(expected > 480, "{expected} frames");
    assert!(
        arrived * 1_000 >= expected * 995,
        "{arrived} of {expected} frames"
    );
    let mut times: Vec<_> = got.iter().map(|got| got.at).collect();
    times.sort();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest < SECOND, "{longest:?} without a picture");
}

#[test]
fn what_is_lost_on_the_way_in_is_asked_for_without_rtx_too() {
    let mut world = World::new(26);
    let a = world.join();
    world.clients[a].rtx = false;
    world.connect(a, false);
    world.run(SECOND);
    world.produce(a, MediaKind::Video, &[], false);
    world.run(SECOND);
    world.path.loss = 5;
    world.run(SECOND * 5);
    assert!(
        world.clients[a].send.nacks > 5,
        "{} requests",
        world.clients[a].send.nacks
    );
}

#[test]
fn damaged_offers_end_at_most_their_own_connection() {
    let mut world = World::new(27);
    let (a, b, c) = (world.join(), world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let mid = world.consume(b, &[(&sound, "f")])[0].mid.clone();
    world.run(SECOND);
    let before = world.clients[b].recv.of(&mid).len();
    for round in 0..300 {
        let consuming = round % 2 == 0;
        let offer = world.clients[c].bootstrap(consuming, world.now);
        let mut lines: Vec<String> = offer.lines().map(str::to_owned).collect();
        for _ in 0..3 {
            let (from, to) = (world.random(lines.len() as u64), world.random(lines.len() as u64));
            let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
            match world.random(4) {
                0 => lines.swap(from, to),
                1 => lines[from] = lines[to].clone(),
                2 => lines[from].truncate(to),
                _ => lines.insert(from, format!("{}9999999999", lines[to])),
            }
        }
        let offer = lines.join("\r\n") + "\r\n";
        let _ = world.try_command(c, Command::CreateTransport { consuming, offer });
    }
    world.run(SECOND);
    assert!(world.clients[b].recv.of(&mid).len() > before + 40);
}

/// A binding request for this user fragment, without integrity.
fn binding_request(fragment: &str) -> Vec<u8> {
    let name = format!("{fragment}:abcd");
    let mut body = vec![0, 6];
    body.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
    body.extend(name.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    let mut message = vec![0, 1];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42]);
    message.extend([9; 12]);
    message.extend(body);
    message
}

#[test]
fn strangers_get_no_reply() {
    let mut world = World::new(22);
    world.join();
    let stranger = "192.0.2.7:4000".parse().unwrap();
    let server = SERVER.parse().unwrap();
    let offer = world.clients[0].bootstrap(true, world.now);
    let reply = world.command(
        0,
        Command::CreateTransport {
            consuming: true,
            offer,
        },
    );
    let muster_sfu::Reply::Transport { answer, .. } = reply else {
        panic!("{reply:?}")
    };
    let known = answer
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .unwrap();
    let before = world.sfu.counters().unknown;
    let datagrams = [
        binding_request("nobody"),
        binding_request(known),
        vec![22; 100],
        vec![0x80; 100],
        vec![],
        vec![0; 20],
    ];
    let now = world.now;
    for datagram in &datagrams {
        world.sfu.handle_datagram(now, stranger, server, datagram);
        while let Some(transmit) = world.sfu.poll_transmit() {
            assert_ne!(transmit.to, stranger, "{datagram:?}");
        }
    }
    assert_eq!(
        world.sfu.counters().unknown,
        before + 5,
        "all but the one with a known fragment"
    );
    let dtls = vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    world.sfu.handle_datagram(now, stranger, server, &dtls);
    assert_eq!(
        world.sfu.counters().unknown,
        before + 6,
        "the request was not authentic, so the address stays unknown"
    );
}

#[test]
fn nonsense_disturbs_nobody() {
    let mut world = World::new(23);
    let (a, b) = (world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let mid = world.consume(b, &[(&sound, "f")])[0].mid.clone();
    world.run(SECOND);
    let before = world.clients[b].recv.of(&mid).len();
    for round in 0..2_000_u64 {
        let from = if round % 2 == 0 {
            world.clients[a].send.address
        } else {
            world.clients[b].recv.address
        };
        let length = usize::try_from(world.random(200)).unwrap();
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(world.random(256)).unwrap())
            .collect();
        if let Some(first) = bytes.first_mut() {
            // Each of the protocols that share the port (RFC 7983).
            *first = [0, 1, 22, 63, 128, 144, 191, 255][usize::try_from(round % 8).unwrap()];
        }
        world.inject(from, bytes);
        if round % 20 == 0 {
            world.run(Duration::from_millis(20));
        }
    }
    world.run(SECOND);
    let got = world.clients[b].recv.of(&mid);
    assert!(got.len() > before + 140, "{} packets", got.len() - before);
    assert_eq!(world.sfu.counters().failures, 0);
    assert!(
        !world
            .events
            .iter()
            .any(|event| matches!(event, SfuEvent::TransportLost { .. }))
    );
}

#[test]
fn bad_descriptions_are_refused() {
    let mut world = World::new(24);
    let (a, b) = (world.join(), world.join());
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    for offer in [
        "",
        "v=0\r\n",
        "nonsense",
        "m=audio\r\nm=video\r\n",
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
    ] {
        let produce = Command::Produce {
            kind: MediaKind::Audio,
            paused: false,
            screen_share: false,
            offer: offer.to_owned(),
            app_data: None,
            mime_type: None,
            transport: None,
        };
        assert!(
            matches!(
                world.try_command(a, produce),
                Err(MediaError::InvalidDescription(_))
            ),
            "{offer}"
        );
        let transport = world.clients[b].recv.id.clone();
        let renegotiate = Command::Renegotiate {
            transport,
            answer: offer.to_owned(),
        };
        assert!(
            matches!(
                world.try_command(b, renegotiate),
                Err(MediaError::InvalidDescription(_))
            ),
            "{offer}"
        );
    }
    let mid = world.consume(b, &[(&sound, "f")])[0].mid.clone();
    world.run(SECOND);
    assert!(
        world.clients[b].recv.of(&mid).len() > 30,
        "what was good before still is"
    );
    let (_, offer) = world.clients[a].offer_track(MediaKind::Video, &[]);
    let offer = offer.replace("VP8/90000", "AV1/90000");
    let unsupported = Command::Produce {
        kind: MediaKind::Video,
        paused: false,
        screen_share: false,
        offer,
        app_data: None,
        mime_type: Some("video/AV1".to_owned()),
        transport: None,
    };
    assert_eq!(
        world.try_command(a, unsupported),
        Err(MediaError::UnsupportedCodec)
    );
}

#[test]
fn a_connection_that_is_never_used_ends() {
    let mut world = World::new(25);
    world.join();
    let offer = world.clients[0].bootstrap(true, world.now);
    world.command(
        0,
        Command::CreateTransport {
            consuming: true,
            offer,
        },
    );
    world.run(SECOND * 60);
    let silent = |event: &SfuEvent| {
        matches!(
            event,
            SfuEvent::TransportLost {
                consuming: true,
                why: Lost::Silent,
                ..
            }
        )
    };
    assert_eq!(world.events.iter().filter(|event| silent(event)).count(), 1);
}

#[test]
fn a_shard_may_move_to_its_thread() {
    const fn movable<T: Send>() {}
    movable::<muster_sfu::Sfu>();
}

#[test]
fn a_bad_way_delays_but_does_not_end() {
    let mut world = World::new(28);
    let (a, b) = (world.join(), world.join());
    let (camera, _) = world.produce(a, MediaKind::Video, &["f", "h", "q"], false);
    let (sound, _) = world.produce(a, MediaKind::Audio, &[], false);
    let consumed = world.consume(b, &[(&camera, "f"), (&sound, "f")]);
    world.run(SECOND * 2);
    let good = std::mem::replace(
        &mut world.path,
        Path {
            loss: 20,
            delay: Duration::from_millis(150),
            jitter: Duration::from_millis(60),
            rate: None,
        },
    );
    let from = world.now;
    world.run(SECOND * 20);
    let got = |world: &World, at: usize, from| {
        let got = world.clients[b].recv.of(&consumed[at].mid);
        got.iter().filter(|got| got.at >= from).count()
    };
    assert!(
        got(&world, 0, from) > 200,
        "{} packets of pictures",
        got(&world, 0, from)
    );
    assert!(
        got(&world, 1, from) > 550,
        "{} of 1000 packets of sound, lost twice",
        got(&world, 1, from)
    );
    world.path = good;
    world.run(SECOND * 5);
    let from = world.now;
    world.run(SECOND * 2);
    assert!(got(&world, 1, from) >= 99, "{}", got(&world, 1, from));
    assert!(got(&world, 0, from) >= 49, "{}", got(&world, 0, from));
    assert_eq!(world.sfu.counters().failures, 0);
}
