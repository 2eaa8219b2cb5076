//! At which addresses clients are told to reach the media sockets.

use std::net::{IpAddr, SocketAddr};

/// The addresses at which clients reach one socket.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Told to clients.
    pub candidates: Vec<SocketAddr>,
    /// Whether these are not our own: clients reach us behind a translation of addresses.
    pub translated: bool,
}

impl Addresses {
    /// Those told to clients.
    pub const fn new(candidates: Vec<SocketAddr>, translated: bool) -> Self {
        Self {
            candidates,
            translated,
        }
    }

    /// The candidate that a sender used: the one with the address `ip` that its packet came to, where that is
    /// known, else one of the sender's family.
    pub fn used(&self, ip: Option<IpAddr>, source: SocketAddr) -> Option<SocketAddr> {
        let told = ip.map(|ip| ip.to_canonical()).filter(|_| !self.translated);
        self.candidates
            .iter()
            .find(|candidate| told == Some(candidate.ip()))
            .or_else(|| {
                let v4 = source.ip().to_canonical().is_ipv4();
                self.candidates.iter().find(|candidate| candidate.is_ipv4() == v4)
            })
            .copied()
    }
}

/// The addresses for a socket that listens on `bound`: those given, or that one, or those of every
/// interface. Loopback is told too, for clients on this machine; it comes last.
pub fn candidates(bound: SocketAddr, given: &[IpAddr], interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    let fits = |ip: &&IpAddr| bound.is_ipv6() || ip.is_ipv4();
    let mut ips: Vec<IpAddr> = if !given.is_empty() {
        given.iter().filter(fits).copied().collect()
    } else if bound.ip().is_unspecified() {
        interfaces
            .iter()
            .filter(fits)
            .filter(|ip| is_reachable(**ip))
            .copied()
            .collect()
    } else {
        vec![bound.ip()]
    };
    ips.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    ips.dedup();
    ips.into_iter()
        .map(|ip| SocketAddr::new(ip, bound.port()))
        .collect()
}

/// Link-local IPv6 needs a zone that a client does not have.
fn is_reachable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_unicast_link_local(),
    }
}

/// The addresses of this machine's interfaces.
pub fn interfaces() -> std::io::Result<Vec<IpAddr>> {
    Ok(if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn told(bound: &str, given: &[&str]) -> Vec<String> {
        let interfaces = ips(&[
            "127.0.0.1",
            "192.0.2.7",
            "::1",
            "fe80::1",
            "2001:db8::7",
            "169.254.0.9",
        ]);
        candidates(bound.parse().unwrap(), &ips(given), &interfaces)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_interface_is_told_unless_one_is_named() {
        assert_eq!(told("0.0.0.0:5", &[]), ["192.0.2.7:5", "127.0.0.1:5"]);
        assert_eq!(
            told("[::]:5", &[]),
            ["192.0.2.7:5", "[2001:db8::7]:5", "127.0.0.1:5", "[::1]:5"]
        );
        assert_eq!(told("127.0.0.1:5", &[]), ["127.0.0.1:5"]);
        assert_eq!(
            told("0.0.0.0:5", &["203.0.113.1", "2001:db8::1"]),
            ["203.0.113.1:5"]
        );
    }
}
