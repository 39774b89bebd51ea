//! Verifier: a passkey alone. It checked its user, so it is two factors, and nothing is typed.

use super::{Outcome, SignIn, SignInError, Wishes};
use crate::domain::session::Methods;
use crate::domain::sign_in::{VerifiedIdentity, Way};
use crate::service::context::Context;
use crate::service::factor::passkey::{self, Challenge, Reply};
use crate::service::limiter::{Target, Try};
use crate::service::metrics::{SignInOutcome, SignInWay};

impl SignIn {
    /// What the sign-in page asks any passkey; `None` where that is off.
    ///
    /// # Errors
    /// [`SignInError::Trouble`] when it cannot be sealed.
    pub fn passkey_challenge(&self, ctx: &Context, seat: &[u8; 32]) -> Result<Option<Challenge>, SignInError> {
        Ok(passkey::ask_anybody(&self.core, ctx, seat)?)
    }

    /// Signs in with a passkey.
    ///
    /// # Errors
    /// [`SignInError::Refused`] for everything that is wrong with key, answer or account.
    pub async fn with_passkey(
        &self,
        ctx: &Context,
        seat: &[u8; 32],
        reply: Reply<'_>,
        wishes: Wishes,
    ) -> Result<Outcome, SignInError> {
        if !self.core.policy.factor.passkey_sign_in {
            return Err(SignInError::Refused);
        }
        let stored = passkey::claimed(&self.core, reply).await?;
        let target = stored.as_ref().map_or(Target::Token, |stored| Target::Account(stored.about.account));
        let ticket = match self.core.limiter.ask(target, &ctx.origin, ctx.now()).await? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => {
                self.core.metrics.sign_in(SignInWay::Passkey, SignInOutcome::Throttled);
                return Err(SignInError::TooManyFailures { retry_after });
            }
        };
        let claimed = stored.as_ref().map(|stored| stored.about.account);
        let proved = match stored {
            Some(stored) => passkey::prove_alone(&self.core, ctx, stored, seat, reply).await?,
            None => None,
        };
        let (Some(proved), Some(id)) = (proved, claimed) else {
            self.core.metrics.sign_in(SignInWay::Passkey, SignInOutcome::WrongSecret);
            self.failed(ctx, claimed, "passkey").await?;
            return Err(SignInError::Refused);
        };
        self.core.limiter.give_back(ticket).await?;
        let account = self.account(id).await?.ok_or(SignInError::Refused)?;
        let identity = VerifiedIdentity {
            way: Way::Passkey,
            account: account.id,
            methods: proved.and(Methods::MULTI_FACTOR),
            authenticated_at: ctx.now(),
            remembered: None,
            voucher: None,
        };
        self.proceed(ctx, &account, identity, wishes).await
    }
}
