//! What an operator sees of one account.

use super::caller::Operator;
use super::core::{Core, Trouble};
use super::directory::Directories;
use super::directory::attributes::Attributes;
use crate::domain::account::Account;
use crate::domain::identity::Identity;
use crate::store::{group, identity};
use std::sync::Arc;

/// An account with what belongs to it.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// Names of its groups, sorted.
    pub groups: Vec<String>,
    /// Who vouches for it.
    pub identities: Vec<Identity>,
    /// What directories say further.
    pub attributes: Vec<Attributes>,
}

impl AccountView {
    /// Of this account.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn of(core: &Arc<Core>, by: Operator, account: &Account) -> Result<Self, Trouble> {
        let attributes = Directories::new(Arc::clone(core)).attributes(by, account.id).await?;
        let mut link = core.database.read().await?;
        let groups = group::names_of(&mut link, account.id).await?;
        Ok(Self { groups, identities: identity::of_account(&mut link, account.id).await?, attributes })
    }
}
