//! Whose counter a try is charged to: hashes, never a name or an address in clear. What is asked of them is `limiter.rs`.

use super::limiter::Target;
use crate::domain::throttle::{Charge, Limit, Scope};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn charge(scope: Scope, target: Target<'_>, limit: Limit) -> Option<Charge> {
    let subject = match target {
        Target::Account(id) => hashed(scope, id.uuid().as_bytes()),
        Target::Nobody(login) => hashed(scope, login.key().as_bytes()),
        // No name that is typed has a zero in it.
        Target::Entry(source, subject) => hashed(scope, format!("\0{source}\0{subject}").as_bytes()),
        Target::Token => return None,
    };
    Some(Charge { scope, subject, limit })
}

pub(super) fn by_address(scope: Scope, key: IpAddr, limit: Limit) -> Charge {
    let subject = match key {
        IpAddr::V4(address) => hashed(scope, &address.octets()),
        IpAddr::V6(address) => hashed(scope, &address.octets()),
    };
    Charge { scope, subject, limit }
}

/// One subscriber: an IPv4 address, or the /64 that an IPv6 subscriber has at the least.
pub(super) fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// One network: IPv4 /24, IPv6 /48.
pub(super) fn network_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8)),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80)),
    }
}

pub(super) fn hashed(scope: Scope, key: &[u8]) -> [u8; 32] {
    let mut digest = Digest::new(&SHA256);
    digest.update(scope.as_str().as_bytes());
    digest.update(&[0]);
    digest.update(key);
    let mut out = [0; 32];
    out.copy_from_slice(digest.finish().as_ref());
    out
}
