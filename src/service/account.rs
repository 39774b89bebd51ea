//! Accounts: making, locking, unlocking, rights, profile.

use super::caller::{Operator, SignedIn};
use super::context::Context;
use super::core::{Core, PasswordLogin, Trouble};
use super::moment;
use super::password::{ChangeError, Passwords, Ready};
use super::revocation;
use crate::domain::account::{Account, AccountStatus, DisplayName, EmailAddress, LoginName, Username};
use crate::domain::audit::{Act, Event};
use crate::domain::id::AccountId;
use crate::domain::password::PlainPassword;
use crate::domain::session::CredentialEvent;
use crate::domain::time::Timestamp;
use crate::store::account::{self, NewAccount, Taken};

use crate::domain::notice::Notice;
pub use crate::store::account::Profile;
use crate::store::{StoreError, Tx, directory, identity, invitation};
use std::sync::Arc;

/// Accounts over a core.
#[derive(Clone)]
pub struct Accounts {
    core: Arc<Core>,
    passwords: Passwords,
}

/// Who the new account is for.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// The name it will sign in with.
    pub username: Username,
    /// Its address.
    pub email: EmailAddress,
    /// The name others see.
    pub name: DisplayName,
    /// Whether it administers this service.
    pub administrator: bool,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Another account has, or looks like it has, the username, the address, or both.
    #[error("{}", taken_text(*.0))]
    Taken(Taken),
    /// Nobody has this name.
    #[error("no account has the name {0:?}")]
    Unknown(String),
    /// The time zone is not in the IANA database.
    #[error("there is no time zone {0:?}")]
    TimeZone(String),
    /// The last administrator that can sign in would be locked.
    #[error("this is the last administrator who can sign in; make another one first")]
    LastAdministrator,
    /// Administrators do not end by themselves: the last of them would take the service along.
    #[error("{0} is an administrator, and those do not end by themselves")]
    EndOfAdministrator(String),
    /// The account would have ended before.
    #[error("the end lies in the past; lock the account to end its sessions now")]
    Past,
    /// The password breaks rules.
    #[error(transparent)]
    Password(#[from] ChangeError),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

fn taken_text(taken: Taken) -> &'static str {
    match (taken.username, taken.email) {
        (true, true) => {
            "another account has this username, or one that looks the same, and another has this e-mail address"
        }
        (true, false) => "another account has this username, or one that looks the same",
        _ => "another account has this e-mail address",
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Accounts {
    /// Accounts over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { passwords: Passwords::new(Arc::clone(&core)), core }
    }

    /// The account of this username or address.
    ///
    /// # Errors
    /// [`AccountError::Unknown`].
    pub async fn named(&self, _by: Operator, name: &str) -> Result<Account, AccountError> {
        let mut link = self.core.database.read().await?;
        account::by_login(&mut link, &LoginName::of(name)).await?.ok_or_else(|| AccountError::Unknown(name.to_owned()))
    }

    /// Makes an account from the command line, with or without a password.
    ///
    /// # Errors
    /// [`AccountError::Taken`], [`AccountError::Password`]; nothing has been made then.
    pub async fn create(
        &self,
        ctx: &Context,
        _by: Operator,
        new: Newcomer,
        password: Option<&PlainPassword>,
    ) -> Result<AccountId, AccountError> {
        let ready = match password {
            Some(password) => Some(self.prepare_first(ctx, &new, password).await?),
            None => None,
        };
        let mut tx = self.core.database.begin().await?;
        let id = self.create_in(ctx, &mut tx, new, ready).await?;
        tx.commit().await?;
        Ok(id)
    }

    pub(super) async fn prepare_first(
        &self,
        ctx: &Context,
        new: &Newcomer,
        password: &PlainPassword,
    ) -> Result<Ready, ChangeError> {
        let names = [new.username.as_str(), new.email.as_str(), new.name.as_str()];
        self.passwords.prepare_first(ctx, &names, password).await
    }

    pub(super) async fn create_in(
        &self,
        ctx: &Context,
        tx: &mut Tx,
        new: Newcomer,
        password: Option<Ready>,
    ) -> Result<AccountId, AccountError> {
        let taken = account::taken(tx, &new.username, &new.email).await?;
        if taken != Taken::default() {
            return Err(AccountError::Taken(taken));
        }
        let Newcomer { username, email, name, administrator } = new;
        let id = AccountId::new(ctx.uuid());
        let status = AccountStatus::Active;
        let made = NewAccount { id, username, email, name, administrator, status, ends_at: None };
        account::insert(tx, &made, ctx.now()).await?;
        let detail = serde_json::json!({ "administrator": administrator });
        ctx.record(tx, Event::about(Act::AccountCreated, id).with(detail)).await?;
        if let Some(ready) = password {
            self.passwords.write_first(ctx, tx, id, ready).await?;
        }
        Ok(id)
    }

    /// Locks an account: every session and remembered browser ends, and no way in opens. Nothing is deleted.
    ///
    /// # Errors
    /// [`AccountError::LastAdministrator`]; nothing has changed then.
    pub async fn lock(&self, ctx: &Context, _by: Operator, id: AccountId) -> Result<(), AccountError> {
        let mut tx = self.core.database.begin().await?;
        let mut others = account::administrators(&mut tx).await?;
        let can_sign_in = |one: &Account| one.may_sign_in(ctx.now());
        let is_administrator = others.iter().any(|one| one.id == id && can_sign_in(one));
        others.retain(|one| one.id != id && can_sign_in(one));
        if is_administrator && others.is_empty() {
            return Err(AccountError::LastAdministrator);
        }
        account::set_status(&mut tx, id, AccountStatus::Locked).await?;
        // From now on the lock is an administrator's; a synchronisation does not undo it.
        directory::release(&mut tx, id).await?;
        ctx.record(&mut tx, Event::about(Act::AccountLocked, id)).await?;
        let aftermath = revocation::revoke(ctx, &mut tx, id, CredentialEvent::Locked, None).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(())
    }

    /// Unlocks an account, and forgets its failures. Whoever was invited and has not accepted is invited still.
    ///
    /// # Errors
    /// [`AccountError::Trouble`].
    pub async fn unlock(&self, ctx: &Context, _by: Operator, id: AccountId) -> Result<AccountStatus, AccountError> {
        let mut tx = self.core.database.begin().await?;
        let waits = invitation::of(&mut tx, id).await?.is_some();
        let before = account::by_id(&mut tx, id).await?.map(|one| one.status);
        let status = match before {
            Some(AccountStatus::Registered) => AccountStatus::Registered,
            _ if waits => AccountStatus::Invited,
            _ => AccountStatus::Active,
        };
        account::set_status(&mut tx, id, status).await?;
        directory::release(&mut tx, id).await?;
        ctx.record(&mut tx, Event::about(Act::AccountUnlocked, id)).await?;
        tx.announce(Notice::Account(id), ctx.now()).await?;
        let identities = identity::of_account(&mut tx, id).await?;
        self.core.limiter.forget(id, &identities).await.map_err(Trouble::from)?;
        tx.commit().await?;
        Ok(status)
    }

    /// Sets when a guest's account ends by itself, or lets it stay. One that has ended can sign in again when its new end is
    /// ahead; what ended with it does not come back.
    ///
    /// # Errors
    /// [`AccountError::Past`], [`AccountError::EndOfAdministrator`]; nothing has changed then.
    pub async fn set_end(
        &self,
        ctx: &Context,
        _by: Operator,
        who: &Account,
        ends_at: Option<Timestamp>,
    ) -> Result<(), AccountError> {
        if ends_at.is_some_and(|end| ctx.now() >= end) {
            return Err(AccountError::Past);
        }
        let mut tx = self.core.database.begin().await?;
        let now = account::by_id(&mut tx, who.id).await?;
        if ends_at.is_some() && now.as_ref().is_none_or(|one| one.administrator) {
            return Err(AccountError::EndOfAdministrator(who.username.clone()));
        }
        let aftermath = if now.is_some_and(|one| one.has_ended(ctx.now())) {
            // What ended with it must not come back, even if no sweep has been here since.
            Some(revocation::revoke(ctx, &mut tx, who.id, CredentialEvent::Locked, None).await?)
        } else {
            tx.announce(Notice::Account(who.id), ctx.now()).await?;
            None
        };
        account::set_end(&mut tx, who.id, ends_at).await?;
        let detail = serde_json::json!({ "ends_at": ends_at.map(Timestamp::millis) });
        ctx.record(&mut tx, Event::about(Act::AccountEndSet, who.id).with(detail)).await?;
        tx.commit().await?;
        if let Some(aftermath) = aftermath {
            aftermath.finish(&self.core).await;
        }
        Ok(())
    }

    /// Makes an account an administrator. Its sessions end: a session never gains rights.
    ///
    /// # Errors
    /// [`AccountError::Trouble`].
    pub async fn make_administrator(&self, ctx: &Context, _by: Operator, id: AccountId) -> Result<(), AccountError> {
        let mut tx = self.core.database.begin().await?;
        account::set_administrator(&mut tx, id, true).await?;
        ctx.record(&mut tx, Event::about(Act::AdministratorMade, id)).await?;
        let aftermath = revocation::revoke(ctx, &mut tx, id, CredentialEvent::RightsChanged, None).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(())
    }

    /// Changes one's own profile.
    ///
    /// # Errors
    /// [`AccountError::TimeZone`]; nothing has changed then.
    pub async fn set_profile(&self, ctx: &Context, owner: &SignedIn, mut profile: Profile) -> Result<(), AccountError> {
        if let Some(typed) = profile.time_zone {
            profile.time_zone = Some(moment::zone(&typed).ok_or(AccountError::TimeZone(typed))?);
        }
        let id = owner.account();
        let mut tx = self.core.database.begin_for(id).await?;
        account::set_profile(&mut tx, id, &profile).await?;
        ctx.record(&mut tx, Event::about(Act::ProfileChanged, id)).await?;
        tx.announce(Notice::Account(id), ctx.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether people sign in with passwords here at all (the sign-in page asks).
    #[must_use]
    pub fn passwords_are_used(&self) -> bool {
        !matches!(self.core.policy.password_login, PasswordLogin::Nobody { .. })
    }
}
