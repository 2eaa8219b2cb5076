//! A shard's UDP socket: batches in, batches out.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket},
    time::Instant,
};

use muster_sfu::{Sfu, Transmit};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket};

use super::addresses::Addresses;

/// Bytes of one read: several datagrams of one sender may come as one.
const READ_BYTES: usize = 64 << 10;
/// Reads before others get their turn.
pub(super) const READS: usize = 16;
/// Bytes that leave in one system call at most.
const WRITE_BYTES: usize = 60 << 10;

/// What is read.
pub(super) struct Buffers {
    memory: Vec<Vec<u8>>,
    about: Vec<RecvMeta>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self {
            // Each asked for by itself: copies would be written, and then take memory before they are used.
            memory: (0..BATCH_SIZE).map(|_| vec![0; READ_BYTES]).collect(),
            about: vec![RecvMeta::default(); BATCH_SIZE],
        }
    }
}

/// Datagrams that leave together: the same way, the same size but for the last.
#[derive(Debug)]
struct Batch {
    from: IpAddr,
    to: SocketAddr,
    size: usize,
    count: usize,
    bytes: Vec<u8>,
}

impl Batch {
    fn new() -> Self {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        Self {
            from: nobody.ip(),
            to: nobody,
            size: 0,
            count: 0,
            bytes: Vec::with_capacity(WRITE_BYTES),
        }
    }

    fn begin(&mut self, transmit: &Transmit) {
        self.from = transmit.from.ip();
        self.to = transmit.to;
        self.size = transmit.bytes.len();
        self.count = 1;
        self.bytes.clear();
        self.bytes.extend_from_slice(&transmit.bytes);
    }

    /// Whether there is a place for one more. A shorter one has it, but is the last.
    fn fits(&self, transmit: &Transmit, segments: usize) -> bool {
        self.count > 0
            && self.count < segments
            && self.to == transmit.to
            && self.from == transmit.from.ip()
            && self.bytes.len() == self.size * self.count
            && transmit.bytes.len() <= self.size
            && self.bytes.len() + transmit.bytes.len() <= WRITE_BYTES
    }

    fn push(&mut self, transmit: &Transmit) {
        self.bytes.extend_from_slice(&transmit.bytes);
        self.count += 1;
    }
}

/// The socket, and which of our addresses a datagram came to.
pub(super) struct Line {
    pub(super) socket: UdpSocket,
    state: UdpSocketState,
    is_v6: bool,
    batch: Batch,
    /// Datagrams that the kernel did not take.
    pub(super) unsent: u64,
}

impl Line {
    pub(super) fn new(socket: &StdUdpSocket) -> io::Result<Self> {
        let socket = UdpSocket::from_std(socket.try_clone()?)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let is_v6 = socket.local_addr()?.is_ipv6();
        Ok(Self {
            socket,
            state,
            is_v6,
            batch: Batch::new(),
            unsent: 0,
        })
    }

    /// Reads what one system call gives; false when there is nothing more.
    pub(super) fn receive(
        &self,
        addresses: &Addresses,
        buffers: &mut Buffers,
        sfu: &mut Sfu,
    ) -> io::Result<bool> {
        let read = {
            let mut memory = buffers.memory.iter_mut();
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(memory.next().map_or(&mut [], |m| &mut m[..])));
            let about = &mut buffers.about;
            self.socket.try_io(Interest::READABLE, || {
                self.state
                    .recv(UdpSockRef::from(&self.socket), &mut slices, about)
            })
        };
        let count = match read {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            // Word of a receiver that is gone; nothing of ours.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(true),
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        for (memory, about) in buffers.memory.iter().zip(&buffers.about).take(count) {
            let Some((source, destination)) = ends(about, addresses) else {
                continue;
            };
            for datagram in memory[..about.len].chunks(about.stride.max(1)) {
                sfu.handle_datagram(now, source, destination, datagram);
            }
        }
        Ok(true)
    }

    /// Sends a datagram, perhaps together with the next ones: [`Line::flush`] sends the last.
    pub(super) fn send(&mut self, addresses: &Addresses, transmit: &Transmit) {
        let segments = self.state.max_gso_segments();
        if self.batch.fits(transmit, segments) {
            return self.batch.push(transmit);
        }
        self.flush(addresses);
        self.batch.begin(transmit);
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self, addresses: &Addresses) {
        if self.batch.count == 0 {
            return;
        }
        let source = (!addresses.translated).then(|| self.of_family(self.batch.from));
        let datagrams = quinn_udp::Transmit {
            destination: SocketAddr::new(self.of_family(self.batch.to.ip()), self.batch.to.port()),
            ecn: None,
            contents: &self.batch.bytes,
            segment_size: (self.batch.count > 1).then_some(self.batch.size),
            src_ip: source,
        };
        let sent = self.socket.try_io(Interest::WRITABLE, || {
            self.state.try_send(UdpSockRef::from(&self.socket), &datagrams)
        });
        // What the kernel does not take at once is lost, as on any other way; receivers ask again.
        if sent.is_err() {
            self.unsent += self.batch.count as u64;
        }
        self.batch.count = 0;
    }

    /// An address as the socket's own family writes it.
    fn of_family(&self, ip: IpAddr) -> IpAddr {
        match ip {
            IpAddr::V4(ip) if self.is_v6 => IpAddr::V6(ip.to_ipv6_mapped()),
            ip => ip,
        }
    }
}

/// From where to where a datagram went; none where it cannot be answered. Port 0 is nobody's, and the kernel's
/// refusal to send there would be taken for a want of offload, which would end for good.
fn ends(about: &RecvMeta, addresses: &Addresses) -> Option<(SocketAddr, SocketAddr)> {
    let source = canonical(about.addr);
    let destination = addresses.used(about.dst_ip, source)?;
    (source.port() != 0).then_some((source, destination))
}

/// An IPv4 address as such, although an IPv6 socket told it.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use muster_sfu::Protocol;

    use super::*;

    fn datagram(to: SocketAddr, size: usize, first: u8) -> Transmit {
        let mut bytes = vec![0; size];
        bytes[0] = first;
        Transmit {
            protocol: Protocol::Udp,
            from: "127.0.0.1:1".parse().unwrap(),
            to,
            bytes,
        }
    }

    fn receiver(at: &str) -> (StdUdpSocket, SocketAddr) {
        let socket = StdUdpSocket::bind(at).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket2::SockRef::from(&socket)
            .set_recv_buffer_size(1 << 20)
            .unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    fn line(at: &str) -> (Line, Addresses) {
        let socket = super::super::engine::bind(at.parse().unwrap()).unwrap();
        let told = vec!["127.0.0.1:1".parse().unwrap()];
        (Line::new(&socket).unwrap(), Addresses::new(told, false))
    }

    /// Sizes and first bytes of what arrives.
    fn arrived(socket: &StdUdpSocket, count: usize) -> Vec<(usize, u8)> {
        let mut buffer = [0; 2_000];
        let mut read = || {
            let (size, from) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(from.ip().to_canonical().to_string(), "127.0.0.1");
            (size, buffer[0])
        };
        (0..count).map(|_| read()).collect()
    }

    #[tokio::test]
    async fn what_leaves_together_arrives_apart_and_in_order() {
        for at in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
            let (mut line, addresses) = line(at);
            line.socket.writable().await.unwrap();
            let (one, to_one) = receiver("127.0.0.1:0");
            let (two, to_two) = receiver("127.0.0.1:0");
            let sizes = [1_200, 1_200, 1_200, 700, 1_200, 900, 1_000];
            for (first, size) in (0..).zip(sizes) {
                line.send(&addresses, &datagram(to_one, size, first));
            }
            for first in 0..100 {
                line.send(&addresses, &datagram(to_two, 1_100, first));
            }
            line.flush(&addresses);
            let expected: Vec<(usize, u8)> = sizes.into_iter().zip(0..).collect();
            assert_eq!(arrived(&one, sizes.len()), expected, "{at}");
            let expected: Vec<(usize, u8)> = (0..100).map(|first| (1_100, first)).collect();
            assert_eq!(arrived(&two, 100), expected, "{at}");
            assert_eq!(line.unsent, 0);
        }
    }

    #[test]
    fn what_cannot_be_answered_is_not_read() {
        let to: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let addresses = Addresses::new(vec![to], false);
        let mut about = RecvMeta::default();
        about.dst_ip = Some(to.ip());
        for from in ["127.0.0.1:0", "[::ffff:127.0.0.1]:0"] {
            about.addr = from.parse().unwrap();
            assert_eq!(ends(&about, &addresses), None, "{from}");
        }
        about.addr = "[::ffff:127.0.0.1]:9".parse().unwrap();
        assert_eq!(
            ends(&about, &addresses),
            Some(("127.0.0.1:9".parse().unwrap(), to))
        );
    }

    #[test]
    fn only_what_goes_the_same_way_leaves_together() {
        let to: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let mut batch = Batch::new();
        assert!(!batch.fits(&datagram(to, 100, 0), 64), "nothing waits");
        batch.begin(&datagram(to, 100, 0));
        assert!(batch.fits(&datagram(to, 100, 0), 64));
        assert!(!batch.fits(&datagram(to, 100, 0), 1), "no offload");
        assert!(!batch.fits(&datagram(to, 101, 0), 64), "a larger one");
        assert!(!batch.fits(&datagram("127.0.0.1:8".parse().unwrap(), 100, 0), 64));
        batch.push(&datagram(to, 99, 0));
        assert!(
            !batch.fits(&datagram(to, 99, 0), 64),
            "a shorter one was the last"
        );
    }
}
