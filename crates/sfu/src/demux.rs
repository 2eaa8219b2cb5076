//! Whose a datagram is.

use std::net::SocketAddr;

use crate::{
    api::{Protocol, Transmit},
    sfu::Sfu,
    stun,
};

/// Addresses that one connection may have: browsers try every way there is, and leave old ones behind when
/// they change networks.
const ADDRESSES_MAX: usize = 16;

impl Sfu {
    /// STUN goes by the user fragment in it, all else by the address, which only counts once a STUN
    /// message from there was authentic. What belongs to nobody, nor did until just now, is dropped without a
    /// reply.
    pub(crate) fn take_in(
        &mut self,
        protocol: Protocol,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
    ) {
        self.counters.datagrams += 1;
        let known = self.by_address.get(&(protocol, source)).copied();
        let is_stun = stun::is_stun(datagram);
        let named = is_stun.then(|| stun::addressee(datagram)).flatten();
        let place = match named {
            Some(fragment) => self.by_fragment.get(fragment).copied(),
            None => known,
        };
        let now = self.now;
        let destination = self.candidate_for(protocol, destination);
        self.present = place;
        let refused = match place {
            _ if named.is_none() => None,
            Some(place) => self.refusal(place, datagram),
            None => self.refusal_after_end(datagram),
        };
        if let Some(bytes) = refused {
            self.said.transmits.push_back(Transmit {
                protocol,
                from: destination,
                to: source,
                bytes,
            });
            return;
        }
        let Some(place) = place else {
            self.counters.unknown += 1;
            return;
        };
        let sent = self.said.transmits.len();
        let read = self.with_link(place, |link, said| {
            link.receive(now, protocol, source, destination, datagram, said)
        });
        if read == Some(false) {
            self.counters.malformed += 1;
        }
        // ICE answers only what is authentic, so an answer is the proof of the address.
        if named.is_some()
            && known != Some(place)
            && self
                .said
                .transmits
                .iter()
                .skip(sent)
                .any(|t| t.to == source && t.protocol == protocol)
        {
            self.bind((protocol, source), place);
        }
    }

    /// The refusal of an authentic check of a connection that has ended.
    fn refusal_after_end(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let hmac = self.crypto.sha1_hmac_provider;
        self.departed
            .refusal(datagram, |key, payloads| hmac.sha1_hmac(key, payloads))
    }

    /// The candidate that stands for the address a datagram came to: behind a translation of
    /// addresses they differ.
    fn candidate_for(&self, protocol: Protocol, destination: SocketAddr) -> SocketAddr {
        let candidates = match protocol {
            Protocol::Udp => &self.config.candidates,
            Protocol::Tcp => &self.config.tcp_candidates,
        };
        if candidates.contains(&destination) {
            return destination;
        }
        let same_family = |c: &&SocketAddr| c.is_ipv4() == destination.is_ipv4();
        candidates
            .iter()
            .find(same_family)
            .copied()
            .unwrap_or(destination)
    }

    fn bind(&mut self, address: (Protocol, SocketAddr), place: usize) {
        if let Some(before) = self.by_address.insert(address, place)
            && let Some(transport) = self.transports.get_mut(before)
        {
            transport.addresses.retain(|other| *other != address);
        }
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        transport.addresses.push(address);
        if transport.addresses.len() > ADDRESSES_MAX {
            // The ways by TCP are mostly the spare ones.
            let earlier = &transport.addresses[..ADDRESSES_MAX];
            let spare = earlier
                .iter()
                .position(|(protocol, _)| *protocol == Protocol::Tcp);
            let oldest = transport.addresses.remove(spare.unwrap_or(0));
            self.drop_address(oldest);
        }
    }

    /// Forgets an address. A TCP connection from there is of nobody any more, and has to be closed.
    pub(crate) fn drop_address(&mut self, address: (Protocol, SocketAddr)) {
        self.by_address.remove(&address);
        if let (Protocol::Tcp, remote) = address {
            self.closed.push_back(remote);
        }
    }

    /// From where the next TCP connection came that is of nobody any more: its client has too many, or is
    /// gone. It is to be closed after what was to be sent by it.
    pub fn poll_closed(&mut self) -> Option<SocketAddr> {
        loop {
            let remote = self.closed.pop_front()?;
            // It may have become somebody's again.
            if !self.by_address.contains_key(&(Protocol::Tcp, remote)) {
                return Some(remote);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{api::Command, world::World};

    #[test]
    fn tcp_connections_beyond_the_bound_and_of_those_who_left_are_to_be_closed() {
        let mut world = World::new(3);
        let ana = world.join();
        let peer = world.clients[ana].peer;
        let place = world.sfu.peer_mut(world.meeting, peer).unwrap().sending.unwrap();
        let remote = |port: u16| SocketAddr::from(([10, 9, 9, 9], port));
        let closed = |world: &mut World| -> BTreeSet<SocketAddr> {
            std::iter::from_fn(|| world.sfu.poll_closed()).collect()
        };
        for port in 1..=40 {
            world.sfu.bind((Protocol::Tcp, remote(port)), place);
        }
        let known = |world: &World| -> BTreeSet<SocketAddr> {
            let known = world.sfu.by_address.iter();
            known
                .filter(|((protocol, _), owner)| *protocol == Protocol::Tcp && **owner == place)
                .map(|((_, address), _)| *address)
                .collect()
        };
        let kept = known(&world);
        assert!(
            kept.len() <= ADDRESSES_MAX && kept.contains(&remote(40)),
            "{kept:?}"
        );
        // The first that was dropped comes again, and another is dropped for it.
        world.sfu.bind((Protocol::Tcp, remote(1)), place);
        let kept = known(&world);
        let dropped = closed(&mut world);
        let all: BTreeSet<SocketAddr> = (1..=40).map(remote).collect();
        assert_eq!(dropped, &all - &kept);
        assert!(kept.contains(&remote(1)));
        world.command(ana, Command::RemovePeer);
        assert_eq!(closed(&mut world), kept);
        assert!(known(&world).is_empty());
    }
}
