//! Step: binding a second factor, where one is required and the account has none. Nothing else can be reached before.

use super::step::Pending;
use super::{AttemptHandle, Outcome, SignIn, SignInError};
use crate::domain::authenticator::{AuthenticatorName, Kind};
use crate::domain::session::Methods;
use crate::domain::sign_in::{Next, Step};
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::factor::backup::BackupCode;
use crate::service::factor::passkey::{self, Challenge, Reply};
use crate::service::factor::totp::{self, Offer};
use crate::service::factor::{Bound, FactorError};
use crate::store::volatile::Shelf;

/// What the page of this step needs to know.
#[derive(Clone, Debug)]
pub struct EnrolView {
    /// Which step is owed; another one belongs on another page.
    pub step: Step,
    /// Who is signing in.
    pub username: String,
    /// What can be bound.
    pub kinds: Vec<Kind>,
    /// Where they want to go.
    pub return_to: Option<String>,
}

/// What came of binding one.
#[derive(Debug)]
pub struct Enrolled {
    /// What is next.
    pub outcome: Outcome,
    /// To be shown now and never again.
    pub codes: Vec<BackupCode>,
}

impl SignIn {
    /// What the attempt behind this handle can bind.
    ///
    /// # Errors
    /// [`SignInError::Outdated`] when there is no such attempt, or it owes nothing.
    pub async fn enrol_view(&self, ctx: &Context, handle: &AttemptHandle) -> Result<EnrolView, SignInError> {
        let pending = self.load(ctx, handle).await?;
        match pending.attempt.next(&pending.facts, ctx.now()) {
            Next::Step(step) => Ok(EnrolView {
                step,
                username: pending.account.username,
                kinds: self.core.bindable(),
                return_to: pending.attempt.return_to,
            }),
            _ => Err(SignInError::Outdated),
        }
    }

    /// A secret for an app.
    ///
    /// # Errors
    /// [`FactorError::Outdated`] when the attempt is over or owes something else.
    pub async fn offer_totp(&self, ctx: &Context, handle: &AttemptHandle) -> Result<Offer, FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        totp::offer(&self.core, ctx, &pending.account, &seat(handle)).await
    }

    /// Step: binds the app that this code comes from.
    ///
    /// # Errors
    /// [`FactorError::WrongCode`]: the attempt goes on; [`FactorError::Outdated`].
    pub async fn enrol_totp(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        name: &AuthenticatorName,
        code: &str,
    ) -> Result<Enrolled, FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        let seat = seat(handle);
        let (secret, step) = totp::confirm(&self.core, ctx, &pending.account, &seat, code).await?;
        self.claim(handle, &pending).await.map_err(outdated)?;
        let mut tx = self.core.database.begin().await?;
        let bound = totp::bind_app(&self.core, ctx, &mut tx, &pending.account, name, (&secret, step)).await?;
        tx.commit().await?;
        totp::leave(&self.core, ctx, &seat).await?;
        self.enrolled(ctx, handle, pending, bound, Methods::CODE).await
    }

    /// Asks for a key.
    ///
    /// # Errors
    /// [`FactorError::Outdated`] when the attempt is over or owes something else; [`FactorError::Off`].
    pub async fn offer_passkey(&self, ctx: &Context, handle: &AttemptHandle) -> Result<Challenge, FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        passkey::offer(&self.core, ctx, &pending.account, &seat(handle)).await
    }

    /// Step: binds the key that answered.
    ///
    /// # Errors
    /// [`FactorError::WrongCode`]: the attempt goes on; [`FactorError::Outdated`].
    pub async fn enrol_passkey(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        name: &AuthenticatorName,
        reply: Reply<'_>,
    ) -> Result<Enrolled, FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        let key = passkey::confirm(&self.core, ctx, &seat(handle), reply).await?;
        self.claim(handle, &pending).await.map_err(outdated)?;
        let mut tx = self.core.database.begin_for(pending.account.id).await?;
        let bound = passkey::bind_key(&self.core, ctx, &mut tx, pending.account.id, name, &key).await?;
        tx.commit().await?;
        self.enrolled(ctx, handle, pending, bound, passkey::PROVES).await
    }

    /// Goes on with an attempt that has bound one.
    pub(super) async fn enrolled(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        pending: Pending,
        bound: Bound,
        proved: Methods,
    ) -> Result<Enrolled, FactorError> {
        bound.aftermath.finish(&self.core).await;
        // What was claimed, so that the next step finds the attempt as it is stored.
        let mut attempt = pending.attempt;
        let claimed = super::open::stored(&attempt)?;
        attempt.identity.methods = attempt.identity.methods.and(proved).and(Methods::MULTI_FACTOR);
        let key = fingerprint(handle.expose());
        let now = super::open::stored(&attempt)?;
        if !self.core.volatile.replace(Shelf::Attempt, &key, &claimed, now).await? {
            return Err(FactorError::Outdated);
        }
        // As it is now: binding moved the mark that sessions have to be younger than.
        let account = self.account(pending.account.id).await?.ok_or(FactorError::Outdated)?;
        let outcome = self.advance(ctx, handle, attempt, &account).await.map_err(outdated)?;
        Ok(Enrolled { outcome, codes: bound.codes })
    }

    /// The attempt, if binding is its next step; it is marked as done in what is returned, not in the store.
    pub(super) async fn enrolling(&self, ctx: &Context, handle: &AttemptHandle) -> Result<Pending, FactorError> {
        let mut pending = self.load(ctx, handle).await.map_err(outdated)?;
        pending.attempt.complete(Step::EnrolFactor, &pending.facts, ctx.now()).map_err(|_| FactorError::Outdated)?;
        Ok(pending)
    }
}

/// What an attempt's ceremonies are bound to.
pub(super) fn seat(handle: &AttemptHandle) -> [u8; 32] {
    fingerprint(handle.expose())
}

pub(super) fn outdated(error: SignInError) -> FactorError {
    match error {
        SignInError::TooManyFailures { retry_after } => FactorError::TooManyFailures { retry_after },
        SignInError::Trouble(trouble) => FactorError::Trouble(trouble),
        _ => FactorError::Outdated,
    }
}
