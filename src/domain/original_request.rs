//! What the browser asked the main app for, as its proxy tells the forward-auth endpoint.
//!
//! | proxy | says it in |
//! |---|---|
//! | nginx `auth_request` | `X-Original-URL` (absolute), `X-Original-Method` |
//! | Traefik, Caddy, `HAProxy` | `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` |
//! | Envoy `ext_authz` (HTTP) | method, `Host` and path of the request itself, behind the endpoint's path; `X-Forwarded-Proto` |
//!
//! Proxies pass on headers that the browser sent. So nothing is guessed from which headers are there: everything that
//! says something must say the same, and what is missing or contradicts is an error, never a default.

use std::net::IpAddr;

use crate::domain::{
    forwarded::{HeaderValues, TrustedNetworks},
    host::{Host, Scheme},
    request_path::{PathError, RequestPath},
};

const ORIGINAL_URL: &str = "x-original-url";
const ORIGINAL_METHOD: &str = "x-original-method";
const FORWARDED_METHOD: &str = "x-forwarded-method";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_URI: &str = "x-forwarded-uri";
const HOST: &str = "host";

/// No method of any registered protocol is longer (the longest is `UPDATEREDIRECTREF`).
const LONGEST_METHOD: usize = 32;

/// What somebody asked the main app for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRequest<'a> {
    /// A token (RFC 9110 section 9.1); case matters.
    pub method: &'a str,
    /// Whether the browser spoke TLS to the proxy.
    pub scheme: Scheme,
    /// In one spelling.
    pub host: Host<'a>,
    /// With all its readings.
    pub path: RequestPath<'a>,
    /// Behind the question mark, as sent: visible ASCII.
    pub query: Option<&'a str>,
}

/// The request that reached the forward-auth endpoint.
#[derive(Clone, Copy, Debug)]
pub struct EndpointRequest<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path as sent, beginning with the endpoint's own path.
    pub path: &'a str,
    /// Its query as sent.
    pub query: Option<&'a str>,
}

/// Why it cannot be told what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginalRequestError {
    /// The peer is not in `server.trusted_proxies`; its headers say nothing.
    #[error("the request does not come from a trusted proxy")]
    UntrustedPeer,
    /// No header tells this part.
    #[error("the proxy does not say the original {0}")]
    Missing(&'static str),
    /// A header occurs more than once.
    #[error("the header {0} occurs more than once")]
    Duplicated(&'static str),
    /// A header (or the request line) is not of the right form.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// Two sources say different things about this part.
    #[error("the proxy's headers contradict each other about the original {0}")]
    Contradiction(&'static str),
    /// The path cannot be judged safely.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl<'a> OriginalRequest<'a> {
    /// Puts together what the proxy says. `endpoint` is our own path (`/verify`) without trailing slash.
    pub fn resolve(
        peer: IpAddr,
        trusted: &TrustedNetworks,
        endpoint: &str,
        request: EndpointRequest<'a>,
        headers: &'a impl HeaderValues,
    ) -> Result<Self, OriginalRequestError> {
        if !trusted.contains(peer) {
            return Err(OriginalRequestError::UntrustedPeer);
        }
        let mut parts = Parts::default();
        parts.add_forwarded(headers)?;
        parts.add_original(headers)?;
        parts.add_appended(endpoint, request, headers)?;
        parts.complete()
    }
}

/// What was said so far.
#[derive(Default)]
struct Parts<'a> {
    method: Option<&'a str>,
    scheme: Option<Scheme>,
    hosts: [Option<Written<'a>>; 3],
    target: Option<(&'a str, Option<&'a str>)>,
}

/// A host as written, and where. It can be read only when the scheme is known.
#[derive(Clone, Copy)]
struct Written<'a> {
    host: &'a str,
    source: &'static str,
}

impl<'a> Parts<'a> {
    /// Traefik, Caddy, `HAProxy`.
    fn add_forwarded(&mut self, headers: &'a impl HeaderValues) -> Result<(), OriginalRequestError> {
        if let Some(text) = single(headers, FORWARDED_METHOD)? {
            agree(&mut self.method, method(text, FORWARDED_METHOD)?, "method")?;
        }
        if let Some(text) = single(headers, FORWARDED_PROTO)? {
            let scheme = Scheme::parse(text).ok_or(OriginalRequestError::Malformed(FORWARDED_PROTO))?;
            agree(&mut self.scheme, scheme, "scheme")?;
        }
        if let Some(host) = single(headers, FORWARDED_HOST)? {
            self.hosts[0] = Some(Written { host, source: FORWARDED_HOST });
        }
        if let Some(text) = single(headers, FORWARDED_URI)? {
            agree(&mut self.target, target(text, FORWARDED_URI)?, "path")?;
        }
        Ok(())
    }

    /// nginx.
    fn add_original(&mut self, headers: &'a impl HeaderValues) -> Result<(), OriginalRequestError> {
        if let Some(text) = single(headers, ORIGINAL_METHOD)? {
            agree(&mut self.method, method(text, ORIGINAL_METHOD)?, "method")?;
        }
        let Some(url) = single(headers, ORIGINAL_URL)? else { return Ok(()) };
        let malformed = OriginalRequestError::Malformed(ORIGINAL_URL);
        let (scheme, rest) = url.split_once("://").ok_or(malformed)?;
        agree(&mut self.scheme, Scheme::parse(scheme).ok_or(malformed)?, "scheme")?;
        // An address may end with its host.
        let (host, uri) = rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len())).ok_or(malformed)?;
        self.hosts[1] = Some(Written { host, source: ORIGINAL_URL });
        agree(&mut self.target, target(if uri.is_empty() { "/" } else { uri }, ORIGINAL_URL)?, "path")
    }

    /// Envoy.
    fn add_appended(
        &mut self,
        endpoint: &str,
        request: EndpointRequest<'a>,
        headers: &'a impl HeaderValues,
    ) -> Result<(), OriginalRequestError> {
        const REQUEST_LINE: &str = "the request line";
        let path = request.path.strip_prefix(endpoint).ok_or(OriginalRequestError::Malformed(REQUEST_LINE))?;
        if path.is_empty() {
            return Ok(());
        }
        agree(&mut self.method, method(request.method, REQUEST_LINE)?, "method")?;
        if !path.starts_with('/') || !request.query.is_none_or(is_visible) {
            return Err(OriginalRequestError::Malformed(REQUEST_LINE));
        }
        agree(&mut self.target, (path, request.query), "path")?;
        let host = single(headers, HOST)?.ok_or(OriginalRequestError::Missing("host"))?;
        self.hosts[2] = Some(Written { host, source: HOST });
        Ok(())
    }

    fn complete(self) -> Result<OriginalRequest<'a>, OriginalRequestError> {
        let (path, query) = self.target.ok_or(OriginalRequestError::Missing("path"))?;
        let scheme = self.scheme.ok_or(OriginalRequestError::Missing("scheme"))?;
        let mut host = None;
        for Written { host: text, source } in self.hosts.into_iter().flatten() {
            let read = Host::parse(text, scheme).ok_or(OriginalRequestError::Malformed(source))?;
            agree(&mut host, read, "host")?;
        }
        Ok(OriginalRequest {
            method: self.method.ok_or(OriginalRequestError::Missing("method"))?,
            scheme,
            host: host.ok_or(OriginalRequestError::Missing("host"))?,
            path: RequestPath::parse(path)?,
            query,
        })
    }
}

fn agree<T: PartialEq>(known: &mut Option<T>, said: T, part: &'static str) -> Result<(), OriginalRequestError> {
    if known.as_ref().is_some_and(|known| *known != said) {
        return Err(OriginalRequestError::Contradiction(part));
    }
    *known = Some(said);
    Ok(())
}

/// The value of a header that may occur once: visible ASCII.
fn single<'a>(headers: &'a impl HeaderValues, name: &'static str) -> Result<Option<&'a str>, OriginalRequestError> {
    let mut values = headers.values(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(OriginalRequestError::Duplicated(name));
    }
    let text = std::str::from_utf8(value).ok().filter(|text| !text.is_empty() && is_visible(text));
    text.map(Some).ok_or(OriginalRequestError::Malformed(name))
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A token, RFC 9110 section 5.6.2.
fn method<'a>(text: &'a str, source: &'static str) -> Result<&'a str, OriginalRequestError> {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let well_formed = (1..=LONGEST_METHOD).contains(&text.len()) && text.bytes().all(in_token);
    well_formed.then_some(text).ok_or(OriginalRequestError::Malformed(source))
}

/// A path with its query; the path is judged later.
fn target<'a>(text: &'a str, source: &'static str) -> Result<(&'a str, Option<&'a str>), OriginalRequestError> {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    if text.contains('#') || !path.starts_with('/') {
        return Err(OriginalRequestError::Malformed(source));
    }
    Ok((path, query))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::forwarded::tests::{Lines, trusted};

    const PROXY: [u8; 4] = [10, 0, 0, 1];
    const AT_ENDPOINT: EndpointRequest<'static> = EndpointRequest { method: "GET", path: "/verify", query: None };

    type Said = (String, String, String, String, Option<String>);

    fn resolve(request: EndpointRequest<'_>, lines: &[(&str, &str)]) -> Result<Said, OriginalRequestError> {
        let headers = Lines::of(lines);
        OriginalRequest::resolve(PROXY.into(), &trusted(), "/verify", request, &headers).map(|original| {
            let scheme = original.scheme.as_str().to_owned();
            let query = original.query.map(str::to_owned);
            (original.method.to_owned(), scheme, original.host.to_string(), original.path.literal().to_owned(), query)
        })
    }

    fn said(method: &str, scheme: &str, host: &str, path: &str, query: Option<&str>) -> Said {
        (method.into(), scheme.into(), host.into(), path.into(), query.map(str::to_owned))
    }

    const NGINX: [(&str, &str); 2] =
        [(ORIGINAL_URL, "https://Tasks.example.org:443/list?page=2&q=a%20b"), (ORIGINAL_METHOD, "POST")];
    const TRAEFIK: [(&str, &str); 4] = [
        (FORWARDED_METHOD, "PUT"),
        (FORWARDED_PROTO, "https"),
        (FORWARDED_HOST, "tasks.example.org"),
        (FORWARDED_URI, "/list/7?x=1"),
    ];

    #[test]
    fn nginx_says_it_in_an_absolute_address() {
        assert_eq!(
            resolve(AT_ENDPOINT, &NGINX),
            Ok(said("POST", "https", "tasks.example.org", "/list", Some("page=2&q=a%20b")))
        );
        let bare = [(ORIGINAL_URL, "http://[::1]:8080"), (ORIGINAL_METHOD, "GET")];
        assert_eq!(resolve(AT_ENDPOINT, &bare), Ok(said("GET", "http", "[::1]:8080", "/", None)));
    }

    #[test]
    fn traefik_caddy_and_haproxy_say_it_in_four_headers() {
        assert_eq!(
            resolve(AT_ENDPOINT, &TRAEFIK),
            Ok(said("PUT", "https", "tasks.example.org", "/list/7", Some("x=1")))
        );
        let mut upgrade = TRAEFIK;
        upgrade[1] = (FORWARDED_PROTO, "wss");
        assert_eq!(resolve(AT_ENDPOINT, &upgrade).unwrap().1, "https");
    }

    #[test]
    fn envoy_appends_the_path_to_ours() {
        let request = EndpointRequest { method: "DELETE", path: "/verify/list/7", query: Some("x=1") };
        let headers = [(HOST, "tasks.example.org:8443"), (FORWARDED_PROTO, "https")];
        assert_eq!(
            resolve(request, &headers),
            Ok(said("DELETE", "https", "tasks.example.org:8443", "/list/7", Some("x=1")))
        );
        let root = EndpointRequest { method: "GET", path: "/verify/", query: None };
        assert_eq!(resolve(root, &headers).unwrap().3, "/");
        let other = EndpointRequest { method: "GET", path: "/verifyx", query: None };
        assert_eq!(resolve(other, &headers), Err(OriginalRequestError::Malformed("the request line")));
    }

    #[test]
    fn without_a_trusted_proxy_the_headers_say_nothing() {
        let headers = Lines::of(&TRAEFIK);
        let stranger = [203, 0, 113, 9].into();
        let answer = OriginalRequest::resolve(stranger, &trusted(), "/verify", AT_ENDPOINT, &headers);
        assert_eq!(answer, Err(OriginalRequestError::UntrustedPeer));
    }

    #[test]
    fn headers_that_the_browser_slipped_in_cannot_change_the_answer() {
        let slips = [
            (ORIGINAL_URL, "https://tasks.example.org/public", "path"),
            (ORIGINAL_URL, "https://open.example.org/list/7?x=1", "host"),
            (ORIGINAL_URL, "http://tasks.example.org/list/7?x=1", "scheme"),
            (ORIGINAL_URL, "https://tasks.example.org/list/7", "path"),
            (ORIGINAL_METHOD, "GET", "method"),
        ];
        for (name, value, part) in slips {
            let lines = [TRAEFIK.as_slice(), &[(name, value)]].concat();
            assert_eq!(resolve(AT_ENDPOINT, &lines), Err(OriginalRequestError::Contradiction(part)), "{value}");
        }
        let appended = EndpointRequest { method: "PUT", path: "/verify/public", query: None };
        let lines = [TRAEFIK.as_slice(), &[(HOST, "tasks.example.org")]].concat();
        assert_eq!(resolve(appended, &lines), Err(OriginalRequestError::Contradiction("path")));
    }

    #[test]
    fn two_sources_that_agree_are_fine() {
        let lines = [TRAEFIK.as_slice(), &[(ORIGINAL_URL, "https://TASKS.example.org:443/list/7?x=1")]].concat();
        assert!(resolve(AT_ENDPOINT, &lines).is_ok());
    }

    #[test]
    fn every_part_must_be_said() {
        for (missing, part) in [(0, "method"), (1, "scheme"), (2, "host"), (3, "path")] {
            let mut lines = TRAEFIK.to_vec();
            lines.remove(missing);
            assert_eq!(resolve(AT_ENDPOINT, &lines), Err(OriginalRequestError::Missing(part)));
        }
        assert_eq!(resolve(AT_ENDPOINT, &NGINX[..1]), Err(OriginalRequestError::Missing("method")));
        assert_eq!(resolve(AT_ENDPOINT, &[]), Err(OriginalRequestError::Missing("path")));
    }

    #[test]
    fn no_header_may_occur_twice() {
        for line in TRAEFIK.iter().chain(&NGINX) {
            let lines = [*line, *line];
            assert_eq!(
                resolve(AT_ENDPOINT, &lines),
                Err(OriginalRequestError::Duplicated(match line.0 {
                    ORIGINAL_URL => ORIGINAL_URL,
                    ORIGINAL_METHOD => ORIGINAL_METHOD,
                    FORWARDED_METHOD => FORWARDED_METHOD,
                    FORWARDED_PROTO => FORWARDED_PROTO,
                    FORWARDED_HOST => FORWARDED_HOST,
                    _ => FORWARDED_URI,
                }))
            );
        }
    }

    #[test]
    fn malformed_headers_are_named() {
        let cases = [
            (FORWARDED_METHOD, "GE T"),
            (FORWARDED_METHOD, "(GET)"),
            (FORWARDED_PROTO, "https,http"),
            (FORWARDED_PROTO, "javascript"),
            (FORWARDED_HOST, "a@b"),
            (FORWARDED_HOST, "tasks.example.org, evil.example.org"),
            (FORWARDED_URI, "list"),
            (FORWARDED_URI, "/a#b"),
            (FORWARDED_URI, "http://tasks.example.org/"),
            (FORWARDED_URI, "/a b"),
            (FORWARDED_URI, "/caf\u{e9}"),
            (FORWARDED_URI, ""),
        ];
        for (name, value) in cases {
            let lines: Vec<_> =
                TRAEFIK.into_iter().map(|line| if line.0 == name { (name, value) } else { line }).collect();
            assert_eq!(resolve(AT_ENDPOINT, &lines), Err(OriginalRequestError::Malformed(name)), "{value}");
        }
        for url in [
            "/list",
            "https:/x",
            "ftp://tasks.example.org/",
            "https://",
            "https://u:p@tasks.example.org/",
            "https://a?b",
        ] {
            let lines = [(ORIGINAL_URL, url), (ORIGINAL_METHOD, "GET")];
            assert_eq!(resolve(AT_ENDPOINT, &lines), Err(OriginalRequestError::Malformed(ORIGINAL_URL)), "{url}");
        }
        let climbing = [(ORIGINAL_URL, "https://tasks.example.org/public/..%2fadmin"), (ORIGINAL_METHOD, "GET")];
        assert_eq!(resolve(AT_ENDPOINT, &climbing), Err(PathError::DotSegment.into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            values in prop::collection::vec((0..7_usize, prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            path in "/verify\\PC{0,20}",
        ) {
            let names = [ORIGINAL_URL, ORIGINAL_METHOD, FORWARDED_METHOD, FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_URI, HOST];
            let headers = Lines(values.into_iter().map(|(name, value)| (names[name].to_owned(), value)).collect());
            let request = EndpointRequest { method: "GET", path: &path, query: None };
            let _ = OriginalRequest::resolve(PROXY.into(), &trusted(), "/verify", request, &headers);
        }
    }
}
