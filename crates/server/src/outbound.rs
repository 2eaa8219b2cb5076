//! Which addresses from outside (webhooks, storage, streams, pictures) this server may connect to.
//!
//! An address that a caller gives is judged twice: here, as soon as it comes, where it names an
//! address itself; and, where it names a host, by what that resolves to when the connection is made.

pub mod http;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Why an address is refused. Fit for the caller, after the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no http or https address with a host.
    #[error("must be an http or https address with a host")]
    NotHttp,
    /// It leads to a place that is not on the public internet.
    #[error("must not lead to {0}, which is not a public address")]
    NotPublic(IpAddr),
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = first;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// What is not the public internet.
const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 0, 8),       // this network
    v4(10, 0, 0, 0, 8),      // private
    v4(100, 64, 0, 0, 10),   // shared by a provider's customers
    v4(127, 0, 0, 0, 8),     // loopback
    v4(169, 254, 0, 0, 16),  // link-local, and the metadata services of clouds
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocol assignments
    v4(192, 0, 2, 0, 24),    // documentation
    v4(192, 88, 99, 0, 24),  // relays of old
    v4(192, 168, 0, 0, 16),  // private
    v4(198, 18, 0, 0, 15),   // benchmarks
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(224, 0, 0, 0, 4),     // multicast
    v4(240, 0, 0, 0, 4),     // reserved, and broadcast
];

/// What is not the public internet.
const NOT_PUBLIC_V6: [Ipv6Net; 11] = [
    v6([0, 0, 0], 32),          // unspecified, loopback, and IPv4 written in six
    v6([0x64, 0xff9b, 1], 48),  // translation within a site
    v6([0x100, 0, 0], 64),      // discarded
    v6([0x2001, 0, 0], 23),     // protocol assignments, and tunnels to anywhere
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x3fff, 0, 0], 20),     // documentation
    v6([0x5f00, 0, 0], 16),     // segment routing
    v6([0xfc00, 0, 0], 7),      // private
    v6([0xfe80, 0, 0], 10),     // link-local
    v6([0xfec0, 0, 0], 10),     // site-local
    v6([0xff00, 0, 0], 8),      // multicast
];

/// The IPv4 address that an IPv6 address stands for: translated, or tunnelled to.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, _, a, b, c, d, ..] = address.octets();
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        [0x2002, ..] => Some(Ipv4Addr::new(a, b, c, d)),
        _ => None,
    }
}

/// Whether this server may connect to an address: one of the public internet, or of the networks
/// that the operator allows beside it.
pub fn may_reach(address: IpAddr, allowed: &[IpNet]) -> bool {
    // An IPv4 address written in six (::ffff:a.b.c.d) is that IPv4 address.
    let address = address.to_canonical();
    if allowed.iter().any(|network| network.contains(&address)) {
        return true;
    }
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => may_reach(inner.into(), allowed),
            None => !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address)),
        },
    }
}

/// Reads an http or https address with a host.
pub fn parse(text: &str) -> Result<Url, Refusal> {
    let url = Url::parse(text).map_err(|_| Refusal::NotHttp)?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(Refusal::NotHttp)
    }
}

/// Judges an address that names an address itself, in whatever spelling. One that names a host is
/// judged when it is connected to.
pub fn check(text: &str, allowed: &[IpNet]) -> Result<Url, Refusal> {
    let url = parse(text)?;
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return Ok(url),
    };
    if may_reach(address, allowed) {
        Ok(url)
    } else {
        Err(Refusal::NotPublic(address.to_canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_what_is_not_public_is_refused() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.255.255.254",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "012.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "3232235777",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.1.2.3]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2002:c0a8:101::1]",
            "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
            "[2001:db8::1]",
            "[100::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[febf::1]",
            "[fec0::1]",
            "[ff02::1]",
        ] {
            for url in [
                format!("http://{host}/"),
                format!("https://user:pw@{host}:8443/hook?x=1"),
            ] {
                assert!(matches!(check(&url, &[]), Err(Refusal::NotPublic(_))), "{url}");
            }
        }
    }

    #[test]
    fn the_public_internet_and_names_pass() {
        for host in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.1",
            "100.128.0.1",
            "192.167.1.1",
            "223.255.255.255",
            "16843009",
            "[2606:4700::1111]",
            "[2a00:1450:4001::200e]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::1]",
            "example.com",
            "hooks.internal",
            "xn--bcher-kva.example",
            "127.0.0.1.example.com",
        ] {
            let url = format!("https://{host}/hook");
            assert!(check(&url, &[]).is_ok(), "{url}: {:?}", check(&url, &[]));
        }
    }

    #[test]
    fn only_http_with_a_host() {
        for text in [
            "",
            "example.com",
            "/hook",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "gopher://127.0.0.1",
            "http://",
            "https:///",
            "http://:80/",
            "http://1.2.3.256/",
            "http://[::1",
            "http://exa mple.com/",
            "http://example.com:99999/",
        ] {
            assert_eq!(check(text, &[]), Err(Refusal::NotHttp), "{text}");
        }
    }

    #[test]
    fn what_the_operator_allows_passes_in_every_spelling() {
        let allowed: Vec<IpNet> = ["127.0.0.1/32", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .into();
        for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "[fd00::5]"] {
            assert!(check(&format!("http://{host}:9000/"), &allowed).is_ok(), "{host}");
        }
        for host in ["127.0.0.2", "10.0.0.1", "[fc00::5]", "[::1]"] {
            assert!(check(&format!("http://{host}/"), &allowed).is_err(), "{host}");
        }
    }
}
