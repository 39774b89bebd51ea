//! Registering oneself: an address is given, a letter goes there, its reader chooses names and a password. There is no
//! account before that, so nobody can fill the database with other people's addresses or learn who has one here.
//!
//! With `automatic` the account is first, and has no address until its owner answers the letter that goes there.

use super::account::AccountError;
use super::caller::Operator;
use super::context::Context;
use super::core::{Core, SelfRegistration, Trouble, fingerprint};
use super::limiter::{Target, Try};
use super::outbox::{self, Order};
use super::password::{ChangeError, Passwords};
use crate::domain::account::{Account, AccountStatus, DisplayName, EmailAddress, LoginName, Username};
use crate::domain::audit::{Act, Actor, Event};
use crate::domain::id::AccountId;
use crate::domain::notice::Notice;
use crate::domain::password::PlainPassword;
use crate::domain::throttle::Scope;
use crate::store::account::{NewAccount, Profile, Taken};
use crate::store::token::{self, Purpose};
use crate::store::{StoreError, account};
use std::sync::Arc;
use std::time::Duration;

/// Registration over a core.
#[derive(Clone)]
pub struct Registration {
    core: Arc<Core>,
    passwords: Passwords,
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Switched off by the operator.
    #[error("nobody can register here")]
    Off,
    /// The address is of a domain that the operator did not allow.
    #[error("addresses of this domain cannot be registered")]
    Domain,
    /// The link was used, is too old, was never ours, or the address belongs to an account meanwhile.
    #[error("this link is no longer good")]
    Link,
    /// Too many letters or links from this client.
    #[error("too many tries; try again in {} s", .retry_after.as_secs())]
    TooManyTries {
        /// When to try again.
        retry_after: Duration,
    },
    /// Another account has the username, or one that looks the same; the link stays good.
    #[error("another account has this username, or one that looks the same")]
    UsernameTaken,
    /// The username looks like an address. Refused where names are chosen before an address is confirmed: whether it is
    /// free would tell whose account has that address.
    #[error("a username must not look like an address here")]
    AddressAsUsername,
    /// The account does not wait for an administrator.
    #[error("{0} does not wait to be approved")]
    NotWaiting(String),
    /// The password breaks rules; the link stays good.
    #[error(transparent)]
    Password(#[from] ChangeError),
    /// No such account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Registration {
    /// Registration over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { passwords: Passwords::new(Arc::clone(&core)), core }
    }

    /// Whether anybody can register at all (the sign-in page asks).
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.core.policy.registration.mode != SelfRegistration::Off
    }

    /// Whether names and password are asked for together with the address (the page asks).
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        self.core.policy.registration.mode == SelfRegistration::Automatic
    }

    /// Asks for a letter to this address. The answer and the work are the same whoever has it: accounts are looked at
    /// when the letter is written.
    ///
    /// # Errors
    /// [`RegistrationError::Off`], [`RegistrationError::Domain`]; [`RegistrationError::TooManyTries`] for a client that
    /// asked too often. An address that was asked for too often gets no further letter, and nobody is told.
    pub async fn request(&self, ctx: &Context, email: &EmailAddress) -> Result<(), RegistrationError> {
        if !self.is_open() || self.is_automatic() {
            return Err(RegistrationError::Off);
        }
        if !self.core.policy.registration.allows(email) {
            return Err(RegistrationError::Domain);
        }
        if self.charge_letter(ctx, email.as_str()).await?.is_some() {
            return Ok(());
        }
        let mut tx = self.core.database.begin().await?;
        let order = Order::Registration { address: email.as_str().to_owned(), language: ctx.language.tag().to_owned() };
        outbox::order(&self.core, ctx, &mut tx, None, &order).await?;
        Ok(tx.commit().await?)
    }

    /// The address that a link confirms; the link stays good.
    ///
    /// # Errors
    /// [`RegistrationError::Link`], the same whatever is the matter with it; [`RegistrationError::TooManyTries`].
    pub async fn look(&self, ctx: &Context, secret: &str) -> Result<EmailAddress, RegistrationError> {
        let ticket = match self.core.limiter.ask(Target::Token, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => return Err(RegistrationError::TooManyTries { retry_after }),
        };
        let mut link = self.core.database.read().await?;
        let found = token::peek(&mut link, &fingerprint(secret.as_bytes()), Purpose::Registration, ctx.now()).await?;
        let open = self.is_open() && !self.is_automatic();
        let found = found.filter(|_| open).ok_or(RegistrationError::Link)?;
        let email = outbox::confirmed_address(&self.core, &found)?.ok_or(RegistrationError::Link)?;
        let free = !account::email_taken(&mut link, &email).await?;
        self.core.limiter.give_back(ticket).await.map_err(Trouble::from)?;
        if free { Ok(email) } else { Err(RegistrationError::Link) }
    }

    /// Makes the account of whoever holds the link: active, or waiting for an administrator, as the operator decided.
    ///
    /// # Errors
    /// [`RegistrationError::Link`], [`RegistrationError::UsernameTaken`], [`RegistrationError::Password`]; nothing has
    /// been made then.
    pub async fn complete(
        &self,
        ctx: &Context,
        secret: &str,
        (username, name): (Username, DisplayName),
        password: &PlainPassword,
    ) -> Result<AccountStatus, RegistrationError> {
        let email = self.look(ctx, secret).await?;
        let names = [username.as_str(), name.as_str(), email.as_str()];
        let ready = self.passwords.prepare_first(ctx, &names, password).await?;
        let status = match self.core.policy.registration.mode {
            SelfRegistration::Off | SelfRegistration::Automatic => return Err(RegistrationError::Link),
            SelfRegistration::Mail => AccountStatus::Active,
            SelfRegistration::Manual => AccountStatus::Registered,
        };
        let mut tx = self.core.database.begin().await?;
        let hash = fingerprint(secret.as_bytes());
        // Of two who follow one link, one gets it.
        token::take(&mut tx, &hash, Purpose::Registration, ctx.now()).await?.ok_or(RegistrationError::Link)?;
        match account::taken(&mut tx, &username, &email).await? {
            Taken { email: true, .. } => return Err(RegistrationError::Link),
            Taken { username: true, .. } => return Err(RegistrationError::UsernameTaken),
            Taken { .. } => {}
        }
        let id = AccountId::new(ctx.uuid());
        let profile = Profile { name: name.clone(), language: Some(ctx.language), time_zone: None };
        let new = NewAccount { id, username, email, name, administrator: false, status, ends_at: None };
        account::insert(&mut tx, &new, ctx.now()).await?;
        account::set_profile(&mut tx, id, &profile).await?;
        let acting = ctx.clone().acting_as(Actor::Account(id));
        let detail = serde_json::json!({ "status": status.as_str() });
        acting.record(&mut tx, Event::about(Act::AccountRegistered, id).with(detail)).await?;
        self.passwords.write_first(&acting, &mut tx, id, ready).await?;
        if status == AccountStatus::Registered {
            for admin in account::administrators(&mut tx).await?.iter().filter(|one| one.may_sign_in(ctx.now())) {
                let order = Order::RegistrationWaits { username: new.username.as_str().to_owned() };
                outbox::order(&self.core, ctx, &mut tx, Some(admin.id), &order).await?;
            }
        }
        tx.commit().await?;
        Ok(status)
    }

    /// Makes an account at once, without an address: the one that is given becomes its address when the letter that goes
    /// there is answered. It is not looked at before that letter is written, so that answer and work are the same
    /// whoever has it.
    ///
    /// # Errors
    /// [`RegistrationError::Off`], [`RegistrationError::AddressAsUsername`], [`RegistrationError::UsernameTaken`],
    /// [`RegistrationError::Password`], [`RegistrationError::TooManyTries`] for a client that tried or registered too
    /// often; nothing has been made then. An address that was asked for too often gets no further letter, and nobody is
    /// told.
    pub async fn at_once(
        &self,
        ctx: &Context,
        (username, name): (Username, DisplayName),
        email: &EmailAddress,
        password: &PlainPassword,
    ) -> Result<(), RegistrationError> {
        if !self.is_automatic() {
            return Err(RegistrationError::Off);
        }
        if username.as_str().contains('@') {
            return Err(RegistrationError::AddressAsUsername);
        }
        // Usernames can be tried out here, and each try hashes a password.
        let ticket = match self.core.limiter.ask(Target::Token, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => return Err(RegistrationError::TooManyTries { retry_after }),
        };
        let names = [username.as_str(), name.as_str(), email.as_str()];
        let ready = self.passwords.prepare_first(ctx, &names, password).await?;
        let taken = {
            let mut link = self.core.database.read().await?;
            account::username_taken(&mut link, &username, None).await?
        };
        if taken {
            return Err(RegistrationError::UsernameTaken);
        }
        // An account without a letter counts too, under the new name: else one full mailbox would buy any number of them.
        let writes = self.charge_letter(ctx, email.as_str()).await?.is_none();
        if !writes && let Some(retry_after) = self.charge_letter(ctx, username.as_str()).await? {
            return Err(RegistrationError::TooManyTries { retry_after });
        }
        let id = AccountId::new(ctx.uuid());
        let mut tx = self.core.database.begin().await?;
        match account::insert_without_address(&mut tx, id, &username, &name, ctx.now()).await {
            // Somebody was faster since we looked.
            Err(StoreError::Conflict(_)) => return Err(RegistrationError::UsernameTaken),
            done => done?,
        }
        let profile = Profile { name, language: Some(ctx.language), time_zone: None };
        account::set_profile(&mut tx, id, &profile).await?;
        let acting = ctx.clone().acting_as(Actor::Account(id));
        let detail = serde_json::json!({ "status": AccountStatus::Active.as_str(), "address": "unconfirmed" });
        acting.record(&mut tx, Event::about(Act::AccountRegistered, id).with(detail)).await?;
        self.passwords.write_first(&acting, &mut tx, id, ready).await?;
        if writes {
            let order = Order::ConfirmEmail { address: email.as_str().to_owned() };
            outbox::order(&self.core, ctx, &mut tx, Some(id), &order).await?;
        }
        tx.commit().await?;
        Ok(self.core.limiter.give_back(ticket).await.map_err(Trouble::from)?)
    }

    /// Charges the client with a letter. When whoever it is for has had enough of them nothing is charged; then it says
    /// how long that lasts.
    async fn charge_letter(&self, ctx: &Context, to: &str) -> Result<Option<Duration>, RegistrationError> {
        let asked = LoginName::of(to);
        match self.core.limiter.ask_recovery(&asked, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            // Each letter counts; nothing is given back.
            Try::Granted(_) => Ok(None),
            Try::Refused { scope: Scope::RecoveryAccount, retry_after } => Ok(Some(retry_after)),
            Try::Refused { retry_after, .. } => Err(RegistrationError::TooManyTries { retry_after }),
        }
    }

    /// Lets somebody in who registered and waits. They are told by letter.
    ///
    /// # Errors
    /// [`RegistrationError::NotWaiting`].
    pub async fn approve(&self, ctx: &Context, _by: Operator, who: &Account) -> Result<(), RegistrationError> {
        let mut tx = self.core.database.begin().await?;
        let now = account::by_id(&mut tx, who.id).await?;
        if now.is_none_or(|now| now.status != AccountStatus::Registered) {
            return Err(RegistrationError::NotWaiting(who.username.clone()));
        }
        account::set_status(&mut tx, who.id, AccountStatus::Active).await?;
        ctx.record(&mut tx, Event::about(Act::AccountApproved, who.id)).await?;
        outbox::order(&self.core, ctx, &mut tx, Some(who.id), &Order::Approved).await?;
        tx.announce(Notice::Account(who.id), ctx.now()).await?;
        Ok(tx.commit().await?)
    }
}
