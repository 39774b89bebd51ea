//! The part of carrying a plan out that is about groups: made, renamed, filled, emptied.

use super::apply::{Done, MANY, Work};
use crate::domain::audit::{Act, Event};
use crate::domain::directory::plan::{GroupPlan, Member, Target};
use crate::domain::id::{AccountId, GroupId};
use crate::domain::notice::Notice;
use crate::store::{StoreError, Tx, directory_group, group};

/// Changes of one group that are told one by one.
const ONE_BY_ONE: usize = 20;
/// People that one event names: two such rows share a page.
const IN_ONE_EVENT: usize = 90;

/// What happens to one group, with everybody's account.
struct Change<'a> {
    plan: &'a GroupPlan,
    id: GroupId,
    adds: Vec<AccountId>,
    removes: Vec<AccountId>,
}

impl Done {
    /// What was done to other groups as well.
    const fn take_in(&mut self, more: &Self) {
        self.added += more.added;
        self.removed += more.removed;
        self.groups_created += more.groups_created;
    }
}

impl Work<'_> {
    /// Several groups together; when one of them is in the way, each as a part that can fail alone. Nearly always none is,
    /// and a part costs a copy of every page that it touches.
    pub(super) async fn groups(&mut self, some: &[&GroupPlan]) -> Result<(), StoreError> {
        let done = match self.groups_together(some).await {
            Ok(done) => done,
            Err(error) => {
                tracing::debug!(%error, "groups together; now each by itself");
                self.groups_in_parts(some).await?
            }
        };
        self.done.take_in(&done);
        Ok(())
    }

    async fn groups_together(&self, some: &[&GroupPlan]) -> Result<Done, StoreError> {
        let mut tx = self.begin().await?;
        let done = self.carry_out(&mut tx, some).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn groups_in_parts(&mut self, some: &[&GroupPlan]) -> Result<Done, StoreError> {
        let mut tx = self.begin().await?;
        let mut done = Done::default();
        for group in some {
            tx.begin_part().await?;
            let ran = self.carry_out(&mut tx, std::slice::from_ref(group)).await;
            tx.end_part(ran.is_ok()).await?;
            match ran {
                Ok(more) => done.take_in(&more),
                Err(error) => self.failed(&format!("the group {}", group.name.as_str()), &error),
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    async fn carry_out(&self, tx: &mut Tx, some: &[&GroupPlan]) -> Result<Done, StoreError> {
        let changes: Vec<Change<'_>> = some.iter().map(|plan| self.change(plan)).collect();
        let new: Vec<_> = changes
            .iter()
            .filter(|change| change.plan.target == Target::New)
            .map(|change| (change.id, &change.plan.name, change.plan.follows.as_ref()))
            .collect();
        self.rename(tx, &changes).await?;
        directory_group::insert_groups(tx, &self.source, &new, self.ctx.now()).await?;
        for change in &changes {
            self.follow(tx, change).await?;
            for leaving in &change.removes {
                group::remove_from(tx, self.source.key(), change.id, *leaving).await?;
            }
            self.announce(tx, change).await?;
        }
        let joining: Vec<_> =
            changes.iter().flat_map(|change| change.adds.iter().map(|member| (*member, change.id))).collect();
        let (added, removed) = (joining.len(), changes.iter().map(|change| change.removes.len()).sum());
        let (written, events) = tokio::join!(
            biased;
            directory_group::add_members(tx, &self.source, joining, self.ctx.now()),
            self.all_events(&changes)
        );
        written?;
        self.ctx.record_all(tx, events.into_iter()).await?;
        Ok(Done { groups_created: new.len(), added, removed, ..Done::default() })
    }

    fn change<'a>(&self, plan: &'a GroupPlan) -> Change<'a> {
        let id = match plan.target {
            Target::Known(id) => id,
            Target::New => GroupId::new(self.ctx.uuid()),
        };
        let adds = plan.adds.iter().filter_map(|member| self.account(*member)).collect();
        let removes = plan.removes.iter().filter(|_| plan.verdict.passes()).map(|named| named.id).collect();
        Change { plan, id, adds, removes }
    }

    /// Renames groups that were there. First all of them get out of each other's way: two may have swapped their names.
    async fn rename(&self, tx: &mut Tx, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let renamed: Vec<_> = changes.iter().filter(|change| change.plan.renamed_from.is_some()).collect();
        if renamed.len() > 1 {
            for change in &renamed {
                directory_group::set_aside(tx, change.id).await?;
            }
        }
        for change in renamed {
            directory_group::rename_group(tx, change.id, &change.plan.name).await?;
        }
        Ok(())
    }

    /// The entry that a group that was there follows.
    async fn follow(&self, tx: &mut Tx, change: &Change<'_>) -> Result<(), StoreError> {
        match &change.plan.follows {
            Some(subject) if change.plan.target != Target::New => {
                directory_group::follow(tx, &self.source, subject, change.id).await
            }
            _ => Ok(()),
        }
    }

    /// What is told about all of them. It is put together beside the writing, and never keeps that waiting.
    async fn all_events(&self, changes: &[Change<'_>]) -> Vec<Event> {
        let mut events = Vec::new();
        for change in changes {
            events.extend(self.events(change));
            tokio::task::yield_now().await;
        }
        events
    }

    /// What is told about one group.
    fn events(&self, change: &Change<'_>) -> Vec<Event> {
        let about = |act| Event::of(act).with(serde_json::json!({ "group": change.id, "source": self.source }));
        let mut events = Vec::new();
        if change.plan.target == Target::New {
            events.push(about(Act::GroupCreated));
        } else if change.plan.renamed_from.is_some() {
            events.push(about(Act::GroupRenamed));
        }
        events.extend(self.told(change.id, (Act::MemberAdded, Act::MembersAdded), &change.adds));
        events.extend(self.told(change.id, (Act::MemberRemoved, Act::MembersRemoved), &change.removes));
        events
    }

    /// Few changes are told one by one, each about its person. Many, as when a group is filled for the first time, are told
    /// together: how many, and who.
    fn told(&self, group: GroupId, (one, many): (Act, Act), people: &[AccountId]) -> Vec<Event> {
        let source = &self.source;
        if people.len() <= ONE_BY_ONE {
            let detail = serde_json::json!({ "group": group, "source": source });
            return people.iter().map(|id| Event::about(one, *id).with(detail.clone())).collect();
        }
        let together = |some: &[AccountId]| {
            let detail = serde_json::json!({
                "group": group, "source": source, "of": people.len(), "count": some.len(), "accounts": some,
            });
            Event::of(many).with(detail)
        };
        people.chunks(IN_ONE_EVENT).map(together).collect()
    }

    fn account(&self, member: Member) -> Option<AccountId> {
        match member {
            Member::Account(id) => Some(id),
            Member::Created(place) => self.made.get(place).copied().flatten(),
        }
    }

    /// Accounts that were made in this run are in no cache yet.
    async fn announce(&self, tx: &mut Tx, change: &Change<'_>) -> Result<(), StoreError> {
        let (plan, now) = (change.plan, self.ctx.now());
        let known =
            plan.adds.iter().filter(|member| matches!(member, Member::Account(_))).count() + change.removes.len();
        if plan.renamed_from.is_some() || known > MANY {
            return tx.announce(Notice::Accounts, now).await;
        }
        if known > 0 {
            for id in change.adds.iter().chain(&change.removes) {
                tx.announce(Notice::Account(*id), now).await?;
            }
        }
        Ok(())
    }
}
