//! Second factors: what somebody has bound, binding more, taking away. Asking for one in a sign-in is
//! `service/sign_in/factor.rs`; checking what was shown is `check.rs`.

pub mod backup;
mod bind;
mod ceremony;
pub mod check;
pub(in crate::service) mod device;
mod manage;
pub mod passkey;
pub mod phone;
mod phone_account;
pub mod totp;

use super::context::Context;
use super::core::{Core, Trouble};
use super::session::{Handle, Sessions};
use crate::domain::account::Account;
use crate::domain::authenticator::{Kind, Requirement};
use crate::domain::phone::Channel;
use crate::service::caller::SignedIn;
use crate::store::volatile::Unavailable;
use crate::store::{Link, StoreError, authenticator, group};
use backup::BackupCode;
use std::sync::Arc;
use std::time::Duration;

pub(in crate::service) use bind::{Bound, NewFactor, bind_in};
pub use manage::Overview;

/// How long a page that binds an authenticator may stay open.
pub const CEREMONY: Duration = Duration::from_mins(15);
/// The column that secrets are sealed for.
pub(in crate::service) const COLUMN: &str = "authenticator.sealed";

/// What the operator decided about second factors.
#[derive(Clone, Debug)]
pub struct FactorPolicy {
    /// Who must have one.
    pub requirement: Requirement,
    /// What can be bound.
    pub kinds: Vec<Kind>,
    /// How the code that binds a number can be sent; none when numbers cannot be bound.
    pub channels: Vec<Channel>,
    /// How numbers begin that can be bound; none is every number.
    pub countries: Vec<String>,
    /// A passkey alone is enough to sign in.
    pub passkey_sign_in: bool,
    /// Days that a device is spared the factor; 0 is off.
    pub remember_days: u32,
    /// Time steps that an app's clock may be wrong, each way.
    pub totp_skew: u16,
    /// How long a proof counts as fresh.
    pub fresh_for: Duration,
}

/// Second factors over a core.
#[derive(Clone)]
pub struct Factors {
    pub(in crate::service) core: Arc<Core>,
    sessions: Sessions,
}

/// Why nothing was bound, changed or taken away.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The code is wrong, or was used before.
    #[error("the code is wrong")]
    WrongCode,
    /// Too many failures.
    #[error("too many failures; try again in {} s", .retry_after.as_secs())]
    TooManyFailures {
        /// When to try again.
        retry_after: Duration,
    },
    /// What the page began is over, or was never begun.
    #[error("this took too long; begin again")]
    Outdated,
    /// The operator does not offer this kind.
    #[error("this kind of second factor is not offered here")]
    Off,
    /// The account has as many as it may have.
    #[error("there are too many already")]
    TooMany,
    /// It is the last one, and one is required.
    #[error("the last second factor cannot be removed while one is required")]
    Required,
    /// Codes are not sent to numbers of this country.
    #[error("no codes are sent to numbers that begin so")]
    Abroad,
    /// The gateway did not take the code.
    #[error("the code could not be sent")]
    NotSent,
    /// No more codes are sent for a while.
    #[error("too many codes were sent; try again in {} s", .retry_after.as_secs())]
    TooManyCodes {
        /// When to try again.
        retry_after: Duration,
    },
    /// No such authenticator of this person.
    #[error("no such second factor")]
    NotFound,
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for FactorError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Unavailable> for FactorError {
    fn from(error: Unavailable) -> Self {
        Self::Trouble(error.into())
    }
}

/// What follows from binding one while signed in.
#[derive(Debug)]
pub struct Added {
    /// The session's new handle.
    pub handle: Handle,
    /// Backup codes to be shown now and never again; empty when the account has some already.
    pub codes: Vec<BackupCode>,
}

impl Factors {
    /// Second factors over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { sessions: Sessions::new(Arc::clone(&core)), core }
    }

    /// Whether this session's proof is young and strong enough to change what the person signs in with: a remembered
    /// browser or device never is, and whoever has a second factor has proved it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn is_fresh(&self, ctx: &Context, who: &SignedIn) -> Result<bool, Trouble> {
        let session = &who.session().session;
        if !young(&self.core, ctx, who) {
            return Ok(false);
        }
        if session.methods.has(crate::domain::session::Methods::MULTI_FACTOR) {
            return Ok(true);
        }
        let mut link = self.core.database.read().await?;
        Ok(!authenticator::any(&mut link, who.account()).await?)
    }

    /// Whether the password alone is not enough for this person to change what they sign in with: they have a second
    /// factor, and have not proved it freshly.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn asks_beside_password(&self, ctx: &Context, who: &SignedIn) -> Result<bool, Trouble> {
        let enrolled = {
            let mut link = self.core.database.read().await?;
            authenticator::any(&mut link, who.account()).await?
        };
        Ok(enrolled && !self.is_fresh(ctx, who).await?)
    }

    /// Whether the policy asks this account for a second factor.
    pub(in crate::service) async fn required(
        core: &Core,
        link: &mut Link,
        account: &Account,
    ) -> Result<bool, StoreError> {
        let requirement = &core.policy.factor.requirement;
        let groups = if requirement.asks_for_groups() { group::names_of(link, account.id).await? } else { Vec::new() };
        Ok(requirement.binds(account.administrator, &groups))
    }
}

/// Whether the person proved something themselves a short while ago.
pub(in crate::service) fn young(core: &Core, ctx: &Context, who: &SignedIn) -> bool {
    let session = &who.session().session;
    let age = ctx.now().since(session.authenticated_at);
    age <= core.policy.factor.fresh_for && !session.methods.has(crate::domain::session::Methods::REMEMBERED)
}
