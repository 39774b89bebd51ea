//! The first administrator: made in the browser with a link that the start prints, once.

use super::account::{AccountError, Accounts, Newcomer};
use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::limiter::{Target, Try};
use crate::domain::audit::{Act, Event};
use crate::domain::id::AccountId;
use crate::domain::password::PlainPassword;
use crate::store::token::{self, Purpose, Token};
use crate::store::{StoreError, account};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use std::time::Duration;

/// How long a set-up link is good. Every start without an administrator prints a new one.
pub const LINK_LIFETIME: Duration = Duration::from_hours(1);

/// Nodes that start within this time are started together.
const STARTING_TOGETHER: Duration = Duration::from_mins(2);

/// Set-up over a core.
#[derive(Clone)]
pub struct SetUp {
    core: Arc<Core>,
    accounts: Accounts,
}

/// Why nobody was made administrator.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The link was used, is too old, or was never ours; or there is an administrator already.
    #[error("this link is no longer good")]
    Link,
    /// Too many failures from this address.
    #[error("too many failures; try again in {} s", .retry_after.as_secs())]
    TooManyFailures {
        /// When to try again.
        retry_after: Duration,
    },
    /// The account cannot be made like this; the link stays good.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for SetUpError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl SetUp {
    /// Set-up over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { accounts: Accounts::new(Arc::clone(&core)), core }
    }

    /// The link for the first administrator; `None` when there is one. Links printed before stop working, except those of
    /// nodes that start together: whichever link is used first makes the administrator, and no other does then.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn link(&self, ctx: &Context) -> Result<Option<String>, Trouble> {
        let mut tx = self.core.database.begin().await?;
        token::void_made_before(&mut tx, Purpose::SetUp, ctx.now().before(STARTING_TOGETHER)).await?;
        let needed = account::administrators(&mut tx).await?.is_empty();
        let secret = URL_SAFE_NO_PAD.encode(ctx.bytes::<32>());
        if needed {
            let token = Token {
                hash: fingerprint(secret.as_bytes()),
                purpose: Purpose::SetUp,
                account: None,
                sealed: None,
                expires_at: ctx.now().after(LINK_LIFETIME),
            };
            token::insert(&mut tx, &token, ctx.now()).await?;
        }
        tx.commit().await?;
        Ok(needed.then(|| format!("{}/setup?token={secret}", self.core.policy.public_url)))
    }

    /// Whether a link is good; it stays good.
    ///
    /// # Errors
    /// [`SetUpError::Link`].
    pub async fn look(&self, ctx: &Context, secret: &str) -> Result<(), SetUpError> {
        let mut link = self.core.database.read().await?;
        let found = token::peek(&mut link, &fingerprint(secret.as_bytes()), Purpose::SetUp, ctx.now()).await?;
        let needed = account::administrators(&mut link).await?.is_empty();
        found.filter(|_| needed).map(drop).ok_or(SetUpError::Link)
    }

    /// Makes the first administrator.
    ///
    /// # Errors
    /// [`SetUpError`]; the link stays good unless it was not.
    pub async fn complete(
        &self,
        ctx: &Context,
        secret: &str,
        new: Newcomer,
        password: &PlainPassword,
    ) -> Result<AccountId, SetUpError> {
        let ticket = match self.core.limiter.ask(Target::Token, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => return Err(SetUpError::TooManyFailures { retry_after }),
        };
        self.look(ctx, secret).await?;
        self.core.limiter.give_back(ticket).await.map_err(Trouble::from)?;
        let ready = self.accounts.prepare_first(ctx, &new, password).await.map_err(AccountError::from)?;
        let mut tx = self.core.database.begin().await?;
        let taken = token::take(&mut tx, &fingerprint(secret.as_bytes()), Purpose::SetUp, ctx.now()).await?;
        if taken.is_none() || !account::administrators(&mut tx).await?.is_empty() {
            return Err(SetUpError::Link);
        }
        let id = self.accounts.create_in(ctx, &mut tx, Newcomer { administrator: true, ..new }, Some(ready)).await?;
        ctx.record(&mut tx, Event::about(Act::SetUp, id)).await?;
        tx.commit().await?;
        Ok(id)
    }
}
