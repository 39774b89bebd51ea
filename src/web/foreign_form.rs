//! Forms that come from another site on purpose: a browser brings an identity provider's message. They prove nothing by
//! themselves, so nothing here looks at cookies or form tokens; what they hold must prove itself.

use super::error::PageError;
use super::page::outcome::Failure;
use super::site::Site;
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use std::collections::HashMap;
use std::sync::Arc;

/// Most bytes of such a form: a response with a thousand groups fits, encoded twice.
const MAX_BYTES: usize = 640 * 1024;

/// The fields of a form from another site.
pub struct ForeignFields(HashMap<String, String>);

impl ForeignFields {
    /// Takes a field's value, if it was sent.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }
}

impl FromRequest<Arc<Site>> for ForeignFields {
    type Rejection = PageError;

    async fn from_request(request: Request, _site: &Arc<Site>) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
            return Err(Failure::UnsupportedMedia.into());
        }
        let bytes = axum::body::to_bytes(body, MAX_BYTES).await.map_err(|_| Failure::TooLarge)?;
        let mut fields = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(&bytes) {
            // Of two values each side could take another one.
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Failure::BadRequest.into());
            }
        }
        Ok(Self(fields))
    }
}
