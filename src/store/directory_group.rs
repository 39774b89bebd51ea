//! Groups that follow entries of a directory, and the members that a synchronisation gives them: in bulk where there is much.

use super::database::{Link, ROWS, StoreError, execute, execute_by_engine, execute_rows, fetch_optional, rows};
use crate::domain::account::{DisplayName, fold};
use crate::domain::directory::Subject;
use crate::domain::id::{AccountId, GroupId};
use crate::domain::identity::Source;
use crate::domain::time::Timestamp;

/// Memberships in one text, and so in one statement.
const IN_ONE_TEXT: usize = 10_000;

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
    members.sort_unstable_by_key(|(account, group)| (account.uuid(), group.uuid()));
    for some in members.chunks(IN_ONE_TEXT) {
        // One text for all of them: binding each of tens of thousands costs more than writing the rows.
        let mut list = String::with_capacity(some.len() * 67 + 2);
        for (account, group) in some {
            list.push_str(if list.is_empty() { "[\"" } else { "\",\"" });
            list.push_str(account.uuid().simple().encode_lower(&mut uuid::Uuid::encode_buffer()));
            list.push_str(group.uuid().simple().encode_lower(&mut uuid::Uuid::encode_buffer()));
        }
        list.push_str("\"]");
        execute_by_engine!(
            link,
            sqlite: "INSERT INTO membership (account_id, group_id, source, created_at) \
                     SELECT unhex(substr(value, 1, 32)), unhex(substr(value, 33)), $1, $2 FROM json_each($3) WHERE true \
                     ON CONFLICT (account_id, group_id, source) DO NOTHING",
            postgres: "INSERT INTO membership (account_id, group_id, source, created_at) \
                       SELECT CAST(substr(value, 1, 32) AS UUID), CAST(substr(value, 33) AS UUID), $1, $2 \
                       FROM json_array_elements_text(CAST($3 AS JSON)) AS list (value) \
                       ON CONFLICT (account_id, group_id, source) DO NOTHING",
            source.key(),
            now.millis(),
            list.as_str()
        )?;
    }
    Ok(())
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
    for some in new.chunks(ROWS) {
        execute_rows!(link, rows(group, some.len(), 4, ""), some, |query, row| query
            .bind(row.0.uuid())
            .bind(row.1.as_str())
            .bind(fold(row.1.as_str()))
            .bind(now.millis()))?;
    }
    let following: Vec<(GroupId, &Subject)> = new.iter().filter_map(|one| Some((one.0, one.2?))).collect();
    let follows = "INSERT INTO directory_group (directory, subject, group_id)";
    for some in following.chunks(ROWS) {
        execute_rows!(link, rows(follows, some.len(), 3, ""), some, |query, row| query
            .bind(source.key())
            .bind(row.1.as_str())
            .bind(row.0.uuid()))?;
    }
    Ok(())
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
