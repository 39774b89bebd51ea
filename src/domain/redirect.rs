//! Where a browser may be sent after signing in or out. The only type that reaches a `Location` header.

use url::Url;

/// Longest accepted target, in bytes; longer ones would not fit a cookie or a proxy's header buffer.
pub const MAX_TARGET: usize = 2048;

/// An origin (RFC 6454) that people may be sent to: our own, or an application's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin {
    /// `https`, or `http` for localhost.
    pub scheme: String,
    /// Lower-case host name or address.
    pub host: String,
    /// Its ports.
    pub ports: Ports,
}

/// Ports of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// This one; `None` is the scheme's own.
    One(Option<u16>),
    /// Any: the operator named a host without one.
    Any,
}

impl AllowedOrigin {
    /// The origin of an absolute URL.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let host = url.host_str()?.to_ascii_lowercase();
        Some(Self { scheme: url.scheme().to_owned(), host, ports: Ports::One(url.port()) })
    }

    /// The origin as a source of a content security policy, such as `https://app.example.org:8443`.
    #[must_use]
    pub fn text(&self) -> String {
        match self.ports {
            Ports::One(Some(port)) => format!("{}://{}:{port}", self.scheme, self.host),
            Ports::One(None) => format!("{}://{}", self.scheme, self.host),
            Ports::Any => format!("{}://{}:*", self.scheme, self.host),
        }
    }

    /// Whether this is the origin of a scheme, a lower-case host, and a port where it is not the scheme's own.
    #[must_use]
    pub fn is(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let port = self.ports == Ports::Any || self.ports == Ports::One(port);
        port && self.scheme == scheme && self.host == host
    }
}

/// A redirect target that stays on our own pages or goes to a known application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeRedirect(String);

impl SafeRedirect {
    /// A path of our own, written in the program.
    #[must_use]
    pub fn to(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// Reads a target that a stranger may have written: a path on our own origin, or an absolute URL of an allowed
    /// origin. Everything a browser might read differently from us (`//`, a backslash, control characters, white
    /// space, user names in the authority, other schemes) is refused.
    #[must_use]
    pub fn parse(text: &str, allowed: &[AllowedOrigin]) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_TARGET {
            return None;
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || !c.is_ascii()) {
            return None;
        }
        if text.starts_with('/') {
            return Self::own_path(text);
        }
        let url = Url::parse(text).ok()?;
        let rest = text.strip_prefix(url.scheme()).and_then(|rest| rest.strip_prefix("://"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.to_ascii_lowercase();
        let known = allowed.iter().any(|origin| origin.is(url.scheme(), &host, url.port()));
        // Written as the standard has it, it can be three times as long.
        known.then(|| Self(url.into())).filter(|target| target.0.len() <= MAX_TARGET)
    }

    fn own_path(text: &str) -> Option<Self> {
        if text.starts_with("//") {
            return None;
        }
        let base = Url::parse("https://own.invalid").ok()?;
        let url = base.join(text).ok()?;
        let same = url.host_str() == Some("own.invalid") && url.scheme() == "https" && url.port().is_none();
        if !same || url.path().starts_with("//") {
            return None;
        }
        Some(Self(text.to_owned()))
    }

    /// The target, ready for a `Location` header or a hidden form field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> Vec<AllowedOrigin> {
        vec![AllowedOrigin { scheme: "https".into(), host: "app.example.org".into(), ports: Ports::One(None) }]
    }

    #[test]
    fn own_paths_and_applications_are_kept() {
        for good in ["/", "/account?tab=1#x", "/a%2fb", "https://app.example.org/x?y=1", "https://app.example.org"] {
            assert!(SafeRedirect::parse(good, &app()).is_some(), "{good}");
        }
    }

    #[test]
    fn a_target_is_as_short_as_promised_however_it_is_written() {
        let long = |c: &str| format!("https://app.example.org/{}", c.repeat(MAX_TARGET / 2));
        assert!(SafeRedirect::parse(&long("x"), &app()).is_some());
        assert_eq!(SafeRedirect::parse(&long("}"), &app()), None);
    }

    #[test]
    fn a_host_without_port_means_any_port() {
        let any = [AllowedOrigin { ports: Ports::Any, ..app().remove(0) }];
        assert!(SafeRedirect::parse("https://app.example.org:8443/x", &any).is_some());
        assert!(SafeRedirect::parse("https://app.example.org.evil.example:8443/x", &any).is_none());
        assert_eq!(any[0].text(), "https://app.example.org:*");
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://evil.example",
            "http://app.example.org",
            "https://app.example.org:8443/",
            "https:app.example.org",
            "https:///app.example.org",
            "https://app.example.org@evil.example/",
            "https://evil.example#app.example.org",
            "https://app.example.org.evil.example",
            "/x\r\nSet-Cookie: a=b",
            "/\t/evil.example",
            " /x",
            "account",
            "/./\u{2f}/evil",
            "/..//evil.example",
            "https://u:p@app.example.org/",
            "https://@app.example.org/",
        ] {
            assert_eq!(SafeRedirect::parse(bad, &app()), None, "{bad:?}");
        }
        assert_eq!(SafeRedirect::parse(&format!("/{}", "x".repeat(3000)), &app()), None);
    }
}
