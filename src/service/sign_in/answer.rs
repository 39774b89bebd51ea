//! Answers of OpenID providers before the browser is known that brings them: whether the state is one of ours, and putting
//! aside what came without cookies. Taking an answer up is `oidc.rs`.

use super::SignIn;
use crate::domain::identity::Source;
use crate::domain::sign_in::ATTEMPT_LIFETIME;
use crate::domain::time::Timestamp;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::store::volatile::Shelf;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const STATE: &str = "oidc.state";
const ASIDE: &str = "entry.answer";
/// How long an answer waits for the browser to follow a redirect.
const PUT_ASIDE: Duration = Duration::from_mins(2);
/// Longest parameter that a browser may bring.
const LONGEST: usize = 4096;

/// What a browser brings back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Proof that it is the answer to a question of ours.
    pub state: String,
    /// To be redeemed.
    pub code: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
    /// The provider's refusal, a code.
    pub error: Option<String>,
}

impl Answer {
    /// Whether it can be one at all: a state, and either a code or an error, of bearable length.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let parts = [Some(&self.state), self.code.as_ref(), self.iss.as_ref(), self.error.as_ref()];
        !self.state.is_empty()
            && self.code.is_some() != self.error.is_some()
            && parts.into_iter().flatten().all(|part| part.len() <= LONGEST)
    }
}

impl SignIn {
    /// Whether a state is one that we made for this source a short time ago. All that can be said of an answer that comes
    /// without cookies (a cross-site POST).
    #[must_use]
    pub fn knows_state(&self, source: &Source, state: &str, now: Timestamp) -> bool {
        let opened = URL_SAFE_NO_PAD.decode(state).ok().and_then(|sealed| self.core.open_column(STATE, &sealed).ok());
        let Some((made_at, made_for, _)) =
            opened.and_then(|plain| serde_json::from_slice::<(Timestamp, String, [u8; 16])>(&plain).ok())
        else {
            return false;
        };
        made_for == source.key() && now.since(made_at) < ATTEMPT_LIFETIME
    }

    /// Puts an answer aside that came without cookies, until the browser fetches it by a request of our own site. Returns
    /// its name.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn put_aside(&self, ctx: &Context, source: &Source, answer: &Answer) -> Result<String, Trouble> {
        let name = ctx.bytes::<32>();
        let plain = serde_json::to_vec(&(source, answer));
        let plain = plain.map_err(|_| Trouble::Sealing("an answer could not be written"))?;
        let sealed = self.core.seal_column(ctx, ASIDE, &plain)?;
        let until = ctx.now().after(PUT_ASIDE);
        self.core.volatile.put(Shelf::Outcome, fingerprint(&name), sealed, until, ctx.now()).await?;
        Ok(URL_SAFE_NO_PAD.encode(name))
    }

    /// Takes an answer that was put aside for this source, once.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn fetch_aside(&self, ctx: &Context, source: &Source, name: &str) -> Result<Option<Answer>, Trouble> {
        let Ok(name) = URL_SAFE_NO_PAD.decode(name) else { return Ok(None) };
        let found = self.core.volatile.take(Shelf::Outcome, &fingerprint(&name), ctx.now()).await?;
        let opened = found.and_then(|sealed| self.core.open_column(ASIDE, &sealed).ok());
        let read = opened.and_then(|plain| serde_json::from_slice::<(Source, Answer)>(&plain).ok());
        Ok(read.filter(|(of, _)| of == source).map(|(_, answer)| answer))
    }

    /// A state of ours for this source.
    pub(super) fn state(&self, ctx: &Context, source: &Source) -> Result<String, Trouble> {
        let plain = serde_json::to_vec(&(ctx.now(), source.key(), ctx.bytes::<16>()));
        let plain = plain.map_err(|_| Trouble::Sealing("a state could not be written"))?;
        Ok(URL_SAFE_NO_PAD.encode(self.core.seal_column(ctx, STATE, &plain)?))
    }
}
