//! Binding a phone number while signed in; in a sign-in it is `service/sign_in/phone.rs`.

use super::phone::{self, NewPhone, Seat, Sent};
use super::{Added, FactorError, Factors};
use crate::domain::phone::Channel;
use crate::service::caller::SteppedUp;
use crate::service::context::Context;
use crate::service::core::Trouble;

impl Factors {
    /// The ways in which a number can be bound here; none when that is not offered.
    #[must_use]
    pub fn phone_channels(&self) -> &[Channel] {
        &self.core.policy.factor.channels
    }

    /// The number that waits for its code, if this person began with one.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn new_phone(&self, ctx: &Context, who: &SteppedUp) -> Result<Option<Sent>, Trouble> {
        phone::sent(&self.core, ctx, who.handle()).await
    }

    /// Sends a code to a number that this person wants to bind.
    ///
    /// # Errors
    /// [`FactorError::NotSent`], [`FactorError::TooManyCodes`], [`FactorError::Off`].
    pub async fn send_code(&self, ctx: &Context, who: &SteppedUp, new: &NewPhone) -> Result<(), FactorError> {
        phone::send_to_bind(&self.core, ctx, seat(who), new).await
    }

    /// Sends another code there; the one before is void.
    ///
    /// # Errors
    /// [`FactorError::Outdated`] when there is no number yet; see [`Factors::send_code`].
    pub async fn send_code_again(&self, ctx: &Context, who: &SteppedUp, channel: Channel) -> Result<(), FactorError> {
        phone::send_again(&self.core, ctx, seat(who), channel).await
    }

    /// Binds the number that this code was sent to. Other sessions end when it is the first factor.
    ///
    /// # Errors
    /// [`FactorError`]; nothing is bound then.
    pub async fn bind_phone(&self, ctx: &Context, who: &SteppedUp, code: &str) -> Result<Added, FactorError> {
        let new = phone::confirm(&self.core, ctx, seat(who), code).await?;
        let mut tx = self.core.database.begin_for(who.account()).await?;
        let bound = phone::bind_phone(&self.core, ctx, &mut tx, who.account(), &new).await?;
        tx.commit().await?;
        self.added(ctx, who, bound, new.channel.proves()).await
    }
}

fn seat(who: &SteppedUp) -> Seat<'_> {
    Seat { account: &who.card().account, seat: who.handle() }
}
