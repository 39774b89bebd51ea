//! Groups, as the command line manages them.

use super::caller::Operator;
use super::context::Context;
use super::core::{Core, Trouble};
use crate::domain::account::{Account, DisplayName};
use crate::domain::audit::{Act, Event};
use crate::domain::id::GroupId;
use crate::domain::notice::Notice;
use crate::store::{StoreError, group};
use std::sync::Arc;

/// Groups over a core.
#[derive(Clone)]
pub struct Groups {
    core: Arc<Core>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// A group of this name exists.
    #[error("there is a group {0:?} already")]
    Exists(String),
    /// No group has this name.
    #[error("there is no group {0:?}")]
    Unknown(String),
    /// Group names travel in a comma-separated header.
    #[error("{0:?} is no name for a group: it must have 1 to 100 characters and no comma")]
    Name(String),
    /// Nobody of this name is a member by an administrator's hand.
    #[error("{0} is not a member that could be removed by hand")]
    NotAMember(String),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for GroupError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Groups {
    /// Groups over a core.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`GroupError::Name`], [`GroupError::Exists`].
    pub async fn create(&self, ctx: &Context, _by: Operator, name: &str) -> Result<GroupId, GroupError> {
        let name = parsed(name).ok_or_else(|| GroupError::Name(name.to_owned()))?;
        let id = GroupId::new(ctx.uuid());
        let mut tx = self.core.database.begin().await?;
        if group::by_name(&mut tx, name.as_str()).await?.is_some() {
            return Err(GroupError::Exists(name.as_str().to_owned()));
        }
        group::insert(&mut tx, id, &name, ctx.now()).await?;
        ctx.record(&mut tx, Event::of(Act::GroupCreated).with(serde_json::json!({ "group": id }))).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Adds a member. False when they were one already.
    ///
    /// # Errors
    /// [`GroupError::Unknown`].
    pub async fn add(&self, ctx: &Context, _by: Operator, name: &str, member: &Account) -> Result<bool, GroupError> {
        let mut tx = self.core.database.begin().await?;
        let group = group::by_name(&mut tx, name).await?.ok_or_else(|| GroupError::Unknown(name.to_owned()))?;
        if !group::add(&mut tx, group, member.id, ctx.now()).await? {
            return Ok(false);
        }
        let detail = serde_json::json!({ "group": group });
        ctx.record(&mut tx, Event::about(Act::MemberAdded, member.id).with(detail)).await?;
        tx.announce(Notice::Account(member.id), ctx.now()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Removes a membership that was given by hand.
    ///
    /// # Errors
    /// [`GroupError::Unknown`], [`GroupError::NotAMember`].
    pub async fn remove(&self, ctx: &Context, _by: Operator, name: &str, member: &Account) -> Result<(), GroupError> {
        let mut tx = self.core.database.begin().await?;
        let group = group::by_name(&mut tx, name).await?.ok_or_else(|| GroupError::Unknown(name.to_owned()))?;
        if !group::remove(&mut tx, group, member.id).await? {
            return Err(GroupError::NotAMember(member.username.clone()));
        }
        let detail = serde_json::json!({ "group": group });
        ctx.record(&mut tx, Event::about(Act::MemberRemoved, member.id).with(detail)).await?;
        tx.announce(Notice::Account(member.id), ctx.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A name for a group: 1 to 100 characters, no comma, since names travel in a comma-separated header.
pub(super) fn parsed(name: &str) -> Option<DisplayName> {
    let name = DisplayName::parse(name).ok()?;
    (!name.as_str().contains(',') && name.as_str().chars().count() <= 100).then_some(name)
}
