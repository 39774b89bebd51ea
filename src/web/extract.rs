//! What handlers take: the context, the person, a form. Caller types are vouched for here and nowhere else in `web/`.

use super::cookies::Jar;
use super::error::PageError;
use super::page::outcome::Failure;
use super::page::words::Notice;
use super::page::{Face, Shell};
use super::site::Site;
use super::trace::RequestId;
use crate::domain::audit::Actor;
use crate::domain::device;
use crate::domain::face::initials;
use crate::domain::forwarded::Client;
use crate::domain::id;
use crate::domain::language::Language;
use crate::domain::secret::Secret;
use crate::domain::session::HandleHash;
use crate::service::caller::{AppClient, SignedIn, SteppedUp};
use crate::service::context::{Context, Origin};
use crate::service::core::fingerprint;
use crate::service::session::{Alive, Handle};
use crate::service::texts::Texts;
use aws_lc_rs::hmac;
use axum::extract::{FromRequest, FromRequestParts, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, USER_AGENT};
use http::request::Parts;
use std::collections::HashMap;
use std::sync::Arc;
use zeroize::Zeroize;

/// What every page needs to know of its request: context, visitor, form secret, note.
pub struct Visit {
    /// The context, acting as the visitor.
    pub ctx: Context,
    /// The visitor, when signed in.
    pub person: Option<SignedIn>,
    /// The secret behind this browser's form tokens.
    pub(super) csrf: Secret<[u8; 32]>,
    /// The session cookie that the tokens are bound to, alive or not.
    pub(super) bound_to: Option<HandleHash>,
    /// Whether the browser has that secret already.
    pub(super) csrf_is_known: bool,
    /// What was just done, told once.
    pub(super) notice: Option<Notice>,
}

impl Visit {
    /// What is around this visitor's page.
    #[must_use]
    pub fn shell(&self, site: &Site) -> Shell {
        Shell {
            t: Texts::for_language(self.ctx.language),
            product: site.core.policy.product.clone(),
            csrf: form_token(&self.csrf, self.bound_to.as_ref()),
            notice: self.notice,
            brand: Arc::clone(&site.brand),
            contrast: self.person.as_ref().map(|who| who.card().account.contrast).unwrap_or_default(),
            face: self.person.as_ref().map(face),
        }
    }

    /// The same for a page that comes with a new session: its forms are bound to that one.
    #[must_use]
    pub fn shell_of(&self, site: &Site, session: &Handle) -> Shell {
        let csrf = form_token(&self.csrf, Some(&fingerprint(session.expose())));
        Shell { csrf, ..self.shell(site) }
    }

    /// What a question to a passkey of anybody's is bound to: this browser.
    #[must_use]
    pub fn seat(&self) -> HandleHash {
        fingerprint(&[b"browser\0".as_slice(), self.csrf.expose()].concat())
    }

    /// The catalogue of this visitor's language.
    #[must_use]
    pub fn texts(&self) -> &'static Texts {
        Texts::for_language(self.ctx.language)
    }
}

fn face(who: &SignedIn) -> Face {
    let account = &who.card().account;
    Face { initials: initials(&account.name), has_picture: account.picture.is_some() }
}

/// The token in a form: proves that the form came from a page of ours in this very browser
/// and in this very session.
pub(super) fn form_token(secret: &Secret<[u8; 32]>, session: Option<&HandleHash>) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, &bound(session)).as_ref())
}

pub(super) fn form_token_is_ours(secret: &Secret<[u8; 32]>, session: Option<&HandleHash>, token: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    URL_SAFE_NO_PAD.decode(token).is_ok_and(|tag| hmac::verify(&key, &bound(session), &tag).is_ok())
}

fn bound(session: Option<&HandleHash>) -> Vec<u8> {
    [b"form".as_slice(), session.map_or(&[], HandleHash::as_slice)].concat()
}

impl FromRequestParts<Arc<Site>> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, PageError> {
        let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
        let mut ctx = stranger(parts, site);
        let person = person(site, &jar, &parts.headers, &ctx).await?;
        if let Some(person) = &person {
            ctx = ctx.acting_as(Actor::Account(person.account()));
            ctx.language = person.card().account.language.unwrap_or(ctx.language);
        }
        let known = jar.csrf(&parts.headers);
        let csrf_is_known = known.is_some();
        let csrf = known.unwrap_or_else(|| Secret::new(site.surroundings.bytes()));
        let notice = jar.flash(&parts.headers).and_then(|code| Notice::parse(&code));
        Ok(Self { ctx, person, csrf, bound_to: jar.session(&parts.headers), csrf_is_known, notice })
    }
}

/// The context of a request before anybody is known.
pub(super) fn stranger(parts: &Parts, site: &Site) -> Context {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let request = parts.extensions.get::<RequestId>().map_or_else(|| site.surroundings.uuid(), |id| id.0);
    let origin = Origin {
        address: parts.extensions.get::<Client>().map(|client| client.address),
        device: device::describe(text(USER_AGENT)),
    };
    let language = Language::negotiate(text(ACCEPT_LANGUAGE), Language::default());
    Context::stranger(site.surroundings.clone(), id::RequestId::new(request), origin, language)
}

pub(super) async fn person(
    site: &Site,
    jar: &Jar<'_>,
    headers: &HeaderMap,
    ctx: &Context,
) -> Result<Option<SignedIn>, PageError> {
    let Some(handle) = jar.session(headers) else { return Ok(None) };
    let alive = site.sessions.find(&handle, ctx.now()).await?;
    Ok(alive.map(|alive| vouch(alive, handle)))
}

fn vouch(alive: Alive, handle: HandleHash) -> SignedIn {
    SignedIn::vouched(alive.card, alive.session, handle)
}

/// The application behind a bearer secret.
pub(super) fn application(site: &Site, secret: &[u8]) -> Option<AppClient> {
    site.verify.application_of(secret).map(AppClient::vouched)
}

/// A visit of somebody signed in; anybody else is sent to the sign-in page.
pub struct Person {
    /// The visit.
    pub visit: Visit,
    /// Who it is.
    pub who: SignedIn,
}

impl FromRequestParts<Arc<Site>> for Person {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, PageError> {
        let visit = Visit::from_request_parts(parts, site).await?;
        let who = visit.person.clone().ok_or(PageError::SignIn)?;
        // Uploads are counted by account.
        parts.extensions.insert(who.account());
        Ok(Self { visit, who })
    }
}

/// A visit of somebody whose proof is fresh; others are asked for one first.
pub struct Fresh {
    /// The visit.
    pub visit: Visit,
    /// Who it is.
    pub who: SteppedUp,
}

impl FromRequestParts<Arc<Site>> for Fresh {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, PageError> {
        let Person { visit, who } = Person::from_request_parts(parts, site).await?;
        if !site.factors.is_fresh(&visit.ctx, &who).await? {
            return Err(PageError::Confirm);
        }
        Ok(Self { visit, who: SteppedUp::vouched(who) })
    }
}

/// A visit of somebody signed in, on a page that asks for the password itself: whoever has a second factor must have
/// proved that freshly as well.
pub struct Guarded(pub Person);

impl FromRequestParts<Arc<Site>> for Guarded {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, PageError> {
        let person = Person::from_request_parts(parts, site).await?;
        if site.factors.asks_beside_password(&person.visit.ctx, &person.who).await? {
            return Err(PageError::Confirm);
        }
        Ok(Self(person))
    }
}

impl From<Fresh> for Person {
    fn from(fresh: Fresh) -> Self {
        Self { visit: fresh.visit, who: (*fresh.who).clone() }
    }
}

/// The fields of a form that came from a page of ours, in this browser (CSRF). Wiped when dropped: passwords travel here.
pub struct Fields(pub(super) HashMap<String, String>);

impl Fields {
    /// What a field holds; empty when it was not sent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == "1")
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl FromRequest<Arc<Site>> for Fields {
    type Rejection = PageError;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        is_form(&parts.headers)?;
        if is_cross_site(&parts.headers, site.origin()) {
            return Err(Failure::FormExpired.into());
        }
        let fields = Self(read(body, site.max_body).await?);
        let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
        let secret = jar.csrf(&parts.headers).ok_or(Failure::FormExpired)?;
        let session = jar.session(&parts.headers);
        if !form_token_is_ours(&secret, session.as_ref(), fields.text("csrf")) {
            return Err(Failure::FormExpired.into());
        }
        Ok(fields)
    }
}

/// The fields of a form that a page of somebody else's may have sent. It proves nothing: whoever takes it checks what is
/// in it, and does nothing in the name of a visitor.
pub struct ForeignFields(pub HashMap<String, String>);

impl FromRequest<Arc<Site>> for ForeignFields {
    type Rejection = PageError;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        Ok(Self(foreign_fields(&parts.headers, body, site).await?))
    }
}

/// The same for whoever answers in another way than by a page.
pub(super) async fn foreign_fields(
    headers: &HeaderMap,
    body: axum::body::Body,
    site: &Site,
) -> Result<HashMap<String, String>, PageError> {
    is_form(headers)?;
    read(body, site.max_body).await
}

pub(super) fn is_form(headers: &HeaderMap) -> Result<(), PageError> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(Failure::UnsupportedMedia.into());
    }
    Ok(())
}

pub(super) async fn read(body: axum::body::Body, most: usize) -> Result<HashMap<String, String>, PageError> {
    // Not worth waiting for; chunked bodies are counted as they come.
    if http_body::Body::size_hint(&body).lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(Failure::TooLarge.into());
    }
    let bytes = axum::body::to_bytes(body, most).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error + 'static>::is::<http_body_util::LengthLimitError>);
        if too_large { Failure::TooLarge } else { Failure::BadRequest }
    })?;
    Ok(parse(&bytes).ok_or(Failure::BadRequest)?)
}

/// Whether a browser says that the form was sent from another site (Fetch Metadata; `Origin`, RFC 6454 §7).
/// A client that says neither is no browser of today; the form token still stands in its way.
pub(super) fn is_cross_site(headers: &HeaderMap, own_origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if site != "same-origin" && site != "none" => true,
        (_, Some(origin)) => origin != own_origin,
        _ => false,
    }
}

/// Fields of `application/x-www-form-urlencoded`; `None` for text that is not UTF-8 or a field sent twice.
pub(super) fn parse(bytes: &[u8]) -> Option<HashMap<String, String>> {
    let mut fields = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        // The parser replaces what is not UTF-8; a browser cannot send the replacement character by itself.
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return None;
        }
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn forms_are_read_strictly() {
        assert_eq!(parse(b"a=1&b=%C3%A9+x").unwrap().get("b").unwrap(), "é x");
        assert!(parse(b"a=%FF").is_none());
        assert!(parse(b"a=1&a=2").is_none());
    }

    #[test]
    fn another_site_is_recognised() {
        let own = "https://login.example.org";
        let from = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)));
            is_cross_site(&headers.collect(), own)
        };
        assert!(!from(&[]));
        assert!(!from(&[("sec-fetch-site", "same-origin"), ("origin", own)]));
        assert!(!from(&[("origin", own)]));
        assert!(from(&[("sec-fetch-site", "cross-site")]));
        assert!(from(&[("sec-fetch-site", "same-site")]));
        assert!(from(&[("origin", "https://evil.example")]));
        assert!(from(&[("origin", "null")]));
        assert!(from(&[("sec-fetch-site", "none"), ("origin", "https://evil.example")]));
    }

    #[test]
    fn a_form_token_fits_its_own_secret_only() {
        let (own, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let session = [7; 32];
        let token = form_token(&own, Some(&session));
        assert!(form_token_is_ours(&own, Some(&session), &token));
        assert!(!form_token_is_ours(&other, Some(&session), &token));
        assert!(!form_token_is_ours(&own, Some(&[8; 32]), &token), "another session");
        assert!(!form_token_is_ours(&own, None, &token));
        assert!(!form_token_is_ours(&own, None, ""));
    }
}
