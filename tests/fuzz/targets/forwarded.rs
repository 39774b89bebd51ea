//! Forwarded headers: a stranger's say nothing, and what is understood has one spelling and no trap left in it.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;
use vestibule::domain::forwarded::{Client, HeaderValues, TrustedNetworks};
use vestibule::domain::host::Host;
use vestibule::domain::original_request::{EndpointRequest, OriginalRequest};

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));
const NAMES: [&str; 8] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-original-url",
    "x-original-method",
    "host",
];

static TRUSTED: LazyLock<TrustedNetworks> =
    LazyLock::new(|| TrustedNetworks::new(["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap()).to_vec()));

struct Lines<'a>(Vec<(&'static str, &'a [u8])>);

impl HeaderValues for Lines<'_> {
    fn values<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
        self.0.iter().filter(move |line| line.0 == name).map(|line| line.1)
    }
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    line.strip_prefix(name.as_bytes())?.strip_prefix(b": ")
}

// Seeds are written like a request: method, path below the endpoint and query, then a header on each line.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut written = data.split(|byte| *byte == b'\n');
    let Some(Ok(first)) = written.next().map(std::str::from_utf8) else { return };
    let (method, target) = first.split_once(' ').unwrap_or((first, ""));
    let (below, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let lines =
        Lines(written.filter_map(|line| NAMES.iter().find_map(|name| Some((*name, value_of(line, name)?)))).collect());
    let path = format!("/verify{below}");
    let at = EndpointRequest { method, path: &path, query };

    assert_eq!(Client::resolve(STRANGER, &TRUSTED, &lines), Client { address: STRANGER, through_trusted_proxy: false });
    assert!(OriginalRequest::resolve(STRANGER, &TRUSTED, "/verify", at, &lines).is_err(), "a stranger was believed");

    let client = Client::resolve(PROXY, &TRUSTED, &lines);
    assert!(client.through_trusted_proxy);
    assert_eq!(client.address, client.address.to_canonical());

    let Ok(original) = OriginalRequest::resolve(PROXY, &TRUSTED, "/verify", at, &lines) else { return };
    let host = original.host.to_string();
    assert_eq!(Host::parse(&host, original.scheme).as_ref(), Some(&original.host), "two spellings of {host:?}");
    assert!(
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"@/\\?#,".contains(&byte)),
        "{host:?}"
    );
    assert!(!original.method.is_empty() && original.method.bytes().all(|byte| byte.is_ascii_graphic()));
    for reading in original.path.readings() {
        assert!(reading.starts_with('/'), "{reading:?}");
        assert!(!reading.split('/').any(|segment| segment == "." || segment == ".."), "{reading:?} climbs");
        assert!(!reading.chars().any(char::is_control), "{reading:?}");
    }
    // The address as a whole, read by the URL standard, leads to the same host and no further up the tree.
    let query = original.query.map(|query| format!("?{query}")).unwrap_or_default();
    let address = format!("{}://{host}{}{query}", original.scheme.as_str(), original.path.literal());
    assert!(!address.contains(['\r', '\n', '\0']), "{address:?} would split a header");
});
