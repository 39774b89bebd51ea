//! Invitations as rows: which accounts wait for their owner, and what the owner may still choose.

use super::database::{Link, StoreError, execute, fetch_optional};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// What whoever invited has decided for the invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The username stays as it is.
    pub username: bool,
    /// The name stays as it is.
    pub name: bool,
}

/// Notes that an account waits for its owner.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, account: AccountId, fixed: Fixed, now: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO invitation (account_id, username_fixed, name_fixed, created_at) VALUES ($1, $2, $3, $4)",
        account.uuid(),
        fixed.username,
        fixed.name,
        now.millis()
    )
    .map(drop)
}

/// The invitation of an account that waits for its owner.
///
/// # Errors
/// [`StoreError`].
pub async fn of(link: &mut Link, account: AccountId) -> Result<Option<Fixed>, StoreError> {
    let row = fetch_optional!(
        link,
        (bool, bool),
        "SELECT username_fixed, name_fixed FROM invitation WHERE account_id = $1",
        account.uuid()
    )?;
    Ok(row.map(|(username, name)| Fixed { username, name }))
}

/// The owner has come.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, account: AccountId) -> Result<(), StoreError> {
    execute!(link, "DELETE FROM invitation WHERE account_id = $1", account.uuid()).map(drop)
}
