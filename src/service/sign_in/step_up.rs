//! Proving anew who one is, while signed in: before changing what one signs in with, or because an application asks for a
//! fresh proof. The same corridor as a sign-in; the session that comes out takes the place of the one that went in.

use super::{AttemptHandle, Outcome, SignIn, SignInError, Wishes, enter};
use crate::domain::identity::Source;
use crate::domain::password::PlainPassword;
use crate::domain::session::Methods;
use crate::domain::sign_in::{Demand, Step, VerifiedIdentity, Voucher, Way};
use crate::service::caller::SignedIn;
use crate::service::context::Context;
use crate::service::core::Core;
use crate::service::factor;
use crate::service::password::ChangeError;
use crate::store::identity::ProviderSession;
use crate::store::{authenticator, identity, password as passwords};

/// How somebody signed in can prove anew who they are.
#[derive(Debug)]
pub enum StepUp {
    /// With the password, and with what the corridor asks for then.
    Password,
    /// With the second factor, or by binding one; the browser gets this attempt's handle.
    Owes(Step, AttemptHandle),
    /// Only by signing in again.
    SignInAgain,
}

impl SignIn {
    /// Begins. `factor` says whether there must be a second factor, whatever the policy says.
    ///
    /// Whoever has a second factor shows that one; a session opened by a remembered browser alone has proved nothing
    /// itself, so that one begins with the password.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn begin_step_up(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        return_to: Option<String>,
        factor: bool,
    ) -> Result<StepUp, SignInError> {
        let (enrolled, password) = {
            let mut link = self.core.database.read().await?;
            let enrolled = authenticator::any(&mut link, owner.account()).await?;
            (enrolled, passwords::of(&mut link, owner.account()).await?.is_some())
        };
        let session = &owner.session().session;
        let proved = !session.methods.has(Methods::REMEMBERED);
        let binds = factor && !enrolled && factor::young(&self.core, ctx, owner);
        if !(binds || enrolled && proved) {
            return Ok(if password { StepUp::Password } else { StepUp::SignInAgain });
        }
        let identity = VerifiedIdentity {
            way: Way::StepUp,
            account: owner.account(),
            methods: session.methods.without(Methods::MULTI_FACTOR.and(Methods::REMEMBERED_DEVICE)),
            authenticated_at: ctx.now(),
            remembered: session.remembered,
            voucher: self.voucher(owner).await?,
        };
        let account = self.account(owner.account()).await?.ok_or(SignInError::Outdated)?;
        match self.proceed(ctx, &account, identity, wishes(owner, return_to, factor)).await? {
            Outcome::Owes(step, handle) => Ok(StepUp::Owes(step, handle)),
            // The last authenticator went away a moment ago: that session is not handed out.
            Outcome::Open(opened) => {
                let hash = crate::service::core::fingerprint(opened.handle.expose());
                self.core.volatile.end_handle(&hash).await?;
                Ok(StepUp::Password)
            }
        }
    }

    /// Proves anew with the password; the second factor is asked for after it where there is one.
    ///
    /// # Errors
    /// [`SignInError::Refused`] when it is wrong; [`SignInError::TooManyFailures`].
    pub async fn step_up_with_password(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        password: &PlainPassword,
        return_to: Option<String>,
        factor: bool,
    ) -> Result<Outcome, SignInError> {
        match self.passwords.confirm(ctx, owner, password).await {
            Ok(()) => {}
            Err(ChangeError::WrongPassword) => {
                self.failed(ctx, Some(owner.account()), "password").await?;
                return Err(SignInError::Refused);
            }
            Err(other) => return Err(other.into()),
        }
        let account = self.account(owner.account()).await?.ok_or(SignInError::Outdated)?;
        let identity = VerifiedIdentity {
            way: Way::Password,
            account: account.id,
            methods: Methods::PASSWORD,
            authenticated_at: ctx.now(),
            remembered: owner.session().session.remembered,
            voucher: self.voucher(owner).await?,
        };
        self.proceed(ctx, &account, identity, wishes(owner, return_to, factor)).await
    }
}

impl SignIn {
    /// Who vouched for the session at its beginning: the one that takes its place ends with theirs too.
    async fn voucher(&self, owner: &SignedIn) -> Result<Option<Voucher>, SignInError> {
        let Some(source) = owner.session().session.source.clone() else { return Ok(None) };
        let mut link = self.core.database.read().await?;
        let found = identity::of_session(&mut link, owner.session_id()).await?;
        Ok(found.map(|one| vouching(&self.core, one, source)))
    }
}

/// What a kept session says about who vouched for it.
pub(super) fn vouching(core: &Core, one: ProviderSession, source: Source) -> Voucher {
    let upstream = one.sealed.as_deref().and_then(|sealed| enter::opened(core, sealed).ok());
    let stated = upstream.map(|upstream| upstream.stated).unwrap_or_default();
    Voucher { identity: one.identity, upstream: one.upstream, sealed: one.sealed, stated, source }
}

fn wishes(owner: &SignedIn, return_to: Option<String>, factor: bool) -> Wishes {
    let demand = Demand { factor, fresh: true };
    Wishes { return_to, replaces: Some(*owner.handle()), demand, ..Wishes::default() }
}
