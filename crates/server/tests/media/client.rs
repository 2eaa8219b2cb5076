//! A room on an engine, and clients that come by UDP or only by TCP.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt};
use muster_model::{MediaKind, MeetingId, PeerId};
use muster_room::{MediaEffect, MediaKinds, RequestId};
use muster_server::{
    media::{
        Media, MediaEvent, MediaEvents, RoomMedia,
        engine::{Engine, Listen},
    },
    realtime::codec::{ConsumeRequest, MediaReply, MediaRequest},
    telemetry::metrics::Metrics,
};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::Codec,
    media::{Direction, MediaKind as Kind, Mid, Pt},
    net::{Protocol, Receive, TcpType},
    rtp::{RtpPacket, RtpWrite},
};
use tokio::{
    net::{TcpStream, UdpSocket, tcp::OwnedReadHalf},
    sync::mpsc,
    time::timeout,
};
use tokio_util::{
    codec::{FramedRead, FramedWrite, LengthDelimitedCodec},
    sync::{CancellationToken, DropGuard},
};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An engine with one room.
pub struct Stage {
    pub engine: Engine,
    pub metrics: Metrics,
    pub room: Box<dyn RoomMedia>,
    pub events: mpsc::UnboundedReceiver<MediaEvent>,
    _stop: DropGuard,
}

impl Stage {
    /// At free ports of an address.
    pub fn new(address: &str, shards: usize) -> Self {
        let metrics = Metrics::new().unwrap();
        let stop = CancellationToken::new();
        let listen = Listen {
            address: address.parse().unwrap(),
            given: Vec::new(),
            tcp: true,
        };
        let engine = Engine::start(&listen, shards, &metrics, &stop).unwrap();
        let (events, heard) = MediaEvents::channel();
        let room = engine.open(MeetingId::random(), events);
        Self {
            engine,
            metrics,
            room,
            events: heard,
            _stop: stop.drop_guard(),
        }
    }

    /// Somebody who may send and receive everything.
    pub fn admit(&mut self) -> PeerId {
        let peer = PeerId::random();
        let kinds = MediaKinds {
            audio: true,
            video: true,
            screenshare: true,
        };
        self.room.apply(MediaEffect::Admit { peer, admitted: true });
        self.room.apply(MediaEffect::MayProduce { peer, kinds });
        peer
    }

    /// Asks for something; the reply.
    pub async fn ask(&mut self, peer: PeerId, request: MediaRequest) -> MediaReply {
        let id = RequestId {
            id: Arc::from("1"),
            event: 0,
        };
        self.room.request(peer, id, request);
        loop {
            let event = timeout(PATIENCE, self.events.recv())
                .await
                .expect("a reply")
                .unwrap();
            match event {
                MediaEvent::Reply { reply, .. } => return reply,
                MediaEvent::Failed { why, .. } => panic!("{why}"),
                _ => {}
            }
        }
    }

    /// A connection that is up, to the last candidate, which is loopback.
    pub async fn connect(&mut self, peer: PeerId, consuming: bool, way: Protocol) -> Connection {
        self.connect_to(peer, consuming, way, |_| true).await
    }

    /// A connection that is up, to the last of some candidates.
    pub async fn connect_to(
        &mut self,
        peer: PeerId,
        consuming: bool,
        way: Protocol,
        fits: impl Fn(&SocketAddr) -> bool,
    ) -> Connection {
        let mut begun = Connection::begin();
        let offer = begun.offer.take().unwrap();
        let reply = self
            .ask(peer, MediaRequest::CreateTransport { consuming, offer })
            .await;
        let MediaReply::TransportCreated {
            transport, answer, ..
        } = reply
        else {
            panic!("{reply:?}")
        };
        let mut told = candidates(&answer, if way == Protocol::Tcp { "tcp" } else { "udp" });
        told.retain(fits);
        let remote = *told.last().expect("a candidate");
        let mut connection = begun.connect_to(remote, way, transport, &answer).await;
        connection.run_until(|c| c.rtc.is_connected()).await;
        connection
    }

    /// Sends sound by a connection; the producer.
    pub async fn produce(&mut self, peer: PeerId, connection: &mut Connection) -> String {
        let mid = connection.add_sound();
        let request = MediaRequest::Produce {
            kind: MediaKind::Audio,
            paused: false,
            screen_share: false,
            offer: connection.offer.take().unwrap(),
            msid: String::new(),
            app_data: Some(format!(r#"{{"mid":"{mid}"}}"#)),
            mime_type: None,
            transport: Some(connection.transport.clone()),
        };
        let reply = self.ask(peer, request).await;
        let MediaReply::Produced { producer, answer } = reply else {
            panic!("{reply:?}")
        };
        connection.answered(&answer);
        producer
    }

    /// Receives something by a connection.
    pub async fn consume(&mut self, peer: PeerId, producer: &str, connection: &mut Connection) {
        let request = MediaRequest::Consume {
            requests: vec![ConsumeRequest {
                peer: None,
                producer: producer.to_owned(),
                preferred_rid: None,
            }],
            transport: Some(connection.transport.clone()),
        };
        let reply = self.ask(peer, request).await;
        let MediaReply::Consumed { offer, .. } = reply else {
            panic!("{reply:?}")
        };
        let offer = SdpOffer::from_sdp_string(&offer.unwrap()).unwrap();
        let answer = connection
            .rtc
            .sdp_api()
            .accept_offer(offer)
            .unwrap()
            .to_sdp_string();
        let transport = connection.transport.clone();
        self.ask(peer, MediaRequest::Renegotiate { transport, answer })
            .await;
    }

    /// A metric's value.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.metrics.render();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .parse()
            .unwrap()
    }
}

/// The addresses of one protocol in a description.
pub fn candidates(answer: &str, protocol: &str) -> Vec<SocketAddr> {
    let told = answer.lines().filter_map(|line| {
        let words: Vec<&str> = line.strip_prefix("a=candidate:")?.split_whitespace().collect();
        let at = format!("{}:{}", words[4], words[5]);
        let at6 = format!("[{}]:{}", words[4], words[5]);
        (words[2] == protocol).then(|| at.parse().or_else(|_| at6.parse()).unwrap())
    });
    let mut told: Vec<SocketAddr> = told.collect();
    told.dedup();
    told
}

/// How a connection's datagrams travel.
enum Carrier {
    Tcp {
        frames: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
        out: mpsc::UnboundedSender<bytes::Bytes>,
    },
    Udp(UdpSocket),
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .length_field_type::<u16>()
        .new_codec()
}

/// A connection that is described, and not made yet.
pub struct Begun {
    rtc: Rtc,
    pub offer: Option<String>,
    pending: SdpPendingOffer,
}

/// A client's connection.
pub struct Connection {
    pub rtc: Rtc,
    pub transport: String,
    pub got: Vec<RtpPacket>,
    /// The size of the last datagram that may be media.
    pub last_size: usize,
    pub answer: String,
    pub offer: Option<String>,
    pending: Option<SdpPendingOffer>,
    carrier: Carrier,
    local: SocketAddr,
    remote: SocketAddr,
    sound: Option<(Mid, u64)>,
}

impl Connection {
    fn begin() -> Begun {
        let config = Rtc::builder().set_rtp_mode(true).clear_codecs();
        let mut rtc = config
            .enable_opus(true, false)
            .enable_vp8(true)
            .build(Instant::now());
        let mut api = rtc.sdp_api();
        api.add_media(Kind::Audio, Direction::SendOnly, None, None, None);
        api.add_media(Kind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        Begun {
            rtc,
            offer: Some(offer.to_sdp_string()),
            pending,
        }
    }

    fn add_sound(&mut self) -> Mid {
        let mut api = self.rtc.sdp_api();
        let mid = api.add_media(Kind::Audio, Direction::SendOnly, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        self.offer = Some(offer.to_sdp_string());
        self.sound = Some((mid, 0));
        mid
    }

    fn answered(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// The server's ICE user fragment.
    pub fn fragment_of_server(&self) -> String {
        let told = self
            .answer
            .lines()
            .find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        told.unwrap().to_owned()
    }

    /// Lets the kernel hold little of what this client does not read.
    pub fn shrink(&self) {
        if let Carrier::Tcp { frames, .. } = &self.carrier {
            let stream: &TcpStream = frames.get_ref().as_ref();
            socket2::SockRef::from(stream)
                .set_recv_buffer_size(4_096)
                .unwrap();
        }
    }

    /// Writes 20 ms of sound.
    pub fn speak(&mut self) {
        self.write(80);
    }

    /// Writes 20 ms of sound that take as much as they may.
    pub fn speak_much(&mut self) {
        self.write(1_100);
    }

    fn write(&mut self, size: usize) {
        let (mid, number) = self.sound.as_mut().unwrap();
        *number += 1;
        let (mid, number) = (*mid, *number);
        let params = self.rtc.codec_config().params();
        let pt: Pt = params
            .iter()
            .find(|p| p.spec().codec == Codec::Opus)
            .unwrap()
            .pt();
        let time = u32::try_from(number * 960).unwrap();
        let payload = vec![7; size];
        let write = RtpWrite::new(pt, number.into(), time, Instant::now(), payload);
        let mut api = self.rtc.direct_api();
        api.stream_tx_by_mid(mid, None).unwrap().write_rtp(write);
        let _ = self.drain();
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
        let _ = self.drain();
    }

    /// Sends what there is; when to look again.
    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => return at,
                Output::Transmit(sent) => match &self.carrier {
                    Carrier::Tcp { out, .. } => {
                        assert_eq!(sent.proto, Protocol::Tcp);
                        let _ = out.send(Vec::from(sent.contents).into());
                    }
                    Carrier::Udp(socket) => {
                        let _ = socket.try_send(&Vec::from(sent.contents));
                    }
                },
                Output::Event(Event::RtpPacket(packet)) => self.got.push(packet),
                Output::Event(_) => {}
            }
        }
    }

    /// Takes one datagram, or lets time pass.
    pub async fn step(&mut self) {
        let due = self.drain();
        let mut buffer = [0; 2_000];
        let (protocol, bytes) = match &mut self.carrier {
            Carrier::Tcp { frames, .. } => tokio::select! {
                frame = frames.next() => (Protocol::Tcp, frame.expect("open").unwrap()),
                () = tokio::time::sleep_until(due.into()) => (Protocol::Tcp, bytes::BytesMut::new()),
            },
            Carrier::Udp(socket) => tokio::select! {
                size = socket.recv(&mut buffer) => (Protocol::Udp, buffer[..size.unwrap()].into()),
                () = tokio::time::sleep_until(due.into()) => (Protocol::Udp, bytes::BytesMut::new()),
            },
        };
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            self.last_size = bytes.len();
        }
        let now = Instant::now();
        if bytes.is_empty() {
            self.rtc.handle_input(Input::Timeout(now)).unwrap();
        } else if let Ok(received) = Receive::new(protocol, self.remote, self.local, &bytes) {
            self.rtc.handle_input(Input::Receive(now, received)).unwrap();
        }
        let _ = self.drain();
    }

    pub async fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let run = async {
            while !done(self) {
                self.step().await;
            }
        };
        timeout(PATIENCE, run).await.expect("in time");
    }
}

impl Begun {
    async fn connect_to(
        mut self,
        remote: SocketAddr,
        way: Protocol,
        transport: String,
        answer: &str,
    ) -> Connection {
        let (carrier, local) = if way == Protocol::Tcp {
            let stream = TcpStream::connect(remote).await.unwrap();
            let local = stream.local_addr().unwrap();
            let candidate = Candidate::builder().tcp().host(local).tcptype(TcpType::Active);
            self.rtc.add_local_candidate(candidate.build().unwrap());
            let (read, write) = stream.into_split();
            let (out, mut waiting) = mpsc::unbounded_channel();
            tokio::spawn(async move {
                let mut write = FramedWrite::new(write, codec());
                while let Some(frame) = waiting.recv().await {
                    let _ = write.send(frame).await;
                }
            });
            let frames = FramedRead::new(read, codec());
            (Carrier::Tcp { frames, out }, local)
        } else {
            let any: SocketAddr = if remote.is_ipv4() {
                ([127, 0, 0, 1], 0).into()
            } else {
                "[::1]:0".parse().unwrap()
            };
            let socket = UdpSocket::bind(any).await.unwrap();
            socket.connect(remote).await.unwrap();
            let local = socket.local_addr().unwrap();
            self.rtc
                .add_local_candidate(Candidate::host(local, "udp").unwrap());
            (Carrier::Udp(socket), local)
        };
        let mut connection = Connection {
            rtc: self.rtc,
            transport,
            got: Vec::new(),
            last_size: 0,
            answer: answer.to_owned(),
            offer: None,
            pending: Some(self.pending),
            carrier,
            local,
            remote,
            sound: None,
        };
        connection.answered(answer);
        connection
    }
}

/// Somebody speaks until somebody else has heard so many packets more.
pub async fn converse(from: &mut Connection, to: &mut Connection, packets: usize) {
    let wanted = to.got.len() + packets;
    let mut clock = tokio::time::interval(Duration::from_millis(5));
    let run = async {
        while to.got.len() < wanted {
            tokio::select! {
                _ = clock.tick() => from.speak(),
                () = from.step() => {}
                () = to.step() => {}
            }
        }
    };
    timeout(PATIENCE, run).await.expect("in time");
}
