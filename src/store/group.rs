//! Groups and memberships as rows. A membership knows where it came from; only its source may take it away.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::account::DisplayName;
use crate::domain::account::fold;
use crate::domain::id::{AccountId, GroupId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// The source of memberships given by administrators.
pub const MANUAL: &str = "manual";

/// Makes a group.
///
/// # Errors
/// [`StoreError::Conflict`] when one of this name exists.
pub async fn insert(link: &mut Link, id: GroupId, name: &DisplayName, now: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO user_group (id, name, name_key, created_at) VALUES ($1, $2, $3, $4)",
        id.uuid(),
        name.as_str(),
        fold(name.as_str()),
        now.millis()
    )
    .map(drop)
}

/// The group of this name, whatever its case.
///
/// # Errors
/// [`StoreError`].
pub async fn by_name(link: &mut Link, name: &str) -> Result<Option<GroupId>, StoreError> {
    let row = fetch_optional!(link, (Uuid,), "SELECT id FROM user_group WHERE name_key = $1", fold(name.trim()))?;
    Ok(row.map(|(id,)| GroupId::new(id)))
}

/// Adds a member. False when the membership was there already.
///
/// # Errors
/// [`StoreError`].
pub async fn add(link: &mut Link, group: GroupId, account: AccountId, now: Timestamp) -> Result<bool, StoreError> {
    add_from(link, MANUAL, group, account, now).await
}

/// Removes a membership that an administrator gave. False when there was none.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, group: GroupId, account: AccountId) -> Result<bool, StoreError> {
    remove_from(link, MANUAL, group, account).await
}

/// The groups that an account is in by the word of one source.
///
/// # Errors
/// [`StoreError`].
pub async fn of_source(link: &mut Link, account: AccountId, source: &str) -> Result<Vec<GroupId>, StoreError> {
    let rows = fetch_all!(
        link,
        (Uuid,),
        "SELECT group_id FROM membership WHERE account_id = $1 AND source = $2 ORDER BY group_id",
        account.uuid(),
        source
    )?;
    Ok(rows.into_iter().map(|(id,)| GroupId::new(id)).collect())
}

/// Adds a member by the word of a source. False when that source had added them before.
///
/// # Errors
/// [`StoreError`].
pub async fn add_from(
    link: &mut Link,
    source: &str,
    group: GroupId,
    account: AccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "INSERT INTO membership (group_id, account_id, source, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account_id, group_id, source) DO NOTHING",
        group.uuid(),
        account.uuid(),
        source,
        now.millis()
    )?;
    Ok(rows > 0)
}

/// Takes away what this source gave; memberships by hand and of other sources stay. False when it gave none.
///
/// # Errors
/// [`StoreError`].
pub async fn remove_from(
    link: &mut Link,
    source: &str,
    group: GroupId,
    account: AccountId,
) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "DELETE FROM membership WHERE group_id = $1 AND account_id = $2 AND source = $3",
        group.uuid(),
        account.uuid(),
        source
    )?;
    Ok(rows > 0)
}

/// Names of the groups of an account, sorted.
///
/// # Errors
/// [`StoreError`].
pub async fn names_of(link: &mut Link, account: AccountId) -> Result<Vec<String>, StoreError> {
    let rows = fetch_all!(
        link,
        (String,),
        "SELECT DISTINCT g.name FROM user_group g JOIN membership m ON m.group_id = g.id \
         WHERE m.account_id = $1 ORDER BY g.name",
        account.uuid()
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}
