//! Proving anew who one is, while signed in: before changing what one signs in with, or because an application asks for a
//! fresh proof. The same corridor as a sign-in; the session that comes out takes the place of the one that went in.

use super::enter::opened;
use super::{AttemptHandle, Outcome, SignIn, SignInError, Wishes};
use crate::domain::factor_trust::Stated;
use crate::domain::identity::{Source, SourceKind, Vouched};
use crate::domain::password::PlainPassword;
use crate::domain::resolve::Refusal;
use crate::domain::session::Methods;
use crate::domain::sign_in::{Carried, Demand, Step, VerifiedIdentity, Voucher, Way};
use crate::service::caller::SignedIn;
use crate::service::context::Context;
use crate::service::factor;
use crate::service::password::ChangeError;
use crate::store::vouched_session::{self, ProviderSession};
use crate::store::{authenticator, identity, password as passwords};

/// How somebody signed in can prove anew who they are.
#[derive(Debug)]
pub enum StepUp {
    /// With the password, and with what the corridor asks for then.
    Password,
    /// With the second factor, or by binding one; the browser gets this attempt's handle.
    Owes(Step, AttemptHandle),
    /// At the provider that they sign in with.
    Provider {
        /// Its slug.
        slug: String,
        /// The name that people see.
        name: String,
    },
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
            return if password { Ok(StepUp::Password) } else { self.provider_to_ask(owner).await };
        }
        let identity = VerifiedIdentity {
            way: Way::StepUp,
            account: owner.account(),
            methods: session.methods.without(Methods::MULTI_FACTOR.and(Methods::REMEMBERED_DEVICE)),
            authenticated_at: ctx.now(),
            remembered: session.remembered,
            voucher: self.voucher_of(owner).await?,
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
            voucher: self.voucher_of(owner).await?,
        };
        self.proceed(ctx, &account, identity, wishes(owner, return_to, factor)).await
    }
}

impl SignIn {
    /// Proves anew by signing in at a provider, which said when that was. It must be somebody whom this account is linked
    /// to; a second factor of ours is asked for after it where there is one.
    pub(in crate::service) async fn step_up_by_source(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        arrival: Vouched,
        (return_to, factor): (Option<String>, bool),
    ) -> Result<Outcome, SignInError> {
        let known = {
            let mut link = self.core.database.read().await?;
            identity::by_subject(&mut link, &arrival.source, &arrival.issuer, &arrival.subject).await?
        };
        let refusal = match &known {
            Some(known) if known.account == owner.account() => None,
            Some(_) => Some(Refusal::LinkedElsewhere),
            None => Some(Refusal::Unknown),
        };
        let (Some(known), None) = (known, refusal) else {
            self.failed(ctx, Some(owner.account()), "other_identity").await?;
            return Err(SignInError::Unresolved(refusal.unwrap_or(Refusal::Unknown)));
        };
        let account = self.account(owner.account()).await?.ok_or(SignInError::Outdated)?;
        let identity = VerifiedIdentity {
            way: Way::Provider,
            account: account.id,
            methods: arrival.methods,
            authenticated_at: arrival.authenticated_at,
            remembered: owner.session().session.remembered,
            voucher: Some(self.voucher(ctx, known.id, &arrival)?),
        };
        self.proceed(ctx, &account, identity, wishes(owner, return_to, factor)).await
    }

    /// The provider that somebody without a password proves anew with: the one that the session came from, or another one
    /// that they can sign in with.
    async fn provider_to_ask(&self, owner: &SignedIn) -> Result<StepUp, SignInError> {
        let sources = &self.core.policy.sources;
        let linked = {
            let mut link = self.core.database.read().await?;
            identity::of_account(&mut link, owner.account()).await?
        };
        let usable = |source: &&Source| source.kind() == SourceKind::Provider && sources.contains_key(source);
        let here = owner.session().session.source.as_ref();
        let mut linked = linked.iter().map(|one| &one.source).filter(usable);
        let chosen = linked.clone().find(|source| Some(*source) == here).or_else(|| linked.next());
        let found = chosen.and_then(|source| Some((source, sources.get(source)?)));
        Ok(found.map_or(StepUp::SignInAgain, |(source, rules)| StepUp::Provider {
            slug: source.slug().to_owned(),
            name: rules.name.clone(),
        }))
    }

    /// Who vouched for the session at its beginning: the one that takes its place ends with theirs too.
    async fn voucher_of(&self, owner: &SignedIn) -> Result<Option<Voucher>, SignInError> {
        let Some(source) = owner.session().session.source.clone() else { return Ok(None) };
        let mut link = self.core.database.read().await?;
        let found = vouched_session::of_session(&mut link, owner.session_id()).await?;
        Ok(found.map(|one| {
            let sealed = one.sealed.as_deref();
            let ends_at = sealed.and_then(|sealed| opened(&self.core, sealed).ok()?.ends_at);
            Voucher { ends_at, ..going_on(one, source, Carried::Session(owner.session_id())) }
        }))
    }
}

/// The source's word as it goes over to a session that takes the place of another.
pub(super) fn going_on(one: ProviderSession, source: Source, from: Carried) -> Voucher {
    let ProviderSession { identity, upstream, .. } = one;
    let (stated, carried) = (Stated::default(), Some(from));
    Voucher { identity, upstream, sealed: None, stated, at: None, carried, ends_at: None, source }
}

fn wishes(owner: &SignedIn, return_to: Option<String>, factor: bool) -> Wishes {
    let demand = Demand { factor, fresh: true };
    Wishes { return_to, replaces: Some(*owner.handle()), demand, ..Wishes::default() }
}
