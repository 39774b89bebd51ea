//! Sign-ins that have left for an identity provider, and are expected back in the same browser. What is kept is sealed;
//! the protocols put their own secrets (nonce, code verifier, request id) into it.

use super::{AttemptHandle, SignIn, SignInError, Wishes};
use crate::domain::id::AccountId;
use crate::domain::identity::{Source, Vouched};
use crate::domain::session::HandleHash;
use crate::domain::sign_in::ATTEMPT_LIFETIME;
use crate::domain::time::Timestamp;
use crate::domain::trace::Facts;
use crate::service::autologin_token::AutologinToken;
use crate::service::caller::SignedIn;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::store::volatile::Shelf;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const COLUMN: &str = "entry.departure";

/// A sign-in that has left. `P` is what its protocol must remember.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Departure<P> {
    /// Where to.
    pub source: Source,
    /// What for.
    pub errand: Errand,
    /// Where to go afterwards; checked again when used.
    pub return_to: Option<String>,
    /// Stay logged in.
    pub stay: bool,
    /// The secret of the invitation that the browser came with.
    pub invitation: Option<String>,
    /// When it left.
    pub left_at: Timestamp,
    /// What the protocol must remember.
    pub protocol: P,
}

/// What a browser goes to a provider for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// To sign in.
    SignIn,
    /// To add an identity to the account that is signed in.
    AddTo(AccountId),
    /// To prove anew who they are, for the account that is signed in; and whether there must be a second factor.
    Confirm(AccountId, bool),
}

/// What a browser brings along when it comes back, besides the answer.
#[derive(Clone, Default)]
pub struct Brings {
    /// Who is signed in there.
    pub person: Option<SignedIn>,
    /// What it has to show that it is spared the second factor.
    pub device: Option<AutologinToken>,
}

impl<P> Departure<P> {
    /// Notes that the browser which left is back.
    pub fn note(&self, ctx: &Context) {
        let away = i64::try_from(ctx.now().since(self.left_at).as_secs()).unwrap_or(i64::MAX);
        let facts = Facts::new().number("seconds_away", away).flag("invited", self.invitation.is_some());
        let facts = facts.flag("stay", self.stay).flag("adds", self.errand != Errand::SignIn);
        ctx.note("came_back", facts);
    }

    /// Notes at the answer, whatever protocol brought it, that the browser left before: what the provider ended since then is
    /// meant, however long the answer was held back on its way.
    pub fn dates(&self, arrival: &mut Vouched) {
        if let Some(upstream) = &mut arrival.upstream {
            upstream.since = Some(self.left_at);
        }
    }

    /// What the person wants besides getting in. The session that the browser has now makes room for the new one.
    #[must_use]
    pub fn wishes(&self, brings: Brings) -> Wishes {
        Wishes {
            return_to: self.return_to.clone(),
            stay: self.stay,
            replaces: brings.person.map(|person| *person.handle()),
            device: brings.device,
            invitation: self.invitation.clone(),
            ..Wishes::default()
        }
    }
}

impl SignIn {
    /// Notes a departure under `state`, which the provider gives back, and the handle in the browser's attempt cookie. A
    /// browser that has a handle keeps it, so that a second tab does not end what the first has begun.
    ///
    /// # Errors
    /// [`SignInError::Trouble`].
    pub async fn depart<P: Serialize + Sync>(
        &self,
        ctx: &Context,
        browser: Option<AttemptHandle>,
        state: &str,
        departure: &Departure<P>,
    ) -> Result<AttemptHandle, SignInError> {
        let browser = browser.unwrap_or_else(|| AttemptHandle::new(ctx.bytes()));
        let plain = serde_json::to_vec(departure).map_err(|_| Trouble::Sealing("a departure could not be written"))?;
        let sealed = self.core.seal_column(ctx, COLUMN, &plain)?;
        let until = ctx.now().after(ATTEMPT_LIFETIME);
        self.core.volatile.put(Shelf::Attempt, key(&browser, state), sealed, until, ctx.now()).await?;
        Ok(browser)
    }

    /// Takes up a departure, once, in the browser that left.
    ///
    /// # Errors
    /// [`SignInError::Outdated`] when this browser did not leave with this state for this source, has come back already,
    /// or took too long.
    pub async fn arrive<P: DeserializeOwned>(
        &self,
        ctx: &Context,
        browser: Option<&AttemptHandle>,
        state: &str,
        source: &Source,
    ) -> Result<Departure<P>, SignInError> {
        let browser = browser.ok_or(SignInError::Outdated)?;
        let found = self.core.volatile.take(Shelf::Attempt, &key(browser, state), ctx.now()).await?;
        let sealed = found.ok_or(SignInError::Outdated)?;
        let plain = self.core.open_column(COLUMN, &sealed).map_err(|_| SignInError::Outdated)?;
        let departure: Departure<P> = serde_json::from_slice(&plain).map_err(|_| SignInError::Outdated)?;
        if departure.source == *source { Ok(departure) } else { Err(SignInError::Outdated) }
    }
}

/// The handle has a fixed length, so no other pair of handle and state gives the same bytes.
fn key(browser: &AttemptHandle, state: &str) -> HandleHash {
    let mut bytes = zeroize::Zeroizing::new(browser.expose().to_vec());
    bytes.extend_from_slice(b"departure:");
    bytes.extend_from_slice(state.as_bytes());
    fingerprint(&bytes)
}
