//! The one way in which this service asks web addresses that somebody outside has named: bounded time, bounded size, no
//! redirects, no proxies from the environment, and no private address unless the operator allowed it. Mail, directories
//! and databases are named by the operator and have connections of their own.

use crate::domain::address::is_public;
use crate::domain::time::Timestamp;
use http::header::{AGE, DATE, HeaderMap};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Most bytes of an answer.
pub const LARGEST: usize = 512 * 1024;

/// What the operator decided about the fetches for one provider.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Private addresses may be asked.
    pub allow_private: bool,
    /// Certificates (PEM) that are trusted besides the system's.
    pub authorities: Option<Vec<u8>>,
    /// How long one request may take, from looking up the name to the last byte.
    pub timeout: Duration,
}

/// Fetches.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    allow_private: bool,
    timeout: Duration,
}

/// Why there is no answer. The text is for logs and for the operator, never for visitors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address cannot be asked at all.
    #[error("{} cannot be asked: it must be https", .0.escape_debug())]
    Address(String),
    /// The address is a private one.
    #[error("{0} is a private address, and allow_private_network is not set")]
    Private(String),
    /// A redirect; nothing is followed.
    #[error("the answer is a redirect ({0}); redirects are not followed")]
    Redirect(u16),
    /// More than [`LARGEST`] bytes.
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    /// Longer than the operator allows.
    #[error("there was no whole answer in time")]
    TooSlow,
    /// No connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
}

impl FetchError {
    /// For the audit trail.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "fetch_address",
            Self::Private(_) => "fetch_private",
            Self::Redirect(_) => "fetch_redirect",
            Self::TooLarge => "fetch_too_large",
            Self::TooSlow => "fetch_too_slow",
            Self::Unreachable(_) => "fetch_unreachable",
        }
    }
}

/// The certificate that an address showed, in the extensions of its answer.
#[derive(Clone, Debug)]
pub struct PeerCertificate(Vec<u8>);

impl PeerCertificate {
    /// When it ends; `None` when it cannot be read.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let (_, certificate) = x509_parser::parse_x509_certificate(&self.0).ok()?;
        Some(Timestamp::from_millis(certificate.validity().not_after.timestamp().checked_mul(1000)?))
    }
}

impl Fetcher {
    /// A fetcher of these settings.
    ///
    /// # Errors
    /// In words for the operator, when the certificates cannot be read.
    pub fn new(settings: &FetchSettings) -> Result<Self, String> {
        let FetchSettings { allow_private, timeout, .. } = *settings;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(2)
            .tls_info(true)
            .dns_resolver(Arc::new(Guarded { allow_private }));
        if let Some(pem) = &settings.authorities {
            let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| error.to_string())?;
            if certificates.is_empty() {
                return Err("there is no certificate in it".to_owned());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(Self { client: builder.build().map_err(|error| error.to_string())?, allow_private, timeout })
    }

    /// Asks with GET.
    ///
    /// # Errors
    /// [`FetchError`]. A status other than 200 is an answer, except redirects.
    pub async fn get(&self, url: &str, accept: &str) -> Result<http::Response<Vec<u8>>, FetchError> {
        let request = http::Request::get(url).header(http::header::ACCEPT, accept).body(Vec::new());
        self.send(request.map_err(|_| FetchError::Address(url.to_owned()))?).await
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`FetchError`]. A status other than 200 is an answer, except redirects.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, FetchError> {
        let address = request.uri().to_string();
        self.allows(&address)?;
        let request = reqwest::Request::try_from(request).map_err(|_| FetchError::Address(without_query(&address)))?;
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(done) => done,
            Err(_) => Err(FetchError::TooSlow),
        }
    }

    /// Asks where an address leads; nothing is followed, and no body is read.
    ///
    /// # Errors
    /// [`FetchError`]. Any status is an answer.
    pub async fn leads(&self, address: &str) -> Result<(http::StatusCode, Option<String>), FetchError> {
        self.allows(address)?;
        let asked = tokio::time::timeout(self.timeout, self.client.get(address).send()).await;
        let answer = asked.map_err(|_| FetchError::TooSlow)?.map_err(|error| explained(&error))?;
        let to = answer.headers().get(http::header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        Ok((answer.status(), to))
    }

    /// Whether an address can be asked: https, or http on this very machine; no literal private address. Names are looked
    /// at when they are resolved, so that a name cannot change its address in between (DNS rebinding).
    ///
    /// # Errors
    /// [`FetchError::Address`], [`FetchError::Private`].
    pub fn allows(&self, address: &str) -> Result<(), FetchError> {
        let refused = || FetchError::Address(without_query(address));
        let url = Url::parse(address).map_err(|_| refused())?;
        let (literal, local) = match url.host().ok_or_else(refused)? {
            Host::Domain(name) => (None, name == "localhost" || name.ends_with(".localhost")),
            Host::Ipv4(ip) => (Some(IpAddr::V4(ip)), ip.is_loopback()),
            Host::Ipv6(ip) => (Some(IpAddr::V6(ip)), ip.is_loopback()),
        };
        let named = !url.username().is_empty() || url.password().is_some();
        if named || !(url.scheme() == "https" || (url.scheme() == "http" && local)) {
            return Err(refused());
        }
        if !self.allow_private && (local || literal.is_some_and(|ip| !is_public(ip))) {
            return Err(FetchError::Private(url.host_str().unwrap_or_default().to_owned()));
        }
        Ok(())
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<http::Response<Vec<u8>>, FetchError> {
        let mut answer = self.client.execute(request).await.map_err(|error| explained(&error))?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(FetchError::Redirect(status.as_u16()));
        }
        if answer.content_length().is_some_and(|length| length > LARGEST as u64) {
            return Err(FetchError::TooLarge);
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| explained(&error))? {
            if body.len() + part.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        let mut response = http::Response::new(body);
        let shown =
            answer.extensions().get::<reqwest::tls::TlsInfo>().and_then(reqwest::tls::TlsInfo::peer_certificate);
        if let Some(certificate) = shown {
            response.extensions_mut().insert(PeerCertificate(certificate.to_vec()));
        }
        *response.status_mut() = status;
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// The time by a header, in seconds since 1970; an answer out of a cache is as old as it says.
#[must_use]
pub fn clock(headers: &HeaderMap) -> Option<i64> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text(DATE)?).ok()?;
    let age = text(AGE).and_then(|age| age.parse::<u32>().ok()).unwrap_or_default();
    Some(date.as_second().saturating_add(age.into()))
}

fn without_query(address: &str) -> String {
    address.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn explained(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::TooSlow;
    }
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
        if let Some(private) = innermost.downcast_ref::<PrivateName>() {
            return FetchError::Private(private.0.clone());
        }
    }
    FetchError::Unreachable(innermost.to_string())
}

/// A name with private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
struct PrivateName(String);

/// Resolves names, and drops addresses that may not be asked. The connection goes to what was looked at here.
struct Guarded {
    allow_private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<_> = found.filter(|found| allow_private || is_public(found.ip())).collect();
            if usable.is_empty() {
                return Err(PrivateName(name).into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
