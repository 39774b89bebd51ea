//! `/verify` and `/api/v1/session`: what main apps ask, at every request of theirs. They stand in front of the router
//! and its layers, because their cost is paid thousands of times a second.

use super::cookies::Jar;
use super::extract;
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
use crate::service::limiter::{Target, Try};
use crate::service::metrics::VerifyOutcome;
use crate::service::moment;
use crate::service::session::Alive;
use crate::service::verify::{Answer, Question};
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;

/// Our own path.
pub const VERIFY: &str = "/verify";
/// Whoami.
pub const WHOAMI: &str = "/api/v1/session";

const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_NAME: HeaderName = HeaderName::from_static("remote-name");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const REMOTE_ACCOUNT_ID: HeaderName = HeaderName::from_static("remote-account-id");
const IDENTITY_TOKEN: HeaderName = HeaderName::from_static("x-vestibule-jwt");
const REASON: HeaderName = HeaderName::from_static("x-vestibule-reason");
const SESSION: HeaderName = HeaderName::from_static("x-vestibule-session");
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

/// Answers a proxy at once when everything needed is in memory; `None` means: ask [`cold`].
#[must_use]
pub fn hot(site: &Site, parts: &Parts) -> Option<Response> {
    let asked = match Asked::of(site, parts) {
        Ok(asked) => asked,
        Err(error) => return Some(malformed(site, &error)),
    };
    site.verify.hot(&asked.question()).map(|answer| asked.response(site, answer))
}

/// Answers a proxy, reading what is not in memory.
pub async fn cold(site: Arc<Site>, parts: Parts) -> Response {
    let asked = match Asked::of(&site, &parts) {
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
    address: IpAddr,
    now: Timestamp,
}

impl<'p> Asked<'p> {
    fn of(site: &Site, parts: &'p Parts) -> Result<Self, OriginalRequestError> {
        let handle = Jar::new(&site.cookies, &site.core.cookie_keys).session(&parts.headers);
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let now = site.surroundings.now();
        let redirect = parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "redirect"));
        // Without rules, and without a proxy that may speak, there is nothing to learn from the other headers.
        if !site.trusted_proxies.contains(peer) {
            return Ok(Self { handle, original: None, redirect, address: peer, now });
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
        Ok(Self { handle, original, redirect, address, now })
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
                self.sign_in(site)
            }
            Answer::Refused(why) => {
                metrics.verify(VerifyOutcome::Forbidden);
                if why == Refusal::UntrustedProxy {
                    tracing::warn!(peer = %self.address, "a peer that is not in server.trusted_proxies asked /verify");
                }
                refused(why)
            }
        }
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
            Answer::Refused(why) => (why.code(), None),
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
    /// answer on as it is and asked for it with `?redirect`.
    fn sign_in(&self, site: &Site) -> Response {
        let status = if self.redirect { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED };
        let mut response = empty(status);
        let back = self.original.as_ref().filter(|original| site.leads_back_to(original));
        let location = match back {
            // Nothing to come back to, or nothing that the sign-in page would lead back to.
            None => site.login_location.clone(),
            Some(original) => {
                HeaderValue::try_from(login_and_back(site, original)).unwrap_or_else(|_| site.login_location.clone())
            }
        };
        response.headers_mut().insert(LOCATION, location);
        response
    }
}

/// The login address with the way back to what the browser asked for, in our spelling of it. Written in one piece:
/// every stranger's request comes through here.
fn login_and_back(site: &Site, original: &OriginalRequest<'_>) -> String {
    let (scheme, host, path) = (original.scheme.as_str(), original.host.name(), original.path.literal());
    let query = original.query.unwrap_or_default();
    let mut location =
        String::with_capacity(site.login_location.len() + host.len() + 2 * (path.len() + query.len()) + 48);
    location.push_str(&site.core.policy.public_url);
    location.push_str(paths::LOGIN);
    location.push_str("?return_to=");
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
    location
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

/// `GET /api/v1/session`: for a browser's own cookie, or for an application with its secret and the browser's cookie
/// (as `Cookie`, or its bare value as `X-Vestibule-Session`).
pub async fn whoami(site: Arc<Site>, parts: Parts) -> Response {
    if parts.method != http::Method::GET && parts.method != http::Method::HEAD {
        let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Use GET.");
        response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let client = match parts.headers.get(AUTHORIZATION) {
        Some(value) => match credential(&site, &parts, value).await {
            Ok(client) => Some(client),
            Err(response) => return *response,
        },
        None => None,
    };
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let handle = match (&client, parts.headers.get(SESSION)) {
        (Some(_), Some(value)) => jar.session_value(value.as_bytes()),
        _ => jar.session(&parts.headers),
    };
    let Some(handle) = handle else { return nobody() };
    match site.verify.whoami(&handle, site.surroundings.now()).await {
        Ok(Some(alive)) if client.as_ref().is_none_or(|client| site.verify.may_see(client, &alive)) => {
            json(StatusCode::OK, "application/json", described(&site, &alive))
        }
        Ok(_) => nobody(),
        Err(trouble) => {
            tracing::error!(error = %trouble, "a session could not be looked up");
            let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "The session cannot be checked now.");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
            response
        }
    }
}

/// Checks an application's secret; wrong ones count against the address.
async fn credential(
    site: &Site,
    parts: &Parts,
    value: &HeaderValue,
) -> Result<crate::service::caller::AppClient, Box<Response>> {
    let secret = value.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default();
    if let Some(client) = extract::application(site, secret) {
        return Ok(client);
    }
    let ctx = extract::stranger(parts, site);
    let peer = parts
        .extensions
        .get::<Peer>()
        .map(|peer| Client::resolve(peer.0.ip(), &site.trusted_proxies, &parts.headers).address);
    let origin = crate::service::context::Origin { address: peer, ..ctx.origin.clone() };
    // The charge is never given back: the secret was wrong.
    if let Ok(Try::Refused { retry_after, .. }) = site.core.limiter.ask(Target::Token, &origin, ctx.now()).await {
        let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "Too many wrong secrets from this address.");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        Err(Box::new(response))
    } else {
        let mut response = problem(StatusCode::UNAUTHORIZED, "No application has this secret.");
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        Err(Box::new(response))
    }
}

fn described(site: &Site, alive: &Alive) -> String {
    let account = &alive.card.account;
    let session = &alive.session.session;
    let last_seen = alive.session.last_seen_at();
    let idle_end = last_seen.after(site.core.policy.lifetimes.idle);
    serde_json::json!({
        "account": {
            "id": account.id,
            "username": account.username,
            "name": account.name,
            "email": account.address(),
            "groups": alive.card.groups,
            "administrator": account.administrator,
            "language": account.language.map(crate::domain::language::Language::tag),
            "time_zone": account.time_zone,
        },
        "session": {
            "id": session.id,
            "created_at": moment::machine(session.created_at),
            "authenticated_at": moment::machine(session.authenticated_at),
            "last_seen_at": moment::machine(last_seen),
            "expires_at": moment::machine(session.ends_at.min(idle_end)),
            "amr": session.methods.names().collect::<Vec<_>>(),
        },
    })
    .to_string()
}

fn nobody() -> Response {
    problem(StatusCode::UNAUTHORIZED, "Nobody is signed in.")
}

/// RFC 9457.
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    json(status, "application/problem+json", body.to_string())
}

fn json(status: StatusCode, media: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
