//! What comes to a media shard from outside: session descriptions, packets, their payloads, and STUN. Shared
//! by the fuzz targets and by the tests that replay their corpora. It meets in the virtual-time world of the
//! shard's own tests.

use std::{
    cell::Cell,
    net::SocketAddr,
    time::{Duration, Instant},
};

use muster_model::{MeetingId, PeerId};
use muster_sfu::{
    Command, ConsumeRequest, Kinds, MediaKind, Reply, Sfu, SfuConfig, h264,
    stun::{addressee, is_stun, refusal},
    vp8, vp9,
};
use str0m::format::Codec;

use crate::{
    client::Client,
    world::{SERVER, World},
};

const SECOND: Duration = Duration::from_secs(1);
const CODECS: [(Codec, &str); 3] = [
    (Codec::Vp8, "video/VP8"),
    (Codec::Vp9, "video/VP9"),
    (Codec::H264, "video/H264"),
];

/// A shard with a room, and two people who may do everything.
struct Shard {
    sfu: Sfu,
    now: Instant,
    meeting: MeetingId,
    people: [Client; 2],
}

impl Shard {
    fn new() -> Self {
        let now = Instant::now();
        let config = SfuConfig::new(vec![SERVER.parse().unwrap()]);
        let mut sfu = Sfu::new(config, now).unwrap();
        let meeting = MeetingId::random();
        sfu.open_room(meeting);
        let mut shard = Self {
            sfu,
            now,
            meeting,
            people: [0, 1].map(|at| Client::new(PeerId::random(), at, now)),
        };
        for who in [0, 1] {
            shard.ask(who, Command::Admit(true)).unwrap();
            shard.ask(who, Command::MayProduce(Kinds::ALL)).unwrap();
        }
        shard
    }

    fn ask(&mut self, who: usize, command: Command) -> Option<Reply> {
        let reply = self
            .sfu
            .command(self.now, self.meeting, self.people[who].peer, command);
        self.drain();
        reply.ok()
    }

    fn drain(&mut self) {
        while self.sfu.poll_transmit().is_some() {}
        while self.sfu.poll_event().is_some() {}
    }

    /// A connection from an offer as clients make them.
    fn connect(&mut self, who: usize, consuming: bool) -> String {
        let offer = self.people[who].bootstrap(consuming, self.now);
        let reply = self.ask(who, Command::CreateTransport { consuming, offer });
        let Some(Reply::Transport { transport, answer }) = reply else {
            panic!("a good offer was refused: {reply:?}")
        };
        self.people[who].connected(consuming, transport.clone(), &answer);
        transport
    }

    fn produce(&mut self, who: usize, kind: MediaKind, offer: &str) -> Option<String> {
        let produce = Command::Produce {
            kind,
            paused: false,
            screen_share: false,
            offer: offer.to_owned(),
            app_data: None,
            mime_type: None,
            transport: None,
        };
        match self.ask(who, produce)? {
            Reply::Produced { producer, .. } => Some(producer),
            other => panic!("{other:?}"),
        }
    }

    fn consume(&mut self, who: usize, producer: &str) -> Option<String> {
        let requests = vec![ConsumeRequest {
            producer: producer.to_owned(),
            preferred_rid: None,
        }];
        let transport = None;
        match self.ask(who, Command::Consume { requests, transport })? {
            Reply::Consumed { offer, .. } => offer,
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            let Some(at) = self.sfu.poll_timeout().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            self.sfu.handle_timeout(self.now);
            self.drain();
        }
        panic!("deadlines without end");
    }
}

/// A description, wherever a client may bring one: none may panic or disturb others, and who brought it can
/// begin anew.
pub fn descriptions(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut shard = Shard::new();
    shard.connect(1, false);
    let (mid, offer) = shard.people[1].offer_track(MediaKind::Video, &[]);
    let camera = shard.produce(1, MediaKind::Video, &offer);
    let camera = camera.unwrap_or_else(|| panic!("{mid} was refused: {offer}"));
    for good_first in [false, true] {
        for consuming in [false, true] {
            if good_first {
                shard.connect(0, consuming);
            } else {
                let offer = text.to_string();
                shard.ask(0, Command::CreateTransport { consuming, offer });
            }
        }
        for kind in [MediaKind::Audio, MediaKind::Video] {
            if let Some(producer) = shard.produce(0, kind, &text) {
                let offer = text.to_string();
                shard.ask(0, Command::CloseProducer { producer, offer });
            }
        }
        let offered = shard.consume(0, &camera);
        let transport = shard.people[0].recv.id.clone();
        for answer in [Some(text.to_string()), offered].into_iter().flatten() {
            let transport = transport.clone();
            shard.ask(0, Command::Renegotiate { transport, answer });
        }
        shard.ask(
            0,
            Command::CloseConsumer {
                mids: vec!["s1".to_owned()],
                offer: text.to_string(),
                transport: None,
            },
        );
        shard.pass(SECOND / 2);
    }
    let transport = shard.connect(0, true);
    let offer = shard.consume(0, &camera).unwrap();
    let answer = shard.people[0].recv.accept(&offer);
    assert_eq!(
        shard.ask(0, Command::Renegotiate { transport, answer }),
        Some(Reply::Done)
    );
    assert_eq!(shard.sfu.producers(shard.meeting, shard.people[1].peer).len(), 1);
    shard.sfu.close_room(shard.now, shard.meeting);
    shard.pass(SECOND);
    assert_eq!(shard.sfu.poll_timeout(), None, "nothing is left");
}

/// Bytes as decisions.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn small(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        self.0.by_ref().take(count).copied().collect()
    }
}

/// Somebody sends anything for payloads, numbers and datagrams, while somebody else watches and a third talks:
/// what is sent well afterwards arrives, and the talk is not disturbed.
pub fn packets(data: &[u8]) {
    let mut bytes = Bytes(data.iter());
    let mut world = World::new(1);
    let (codec, mime) = CODECS[usize::from(bytes.small() % 3)];
    let (a, b, c) = (world.join_with(&[codec]), world.join_with(&[codec]), world.join());
    let rids: &[&str] = if bytes.small().is_multiple_of(2) {
        &["f", "h", "q"]
    } else {
        &[]
    };
    let (camera, _) = world.produce_as(a, MediaKind::Video, rids, false, Some(mime));
    let (sound, _) = world.produce(c, MediaKind::Audio, &[], false);
    let received = world.consume(b, &[(&camera, "f"), (&sound, "f")]);
    world.run(SECOND / 2);
    let heard = world.clients[b].recv.of(&received[1].mid).len();
    let begun = world.now;
    let toggle = |pause| Command::ToggleProducer {
        producer: camera.clone(),
        pause,
    };
    for _ in 0..200 {
        let Some(what) = bytes.0.next() else { break };
        match what % 8 {
            0..=3 => {
                let (layer, step, flags) = (bytes.small(), bytes.small().cast_signed(), bytes.small());
                let length = usize::from(bytes.small());
                let payload = bytes.take(length);
                let now = world.now;
                world.clients[a].forge(0, layer.into(), step.into(), flags % 2 == 0, payload, now);
            }
            4 => {
                let from: [SocketAddr; 3] = [
                    world.clients[a].send.address,
                    world.clients[b].recv.address,
                    "192.0.2.9:9".parse().unwrap(),
                ];
                let from = from[usize::from(bytes.small() % 3)];
                let length = usize::from(bytes.small());
                let datagram = bytes.take(length);
                world.inject(from, datagram);
            }
            5 => world.run(Duration::from_millis(u64::from(bytes.small()))),
            6 => {
                let command = match bytes.small() % 4 {
                    0 => toggle(true),
                    1 => toggle(false),
                    at => Command::UpdateSimulcast {
                        layers: vec![(camera.clone(), ["f", "q"][usize::from(at % 2)].to_owned())],
                    },
                };
                let from = if matches!(command, Command::ToggleProducer { .. }) {
                    a
                } else {
                    b
                };
                world.command(from, command);
            }
            _ => world.clients[b].want_key_frame(&received[0].mid),
        }
    }
    world.command(a, toggle(false));
    world.run(SECOND * 3);
    let seen = world.clients[b].recv.of(&received[0].mid).len();
    world.run(SECOND);
    assert!(
        world.clients[b].recv.of(&received[0].mid).len() >= seen + 20,
        "what is sent well arrives"
    );
    let heard = world.clients[b].recv.of(&received[1].mid).len() - heard;
    let expected = usize::try_from((world.now - begun).as_millis() / 20).unwrap();
    assert!(heard + 5 >= expected, "{heard} of {expected} packets of sound");
    assert_eq!(world.sfu.counters().failures, 0);
}

/// Payloads of pictures: each parser reads or refuses, and what is rewritten reads the same but for that.
pub fn payloads(data: &[u8]) {
    let _ = (vp8::parse(data), h264::parse(data));
    let Some(before) = vp9::parse(data) else {
        assert_eq!(vp9::rewrite(data, Some(1), Some(1)), None);
        return;
    };
    let rewritten = vp9::rewrite(data, Some(0x1234), Some(0x56)).unwrap();
    assert_eq!(rewritten.len(), data.len());
    let after = vp9::parse(&rewritten).unwrap();
    let id = before
        .picture_id
        .map(|(_, bits)| (if bits == 7 { 0x34 } else { 0x1234 }, bits));
    assert_eq!(after.picture_id, id);
    assert_eq!(after.tl0_picture_index, before.tl0_picture_index.map(|_| 0x56));
    let id = before.picture_id.map(|(id, _)| id);
    assert_eq!(
        vp9::rewrite(&rewritten, id, before.tl0_picture_index).as_deref(),
        Some(data)
    );
}

/// Datagrams from a stranger, as they are and after a user name that is known: none is answered, since the
/// stranger knows no password.
pub fn stun(data: &[u8]) {
    let hash = |payloads: &[&[u8]]| {
        let mut sum = [7; 20];
        for (at, byte) in payloads.concat().into_iter().enumerate() {
            sum[at % 20] ^= byte.rotate_left(u32::try_from(at % 8).unwrap_or_default());
        }
        sum
    };
    let name = addressee(data);
    assert!(name.is_none() || is_stun(data));
    assert!(refusal(data, hash).is_none() || name.is_some());
    let (mut shard, fragment) = AWAITING.take().unwrap_or_else(awaiting);
    let stranger: SocketAddr = "192.0.2.7:4000".parse().unwrap();
    let server: SocketAddr = SERVER.parse().unwrap();
    for datagram in [data.to_vec(), to(&fragment, data)] {
        shard.sfu.handle_datagram(shard.now, stranger, server, &datagram);
        while let Some(transmit) = shard.sfu.poll_transmit() {
            assert_ne!(transmit.to, stranger, "{datagram:?}");
        }
        shard.pass(SECOND / 10);
    }
    assert_eq!(shard.sfu.counters().failures, 0);
    if shard.sfu.knows_fragment(&fragment) {
        AWAITING.set(Some((shard, fragment)));
    }
}

thread_local! {
    /// Kept from one story to the next until its patience ends: to make its keys takes longer than a story.
    static AWAITING: Cell<Option<(Shard, String)>> = const { Cell::new(None) };
}

/// A shard that awaits somebody, and by which user fragment.
fn awaiting() -> (Shard, String) {
    let mut shard = Shard::new();
    let offer = shard.people[0].bootstrap(true, shard.now);
    let create = Command::CreateTransport {
        consuming: true,
        offer,
    };
    let Some(Reply::Transport { answer, .. }) = shard.ask(0, create) else {
        panic!("a good offer was refused")
    };
    let fragment = answer
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .unwrap();
    (shard, fragment.to_owned())
}

/// A binding request to somebody, with these attributes after the name.
fn to(fragment: &str, attributes: &[u8]) -> Vec<u8> {
    let name = format!("{fragment}:abcd");
    let mut body = vec![0, 6];
    body.extend(u16::try_from(name.len()).unwrap_or_default().to_be_bytes());
    body.extend(name.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(&attributes[..attributes.len().min(400) / 4 * 4]);
    let mut message = vec![0, 1];
    message.extend(u16::try_from(body.len()).unwrap_or_default().to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42]);
    message.extend([9; 12]);
    message.extend(body);
    message
}
