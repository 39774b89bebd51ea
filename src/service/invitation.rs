//! Invitations: an account is made for somebody, a letter goes out, its owner accepts and chooses a password.

use super::account::AccountError;
use super::caller::Operator;
use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::group::GroupError;
use super::limiter::{Target, Try};
use super::outbox::{self, Order};
use super::password::{ChangeError, Passwords};
use crate::domain::account::{Account, AccountStatus, DisplayName, EmailAddress, Username};
use crate::domain::audit::{Act, Actor, Event};
use crate::domain::face::Contrast;
use crate::domain::id::AccountId;
use crate::domain::language::Language;
use crate::domain::notice::Notice;
use crate::domain::password::PlainPassword;
use crate::domain::time::Timestamp;
use crate::store::account::{NewAccount, Profile, Taken};
use crate::store::invitation::{self, Fixed};
use crate::store::token::{self, Purpose};
use crate::store::{Link, StoreError, Tx, account, group};
use std::sync::Arc;
use std::time::Duration;

/// Usernames tried before one with random letters is made up.
const NUMBERED: u32 = 20;

/// Invitations over a core.
#[derive(Clone)]
pub struct Invitations {
    core: Arc<Core>,
    passwords: Passwords,
}

/// Whom to invite, and what is decided for them.
#[derive(Clone, Debug)]
pub struct Invitee {
    /// Where the letter goes; the account's address.
    pub email: EmailAddress,
    /// The username; without it the person chooses one.
    pub username: Option<Username>,
    /// The name others see; without it the person chooses one.
    pub name: Option<DisplayName>,
    /// The language of the letter.
    pub language: Option<Language>,
    /// Groups that the account belongs to from the start.
    pub groups: Vec<String>,
    /// Whether it administers this service.
    pub administrator: bool,
    /// When the account ends by itself, as a guest's does.
    pub ends_at: Option<Timestamp>,
}

/// What the page for accepting shows.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The username, or a suggestion.
    pub username: String,
    /// The name; empty when there is none yet.
    pub name: String,
    /// The address that the letter went to.
    pub email: String,
    /// What of it stays as it is.
    pub fixed: Fixed,
    /// The last moment of the account; `None` is for ever.
    pub ends: Option<Timestamp>,
}

/// What the person chose; where it is fixed, nothing of it counts.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The name to sign in with.
    pub username: Option<Username>,
    /// The name others see.
    pub name: Option<DisplayName>,
}

/// Why nobody was invited, or nothing accepted.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// The link was used, is too old (then a new letter is on its way), or was never ours.
    #[error("this link is no longer good")]
    Link,
    /// Too many links from this address.
    #[error("too many tries; try again in {} s", .retry_after.as_secs())]
    TooManyTries {
        /// When to try again.
        retry_after: Duration,
    },
    /// Another account has the username, or one that looks the same; the link stays good.
    #[error("another account has this username, or one that looks the same")]
    UsernameTaken,
    /// The account's time would be over before it begins.
    #[error("the end lies in the past")]
    Past,
    /// The account does not wait for its owner.
    #[error("{0} was not invited, or has accepted already")]
    NotInvited(String),
    /// The account cannot be made like this.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// No such group.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The password breaks rules; the link stays good.
    #[error(transparent)]
    Password(#[from] ChangeError),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for InvitationError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Invitations {
    /// Invitations over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { passwords: Passwords::new(Arc::clone(&core)), core }
    }

    /// Makes an account that waits for its owner, and orders the letter. Returns its username.
    ///
    /// # Errors
    /// [`InvitationError::Account`] when a name is taken, [`InvitationError::Group`], [`InvitationError::Past`];
    /// nothing has been made then.
    pub async fn invite(&self, ctx: &Context, _by: Operator, new: Invitee) -> Result<String, InvitationError> {
        if new.ends_at.is_some_and(|end| ctx.now() >= end) {
            return Err(InvitationError::Past);
        }
        let Invitee { email, username, name, language, groups, administrator, ends_at } = new;
        let fixed = Fixed { username: username.is_some(), name: name.is_some() };
        let mut tx = self.core.database.begin().await?;
        let username = match username {
            Some(username) => username,
            None => free_username(ctx, &mut tx, &email).await?,
        };
        let mut taken = account::taken(&mut tx, &username, &email).await?;
        taken.username &= fixed.username;
        if taken != Taken::default() {
            return Err(AccountError::Taken(taken).into());
        }
        let id = AccountId::new(ctx.uuid());
        // Shown to nobody before the person has chosen: a placeholder that is a possible name.
        let name = name.or_else(|| DisplayName::parse(username.as_str()).ok()).ok_or(InvitationError::Link)?;
        let (shown, profile) = (
            username.as_str().to_owned(),
            Profile { name: name.clone(), language, time_zone: None, contrast: Contrast::default() },
        );
        let status = AccountStatus::Invited;
        let made = NewAccount { id, username, email, name, administrator, status, ends_at };
        account::insert(&mut tx, &made, ctx.now()).await?;
        account::set_profile(&mut tx, id, &profile).await?;
        invitation::insert(&mut tx, id, fixed, ctx.now()).await?;
        let detail = serde_json::json!({ "administrator": administrator, "ends_at": ends_at.map(Timestamp::millis) });
        ctx.record(&mut tx, Event::about(Act::AccountInvited, id).with(detail)).await?;
        join(ctx, &mut tx, id, &groups).await?;
        outbox::order(&self.core, ctx, &mut tx, Some(id), &Order::Invitation).await?;
        tx.commit().await?;
        Ok(shown)
    }

    /// Orders another letter for somebody who has not accepted. The link before it stops working when it is sent.
    ///
    /// # Errors
    /// [`InvitationError::NotInvited`].
    pub async fn repeat(&self, ctx: &Context, _by: Operator, to: &Account) -> Result<(), InvitationError> {
        let mut tx = self.core.database.begin().await?;
        let now = account::by_id(&mut tx, to.id).await?;
        if !now.is_some_and(|now| waits(&now, ctx.now())) {
            return Err(InvitationError::NotInvited(to.username.clone()));
        }
        self.order_again(ctx, &mut tx, to.id).await?;
        Ok(tx.commit().await?)
    }

    /// What a link is good for; it stays good. One that is too old is spent for a new letter, once.
    ///
    /// # Errors
    /// [`InvitationError::Link`], the same whatever is the matter with it; [`InvitationError::TooManyTries`].
    pub async fn look(&self, ctx: &Context, secret: &str) -> Result<Offer, InvitationError> {
        let ticket = match self.core.limiter.ask(Target::Token, &ctx.origin, ctx.now()).await.map_err(Trouble::from)? {
            Try::Granted(ticket) => ticket,
            Try::Refused { retry_after, .. } => return Err(InvitationError::TooManyTries { retry_after }),
        };
        let offer = self.offer(ctx, secret).await?;
        self.core.limiter.give_back(ticket).await.map_err(Trouble::from)?;
        Ok(offer)
    }

    async fn offer(&self, ctx: &Context, secret: &str) -> Result<Offer, InvitationError> {
        let hash = fingerprint(secret.as_bytes());
        let mut link = self.core.database.read().await?;
        let found = token::known(&mut link, &hash, Purpose::Invitation).await?.ok_or(InvitationError::Link)?;
        let (owner, fixed) = owner_of(&mut link, found.account, ctx.now()).await?;
        drop(link);
        if ctx.now() < found.expires_at {
            let ends = owner.last_moment();
            let name = if fixed.name { owner.name } else { String::new() };
            return Ok(Offer { username: owner.username, name, email: owner.email, fixed, ends });
        }
        let mut tx = self.core.database.begin().await?;
        if token::discard(&mut tx, &hash, Purpose::Invitation).await? {
            self.order_again(ctx, &mut tx, owner.id).await?;
            tx.commit().await?;
        }
        Err(InvitationError::Link)
    }

    /// Accepts: the account is its owner's, with this password. Every other link of the account is void.
    ///
    /// # Errors
    /// [`InvitationError::Link`], [`InvitationError::UsernameTaken`], [`InvitationError::Password`]; nothing has
    /// changed then.
    pub async fn accept(
        &self,
        ctx: &Context,
        secret: &str,
        choice: Choice,
        password: &PlainPassword,
    ) -> Result<(), InvitationError> {
        let offer = self.look(ctx, secret).await?;
        let hash = fingerprint(secret.as_bytes());
        let chosen = |given: Option<String>, stored: String, fixed: bool| given.filter(|_| !fixed).unwrap_or(stored);
        let username = chosen(choice.username.map(|one| one.as_str().to_owned()), offer.username, offer.fixed.username);
        let name = chosen(choice.name.map(|one| one.as_str().to_owned()), offer.name, offer.fixed.name);
        let username = Username::parse(&username).map_err(|_| InvitationError::UsernameTaken)?;
        let name = DisplayName::parse(if name.is_empty() { username.as_str() } else { &name });
        let name = name.map_err(|_| InvitationError::UsernameTaken)?;
        let ready =
            self.passwords.prepare_first(ctx, &[username.as_str(), name.as_str(), &offer.email], password).await?;
        let mut tx = self.core.database.begin().await?;
        // Of two who follow one link, one gets it.
        let taken = token::take(&mut tx, &hash, Purpose::Invitation, ctx.now()).await?.ok_or(InvitationError::Link)?;
        let (owner, _) = owner_of(&mut tx, taken.account, ctx.now()).await?;
        if account::username_taken(&mut tx, &username, Some(owner.id)).await? {
            return Err(InvitationError::UsernameTaken);
        }
        account::welcome(&mut tx, owner.id, &username, &name, AccountStatus::Active).await?;
        invitation::remove(&mut tx, owner.id).await?;
        token::void(&mut tx, owner.id, None).await?;
        let acting = ctx.clone().acting_as(Actor::Account(owner.id));
        self.passwords.write_first(&acting, &mut tx, owner.id, ready).await?;
        acting.record(&mut tx, Event::about(Act::InvitationAccepted, owner.id)).await?;
        tx.announce(Notice::Account(owner.id), ctx.now()).await?;
        tx.commit().await?;
        self.core.limiter.forget(owner.id, &[]).await.map_err(Trouble::from)?;
        Ok(())
    }

    async fn order_again(&self, ctx: &Context, tx: &mut Tx, id: AccountId) -> Result<(), Trouble> {
        outbox::order(&self.core, ctx, tx, Some(id), &Order::Invitation).await?;
        Ok(ctx.record(tx, Event::about(Act::InvitationRepeated, id)).await?)
    }
}

/// The account behind a link, while it waits for its owner.
async fn owner_of(link: &mut Link, id: Option<AccountId>, now: Timestamp) -> Result<(Account, Fixed), InvitationError> {
    let id = id.ok_or(InvitationError::Link)?;
    let owner = account::by_id(link, id).await?.filter(|one| waits(one, now)).ok_or(InvitationError::Link)?;
    let fixed = invitation::of(link, id).await?.ok_or(InvitationError::Link)?;
    Ok((owner, fixed))
}

fn waits(account: &Account, now: Timestamp) -> bool {
    account.status == AccountStatus::Invited && !account.has_ended(now)
}

async fn join(ctx: &Context, tx: &mut Tx, id: AccountId, groups: &[String]) -> Result<(), InvitationError> {
    for name in groups {
        let group = group::by_name(tx, name).await?.ok_or_else(|| GroupError::Unknown(name.clone()))?;
        if group::add(tx, group, id, ctx.now()).await? {
            let detail = serde_json::json!({ "group": group });
            ctx.record(tx, Event::about(Act::MemberAdded, id).with(detail)).await?;
        }
    }
    Ok(())
}

/// A username that nobody has, made of the address: what is before the `@`, with a number where needed.
async fn free_username(ctx: &Context, tx: &mut Tx, email: &EmailAddress) -> Result<Username, InvitationError> {
    let local = email.as_str().rsplit_once('@').map_or("", |(local, _)| local);
    let plain: String = local.chars().filter(|c| c.is_alphanumeric() || "_-.+".contains(*c)).collect();
    let stem = if Username::parse(&plain).is_ok() { plain.as_str() } else { "guest" };
    let numbered = (2..NUMBERED).map(|number| format!("{stem}-{number}"));
    let random = format!("{stem}-{}", ctx.uuid().simple());
    for text in std::iter::once(stem.to_owned()).chain(numbered).chain([random]) {
        let Ok(username) = Username::parse(&text) else { continue };
        if !account::username_taken(tx, &username, None).await? {
            return Ok(username);
        }
    }
    Err(AccountError::Taken(Taken { username: true, email: false }).into())
}
