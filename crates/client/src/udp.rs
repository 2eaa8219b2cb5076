//! UDP with many datagrams for each system call.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdUdpSocket},
};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket};

/// Bytes of one read: several datagrams of one sender may come as one.
const READ_BYTES: usize = 64 << 10;
/// Bytes of datagrams that one write may join.
const WRITE_BYTES: usize = 60 << 10;
/// Bytes that the kernel may hold for a socket, in each direction.
const SOCKET_BUFFER: usize = 2 << 20;

/// Room for what one system call reads. Sockets of one thread share it.
#[derive(Debug)]
pub struct Buffers {
    memory: Vec<Vec<u8>>,
    about: Vec<RecvMeta>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            memory: vec![vec![0; READ_BYTES]; BATCH_SIZE],
            about: vec![RecvMeta::default(); BATCH_SIZE],
        }
    }
}

/// A socket that belongs to one remote address or to many.
#[derive(Debug)]
pub struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    joined: Vec<u8>,
}

/// The address of this machine from which `remote` is reached.
pub fn local_ip_towards(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if remote.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let probe = StdUdpSocket::bind((any, 0))?;
    probe.connect(remote)?;
    Ok(probe.local_addr()?.ip())
}

impl Udp {
    /// Binds an address. It must be called within a runtime.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = StdUdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let reference = socket2::SockRef::from(&socket);
        // The kernel gives less where its own bound is lower; that is its owner's choice.
        let _ = reference.set_recv_buffer_size(SOCKET_BUFFER);
        let _ = reference.set_send_buffer_size(SOCKET_BUFFER);
        let local = socket.local_addr()?;
        let socket = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self {
            socket,
            state,
            local,
            joined: Vec::new(),
        })
    }

    /// Where it is bound.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Waits until there may be something to read.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads what one system call gives, and hands each datagram on with who sent it; how many, none
    /// where there is nothing to read.
    pub fn receive(
        &self,
        buffers: &mut Buffers,
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<usize> {
        let read = {
            let mut slices: Vec<IoSliceMut<'_>> =
                buffers.memory.iter_mut().map(|m| IoSliceMut::new(m)).collect();
            let about = &mut buffers.about;
            self.socket.try_io(Interest::READABLE, || {
                self.state
                    .recv(UdpSockRef::from(&self.socket), &mut slices, about)
            })
        };
        let count = match read {
            Ok(count) => count,
            // Word of a receiver that is gone; media says that in its own way.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) =>
            {
                return Ok(0);
            }
            Err(error) => return Err(error),
        };
        let mut taken = 0;
        for (memory, about) in buffers.memory.iter().zip(&buffers.about).take(count) {
            for datagram in memory[..about.len].chunks(about.stride.max(1)) {
                take(about.addr, datagram);
                taken += 1;
            }
        }
        Ok(taken)
    }

    /// Sends datagrams, neighbours of one size to one address together. What the kernel does not take at
    /// once is lost, as on any way; how many that were.
    pub fn send<B: AsRef<[u8]>>(&mut self, datagrams: &[(SocketAddr, B)]) -> usize {
        let most = self.state.max_gso_segments().max(1);
        let mut lost = 0;
        let mut rest = datagrams;
        while let Some((to, first)) = rest.first() {
            let size = first.as_ref().len().max(1);
            let mut count = 1;
            while count < most.min(rest.len())
                && (count + 1) * size <= WRITE_BYTES
                && rest[count].0 == *to
                && rest[count].1.as_ref().len() <= size
            {
                count += 1;
                // Only the last may be shorter.
                if rest[count - 1].1.as_ref().len() < size {
                    break;
                }
            }
            let (now, later) = rest.split_at(count);
            rest = later;
            if !self.send_joined(*to, size, now) {
                lost += count;
            }
        }
        lost
    }

    fn send_joined<B: AsRef<[u8]>>(
        &mut self,
        to: SocketAddr,
        size: usize,
        datagrams: &[(SocketAddr, B)],
    ) -> bool {
        let contents = if let [(_, only)] = datagrams {
            only.as_ref()
        } else {
            self.joined.clear();
            for (_, datagram) in datagrams {
                self.joined.extend_from_slice(datagram.as_ref());
            }
            &self.joined
        };
        let transmit = quinn_udp::Transmit {
            destination: to,
            ecn: None,
            contents,
            segment_size: (datagrams.len() > 1).then_some(size),
            src_ip: None,
        };
        // Not by the runtime's notion of what is writable, which knows nothing of a socket that is new.
        self.state
            .try_send(UdpSockRef::from(&self.socket), &transmit)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_joined_arrives_apart() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (mut from, to) = (Udp::bind(any).unwrap(), Udp::bind(any).unwrap());
        let other = Udp::bind(any).unwrap();
        let sizes = [100, 100, 40, 100, 200, 7, 100];
        let mut sent: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
        for (size, at) in sizes.into_iter().zip(0..) {
            sent.push((to.local(), vec![at; size]));
        }
        sent.push((other.local(), vec![99; 100]));
        assert_eq!(from.send(&sent), 0);
        let mut buffers = Buffers::default();
        let mut got = Vec::new();
        while got.len() < sizes.len() {
            to.readable().await.unwrap();
            to.receive(&mut buffers, |who, bytes| {
                assert_eq!(who, from.local());
                got.push(bytes.to_vec());
            })
            .unwrap();
        }
        let expected: Vec<Vec<u8>> = sent[..sizes.len()]
            .iter()
            .map(|(_, bytes)| bytes.clone())
            .collect();
        assert_eq!(got, expected);
        other.readable().await.unwrap();
        let mut alone = 0;
        other
            .receive(&mut buffers, |_, bytes| alone = bytes.len())
            .unwrap();
        assert_eq!(alone, 100);
        assert_eq!(
            local_ip_towards(to.local()).unwrap(),
            IpAddr::from([127, 0, 0, 1])
        );
    }
}
