//! Changing one's address: asked for with the password, confirmed through a letter to the new address.

use super::caller::SignedIn;
use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::outbox::{self, Order};
use super::password::{ChangeError, Passwords};
use super::revocation;
use super::session::{Handle, Sessions};
use crate::domain::account::{EmailAddress, fold};
use crate::domain::audit::{Act, Event};
use crate::domain::password::PlainPassword;
use crate::domain::session::CredentialEvent;
use crate::store::token::{self, Purpose};
use crate::store::{StoreError, account};
use std::sync::Arc;

/// Addresses over a core.
#[derive(Clone)]
pub struct Emails {
    core: Arc<Core>,
    passwords: Passwords,
}

/// Why the address stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// Switched off by the operator.
    #[error("addresses cannot be changed here")]
    Off,
    /// It is the present one.
    #[error("this is the present address")]
    Same,
    /// The link was used, is too old, was never ours, or the address has been taken meanwhile.
    #[error("this link is no longer good")]
    Link,
    /// The present password is wrong, or too many were tried.
    #[error(transparent)]
    Password(#[from] ChangeError),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for EmailError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Emails {
    /// Addresses over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { passwords: Passwords::new(Arc::clone(&core)), core }
    }

    /// Asks for a new address: a letter goes there. The answer does not tell whether another account has it.
    ///
    /// # Errors
    /// [`EmailError`]; nothing has changed then.
    pub async fn request(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        new: &EmailAddress,
        password: &PlainPassword,
    ) -> Result<(), EmailError> {
        // Whoever has none yet gives the first one; that is no change.
        if !self.core.policy.email_change && owner.card().account.address().is_some() {
            return Err(EmailError::Off);
        }
        if new.key() == fold(&owner.card().account.email) {
            return Err(EmailError::Same);
        }
        self.passwords.confirm(ctx, owner, password).await?;
        let mut tx = self.core.database.begin().await?;
        let order = Order::ConfirmEmail { address: new.as_str().to_owned() };
        outbox::order(&self.core, ctx, &mut tx, Some(owner.account()), &order).await?;
        ctx.record(&mut tx, Event::about(Act::EmailChangeRequested, owner.account())).await?;
        Ok(tx.commit().await?)
    }

    /// The address that a link of this person's confirms; the link stays good. Shown before they say yes, so that a mail
    /// scanner that follows links changes nothing.
    ///
    /// # Errors
    /// [`EmailError::Link`].
    pub async fn look(&self, ctx: &Context, owner: &SignedIn, secret: &str) -> Result<EmailAddress, EmailError> {
        let mut link = self.core.database.read().await?;
        let found = token::peek(&mut link, &fingerprint(secret.as_bytes()), Purpose::Email, ctx.now()).await?;
        let own = found.filter(|token| token.account == Some(owner.account())).ok_or(EmailError::Link)?;
        outbox::confirmed_address(&self.core, &own)?.ok_or(EmailError::Link)
    }

    /// Confirms the address of a link, as the person who asked for it. Their other sessions end, this one gets a new
    /// handle. The old address is told.
    ///
    /// # Errors
    /// [`EmailError::Link`]; nothing has changed then.
    pub async fn confirm(&self, ctx: &Context, owner: &SignedIn, secret: &str) -> Result<Handle, EmailError> {
        let id = owner.account();
        let mut tx = self.core.database.begin().await?;
        let taken = token::take(&mut tx, &fingerprint(secret.as_bytes()), Purpose::Email, ctx.now()).await?;
        let own = taken.filter(|token| token.account == Some(id)).ok_or(EmailError::Link)?;
        let new = outbox::confirmed_address(&self.core, &own)?.ok_or(EmailError::Link)?;
        let before = account::by_id(&mut tx, id).await?.ok_or(EmailError::Link)?;
        if new.key() != fold(&before.email) && account::email_taken(&mut tx, &new).await? {
            return Err(EmailError::Link);
        }
        account::set_email(&mut tx, id, &new).await?;
        ctx.record(&mut tx, Event::about(Act::EmailChanged, id)).await?;
        if before.address().is_some() {
            let order = Order::EmailChanged { old: before.email, new: new.masked() };
            outbox::order(&self.core, ctx, &mut tx, Some(id), &order).await?;
        }
        let event = CredentialEvent::EmailChanged;
        let aftermath = revocation::revoke(ctx, &mut tx, id, event, None).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(Sessions::new(Arc::clone(&self.core)).renew(ctx, owner, event).await?)
    }
}
