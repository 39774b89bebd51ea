//! `/verify`: what proxies ask, at every request to an application. It stands in front of the router and its layers, because
//! its cost is paid thousands of times a second.
//!
//! What applications ask by themselves is `whoami`.

use super::cookies::Jar;
use super::listener::Peer;
use super::page::paths;
use super::site::Site;
use super::trace::ACCESS_LOG;
use crate::domain::application::Refusal;
use crate::domain::forwarded::Client;
use crate::domain::original_request::{EndpointRequest, OriginalRequest, OriginalRequestError};
use crate::domain::redact::{self, ClientNetwork};
use crate::domain::session::HandleHash;
use crate::domain::time::Timestamp;
use crate::service::core::Trouble;
use crate::service::metrics::VerifyOutcome;
use crate::service::session::Alive;
use crate::service::verify::{Answer, Question};
use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;

/// Our own path.
pub const VERIFY: &str = "/verify";

const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_NAME: HeaderName = HeaderName::from_static("remote-name");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const REMOTE_ACCOUNT_ID: HeaderName = HeaderName::from_static("remote-account-id");
const IDENTITY_TOKEN: HeaderName = HeaderName::from_static("x-vestibule-jwt");
const REASON: HeaderName = HeaderName::from_static("x-vestibule-reason");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Whether a path is one of `/verify`'s: itself, or with an original path behind it (Envoy).
#[must_use]
pub fn is_verify(path: &str) -> bool {
    path.strip_prefix(VERIFY).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Parameters of a query; a name sent twice counts as its first.
pub struct Query<'q>(&'q str);

impl<'q> Query<'q> {
    /// Of a raw query.
    #[must_use]
    pub fn of(raw: Option<&'q str>) -> Self {
        Self(raw.unwrap_or_default())
    }

    /// What a parameter holds; empty when it was not sent.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let mut pairs = url::form_urlencoded::parse(self.0.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

/// Answers a proxy at once when everything needed is in memory.
///
/// # Errors
/// Something is not: [`cold`] is to be asked, about the session of this handle.
pub fn hot(site: &Site, parts: &Parts) -> Result<Response, Option<HandleHash>> {
    let handle = Jar::new(&site.cookies, &site.core.cookie_keys).session(&parts.headers);
    let asked = match Asked::of(site, parts, handle) {
        Ok(asked) => asked,
        Err(error) => return Ok(malformed(site, &error)),
    };
    site.verify.hot(&asked.question()).map(|answer| asked.response(site, answer)).ok_or(handle)
}

/// Answers a proxy, reading what is not in memory.
pub async fn cold(site: Arc<Site>, parts: Parts, handle: Option<HandleHash>) -> Response {
    let asked = match Asked::of(&site, &parts, handle) {
        Ok(asked) => asked,
        Err(error) => return malformed(&site, &error),
    };
    match site.verify.answer(&asked.question()).await {
        Ok(answer) => asked.response(&site, answer),
        Err(trouble) => {
            site.core.metrics.verify(VerifyOutcome::Unavailable);
            unavailable(&trouble)
        }
    }
}

struct Asked<'p> {
    handle: Option<HandleHash>,
    original: Option<OriginalRequest<'p>>,
    redirect: bool,
    /// Whether the browser wants a page.
    page: bool,
    address: IpAddr,
    now: Timestamp,
}

impl<'p> Asked<'p> {
    fn of(site: &Site, parts: &'p Parts, handle: Option<HandleHash>) -> Result<Self, OriginalRequestError> {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let now = site.surroundings.now();
        let redirect = parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "redirect"));
        // Nobody else leads anybody anywhere by our answer.
        let page = redirect && wants_page(parts);
        // Without rules, and without a proxy that may speak, there is nothing to learn from the other headers.
        if !site.trusted_proxies.contains(peer) {
            return Ok(Self { handle, original: None, redirect, page, address: peer, now });
        }
        let endpoint =
            EndpointRequest { method: parts.method.as_str(), path: parts.uri.path(), query: parts.uri.query() };
        let original = OriginalRequest::resolve(peer, &site.trusted_proxies, VERIFY, endpoint, &parts.headers);
        let original = match original {
            Ok(original) => Some(original),
            // No rules, no need: such a proxy only loses the way back after signing in.
            Err(OriginalRequestError::Missing(_)) if site.core.policy.applications.is_empty() => None,
            Err(error) => return Err(error),
        };
        let address = Client::resolve(peer, &site.trusted_proxies, &parts.headers).address;
        Ok(Self { handle, original, redirect, page, address, now })
    }

    fn question(&self) -> Question<'_> {
        Question {
            handle: self.handle.as_ref(),
            original: self.original.as_ref(),
            address: self.address,
            now: self.now,
        }
    }

    fn response(&self, site: &Site, answer: Answer) -> Response {
        self.log(site, &answer);
        let metrics = &site.core.metrics;
        match answer {
            Answer::Allowed(alive, token) => {
                metrics.verify(VerifyOutcome::Allowed);
                allowed(&alive, token)
            }
            Answer::Anonymous => {
                metrics.verify(VerifyOutcome::Anonymous);
                empty(StatusCode::OK)
            }
            Answer::SignIn => {
                metrics.verify(VerifyOutcome::SignInNeeded);
                self.sign_in(site, None)
            }
            Answer::StepUp(why) => {
                metrics.verify(VerifyOutcome::SignInNeeded);
                self.sign_in(site, Some(why))
            }
            Answer::Refused(why) => {
                metrics.verify(VerifyOutcome::Forbidden);
                if why == Refusal::UntrustedProxy {
                    tracing::warn!(peer = %self.address, "a peer that is not in server.trusted_proxies asked /verify");
                }
                self.refused(site, why)
            }
        }
    }

    /// 403, with the address of a page for people in `Location`, for proxies that lead them there; 303 to browsers whose
    /// proxy passes our answer on as it is and asked for it with `?redirect`.
    fn refused(&self, site: &Site, why: Refusal) -> Response {
        let mut response = refused(why);
        let Some(original) = &self.original else { return response };
        let mut location = format!("{}{}?reason={}", site.core.policy.public_url, paths::FORBIDDEN, why.code());
        if site.leads_back_to(original) {
            location.push_str("&return_to=");
            push_address(&mut location, original);
        }
        if let Ok(location) = HeaderValue::try_from(location) {
            response.headers_mut().insert(LOCATION, location);
            if self.page {
                *response.status_mut() = StatusCode::SEE_OTHER;
            }
        }
        response
    }

    /// The access log of questions, at `debug`: main apps have access logs of their own.
    fn log(&self, site: &Site, answer: &Answer) {
        if !tracing::enabled!(target: ACCESS_LOG, tracing::Level::DEBUG) {
            return;
        }
        let (answer, account) = match answer {
            Answer::Allowed(alive, _) => ("allowed", Some(alive.card.account.id)),
            Answer::Anonymous => ("anonymous", None),
            Answer::SignIn => ("sign_in", None),
            Answer::StepUp(why) | Answer::Refused(why) => (why.code(), None),
        };
        let client =
            if site.full_addresses { self.address.to_string() } else { ClientNetwork(self.address).to_string() };
        tracing::debug!(
            target: ACCESS_LOG,
            account_id = account.map(tracing::field::display),
            host = self.original.as_ref().map(|original| original.host.name()),
            path = self.original.as_ref().map(|original| redact::path(original.path.literal(), None)),
            client,
            answer,
            "a proxy asked"
        );
    }

    /// 401 with the login address in `Location`, for proxies that make a redirect of it; 303 for those that pass our
    /// answer on as it is and asked for it with `?redirect`. Whoever is signed in and lacks a proof is led to where that
    /// is asked for instead; the reason goes along.
    fn sign_in(&self, site: &Site, lacks: Option<Refusal>) -> Response {
        let status = if self.redirect { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED };
        let mut response = empty(status);
        let back = self.original.as_ref().filter(|original| site.leads_back_to(original));
        let page = if lacks.is_some() { paths::LOGIN_CONFIRM } else { paths::LOGIN };
        let location = match back {
            // Nothing to come back to, or nothing that the sign-in page would lead back to.
            None if lacks.is_none() => Some(site.login_location.clone()),
            None => HeaderValue::try_from(format!("{}{page}", site.core.policy.public_url)).ok(),
            Some(original) => {
                let mut location = page_and_back(site, page, original);
                if lacks == Some(Refusal::SecondFactor) {
                    location.push_str("&factor=1");
                }
                HeaderValue::try_from(location).ok()
            }
        };
        response.headers_mut().insert(LOCATION, location.unwrap_or_else(|| site.login_location.clone()));
        if let Some(why) = lacks {
            response.headers_mut().insert(REASON, HeaderValue::from_static(why.code()));
        }
        response
    }
}

/// The address of such a page with the way back to what the browser asked for, in our spelling of it. Written in one piece:
/// every stranger's request comes through here.
fn page_and_back(site: &Site, page: &str, original: &OriginalRequest<'_>) -> String {
    let length =
        original.host.name().len() + 2 * (original.path.literal().len() + original.query.unwrap_or_default().len());
    let mut location = String::with_capacity(site.login_location.len() + length + 48);
    location.push_str(&site.core.policy.public_url);
    location.push_str(page);
    location.push_str("?return_to=");
    push_address(&mut location, original);
    location
}

/// The address that the browser asked for, as a value in a query.
fn push_address(location: &mut String, original: &OriginalRequest<'_>) {
    let (scheme, host, path) = (original.scheme.as_str(), original.host.name(), original.path.literal());
    let query = original.query.unwrap_or_default();
    location.push_str(scheme);
    location.push_str("%3A%2F%2F");
    location.extend(byte_serialize(host.as_bytes()));
    if let Some(port) = original.host.port() {
        location.push_str("%3A");
        location.push_str(&port.to_string());
    }
    location.extend(byte_serialize(path.as_bytes()));
    if original.query.is_some() {
        location.push_str("%3F");
        location.extend(byte_serialize(query.as_bytes()));
    }
}

/// Whether somebody reads the answer, and no script.
fn wants_page(parts: &Parts) -> bool {
    let accepts = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

fn allowed(alive: &Alive, token: Option<HeaderValue>) -> Response {
    let mut response = empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.reserve(8);
    let identity = &alive.card.headers;
    headers.insert(REMOTE_USER, identity.user.clone());
    headers.insert(REMOTE_NAME, identity.name.clone());
    // Sent even when there is no address: some proxies overwrite what the browser claims only with what they get.
    headers.insert(REMOTE_EMAIL, identity.email.clone());
    headers.insert(REMOTE_GROUPS, identity.groups.clone());
    headers.insert(REMOTE_ACCOUNT_ID, identity.account_id.clone());
    if let Some(token) = token {
        headers.insert(IDENTITY_TOKEN, token);
    }
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

fn text(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// What a stranger can cause is a plain no: nginx makes a 500 of any status but 2xx, 401 and 403. Only a proxy that does
/// not say what it was asked for gets a 400, for its operator.
fn malformed(site: &Site, error: &OriginalRequestError) -> Response {
    site.core.metrics.verify(VerifyOutcome::Malformed);
    if let OriginalRequestError::Missing(_) = error {
        tracing::warn!(%error, "a proxy's question cannot be answered");
        return text(StatusCode::BAD_REQUEST, format!("{error}\n"));
    }
    tracing::info!(%error, "a request was refused that cannot be judged safely");
    refused(Refusal::MalformedRequest)
}

fn refused(why: Refusal) -> Response {
    let mut response = text(StatusCode::FORBIDDEN, format!("Not allowed: {}\n", why.code()));
    response.headers_mut().insert(REASON, HeaderValue::from_static(why.code()));
    response
}

fn unavailable(trouble: &Trouble) -> Response {
    tracing::error!(error = %trouble, "a session could not be looked up");
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "The session cannot be checked now.\n".to_owned());
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    response
}
