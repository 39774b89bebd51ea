//! Identities as rows: who somebody is at a source.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::account::{AccountStatus, EmailAddress};
use crate::domain::id::{AccountId, IdentityId};
use crate::domain::identity::{Identity, Source};
use crate::domain::resolve::{EmailHolder, Worth};
use crate::domain::time::Timestamp;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    account_id: Uuid,
    source: String,
    issuer: String,
    subject: String,
    leads: bool,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl TryFrom<Row> for Identity {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let source = Source::from_key(&row.source);
        Ok(Self {
            id: IdentityId::new(row.id),
            account: AccountId::new(row.account_id),
            source: source.ok_or_else(|| StoreError::Unreadable("an identity has no known source".into()))?,
            issuer: row.issuer,
            subject: row.subject,
            leads: row.leads,
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_millis),
        })
    }
}

/// Links an account.
///
/// # Errors
/// [`StoreError::Conflict`] when the identity belongs to an account, or the account has one of this source.
pub async fn insert(link: &mut Link, new: &Identity) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO identity (id, account_id, source, issuer, subject, leads, created_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id.uuid(),
        new.account.uuid(),
        new.source.key(),
        new.issuer.as_str(),
        new.subject.as_str(),
        new.leads,
        new.created_at.millis(),
        new.last_used_at.map(Timestamp::millis)
    )
    .map(drop)
}

/// The identity of somebody at a source.
///
/// # Errors
/// [`StoreError`].
pub async fn by_subject(
    link: &mut Link,
    source: &Source,
    issuer: &str,
    subject: &str,
) -> Result<Option<Identity>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT id, account_id, source, issuer, subject, leads, created_at, last_used_at FROM identity \
         WHERE source = $1 AND issuer = $2 AND subject = $3",
        source.key(),
        issuer,
        subject
    )?;
    row.map(Identity::try_from).transpose()
}

/// Who an identity is at its source.
///
/// # Errors
/// [`StoreError`].
pub async fn subject_of(link: &mut Link, id: IdentityId) -> Result<Option<String>, StoreError> {
    let row = fetch_optional!(link, (String,), "SELECT subject FROM identity WHERE id = $1", id.uuid())?;
    Ok(row.map(|(subject,)| subject))
}

/// The source of an identity.
///
/// # Errors
/// [`StoreError`].
pub async fn source_of(link: &mut Link, id: IdentityId) -> Result<Option<Source>, StoreError> {
    let row = fetch_optional!(link, (String,), "SELECT source FROM identity WHERE id = $1", id.uuid())?;
    Ok(row.and_then(|(source,)| Source::from_key(&source)))
}

/// All identities of an account, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of_account(link: &mut Link, account: AccountId) -> Result<Vec<Identity>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT id, account_id, source, issuer, subject, leads, created_at, last_used_at FROM identity \
         WHERE account_id = $1 ORDER BY created_at, id",
        account.uuid()
    )?;
    rows.into_iter().map(Identity::try_from).collect()
}

/// Notes a sign-in.
///
/// # Errors
/// [`StoreError`].
pub async fn used(link: &mut Link, id: IdentityId, now: Timestamp) -> Result<(), StoreError> {
    execute!(link, "UPDATE identity SET last_used_at = $2 WHERE id = $1", id.uuid(), now.millis()).map(drop)
}

/// Unlinks one identity, if it is the account's. False when there was none.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, account: AccountId, id: IdentityId) -> Result<bool, StoreError> {
    let rows = execute!(link, "DELETE FROM identity WHERE id = $1 AND account_id = $2", id.uuid(), account.uuid())?;
    Ok(rows > 0)
}

/// Whether the account is linked to an identity provider (a directory does not count).
///
/// # Errors
/// [`StoreError`].
pub async fn is_linked_to_provider(link: &mut Link, account: AccountId) -> Result<bool, StoreError> {
    let row = fetch_optional!(
        link,
        (i64,),
        "SELECT COUNT(*) FROM identity WHERE account_id = $1 AND source LIKE 'provider:%'",
        account.uuid()
    )?;
    Ok(row.is_some_and(|(n,)| n > 0))
}

/// The account that has an address, or signs in with it as its username.
///
/// # Errors
/// [`StoreError`].
pub async fn holder_of_email(
    link: &mut Link,
    email: &EmailAddress,
    source: &Source,
) -> Result<Option<EmailHolder>, StoreError> {
    let row = fetch_optional!(
        link,
        (Uuid, String, bool, String, bool, i64),
        "SELECT a.id, a.email_key, a.email_verified, a.status, a.administrator, \
         (SELECT COUNT(*) FROM identity i WHERE i.account_id = a.id AND i.source = $2) \
         FROM account a WHERE a.email_key = $1 OR a.username_key = $1 \
         ORDER BY CASE WHEN a.email_key = $1 THEN 0 ELSE 1 END LIMIT 1",
        email.key(),
        source.key()
    )?;
    Ok(row.map(|(id, key, verified, status, administrator, linked)| EmailHolder {
        account: AccountId::new(id),
        // A username that looks like the address was never verified.
        verified: verified && key == email.key(),
        status: AccountStatus::from_stored(&status),
        linked_here: linked > 0,
        // Unless somebody finds that nobody could be asked.
        worth: if administrator { Worth::Nothing } else { Worth::Question },
    }))
}
