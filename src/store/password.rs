//! Password hashes as rows: the one that is good, and former ones that must not come back.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// PHC string (argon2id) or an imported bcrypt hash.
    pub hash: String,
    /// When it was chosen; a transparent re-hash does not move it.
    pub set_at: Timestamp,
    /// It must be changed at the next sign-in.
    pub must_change: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    hash: String,
    set_at: i64,
    must_change: bool,
}

/// The password of an account, if it has one.
///
/// # Errors
/// [`StoreError`].
pub async fn of(link: &mut Link, account: AccountId) -> Result<Option<StoredPassword>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT hash, set_at, must_change FROM password WHERE account_id = $1",
        account.uuid()
    )?;
    Ok(row.map(|row| StoredPassword {
        hash: row.hash,
        set_at: Timestamp::from_millis(row.set_at),
        must_change: row.must_change,
    }))
}

/// Sets the password. The one before it joins the former ones, of which the newest `keep` stay.
///
/// # Errors
/// [`StoreError`].
pub async fn set(link: &mut Link, account: AccountId, new: &StoredPassword, keep: u32) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO former_password (account_id, hash, replaced_at) \
         SELECT account_id, hash, $2 FROM password WHERE account_id = $1 \
         ON CONFLICT (account_id, replaced_at) DO UPDATE SET hash = excluded.hash",
        account.uuid(),
        new.set_at.millis()
    )?;
    execute!(
        link,
        "INSERT INTO password (account_id, hash, set_at, must_change) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at, \
         must_change = excluded.must_change",
        account.uuid(),
        new.hash.as_str(),
        new.set_at.millis(),
        new.must_change
    )?;
    execute!(
        link,
        "DELETE FROM former_password WHERE account_id = $1 AND replaced_at NOT IN \
         (SELECT replaced_at FROM former_password WHERE account_id = $1 ORDER BY replaced_at DESC LIMIT $2)",
        account.uuid(),
        i64::from(keep)
    )
    .map(drop)
}

/// Replaces the hash of the same password (new parameters), unless the password was changed meanwhile.
///
/// # Errors
/// [`StoreError`].
pub async fn rehash(link: &mut Link, account: AccountId, old: &str, new: &str) -> Result<(), StoreError> {
    execute!(link, "UPDATE password SET hash = $3 WHERE account_id = $1 AND hash = $2", account.uuid(), old, new)
        .map(drop)
}

/// Hashes of former passwords, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn former(link: &mut Link, account: AccountId) -> Result<Vec<String>, StoreError> {
    let rows = fetch_all!(
        link,
        (String,),
        "SELECT hash FROM former_password WHERE account_id = $1 ORDER BY replaced_at DESC",
        account.uuid()
    )?;
    Ok(rows.into_iter().map(|(hash,)| hash).collect())
}
