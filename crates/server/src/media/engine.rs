//! The media engine: a thread for each shard, with a socket of its own, and one that takes TCP connections.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    thread::JoinHandle,
};

use anyhow::Context;
use muster_model::{MeetingId, PeerId};
use muster_room::{MediaEffect, MediaKinds, RequestId};
use muster_sfu::{Command, Kinds};
use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Media, MediaEvents, RoomMedia,
    addresses::{self, Addresses},
    listener::Listener,
    shard::{self, ToShard},
};
use crate::{realtime::codec::MediaRequest, telemetry::metrics::Metrics};

/// Bytes that the kernel may hold for a socket in each direction: a key frame for many at once.
const SOCKET_BUFFER: usize = 4 << 20;

/// TCP connections that may wait to be taken.
const BACKLOG: i32 = 1_024;
/// Ports that are tried where any will do.
const FREE_PORTS: usize = 20;

/// The media engine: a thread for each shard, with a socket of its own, and one that takes TCP connections.
#[derive(Debug)]
pub struct Engine {
    shards: Vec<mpsc::UnboundedSender<ToShard>>,
    addresses: Vec<SocketAddr>,
    _threads: Vec<JoinHandle<()>>,
}

/// Where an engine listens.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Of the first shard's UDP socket, and of the TCP socket of all. Each further shard's UDP socket is a port
    /// higher; port 0 takes free ones.
    pub address: SocketAddr,
    /// Addresses told to clients; those of the interfaces where there are none.
    pub given: Vec<IpAddr>,
    /// Whether clients may come by TCP.
    pub tcp: bool,
}

impl Listen {
    /// The addresses told to clients for a socket.
    fn addresses(&self, bound: SocketAddr, interfaces: &[IpAddr]) -> anyhow::Result<Addresses> {
        let candidates = addresses::candidates(bound, &self.given, interfaces);
        anyhow::ensure!(
            !candidates.is_empty(),
            "no address of this machine can be told to clients for media; give one with --media-ip"
        );
        Ok(Addresses::new(candidates, !self.given.is_empty()))
    }

    /// The same, without IPv6 where this machine has none.
    fn usable(&self) -> Self {
        let mut listen = self.clone();
        let any = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        if self.address.ip() == any.ip() && open(any, Type::DGRAM).is_err() {
            tracing::info!("this machine has no IPv6; media are on IPv4 alone");
            listen.address.set_ip(Ipv4Addr::UNSPECIFIED.into());
        }
        listen
    }

    /// The sockets of the first port: UDP, and TCP with the same number.
    fn bind_first(&self) -> anyhow::Result<(UdpSocket, Option<TcpListener>)> {
        for _ in 0..FREE_PORTS {
            let udp = bind(self.address)?;
            if !self.tcp {
                return Ok((udp, None));
            }
            match bind_tcp(udp.local_addr()?) {
                Ok(tcp) => return Ok((udp, Some(tcp))),
                // A port that is free for the one need not be for the other.
                Err(_) if self.address.port() == 0 => {}
                Err(error) => anyhow::bail!(
                    "cannot listen for media over TCP on {}: {error}; choose another port with --media-listen or do without by --media-tcp false",
                    self.address
                ),
            }
        }
        anyhow::bail!("no port is free for media both by UDP and by TCP")
    }
}

impl Engine {
    /// Binds the sockets of `count` shards and starts their threads, which end when `stop` is cancelled.
    pub fn start(
        listen: &Listen,
        count: usize,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let listen = listen.usable();
        let interfaces = addresses::interfaces().context("the addresses of this machine are not told")?;
        let (first, tcp) = listen.bind_first()?;
        let mut sockets = vec![first];
        for index in 1..count {
            let port = match listen.address.port() {
                0 => 0,
                base => base
                    .checked_add(u16::try_from(index)?)
                    .context("media_listen leaves no port for every shard")?,
            };
            sockets.push(bind(SocketAddr::new(listen.address.ip(), port))?);
        }
        let tcp = match tcp {
            Some(socket) => Some((listen.addresses(socket.local_addr()?, &interfaces)?, socket)),
            None => None,
        };
        let mut shards = Vec::new();
        let mut bound = Vec::new();
        let mut threads = Vec::new();
        for (index, socket) in sockets.into_iter().enumerate() {
            let address = socket.local_addr()?;
            let (commands, heard) = mpsc::unbounded_channel();
            let shard = shard::Shard {
                socket,
                addresses: listen.addresses(address, &interfaces)?,
                tcp_candidates: tcp
                    .as_ref()
                    .map_or_else(Vec::new, |(addresses, _)| addresses.candidates.clone()),
                counters: metrics.media.clone(),
                gauges: metrics.shard(index),
                stop: stop.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || shard.run(heard))
                .context("a thread for media")?;
            shards.push(commands);
            bound.push(address);
            threads.push(thread);
        }
        if let Some((addresses, socket)) = tcp {
            let listener = Listener {
                socket,
                addresses,
                shards: shards.clone(),
                counters: metrics.media.clone(),
                stop: stop.clone(),
            };
            let thread = std::thread::Builder::new()
                .name("media-tcp".to_owned())
                .spawn(move || listener.run())
                .context("a thread for media")?;
            threads.push(thread);
        }
        Ok(Self {
            shards,
            addresses: bound,
            _threads: threads,
        })
    }
}

/// Binds a UDP socket; one of all IPv6 addresses serves those of IPv4 too.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "the media address {address} is taken; stop the other program or choose another with --media-listen"
        ),
        _ => anyhow::anyhow!("cannot listen for media on {address}: {error}"),
    })?;
    // The kernel gives less where its own bound is lower; that is its owner's choice.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    Ok(socket.into())
}

fn bind_tcp(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = open(address, Type::STREAM)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn open(address: SocketAddr, kind: Type) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        // A server that starts again need not wait for the connections of the one before.
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

impl Media for Engine {
    fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.clone()
    }

    fn open(&self, meeting: MeetingId, events: MediaEvents) -> Box<dyn RoomMedia> {
        // The same room on the same shard each time, for whoever reads the metrics.
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(meeting);
        let at = usize::try_from(hash % self.shards.len() as u64).unwrap_or(0);
        let shard = self.shards[at].clone();
        // A shard hears nothing more only when the server stops.
        let _ = shard.send(ToShard::Open { meeting, events });
        Box::new(RoomLine {
            meeting,
            shard,
            may_produce: HashMap::new(),
        })
    }
}

/// A room's line to its shard.
#[derive(Debug)]
struct RoomLine {
    meeting: MeetingId,
    shard: mpsc::UnboundedSender<ToShard>,
    /// What each peer may send.
    may_produce: HashMap<PeerId, Kinds>,
}

impl RoomLine {
    fn tell(&self, peer: PeerId, command: Command, by: Option<PeerId>) {
        let _ = self.shard.send(ToShard::Tell {
            meeting: self.meeting,
            peer,
            command,
            by,
        });
    }

    fn may_produce(&mut self, peer: PeerId, kinds: Kinds) {
        self.may_produce.insert(peer, kinds);
        self.tell(peer, Command::MayProduce(kinds), None);
    }
}

fn kinds(kinds: MediaKinds) -> Kinds {
    Kinds {
        audio: kinds.audio,
        video: kinds.video,
        screen_share: kinds.screenshare,
    }
}

impl RoomMedia for RoomLine {
    fn apply(&mut self, effect: MediaEffect) {
        match effect {
            MediaEffect::Admit { peer, admitted } => self.tell(peer, Command::Admit(admitted), None),
            MediaEffect::Remove(peer) => {
                self.may_produce.remove(&peer);
                self.tell(peer, Command::RemovePeer, None);
            }
            MediaEffect::Rejoined(peer) => self.tell(peer, Command::Rejoined, None),
            MediaEffect::MayProduce { peer, kinds: may } => self.may_produce(peer, kinds(may)),
            MediaEffect::Mute {
                peer,
                kinds: muted,
                by,
                allow_unmute,
            } => {
                let cut = kinds(muted);
                self.tell(peer, Command::Mute(cut), by);
                if !allow_unmute {
                    let may = self.may_produce.get(&peer).copied().unwrap_or(Kinds::ALL);
                    self.may_produce(
                        peer,
                        Kinds {
                            audio: may.audio && !cut.audio,
                            video: may.video && !cut.video,
                            screen_share: may.screen_share && !cut.screen_share,
                        },
                    );
                }
            }
        }
    }

    fn request(&mut self, peer: PeerId, id: RequestId, request: MediaRequest) {
        let _ = self.shard.send(ToShard::Ask {
            meeting: self.meeting,
            peer,
            id,
            request,
        });
    }
}

impl Drop for RoomLine {
    fn drop(&mut self) {
        let _ = self.shard.send(ToShard::Close(self.meeting));
    }
}
