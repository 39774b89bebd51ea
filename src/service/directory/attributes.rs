//! Further attributes of an account as they are shown: by directory, with the labels and in the order of the operator.

use super::Directories;
use crate::domain::id::AccountId;
use crate::service::caller::{Operator, SignedIn};
use crate::service::core::Trouble;
use crate::store::directory_attribute;

/// What one directory says about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The directory's name.
    pub directory: String,
    /// Labels and values.
    pub values: Vec<(String, String)>,
}

impl Directories {
    /// What directories say about oneself.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn own_attributes(&self, owner: &SignedIn) -> Result<Vec<Attributes>, Trouble> {
        self.shown(owner.account()).await
    }

    /// What directories say about an account.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn attributes(&self, _by: Operator, account: AccountId) -> Result<Vec<Attributes>, Trouble> {
        self.shown(account).await
    }

    async fn shown(&self, account: AccountId) -> Result<Vec<Attributes>, Trouble> {
        if self.core.directories.is_empty() {
            return Ok(Vec::new());
        }
        let kept = {
            let mut link = self.core.database.read().await?;
            directory_attribute::of(&mut link, account).await?
        };
        let of_directory = |connected: &std::sync::Arc<super::Connected>| {
            let source = connected.source();
            let value = |name: &str| kept.iter().find(|(from, one, _)| *from == source && one == name);
            let wanted = connected.policy.mapping.custom.iter();
            let values: Vec<_> =
                wanted.filter_map(|one| Some((one.label.clone(), value(&one.name)?.2.clone()))).collect();
            (!values.is_empty()).then(|| Attributes { directory: connected.policy.name.clone(), values })
        };
        Ok(self.core.directories.iter().filter_map(of_directory).collect())
    }
}
