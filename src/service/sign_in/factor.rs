//! Step: the second factor. Every wrong one counts in the one limiter, and only an open session makes it forget.

use super::enrol::seat;
use super::step::Pending;
use super::{AttemptHandle, Outcome, SignIn, SignInError};
use crate::domain::authenticator::{Authenticator, FactorWay, Kind};
use crate::domain::id::AuthenticatorId;
use crate::domain::phone::Channel;
use crate::domain::session::Methods;
use crate::domain::sign_in::{Next, Step};
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::factor::check::{self, Given, Shown};
use crate::service::factor::passkey::{self, Challenge};
use crate::service::factor::phone::{self, Sent};
use crate::service::limiter::{Target, Ticket, Try};
use crate::service::metrics::{SignInOutcome, SignInWay};
use crate::store::volatile::Shelf;
use crate::store::{authenticator, backup_code};

/// What the page of the second factor needs to know.
#[derive(Clone, Debug)]
pub struct FactorView {
    /// Which step is owed; another one belongs on another page.
    pub step: Step,
    /// Who is signing in.
    pub username: String,
    /// What the account has, the preferred one first.
    pub authenticators: Vec<Authenticator>,
    /// The ways that are open, the preferred one first.
    pub ways: Vec<FactorWay>,
    /// What there is to know about codes to phones.
    pub phones: Phones,
    /// Days that the device may be spared the factor; `None` when that is not offered.
    pub remember_days: Option<u32>,
    /// Where they want to go.
    pub return_to: Option<String>,
}

/// Codes to phones, for the page of the second factor.
#[derive(Clone, Debug, Default)]
pub struct Phones {
    /// The account's numbers, masked.
    pub numbers: Vec<(AuthenticatorId, String)>,
    /// How a code can be sent.
    pub channels: Vec<Channel>,
    /// The code that is on its way.
    pub sent: Option<Sent>,
}

impl SignIn {
    /// What the attempt behind this handle can prove its second factor with.
    ///
    /// # Errors
    /// [`SignInError::Outdated`] when there is no such attempt, or it owes nothing.
    pub async fn factor_view(&self, ctx: &Context, handle: &AttemptHandle) -> Result<FactorView, SignInError> {
        let pending = self.load(ctx, handle).await?;
        let Next::Step(step) = pending.attempt.next(&pending.facts, ctx.now()) else {
            return Err(SignInError::Outdated);
        };
        let id = pending.account.id;
        let mut link = self.core.database.read().await?;
        let stored = authenticator::of_account(&mut link, id).await?;
        let authenticators: Vec<_> = stored.into_iter().map(|one| one.about).collect();
        let backup = backup_code::left(&mut link, id).await? > 0;
        drop(link);
        let channels = self.core.gateways.channels();
        let ways = ways(&authenticators, backup, !channels.is_empty());
        let phones = if ways.contains(&FactorWay::Phone) {
            let sent = phone::sent(&self.core, ctx, &seat(handle)).await?;
            Phones { numbers: phone::masked(&self.core, id).await?, channels, sent }
        } else {
            Phones::default()
        };
        let days = self.core.policy.factor.remember_days;
        Ok(FactorView {
            step,
            username: pending.account.username,
            ways,
            phones,
            authenticators,
            remember_days: (days > 0 && !pending.attempt.demand.fresh).then_some(days),
            return_to: pending.attempt.return_to,
        })
    }

    /// What the page asks one of the account's keys; `None` when there is none.
    ///
    /// # Errors
    /// [`SignInError::Outdated`] when the attempt is over or owes something else.
    pub async fn factor_challenge(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
    ) -> Result<Option<Challenge>, SignInError> {
        let pending = self.load(ctx, handle).await?;
        match pending.attempt.next(&pending.facts, ctx.now()) {
            Next::Step(Step::SecondFactor) => {
                Ok(passkey::ask(&self.core, ctx, pending.account.id, &seat(handle)).await?)
            }
            _ => Err(SignInError::Outdated),
        }
    }

    /// Step: shows the second factor. `keep` asks to spare this device the factor from now on.
    ///
    /// # Errors
    /// [`SignInError::WrongCode`]: the attempt goes on; [`SignInError::TooManyFailures`];
    /// [`SignInError::Outdated`] when the attempt is over or owes something else.
    pub async fn show_factor(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        given: Given<'_>,
        keep: bool,
    ) -> Result<Outcome, SignInError> {
        let mut pending = self.load(ctx, handle).await?;
        pending.attempt.complete(Step::SecondFactor, &pending.facts, ctx.now()).map_err(|_| SignInError::Outdated)?;
        let id = pending.account.id;
        let ticket = match self.core.limiter.ask(Target::Account(id), &ctx.origin, ctx.now()).await? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => {
                self.core.metrics.sign_in(SignInWay::SecondFactor, SignInOutcome::Throttled);
                return Err(SignInError::TooManyFailures { retry_after });
            }
        };
        match check::prove(&self.core, ctx, id, &seat(handle), given).await {
            Ok(Shown::Right(proved)) => {
                self.core.limiter.give_back(ticket).await?;
                self.proved(ctx, handle, pending, proved, keep).await
            }
            Ok(Shown::Before) => {
                self.core.limiter.give_back(ticket).await?;
                Err(SignInError::Outdated)
            }
            Ok(Shown::Wrong) => self.wrong(ctx, handle, &pending, ticket).await,
            Err(trouble) => {
                self.core.limiter.give_back(ticket).await?;
                Err(trouble.into())
            }
        }
    }

    /// Goes on with an attempt whose second factor was right.
    async fn proved(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        mut pending: Pending,
        proved: Methods,
        keep: bool,
    ) -> Result<Outcome, SignInError> {
        let attempt = &mut pending.attempt;
        attempt.identity.methods = attempt.identity.methods.and(proved).and(Methods::MULTI_FACTOR);
        attempt.keep_device = keep && !attempt.demand.fresh;
        self.claim(handle, &pending).await?;
        self.core.metrics.sign_in(SignInWay::SecondFactor, SignInOutcome::Succeeded);
        self.advance(ctx, handle, pending.attempt, &pending.account).await
    }

    /// A wrong code stays charged. The right one sent twice at once is no failure: the attempt has moved on.
    async fn wrong(
        &self,
        ctx: &Context,
        handle: &AttemptHandle,
        pending: &Pending,
        ticket: Ticket,
    ) -> Result<Outcome, SignInError> {
        let key = fingerprint(handle.expose());
        let now = self.core.volatile.peek(Shelf::Attempt, &key, ctx.now()).await?;
        if now.is_none_or(|now| now != pending.stored) {
            self.core.limiter.give_back(ticket).await?;
            return Err(SignInError::Outdated);
        }
        self.core.metrics.sign_in(SignInWay::SecondFactor, SignInOutcome::WrongSecret);
        self.failed(ctx, Some(pending.account.id), "second_factor").await?;
        Err(SignInError::WrongCode)
    }
}

/// The ways that are open with these, the preferred one first.
fn ways(authenticators: &[Authenticator], backup: bool, sends: bool) -> Vec<FactorWay> {
    let usable = |one: &&Authenticator| one.kind != Kind::Phone || sends;
    let has = |kind: Kind| authenticators.iter().filter(usable).any(|one| one.kind == kind);
    let mut ways: Vec<_> = Kind::ALL.into_iter().filter(|kind| has(*kind)).map(FactorWay::from).collect();
    if let Some(preferred) = authenticators.iter().filter(usable).find(|one| one.preferred) {
        let first = FactorWay::from(preferred.kind);
        ways.sort_by_key(|way| *way != first);
    }
    ways.extend(backup.then_some(FactorWay::Backup));
    ways
}
