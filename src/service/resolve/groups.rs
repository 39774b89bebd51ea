//! Memberships that follow what a source says. Those given by hand or by another source are never touched.

use super::{ResolveError, Work};
use crate::domain::audit::{Act, Event};
use crate::domain::id::{AccountId, GroupId};
use crate::domain::trace::Facts;
use crate::service::group as names;
use crate::store::{Tx, group};

/// Groups of one person that are looked at; a source that names more means something else.
const MOST_GROUPS: usize = 500;

impl Work<'_> {
    /// Adds, and where the operator wants it takes away. True when anything changed.
    pub(super) async fn follow_groups(&self, tx: &mut Tx, account: AccountId) -> Result<bool, ResolveError> {
        let Some(named) = &self.arrival.groups else { return Ok(false) };
        let source = self.arrival.source.key();
        let before = group::of_source(tx, account, source).await?;
        let mut wanted = Vec::new();
        let mut passed_over = Vec::new();
        for name in named.iter().take(MOST_GROUPS) {
            match self.group(tx, name).await? {
                Some(id) => wanted.push(id),
                None => passed_over.push(name),
            }
        }
        self.ctx.note("groups", Facts::new().names("followed", named).names("not_there", passed_over));
        let mut changed = false;
        for &id in &wanted {
            if group::add_from(tx, source, id, account, self.ctx.now()).await? {
                self.note(tx, Act::MemberAdded, account, id).await?;
                changed = true;
            }
        }
        if self.rules.groups.exclusive {
            for &id in before.iter().filter(|id| !wanted.contains(id)) {
                changed |= group::remove_from(tx, source, id, account).await?;
                self.note(tx, Act::MemberRemoved, account, id).await?;
            }
        }
        Ok(changed)
    }

    /// The group of this name, made if that is wanted. A name that no group can have is passed over.
    async fn group(&self, tx: &mut Tx, name: &str) -> Result<Option<GroupId>, ResolveError> {
        let Some(name) = names::parsed(name) else { return Ok(None) };
        if let Some(id) = group::by_name(tx, name.as_str()).await? {
            return Ok(Some(id));
        }
        if !self.rules.groups.create {
            return Ok(None);
        }
        let id = GroupId::new(self.ctx.uuid());
        group::insert(tx, id, &name, self.ctx.now()).await?;
        let detail = serde_json::json!({ "group": id, "source": self.arrival.source });
        self.ctx.record(tx, Event::of(Act::GroupCreated).with(detail)).await?;
        Ok(Some(id))
    }

    async fn note(&self, tx: &mut Tx, act: Act, account: AccountId, group: GroupId) -> Result<(), ResolveError> {
        let detail = serde_json::json!({ "group": group, "source": self.arrival.source });
        Ok(self.acting(account).record(tx, Event::about(act, account).with(detail)).await?)
    }
}
