//! A shard, people with connections of their own, and a network between them, in virtual time.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::{Duration, Instant},
};

use muster_model::{MeetingId, PeerId};
use muster_sfu::{Command, ConsumeRequest, Consumed, Kinds, MediaKind, Reply, Sfu, SfuConfig, SfuEvent};
use str0m::{format::Codec, media::Mid};
use uuid::Uuid;

use crate::client::Client;

pub const SERVER: &str = "10.0.0.1:50000";

/// How datagrams travel.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// In percent.
    pub loss: u64,
    pub delay: Duration,
    /// Added at random, so that datagrams overtake each other.
    pub jitter: Duration,
    /// From the server, in bits per second for each connection.
    pub rate: Option<u64>,
}

#[derive(Debug)]
struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// A client whose machine is too busy.
#[derive(Debug, Clone, Copy)]
pub struct Starved {
    pub client: usize,
    /// Until when it does nothing: what arrives is read, and what is due is sent, only then.
    pub until: Instant,
    /// How long it takes for a datagram.
    pub slowness: Duration,
}

/// An id that is the same in each course of a test: rooms keep people in the order of their ids.
fn drawn_id() -> Uuid {
    Uuid::from_u128(fastrand::u128(..))
}

pub struct World {
    pub sfu: Sfu,
    pub now: Instant,
    born: Instant,
    pub meeting: MeetingId,
    pub clients: Vec<Client>,
    pub path: Path,
    /// Whether jitter keeps the order of datagrams, as that of queues does.
    pub ordered: bool,
    pub starved: Option<Starved>,
    pub events: Vec<SfuEvent>,
    air: BTreeMap<(Instant, u64), Datagram>,
    busy_until: BTreeMap<SocketAddr, Instant>,
    /// When the last datagram of each way arrives.
    arrived: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    sent: u64,
    /// How many datagrams there were that count as the same.
    alike: BTreeMap<(SocketAddr, SocketAddr, Vec<u8>), u32>,
    /// What the fate of datagrams is drawn from.
    seed: u64,
    rng: fastrand::Rng,
}

impl World {
    pub fn new(seed: u64) -> Self {
        // What str0m draws (numbers of streams, user fragments) it draws from this thread's generator.
        fastrand::seed(seed);
        let now = Instant::now();
        let mut sfu = Sfu::new(SfuConfig::new(vec![SERVER.parse().unwrap()]), now).unwrap();
        let meeting = MeetingId::from(drawn_id());
        sfu.open_room(meeting);
        Self {
            sfu,
            now,
            born: now,
            meeting,
            clients: Vec::new(),
            path: Path {
                loss: 0,
                delay: Duration::from_millis(10),
                jitter: Duration::ZERO,
                rate: None,
            },
            ordered: false,
            starved: None,
            events: Vec::new(),
            air: BTreeMap::new(),
            busy_until: BTreeMap::new(),
            arrived: BTreeMap::new(),
            sent: 0,
            alike: BTreeMap::new(),
            seed,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// A number below `below`.
    pub fn random(&mut self, below: u64) -> u64 {
        self.rng.u64(..below)
    }

    pub fn command(&mut self, client: usize, command: Command) -> Reply {
        self.try_command(client, command).unwrap()
    }

    pub fn try_command(&mut self, client: usize, command: Command) -> Result<Reply, muster_sfu::MediaError> {
        let peer = self.clients[client].peer;
        let reply = self.sfu.command(self.now, self.meeting, peer, command);
        self.collect();
        reply
    }

    /// A person who is inside and may send everything, with both connections up.
    pub fn join(&mut self) -> usize {
        self.join_with(&[Codec::Vp8])
    }

    /// A person whose client has these codecs of pictures.
    pub fn join_with(&mut self, codecs: &[Codec]) -> usize {
        let index = self.clients.len();
        self.clients
            .push(Client::new(PeerId::from(drawn_id()), index, self.now));
        self.clients[index].codecs = codecs.to_vec();
        self.command(index, Command::Admit(true));
        self.command(index, Command::MayProduce(Kinds::ALL));
        for consuming in [false, true] {
            self.connect(index, consuming);
        }
        let peer = self.clients[index].peer;
        self.run(Duration::from_secs(2));
        let up = |event: &&SfuEvent| matches!(event, SfuEvent::TransportConnected { peer: who, .. } if *who == peer);
        assert_eq!(
            self.events.iter().filter(up).count(),
            2,
            "both connections come up"
        );
        index
    }

    pub fn connect(&mut self, index: usize, consuming: bool) {
        let offer = self.clients[index].bootstrap(consuming, self.now);
        let reply = self.command(index, Command::CreateTransport { consuming, offer });
        let Reply::Transport { transport, answer } = reply else {
            panic!("{reply:?}")
        };
        assert!(
            answer.contains("a=ice-lite") && answer.contains("a=candidate:"),
            "{answer}"
        );
        self.clients[index].connected(consuming, transport, &answer);
    }

    pub fn produce(
        &mut self,
        index: usize,
        kind: MediaKind,
        rids: &[&str],
        screen_share: bool,
    ) -> (String, Mid) {
        self.produce_as(index, kind, rids, screen_share, None)
    }

    /// Sends something as what is named.
    pub fn produce_as(
        &mut self,
        index: usize,
        kind: MediaKind,
        rids: &[&str],
        screen_share: bool,
        mime_type: Option<&str>,
    ) -> (String, Mid) {
        let (mid, offer) = self.clients[index].offer_track(kind, rids);
        let reply = self.command(
            index,
            Command::Produce {
                kind,
                paused: false,
                screen_share,
                offer,
                app_data: Some(format!(r#"{{"mid":"{mid}"}}"#)),
                mime_type: mime_type.map(str::to_owned),
                transport: Some(self.clients[index].send.id.clone()),
            },
        );
        let Reply::Produced { producer, answer } = reply else {
            panic!("{reply:?}")
        };
        self.clients[index].send.answered(&answer);
        self.clients[index].begin(mid, rids, self.now);
        (producer, mid)
    }

    /// Consumes and answers; where it is received.
    pub fn consume(&mut self, index: usize, producers: &[(&str, &str)]) -> Vec<Consumed> {
        let (consumed, offer) = self.ask(index, producers);
        if let Some(offer) = offer {
            self.renegotiate(index, &offer);
        }
        consumed
    }

    pub fn ask(&mut self, index: usize, producers: &[(&str, &str)]) -> (Vec<Consumed>, Option<String>) {
        let request = |(producer, rid): &(&str, &str)| ConsumeRequest {
            producer: (*producer).to_owned(),
            preferred_rid: Some((*rid).to_owned()),
        };
        let requests = producers.iter().map(request).collect();
        let reply = self.command(
            index,
            Command::Consume {
                requests,
                transport: None,
            },
        );
        let Reply::Consumed { consumers, offer } = reply else {
            panic!("{reply:?}")
        };
        (
            consumers
                .into_iter()
                .map(|(_, consumed)| consumed.unwrap())
                .collect(),
            offer,
        )
    }

    pub fn renegotiate(&mut self, index: usize, offer: &str) {
        let answer = self.clients[index].recv.accept(offer);
        let transport = self.clients[index].recv.id.clone();
        self.command(index, Command::Renegotiate { transport, answer });
    }

    pub fn close_consumer(&mut self, index: usize, mid: &str) {
        let offer = self.clients[index].recv.offer_without(mid);
        let reply = self.command(
            index,
            Command::CloseConsumer {
                mids: vec![mid.to_owned()],
                offer,
                transport: None,
            },
        );
        let Reply::Answer(answer) = reply else {
            panic!("{reply:?}")
        };
        self.clients[index].recv.answered(&answer);
    }

    /// Puts a datagram on its way to the server.
    pub fn inject(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        self.travel(Datagram {
            from,
            to: SERVER.parse().unwrap(),
            bytes,
        });
    }

    /// What is drawn for a datagram, by what it is and not by how many went before it: str0m goes through streams
    /// in an order that differs from run to run, which must not change what befalls their packets.
    fn fate(&mut self, datagram: &Datagram) -> fastrand::Rng {
        let bytes = &datagram.bytes;
        let what = match (bytes.first(), bytes.get(1)) {
            // RTP (RFC 7983, RFC 5761): by number and stream.
            (Some(128..=191), Some(kind)) if !(192..=223).contains(kind) && bytes.len() >= 12 => {
                [&bytes[2..4], &bytes[8..12]].concat()
            }
            _ => (self.now - self.born).as_micros().to_be_bytes().to_vec(),
        };
        let times = self
            .alike
            .entry((datagram.from, datagram.to, what.clone()))
            .or_default();
        *times += 1;
        // Its keys are fixed, unlike those of maps.
        let mut hasher = DefaultHasher::new();
        (self.seed, datagram.from, datagram.to, what, *times).hash(&mut hasher);
        fastrand::Rng::with_seed(hasher.finish())
    }

    fn travel(&mut self, datagram: Datagram) {
        let mut fate = self.fate(&datagram);
        if fate.u64(..100) < self.path.loss {
            return;
        }
        let mut leaves = self.now;
        if let (Some(rate), true) = (self.path.rate, datagram.from == SERVER.parse().unwrap()) {
            let busy = self.busy_until.entry(datagram.to).or_insert(self.now);
            // A queue of 300 ms, like that of a home router.
            if *busy > self.now + Duration::from_millis(300) {
                return;
            }
            let bits = datagram.bytes.len() as u64 * 8;
            *busy = (*busy).max(self.now) + Duration::from_micros(bits * 1_000_000 / rate);
            leaves = *busy;
        }
        let micros = u64::try_from(self.path.jitter.as_micros()).unwrap();
        let jitter = Duration::from_micros(fate.u64(..=micros));
        let mut arrives = leaves + self.path.delay + jitter;
        if self.ordered {
            let last = self
                .arrived
                .entry((datagram.from, datagram.to))
                .or_insert(arrives);
            arrives = arrives.max(*last);
            *last = arrives;
        }
        self.sent += 1;
        self.air.insert((arrives, self.sent), datagram);
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.collect();
            let air = self.air.first_key_value().map(|((at, _), _)| *at);
            let due = |(at, client): (usize, &Client)| client.deadline().max(self.free_at(at));
            let clients = self.clients.iter().enumerate().map(due).min();
            let next = [air, clients, self.sfu.poll_timeout()]
                .into_iter()
                .flatten()
                .min();
            let next = next.unwrap_or(end).max(self.now);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            while let Some(entry) = self.air.first_entry()
                && entry.key().0 <= self.now
            {
                let (number, datagram) = (entry.key().1, entry.remove());
                if datagram.to == SERVER.parse().unwrap() {
                    self.sfu
                        .handle_datagram(self.now, datagram.from, datagram.to, &datagram.bytes);
                } else if let Some(at) = self.clients.iter().position(|client| client.owns(datagram.to)) {
                    let free_at = self.free_at(at);
                    if free_at > self.now {
                        // It waits in the socket.
                        self.air.insert((free_at, number), datagram);
                        continue;
                    }
                    self.clients[at].receive(self.now, datagram.from, datagram.to, &datagram.bytes);
                    if let Some(starved) = self.starved.as_mut().filter(|starved| starved.client == at) {
                        starved.until = self.now + starved.slowness;
                    }
                }
            }
            if self.sfu.poll_timeout().is_some_and(|at| at <= self.now) {
                self.sfu.handle_timeout(self.now);
            }
            for at in 0..self.clients.len() {
                if self.free_at(at) <= self.now {
                    self.clients[at].tick(self.now);
                }
            }
        }
    }

    /// From when a client can do something.
    fn free_at(&self, client: usize) -> Instant {
        let starved = self.starved.filter(|starved| starved.client == client);
        starved.map_or(self.now, |starved| starved.until)
    }

    fn collect(&mut self) {
        let mut out = VecDeque::new();
        while let Some(transmit) = self.sfu.poll_transmit() {
            out.push_back((transmit.from, transmit.to, transmit.bytes));
        }
        for client in &mut self.clients {
            out.append(&mut client.out);
        }
        for (from, to, bytes) in out {
            self.travel(Datagram { from, to, bytes });
        }
        while let Some((meeting, event)) = self.sfu.poll_event() {
            assert_eq!(meeting, self.meeting);
            self.events.push(event);
        }
    }
}
