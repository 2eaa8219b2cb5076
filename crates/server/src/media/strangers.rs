//! TCP connections that have not said yet for whom they are: so many in all, and of each network a part of
//! them, so that none can keep everybody else out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;

/// Strangers at a time in all.
const IN_ALL: usize = 512;
/// Those from one site: it may have a whole IPv6 /48 or IPv4 /24, and takes some.
const PER_SITE: usize = 128;
/// Those from one subscriber, who has an IPv6 /64 or one IPv4 address.
const PER_SUBSCRIBER: usize = 32;

/// Who is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Strangers(Arc<Mutex<Present>>);

#[derive(Debug, Default)]
struct Present {
    in_all: usize,
    /// By subscriber and by site; none is zero.
    by_network: HashMap<IpNet, usize>,
}

/// A place among them, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Stranger {
    all: Strangers,
    networks: [IpNet; 2],
}

impl Strangers {
    /// A place for somebody from this address, if there is one.
    pub(super) fn enter(&self, ip: IpAddr) -> Option<Stranger> {
        let networks = networks(ip);
        let mut present = self.lock();
        let count = |network| present.by_network.get(network).copied().unwrap_or_default();
        let [subscriber, site] = &networks;
        if present.in_all >= IN_ALL || count(subscriber) >= PER_SUBSCRIBER || count(site) >= PER_SITE {
            return None;
        }
        present.in_all += 1;
        for network in networks {
            *present.by_network.entry(network).or_default() += 1;
        }
        Some(Stranger {
            all: self.clone(),
            networks,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut present = self.all.lock();
        present.in_all -= 1;
        for network in &self.networks {
            match present.by_network.get_mut(network) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(present.by_network.remove(network)),
            }
        }
    }
}

/// The networks of a subscriber and of a site to which an address belongs.
fn networks(ip: IpAddr) -> [IpNet; 2] {
    let lengths = if ip.is_ipv6() { [64, 48] } else { [32, 24] };
    lengths.map(|length| IpNet::new_assert(ip, length).trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as are let in of these addresses.
    fn enter(strangers: &Strangers, from: impl Iterator<Item = String>) -> Vec<Stranger> {
        from.filter_map(|ip| strangers.enter(ip.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_subscriber_has_some_places_and_a_site_some_more() {
        for (one, many) in [
            (
                (|at| format!("192.0.2.{}", at / 1_000)) as fn(u32) -> String,
                (|at| format!("192.0.2.{}", at % 256)) as fn(u32) -> String,
            ),
            (
                |at| format!("2001:db8:0:1::{at:x}"),
                |at| format!("2001:db8:0:{at:x}::1"),
            ),
        ] {
            let strangers = Strangers::default();
            let mut of_one = enter(&strangers, (0..1_000).map(one));
            assert_eq!(of_one.len(), PER_SUBSCRIBER);
            of_one.pop();
            assert!(strangers.enter(one(0).parse().unwrap()).is_some(), "a free place");
            drop(of_one);
            let of_many = enter(&strangers, (0..1_000).map(many));
            assert_eq!(of_many.len(), PER_SITE);
            for other in ["198.51.100.1", "2001:db8:1::1"] {
                assert!(strangers.enter(other.parse().unwrap()).is_some(), "{other}");
            }
        }
    }

    #[test]
    fn there_are_so_many_in_all_and_nothing_is_kept_of_them() {
        let strangers = Strangers::default();
        let all = (0..10_000).map(|at| format!("10.{}.{}.1", at / 256, at % 256));
        let inside = enter(&strangers, all);
        assert_eq!(inside.len(), IN_ALL);
        drop(inside);
        let present = strangers.lock();
        assert!(present.by_network.is_empty());
        assert_eq!(present.in_all, 0);
    }
}
