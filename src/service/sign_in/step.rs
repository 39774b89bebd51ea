//! The steps between the first proof and the session. Each re-reads the account, so that nothing that happened
//! meanwhile (a lock, a password set by an administrator) is walked past.

use super::open::stored;
use super::{AttemptHandle, Opened, Outcome, SignIn, SignInError};
use crate::domain::account::Account;
use crate::domain::password::PlainPassword;
use crate::domain::sign_in::{Attempt, Facts, Next, PasswordDue, Step};
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::password::Change;
use crate::store::volatile::Shelf;

/// An attempt as the browser's handle finds it.
pub(super) struct Pending {
    pub(super) attempt: Attempt,
    pub(super) stored: Vec<u8>,
    pub(super) account: Account,
    pub(super) facts: Facts,
}

/// What the page of a step needs to know.
#[derive(Clone, Debug)]
pub struct StepView {
    /// Which step.
    pub step: Step,
    /// Why the password has to be changed, when that is the step.
    pub password: Option<PasswordDue>,
    /// Who is signing in.
    pub username: String,
    /// Where they want to go.
    pub return_to: Option<String>,
}

impl SignIn {
    /// What the attempt behind this handle owes.
    ///
    /// # Errors
    /// [`SignInError::Outdated`] when there is no such attempt, or it owes nothing.
    pub async fn pending(&self, ctx: &Context, handle: &AttemptHandle) -> Result<StepView, SignInError> {
        let pending = self.load(ctx, handle).await?;
        match pending.attempt.next(&pending.facts, ctx.now()) {
            Next::Step(step) => Ok(StepView {
                step,
                password: pending.facts.password,
                username: pending.account.username,
                return_to: pending.attempt.return_to,
            }),
            _ => Err(SignInError::Outdated),
        }
    }

    /// Step: a new password. Ends every other session and remembered browser of the account.
    ///
    /// # Errors
    /// [`SignInError::Password`] when it breaks rules: the attempt goes on;
    /// [`SignInError::Outdated`] when the attempt is over or owes something else.
    pub async fn choose_password(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        new: &PlainPassword,
    ) -> Result<Outcome, SignInError> {
        let mut pending = self.load(ctx, handle).await?;
        pending.attempt.complete(Step::NewPassword, &pending.facts, ctx.now()).map_err(|_| SignInError::Outdated)?;
        let change = Change::Demanded { by: pending.account.id };
        let ready = self.passwords.prepare(ctx, &pending.account, new).await?;
        self.claim(handle, &pending).await?;
        let account = self.passwords.write(ctx, &pending.account, ready, change).await?;
        self.advance(ctx, handle, pending.attempt, &account).await
    }

    /// Claims a step before anything is done for it: of two submissions, one goes on.
    pub(super) async fn claim(&self, handle: &AttemptHandle, pending: &Pending) -> Result<(), SignInError> {
        let (key, now) = (fingerprint(handle.expose()), stored(&pending.attempt)?);
        let claimed = self.core.volatile.replace(Shelf::Attempt, &key, &pending.stored, now).await?;
        if claimed { Ok(()) } else { Err(SignInError::Outdated) }
    }

    /// Goes on after a step: opens the session, or says what is owed next.
    pub(super) async fn advance(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        attempt: Attempt,
        account: &Account,
    ) -> Result<Outcome, SignInError> {
        let key = fingerprint(handle.expose());
        let facts = self.facts(ctx, account).await?;
        let before = stored(&attempt)?;
        // The step itself ended what was open before; this attempt is the one that goes on.
        let moved = Attempt {
            expires_at: attempt.expires_at.max(facts.valid_from.after(crate::domain::sign_in::ATTEMPT_LIFETIME)),
            ..attempt
        };
        match moved.next(&facts, ctx.now()) {
            Next::Open => {
                if self.core.volatile.take(Shelf::Attempt, &key, ctx.now()).await?.is_none() {
                    return Err(SignInError::Outdated);
                }
                let opened: Opened = self.open(ctx, moved, &facts, account.username.clone()).await?;
                Ok(Outcome::Open(Box::new(opened)))
            }
            Next::Step(step) => {
                let now = stored(&moved)?;
                if now != before && !self.core.volatile.replace(Shelf::Attempt, &key, &before, now).await? {
                    return Err(SignInError::Outdated);
                }
                Ok(Outcome::Owes(step, handle.clone()))
            }
            Next::Denied(why) => Err(self.denied(ctx, account.id, why).await?),
        }
    }

    pub(super) async fn load(&self, ctx: &Context, handle: &AttemptHandle) -> Result<Pending, SignInError> {
        let key = fingerprint(handle.expose());
        let found = self.core.volatile.peek(Shelf::Attempt, &key, ctx.now()).await?;
        let stored = found.ok_or(SignInError::Outdated)?;
        let attempt: Attempt = serde_json::from_slice(&stored).map_err(|_| SignInError::Outdated)?;
        let account = self.account(attempt.identity.account).await?.ok_or(SignInError::Outdated)?;
        let facts = self.facts(ctx, &account).await?;
        Ok(Pending { attempt, stored, account, facts })
    }
}
