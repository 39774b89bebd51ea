//! A form with a file (`multipart/form-data`, RFC 7578), read under the same conditions as other forms: from a page of
//! ours, in this browser. What the file holds is the service's business.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, form_token_is_ours, is_cross_site};
use super::multipart::{self, Boundary};
use super::page::outcome::Failure;
use super::site::Site;
use crate::service::core::Trouble;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Uploads in memory at once; others wait, for as long as a request may take.
pub const PLACES: usize = 8;
/// Most bytes of a body that is taken.
pub const MAX_UPLOAD: usize = 8 * 1024 * 1024;
/// Most bytes that are read and thrown away: a browser whose upload is cut off shows an error of its own, and not our page
/// that says what was wrong.
const MAX_READ: u64 = 64 * 1024 * 1024;

/// A form that was sent with a file; it keeps its place in memory for as long as it lives.
pub struct Upload {
    /// The file; empty when none was chosen.
    pub file: Bytes,
    _place: OwnedSemaphorePermit,
}

impl FromRequest<Arc<Site>> for Upload {
    type Rejection = PageError;

    /// Handlers take the person first: a stranger's body is not read.
    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = Boundary::of(media).ok_or(Failure::UnsupportedMedia)?;
        if is_cross_site(&parts.headers, site.origin()) {
            return Err(Failure::FormExpired.into());
        }
        let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
        let secret = jar.csrf(&parts.headers).ok_or(Failure::FormExpired)?;
        let busy = |_| PageError::Trouble(Trouble::Busy { retry_after: Duration::from_secs(5) });
        let place = Arc::clone(&site.uploads).acquire_owned().await.map_err(busy)?;
        let bytes = read(body).await?;
        let sent = multipart::parse(&bytes, &boundary).ok_or(Failure::BadRequest)?;
        let mut fields = HashMap::new();
        let mut file = Bytes::new();
        for part in sent {
            if part.is_file {
                file = bytes.slice(part.body);
                continue;
            }
            let text = bytes.get(part.body).and_then(|text| std::str::from_utf8(text).ok());
            fields.insert(part.name, text.ok_or(Failure::BadRequest)?.to_owned());
        }
        let fields = Fields(fields);
        if !form_token_is_ours(&secret, jar.session(&parts.headers).as_ref(), fields.text("csrf")) {
            return Err(Failure::FormExpired.into());
        }
        Ok(Self { file, _place: place })
    }
}

/// The body, as far as it is no longer than [`MAX_UPLOAD`].
async fn read(mut body: Body) -> Result<Bytes, PageError> {
    if http_body::Body::size_hint(&body).lower() > MAX_READ {
        return Err(Failure::TooLarge.into());
    }
    let mut kept = BytesMut::new();
    let mut read = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::BadRequest)?;
        let Some(data) = frame.data_ref() else { continue };
        read = read.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if read > MAX_READ {
            return Err(Failure::TooLarge.into());
        }
        if read > u64::try_from(MAX_UPLOAD).unwrap_or(u64::MAX) {
            kept = BytesMut::new();
        } else {
            kept.extend_from_slice(data);
        }
    }
    if read > u64::try_from(MAX_UPLOAD).unwrap_or(u64::MAX) {
        return Err(Failure::TooLarge.into());
    }
    Ok(kept.freeze())
}
