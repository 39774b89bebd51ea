//! What a synchronisation compares with, and what it writes: in bulk where there is much. Further attributes are
//! `directory_attribute.rs`, groups and their members `directory_group.rs`.

use super::account::NewAccount;
use super::database::{
    Link, ROWS, StoreError, execute, execute_rows, fetch_all, fetch_all_by_engine, fetch_optional, rows,
};
use super::directory_attribute;
use crate::domain::account::AccountStatus;
use crate::domain::directory::snapshot::Hold;
use crate::domain::directory::{Known, KnownAccount, KnownGroup, Subject};
use crate::domain::id::{AccountId, GroupId};
use crate::domain::identity::{Identity, Source};
use crate::domain::time::Timestamp;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Everything here that a directory has to do with.
///
/// # Errors
/// [`StoreError`].
pub async fn known(link: &mut Link, source: &Source) -> Result<Known, StoreError> {
    let mut known = Known { accounts: accounts(link, source).await?, ..Known::default() };
    let names = fetch_all!(
        link,
        (Uuid, String, String, String),
        "SELECT id, username_key, username_skeleton, email_key FROM account"
    )?;
    for (id, username, skeleton, email) in names {
        let id = AccountId::new(id);
        known.names.insert(username, id);
        known.names.insert(email, id);
        known.skeletons.insert(skeleton, id);
    }
    known.groups = groups(link, source).await?;
    Ok(known)
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: Uuid,
    username: String,
    email: String,
    name: String,
    status: String,
    subject: String,
    leads: bool,
    reason: Option<String>,
}

async fn accounts(link: &mut Link, source: &Source) -> Result<Vec<KnownAccount>, StoreError> {
    let rows = fetch_all!(
        link,
        AccountRow,
        "SELECT a.id, a.username, a.email, a.name, a.status, i.subject, i.leads, h.reason FROM identity i \
         JOIN account a ON a.id = i.account_id \
         LEFT JOIN directory_hold h ON h.account_id = a.id AND h.directory = $1 WHERE i.source = $1",
        source.key()
    )?;
    let mut custom = directory_attribute::of_all(link, source).await?;
    let account = |row: AccountRow| KnownAccount {
        id: AccountId::new(row.id),
        username: row.username,
        email: row.email,
        name: row.name,
        status: AccountStatus::from_stored(&row.status),
        subject: Subject::from_stored(&row.subject),
        leads: row.leads,
        held: row.reason.as_deref().map(Hold::from_stored),
        custom: custom.remove(&AccountId::new(row.id)).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(account).collect())
}

async fn groups(link: &mut Link, source: &Source) -> Result<Vec<KnownGroup>, StoreError> {
    let named = fetch_all!(
        link,
        (Uuid, String, Option<String>),
        "SELECT g.id, g.name, d.subject FROM user_group g \
         LEFT JOIN directory_group d ON d.group_id = g.id AND d.directory = $1 ORDER BY g.name_key",
        source.key()
    )?;
    // One row for each group: handing over one for each membership costs more than finding them.
    let memberships = fetch_all_by_engine!(
        link,
        (Uuid, String),
        sqlite: "SELECT group_id, group_concat(hex(account_id), ' ') FROM membership WHERE source = $1 GROUP BY group_id",
        postgres: "SELECT group_id, string_agg(account_id::text, ' ') FROM membership WHERE source = $1 GROUP BY group_id",
        source.key()
    )?;
    let mut members: HashMap<Uuid, HashSet<AccountId>> = HashMap::with_capacity(memberships.len());
    for (group, accounts) in memberships {
        let each = accounts.split(' ').map(|text| Uuid::try_parse(text).map(AccountId::new));
        let all: Result<_, _> = each.collect();
        members.insert(group, all.map_err(|error| StoreError::Unreadable(error.to_string()))?);
    }
    let group = |(id, name, subject): (Uuid, String, Option<String>)| KnownGroup {
        id: GroupId::new(id),
        name,
        subject: subject.as_deref().map(Subject::from_stored),
        members: members.remove(&id).unwrap_or_default(),
    };
    Ok(named.into_iter().map(group).collect())
}

/// Makes accounts with an identity each.
///
/// # Errors
/// [`StoreError::Conflict`] when one name, address or identity is taken: nothing is made then.
pub async fn insert_accounts(
    link: &mut Link,
    new: &[(NewAccount, Identity)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let account = "INSERT INTO account (id, username, username_key, username_skeleton, email, email_key, name, status, \
                   administrator, sessions_valid_from, created_at, email_verified)";
    let identity = "INSERT INTO identity (id, account_id, source, issuer, subject, leads, created_at)";
    for some in new.chunks(ROWS) {
        execute_rows!(link, rows(account, some.len(), 12, ""), some, |query, row| query
            .bind(row.0.id.uuid())
            .bind(row.0.username.as_str())
            .bind(row.0.username.key())
            .bind(row.0.username.skeleton())
            .bind(row.0.email.as_str())
            .bind(row.0.email.key())
            .bind(row.0.name.as_str())
            .bind(row.0.status.as_str())
            .bind(row.0.administrator)
            .bind(0_i64)
            .bind(now.millis())
            .bind(true))?;
        execute_rows!(link, rows(identity, some.len(), 7, ""), some, |query, row| query
            .bind(row.1.id.uuid())
            .bind(row.1.account.uuid())
            .bind(row.1.source.key())
            .bind(row.1.issuer.as_str())
            .bind(row.1.subject.as_str())
            .bind(row.1.leads)
            .bind(row.1.created_at.millis()))?;
    }
    Ok(())
}

/// Notes that a lock is the synchronisation's own.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(
    link: &mut Link,
    source: &Source,
    account: AccountId,
    why: (Hold, bool),
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO directory_hold (account_id, directory, reason, since, retains) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (account_id) DO UPDATE SET directory = $2, reason = $3, since = $4, retains = $5",
        account.uuid(),
        source.key(),
        why.0.as_str(),
        now.millis(),
        why.1
    )
    .map(drop)
}

/// Forgets that a lock was the synchronisation's own. False when it was not, or is not any more.
///
/// # Errors
/// [`StoreError`].
pub async fn release(link: &mut Link, account: AccountId) -> Result<bool, StoreError> {
    let rows = execute!(link, "DELETE FROM directory_hold WHERE account_id = $1", account.uuid())?;
    Ok(rows > 0)
}

/// The directory that keeps an account's password.
///
/// # Errors
/// [`StoreError`].
pub async fn keeper(link: &mut Link, account: AccountId) -> Result<Option<Source>, StoreError> {
    let row = fetch_optional!(
        link,
        (String,),
        "SELECT source FROM identity WHERE account_id = $1 AND source LIKE 'directory:%' ORDER BY created_at LIMIT 1",
        account.uuid()
    )?;
    Ok(row.and_then(|(source,)| Source::from_key(&source)))
}

/// When the last run that came to an end began, whoever ran it.
///
/// # Errors
/// [`StoreError`].
pub async fn last_run(link: &mut Link, source: &Source) -> Result<Option<Timestamp>, StoreError> {
    let row = fetch_optional!(link, (i64,), "SELECT started_at FROM directory_run WHERE directory = $1", source.key())?;
    Ok(row.map(|(at,)| Timestamp::from_millis(at)))
}

/// Notes a run that came to an end: when it began, when it ended, with what. One that was killed leaves no note, so that
/// the next process need not wait.
///
/// # Errors
/// [`StoreError`].
pub async fn ran(
    link: &mut Link,
    source: &Source,
    (began, ended): (Timestamp, Timestamp),
    outcome: &str,
) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO directory_run (directory, started_at, finished_at, outcome) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (directory) DO UPDATE SET started_at = $2, finished_at = $3, outcome = $4",
        source.key(),
        began.millis(),
        ended.millis(),
        outcome
    )
    .map(drop)
}
