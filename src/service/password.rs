//! Passwords: choosing, changing, setting. Signing in with one is `service/sign_in/password.rs`.

use super::caller::{Operator, SignedIn};
use super::context::Context;
use super::core::{Core, Trouble};
use super::hasher::Verdict;
use super::limiter::{Target, Try};
use super::outbox::{self, Order};
use super::revocation;
use super::session::{Handle, Sessions};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Event};
use crate::domain::id::AccountId;
use crate::domain::password::{Fault, PlainPassword};
use crate::domain::session::CredentialEvent;
use crate::domain::time::Timestamp;
use crate::store::password::{self as passwords, StoredPassword};
use crate::store::volatile::Unavailable;
use crate::store::{Link, StoreError, Tx, account, directory};
use std::sync::Arc;
use std::time::Duration;

/// Passwords over a core.
#[derive(Clone)]
pub struct Passwords {
    core: Arc<Core>,
}

/// The directory that keeps somebody's password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    /// The name that people see.
    pub name: String,
    /// The page on which they change it, if the operator named one.
    pub page: Option<String>,
}

impl Keeper {
    /// Who keeps the password of an account; `None` when we do, or when the directory is not in use any more.
    pub(super) async fn of(core: &Core, link: &mut Link, account: AccountId) -> Result<Option<Self>, StoreError> {
        let source = directory::keeper(link, account).await?;
        let found = source.and_then(|source| core.directories.iter().find(|one| one.source() == source));
        Ok(found.map(|one| Self { name: one.policy.name.clone(), page: one.policy.password_url.clone() }))
    }
}

/// Who sets a password, and so what follows from it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// The owner, while signed in.
    Own,
    /// The owner, because a sign-in demanded it.
    Demanded { by: AccountId },
    /// The owner, through a mailed link.
    Recovered,
    /// The operator; it must be changed at the next sign-in.
    Set { must_change: bool },
}

/// A password that keeps the rules, already hashed.
pub(super) struct Ready(String);

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The present password is wrong, or too many were tried.
    #[error("the present password is wrong")]
    WrongPassword,
    /// Too many failures.
    #[error("too many failures; try again in {} s", .retry_after.as_secs())]
    TooManyFailures {
        /// When to try again.
        retry_after: Duration,
    },
    /// The new one breaks rules.
    #[error("the new password cannot be used")]
    Rules(Vec<Fault>),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Unavailable> for ChangeError {
    fn from(error: Unavailable) -> Self {
        Self::Trouble(error.into())
    }
}

impl Passwords {
    /// Passwords over a core.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// When the person's password was chosen; `None` when they have none.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn changed_at(&self, owner: &SignedIn) -> Result<Option<Timestamp>, Trouble> {
        let mut link = self.core.database.read().await?;
        Ok(passwords::of(&mut link, owner.account()).await?.map(|stored| stored.set_at))
    }

    /// The directory that keeps one's password, when it is not kept here.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn keeper(&self, owner: &SignedIn) -> Result<Option<Keeper>, Trouble> {
        if self.core.directories.is_empty() {
            return Ok(None);
        }
        let mut link = self.core.database.read().await?;
        Ok(Keeper::of(&self.core, &mut link, owner.account()).await?)
    }

    /// Changes one's own password. Ends all other sessions and remembered browsers; this session gets a new handle.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing has changed then.
    pub async fn change(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        present: &PlainPassword,
        new: &PlainPassword,
    ) -> Result<Handle, ChangeError> {
        if self.keeper(owner).await?.is_some() {
            return Err(ChangeError::WrongPassword);
        }
        self.confirm(ctx, owner, present).await?;
        let account = &owner.card().account;
        let ready = self.prepare(ctx, account, new).await?;
        self.write(ctx, account, ready, Change::Own).await?;
        Ok(Sessions::new(Arc::clone(&self.core)).renew(ctx, owner, CredentialEvent::PasswordChanged).await?)
    }

    /// Sets somebody's password from the command line.
    ///
    /// # Errors
    /// [`ChangeError::Rules`]; nothing has changed then.
    pub async fn set(
        &self,
        ctx: &Context,
        _by: Operator,
        account: &Account,
        new: &PlainPassword,
        must_change: bool,
    ) -> Result<(), ChangeError> {
        let ready = self.prepare(ctx, account, new).await?;
        self.write(ctx, account, ready, Change::Set { must_change }).await?;
        Ok(())
    }

    /// Checks the present password of somebody signed in, through the one limiter.
    pub(super) async fn confirm(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        present: &PlainPassword,
    ) -> Result<(), ChangeError> {
        let id = owner.account();
        let ticket = match self.core.limiter.ask(Target::Account(id), &ctx.origin, ctx.now()).await? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => return Err(ChangeError::TooManyFailures { retry_after }),
        };
        let stored = {
            let mut link = self.core.database.read().await?;
            passwords::of(&mut link, id).await?
        };
        let verdict = self.core.check_password(present, stored.as_ref().map(|stored| stored.hash.as_str())).await;
        match verdict {
            Ok(Verdict::Right { .. }) => Ok(self.core.limiter.give_back(ticket).await?),
            Ok(Verdict::Wrong) => Err(ChangeError::WrongPassword),
            Err(trouble) => {
                self.core.limiter.give_back(ticket).await?;
                Err(trouble.into())
            }
        }
    }

    /// Checks the rules, the former passwords included, and hashes.
    pub(super) async fn prepare(
        &self,
        ctx: &Context,
        account: &Account,
        new: &PlainPassword,
    ) -> Result<Ready, ChangeError> {
        self.check(&[&account.username, &account.email, &account.name], new)?;
        let former = self.refused_hashes(account.id).await?;
        for hash in &former {
            if let Verdict::Right { .. } = self.core.check_password(new, Some(hash)).await? {
                return Err(ChangeError::Rules(vec![Fault::Reused]));
            }
        }
        self.hashed(ctx, new).await
    }

    /// The same for an account that does not exist yet.
    pub(super) async fn prepare_first(
        &self,
        ctx: &Context,
        names: &[&str],
        new: &PlainPassword,
    ) -> Result<Ready, ChangeError> {
        self.check(names, new)?;
        self.hashed(ctx, new).await
    }

    fn check(&self, names: &[&str], new: &PlainPassword) -> Result<(), ChangeError> {
        let mut context = names.to_vec();
        context.push(&self.core.policy.product);
        let faults = self.core.policy.rules.check(new, &context);
        if faults.is_empty() { Ok(()) } else { Err(ChangeError::Rules(faults)) }
    }

    async fn hashed(&self, ctx: &Context, new: &PlainPassword) -> Result<Ready, ChangeError> {
        Ok(Ready(self.core.hash_password(ctx, new).await?))
    }

    /// The present password and as many former ones as the policy refuses.
    async fn refused_hashes(&self, id: AccountId) -> Result<Vec<String>, Trouble> {
        let history = self.core.policy.password_history;
        let mut link = self.core.database.read().await?;
        let Some(stored) = passwords::of(&mut link, id).await? else { return Ok(Vec::new()) };
        let forced = stored.must_change || !self.core.policy.password_max_age.is_zero();
        if history == 0 && !forced {
            return Ok(Vec::new());
        }
        let mut hashes = vec![stored.hash];
        let former = passwords::former(&mut link, id).await?;
        let most = usize::try_from(history.saturating_sub(1)).unwrap_or(usize::MAX);
        hashes.extend(former.into_iter().take(most));
        Ok(hashes)
    }

    /// Writes a prepared password with all that follows from it; returns the account as it is then.
    pub(super) async fn write(
        &self,
        ctx: &Context,
        account: &Account,
        ready: Ready,
        change: Change,
    ) -> Result<Account, Trouble> {
        let mut tx = self.core.database.begin_for(account.id).await?;
        let aftermath = self.write_in(ctx, &mut tx, account.id, ready, change).await?;
        let after =
            account::by_id(&mut tx, account.id).await?.ok_or(StoreError::Conflict("the account is gone".into()))?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(after)
    }

    /// The same inside a transaction of the caller's.
    pub(super) async fn write_in(
        &self,
        ctx: &Context,
        tx: &mut Tx,
        id: AccountId,
        ready: Ready,
        change: Change,
    ) -> Result<revocation::Aftermath, Trouble> {
        let (event, act, must_change) = match change {
            Change::Own | Change::Demanded { .. } => (CredentialEvent::PasswordChanged, Act::PasswordChanged, false),
            Change::Recovered => (CredentialEvent::PasswordRecovered, Act::PasswordRecovered, false),
            Change::Set { must_change } => (CredentialEvent::PasswordSet, Act::PasswordSet, must_change),
        };
        let new = StoredPassword { hash: ready.0, set_at: ctx.now(), must_change };
        passwords::set(tx, id, &new, self.core.policy.password_history.saturating_sub(1)).await?;
        let by =
            if let Change::Demanded { by } = change { crate::domain::audit::Actor::Account(by) } else { ctx.actor };
        ctx.clone().acting_as(by).record(tx, Event::about(act, id)).await?;
        outbox::order(&self.core, ctx, tx, Some(id), &Order::PasswordChanged { at: ctx.now() }).await?;
        revocation::revoke(ctx, tx, id, event, None).await
    }

    /// The first password of a new account: nothing has to end, nobody has to be told.
    pub(super) async fn write_first(
        &self,
        ctx: &Context,
        tx: &mut Tx,
        id: AccountId,
        ready: Ready,
    ) -> Result<(), Trouble> {
        let first = StoredPassword { hash: ready.0, set_at: ctx.now(), must_change: false };
        passwords::set(tx, id, &first, 0).await?;
        Ok(ctx.record(tx, Event::about(Act::PasswordSet, id)).await?)
    }
}
