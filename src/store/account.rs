//! Accounts as rows.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::account::{Account, AccountStatus, DisplayName, EmailAddress, LoginName, Username};
use crate::domain::id::AccountId;
use crate::domain::language::Language;
use crate::domain::time::Timestamp;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    username: String,
    email: String,
    name: String,
    language: Option<String>,
    time_zone: Option<String>,
    status: String,
    administrator: bool,
    sessions_valid_from: i64,
    created_at: i64,
    last_sign_in_at: Option<i64>,
    ends_at: Option<i64>,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            id: AccountId::new(row.id),
            username: row.username,
            email: row.email,
            name: row.name,
            language: row.language.as_deref().and_then(Language::parse),
            time_zone: row.time_zone,
            status: AccountStatus::from_stored(&row.status),
            administrator: row.administrator,
            sessions_valid_from: Timestamp::from_millis(row.sessions_valid_from),
            created_at: Timestamp::from_millis(row.created_at),
            last_sign_in_at: row.last_sign_in_at.map(Timestamp::from_millis),
            ends_at: row.ends_at.map(Timestamp::from_millis),
        }
    }
}

/// An account about to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its identifier.
    pub id: AccountId,
    /// The name it will sign in with.
    pub username: Username,
    /// Its address.
    pub email: EmailAddress,
    /// The name others see.
    pub name: DisplayName,
    /// Whether it administers this service.
    pub administrator: bool,
    /// Whether it may sign in, or waits for something.
    pub status: AccountStatus,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// What of a new account is taken already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The username, or one that looks the same.
    pub username: bool,
    /// The address.
    pub email: bool,
}

/// Makes an account.
///
/// # Errors
/// [`StoreError::Conflict`] when username or address are taken.
pub async fn insert(link: &mut Link, new: &NewAccount, now: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO account (id, username, username_key, username_skeleton, email, email_key, name, status, \
         administrator, sessions_valid_from, created_at, ends_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        new.id.uuid(),
        new.username.as_str(),
        new.username.key(),
        new.username.skeleton(),
        new.email.as_str(),
        new.email.key(),
        new.name.as_str(),
        new.status.as_str(),
        new.administrator,
        0_i64,
        now.millis(),
        new.ends_at.map(Timestamp::millis),
    )
    .map(drop)
}

/// Makes an active account that has no address yet. What stands in `email_key` is nobody's: it is no address, holds what
/// no username may, and is unique like the identifier it is made of.
///
/// # Errors
/// [`StoreError::Conflict`] when the username is taken.
pub async fn insert_without_address(
    link: &mut Link,
    id: AccountId,
    username: &Username,
    name: &DisplayName,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO account (id, username, username_key, username_skeleton, email, email_key, name, status, \
         administrator, sessions_valid_from, created_at) VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10)",
        id.uuid(),
        username.as_str(),
        username.key(),
        username.skeleton(),
        format!("none:{id}"),
        name.as_str(),
        AccountStatus::Active.as_str(),
        false,
        0_i64,
        now.millis(),
    )
    .map(drop)
}

/// Says which of the two names another account has already.
///
/// # Errors
/// [`StoreError`].
pub async fn taken(link: &mut Link, username: &Username, email: &EmailAddress) -> Result<Taken, StoreError> {
    let by_name = fetch_optional!(
        link,
        (i64,),
        "SELECT COUNT(*) FROM account WHERE username_key = $1 OR username_skeleton = $2 OR email_key = $1",
        username.key(),
        username.skeleton(),
    )?;
    let email = email_taken(link, email).await?;
    Ok(Taken { username: by_name.is_some_and(|(n,)| n > 0), email })
}

/// Whether an account has this address, or signs in with it as its username.
///
/// # Errors
/// [`StoreError`].
pub async fn email_taken(link: &mut Link, email: &EmailAddress) -> Result<bool, StoreError> {
    let row = fetch_optional!(
        link,
        (i64,),
        "SELECT COUNT(*) FROM account WHERE email_key = $1 OR username_key = $1",
        email.key()
    )?;
    Ok(row.is_some_and(|(n,)| n > 0))
}

/// Whether an account other than this one has the username, one that looks the same, or signs in with it as its address.
///
/// # Errors
/// [`StoreError`].
pub async fn username_taken(link: &mut Link, username: &Username, but: Option<AccountId>) -> Result<bool, StoreError> {
    let row = fetch_optional!(
        link,
        (i64,),
        "SELECT COUNT(*) FROM account WHERE (username_key = $1 OR username_skeleton = $2 OR email_key = $1) \
         AND id <> $3",
        username.key(),
        username.skeleton(),
        but.map_or(Uuid::nil(), AccountId::uuid),
    )?;
    Ok(row.is_some_and(|(n,)| n > 0))
}

/// The account with this identifier.
///
/// # Errors
/// [`StoreError`].
pub async fn by_id(link: &mut Link, id: AccountId) -> Result<Option<Account>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT id, username, email, name, language, time_zone, status, administrator, sessions_valid_from, \
         created_at, last_sign_in_at, ends_at FROM account WHERE id = $1",
        id.uuid()
    )?;
    Ok(row.map(Account::from))
}

/// The account that signs in with this name: its username first, then its address.
///
/// # Errors
/// [`StoreError`].
pub async fn by_login(link: &mut Link, login: &LoginName) -> Result<Option<Account>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT id, username, email, name, language, time_zone, status, administrator, sessions_valid_from, \
         created_at, last_sign_in_at, ends_at FROM account WHERE username_key = $1 OR email_key = $1 \
         ORDER BY CASE WHEN username_key = $1 THEN 0 ELSE 1 END LIMIT 1",
        login.key()
    )?;
    Ok(row.map(Account::from))
}

/// Accounts that administer this service.
///
/// # Errors
/// [`StoreError`].
pub async fn administrators(link: &mut Link) -> Result<Vec<Account>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT id, username, email, name, language, time_zone, status, administrator, sessions_valid_from, \
         created_at, last_sign_in_at, ends_at FROM account WHERE administrator = $1 ORDER BY username_key",
        true
    )?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// Sets the state.
///
/// # Errors
/// [`StoreError`].
pub async fn set_status(link: &mut Link, id: AccountId, status: AccountStatus) -> Result<(), StoreError> {
    execute!(link, "UPDATE account SET status = $2 WHERE id = $1", id.uuid(), status.as_str()).map(drop)
}

/// Gives a waiting account the names that its owner chose, and opens it.
///
/// # Errors
/// [`StoreError::Conflict`] when the username is taken.
pub async fn welcome(
    link: &mut Link,
    id: AccountId,
    username: &Username,
    name: &DisplayName,
    status: AccountStatus,
) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE account SET username = $2, username_key = $3, username_skeleton = $4, name = $5, status = $6 \
         WHERE id = $1",
        id.uuid(),
        username.as_str(),
        username.key(),
        username.skeleton(),
        name.as_str(),
        status.as_str()
    )
    .map(drop)
}

/// Sets when the account ends by itself; `None` is never.
///
/// # Errors
/// [`StoreError`].
pub async fn set_end(link: &mut Link, id: AccountId, ends_at: Option<Timestamp>) -> Result<(), StoreError> {
    execute!(link, "UPDATE account SET ends_at = $2 WHERE id = $1", id.uuid(), ends_at.map(Timestamp::millis)).map(drop)
}

/// Accounts whose time is over and whose sessions were not ended for it yet.
///
/// # Errors
/// [`StoreError`].
pub async fn ended(link: &mut Link, now: Timestamp, limit: u32) -> Result<Vec<AccountId>, StoreError> {
    let rows = fetch_all!(
        link,
        (Uuid,),
        "SELECT id FROM account WHERE ends_at IS NOT NULL AND ends_at <= $1 AND sessions_valid_from <= ends_at LIMIT $2",
        now.millis(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|(id,)| AccountId::new(id)).collect())
}

/// Sets the administrator flag.
///
/// # Errors
/// [`StoreError`].
pub async fn set_administrator(link: &mut Link, id: AccountId, administrator: bool) -> Result<(), StoreError> {
    execute!(link, "UPDATE account SET administrator = $2 WHERE id = $1", id.uuid(), administrator).map(drop)
}

/// Ends every session opened up to and including `now`, on every node, with the commit. Never moves backwards.
///
/// # Errors
/// [`StoreError`].
pub async fn end_sessions_before(link: &mut Link, id: AccountId, now: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE account SET sessions_valid_from = $2 WHERE id = $1 AND sessions_valid_from < $2",
        id.uuid(),
        now.millis().saturating_add(1)
    )
    .map(drop)
}

/// Notes a session's opening.
///
/// # Errors
/// [`StoreError`].
pub async fn signed_in(link: &mut Link, id: AccountId, now: Timestamp) -> Result<(), StoreError> {
    execute!(link, "UPDATE account SET last_sign_in_at = $2 WHERE id = $1", id.uuid(), now.millis()).map(drop)
}

/// What people may change about themselves without further proof.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name others see.
    pub name: DisplayName,
    /// Language of pages and letters.
    pub language: Option<Language>,
    /// IANA time zone.
    pub time_zone: Option<String>,
}

/// Changes the profile.
///
/// # Errors
/// [`StoreError`].
pub async fn set_profile(link: &mut Link, id: AccountId, profile: &Profile) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE account SET name = $2, language = $3, time_zone = $4 WHERE id = $1",
        id.uuid(),
        profile.name.as_str(),
        profile.language.map(Language::tag),
        profile.time_zone.as_deref(),
    )
    .map(drop)
}

/// Changes the address to one that its owner has confirmed.
///
/// # Errors
/// [`StoreError::Conflict`] when another account has it.
pub async fn set_email(link: &mut Link, id: AccountId, email: &EmailAddress) -> Result<(), StoreError> {
    set_email_as(link, id, email, true).await
}

/// Changes the address; `verified` says whether somebody has shown that it is the owner's.
///
/// # Errors
/// [`StoreError::Conflict`] when another account has it.
pub async fn set_email_as(
    link: &mut Link,
    id: AccountId,
    email: &EmailAddress,
    verified: bool,
) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE account SET email = $2, email_key = $3, email_verified = $4 WHERE id = $1",
        id.uuid(),
        email.as_str(),
        email.key(),
        verified
    )
    .map(drop)
}

/// Whether the address is known to be the owner's.
///
/// # Errors
/// [`StoreError`].
pub async fn email_is_verified(link: &mut Link, id: AccountId) -> Result<bool, StoreError> {
    let row = fetch_optional!(link, (bool,), "SELECT email_verified FROM account WHERE id = $1", id.uuid())?;
    Ok(row.is_some_and(|(verified,)| verified))
}

/// Changes the username.
///
/// # Errors
/// [`StoreError::Conflict`] when another account has it, or one that looks the same.
pub async fn set_username(link: &mut Link, id: AccountId, username: &Username) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE account SET username = $2, username_key = $3, username_skeleton = $4 WHERE id = $1",
        id.uuid(),
        username.as_str(),
        username.key(),
        username.skeleton()
    )
    .map(drop)
}
