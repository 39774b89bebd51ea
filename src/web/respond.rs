//! Building responses: pages with their cookies, redirects. Headers that every response has are set in `frame.rs`.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::Visit;
use super::page::Page;
use super::page::words::Notice;
use super::site::Site;
use super::trace::LoggedAccount;
use crate::domain::id::AccountId;
use crate::domain::redirect::{AllowedOrigin, SafeRedirect};
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, LOCATION, REFRESH, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use std::time::Duration;

/// The application that a page's form leads to in the end.
#[derive(Clone, Debug)]
pub(super) struct LeadsTo(pub(super) AllowedOrigin);

/// The page's form leads to a provider, which may lead on from there to pages of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeadsOn;

/// The page loads a script of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scripted;

/// Pages of others may show the response in a frame: whose, says its own policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framed;

/// A response under construction.
pub struct Reply {
    response: Response,
}

impl Reply {
    /// A page.
    ///
    /// # Errors
    /// [`PageError::Render`].
    pub fn page(site: &Site, visit: &Visit, page: &impl Page) -> Result<Self, PageError> {
        Self::page_with(site, visit, StatusCode::OK, page)
    }

    /// A page with another status than 200.
    ///
    /// # Errors
    /// [`PageError::Render`].
    pub fn page_with(site: &Site, visit: &Visit, status: StatusCode, page: &impl Page) -> Result<Self, PageError> {
        let mut response = Response::new(Body::from(page.html()?));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
        let mut reply = Self { response }.of(visit);
        if !visit.csrf_is_known {
            reply = reply.cookie(jar.set_csrf(&site.surroundings, &visit.csrf));
        }
        if visit.notice.is_some() {
            reply = reply.cookie(jar.drop_flash());
        }
        Ok(reply)
    }

    /// What somebody else has begun.
    #[must_use]
    pub const fn of_response(response: Response) -> Self {
        Self { response }
    }

    /// Has the browser go on to an identity provider by itself, as a page: unlike a redirect that is no part of the form
    /// that was sent, to which browsers apply `form-action`.
    #[must_use]
    pub fn going_on_to(mut self, address: &str) -> Self {
        if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={address}")) {
            self.response.headers_mut().insert(REFRESH, refresh);
        }
        self
    }

    /// 303: a form was taken, go on there with GET. Never 307, which would send the form's secrets along (RFC 9700 §4.12).
    #[must_use]
    pub fn see_other(target: &SafeRedirect) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let location = HeaderValue::from_str(target.as_str()).unwrap_or(HeaderValue::from_static("/"));
        response.headers_mut().insert(LOCATION, location);
        Self { response }
    }

    /// 303 to an identity provider: an address that was put together from the provider's own metadata.
    #[must_use]
    pub fn away_to(address: &str) -> Self {
        let mut reply = Self::see_other(&SafeRedirect::to(super::page::paths::LOGIN));
        if let Ok(location) = HeaderValue::from_str(address) {
            reply.response.headers_mut().insert(LOCATION, location);
        }
        reply
    }

    /// Notes who acted, for the access log.
    #[must_use]
    pub fn of(mut self, visit: &Visit) -> Self {
        if let Some(person) = &visit.person {
            self.response.extensions_mut().insert(LoggedAccount(person.account().uuid()));
        }
        self
    }

    /// Notes whose session opened, for the access log.
    #[must_use]
    pub fn by(mut self, account: AccountId) -> Self {
        self.response.extensions_mut().insert(LoggedAccount(account.uuid()));
        self
    }

    /// Sets a cookie.
    #[must_use]
    pub fn cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        if let Some(cookie) = cookie {
            self.response.headers_mut().append(SET_COOKIE, cookie);
        }
        self
    }

    /// Says something on the next page.
    #[must_use]
    pub fn notice(self, site: &Site, notice: Notice) -> Self {
        let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
        self.cookie(jar.set_flash(&site.surroundings, notice.code()))
    }

    /// Lets the page load a script of ours, if it has something to do for one.
    #[must_use]
    pub fn scripted(mut self, has_one: bool) -> Self {
        if has_one {
            self.response.extensions_mut().insert(Scripted);
        }
        self
    }

    /// Lets the page's form lead on to where the person wants to go, when that is not a page of ours.
    #[must_use]
    pub fn leading_to(mut self, target: Option<&str>) -> Self {
        if let Some(origin) = target.and_then(|text| url::Url::parse(text).ok()).and_then(|url| AllowedOrigin::of(&url))
        {
            self.response.extensions_mut().insert(LeadsTo(origin));
        }
        self
    }

    /// Lets the page's form be redirected on: a provider decides by itself which of its hosts goes on with a message.
    #[must_use]
    pub fn leading_on(mut self) -> Self {
        self.response.extensions_mut().insert(LeadsOn);
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        if let Some(wait) = wait {
            self.response.headers_mut().insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.response.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    /// The response.
    #[must_use]
    pub fn done(self) -> Response {
        self.response
    }
}
