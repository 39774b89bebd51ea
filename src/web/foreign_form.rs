//! The form in which a browser brings a SAML message from a provider's page. It proves nothing by itself, so nothing here looks
//! at cookies or form tokens; what it holds must prove itself. Smaller forms of that kind are `ForeignFields` in `extract.rs`.

use super::error::PageError;
use super::extract::{is_form, read};
use super::site::Site;
use axum::extract::{FromRequest, Request};
use std::collections::HashMap;
use std::sync::Arc;

/// Most bytes of such a form: a response with a thousand groups fits, encoded twice.
const MAX_BYTES: usize = 640 * 1024;

/// The fields of a form with a message.
pub struct ForeignMessage(HashMap<String, String>);

impl ForeignMessage {
    /// Takes a field's value, if it was sent.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }
}

impl FromRequest<Arc<Site>> for ForeignMessage {
    type Rejection = PageError;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        is_form(&parts.headers)?;
        Ok(Self(read(body, MAX_BYTES.max(site.max_body)).await?))
    }
}
