//! One-time tokens: links in letters and on the terminal. Only hashes are kept; each is taken once.

use super::database::{Link, StoreError, execute, fetch_optional};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// What a token is good for; a token for one thing is unknown to every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Creating the first administrator.
    SetUp,
    /// Choosing a new password.
    Recovery,
    /// Confirming a new address.
    Email,
    /// Accepting an invitation.
    Invitation,
    /// Making an account for oneself.
    Registration,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Recovery => "recovery",
            Self::Email => "email",
            Self::Invitation => "invitation",
            Self::Registration => "registration",
        }
    }
}

/// A token about to be issued, or as found.
#[derive(Clone, Debug)]
pub struct Token {
    /// SHA-256 of what the link carries.
    pub hash: [u8; 32],
    /// What it is good for.
    pub purpose: Purpose,
    /// Whose it is.
    pub account: Option<AccountId>,
    /// Something to remember with it, sealed.
    pub sealed: Option<Vec<u8>>,
    /// End of its life.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    account_id: Option<Uuid>,
    sealed: Option<Vec<u8>>,
    expires_at: i64,
}

/// Issues a token.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, token: &Token, now: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO one_time_token (hash, purpose, account_id, sealed, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        token.hash.as_slice(),
        token.purpose.as_str(),
        token.account.map(AccountId::uuid),
        token.sealed.as_deref(),
        now.millis(),
        token.expires_at.millis()
    )
    .map(drop)
}

/// A token that is still good; it stays.
///
/// # Errors
/// [`StoreError`].
pub async fn peek(
    link: &mut Link,
    hash: &[u8; 32],
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    Ok(known(link, hash, purpose).await?.filter(|token| now < token.expires_at))
}

/// A token whether or not its time is over; it stays.
///
/// # Errors
/// [`StoreError`].
pub async fn known(link: &mut Link, hash: &[u8; 32], purpose: Purpose) -> Result<Option<Token>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT account_id, sealed, expires_at FROM one_time_token WHERE hash = $1 AND purpose = $2",
        hash.as_slice(),
        purpose.as_str()
    )?;
    Ok(row.map(|row| found(row, hash, purpose)))
}

/// Removes one token; false when another caller did.
///
/// # Errors
/// [`StoreError`].
pub async fn discard(link: &mut Link, hash: &[u8; 32], purpose: Purpose) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "DELETE FROM one_time_token WHERE hash = $1 AND purpose = $2",
        hash.as_slice(),
        purpose.as_str()
    )?;
    Ok(rows > 0)
}

/// Takes a token that is still good: of two callers, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn take(
    link: &mut Link,
    hash: &[u8; 32],
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "DELETE FROM one_time_token WHERE hash = $1 AND purpose = $2 AND expires_at > $3 \
         RETURNING account_id, sealed, expires_at",
        hash.as_slice(),
        purpose.as_str(),
        now.millis()
    )?;
    Ok(row.map(|row| found(row, hash, purpose)))
}

fn found(row: Row, hash: &[u8; 32], purpose: Purpose) -> Token {
    Token {
        hash: *hash,
        purpose,
        account: row.account_id.map(AccountId::new),
        sealed: row.sealed,
        expires_at: Timestamp::from_millis(row.expires_at),
    }
}

/// Voids all tokens of an account; with a purpose, only those.
///
/// # Errors
/// [`StoreError`].
pub async fn void(link: &mut Link, account: AccountId, purpose: Option<Purpose>) -> Result<u64, StoreError> {
    match purpose {
        Some(purpose) => execute!(
            link,
            "DELETE FROM one_time_token WHERE account_id = $1 AND purpose = $2",
            account.uuid(),
            purpose.as_str()
        ),
        None => execute!(link, "DELETE FROM one_time_token WHERE account_id = $1", account.uuid()),
    }
}

/// Voids all tokens of a purpose made until a point in time, whoever they belong to.
///
/// # Errors
/// [`StoreError`].
pub async fn void_made_before(link: &mut Link, purpose: Purpose, until: Timestamp) -> Result<u64, StoreError> {
    execute!(
        link,
        "DELETE FROM one_time_token WHERE purpose = $1 AND created_at <= $2",
        purpose.as_str(),
        until.millis()
    )
}

/// Removes those whose time is over. Invitations stay: following an old one brings a new letter. They go with the
/// acceptance, the next letter, a lock, or their account.
///
/// # Errors
/// [`StoreError`].
pub async fn sweep(link: &mut Link, now: Timestamp) -> Result<u64, StoreError> {
    execute!(
        link,
        "DELETE FROM one_time_token WHERE expires_at <= $1 AND purpose <> $2",
        now.millis(),
        Purpose::Invitation.as_str()
    )
}
