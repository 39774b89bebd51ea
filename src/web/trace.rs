//! What happens around every ordinary request: it gets an id and a time limit, its client is found out, and one line
//! in the access log says what came of it. The hot path (`/verify`) does not go through here.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    domain::{
        forwarded::{Client, TrustedNetworks},
        redact::{self, ClientNetwork},
    },
    service::metrics::{Metrics, NO_ROUTE},
    web::{arrival::Arrival, listener::Peer},
};

/// Tells the request id to whoever asked. A request's own header of this name is not read.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The target of access-log events, for filters: `info,vestibule::access=off`.
pub const ACCESS_LOG: &str = "vestibule::access";

/// The id of a request: in its extensions, in every log event that it causes, and in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

/// The account that acted, for the access log: whoever knows it puts it into the extensions of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedAccount(pub Uuid);

/// Until when an answer has to have begun: in the extensions of a request, for whoever gives up with a page.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    pub(super) until: Instant,
    pub(super) arrival: Arrival,
}

/// How long whoever gives up with a page may take for that page.
const GRACE: Duration = Duration::from_secs(1);

/// What [`trace`] needs.
pub struct Trace {
    /// From the end of the headers to the beginning of the answer; then the answer is 503, or 408 to a client that has
    /// not sent its body by then.
    pub request_timeout: Duration,
    /// Writes client addresses in full instead of cutting them to their network.
    pub full_addresses: bool,
    /// Whose forwarding headers count.
    pub trusted_proxies: TrustedNetworks,
    /// Makes request ids: version 7, from the process's clock and generator.
    pub new_request_id: Box<dyn Fn() -> Uuid + Send + Sync>,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
}

/// Middleware for `axum::middleware::from_fn_with_state`, to be put on the router with `Router::layer` as the outermost
/// layer. Handlers find [`RequestId`] and [`Client`] in the extensions of the request.
pub async fn trace(State(trace): State<Arc<Trace>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = (trace.new_request_id)();
    let peer = request.extensions().get::<Peer>().copied();
    let client = peer.map(|Peer(peer)| Client::resolve(peer.ip(), &trace.trusted_proxies, request.headers()));
    request.extensions_mut().insert(RequestId(id));
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    let asked = Asked {
        method: request.method().clone(),
        uri: request.uri().clone(),
        route: request.extensions().get::<MatchedPath>().cloned(),
        client,
    };

    let arrival = Arrival::default();
    let until = begun + trace.request_timeout;
    let mut request = request.map(|body| arrival.watching(body));
    request.extensions_mut().insert(Patience { until, arrival: arrival.clone() });
    let answer = next.run(request).instrument(tracing::info_span!("request", request_id = %id));
    let mut response = match tokio::time::timeout_at(until + GRACE, answer).await {
        Ok(response) => response,
        // RFC 9110 section 15.5.9.
        Err(_) if arrival.is_awaited() => given_up(id, StatusCode::REQUEST_TIMEOUT),
        Err(_) => {
            tracing::warn!(request_id = %id, "request took too long");
            given_up(id, StatusCode::SERVICE_UNAVAILABLE)
        }
    };

    if let Ok(value) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let route = asked.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    trace.metrics.http_request(route, response.status().as_u16());
    asked.log(&trace, id, &response, begun.elapsed());
    response
}

/// What is told about a request after it has been answered.
struct Asked {
    method: Method,
    uri: Uri,
    route: Option<MatchedPath>,
    client: Option<Client>,
}

impl Asked {
    fn log(&self, trace: &Trace, id: Uuid, response: &Response, took: Duration) {
        if !tracing::enabled!(target: ACCESS_LOG, tracing::Level::INFO) {
            return;
        }
        let account = response.extensions().get::<LoggedAccount>().map(|account| account.0);
        let client = self.client.map(|client| {
            if trace.full_addresses { client.address.to_string() } else { ClientNetwork(client.address).to_string() }
        });
        let path = redact::path(self.uri.path(), self.route.as_ref().map(MatchedPath::as_str));
        let query = self.uri.query().map(|query| redact::query(query, redact::LOGGABLE_QUERY_KEYS));
        tracing::info!(
            target: ACCESS_LOG,
            request_id = %id,
            account_id = account.map(tracing::field::display),
            method = redact::method(self.method.as_str()),
            path,
            query,
            status = response.status().as_u16(),
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            client,
            "answered"
        );
    }
}

/// For what is answered without `frame.rs`, RFC 9457. Says which request it was, and nothing about why it took so long.
fn given_up(id: Uuid, status: StatusCode) -> Response {
    let (title, code) = (status.canonical_reason().unwrap_or_default(), status.as_u16());
    let problem = format!(r#"{{"type":"about:blank","title":"{title}","status":{code},"error_id":"{id}"}}"#);
    let mut response = Response::new(Body::from(problem));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
