//! Who really sent a request that came through proxies: only trusted networks are believed, from the peer inward.
//! What was originally asked for is in [`crate::domain::original_request`].

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

/// The networks whose `X-Forwarded-*` and `X-Original-*` headers we believe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedNetworks(Vec<IpNet>);

impl TrustedNetworks {
    /// Networks written as IPv4-mapped IPv6 (`::ffff:10.0.0.0/104`) mean the IPv4 network.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into_iter().map(unmapped).collect())
    }

    /// Whether the address lies in one of the networks. An IPv4-mapped IPv6 address counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn unmapped(network: IpNet) -> IpNet {
    const MAPPED_PREFIX: u8 = 96;
    let IpNet::V6(wide) = network else { return network };
    let narrow = wide.addr().to_ipv4_mapped().zip(wide.prefix_len().checked_sub(MAPPED_PREFIX));
    narrow.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

/// The header lines of a request, as this room needs them.
pub trait HeaderValues {
    /// The values of all lines with this lower-case name, in the order in which they arrived.
    fn values<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a;
}

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address of the first sender that is not one of our proxies. Never IPv4-mapped.
    pub address: IpAddr,
    /// Whether the connection came from a trusted network, so that its forwarding headers count.
    pub through_trusted_proxy: bool,
}

impl Client {
    /// Walks `X-Forwarded-For` from its right end, where our nearest proxy wrote, to the left, as long as the sender is
    /// trusted. What an untrusted sender wrote is not read. A malformed entry ends the walk at the last good address;
    /// so whoever controls the left end of the header can at most seem to be our own proxy, never somebody else.
    #[must_use]
    pub fn resolve(peer: IpAddr, trusted: &TrustedNetworks, headers: &impl HeaderValues) -> Self {
        let mut address = peer.to_canonical();
        if !trusted.contains(address) {
            return Self { address, through_trusted_proxy: false };
        }
        let entries = headers.values("x-forwarded-for").rev().flat_map(|line| line.rsplit(|&byte| byte == b','));
        for entry in entries {
            let Some(sender) = parse_sender(entry) else { break };
            address = sender;
            if !trusted.contains(address) {
                break;
            }
        }
        Self { address, through_trusted_proxy: true }
    }
}

/// One entry of `X-Forwarded-For`: an address, with or without port; IPv6 with or without brackets.
fn parse_sender(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Header lines for tests.
    pub(crate) struct Lines(pub(crate) Vec<(String, Vec<u8>)>);

    impl Lines {
        pub(crate) fn of(lines: &[(&str, &str)]) -> Self {
            Self(lines.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect())
        }
    }

    impl HeaderValues for Lines {
        fn values<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
            self.0.iter().filter(move |line| line.0 == name).map(|line| line.1.as_slice())
        }
    }

    pub(crate) fn trusted() -> TrustedNetworks {
        TrustedNetworks::new(["10.0.0.0/8", "fd00::/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec())
    }

    fn resolved(peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|value| ("x-forwarded-for", *value)).collect();
        Client::resolve(peer.parse().unwrap(), &trusted(), &Lines::of(&lines)).address.to_string()
    }

    #[test]
    fn the_walk_ends_at_the_first_sender_that_is_not_ours() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1", "203.0.113.9,10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "10.0.0.3", " 10.0.0.2\t"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ];
        for (peer, lines, client) in cases {
            assert_eq!(resolved(peer, lines), *client, "{lines:?}");
        }
    }

    #[test]
    fn what_an_untrusted_peer_writes_is_not_read() {
        assert_eq!(resolved("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        let client = Client::resolve([203, 0, 113, 9].into(), &trusted(), &Lines::of(&[("x-forwarded-for", "::1")]));
        assert!(!client.through_trusted_proxy);
    }

    #[test]
    fn every_way_to_write_an_address_is_understood() {
        let cases = [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::9", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("[2001:db8::9]:4711", "2001:db8::9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ];
        for (entry, client) in cases {
            assert_eq!(resolved("10.0.0.1", &[entry]), client, "{entry}");
        }
    }

    #[test]
    fn a_malformed_entry_ends_the_walk_at_the_last_good_one() {
        for bad in ["unknown", "_hidden", "", "1.2.3", "1.2.3.4:99999", "[::1", "fe80::1%eth0", "1.2.3.4 5.6.7.8"] {
            let line = format!("198.51.100.1, {bad}, 10.0.0.2");
            assert_eq!(resolved("10.0.0.1", &[&line]), "10.0.0.2", "{bad}");
        }
    }

    #[test]
    fn mapped_addresses_are_the_ipv4_address() {
        assert_eq!(resolved("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        let mapped = TrustedNetworks::new(vec!["::ffff:10.0.0.0/104".parse().unwrap()]);
        assert!(mapped.contains([10, 1, 2, 3].into()));
        assert!(!mapped.contains([11, 1, 2, 3].into()));
    }

    proptest! {
        #[test]
        fn the_client_is_the_peer_or_named_by_a_trusted_one(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4)) {
            let headers = Lines(lines.into_iter().map(|value| ("x-forwarded-for".to_owned(), value)).collect());
            let stranger: IpAddr = [203, 0, 113, 9].into();
            prop_assert_eq!(Client::resolve(stranger, &trusted(), &headers).address, stranger);
            let behind_proxy = Client::resolve([10, 0, 0, 1].into(), &trusted(), &headers);
            prop_assert!(behind_proxy.through_trusted_proxy);
        }

        #[test]
        fn forged_entries_to_the_left_change_nothing(forged in "[ -~]{0,60}") {
            let line = format!("{forged}, 203.0.113.9, 10.0.0.2");
            prop_assert_eq!(resolved("10.0.0.1", &[&line]), "203.0.113.9");
        }
    }
}
