//! Carries a plan out: accounts here, groups in `apply_groups.rs`; many in a transaction, each a part of it that can fail
//! alone. What fails is told and left; the rest goes on. Nothing is written where nothing changed.

use super::Connected;
use crate::domain::account::AccountStatus;
use crate::domain::audit::{Act, Event};
use crate::domain::directory::Custom;
use crate::domain::directory::plan::{Create, GroupPlan, Named, Plan, Update};
use crate::domain::directory::snapshot::Hold;
use crate::domain::id::{AccountId, IdentityId};
use crate::domain::identity::Source;
use crate::domain::notice::Notice;
use crate::domain::session::CredentialEvent;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble};
use crate::service::lease::Leases;
use crate::service::revocation;
use crate::store::account::Profile;
use crate::store::directory::Newcomer;
use crate::store::token::{self, Purpose};
use crate::store::{StoreError, Tx, account, directory, directory_attribute};

/// Accounts that one transaction makes, which others wait for some tenths of a second.
const AT_ONCE: usize = 10_000;
/// Accounts that share a transaction while they are changed: each commit waits for the disk.
const TOGETHER: usize = 200;
/// Groups that do: their members are written in the order of the accounts, so the fewer times the better.
const GROUPS_TOGETHER: usize = 1000;
/// With more changes than this, other processes forget all accounts instead of one after the other.
pub(super) const MANY: usize = 50;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Accounts made.
    pub created: usize,
    /// Accounts whose names or address changed.
    pub updated: usize,
    /// Accounts locked.
    pub locked: usize,
    /// Accounts unlocked.
    pub unlocked: usize,
    /// Groups made.
    pub groups_created: usize,
    /// Memberships that began.
    pub added: usize,
    /// Memberships that ended.
    pub removed: usize,
    /// What could not be done, in words.
    pub failures: Vec<String>,
}

/// The lease that what is written counts under.
pub(super) struct Turn {
    /// The leases of this process.
    pub(super) leases: Leases,
    /// The job's name.
    pub(super) job: String,
}

/// The work of one run.
pub(super) struct Work<'a> {
    pub(super) core: &'a Core,
    pub(super) ctx: &'a Context,
    pub(super) source: Source,
    pub(super) done: Done,
    turn: Option<&'a Turn>,
    retain: bool,
    /// By place in the plan, the accounts that were made.
    pub(super) made: Vec<Option<AccountId>>,
}

impl<'a> Work<'a> {
    /// Nothing done yet. Without a turn it is not a synchronisation of everything, and others may be at one.
    pub(super) fn new(core: &'a Core, ctx: &'a Context, connected: &Connected, turn: Option<&'a Turn>) -> Self {
        let (source, retain) = (connected.source(), connected.policy.retain);
        Self { core, ctx, source, done: Done::default(), turn, retain, made: Vec::new() }
    }
}

/// Carries a plan out.
pub(super) async fn apply(core: &Core, ctx: &Context, connected: &Connected, (plan, turn): (&Plan, &Turn)) -> Done {
    let mut work = Work::new(core, ctx, connected, Some(turn));
    for some in plan.creates.chunks(AT_ONCE) {
        work.create(some).await;
        core.database.tidy_beside();
    }
    for some in plan.updates.chunks(TOGETHER) {
        if let Err(error) = work.updates(some).await {
            work.failed(&format!("updating {} accounts together", some.len()), &error);
        }
    }
    for (account, why) in plan.locks.accounts.iter().filter(|_| plan.locks.verdict.passes()) {
        let done = work.lock(account, *why).await;
        work.count(done, |done| &mut done.locked, || format!("locking {}", account.username));
    }
    for account in &plan.unlocks {
        let done = work.unlock(account).await;
        work.count(done, |done| &mut done.unlocked, || format!("unlocking {}", account.username));
    }
    let groups: Vec<&GroupPlan> = plan.groups.iter().filter(|group| !group.is_idle()).collect();
    for some in groups.chunks(GROUPS_TOGETHER) {
        if let Err(error) = work.groups(some).await {
            work.failed(&format!("{} groups together", some.len()), &error);
        }
    }
    work.done
}

impl Work<'_> {
    /// A transaction, if the synchronisation is still this node's.
    pub(super) async fn begin(&self) -> Result<Tx, StoreError> {
        let mut tx = self.core.database.begin().await?;
        let Some(Turn { leases, job }) = self.turn else { return Ok(tx) };
        match leases.confirm(self.ctx, &mut tx, job).await {
            Ok(true) => Ok(tx),
            Ok(false) => Err(StoreError::Unavailable("another node has taken the synchronisation over".to_owned())),
            Err(Trouble::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Unavailable(other.to_string())),
        }
    }

    pub(super) fn failed(&mut self, what: &str, error: &dyn std::fmt::Display) {
        self.done.failures.push(format!("{what} failed: {error}"));
    }

    fn count(
        &mut self,
        done: Result<bool, Trouble>,
        counter: impl Fn(&mut Done) -> &mut usize,
        what: impl Fn() -> String,
    ) {
        match done {
            Ok(changed) => *counter(&mut self.done) += usize::from(changed),
            Err(error) => self.failed(&what(), &error),
        }
    }

    /// Makes accounts together. When one of them is in somebody's way, each half by itself: what was in the way is told, and
    /// the others are made.
    async fn create(&mut self, some: &[Create]) {
        let mut open = vec![some];
        while let Some(some) = open.pop() {
            match self.create_together(some).await {
                Ok(made) => {
                    self.done.created += made.len();
                    self.made.extend(made.into_iter().map(Some));
                }
                Err(StoreError::Conflict(_)) if some.len() > 1 => {
                    let (first, second) = some.split_at(some.len() / 2);
                    open.extend([second, first]);
                }
                Err(error) => {
                    let what = match some {
                        [one] => format!("making the account {}", one.username),
                        several => format!("making {} accounts", several.len()),
                    };
                    self.failed(&what, &error);
                    self.made.extend(some.iter().map(|_| None));
                }
            }
        }
    }

    async fn create_together(&self, some: &[Create]) -> Result<Vec<AccountId>, StoreError> {
        let ids = self.ctx.uuids(some.len()).into_iter().zip(self.ctx.uuids(some.len()));
        let newcomer =
            |(create, (id, identity))| Newcomer { id: AccountId::new(id), identity: IdentityId::new(identity), create };
        let new: Vec<Newcomer<'_>> = some.iter().zip(ids).map(newcomer).collect();
        let event = |one: &Newcomer<'_>| {
            // One event for both: the identity is what the account was made for.
            let (source, status) = (&self.source, AccountStatus::Active.as_str());
            let detail = serde_json::json!({ "source": source, "status": status, "identity": one.identity });
            Event::about(Act::AccountCreated, one.id).with(detail)
        };
        let custom: Vec<(AccountId, &Custom)> = new.iter().map(|one| (one.id, &one.create.custom)).collect();
        let mut tx = self.begin().await?;
        directory::insert_accounts(&mut tx, &self.source, &new, self.ctx.now()).await?;
        directory_attribute::insert(&mut tx, &self.source, &custom).await?;
        self.ctx.record_all(&mut tx, new.iter().map(event)).await?;
        tx.commit().await?;
        Ok(new.iter().map(|one| one.id).collect())
    }

    /// Several accounts, each a part that can fail alone.
    async fn updates(&mut self, some: &[Update]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mut updated = 0;
        for update in some {
            tx.begin_part().await?;
            let ran = self.update(&mut tx, update, some.len() <= MANY).await;
            tx.end_part(ran.is_ok()).await?;
            match ran {
                Ok(changed) => updated += usize::from(changed),
                Err(error) => self.failed(&format!("updating {}", update.account.username), &error),
            }
        }
        if some.len() > MANY {
            tx.announce(Notice::Accounts, self.ctx.now()).await?;
        }
        tx.commit().await?;
        self.done.updated += updated;
        Ok(())
    }

    async fn update(&self, tx: &mut Tx, update: &Update, announced: bool) -> Result<bool, StoreError> {
        let id = update.account.id;
        let Some(before) = account::by_id(tx, id).await? else { return Ok(false) };
        let mut changed = Vec::new();
        if let Some(username) = &update.username {
            account::set_username(tx, id, username).await?;
            changed.push("username");
        }
        if let Some(email) = &update.email {
            account::set_email_as(tx, id, email, true).await?;
            // Links in letters to the old address must not outlive it.
            for purpose in [Purpose::Recovery, Purpose::Email] {
                token::void(tx, id, Some(purpose)).await?;
            }
            changed.push("email");
        }
        if let Some(name) = &update.name {
            let profile = Profile {
                name: name.clone(),
                language: before.language,
                time_zone: before.time_zone,
                contrast: before.contrast,
            };
            account::set_profile(tx, id, &profile).await?;
            changed.push("name");
        }
        if let Some(custom) = &update.custom {
            directory_attribute::clear(tx, &self.source, id).await?;
            directory_attribute::insert(tx, &self.source, &[(id, custom)]).await?;
            changed.push("attributes");
        }
        let detail = serde_json::json!({ "source": self.source, "changed": changed });
        self.ctx.record(tx, Event::about(Act::IdentityRefreshed, id).with(detail)).await?;
        if announced {
            tx.announce(Notice::Account(id), self.ctx.now()).await?;
        }
        Ok(true)
    }

    async fn lock(&self, account: &Named, why: Hold) -> Result<bool, Trouble> {
        let (id, now) = (account.id, self.ctx.now());
        let mut tx = self.begin().await?;
        let Some(found) = account::by_id(&mut tx, id).await?.filter(|one| one.status == AccountStatus::Active) else {
            return Ok(false);
        };
        if found.administrator {
            let others = account::administrators(&mut tx).await?;
            if !others.iter().any(|one| one.id != id && one.may_sign_in(now)) {
                tracing::warn!(account = %id, source = %self.source, "the last administrator is not locked");
                return Ok(false);
            }
        }
        account::set_status(&mut tx, id, AccountStatus::Locked).await?;
        directory::hold(&mut tx, &self.source, id, (why, self.retain && why == Hold::Gone), now).await?;
        let detail = serde_json::json!({ "source": self.source, "reason": why.as_str() });
        self.ctx.record(&mut tx, Event::about(Act::AccountLocked, id).with(detail)).await?;
        let aftermath = revocation::revoke(self.ctx, &mut tx, id, CredentialEvent::Locked, None).await?;
        tx.commit().await?;
        aftermath.finish(self.core).await;
        Ok(true)
    }

    /// Only if the lock is still the synchronisation's own: an administrator may have decided since.
    async fn unlock(&self, account: &Named) -> Result<bool, Trouble> {
        let id = account.id;
        let mut tx = self.begin().await?;
        let ours = directory::release(&mut tx, id).await?;
        let locked = account::by_id(&mut tx, id).await?.is_some_and(|one| one.status == AccountStatus::Locked);
        if !ours || !locked {
            return Ok(false);
        }
        account::set_status(&mut tx, id, AccountStatus::Active).await?;
        let detail = serde_json::json!({ "source": self.source });
        self.ctx.record(&mut tx, Event::about(Act::AccountUnlocked, id).with(detail)).await?;
        tx.announce(Notice::Account(id), self.ctx.now()).await?;
        tx.commit().await?;
        Ok(true)
    }
}
