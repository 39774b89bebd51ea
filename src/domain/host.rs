//! The host that somebody asked for, in one spelling: lower case, without trailing dot, port apart.

use std::{borrow::Cow, fmt, net::Ipv6Addr};

/// Whether the browser spoke TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// Reads `http`, `https`, and the WebSocket names that Traefik writes for an upgrade (`ws`, `wss`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        if is("https") || is("wss") {
            Some(Self::Https)
        } else if is("http") || is("ws") {
            Some(Self::Http)
        } else {
            None
        }
    }

    /// As in an address: `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that an address without port means.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// RFC 1035 section 2.3.4: a name has at most 255 octets on the wire, 253 in writing.
const LONGEST_NAME: usize = 253;

/// A host as in `Host:` or in an address. Comparable: one host has one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    name: Cow<'a, str>,
    port: Option<u16>,
}

impl<'a> Host<'a> {
    /// Reads `name`, `name:port`, `[IPv6]` or `[IPv6]:port`. `None` for everything else: user information, blanks,
    /// non-ASCII (browsers send Punycode), empty labels, port 0 or above 65535. The default port of `scheme` is dropped.
    #[must_use]
    pub fn parse(text: &'a str, scheme: Scheme) -> Option<Self> {
        let (name, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            (Cow::Owned(format!("[{address}]")), port)
        } else {
            let end = text.find(':').unwrap_or(text.len());
            let (name, port) = text.split_at_checked(end)?;
            (domain_name(name)?, port)
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(port_number(digits)?),
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Self { name, port: port.filter(|port| *port != scheme.default_port()) })
    }

    /// Lower case, without port; IPv6 in brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, if it is not the scheme's own.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A host name or IPv4 address. Underscores occur in practice; an empty label never does.
fn domain_name(text: &str) -> Option<Cow<'_, str>> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let well_formed =
        name.len() <= LONGEST_NAME && name.split('.').all(|label| !label.is_empty() && label.bytes().all(allowed));
    let lowered = || {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    };
    well_formed.then(lowered)
}

/// `u16::from_str` would take a sign.
fn port_number(digits: &str) -> Option<u16> {
    let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_host_has_one_spelling() {
        let cases = [
            ("App.Example.ORG", "app.example.org"),
            ("app.example.org.", "app.example.org"),
            ("app.example.org:443", "app.example.org"),
            ("app.example.org:8443", "app.example.org:8443"),
            ("[2001:DB8:0::1]:8443", "[2001:db8::1]:8443"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("my_host", "my_host"),
        ];
        for (written, meant) in cases {
            assert_eq!(Host::parse(written, Scheme::Https).unwrap().to_string(), meant);
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let cases = [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a b",
            "user@host",
            "host/path",
            "host:",
            "host:0",
            "host:+80",
            "host:65536",
            "host:80:80",
            "::1",
            "[::1",
            "[::1]x",
            "[1.2.3.4]",
            "h\u{e4}st",
            "host\\",
            "a,b",
            "host\0",
            "[::1]:",
        ];
        for text in cases {
            assert_eq!(Host::parse(text, Scheme::Https), None, "{text}");
        }
    }

    #[test]
    fn websocket_schemes_are_their_http_schemes() {
        assert_eq!(Scheme::parse("wss"), Some(Scheme::Https));
        assert_eq!(Scheme::parse("WS"), Some(Scheme::Http));
        assert_eq!(Scheme::parse("https, http"), None);
    }

    proptest! {
        #[test]
        fn reading_what_was_written_changes_nothing(text in "\\PC{0,40}") {
            if let Some(host) = Host::parse(&text, Scheme::Http) {
                let written = host.to_string();
                prop_assert_eq!(Host::parse(&written, Scheme::Http).unwrap(), host);
            }
        }
    }
}
