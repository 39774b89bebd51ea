//! The signed identity that may accompany forward-auth's headers: made once per session, application and minute.

use super::card::Card;
use super::core::Core;
use super::session::Alive;
use crate::domain::application::Application;
use crate::domain::session::HandleHash;
use crate::domain::time::Timestamp;
use http::HeaderValue;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// How long a token is good, in seconds: the minute it is made for, and one more for clocks that disagree.
const LIFETIME: i64 = 120;
/// Tokens kept at the most; they are all of one minute.
const CAPACITY: usize = 10_000;

/// Claims of an identity token (RFC 7519; `amr` and `auth_time` as in OpenID Connect Core §2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    sid: String,
    auth_time: i64,
    amr: Vec<&'static str>,
    preferred_username: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    groups: &'a [String],
}

#[derive(Default)]
struct Minute {
    number: i64,
    /// With the card each was made of: a changed account has a new one.
    tokens: HashMap<(HandleHash, String), (Arc<Card>, HeaderValue)>,
}

/// Signs and keeps identity tokens.
#[derive(Default)]
pub struct IdentityTokens {
    minute: Mutex<Minute>,
}

impl IdentityTokens {
    /// The token of a session for an application; `None` only without any signing key.
    #[must_use]
    pub fn token(
        &self,
        core: &Core,
        alive: &Alive,
        handle: &HandleHash,
        app: &Application,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        let number = now.seconds().div_euclid(60);
        let key = (*handle, app.slug.clone());
        {
            let mut minute = self.minute.lock().ok()?;
            if minute.number != number {
                *minute = Minute { number, tokens: HashMap::new() };
            }
            if let Some((made_of, token)) = minute.tokens.get(&key)
                && Arc::ptr_eq(made_of, &alive.card)
            {
                return Some(token.clone());
            }
        }
        let token = sign(core, alive, app, now)?;
        let mut minute = self.minute.lock().ok()?;
        if minute.number == number && minute.tokens.len() < CAPACITY {
            minute.tokens.insert(key, (Arc::clone(&alive.card), token.clone()));
        }
        Some(token)
    }
}

fn sign(core: &Core, alive: &Alive, app: &Application, now: Timestamp) -> Option<HeaderValue> {
    let account = &alive.card.account;
    let session = &alive.session.session;
    let claims = Claims {
        iss: &core.policy.public_url,
        aud: &app.audience,
        sub: account.id.to_string(),
        iat: now.seconds(),
        nbf: now.seconds(),
        exp: now.seconds() + LIFETIME,
        sid: session.id.to_string(),
        auth_time: session.authenticated_at.seconds(),
        amr: session.methods.names().collect(),
        preferred_username: &account.username,
        name: &account.name,
        email: account.address(),
        groups: &alive.card.groups,
    };
    HeaderValue::from_str(&core.signing_keys.sign("JWT", &claims)?).ok()
}
