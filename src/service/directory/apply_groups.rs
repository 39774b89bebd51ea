//! The part of carrying a plan out that is about groups: made, renamed, filled, emptied.

use super::apply::{Done, MANY, Work};
use crate::domain::audit::{Act, Event};
use crate::domain::directory::plan::{GroupPlan, Member, Target};
use crate::domain::id::{AccountId, GroupId};
use crate::domain::notice::Notice;
use crate::store::{StoreError, Tx, directory, group};

/// Changes of one group that are told one by one.
const ONE_BY_ONE: usize = 20;
/// People that one event names.
const IN_ONE_EVENT: usize = 500;

impl Work<'_> {
    /// Several groups, each a part that can fail alone.
    pub(super) async fn groups(&mut self, some: &[&GroupPlan]) -> Result<(), StoreError> {
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
        let changes =
            [(Act::MemberAdded, Act::MembersAdded, &adds), (Act::MemberRemoved, Act::MembersRemoved, &removes)];
        let events = changes.into_iter().flat_map(|(one, many, people)| self.told(id, (one, many), people)).collect();
        self.ctx.record_all(tx, events).await?;
        self.announce(tx, plan, &adds, &removes).await?;
        Ok((adds.len(), removes.len()))
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
