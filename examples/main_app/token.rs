//! Checks `X-Vestibule-Jwt` (RFC 7519): signature, issuer, audience, times, with the keys that Vestibule publishes.

use crate::identity::{Absent, Person};
use crate::vestibule::Vestibule;
use http::HeaderMap;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the key set is used; after that a key that was taken back is not honoured any more.
const FRESH: Duration = Duration::from_mins(5);
/// Least time between two questions for the key set, so that invented key names cost nothing.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// What is read of a token; the rest is checked by the library.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    preferred_username: String,
    name: String,
    email: Option<String>,
    groups: Vec<String>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

/// Checks tokens.
pub(crate) struct Tokens {
    vestibule: Vestibule,
    validation: Validation,
    keys: Mutex<Keys>,
}

impl Tokens {
    /// For tokens of this issuer (Vestibule's `public_url`) for this audience.
    pub(crate) fn new(vestibule: Vestibule, issuer: &str, audience: &str) -> Self {
        // One algorithm, named here and never taken from the token (RFC 8725 section 3.1).
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 5;
        Self { vestibule, validation, keys: Mutex::default() }
    }

    /// The person that a request's token names.
    pub(crate) async fn person(&self, headers: &HeaderMap) -> Result<Person, Absent> {
        let mut tokens = headers.get_all("x-vestibule-jwt").iter();
        let token = tokens.next().ok_or(Absent::NoToken("there is none"))?;
        if tokens.next().is_some() {
            return Err(Absent::NoToken("there are several"));
        }
        let token = token.as_bytes();
        let header = jsonwebtoken::decode_header(token).map_err(|_| Absent::NoToken("it is no token"))?;
        let id = header.kid.ok_or(Absent::NoToken("it names no key"))?;
        let key = self.key(&id).await?;
        let read = jsonwebtoken::decode::<Claims>(token, &key, &self.validation);
        let claims = read.map_err(|_| Absent::NoToken("it is not valid"))?.claims;
        let Claims { sub, preferred_username, name, email, groups } = claims;
        Ok(Person { id: sub, username: preferred_username, name, email, groups })
    }

    /// A key by its name; asks for the set when it is old or the name is new.
    async fn key(&self, id: &str) -> Result<DecodingKey, Absent> {
        let mut keys = self.keys.lock().await;
        let fresh = keys.fetched.is_some_and(|fetched| fetched.elapsed() < FRESH);
        let cool = keys.tried.is_none_or(|tried| tried.elapsed() >= COOL_DOWN);
        if cool && !(fresh && keys.by_id.contains_key(id)) {
            keys.tried = Some(Instant::now());
            if let Some(by_id) = self.fetch().await {
                keys.by_id = by_id;
                keys.fetched = keys.tried;
            }
        }
        if keys.fetched.is_none_or(|fetched| fetched.elapsed() >= FRESH) {
            return Err(Absent::NoAnswer);
        }
        keys.by_id.get(id).cloned().ok_or(Absent::NoToken("its key is unknown"))
    }

    async fn fetch(&self) -> Option<HashMap<String, DecodingKey>> {
        let answer = self.vestibule.get("/.well-known/jwks.json", &[]).await.filter(|answer| answer.status == 200)?;
        let set: JwkSet = serde_json::from_str(&answer.body).ok()?;
        let keys =
            set.keys.iter().filter_map(|key| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?)));
        Some(keys.collect())
    }
}
