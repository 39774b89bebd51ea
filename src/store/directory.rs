//! What a synchronisation compares with, and what it writes: in bulk where there is much. Further attributes are
//! `directory_attribute.rs`, groups and their members `directory_group.rs`.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional, insert_rows};
use super::{directory_attribute, directory_group};
use crate::domain::account::AccountStatus;
use crate::domain::directory::plan::Create;
use crate::domain::directory::snapshot::Hold;
use crate::domain::directory::{Known, KnownAccount, Subject};
use crate::domain::id::{AccountId, IdentityId};
use crate::domain::identity::Source;
use crate::domain::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: Uuid,
    username: String,
    username_key: String,
    username_skeleton: String,
    email: String,
    email_key: String,
    name: String,
    status: String,
    subject: Option<String>,
    leads: Option<bool>,
    reason: Option<String>,
}

/// Everything here that a directory has to do with.
///
/// # Errors
/// [`StoreError`].
pub async fn known(link: &mut Link, source: &Source) -> Result<Known, StoreError> {
    let rows = fetch_all!(
        link,
        AccountRow,
        "SELECT a.id, a.username, a.username_key, a.username_skeleton, a.email, a.email_key, a.name, a.status, \
         i.subject, i.leads, h.reason FROM account a \
         LEFT JOIN identity i ON i.account_id = a.id AND i.source = $1 \
         LEFT JOIN directory_hold h ON h.account_id = a.id AND h.directory = $1",
        source.key()
    )?;
    let mut custom = directory_attribute::of_all(link, source).await?;
    let mut known = Known { accounts: Vec::with_capacity(rows.len()), ..Known::default() };
    known.names.reserve(rows.len() * 2);
    known.skeletons.reserve(rows.len());
    for row in rows {
        let id = AccountId::new(row.id);
        known.names.insert(row.username_key, id);
        known.names.insert(row.email_key, id);
        known.skeletons.insert(row.username_skeleton, id);
        let (Some(subject), Some(leads)) = (row.subject, row.leads) else { continue };
        known.accounts.push(KnownAccount {
            id,
            username: row.username,
            email: row.email,
            name: row.name,
            status: AccountStatus::from_stored(&row.status),
            subject: Subject::from_stored(&subject),
            leads,
            held: row.reason.as_deref().map(Hold::from_stored),
            custom: custom.remove(&id).unwrap_or_default(),
        });
    }
    known.groups = directory_group::known(link, source).await?;
    Ok(known)
}

/// An account to be made, and the identifiers that it and its identity get.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The account's.
    pub id: AccountId,
    /// The identity's.
    pub identity: IdentityId,
    /// Everything else.
    pub create: &'a Create,
}

/// Makes accounts with an identity each, which leads; the directory vouches for their addresses.
///
/// # Errors
/// [`StoreError::Conflict`] when one name, address or identity is taken: nothing is made then.
pub async fn insert_accounts(
    link: &mut Link,
    source: &Source,
    new: &[Newcomer<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    // Texts that all rows share: one copy for all.
    let (key, slug): (Arc<str>, Arc<str>) = (source.key().into(), source.slug().into());
    let account = "INSERT INTO account (id, username, username_key, username_skeleton, email, email_key, name, status, \
                   administrator, sessions_valid_from, created_at, email_verified)";
    let values = "($, $, $, $, $, $, $, 'active', false, 0, $, true)";
    insert_rows!(link, account, values, new.iter(), |query, row| {
        let ([username, username_key, skeleton], [email, email_key]) =
            (row.create.username.shared(), row.create.email.shared());
        query
            .bind(row.id.uuid())
            .bind(username)
            .bind(username_key)
            .bind(skeleton)
            .bind(email)
            .bind(email_key)
            .bind(row.create.name.shared())
            .bind(now.millis())
    })?;
    let identity = "INSERT INTO identity (id, account_id, source, issuer, subject, leads, created_at)";
    insert_rows!(link, identity, "($, $, $, $, $, true, $)", new.iter(), |query, row| query
        .bind(row.identity.uuid())
        .bind(row.id.uuid())
        .bind(Arc::clone(&key))
        .bind(Arc::clone(&slug))
        .bind(row.create.subject.shared())
        .bind(now.millis()))
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
