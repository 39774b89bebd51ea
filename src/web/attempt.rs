//! What the pages of a sign-in under way have in common: the attempt of this browser, the way back to the beginning, and how
//! long somebody has to wait. Each step has a file of its own.

use super::cookies::Jar;
use super::page::paths;
use super::respond::Reply;
use super::site::Site;
use crate::domain::redirect::SafeRedirect;
use crate::service::sign_in::AttemptHandle;
use axum::response::Response;
use http::HeaderMap;
use std::time::Duration;

/// The attempt that this browser began.
pub(super) fn attempt(site: &Site, headers: &HeaderMap) -> Option<AttemptHandle> {
    Jar::new(&site.cookies, &site.core.cookie_keys).attempt(headers)
}

/// To the beginning: there is no attempt, or it is over.
pub(super) fn begin_again() -> Response {
    Reply::see_other(&SafeRedirect::to(paths::LOGIN)).done()
}

/// A time to wait as pages say it: whole minutes, at least one.
pub(super) fn minutes(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX).max(1)
}
