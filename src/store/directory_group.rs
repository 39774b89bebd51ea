//! Groups that follow entries of a directory, and the members that a synchronisation gives them: in bulk where there is much.

use super::database::{
    Link, StoreError, execute, execute_by_engine, fetch_all, fetch_all_by_engine, fetch_optional, insert_rows,
};
use crate::domain::account::{DisplayName, fold};
use crate::domain::directory::{KnownGroup, Subject};
use crate::domain::id::{AccountId, GroupId};
use crate::domain::identity::Source;
use crate::domain::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Memberships in one list, and so in one statement.
const IN_ONE_LIST: usize = 10_000;

/// All groups, with those members whom this directory's synchronisation made members.
///
/// # Errors
/// [`StoreError`].
pub async fn known(link: &mut Link, source: &Source) -> Result<Vec<KnownGroup>, StoreError> {
    let named = fetch_all!(
        link,
        (Uuid, String, Option<String>),
        "SELECT g.id, g.name, d.subject FROM user_group g \
         LEFT JOIN directory_group d ON d.group_id = g.id AND d.directory = $1 ORDER BY g.name_key",
        source.key()
    )?;
    // One row for each account, in the order of the table's key: handing over one for each membership costs more than
    // finding them.
    let memberships = fetch_all_by_engine!(
        link,
        (Uuid, String),
        sqlite: "SELECT account_id, group_concat(hex(group_id), '') FROM membership WHERE source = $1 GROUP BY account_id",
        postgres: "SELECT account_id, string_agg(encode(uuid_send(group_id), 'hex'), '') FROM membership \
                   WHERE source = $1 GROUP BY account_id",
        source.key()
    )?;
    let mut members: HashMap<Uuid, HashSet<AccountId>> = HashMap::with_capacity(named.len());
    for (account, groups) in memberships {
        for group in groups.as_bytes().chunks(32) {
            let group = Uuid::try_parse_ascii(group).map_err(|error| StoreError::Unreadable(error.to_string()))?;
            members.entry(group).or_default().insert(AccountId::new(account));
        }
    }
    let group = |(id, name, subject): (Uuid, String, Option<String>)| KnownGroup {
        id: GroupId::new(id),
        name,
        subject: subject.as_deref().map(Subject::from_stored),
        members: members.remove(&id).unwrap_or_default(),
    };
    Ok(named.into_iter().map(group).collect())
}

/// Adds members by the word of a directory; those it had added before stay as they are.
///
/// # Errors
/// [`StoreError`].
pub async fn add_members(
    link: &mut Link,
    source: &Source,
    mut members: Vec<(AccountId, GroupId)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    // In the order of the table's key each of its pages is written once.
    members.sort_unstable_by_key(|(account, _)| account.uuid().as_u128());
    let (key, mut lists) = (source.key(), members.chunks(IN_ONE_LIST).map(list));
    let mut next = lists.next();
    while let Some(list) = next {
        // The next list is put together while this one is written.
        let (written, prepared) = tokio::join!(biased; add_list(link, (key, now), list), async { lists.next() });
        next = prepared;
        written?;
    }
    Ok(())
}

/// One list for all of them, 32 bytes each: binding tens of thousands of values costs more than writing the rows.
fn list(members: &[(AccountId, GroupId)]) -> Vec<u8> {
    let mut list = Vec::with_capacity(members.len() * 32);
    for (account, group) in members {
        list.extend_from_slice(account.uuid().as_bytes());
        list.extend_from_slice(group.uuid().as_bytes());
    }
    list
}

async fn add_list(link: &mut Link, (source, now): (&str, Timestamp), list: Vec<u8>) -> Result<(), StoreError> {
    execute_by_engine!(
        link,
        // SQLite's cheapest way to count: the places of an array of as many zeros as there are pairs.
        sqlite: "INSERT INTO membership (account_id, group_id, source, created_at) \
                 SELECT substr($3, key * 32 + 1, 16), substr($3, key * 32 + 17, 16), $1, $2 \
                 FROM json_each('[0' || replace(hex(zeroblob(length($3) / 32 - 1)), '00', ',0') || ']') WHERE true \
                 ON CONFLICT (account_id, group_id, source) DO NOTHING",
        postgres: "INSERT INTO membership (account_id, group_id, source, created_at) \
                   SELECT CAST(encode(substr($3, at, 16), 'hex') AS UUID), \
                   CAST(encode(substr($3, at + 16, 16), 'hex') AS UUID), $1, $2 \
                   FROM generate_series(1, length($3), 32) AS place (at) \
                   ON CONFLICT (account_id, group_id, source) DO NOTHING",
        source,
        now.millis(),
        list
    )
    .map(drop)
}

/// Makes groups that follow an entry each, or none.
///
/// # Errors
/// [`StoreError::Conflict`] when one name is taken, or one entry followed by another group: nothing is made then.
pub async fn insert_groups(
    link: &mut Link,
    source: &Source,
    new: &[(GroupId, &DisplayName, Option<&Subject>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let group = "INSERT INTO user_group (id, name, name_key, created_at)";
    insert_rows!(link, group, "($, $, $, $)", new.iter(), |query, (id, name, _)| query
        .bind(id.uuid())
        .bind(name.as_str())
        .bind(fold(name.as_str()))
        .bind(now.millis()))?;
    let key: Arc<str> = source.key().into();
    let following: Vec<(GroupId, &Subject)> = new.iter().filter_map(|one| Some((one.0, one.2?))).collect();
    let follows = "INSERT INTO directory_group (directory, subject, group_id)";
    insert_rows!(link, follows, "($, $, $)", following.iter(), |query, (group, subject)| query
        .bind(Arc::clone(&key))
        .bind(subject.as_str())
        .bind(group.uuid()))
}

/// The name of the group here that follows an entry.
///
/// # Errors
/// [`StoreError`].
pub async fn group_of(link: &mut Link, source: &Source, subject: &Subject) -> Result<Option<String>, StoreError> {
    let row = fetch_optional!(
        link,
        (String,),
        "SELECT g.name FROM directory_group d JOIN user_group g ON g.id = d.group_id \
         WHERE d.directory = $1 AND d.subject = $2",
        source.key(),
        subject.as_str()
    )?;
    Ok(row.map(|(name,)| name))
}

/// Gives a group the new name of its entry.
///
/// # Errors
/// [`StoreError::Conflict`] when another group has it.
pub async fn rename_group(link: &mut Link, group: GroupId, name: &DisplayName) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE user_group SET name = $2, name_key = $3 WHERE id = $1",
        group.uuid(),
        name.as_str(),
        fold(name.as_str())
    )
    .map(drop)
}

/// Gives a group a name that nobody can have, until it gets its own within the same transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn set_aside(link: &mut Link, group: GroupId) -> Result<(), StoreError> {
    let name = format!(",{group}");
    execute!(link, "UPDATE user_group SET name = $2, name_key = $2 WHERE id = $1", group.uuid(), name).map(drop)
}

/// Notes which entry a group follows.
///
/// # Errors
/// [`StoreError::Conflict`] when the group follows another one of this directory.
pub async fn follow(link: &mut Link, source: &Source, subject: &Subject, group: GroupId) -> Result<(), StoreError> {
    execute!(
        link,
        "DELETE FROM directory_group WHERE directory = $1 AND (group_id = $2 OR subject = $3)",
        source.key(),
        group.uuid(),
        subject.as_str()
    )?;
    execute!(
        link,
        "INSERT INTO directory_group (directory, subject, group_id) VALUES ($1, $2, $3)",
        source.key(),
        subject.as_str(),
        group.uuid()
    )
    .map(drop)
}
