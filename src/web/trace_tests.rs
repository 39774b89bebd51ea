//! What is written down of a request.

use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::Mutex,
};

use axum::{
    Extension, Router,
    body::Bytes,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracing::instrument::WithSubscriber;

use super::*;

const ID: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
const ACCOUNT: Uuid = Uuid::from_u128(7);

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The access log as JSON objects.
    fn access(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events.filter(|event| event["target"] == ACCESS_LOG).collect()
    }
}

fn app(metrics: &Arc<Metrics>) -> Router {
    let trace_settings = Trace {
        request_timeout: Duration::from_secs(30),
        full_addresses: false,
        trusted_proxies: TrustedNetworks::new(vec!["10.0.0.0/8".parse().unwrap()]),
        new_request_id: Box::new(|| ID),
        metrics: Arc::clone(metrics),
    };
    Router::new()
        .route("/ids", get(|Extension(id): Extension<RequestId>| async move { id.0.to_string() }))
        .route("/reset/{token}", get(async || (Extension(LoggedAccount(ACCOUNT)), StatusCode::NO_CONTENT)))
        .route("/never", get(std::future::pending::<()>).post(after_the_body))
        .route("/body", post(async |body: Bytes| body))
        .layer(from_fn_with_state(Arc::new(trace_settings), trace))
}

async fn after_the_body(_: Bytes) {
    std::future::pending::<()>().await;
}

async fn ask(metrics: &Arc<Metrics>, request: http::request::Builder) -> (Response, Lines) {
    send(metrics, request, Body::empty()).await
}

async fn send(metrics: &Arc<Metrics>, request: http::request::Builder, body: Body) -> (Response, Lines) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(move || writer.clone())
        .with_max_level(tracing::Level::INFO)
        .finish();
    let mut request = request.body(body).unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::from(([10, 0, 0, 1], 4711))));
    let response = app(metrics).oneshot(request).with_subscriber(subscriber).await.unwrap();
    (response, lines)
}

#[tokio::test]
async fn every_request_gets_an_id_that_is_not_the_clients() {
    let request = Request::get("/ids").header("x-request-id", "forged");
    let (response, lines) = ask(&Arc::default(), request).await;
    assert_eq!(response.headers()[REQUEST_ID], ID.to_string());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, ID.to_string());
    assert_eq!(lines.access()[0]["request_id"], ID.to_string());
}

#[tokio::test]
async fn the_access_log_tells_who_asked_for_what_and_no_secret() {
    let metrics = Arc::new(Metrics::new());
    let request = Request::get("/reset/s3cret-token?code=123456&page=2").header("x-forwarded-for", "203.0.113.77");
    let (_, lines) = ask(&metrics, request).await;
    let access = lines.access();
    assert_eq!(access.len(), 1);
    let line = &access[0];
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/reset/[filtered]");
    assert_eq!(line["query"], "code=[filtered]&page=2");
    assert_eq!(line["status"], 204);
    assert_eq!(line["client"], "203.0.113.0/24");
    assert_eq!(line["account_id"], ACCOUNT.to_string());
    assert!(line["duration_ms"].is_u64() && line["timestamp"].is_string());
    let everything = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for secret in ["s3cret", "123456", "203.0.113.77"] {
        assert!(!everything.contains(secret), "{secret} is in the log");
    }
    let counted = r#"vestibule_http_requests_total{route="/reset/{token}",status="2xx"} 1"#;
    assert!(metrics.render().unwrap().contains(counted));
}

#[tokio::test]
async fn unknown_paths_do_not_become_time_series() {
    let metrics = Arc::new(Metrics::new());
    let (response, _) = ask(&metrics, Request::get("/wp-login.php")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let text = metrics.render().unwrap();
    assert!(text.contains(r#"route="none",status="4xx"} 1"#) && !text.contains("wp-login"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_with_503() {
    let (response, lines) = ask(&Arc::default(), Request::get("/never")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["status"], 503);
    assert_eq!(problem["error_id"], ID.to_string());
    assert_eq!(lines.access()[0]["duration_ms"], 31_000);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_the_clients_fault() {
    let begun = futures_util::stream::once(async { Ok::<_, io::Error>("a=") });
    let stuck = Body::from_stream(futures_util::StreamExt::chain(begun, futures_util::stream::pending()));
    let (response, lines) = send(&Arc::default(), Request::post("/body"), stuck).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&408.into(), &"Request Timeout".into()));
    assert_eq!(lines.access()[0]["status"], 408);
    // One that came whole is not.
    let (response, _) = send(&Arc::default(), Request::post("/never"), Body::from("a=b")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let (response, _) = send(&Arc::default(), Request::post("/body"), Body::from("a=b")).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "a=b");
}
