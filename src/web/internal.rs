//! What operators and their machines ask: is the process alive, is it ready, what has it counted.
//! `/metrics` belongs on the internal listener only; health and readiness on both.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::service::metrics::Metrics;

/// Asks whether requests can be served now. The error names what is missing, in words for an operator; it is logged
/// and not shown to whoever asks.
pub type Readiness = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// `/health` (the process answers) and `/ready` (its stores answer too, and it is not stopping).
pub fn health_routes(readiness: Readiness) -> Router {
    Router::new().route("/health", get(health)).route("/ready", get(ready)).with_state(readiness)
}

/// Everything on the internal listener: `/metrics`, `/health`, `/ready`.
pub fn router(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new().route("/metrics", get(show_metrics)).with_state(metrics).merge(health_routes(readiness))
}

async fn health() -> Response {
    plain(StatusCode::OK, "ok\n")
}

async fn ready(State(readiness): State<Readiness>) -> Response {
    match readiness().await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(missing) => {
            tracing::warn!(missing, "not ready");
            plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }
}

async fn show_metrics(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.render() {
        Ok(text) => with_type(StatusCode::OK, Metrics::MEDIA_TYPE, Body::from(text)),
        Err(error) => {
            tracing::error!(%error, "cannot render metrics");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics are not available\n")
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    with_type(status, "text/plain; charset=utf-8", Body::from(text))
}

fn with_type(status: StatusCode, media_type: &'static str, body: Body) -> Response {
    const HEADERS: [HeaderName; 2] = [header::CONTENT_TYPE, header::CACHE_CONTROL];
    let [content_type, cache_control] = HEADERS;
    let headers =
        [(content_type, HeaderValue::from_static(media_type)), (cache_control, HeaderValue::from_static("no-store"))];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::service::metrics::VerifyOutcome;

    async fn answer(router: Router, path: &str) -> (StatusCode, String, String) {
        let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let media_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, media_type, String::from_utf8(body.to_vec()).unwrap())
    }

    fn always(outcome: Result<(), &'static str>) -> Readiness {
        Arc::new(move || Box::pin(async move { outcome.map_err(str::to_owned) }))
    }

    #[tokio::test]
    async fn metrics_are_shown_on_the_internal_router() {
        let metrics = Arc::new(Metrics::new());
        metrics.verify(VerifyOutcome::Allowed);
        let (status, media_type, text) = answer(router(metrics, always(Ok(()))), "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(media_type, Metrics::MEDIA_TYPE);
        assert!(text.contains("vestibule_verify_total{outcome=\"allowed\"} 1\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[tokio::test]
    async fn what_is_missing_is_not_told_to_whoever_asks() {
        let unready = || health_routes(always(Err("database /var/lib/vestibule/vestibule.db is locked")));
        let (status, _, text) = answer(unready(), "/ready").await;
        assert_eq!((status, text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"));
        let (status, _, _) = answer(unready(), "/health").await;
        assert_eq!(status, StatusCode::OK, "a process that waits for its store must not be restarted for it");
    }

    #[tokio::test]
    async fn health_routes_show_no_metrics() {
        let response =
            health_routes(always(Ok(()))).oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
