//! Carries a plan out: accounts in small transactions, groups in transactions of which each group is a part that can fail
//! alone. What fails is told and left; the rest goes on. Nothing is written where nothing changed.

use super::Connected;
use crate::domain::account::AccountStatus;
use crate::domain::audit::{Act, Event};
use crate::domain::directory::Subject;
use crate::domain::directory::plan::{Create, GroupPlan, Member, Named, Plan, Target, Update};
use crate::domain::directory::snapshot::Hold;
use crate::domain::id::{AccountId, GroupId, IdentityId};
use crate::domain::identity::{Identity, Source};
use crate::domain::notice::Notice;
use crate::domain::session::CredentialEvent;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble};
use crate::service::revocation;
use crate::store::account::{NewAccount, Profile};
use crate::store::database::ROWS;
use crate::store::token::{self, Purpose};
use crate::store::{StoreError, Tx, account, directory, group};
use std::collections::HashMap;

/// Accounts that one transaction makes.
const AT_ONCE: usize = ROWS * 16;
/// Groups that share a transaction: each commit waits for the disk.
const GROUPS: usize = 50;
/// With more changes than this, other processes forget all accounts instead of one after the other.
const MANY: usize = 50;

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

/// The work of one run.
pub(super) struct Work<'a> {
    core: &'a Core,
    ctx: &'a Context,
    source: Source,
    retain: bool,
    made: HashMap<Subject, AccountId>,
    done: Done,
}

/// Carries a plan out.
pub(super) async fn apply(core: &Core, ctx: &Context, connected: &Connected, plan: &Plan) -> Done {
    let mut work = Work {
        core,
        ctx,
        source: connected.source(),
        retain: connected.policy.retain,
        made: HashMap::new(),
        done: Done::default(),
    };
    for some in plan.creates.chunks(AT_ONCE) {
        work.create(some).await;
    }
    for update in &plan.updates {
        let done = work.update(update).await;
        work.count(done, |done| &mut done.updated, || format!("updating {}", update.account.username));
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
    for some in groups.chunks(GROUPS) {
        if let Err(error) = work.groups(some).await {
            work.failed(&format!("{} groups together", some.len()), &error);
        }
    }
    work.done
}

impl Work<'_> {
    fn failed(&mut self, what: &str, error: &dyn std::fmt::Display) {
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

    /// Makes accounts together; when one of them is in somebody's way, one by one.
    async fn create(&mut self, some: &[Create]) {
        match self.create_together(some).await {
            Ok(()) => self.done.created += some.len(),
            Err(StoreError::Conflict(_)) if some.len() > 1 => {
                for one in some {
                    match self.create_together(std::slice::from_ref(one)).await {
                        Ok(()) => self.done.created += 1,
                        Err(error) => self.failed(&format!("making the account {}", one.username), &error),
                    }
                }
            }
            Err(error) => self.failed(&format!("making {} accounts", some.len()), &error),
        }
    }

    async fn create_together(&mut self, some: &[Create]) -> Result<(), StoreError> {
        let now = self.ctx.now();
        let new: Vec<(NewAccount, Identity)> = some.iter().map(|one| self.new_account(one)).collect();
        let event = |(one, _): &(NewAccount, Identity)| {
            let detail = serde_json::json!({ "source": self.source, "status": one.status.as_str() });
            Event::about(Act::AccountCreated, one.id).with(detail)
        };
        let linked = |(_, one): &(NewAccount, Identity)| {
            let detail = serde_json::json!({ "identity": one.id, "source": self.source, "how": "created" });
            Event::about(Act::IdentityLinked, one.account).with(detail)
        };
        let events = new.iter().map(event).chain(new.iter().map(linked)).collect();
        let mut tx = self.core.database.begin().await?;
        directory::insert_accounts(&mut tx, &new, now).await?;
        self.ctx.record_all(&mut tx, events).await?;
        tx.commit().await?;
        self.made.extend(some.iter().zip(&new).map(|(one, (account, _))| (one.subject.clone(), account.id)));
        Ok(())
    }

    fn new_account(&self, one: &Create) -> (NewAccount, Identity) {
        let id = AccountId::new(self.ctx.uuid());
        let new = NewAccount {
            id,
            username: one.username.clone(),
            email: one.email.clone(),
            name: one.name.clone(),
            administrator: false,
            status: AccountStatus::Active,
            ends_at: None,
        };
        let identity = Identity {
            id: IdentityId::new(self.ctx.uuid()),
            account: id,
            issuer: self.source.slug().to_owned(),
            subject: one.subject.as_str().to_owned(),
            source: self.source.clone(),
            leads: true,
            created_at: self.ctx.now(),
            last_used_at: None,
        };
        (new, identity)
    }

    async fn update(&self, update: &Update) -> Result<bool, Trouble> {
        let id = update.account.id;
        let mut tx = self.core.database.begin().await?;
        let Some(before) = account::by_id(&mut tx, id).await? else { return Ok(false) };
        let mut changed = Vec::new();
        if let Some(username) = &update.username {
            account::set_username(&mut tx, id, username).await?;
            changed.push("username");
        }
        if let Some(email) = &update.email {
            account::set_email_as(&mut tx, id, email, true).await?;
            // Links in letters to the old address must not outlive it.
            for purpose in [Purpose::Recovery, Purpose::Email] {
                token::void(&mut tx, id, Some(purpose)).await?;
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
            account::set_profile(&mut tx, id, &profile).await?;
            changed.push("name");
        }
        let detail = serde_json::json!({ "source": self.source, "changed": changed });
        self.ctx.record(&mut tx, Event::about(Act::IdentityRefreshed, id).with(detail)).await?;
        tx.announce(Notice::Account(id), self.ctx.now()).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn lock(&self, account: &Named, why: Hold) -> Result<bool, Trouble> {
        let (id, now) = (account.id, self.ctx.now());
        let mut tx = self.core.database.begin().await?;
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
        let mut tx = self.core.database.begin().await?;
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

    /// Several groups, each a part that can fail alone.
    async fn groups(&mut self, some: &[&GroupPlan]) -> Result<(), StoreError> {
        let mut tx = self.core.database.begin().await?;
        let mut done = Done::default();
        for group in some {
            tx.begin_part().await?;
            let ran = self.group(&mut tx, group).await;
            tx.end_part(ran.is_ok()).await?;
            match ran {
                Ok((added, removed)) => {
                    done.added += added;
                    done.removed += removed;
                    done.groups_created += usize::from(group.target == Target::New);
                }
                Err(error) => self.failed(&format!("the group {}", group.name.as_str()), &error),
            }
        }
        tx.commit().await?;
        self.done.added += done.added;
        self.done.removed += done.removed;
        self.done.groups_created += done.groups_created;
        Ok(())
    }

    async fn group(&self, tx: &mut Tx, plan: &GroupPlan) -> Result<(usize, usize), StoreError> {
        let now = self.ctx.now();
        let id = self.target(tx, plan).await?;
        if let Some(subject) = &plan.follows {
            directory::follow(tx, &self.source, subject, id).await?;
        }
        let adds: Vec<AccountId> = plan.adds.iter().filter_map(|member| self.account(member)).collect();
        let removes: Vec<AccountId> =
            plan.removes.iter().filter(|_| plan.verdict.passes()).map(|named| named.id).collect();
        directory::add_members(tx, &self.source, id, &adds, now).await?;
        for leaving in &removes {
            group::remove_from(tx, self.source.key(), id, *leaving).await?;
        }
        let detail = serde_json::json!({ "group": id, "source": self.source });
        let event = |act| move |account: &AccountId| (act, *account);
        let acts = adds.iter().map(event(Act::MemberAdded)).chain(removes.iter().map(event(Act::MemberRemoved)));
        let events = acts.map(|(act, account)| Event::about(act, account).with(detail.clone())).collect();
        self.ctx.record_all(tx, events).await?;
        self.announce(tx, plan, &adds, &removes).await?;
        Ok((adds.len(), removes.len()))
    }

    async fn target(&self, tx: &mut Tx, plan: &GroupPlan) -> Result<GroupId, StoreError> {
        let Target::Known(id) = plan.target else {
            let id = GroupId::new(self.ctx.uuid());
            group::insert(tx, id, &plan.name, self.ctx.now()).await?;
            let detail = serde_json::json!({ "group": id, "source": self.source });
            self.ctx.record(tx, Event::of(Act::GroupCreated).with(detail)).await?;
            return Ok(id);
        };
        if plan.renamed_from.is_some() {
            directory::rename_group(tx, id, &plan.name).await?;
            let detail = serde_json::json!({ "group": id, "source": self.source });
            self.ctx.record(tx, Event::of(Act::GroupRenamed).with(detail)).await?;
        }
        Ok(id)
    }

    fn account(&self, member: &Member) -> Option<AccountId> {
        match member {
            Member::Account(id) => Some(*id),
            Member::Created(subject) => self.made.get(subject).copied(),
        }
    }

    /// Accounts that were made in this run are in no cache yet.
    async fn announce(
        &self,
        tx: &mut Tx,
        plan: &GroupPlan,
        adds: &[AccountId],
        removes: &[AccountId],
    ) -> Result<(), StoreError> {
        let now = self.ctx.now();
        let known = plan.adds.iter().filter(|member| matches!(member, Member::Account(_))).count() + removes.len();
        if plan.renamed_from.is_some() || known > MANY {
            return tx.announce(Notice::Accounts, now).await;
        }
        if known > 0 {
            for id in adds.iter().chain(removes) {
                tx.announce(Notice::Account(*id), now).await?;
            }
        }
        Ok(())
    }
}
