//! What the pages of a sign-in under way have in common: the attempt of this browser, and how long somebody has to wait.
//! Each step has a file of its own.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::site::Site;
use crate::service::sign_in::AttemptHandle;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::HeaderMap;
use http::request::Parts;
use std::sync::Arc;
use std::time::Duration;

/// A visit of a browser with a sign-in under way; others are sent to the beginning.
pub struct UnderWay {
    /// The visit.
    pub visit: Visit,
    /// The attempt that this browser began.
    pub handle: AttemptHandle,
}

/// A form of such a browser. A form that is not ours is refused before anybody looks for the attempt.
pub struct StepForm {
    /// The visit.
    pub visit: Visit,
    /// The attempt that this browser began.
    pub handle: AttemptHandle,
    /// What it sent.
    pub fields: Fields,
}

impl FromRequestParts<Arc<Site>> for UnderWay {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, PageError> {
        let visit = Visit::from_request_parts(parts, site).await?;
        Ok(Self { visit, handle: attempt(site, &parts.headers)? })
    }
}

impl FromRequest<Arc<Site>> for StepForm {
    type Rejection = PageError;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, site).await?;
        let handle = attempt(site, &parts.headers);
        let fields = Fields::from_request(Request::from_parts(parts, body), site).await?;
        Ok(Self { visit, handle: handle?, fields })
    }
}

fn attempt(site: &Site, headers: &HeaderMap) -> Result<AttemptHandle, PageError> {
    Jar::new(&site.cookies, &site.core.cookie_keys).attempt(headers).ok_or(PageError::BeginAgain)
}

/// A time to wait as pages say it: whole minutes, at least one.
pub(super) fn minutes(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX).max(1)
}
