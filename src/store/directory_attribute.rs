//! Further attributes of accounts, as their directories say them; a synchronisation writes them in bulk.

use super::database::{Link, StoreError, execute, fetch_all, insert_rows};
use crate::domain::directory::Custom;
use crate::domain::id::AccountId;
use crate::domain::identity::Source;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What an account's directories say: which directory, name, value; sorted.
///
/// # Errors
/// [`StoreError`].
pub async fn of(link: &mut Link, account: AccountId) -> Result<Vec<(Source, String, String)>, StoreError> {
    let rows = fetch_all!(
        link,
        (String, String, String),
        "SELECT directory, name, value FROM directory_attribute WHERE account_id = $1 ORDER BY directory, name",
        account.uuid()
    )?;
    let known = |(source, name, value): (String, String, String)| Some((Source::from_key(&source)?, name, value));
    Ok(rows.into_iter().filter_map(known).collect())
}

/// What one directory says about everybody.
///
/// # Errors
/// [`StoreError`].
pub async fn of_all(link: &mut Link, source: &Source) -> Result<HashMap<AccountId, Custom>, StoreError> {
    let rows = fetch_all!(
        link,
        (Uuid, String, String),
        "SELECT account_id, name, value FROM directory_attribute WHERE directory = $1",
        source.key()
    )?;
    let mut all: HashMap<AccountId, Custom> = HashMap::new();
    for (account, name, value) in rows {
        all.entry(AccountId::new(account)).or_default().take_in(name, value);
    }
    Ok(all)
}

/// What one directory says about one account.
///
/// # Errors
/// [`StoreError`].
pub async fn of_one(link: &mut Link, source: &Source, account: AccountId) -> Result<Custom, StoreError> {
    let rows = fetch_all!(
        link,
        (String, String),
        "SELECT name, value FROM directory_attribute WHERE account_id = $1 AND directory = $2",
        account.uuid(),
        source.key()
    )?;
    Ok(Custom::from_stored(rows))
}

/// Forgets what a directory said about an account.
///
/// # Errors
/// [`StoreError`].
pub async fn clear(link: &mut Link, source: &Source, account: AccountId) -> Result<(), StoreError> {
    execute!(
        link,
        "DELETE FROM directory_attribute WHERE account_id = $1 AND directory = $2",
        account.uuid(),
        source.key()
    )
    .map(drop)
}

/// Writes what a directory says about accounts it has said nothing about yet, or whose values were cleared.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, source: &Source, new: &[(AccountId, &Custom)]) -> Result<(), StoreError> {
    let key: Arc<str> = source.key().into();
    let all: Vec<(Uuid, &str, &str)> = new
        .iter()
        .flat_map(|(account, custom)| custom.iter().map(|(name, value)| (account.uuid(), name, value)))
        .collect();
    let head = "INSERT INTO directory_attribute (account_id, directory, name, value)";
    insert_rows!(link, head, "($, $, $, $)", all.into_iter(), |query, (account, name, value)| query
        .bind(account)
        .bind(Arc::clone(&key))
        .bind(name)
        .bind(value))
}
