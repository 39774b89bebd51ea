//! The userinfo endpoint (OpenID Connect Core 1.0 section 5.3): plain JSON, or a signed token.

use super::{Known, OidcClient, OidcError, Stage};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, StatusCode};
use serde_json::{Map, Value};

impl OidcClient {
    /// What userinfo says about this subject; `None` when there is no such endpoint, or it is not wanted.
    ///
    /// # Errors
    /// [`OidcError::OtherSubject`], [`OidcError::Signature`], or why there is no answer.
    pub async fn userinfo(
        &self,
        known: &Known,
        access: &Secret<String>,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<Map<String, Value>>, OidcError> {
        let Some(address) = known.metadata.userinfo_endpoint.as_deref().filter(|_| self.settings.userinfo) else {
            return Ok(None);
        };
        let wrong = |why: &str| OidcError::Malformed { stage: Stage::Userinfo, why: why.to_owned() };
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.expose()))
            .map_err(|_| wrong("the access token does not fit into a header"))?;
        bearer.set_sensitive(true);
        let request = Request::get(address)
            .header(ACCEPT, "application/json, application/jwt")
            .header(AUTHORIZATION, bearer)
            .body(Vec::new())
            .map_err(|_| wrong("its address is none"))?;
        let answer = self.fetcher.send(request).await;
        let answer = answer.map_err(|error| OidcError::Away { stage: Stage::Userinfo, error })?;
        if answer.status() == StatusCode::UNAUTHORIZED && names_the_token(&answer) {
            return Err(OidcError::TokenRefused);
        }
        if answer.status() != StatusCode::OK {
            return Err(OidcError::Status { stage: Stage::Userinfo, status: answer.status().as_u16() });
        }
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let claims = match kind.as_str() {
            "application/jwt" => {
                let token = std::str::from_utf8(answer.body()).map_err(|_| wrong("it is no text"))?;
                self.signed(token.trim(), now).await?
            }
            "application/json" => serde_json::from_slice(answer.body()).map_err(|_| wrong("it is no JSON object"))?,
            _ => return Err(wrong("it is neither JSON nor a signed token")),
        };
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(OidcError::OtherSubject);
        }
        Ok(Some(claims))
    }

    /// A signed answer names its issuer and is for us, where it says so (section 5.3.2).
    async fn signed(&self, token: &str, now: Timestamp) -> Result<Map<String, Value>, OidcError> {
        let claims = self.verified(token, now).await?.claims;
        let wrong = |why: &str| OidcError::Malformed { stage: Stage::Userinfo, why: why.to_owned() };
        let issuer = claims.get("iss").is_none_or(|stated| stated.as_str() == Some(&self.settings.issuer));
        let ours = |one: &Value| one.as_str() == Some(&self.settings.client_id);
        let audience = match claims.get("aud") {
            None => true,
            Some(Value::Array(several)) => several.iter().any(ours),
            Some(one) => ours(one),
        };
        if issuer && audience { Ok(claims) } else { Err(wrong("it is signed for somebody else")) }
    }
}

/// Whether it is the token that is refused (RFC 6750 section 3.1): a gateway that wants something else says 401 too.
fn names_the_token(answer: &http::Response<Vec<u8>>) -> bool {
    let challenges = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let named = challenges.filter_map(|value| value.to_str().ok()).any(|text| text.contains("invalid_token"));
    let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
    named || body.is_some_and(|body| body.get("error").and_then(Value::as_str) == Some("invalid_token"))
}
