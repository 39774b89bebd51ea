//! Authenticators as rows. The secret column arrives sealed and leaves sealed; backup codes are in `backup_code.rs`.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::authenticator::{Authenticator, Kind};
use crate::domain::id::{AccountId, AuthenticatorId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    account_id: Uuid,
    kind: String,
    name: String,
    sealed: Vec<u8>,
    last_step: Option<i64>,
    preferred: bool,
    created_at: i64,
    last_used_at: Option<i64>,
}

/// An authenticator with its sealed secret.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What may be shown.
    pub about: Authenticator,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
}

impl TryFrom<Row> for Stored {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = Kind::parse(&row.kind).ok_or_else(|| StoreError::Unreadable("an unknown kind of factor".into()))?;
        let about = Authenticator {
            id: AuthenticatorId::new(row.id),
            account: AccountId::new(row.account_id),
            kind,
            name: row.name,
            preferred: row.preferred,
            last_step: row.last_step,
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_millis),
        };
        Ok(Self { about, sealed: row.sealed })
    }
}

/// Binds one. `credential` is the hash of a passkey's credential id.
///
/// # Errors
/// [`StoreError::Conflict`] when that credential is bound already.
pub async fn insert(link: &mut Link, one: &Stored, credential: Option<&[u8; 32]>) -> Result<(), StoreError> {
    let about = &one.about;
    execute!(
        link,
        "INSERT INTO authenticator (id, account_id, kind, name, sealed, credential_hash, last_step, preferred, \
         created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        about.id.uuid(),
        about.account.uuid(),
        about.kind.as_str(),
        about.name.as_str(),
        one.sealed.as_slice(),
        credential.map(<[u8; 32]>::as_slice),
        about.last_step,
        about.preferred,
        about.created_at.millis(),
        about.last_used_at.map(Timestamp::millis),
    )
    .map(drop)
}

/// All of an account, the preferred one first, then in the order in which they were bound.
///
/// # Errors
/// [`StoreError`].
pub async fn of_account(link: &mut Link, account: AccountId) -> Result<Vec<Stored>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT id, account_id, kind, name, sealed, last_step, preferred, created_at, last_used_at \
         FROM authenticator WHERE account_id = $1 ORDER BY preferred DESC, created_at, id",
        account.uuid()
    )?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// The passkey with this credential id's hash.
///
/// # Errors
/// [`StoreError`].
pub async fn by_credential(link: &mut Link, credential: &[u8; 32]) -> Result<Option<Stored>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT id, account_id, kind, name, sealed, last_step, preferred, created_at, last_used_at \
         FROM authenticator WHERE credential_hash = $1",
        credential.as_slice()
    )?;
    row.map(Stored::try_from).transpose()
}

/// Whether an account has any.
///
/// # Errors
/// [`StoreError`].
pub async fn any(link: &mut Link, account: AccountId) -> Result<bool, StoreError> {
    let row =
        fetch_optional!(link, (Uuid,), "SELECT id FROM authenticator WHERE account_id = $1 LIMIT 1", account.uuid())?;
    Ok(row.is_some())
}

/// Takes a code of a time step, if no later or equal one was taken before. False when one was: the code was used.
///
/// # Errors
/// [`StoreError`].
pub async fn take_step(link: &mut Link, id: AuthenticatorId, step: i64, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE authenticator SET last_step = $2, last_used_at = $3 \
         WHERE id = $1 AND (last_step IS NULL OR last_step < $2)",
        id.uuid(),
        step,
        now.millis()
    )?;
    Ok(rows > 0)
}

/// Notes a use. False when it is gone.
///
/// # Errors
/// [`StoreError`].
pub async fn touch(link: &mut Link, id: AuthenticatorId, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(link, "UPDATE authenticator SET last_used_at = $2 WHERE id = $1", id.uuid(), now.millis())?;
    Ok(rows > 0)
}

/// Replaces the sealed value, unless somebody else did meanwhile.
///
/// # Errors
/// [`StoreError`].
pub async fn reseal(link: &mut Link, id: AuthenticatorId, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
    let rows =
        execute!(link, "UPDATE authenticator SET sealed = $3 WHERE id = $1 AND sealed = $2", id.uuid(), old, new)?;
    Ok(rows > 0)
}

/// All of an installation behind an id, a page at a time; for sealing anew.
///
/// # Errors
/// [`StoreError`].
pub async fn page(link: &mut Link, after: Uuid, limit: u32) -> Result<Vec<(AuthenticatorId, Vec<u8>)>, StoreError> {
    let rows = fetch_all!(
        link,
        (Uuid, Vec<u8>),
        "SELECT id, sealed FROM authenticator WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|(id, sealed)| (AuthenticatorId::new(id), sealed)).collect())
}

/// Removes one of an account; says what it was.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, account: AccountId, id: AuthenticatorId) -> Result<bool, StoreError> {
    let rows =
        execute!(link, "DELETE FROM authenticator WHERE id = $1 AND account_id = $2", id.uuid(), account.uuid())?;
    Ok(rows > 0)
}

/// Removes all of an account; returns how many there were.
///
/// # Errors
/// [`StoreError`].
pub async fn remove_all(link: &mut Link, account: AccountId) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM authenticator WHERE account_id = $1", account.uuid())
}

/// Renames one of an account. False when there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn rename(link: &mut Link, account: AccountId, id: AuthenticatorId, name: &str) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE authenticator SET name = $3 WHERE id = $1 AND account_id = $2",
        id.uuid(),
        account.uuid(),
        name
    )?;
    Ok(rows > 0)
}

/// Makes one of an account the preferred one, and no other.
///
/// # Errors
/// [`StoreError`].
pub async fn prefer(link: &mut Link, account: AccountId, id: AuthenticatorId) -> Result<(), StoreError> {
    execute!(link, "UPDATE authenticator SET preferred = (id = $2) WHERE account_id = $1", account.uuid(), id.uuid())
        .map(drop)
}
