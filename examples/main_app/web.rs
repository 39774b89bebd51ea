//! HTTP: who is there is asked before every page, and every form must come from this application.

use crate::App;
use crate::identity::{Absent, Person};
use crate::pages::{Frame, MePage, ProblemPage};
use crate::projects;
use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, ORIGIN, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;

/// All addresses.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(projects::all))
        .route("/projects", post(projects::add))
        .route("/projects/{id}", get(projects::one))
        .route("/projects/{id}/packages", post(projects::add_package))
        .route("/packages/{id}", get(projects::package).post(projects::change_package))
        .route("/packages/{id}/comments", post(projects::add_comment))
        .route("/packages/{id}/time", post(projects::add_time))
        .route("/me", get(me))
        .route("/style.css", get(async || ([(CONTENT_TYPE, "text/css")], include_str!("style.css"))))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}

/// Refuses forms of other sites, and tells browsers what pages of this one may do.
///
/// The session cookie is `SameSite=Lax`, but another port of localhost, or a sibling host, is the same *site*. So the
/// origin that the browser names (RFC 6454 section 7) must be ours.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let origin = request.headers().get(ORIGIN).map(HeaderValue::as_bytes);
    let mut response = if reads || origin == Some(app.own_url.as_bytes()) {
        next.run(request).await
    } else {
        problem(StatusCode::FORBIDDEN, "Not from here", "This form was not sent by a page of this application.")
    };
    // A form may end at the sign-in page, when the session is over.
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        app.vestibule
    );
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let person = app.source.person(&parts.headers).await.map_err(|absent| refuse(app, parts, &absent))?;
        app.store.met(&person).await.map_err(|error| broken(&error))?;
        Ok(person)
    }
}

fn refuse(app: &App, parts: &Parts, absent: &Absent) -> Response {
    match absent {
        Absent::SignedOut => {
            // What a form held is lost; the page that had it may be long gone, so the person starts at the front.
            let reads = matches!(parts.method, Method::GET | Method::HEAD);
            let path = parts.uri.path_and_query().filter(|_| reads).map_or("/", |path| path.as_str());
            let back: String = byte_serialize(format!("{}{path}", app.own_url).as_bytes()).collect();
            see_other(&format!("{}/login?return_to={back}", app.vestibule))
        }
        Absent::NoToken(why) => {
            let text = format!("This request brought no token of the sign-in service that counts: {why}.");
            problem(StatusCode::UNAUTHORIZED, "Who is there?", &text)
        }
        Absent::NoAnswer => {
            let text = "The sign-in service does not answer. You are still signed in; try again in a moment.";
            let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "One moment", text);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
            response
        }
        Absent::Misconfigured => {
            let text = "The sign-in service does not accept the secret of this application.";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "Not set up", text)
        }
    }
}

/// What every page shows about the person.
pub(crate) fn frame(app: &App, person: Person) -> Frame {
    Frame { person, sign_out: format!("{}/logout", app.vestibule), account: format!("{}/account", app.vestibule) }
}

async fn me(State(app): State<Arc<App>>, person: Person, headers: HeaderMap) -> Response {
    let plain = headers.iter().filter(|(name, _)| name.as_str().starts_with("remote-"));
    let plain = plain.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    show(&MePage { plain: plain.collect(), source: app.source.name(), frame: frame(&app, person) })
}

/// A page.
pub(crate) fn show(page: &impl Template) -> Response {
    html(StatusCode::OK, page)
}

/// A page about something that did not work.
pub(crate) fn problem(status: StatusCode, title: &str, text: &str) -> Response {
    html(status, &ProblemPage { title, text })
}

/// The database did not do it. What it said is for the log.
pub(crate) fn broken(error: &sqlx::Error) -> Response {
    match error {
        sqlx::Error::RowNotFound => problem(StatusCode::NOT_FOUND, "Not here", "There is nothing at this address."),
        sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
            problem(StatusCode::BAD_REQUEST, "Not here", "That project, work package or person does not exist.")
        }
        _ => problem(StatusCode::INTERNAL_SERVER_ERROR, "Not now", "The database of this application has a problem."),
    }
}

/// Sends the browser on with GET.
pub(crate) fn see_other(target: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
