//! Whose account it is that a source vouches for: gathers the facts, has `domain/resolve.rs` decide, carries the plan out.
//! One transaction, audited. Opening the session afterwards is `sign_in/`; adding and removing identities by hand is
//! `identity.rs`.

mod groups;
mod profile;

use super::access_news::AccessNews;
use super::context::Context;
use super::core::{Core, PasswordLogin, Trouble, fingerprint};
use super::outbox::{self, Order};
use super::revocation::Aftermath;
use crate::domain::account::{Account, AccountStatus, DisplayName, EmailAddress, Username, fold};
use crate::domain::audit::{Act, Actor, Event};
use crate::domain::face::Contrast;
use crate::domain::id::{AccountId, IdentityId};
use crate::domain::identity::{Identity, SourceRules, Vouched};
use crate::domain::language::Language;
use crate::domain::notice::Notice;
use crate::domain::resolve::{self, EmailHolder, Facts, Known, Newcomer, Plan, Refusal, Worth};
use crate::domain::trace;
use crate::store::account::{NewAccount, Profile};
use crate::store::token::{self, Purpose};
use crate::store::{StoreError, Tx, account, authenticator, identity, invitation, password};

/// Longest issuer and subject, in bytes: what an index takes. OpenID Connect allows 255 for a subject.
const MAX_NAME_BYTES: usize = 1024;

/// Somebody whose account is known.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The account, as it is now.
    pub account: Account,
    /// The identity that was used, or made.
    pub identity: IdentityId,
}

/// Why nobody was resolved.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// Something is in the way; the person is told.
    #[error(transparent)]
    Refused(Refusal),
    /// The account is known by its address alone: its owner is to be asked.
    #[error("the owner of the account with this address is to be asked")]
    Ask(AccountId),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for ResolveError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Refusal> for ResolveError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Finds or makes the account of somebody who is vouched for. `invitation` is the secret of the link that the browser
/// came with.
pub(super) async fn resolve(
    core: &Core,
    ctx: &Context,
    arrival: &Vouched,
    invitation: Option<&str>,
) -> Result<Resolved, ResolveError> {
    match attempt(core, ctx, arrival, invitation).await {
        // Somebody else did the same at this moment; what they wrote is a fact now.
        Err(ResolveError::Trouble(Trouble::Store(StoreError::Conflict(_)))) => {
            attempt(core, ctx, arrival, invitation).await
        }
        done => done,
    }
}

/// Brings an account up to date with what its source says between two sign-ins. Whom no identity knows is passed over.
pub(super) async fn follow(core: &Core, ctx: &Context, arrival: &Vouched) -> Result<(), ResolveError> {
    let Some(rules) = core.policy.sources.get(&arrival.source) else { return Ok(()) };
    let mut tx = core.database.begin().await?;
    let Some(known) = identity::by_subject(&mut tx, &arrival.source, &arrival.issuer, &arrival.subject).await? else {
        return Ok(());
    };
    let Some(owner) = account::by_id(&mut tx, known.account).await? else { return Ok(()) };
    let mut work = Work { core, ctx, arrival, rules, aftermath: None };
    work.refresh(&mut tx, owner, known.id).await?;
    let aftermath = work.aftermath.take();
    tx.commit().await?;
    if let Some(aftermath) = aftermath {
        aftermath.finish(core).await;
    }
    Ok(())
}

async fn attempt(
    core: &Core,
    ctx: &Context,
    arrival: &Vouched,
    invitation: Option<&str>,
) -> Result<Resolved, ResolveError> {
    if arrival.subject.is_empty() || arrival.subject.len().max(arrival.issuer.len()) > MAX_NAME_BYTES {
        return Err(Refusal::Unknown.into());
    }
    let rules = core.policy.sources.get(&arrival.source).ok_or(Refusal::SourceOff)?;
    let mut tx = core.database.begin().await?;
    let facts = facts(core, ctx, &mut tx, arrival, invitation).await?;
    let on_first = if invitation.is_some() { "with_invitation" } else { rules.on_first_sign_in.code() };
    ctx.note("facts", noted(&facts).code("on_first_sign_in", on_first));
    let plan = resolve::decide(&facts, &arrival.attributes, rules.on_first_sign_in);
    if let (Err(Refusal::EmailTaken), Some(holder)) =
        (&plan, facts.email.filter(|holder| holder.worth == Worth::Nothing))
    {
        tracing::warn!(source = arrival.source.key(), account = %holder.account, "an administrator's e-mail address links nobody");
    }
    let plan = plan?;
    let mut work = Work { core, ctx, arrival, rules, aftermath: None };
    ctx.note("decided", trace::Facts::new().code("plan", plan.code()));
    let made = matches!(plan, Plan::Create(_) | Plan::Accept(_));
    let known = match plan {
        Plan::Enter(known) => known,
        Plan::Ask(owner) => return Err(ResolveError::Ask(owner)),
        Plan::Link(owner) => {
            let known = work.link(&mut tx, owner, How::Email).await?;
            let news = AccessNews::identity_added(&arrival.source, &rules.name);
            outbox::order(core, ctx, &mut tx, Some(owner), &Order::Factor { news, at: ctx.now() }).await?;
            known
        }
        Plan::Accept(owner) => work.accept(&mut tx, owner, invitation).await?,
        Plan::Create(newcomer) => work.create(&mut tx, newcomer).await?,
    };
    let owner = account::by_id(&mut tx, known.account).await?.ok_or(Refusal::Unknown)?;
    if let (false, Some(refusal)) = (made, barrier(&owner, ctx)) {
        return Err(refusal.into());
    }
    identity::used(&mut tx, known.identity, ctx.now()).await?;
    let account = work.refresh(&mut tx, owner, known.identity).await?;
    let aftermath = work.aftermath.take();
    tx.commit().await?;
    if let Some(aftermath) = aftermath {
        aftermath.finish(core).await;
    }
    // An account that was made just now may wait for approval; it is kept.
    barrier(&account, ctx).map_or(Ok(Resolved { account, identity: known.identity }), |refusal| Err(refusal.into()))
}

fn noted(facts: &Facts) -> trace::Facts {
    let email = facts.email.as_ref().map_or("free", |holder| match holder {
        holder if holder.linked_here => "linked_to_another_identity",
        holder if holder.status == AccountStatus::Invited => "invited",
        holder if holder.worth == Worth::Nothing => "an_administrator_s",
        holder if holder.verified => "taken_and_verified",
        _ => "taken_and_not_verified",
    });
    let known = trace::Facts::new().flag("known", facts.known.is_some()).flag("username_taken", facts.username_taken);
    known.code("email", email)
}

/// What keeps an account's owner out, now that they have proved who they are.
fn barrier(account: &Account, ctx: &Context) -> Option<Refusal> {
    match account.status {
        _ if account.has_ended(ctx.now()) => Some(Refusal::Ended),
        AccountStatus::Active => None,
        AccountStatus::Locked => Some(Refusal::Locked),
        AccountStatus::Invited => Some(Refusal::InvitationOpen),
        AccountStatus::Registered => Some(Refusal::Waiting),
    }
}

async fn facts(
    core: &Core,
    ctx: &Context,
    tx: &mut Tx,
    arrival: &Vouched,
    invitation: Option<&str>,
) -> Result<Facts, ResolveError> {
    let known = identity::by_subject(tx, &arrival.source, &arrival.issuer, &arrival.subject).await?;
    let known = known.map(|one| Known { identity: one.id, account: one.account });
    let invited = match invitation {
        None => None,
        Some(secret) => {
            let hash = fingerprint(secret.as_bytes());
            let found = token::peek(tx, &hash, Purpose::Invitation, ctx.now()).await?.and_then(|token| token.account);
            match found {
                Some(account) => Some(account),
                // Whoever is known needs none.
                None if known.is_some() => None,
                None => return Err(Refusal::InvitationGone.into()),
            }
        }
    };
    let said = &arrival.attributes;
    let email = match said.email.as_deref().and_then(|text| EmailAddress::parse(text).ok()) {
        Some(email) => identity::holder_of_email(tx, &email, &arrival.source).await?,
        None => None,
    };
    let email = match email {
        Some(holder) if holder.worth == Worth::Question && !can_be_asked(core, tx, holder.account).await? => {
            Some(EmailHolder { worth: Worth::Account, ..holder })
        }
        other => other,
    };
    let username_taken = match resolve::username(said) {
        Some(username) => account::username_taken(tx, &username, None).await?,
        None => false,
    };
    Ok(Facts { known, invited, username_taken, email })
}

/// Whether anybody can be asked about an account: somebody enters it by now in a way that is in use.
async fn can_be_asked(core: &Core, tx: &mut Tx, id: AccountId) -> Result<bool, ResolveError> {
    let Some(owner) = account::by_id(tx, id).await? else { return Ok(true) };
    if authenticator::any(tx, id).await? {
        return Ok(true);
    }
    let identities = identity::of_account(tx, id).await?;
    if identities.iter().any(|one| core.policy.sources.contains_key(&one.source)) {
        return Ok(true);
    }
    let password_counts = match &core.policy.password_login {
        PasswordLogin::All | PasswordLogin::ExceptSso { .. } => true,
        PasswordLogin::Nobody { except } => except.contains(&fold(&owner.username)),
    };
    Ok(password_counts && password::of(tx, id).await?.is_some())
}

/// How an identity came to be linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// The account was made for it.
    Created,
    /// Both sides verified the same address, and nobody could be asked.
    Email,
    /// Its owner was invited, and could choose the names.
    Invitation,
    /// Its owner was invited, and whoever did had decided about names.
    InvitationWithNames,
}

impl How {
    /// Whether names and address of the account follow the identity from now on.
    const fn leads(self) -> bool {
        matches!(self, Self::Created | Self::Invitation)
    }
}

/// One resolution while it is carried out.
struct Work<'a> {
    core: &'a Core,
    ctx: &'a Context,
    arrival: &'a Vouched,
    rules: &'a SourceRules,
    aftermath: Option<Aftermath>,
}

impl Work<'_> {
    async fn link(&self, tx: &mut Tx, owner: AccountId, how: How) -> Result<Known, ResolveError> {
        let id = IdentityId::new(self.ctx.uuid());
        let new = Identity {
            id,
            account: owner,
            source: self.arrival.source.clone(),
            issuer: self.arrival.issuer.clone(),
            subject: self.arrival.subject.clone(),
            leads: how.leads(),
            created_at: self.ctx.now(),
            last_used_at: None,
        };
        identity::insert(tx, &new).await?;
        let detail = serde_json::json!({ "identity": id, "source": self.arrival.source, "how": how });
        self.acting(owner).record(tx, Event::about(Act::IdentityLinked, owner).with(detail)).await?;
        Ok(Known { identity: id, account: owner })
    }

    async fn create(&self, tx: &mut Tx, new: Newcomer) -> Result<Known, ResolveError> {
        let Newcomer { username, email, email_verified, name } = new;
        let id = AccountId::new(self.ctx.uuid());
        let status = if self.rules.approval { AccountStatus::Registered } else { AccountStatus::Active };
        let profile =
            Profile { name: name.clone(), language: self.language(), time_zone: None, contrast: Contrast::default() };
        let made = NewAccount { id, username, email, name, administrator: false, status, ends_at: None };
        account::insert(tx, &made, self.ctx.now()).await?;
        account::set_profile(tx, id, &profile).await?;
        account::set_email_as(tx, id, &made.email, email_verified).await?;
        let detail = serde_json::json!({ "source": self.arrival.source, "status": status.as_str() });
        self.acting(id).record(tx, Event::about(Act::AccountCreated, id).with(detail)).await?;
        if status == AccountStatus::Registered {
            for admin in account::administrators(tx).await?.iter().filter(|one| one.may_sign_in(self.ctx.now())) {
                let order = Order::RegistrationWaits { username: made.username.as_str().to_owned() };
                outbox::order(self.core, self.ctx, tx, Some(admin.id), &order).await?;
            }
        }
        self.link(tx, id, How::Created).await
    }

    /// Whoever was invited has come by way of a provider: no password is needed.
    async fn accept(&self, tx: &mut Tx, owner: AccountId, secret: Option<&str>) -> Result<Known, ResolveError> {
        let hash = fingerprint(secret.unwrap_or_default().as_bytes());
        // Of two who follow one link, one gets it.
        token::take(tx, &hash, Purpose::Invitation, self.ctx.now()).await?.ok_or(Refusal::InvitationGone)?;
        let waiting = account::by_id(tx, owner).await?.ok_or(Refusal::InvitationGone)?;
        let fixed = invitation::of(tx, owner).await?.ok_or(Refusal::InvitationGone)?;
        if waiting.status != AccountStatus::Invited || waiting.has_ended(self.ctx.now()) {
            return Err(Refusal::InvitationGone.into());
        }
        let said = &self.arrival.attributes;
        let mut username = resolve::username(said).filter(|_| !fixed.username);
        if let Some(wanted) = &username
            && account::username_taken(tx, wanted, Some(owner)).await?
        {
            username = None;
        }
        let username = username.or_else(|| Username::parse(&waiting.username).ok()).ok_or(Refusal::UsernameMissing)?;
        let named = said.name.as_deref().filter(|_| !fixed.name).and_then(|text| DisplayName::parse(text).ok());
        let name = named.or_else(|| DisplayName::parse(&waiting.name).ok()).ok_or(Refusal::UsernameMissing)?;
        account::welcome(tx, owner, &username, &name, AccountStatus::Active).await?;
        invitation::remove(tx, owner).await?;
        token::void(tx, owner, None).await?;
        let detail = serde_json::json!({ "source": self.arrival.source });
        self.acting(owner).record(tx, Event::about(Act::InvitationAccepted, owner).with(detail)).await?;
        tx.announce(Notice::Account(owner), self.ctx.now()).await?;
        let decided = fixed.username || fixed.name;
        self.link(tx, owner, if decided { How::InvitationWithNames } else { How::Invitation }).await
    }

    fn language(&self) -> Option<Language> {
        self.arrival.attributes.language.as_deref().and_then(Language::parse)
    }

    /// The circumstances with the account acting, whose owner has just proved who they are; or the clock.
    fn acting(&self, account: AccountId) -> Context {
        if self.ctx.actor == Actor::System {
            return self.ctx.clone();
        }
        self.ctx.clone().acting_as(Actor::Account(account))
    }
}
