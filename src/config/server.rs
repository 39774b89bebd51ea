//! `[server]`: where the service listens, its certificate, the proxies it trusts, and its limits.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{findings::Findings, span::Span, values::Network};

/// The section `[server]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port of the main listener.
    /// The default is reachable from this machine only; behind a proxy on another machine or in a container use
    /// `0.0.0.0:8080` or `[::]:8080`.
    #[schemars(extend("x-allowed" = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8443\""))]
    pub listen: SocketAddr,

    /// File with the certificate chain in PEM form, the server's own certificate first. With `tls_key` the main
    /// listener speaks TLS; without both it speaks plain HTTP, which is right behind a proxy that does TLS.
    /// A changed file is taken up without a restart.
    #[schemars(example = &"/etc/vestibule/tls/fullchain.pem")]
    pub tls_certificate: Option<PathBuf>,

    /// File with the private key of `tls_certificate`, in PEM form.
    #[schemars(example = &"/etc/vestibule/tls/privkey.pem")]
    pub tls_key: Option<PathBuf>,

    /// Networks of the reverse proxies in front. Only from them `X-Forwarded-For`, `X-Forwarded-Proto`,
    /// `X-Forwarded-Host` and the original address of a forward-auth question are believed; the list of addresses is
    /// walked from the peer inward.
    ///
    /// Danger: whoever sits in one of these networks can claim any client address, and so escape the limits of
    /// `[throttle]` and the network rules of applications. Name the proxies, not the whole network.
    #[schemars(example = ["127.0.0.1", "::1"])]
    pub trusted_proxies: Vec<Network>,

    /// Address and port of a second, plain listener for `/metrics`, `/health` and `/ready`; off when not set.
    ///
    /// Danger: it asks for no password. Keep it on the loopback interface or on a network that only monitoring reaches.
    #[schemars(
        example = &"127.0.0.1:9090",
        extend("x-allowed" = "an IP address and a port, such as \"127.0.0.1:9090\"")
    )]
    pub internal_listen: Option<SocketAddr>,

    /// How long one request may take from its first byte to the end of its answer; then it is answered 408 or 503.
    pub request_timeout: Span,

    /// How long a client may take to send the head of a request, and how long a kept-alive connection may be idle. Proxies
    /// keep theirs open: nginx for 60 seconds unless told otherwise.
    pub header_timeout: Span,

    /// Largest head of a request in bytes (all header lines together); a larger one is answered 431.
    #[schemars(range(min = 8192, max = 1_048_576))]
    pub max_header_bytes: u32,

    /// Largest body of a request in bytes; a larger one is answered 413. No form of this service needs more.
    #[schemars(range(min = 4096, max = 16_777_216))]
    pub max_body_bytes: u32,

    /// For how long a process that is asked to stop goes on serving while `/ready` already says no, so that a load balancer
    /// that asks there sends people to another node first. Not set, it stops at once; that is right for a single node, and
    /// where the balancer tries another node when a connection is refused.
    #[schemars(example = &"5s")]
    pub stop_delay: Option<Span>,

    /// How long a stopping process lets running requests finish before it cuts them off.
    pub drain_timeout: Span,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls_certificate: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            internal_listen: None,
            request_timeout: Span::seconds(30),
            header_timeout: Span::seconds(65),
            max_header_bytes: 32 * 1024,
            max_body_bytes: 64 * 1024,
            stop_delay: None,
            drain_timeout: Span::seconds(20),
        }
    }
}

impl Server {
    /// Certificate chain and key of the main listener, when it speaks TLS.
    #[must_use]
    pub fn tls(&self) -> Option<(&std::path::Path, &std::path::Path)> {
        Some((self.tls_certificate.as_deref()?, self.tls_key.as_deref()?))
    }

    /// Whether this peer is one of the proxies in front.
    #[must_use]
    pub fn trusts(&self, peer: std::net::IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(peer))
    }

    pub(super) fn check(&self, found: &mut Findings) {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => found.wrong("server.tls_certificate", "needs server.tls_key as well"),
            (None, Some(_)) => found.wrong("server.tls_key", "needs server.tls_certificate as well"),
            _ => {}
        }
        if self.internal_listen == Some(self.listen) && self.listen.port() != 0 {
            found.wrong("server.internal_listen", "must differ from server.listen");
        }
        for (key, span) in [
            ("server.request_timeout", self.request_timeout),
            ("server.header_timeout", self.header_timeout),
            ("server.drain_timeout", self.drain_timeout),
        ] {
            found.bounds(key, span, Span::seconds(1), Span::minutes(10));
        }
        if let Some(delay) = self.stop_delay {
            found.bounds("server.stop_delay", delay, Span::seconds(1), Span::minutes(10));
        }
        for network in self.trusted_proxies.iter().filter(|network| network.net().prefix_len() == 0) {
            found.wrong("server.trusted_proxies", &format!("\"{network}\" would trust everybody"));
        }
        if let Some(address) = self.internal_listen.filter(|address| !address.ip().is_loopback()) {
            found.warn(format!(
                "server.internal_listen = \"{address}\" can be reached from other machines and asks for no password"
            ));
        }
    }
}
