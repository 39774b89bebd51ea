//! Lost passwords: a letter is asked for, a link is followed, a new password is chosen. Nothing here signs anybody in:
//! a second factor stays in the way (ASVS 5.0, 6.4.3).

use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::limiter::{Target, Try};
use super::outbox::{self, Order};
use super::password::{Change, ChangeError, Passwords};
use crate::domain::account::LoginName;
use crate::domain::password::PlainPassword;
use crate::domain::throttle::Scope;
use crate::store::token::{self, Purpose};
use crate::store::{StoreError, account};
use std::sync::Arc;
use std::time::Duration;

/// Recovery over a core.
#[derive(Clone)]
pub struct Recovery {
    core: Arc<Core>,
    passwords: Passwords,
}

/// Why recovery does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// Switched off by the operator.
    #[error("passwords cannot be recovered here")]
    Off,
    /// The link was used, is too old, or was never ours.
    #[error("this link is no longer good")]
    Link,
    /// Too many letters or links from this address.
    #[error("too many tries; try again in {} s", .retry_after.as_secs())]
    TooManyTries {
        /// When to try again.
        retry_after: Duration,
    },
    /// The new password breaks rules; the link stays good.
    #[error(transparent)]
    Password(#[from] ChangeError),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for RecoveryError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Recovery {
    /// Recovery over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { passwords: Passwords::new(Arc::clone(&core)), core }
    }

    /// Asks for a letter. The answer and the work are the same whoever the name belongs to, if to anybody: the account
    /// is looked up when the letter is written.
    ///
    /// # Errors
    /// [`RecoveryError::TooManyTries`] for an address that asked too often. A name that was asked for too often gets no
    /// further letter, and nobody is told.
    pub async fn request(&self, ctx: &Context, login: &LoginName) -> Result<(), RecoveryError> {
        if !self.core.policy.recovery {
            return Err(RecoveryError::Off);
        }
        match self.core.limiter.ask_recovery(login, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            // Each letter counts; nothing is given back.
            Try::Granted(_) => {}
            Try::Refused { scope: Scope::RecoveryAccount, .. } => return Ok(()),
            Try::Refused { retry_after, .. } => return Err(RecoveryError::TooManyTries { retry_after }),
        }
        let mut tx = self.core.database.begin_beside().await?;
        let order = Order::Recovery { login: login.key().to_owned() };
        outbox::order(&self.core, ctx, &mut tx, None, &order).await?;
        Ok(tx.commit().await?)
    }

    /// Whether a link is still good; it stays good.
    ///
    /// # Errors
    /// [`RecoveryError::Link`].
    pub async fn look(&self, ctx: &Context, secret: &str) -> Result<(), RecoveryError> {
        let mut link = self.core.database.read().await?;
        let found = token::peek(&mut link, &fingerprint(secret.as_bytes()), Purpose::Recovery, ctx.now()).await?;
        found.filter(|_| self.core.policy.recovery).map(drop).ok_or(RecoveryError::Link)
    }

    /// Chooses a new password with a link. Ends every session and remembered browser of the account.
    ///
    /// # Errors
    /// [`RecoveryError::Link`], [`RecoveryError::Password`]; nothing has changed then.
    pub async fn complete(&self, ctx: &Context, secret: &str, new: &PlainPassword) -> Result<(), RecoveryError> {
        if !self.core.policy.recovery {
            return Err(RecoveryError::Link);
        }
        let ticket = match self.core.limiter.ask(Target::Token, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => return Err(RecoveryError::TooManyTries { retry_after }),
        };
        let hash = fingerprint(secret.as_bytes());
        let owner = {
            let mut link = self.core.database.read().await?;
            let found = token::peek(&mut link, &hash, Purpose::Recovery, ctx.now()).await?;
            let Some(id) = found.and_then(|token| token.account) else { return Err(RecoveryError::Link) };
            account::by_id(&mut link, id).await?.ok_or(RecoveryError::Link)?
        };
        self.core.limiter.give_back(ticket).await.map_err(Trouble::from)?;
        let ready = self.passwords.prepare(ctx, &owner, new).await?;
        let mut tx = self.core.database.begin_for(owner.id).await?;
        // Of two who follow one link, one gets it.
        if token::take(&mut tx, &hash, Purpose::Recovery, ctx.now()).await?.is_none() {
            return Err(RecoveryError::Link);
        }
        let acting = ctx.clone().acting_as(crate::domain::audit::Actor::Account(owner.id));
        let aftermath = self.passwords.write_in(&acting, &mut tx, owner.id, ready, Change::Recovered).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        self.core.limiter.forget(owner.id, &[]).await.map_err(Trouble::from)?;
        Ok(())
    }
}
