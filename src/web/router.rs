//! Every route, and what stands around them. `/verify` and whoami are answered in front of the router.

use super::site::Site;
use super::trace::{Trace, trace};
use super::{
    account, assets, avatar, confirm, dev, forbidden, frame, internal, invitation, login, logout, lost_password, phone,
    provider, provider_logout, register, saml, security_txt, setup, step, step_factor, verify, whoami,
};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context as TaskContext, Poll};
use tower::Service;

/// Every path of the main listener with who may call it; the test of routes compares this list with its own.
pub const ROUTES: &[(&str, &str, Who)] = &[
    ("GET", "/", Who::Anybody),
    ("GET", "/login", Who::Anybody),
    ("POST", "/login", Who::Form),
    ("GET", "/login/internal", Who::Anybody),
    ("POST", "/login/internal", Who::Form),
    ("GET", "/login/{slug}", Who::Anybody),
    ("GET", "/login/{slug}/callback", Who::Anybody),
    ("POST", "/login/{slug}/callback", Who::Provider),
    ("GET", "/login/{slug}/acs", Who::Anybody),
    ("POST", "/login/{slug}/acs", Who::Provider),
    ("GET", "/login/{slug}/metadata", Who::Anybody),
    ("GET", "/login/{slug}/slo", Who::Anybody),
    ("POST", "/login/{slug}/slo", Who::Provider),
    ("POST", "/login/{slug}/backchannel-logout", Who::Provider),
    ("GET", "/login/{slug}/frontchannel-logout", Who::Anybody),
    ("GET", "/login/{slug}/logout", Who::Anybody),
    ("GET", "/login/step/password", Who::Attempt),
    ("POST", "/login/step/password", Who::Attempt),
    ("GET", "/login/step/factor", Who::Attempt),
    ("POST", "/login/step/factor", Who::Attempt),
    ("POST", "/login/step/factor/send", Who::Attempt),
    ("GET", "/login/step/enrol/phone", Who::Attempt),
    ("POST", "/login/step/enrol/phone", Who::Attempt),
    ("POST", "/login/step/enrol/phone/code", Who::Attempt),
    ("GET", "/login/step/enrol", Who::Attempt),
    ("POST", "/login/step/enrol", Who::Attempt),
    ("POST", "/login/step/enrol/passkey", Who::Attempt),
    ("POST", "/login/passkey", Who::Form),
    ("GET", "/login/confirm", Who::Person),
    ("POST", "/login/confirm", Who::Person),
    ("GET", "/login/lost-password", Who::Anybody),
    ("POST", "/login/lost-password", Who::Form),
    ("GET", "/login/reset-password", Who::Anybody),
    ("POST", "/login/reset-password", Who::Form),
    ("GET", "/logout", Who::Anybody),
    ("POST", "/logout", Who::Form),
    ("GET", "/logout/done", Who::Anybody),
    ("GET", "/forbidden", Who::Anybody),
    ("GET", "/setup", Who::Anybody),
    ("POST", "/setup", Who::Form),
    ("GET", "/invitation", Who::Anybody),
    ("POST", "/invitation", Who::Form),
    ("GET", "/register", Who::Anybody),
    ("POST", "/register", Who::Form),
    ("GET", "/register/confirm", Who::Anybody),
    ("POST", "/register/confirm", Who::Form),
    ("GET", "/account", Who::Person),
    ("GET", "/account/profile", Who::Person),
    ("POST", "/account/profile", Who::Person),
    ("GET", "/account/avatar", Who::Person),
    ("POST", "/account/avatar", Who::Person),
    ("POST", "/account/avatar/remove", Who::Person),
    ("GET", "/avatar/{key}", Who::Session),
    ("GET", "/account/email", Who::Person),
    ("POST", "/account/email", Who::Person),
    ("GET", "/account/email/confirm", Who::Person),
    ("POST", "/account/email/confirm", Who::Person),
    ("GET", "/account/password", Who::Person),
    ("POST", "/account/password", Who::Person),
    ("GET", "/account/security", Who::Person),
    ("GET", "/account/security/totp", Who::Person),
    ("POST", "/account/security/totp", Who::Person),
    ("GET", "/account/security/passkey", Who::Person),
    ("POST", "/account/security/passkey", Who::Person),
    ("GET", "/account/security/phone", Who::Person),
    ("POST", "/account/security/phone", Who::Person),
    ("POST", "/account/security/phone/code", Who::Person),
    ("POST", "/account/security/backup-codes", Who::Person),
    ("POST", "/account/security/rename", Who::Person),
    ("POST", "/account/security/prefer", Who::Person),
    ("POST", "/account/security/remove", Who::Person),
    ("POST", "/account/security/devices/forget", Who::Person),
    ("GET", "/account/identities", Who::Person),
    ("GET", "/account/identities/add", Who::Person),
    ("POST", "/account/identities/add", Who::Person),
    ("POST", "/account/identities/remove", Who::Person),
    ("GET", "/account/sessions", Who::Person),
    ("POST", "/account/sessions/end", Who::Person),
    ("POST", "/account/sessions/end-others", Who::Person),
    ("POST", "/account/devices/forget", Who::Person),
    ("GET", "/.well-known/jwks.json", Who::Anybody),
    ("GET", "/.well-known/change-password", Who::Anybody),
    ("GET", "/.well-known/passkey-endpoints", Who::Anybody),
    ("GET", "/.well-known/security.txt", Who::Anybody),
    ("GET", "/assets/{file}", Who::Anybody),
    ("GET", "/favicon.ico", Who::Anybody),
    ("GET", "/health", Who::Anybody),
    ("GET", "/ready", Who::Anybody),
    ("GET", "/verify", Who::Proxy),
    ("GET", "/api/v1/session", Who::Session),
];

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anybody,
    /// Everybody, with a form of ours and its token.
    Form,
    /// An identity provider, through somebody's browser and from another site: no form of ours, no cookie, a message that
    /// proves itself.
    Provider,
    /// The browser that began a sign-in.
    Attempt,
    /// Somebody signed in; with POST also the form's token.
    Person,
    /// A proxy, about a session.
    Proxy,
    /// The holder of a session cookie, or an application with its secret (for whoami with both).
    Session,
}

/// All pages, with everything around them.
pub fn pages(site: Arc<Site>, around: Arc<Trace>, readiness: internal::Readiness) -> Router {
    let own = Router::new()
        .route("/", get(home))
        .route("/login", get(login::get).post(login::post))
        .route("/login/internal", get(login::get_internal).post(login::post_internal))
        .route("/login/{slug}", get(provider::get))
        .route("/login/{slug}/callback", get(provider::get_callback).post(provider::post_callback))
        .route("/login/{slug}/acs", get(saml::get_answer).post(saml::post_answer))
        .route("/login/{slug}/metadata", get(saml::get_metadata))
        .route("/login/{slug}/slo", get(saml::get_logout).post(saml::post_logout))
        .route("/login/{slug}/backchannel-logout", post(provider_logout::post_backchannel))
        .route("/login/{slug}/frontchannel-logout", get(provider_logout::get_frontchannel))
        .route("/login/{slug}/logout", get(provider_logout::get_back))
        .route("/login/step/password", get(step::get_password).post(step::post_password))
        .route("/login/step/factor", get(step_factor::get).post(step_factor::post))
        .route("/login/step/factor/send", post(step_factor::post_send))
        .route("/login/step/enrol/phone", get(phone::get_step).post(phone::post_step))
        .route("/login/step/enrol/phone/code", post(phone::post_step_code))
        .route("/login/step/enrol", get(step_factor::get_enrol).post(step_factor::post_enrol))
        .route("/login/step/enrol/passkey", post(step_factor::post_enrol_passkey))
        .route("/login/passkey", post(login::post_passkey))
        .route("/login/confirm", get(confirm::get).post(confirm::post))
        .route("/login/lost-password", get(lost_password::get).post(lost_password::post))
        .route("/login/reset-password", get(lost_password::get_reset).post(lost_password::post_reset))
        .route("/logout", get(logout::get).post(logout::post))
        .route("/logout/done", get(logout::done))
        .route("/forbidden", get(forbidden::get))
        .route("/setup", get(setup::get).post(setup::post))
        .route("/invitation", get(invitation::get).post(invitation::post))
        .route("/register", get(register::get).post(register::post))
        .route("/register/confirm", get(register::get_confirm).post(register::post_confirm))
        .route("/account", get(account::get))
        .route("/account/profile", get(account::profile::get).post(account::profile::post))
        .route("/account/avatar", get(account::avatar::get).post(account::avatar::post))
        .route("/account/avatar/remove", post(account::avatar::remove))
        .route("/avatar/{key}", get(avatar::get))
        .route("/account/email", get(account::email::get).post(account::email::post))
        .route("/account/email/confirm", get(account::email::get_confirm).post(account::email::post_confirm))
        .route("/account/password", get(account::password::get).post(account::password::post))
        .merge(security_routes())
        .route("/account/identities", get(account::identities::get))
        .route("/account/identities/add", get(account::identities::get_add).post(account::identities::post_add))
        .route("/account/identities/remove", post(account::identities::remove))
        .route("/account/sessions", get(account::sessions::get))
        .route("/account/sessions/end", post(account::sessions::end))
        .route("/account/sessions/end-others", post(account::sessions::end_others))
        .route("/account/devices/forget", post(account::sessions::forget))
        .route("/.well-known/jwks.json", get(key_set))
        .route("/.well-known/change-password", get(change_password))
        .route("/.well-known/passkey-endpoints", get(passkey_endpoints))
        .route("/.well-known/security.txt", get(security_txt::get))
        .route("/assets/{file}", get(asset))
        .route("/favicon.ico", get(icon))
        .merge(dev::routes())
        .fallback(frame::not_found)
        .with_state(Arc::clone(&site));
    own.merge(internal::health_routes(readiness))
        .layer(from_fn_with_state(site, frame::frame))
        .layer(from_fn_with_state(around, trace))
}

/// The room of second factors.
fn security_routes() -> Router<Arc<Site>> {
    use account::security;
    Router::new()
        .route("/account/security", get(security::get))
        .route("/account/security/totp", get(security::get_totp).post(security::post_totp))
        .route("/account/security/passkey", get(security::get_passkey).post(security::post_passkey))
        .route("/account/security/phone", get(phone::get).post(phone::post))
        .route("/account/security/phone/code", post(phone::post_code))
        .route("/account/security/backup-codes", post(security::make_backup_codes))
        .route("/account/security/rename", post(security::rename))
        .route("/account/security/prefer", post(security::prefer))
        .route("/account/security/remove", post(security::remove))
        .route("/account/security/devices/forget", post(security::forget_device))
}

/// `GET /`: there is nothing here but the account.
async fn home() -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static(super::page::paths::ACCOUNT))]).into_response()
}

/// `GET /.well-known/change-password` (W3C "A Well-Known URL for Changing Passwords").
async fn change_password() -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static(super::page::paths::ACCOUNT_PASSWORD))])
        .into_response()
}

/// `GET /.well-known/passkey-endpoints` (W3C "A Well-Known URL for Passkey Endpoints").
async fn passkey_endpoints(State(site): State<Arc<Site>>) -> Response {
    let address = |path: &str| format!("{}{path}", site.core.policy.public_url);
    let endpoints = serde_json::json!({
        "enroll": address(super::page::paths::ACCOUNT_SECURITY_PASSKEY),
        "manage": address(super::page::paths::ACCOUNT_SECURITY),
    });
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], endpoints.to_string()).into_response()
}

/// `GET /.well-known/jwks.json`: keys that identity tokens are signed with. Rotated keys stay listed until they retire.
async fn key_set(State(site): State<Arc<Site>>) -> Response {
    let keys = serde_json::to_string(&site.core.signing_keys.key_set()).unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, keys).into_response()
}

/// `GET /assets/{file}`: the path changes with the content, so browsers may keep it for ever.
async fn asset(State(site): State<Arc<Site>>, request: axum::extract::Request) -> Response {
    let path = request.uri().path();
    let Some(asset) = assets::find(path).or_else(|| site.brand.find(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        // A drawing that is opened by itself is a document: its styles hold, nothing else does.
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox")),
    ];
    (headers, asset.bytes.clone()).into_response()
}

/// `GET /favicon.ico`: browsers ask for it by themselves where no page names an icon, such as for JSON.
async fn icon() -> Response {
    let Some(asset) = assets::find(assets::path_of(assets::File::Icon)) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400")),
    ];
    (headers, asset.bytes.clone()).into_response()
}

/// The front of the house: main apps' questions are answered here, everything else goes to the router. What is behind it
/// can be replaced while it is open; a request that is under way ends where it began.
#[derive(Clone)]
pub struct Entrance {
    behind: Arc<RwLock<Arc<Behind>>>,
}

struct Behind {
    site: Arc<Site>,
    pages: Router,
}

impl Entrance {
    /// In front of a router.
    #[must_use]
    pub fn new(site: Arc<Site>, pages: Router) -> Self {
        Self { behind: Arc::new(RwLock::new(Arc::new(Behind { site, pages }))) }
    }

    /// From the next request on, of connections that are open too, this is what is behind it. Holds for all clones.
    pub fn replace(&self, site: Arc<Site>, pages: Router) {
        let behind = Arc::new(Behind { site, pages });
        let mut slot = self.behind.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *slot, behind);
        drop(slot);
        // Perhaps the last one who holds it: not while requests wait for the lock.
        drop(before);
    }

    /// One counter up and one down, and no waiting but for the moment in which a pointer is written.
    fn behind(&self) -> Arc<Behind> {
        Arc::clone(&self.behind.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The future of [`Entrance`]: an answer that is there already costs no allocation.
pub enum Answering {
    /// There already.
    Ready(Option<Response>),
    /// Still to come.
    Pending(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Self::Pending(future) => future.as_mut().poll(cx).map(Ok),
        }
    }
}

impl<B> Service<Request<B>> for Entrance
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _cx: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        let behind = self.behind();
        let path = request.uri().path();
        if verify::is_verify(path) {
            let (parts, _body) = request.into_parts();
            return match verify::hot(&behind.site, &parts) {
                Ok(response) => Answering::Ready(Some(response)),
                Err(handle) => Answering::Pending(Box::pin(verify::cold(Arc::clone(&behind.site), parts, handle))),
            };
        }
        if path == whoami::WHOAMI {
            let (parts, _body) = request.into_parts();
            return match whoami::hot(&behind.site, &parts) {
                Some(response) => Answering::Ready(Some(response)),
                None => Answering::Pending(Box::pin(whoami::cold(Arc::clone(&behind.site), parts))),
            };
        }
        let request = request.map(|body| Body::new(body.map_err(axum::Error::new)));
        let mut pages = behind.pages.clone();
        Answering::Pending(Box::pin(async move {
            match pages.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }))
    }
}
