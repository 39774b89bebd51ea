//! Tests of `limiter.rs`, apart for its length.

use super::*;

#[test]
fn an_ipv6_subscriber_cannot_escape_by_changing_the_host_part() {
    let key = |text: &str| address_key(text.parse().unwrap());
    assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
}

#[test]
fn networks_are_wider_than_addresses() {
    let key = |text: &str| network_key(text.parse().unwrap());
    assert_eq!(key("192.0.2.1"), key("192.0.2.254"));
    assert_ne!(key("192.0.2.1"), key("192.0.3.1"));
    assert_eq!(key("2001:db8:1::1"), key("2001:db8:1:ffff::1"));
}
