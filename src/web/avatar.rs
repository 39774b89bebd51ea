//! `/avatar/{key}`: somebody's picture, for people who are signed in and for main apps. The own one, and changing it, is
//! `account/avatar.rs`.

use super::error::PageError;
use super::extract::Visit;
use super::page::outcome::Failure;
use super::site::Site;
use super::whoami::credential;
use crate::domain::face::PictureKey;
use crate::service::avatar::Viewer;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::Response;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
};
use http::{HeaderValue, StatusCode};
use std::sync::Arc;

/// `GET /avatar/{key}`. The key is unguessable and not enough: 401 without a session or an application's secret.
pub async fn get(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let (mut parts, _) = request.into_parts();
    let jpeg = if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let client = match credential(&site, &parts, value).await {
            Ok(client) => client,
            Err(response) => return Ok(*response),
        };
        read(&site, &Viewer::Application(&client), &key).await?
    } else {
        let visit = Visit::from_request_parts(&mut parts, &site).await?;
        let Some(who) = &visit.person else { return Ok(nobody()) };
        read(&site, &Viewer::Person(who), &key).await?
    };
    let Some(jpeg) = jpeg else { return Err(Failure::NotFound.into()) };
    // Another picture has another address; an hour is how long a removed one may still be seen by those who saw it.
    let mut response = shown(&parts.headers, &key, "image/jpeg", jpeg);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Cookie, Authorization"));
    response.headers_mut().insert("cross-origin-resource-policy", HeaderValue::from_static("same-site"));
    Ok(response)
}

async fn read(site: &Site, viewer: &Viewer<'_>, key: &str) -> Result<Option<Vec<u8>>, PageError> {
    let Some(key) = PictureKey::parse(key) else { return Ok(None) };
    site.avatars.by_key(viewer, &key).await.map_err(PageError::Trouble)
}

fn nobody() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

/// A picture, or 304 when the browser has it (RFC 9110 §13.1.2). Opened by itself it is a document in which nothing runs.
pub(super) fn shown(asked: &HeaderMap, tag: &str, media: &'static str, bytes: Vec<u8>) -> Response {
    let tag = format!("\"{tag}\"");
    let known = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(','));
    let has_it = known.any(|one| one.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(if has_it { Body::empty() } else { Body::from(bytes) });
    if has_it {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}
