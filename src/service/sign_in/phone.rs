//! Codes to phones in a sign-in: sent when somebody asks for one, and for binding a number where a factor is required.

use super::enrol::{Enrolled, seat};
use super::{AttemptHandle, SignIn};
use crate::domain::id::AuthenticatorId;
use crate::domain::phone::Channel;
use crate::domain::sign_in::Step;
use crate::service::context::Context;
use crate::service::factor::FactorError;
use crate::service::factor::phone::{self, NewPhone, Seat, Sent};

impl SignIn {
    /// Sends a code to one of the account's numbers. One that was sent before is void from now on.
    ///
    /// # Errors
    /// [`FactorError::NotSent`], [`FactorError::TooManyCodes`]: the attempt goes on; [`FactorError::Outdated`].
    pub async fn send_factor_code(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        id: AuthenticatorId,
        channel: Channel,
    ) -> Result<(), FactorError> {
        let mut pending = self.load(ctx, handle).await.map_err(super::enrol::outdated)?;
        let done = pending.attempt.complete(Step::SecondFactor, &pending.facts, ctx.now());
        done.map_err(|_| FactorError::Outdated)?;
        let who = Seat { account: &pending.account, seat: &seat(handle) };
        phone::send_to_prove(&self.core, ctx, who, id, channel).await
    }

    /// The number that waits for its code, if this attempt began with one.
    ///
    /// # Errors
    /// [`FactorError::Outdated`] when the attempt is over or owes something else.
    pub async fn new_phone(&self, ctx: &Context, handle: &AttemptHandle) -> Result<Option<Sent>, FactorError> {
        self.enrolling(ctx, handle).await?;
        Ok(phone::sent(&self.core, ctx, &seat(handle)).await?)
    }

    /// Sends a code to a number that is to be bound.
    ///
    /// # Errors
    /// As [`SignIn::send_factor_code`].
    pub async fn send_code(&self, ctx: &Context, handle: &AttemptHandle, new: &NewPhone) -> Result<(), FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        let who = Seat { account: &pending.account, seat: &seat(handle) };
        phone::send_to_bind(&self.core, ctx, who, new).await
    }

    /// Sends another code there; the one before is void.
    ///
    /// # Errors
    /// As [`SignIn::send_factor_code`].
    pub async fn send_code_again(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        channel: Channel,
    ) -> Result<(), FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        let who = Seat { account: &pending.account, seat: &seat(handle) };
        phone::send_again(&self.core, ctx, who, channel).await
    }

    /// Step: binds the number that this code was sent to.
    ///
    /// # Errors
    /// [`FactorError::WrongCode`]: the attempt goes on; [`FactorError::Outdated`].
    pub async fn enrol_phone(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        code: &str,
    ) -> Result<Enrolled, FactorError> {
        let pending = self.enrolling(ctx, handle).await?;
        let who = Seat { account: &pending.account, seat: &seat(handle) };
        let new = phone::confirm(&self.core, ctx, who, code).await?;
        self.claim(handle, &pending).await.map_err(super::enrol::outdated)?;
        let mut tx = self.core.database.begin_for(pending.account.id).await?;
        let bound = phone::bind_phone(&self.core, ctx, &mut tx, pending.account.id, &new).await?;
        tx.commit().await?;
        self.enrolled(ctx, handle, pending, bound, new.channel.proves()).await
    }
}
