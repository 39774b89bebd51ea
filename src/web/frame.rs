//! What is around every page: use cases run to their end even when the browser goes away, failures get their page, and
//! every response gets the security headers.

use super::cookies::Jar;
use super::error::{ConfirmFirst, Failed, SignInFirst};
use super::extract::{Visit, stranger};
use super::listener::Hostless;
use super::page::outcome::{ErrorPage, Failure};
use super::page::{Page, Shell, paths};
use super::respond::{Framed, LeadsOn, LeadsTo, Reply, Scripted};
use super::site::{Site, content_security_policy};
use super::trace::{Patience, RequestId};
use crate::domain::face::Contrast;
use crate::domain::redirect::SafeRedirect;
use crate::service::texts::Texts;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, HeaderMap, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Method, StatusCode, Uri};
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// How long it may take to find out whose page a failure gets.
const READER: Duration = Duration::from_millis(500);

/// Middleware for `axum::middleware::from_fn_with_state`, inside `trace`.
pub async fn frame(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = Asked {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        language: stranger(&parts, &site).language,
        contrast: Contrast::default(),
        cookies: cookies(&parts.headers),
        id: parts.extensions.get::<RequestId>().map(|id| id.0.to_string()),
    };
    if parts.headers.get_all(HOST).iter().nth(1).is_some() || parts.extensions.get::<Hostless>().is_some() {
        // RFC 9112 §3.2; two parties could read such a request as being for two hosts.
        let mut response = asked.explained(&site, super::error::PageError::from(Failure::BadRequest).into_response());
        secure(&site, &mut response);
        return response;
    }
    let patience = parts.extensions.get::<Patience>().cloned();
    let request = Request::from_parts(parts, body);
    // A browser that goes away drops this future; a use case must not stop between its commit and what follows it.
    let running = tokio::spawn(next.run(request).in_current_span());
    let done = match &patience {
        Some(patience) => tokio::time::timeout_at(patience.until, running).await.map_err(|_| patience.given_up()),
        None => Ok(running.await),
    };
    let response = match done {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "a handler did not return");
            failing(Failed { failure: Failure::Internal, retry_after: None, logged: true })
        }
        Err(failed) => failing(failed),
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        // What kept the answer may keep this too.
        drop(tokio::time::timeout(READER, asked.reader(&site)).await);
    }
    let mut response = asked.explained(&site, response);
    secure(&site, &mut response);
    response
}

impl Patience {
    /// RFC 9110 section 15.5.9: a body that does not come is the client's doing.
    fn given_up(&self) -> Failed {
        if self.arrival.is_awaited() {
            return Failed { failure: Failure::TooSlow, retry_after: None, logged: false };
        }
        tracing::warn!("request took too long");
        Failed { failure: Failure::Unavailable, retry_after: Some(Duration::from_secs(5)), logged: true }
    }
}

fn failing(failed: Failed) -> Response {
    let mut response = status(failed.failure).into_response();
    response.extensions_mut().insert(failed);
    response
}

fn cookies(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(COOKIE).iter().map(|value| (COOKIE, value.clone())).collect()
}

struct Asked {
    method: Method,
    uri: Uri,
    language: crate::domain::language::Language,
    contrast: Contrast,
    cookies: HeaderMap,
    id: Option<String>,
}

impl Asked {
    /// What went wrong is told in the words and the contrast of whoever is signed in, as far as that can be found out.
    async fn reader(&mut self, site: &Site) {
        let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
        let Some(handle) = jar.session(&self.cookies) else { return };
        if let Ok(Some(alive)) = site.sessions.find(&handle, site.surroundings.now()).await {
            let account = &alive.card.account;
            self.language = account.language.unwrap_or(self.language);
            self.contrast = account.contrast;
        }
    }

    /// Gives a response without a body of its own the page or problem that explains it.
    fn explained(&self, site: &Site, response: Response) -> Response {
        if response.extensions().get::<SignInFirst>().is_some() {
            return self.sign_in_first();
        }
        if response.extensions().get::<ConfirmFirst>().is_some() {
            return self.confirm_first();
        }
        let failed = response.extensions().get::<Failed>().copied().or_else(|| of_router(&response));
        let Some(failed) = failed else { return response };
        let mut explained =
            if self.uri.path().starts_with("/api/") { self.problem(failed) } else { self.page(site, failed) };
        if let Some(wait) = failed.retry_after {
            explained.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        // Methods that the router named stay named.
        if let Some(allowed) = response.headers().get(http::header::ALLOW) {
            explained.headers_mut().insert(http::header::ALLOW, allowed.clone());
        }
        explained
    }

    /// To the sign-in page, and back here afterwards if this was a page.
    fn sign_in_first(&self) -> Response {
        let here = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let back = (self.method == Method::GET).then(|| SafeRedirect::parse(here, &[])).flatten();
        leading_back(paths::LOGIN, back.as_ref())
    }

    /// To the page that asks for a fresh proof, and back here; what a form sent has to be sent again.
    fn confirm_first(&self) -> Response {
        let here = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let back = (self.method == Method::GET).then(|| SafeRedirect::parse(here, &[])).flatten();
        let of_identities = self.uri.path().starts_with(paths::ACCOUNT_IDENTITIES);
        let room = if of_identities { paths::ACCOUNT_IDENTITIES } else { paths::ACCOUNT_SECURITY };
        leading_back(paths::LOGIN_CONFIRM, Some(&back.unwrap_or_else(|| SafeRedirect::to(room))))
    }

    fn page(&self, site: &Site, failed: Failed) -> Response {
        let shell = Shell {
            t: Texts::for_language(self.language),
            product: site.core.policy.product.clone(),
            csrf: String::new(),
            brand: Arc::clone(&site.brand),
            notice: None,
            contrast: self.contrast,
            face: None,
        };
        let error_id = self.id.clone().filter(|_| failed.logged);
        let page = ErrorPage { shell, failure: failed.failure, error_id, home: "/".into() };
        let mut response = Response::new(page.html().map_or_else(|_| Body::empty(), Body::from));
        *response.status_mut() = status(failed.failure);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }

    /// RFC 9457.
    fn problem(&self, failed: Failed) -> Response {
        let status = status(failed.failure);
        let mut problem = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
        });
        if let (Some(id), true, Some(map)) = (&self.id, failed.logged, problem.as_object_mut()) {
            map.insert("error_id".to_owned(), id.clone().into());
        }
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

fn leading_back(page: &'static str, back: Option<&SafeRedirect>) -> Response {
    let with_back = |back: &SafeRedirect| {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", back.as_str()).finish();
        SafeRedirect::parse(&format!("{page}?{query}"), &[])
    };
    Reply::see_other(&back.and_then(with_back).unwrap_or_else(|| SafeRedirect::to(page))).done()
}

fn status(failure: Failure) -> StatusCode {
    StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What the router itself refused has a status and no page.
fn of_router(response: &Response) -> Option<Failed> {
    let html = response.headers().get(CONTENT_TYPE).is_some_and(|value| !value.as_bytes().starts_with(b"text/plain"));
    if html {
        return None;
    }
    let failure = match response.status() {
        StatusCode::BAD_REQUEST => Failure::BadRequest,
        StatusCode::NOT_FOUND => Failure::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Failure::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Failure::UnsupportedMedia,
        _ => return None,
    };
    Some(Failed { failure, retry_after: None, logged: false })
}

fn secure(site: &Site, response: &mut Response) {
    let extensions = response.extensions();
    let (scripted, on) = (extensions.get::<Scripted>().is_some(), extensions.get::<LeadsOn>().is_some());
    let policy = content_security_policy(extensions.get::<LeadsTo>().map(|leads| (&leads.0, on)), scripted);
    let framed = response.extensions().get::<Framed>().is_some();
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // Files have a stricter one of their own.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !framed {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    // Not no-referrer: browsers would then send `Origin: null` with our own forms (Fetch §3.2).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    // Pictures are shown by main apps too.
    headers.entry("cross-origin-resource-policy").or_insert(HeaderValue::from_static("same-origin"));
    headers
        .insert("permissions-policy", HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if site.strict_transport {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, a_year);
    }
}

/// The page for a path that does not exist.
pub async fn not_found(_visit: Visit) -> Result<Response, super::error::PageError> {
    Err(Failure::NotFound.into())
}
