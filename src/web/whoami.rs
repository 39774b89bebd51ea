//! `/api/v1/session` (whoami): whose session this is, for a browser's own cookie or for an application with its secret. It
//! stands in front of the router and its layers, because main apps may ask at every request of theirs.
//!
//! What a proxy asks is `verify`.

use super::cookies::Jar;
use super::extract;
use super::listener::Peer;
use super::page::paths;
use super::site::Site;
use crate::domain::authenticator::assurance;
use crate::domain::forwarded::Client;
use crate::domain::id::{AccountId, SessionId};
use crate::domain::language::Language;
use crate::domain::session::{HandleHash, Methods};
use crate::domain::time::Timestamp;
use crate::service::caller::AppClient;
use crate::service::context::Origin;
use crate::service::core::Trouble;
use crate::service::limiter::{Target, Try};
use crate::service::moment;
use crate::service::session::Alive;
use axum::body::Body;
use axum::response::Response;
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Our own path.
pub const WHOAMI: &str = "/api/v1/session";

const SESSION: HeaderName = HeaderName::from_static("x-vestibule-session");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What an answer has room for before it grows.
const ROOM: usize = 1024;

/// Answers at once when everything needed is in memory; `None` means: ask [`cold`].
#[must_use]
pub fn hot(site: &Site, parts: &Parts) -> Option<Response> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Use GET.");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(response);
    }
    let client = match parts.headers.get(AUTHORIZATION) {
        // A wrong secret is counted, and that may wait.
        Some(value) => Some(known(site, value)?),
        None => None,
    };
    let Some(handle) = handle(site, parts, client.as_ref()) else { return Some(nobody()) };
    let alive = site.verify.known(&handle, site.surroundings.now())?;
    Some(shown(site, client.as_ref(), &alive))
}

/// Answers, reading what is not in memory.
pub async fn cold(site: Arc<Site>, parts: Parts) -> Response {
    let client = match parts.headers.get(AUTHORIZATION) {
        Some(value) => match credential(&site, &parts, value).await {
            Ok(client) => Some(client),
            Err(response) => return *response,
        },
        None => None,
    };
    let Some(handle) = handle(&site, &parts, client.as_ref()) else { return nobody() };
    match site.verify.whoami(&handle, site.surroundings.now()).await {
        Ok(Some(alive)) => shown(&site, client.as_ref(), &alive),
        Ok(None) => nobody(),
        Err(trouble) => unavailable(&trouble),
    }
}

/// The session asked about: the browser's cookie, or its bare value in a header of an application.
fn handle(site: &Site, parts: &Parts, client: Option<&AppClient>) -> Option<HandleHash> {
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    match (client, parts.headers.get(SESSION)) {
        (Some(_), Some(value)) => jar.session_value(value.as_bytes()),
        _ => jar.session(&parts.headers),
    }
}

fn shown(site: &Site, client: Option<&AppClient>, alive: &Alive) -> Response {
    if client.is_some_and(|client| !site.verify.may_see(client, alive)) {
        return nobody();
    }
    let mut body = Vec::with_capacity(ROOM);
    match serde_json::to_writer(&mut body, &Described::of(site, alive)) {
        Ok(()) => json(StatusCode::OK, "application/json", body),
        Err(error) => {
            tracing::error!(%error, "a session could not be described");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "The session cannot be shown.")
        }
    }
}

fn known(site: &Site, value: &HeaderValue) -> Option<AppClient> {
    extract::application(site, value.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default())
}

/// Checks an application's secret; wrong ones count against the address.
pub(super) async fn credential(site: &Site, parts: &Parts, value: &HeaderValue) -> Result<AppClient, Box<Response>> {
    if let Some(client) = known(site, value) {
        return Ok(client);
    }
    let ctx = extract::stranger(parts, site);
    let peer = parts
        .extensions
        .get::<Peer>()
        .map(|peer| Client::resolve(peer.0.ip(), &site.trusted_proxies, &parts.headers).address);
    let origin = Origin { address: peer, ..ctx.origin.clone() };
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

/// The answer.
#[derive(Serialize)]
struct Described<'a> {
    account: DescribedAccount<'a>,
    session: DescribedSession,
}

#[derive(Serialize)]
struct DescribedAccount<'a> {
    id: AccountId,
    username: &'a str,
    name: &'a str,
    email: Option<&'a str>,
    groups: &'a [String],
    administrator: bool,
    language: Option<&'static str>,
    time_zone: Option<&'a str>,
    picture: Option<String>,
}

#[derive(Serialize)]
struct DescribedSession {
    id: SessionId,
    created_at: Moment,
    authenticated_at: Moment,
    last_seen_at: Moment,
    expires_at: Moment,
    amr: Names,
    acr: &'static str,
}

/// A point in time as RFC 3339 has it.
struct Moment(Timestamp);

/// The values of the `amr` claim.
struct Names(Methods);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&moment::instant(self.0))
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.names())
    }
}

impl<'a> Described<'a> {
    fn of(site: &Site, alive: &'a Alive) -> Self {
        let account = &alive.card.account;
        let session = &alive.session.session;
        let last_seen = alive.session.last_seen_at();
        let idle_end = last_seen.after(site.core.policy.lifetimes.idle);
        let picture =
            |key: &crate::domain::face::PictureKey| format!("{}{}{}", site.origin(), paths::AVATAR, key.as_str());
        Self {
            account: DescribedAccount {
                id: account.id,
                username: &account.username,
                name: &account.name,
                email: account.address(),
                groups: &alive.card.groups,
                administrator: account.administrator,
                language: account.language.map(Language::tag),
                time_zone: account.time_zone.as_deref(),
                picture: account.picture.as_ref().map(picture),
            },
            session: DescribedSession {
                id: session.id,
                created_at: Moment(session.created_at),
                authenticated_at: Moment(session.authenticated_at),
                last_seen_at: Moment(last_seen),
                expires_at: Moment(session.ends_at.min(idle_end)),
                amr: Names(session.methods),
                acr: assurance(session.methods),
            },
        }
    }
}

fn unavailable(trouble: &Trouble) -> Response {
    tracing::error!(error = %trouble, "a session could not be looked up");
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "The session cannot be checked now.");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    response
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
    json(status, "application/problem+json", body.to_string().into_bytes())
}

fn json(status: StatusCode, media: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
