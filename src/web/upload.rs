//! A form with a file (`multipart/form-data`, RFC 7578), read under the same conditions as other forms: from a page of
//! ours, in this browser. What the file holds is the service's business.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, form_token_is_ours, is_cross_site};
use super::multipart::{self, Boundary};
use super::page::outcome::Failure;
use super::site::Site;
use crate::domain::id::AccountId;
use crate::service::core::Trouble;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Uploads in memory at once; who comes then is told to come again.
const PLACES: usize = 8;
/// Most bytes of a file that is taken.
pub const MAX_UPLOAD: usize = 8 * 1024 * 1024;
/// Most bytes of the form around it.
const AROUND: usize = 64 * 1024;
/// In each of these spans at least [`LEAST`] bytes have to come, so that nobody holds a place by sending nothing.
const SPAN: Duration = Duration::from_secs(5);
/// Bytes; 16 KiB in five seconds is less than a telephone line of 1998 did.
const LEAST: u64 = 16 * 1024;
/// Told to whoever finds no place.
const COME_AGAIN: Duration = Duration::from_secs(5);
/// Most bytes that are read and thrown away: a browser whose upload is cut off shows an error of its own, and not our page
/// that says what was wrong.
const MAX_READ: u64 = 64 * 1024 * 1024;

/// Places for uploads: a few in all, and one for each account, so that nobody takes those of others.
pub struct Places {
    all: Arc<Semaphore>,
    taken_by: Mutex<HashSet<AccountId>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(PLACES)), taken_by: Mutex::default() }
    }
}

impl Places {
    /// A place, or at once the reason why there is none: 429 when the same account holds one, 503 when all are taken.
    fn take(self: &Arc<Self>, owner: AccountId) -> Result<Place, PageError> {
        if !self.taken_by.lock().unwrap_or_else(PoisonError::into_inner).insert(owner) {
            return Err(PageError::TooMany(COME_AGAIN));
        }
        let mut place = Place { places: Arc::clone(self), owner, permit: None };
        let busy = |_| PageError::Trouble(Trouble::Busy { retry_after: COME_AGAIN });
        place.permit = Some(Arc::clone(&self.all).try_acquire_owned().map_err(busy)?);
        Ok(place)
    }
}

/// The place of one upload; free again when dropped.
struct Place {
    places: Arc<Places>,
    owner: AccountId,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.places.taken_by.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.owner);
    }
}

/// A form that was sent with a file; it keeps its place in memory for as long as it lives.
pub struct Upload {
    /// The file, empty when none was chosen; `None` when it is longer than [`MAX_UPLOAD`]. The form's token is not
    /// looked at then: nothing can come of it.
    pub file: Option<Bytes>,
    _place: Place,
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
        let owner = parts.extensions.get::<AccountId>().copied().ok_or(PageError::SignIn)?;
        let place = site.uploads.take(owner)?;
        let Some(bytes) = read(body).await? else { return Ok(Self { file: None, _place: place }) };
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
        let file = (file.len() <= MAX_UPLOAD).then_some(file);
        Ok(Self { file, _place: place })
    }
}

/// The body; `None` when it is too long to hold a file of at most [`MAX_UPLOAD`].
async fn read(mut body: Body) -> Result<Option<Bytes>, PageError> {
    let most = u64::try_from(MAX_UPLOAD + AROUND).unwrap_or(u64::MAX);
    if http_body::Body::size_hint(&body).lower() > MAX_READ {
        return Err(Failure::TooLarge.into());
    }
    let mut kept = BytesMut::new();
    let (mut read, mut enough, mut until) = (0_u64, LEAST, Instant::now() + SPAN);
    while let Some(frame) = timeout_at(until, body.frame()).await.map_err(|_| Failure::TooSlow)? {
        let frame = frame.map_err(|_| Failure::BadRequest)?;
        let Some(data) = frame.data_ref() else { continue };
        read = read.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if read > MAX_READ {
            return Err(Failure::TooLarge.into());
        }
        if read >= enough {
            (enough, until) = (read.saturating_add(LEAST), Instant::now() + SPAN);
        }
        if read > most {
            kept = BytesMut::new();
        } else {
            kept.extend_from_slice(data);
        }
    }
    Ok((read <= most).then(|| kept.freeze()))
}
