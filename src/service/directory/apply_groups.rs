//! The part of carrying a plan out that is about groups: made, renamed, filled, emptied.

use super::apply::{Done, MANY, Work};
use crate::domain::audit::{Act, Event};
use crate::domain::directory::plan::{GroupPlan, Member, Target};
use crate::domain::id::{AccountId, GroupId};
use crate::domain::notice::Notice;
use crate::store::{StoreError, Tx, directory_group, group};

/// Changes of one group that are told one by one.
const ONE_BY_ONE: usize = 20;
/// People that one event names.
const IN_ONE_EVENT: usize = 500;

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
        self.done.added += done.added;
        self.done.removed += done.removed;
        self.done.groups_created += done.groups_created;
        Ok(())
    }

    async fn groups_together(&self, some: &[&GroupPlan]) -> Result<Done, StoreError> {
        let mut tx = self.begin().await?;
        let (mut done, mut events, mut joining) = (Done::default(), Vec::new(), Vec::new());
        let ids: Vec<GroupId> = some.iter().map(|plan| self.id_of(plan)).collect();
        let new: Vec<_> = some
            .iter()
            .zip(&ids)
            .filter(|(plan, _)| plan.target == Target::New)
            .map(|(plan, id)| (*id, &plan.name, plan.follows.as_ref()))
            .collect();
        directory_group::insert_groups(&mut tx, &self.source, &new, self.ctx.now()).await?;
        done.groups_created = new.len();
        for (plan, id) in some.iter().zip(ids) {
            if plan.target == Target::New {
                events.push(self.about(Act::GroupCreated, id));
            } else {
                self.follow(&mut tx, plan, id, &mut events).await?;
            }
            let (adds, removed) = self.fill(&mut tx, plan, id, &mut events).await?;
            done.added += adds.len();
            done.removed += removed;
            joining.extend(adds.into_iter().map(|member| (member, id)));
        }
        directory_group::add_members(&mut tx, &self.source, joining, self.ctx.now()).await?;
        self.ctx.record_all(&mut tx, events).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn groups_in_parts(&mut self, some: &[&GroupPlan]) -> Result<Done, StoreError> {
        let mut tx = self.begin().await?;
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
        Ok(done)
    }

    async fn group(&self, tx: &mut Tx, plan: &GroupPlan) -> Result<(usize, usize), StoreError> {
        let (id, mut events) = (self.id_of(plan), Vec::new());
        if plan.target == Target::New {
            group::insert(tx, id, &plan.name, self.ctx.now()).await?;
            events.push(self.about(Act::GroupCreated, id));
        }
        self.follow(tx, plan, id, &mut events).await?;
        let (adds, removed) = self.fill(tx, plan, id, &mut events).await?;
        let (added, joining) = (adds.len(), adds.into_iter().map(|member| (member, id)).collect());
        directory_group::add_members(tx, &self.source, joining, self.ctx.now()).await?;
        self.ctx.record_all(tx, events).await?;
        Ok((added, removed))
    }

    fn id_of(&self, plan: &GroupPlan) -> GroupId {
        match plan.target {
            Target::Known(id) => id,
            Target::New => GroupId::new(self.ctx.uuid()),
        }
    }

    fn about(&self, act: Act, group: GroupId) -> Event {
        Event::of(act).with(serde_json::json!({ "group": group, "source": self.source }))
    }

    /// The group's name, and the entry that it follows.
    async fn follow(
        &self,
        tx: &mut Tx,
        plan: &GroupPlan,
        id: GroupId,
        events: &mut Vec<Event>,
    ) -> Result<(), StoreError> {
        if plan.renamed_from.is_some() {
            directory_group::rename_group(tx, id, &plan.name).await?;
            events.push(self.about(Act::GroupRenamed, id));
        }
        match &plan.follows {
            Some(subject) => directory_group::follow(tx, &self.source, subject, id).await,
            None => Ok(()),
        }
    }

    /// Takes those away who leave, and tells of them and of those who join: whom the caller has to write down, and how many
    /// left.
    async fn fill(
        &self,
        tx: &mut Tx,
        plan: &GroupPlan,
        id: GroupId,
        events: &mut Vec<Event>,
    ) -> Result<(Vec<AccountId>, usize), StoreError> {
        let adds: Vec<AccountId> = plan.adds.iter().filter_map(|member| self.account(member)).collect();
        let removes: Vec<AccountId> =
            plan.removes.iter().filter(|_| plan.verdict.passes()).map(|named| named.id).collect();
        for leaving in &removes {
            group::remove_from(tx, self.source.key(), id, *leaving).await?;
        }
        events.extend(self.told(id, (Act::MemberAdded, Act::MembersAdded), &adds));
        events.extend(self.told(id, (Act::MemberRemoved, Act::MembersRemoved), &removes));
        self.announce(tx, plan, &adds, &removes).await?;
        let left = removes.len();
        Ok((adds, left))
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
