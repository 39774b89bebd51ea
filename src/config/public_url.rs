//! The address under which people reach this service.

use std::{fmt, net::IpAddr, str::FromStr};

use url::{Host, Url};

use super::values::text_value;

/// Scheme, host and port of this service as browsers see it; never a path, query, fragment or user.
///
/// `http` is possible for this very machine only (`localhost`, `127.0.0.1`, `[::1]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    https: bool,
    host: Host,
    port: u16,
    origin: String,
}

text_value!(
    PublicUrl,
    "an https address without a path, such as \"https://login.example.org\"; http for localhost, 127.0.0.1 and [::1] only"
);

impl PublicUrl {
    /// `http://localhost:8080`, the address of a first start.
    pub(super) fn local() -> Self {
        const LOCAL: &str = "http://localhost:8080";
        Self { https: false, host: Host::Domain("localhost".to_owned()), port: 8080, origin: LOCAL.to_owned() }
    }

    /// `https://login.example.org`, without a slash at the end, as in the `Origin` header (RFC 6454 section 6.2).
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach us over TLS; decides about the `__Host-` prefix and HSTS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host alone, lower case, in its ASCII form; an IPv6 address in brackets. No port.
    #[must_use]
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// The port browsers connect to, the scheme's own where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is a name, so that a cookie domain can be asked of it.
    #[must_use]
    pub fn has_name(&self) -> bool {
        matches!(self.host, Host::Domain(_))
    }

    /// The address of a path on this service. The result never leaves this origin, whatever the path.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{path}", self.origin)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|reason| format!("{text:?} is no web address ({reason})"))?;
        let Some(host) = url.host() else { return Err(format!("{text:?} has no host")) };
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine(&host) => {}
            "http" => {
                return Err(format!(
                    "{text:?} would send passwords and cookies unencrypted: use https (http is for localhost only)"
                ));
            }
            other => return Err(format!("{other:?} is no scheme for a web address")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a user name or password has no place in the public address".to_owned());
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{text:?} has a path or query: this service needs a host name (or port) of its own"));
        }
        let https = url.scheme() == "https";
        Ok(Self {
            https,
            host: host.to_owned(),
            port: url.port().unwrap_or(if https { 443 } else { 80 }),
            origin: url.origin().ascii_serialization(),
        })
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_what_browsers_see() {
        let url: PublicUrl = "https://Login.Example.org:8443/".parse().unwrap();
        assert_eq!(url.origin(), "https://login.example.org:8443");
        assert_eq!((url.host().as_str(), url.port(), url.is_https()), ("login.example.org", 8443, true));
        assert_eq!(url.join("/login"), "https://login.example.org:8443/login");
        assert_eq!(url.join("//evil.example"), "https://login.example.org:8443//evil.example");
        assert_eq!(url.join("@evil.example"), "https://login.example.org:8443/@evil.example");
    }

    #[test]
    fn the_address_of_a_first_start_is_one_that_could_be_configured() {
        assert_eq!("http://localhost:8080".parse(), Ok(PublicUrl::local()));
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for good in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080"] {
            assert!(good.parse::<PublicUrl>().is_ok(), "{good}");
        }
        for bad in ["http://login.example.org", "http://10.0.0.1", "http://localhost.example.org", "http://[::2]"] {
            let refused = bad.parse::<PublicUrl>().unwrap_err();
            assert!(refused.contains("use https"), "{bad}: {refused}");
        }
    }

    #[test]
    fn anything_but_an_origin_is_refused() {
        for bad in [
            "",
            "login.example.org",
            "ftp://login.example.org",
            "https://login.example.org/auth",
            "https://login.example.org/?a",
            "https://login.example.org/#a",
            "https://me@login.example.org",
            "https://",
            "javascript:alert(1)",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
