//! Sessions that sources vouched for, as rows, seen from the source: which ones it means when it ends some, and which are
//! to be asked about again. Opening and following one of them is in `identity.rs`.

use super::database::{Link, StoreError, execute, fetch_all};
use crate::domain::id::{AccountId, IdentityId, RememberedId, SessionId};
use crate::domain::identity::Source;
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A session, and for whom a source vouches in it.
#[derive(Clone, Debug)]
pub struct Vouching {
    /// The session of ours; it may have ended.
    pub session: SessionId,
    /// The remembered browser that it belongs to.
    pub remembered: Option<RememberedId>,
    /// Whose it is.
    pub account: AccountId,
    /// The identity.
    pub identity: IdentityId,
    /// Who vouches.
    pub source: Source,
    /// See [`crate::domain::identity::Vouched::issuer`].
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// What is needed to end it there, or to ask about it; sealed.
    pub sealed: Option<Vec<u8>>,
    /// When it is to be asked about.
    pub check_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: Uuid,
    remembered_id: Option<Uuid>,
    account_id: Uuid,
    identity_id: Uuid,
    source: String,
    issuer: String,
    subject: String,
    sealed: Option<Vec<u8>>,
    check_at: Option<i64>,
}

impl TryFrom<Row> for Vouching {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let source = Source::from_key(&row.source);
        Ok(Self {
            session: SessionId::new(row.session_id),
            remembered: row.remembered_id.map(RememberedId::new),
            account: AccountId::new(row.account_id),
            identity: IdentityId::new(row.identity_id),
            source: source.ok_or_else(|| StoreError::Unreadable("an identity has no known source".into()))?,
            issuer: row.issuer,
            subject: row.subject,
            sealed: row.sealed,
            check_at: row.check_at.map(Timestamp::from_millis),
        })
    }
}

/// Which sessions a source means.
#[derive(Clone, Copy, Debug)]
pub enum Meant<'a> {
    /// Those that it gave this name.
    Session(&'a str),
    /// All of this subject.
    Subject(&'a str),
    /// That of this subject which has this name, with those of the subject that the source gave no name.
    Both {
        /// The name of the session.
        session: &'a str,
        /// The subject.
        subject: &'a str,
    },
}

/// The sessions that a source means.
///
/// # Errors
/// [`StoreError`].
pub async fn meant(
    link: &mut Link,
    source: &Source,
    issuer: &str,
    meant: Meant<'_>,
) -> Result<Vec<Vouching>, StoreError> {
    let (session, subject) = match meant {
        Meant::Session(session) => (Some(session), None),
        Meant::Subject(subject) => (None, Some(subject)),
        Meant::Both { session, subject } => (Some(session), Some(subject)),
    };
    // Without a name every session of the subject is meant; with one, those without any can only be found by the subject.
    let rows = fetch_all!(
        link,
        Row,
        "SELECT p.session_id, p.remembered_id, i.account_id, p.identity_id, i.source, i.issuer, i.subject, p.sealed, \
         p.check_at FROM provider_session p JOIN identity i ON i.id = p.identity_id \
         WHERE i.source = $1 AND i.issuer = $2 AND ($3 = '' OR i.subject = $3) \
         AND ($4 = '' OR p.upstream_id = $4 OR ($3 <> '' AND p.upstream_id IS NULL))",
        source.key(),
        issuer,
        subject.unwrap_or_default(),
        session.unwrap_or_default()
    )?;
    rows.into_iter().map(Vouching::try_from).collect()
}

/// Sessions that a source vouched for, some at a time, by their names.
///
/// # Errors
/// [`StoreError`].
pub async fn of_source(
    link: &mut Link,
    source: &Source,
    issuer: &str,
    after: Option<SessionId>,
    most: u32,
) -> Result<Vec<Vouching>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT p.session_id, p.remembered_id, i.account_id, p.identity_id, i.source, i.issuer, i.subject, p.sealed, \
         p.check_at FROM provider_session p JOIN identity i ON i.id = p.identity_id \
         WHERE i.source = $1 AND i.issuer = $2 AND p.session_id > $3 ORDER BY p.session_id LIMIT $4",
        source.key(),
        issuer,
        after.map_or(Uuid::nil(), SessionId::uuid),
        i64::from(most)
    )?;
    rows.into_iter().map(Vouching::try_from).collect()
}

/// Sessions that are to be asked about at `now`, those that wait longest first.
///
/// # Errors
/// [`StoreError`].
pub async fn due(link: &mut Link, now: Timestamp, most: u32) -> Result<Vec<Vouching>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT p.session_id, p.remembered_id, i.account_id, p.identity_id, i.source, i.issuer, i.subject, p.sealed, \
         p.check_at FROM provider_session p JOIN identity i ON i.id = p.identity_id \
         WHERE p.check_at <= $1 ORDER BY p.check_at, p.session_id LIMIT $2",
        now.millis(),
        i64::from(most)
    )?;
    rows.into_iter().map(Vouching::try_from).collect()
}

/// Takes it upon oneself to ask about a session, by saying when it is to be asked about next. False when another did, or
/// it has ended: of two, one asks.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(link: &mut Link, one: &Vouching, next: Option<Timestamp>) -> Result<bool, StoreError> {
    let Some(was) = one.check_at else { return Ok(false) };
    let rows = execute!(
        link,
        "UPDATE provider_session SET check_at = $3 WHERE session_id = $1 AND check_at = $2",
        one.session.uuid(),
        was.millis(),
        next.map(Timestamp::millis)
    )?;
    Ok(rows > 0)
}

/// Says when a session is to be asked about next; it may have got another name since `one` was read.
///
/// # Errors
/// [`StoreError`].
pub async fn check_next(link: &mut Link, one: &Vouching, next: Option<Timestamp>) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE provider_session SET check_at = $2 WHERE identity_id = $1 AND sealed = $3",
        one.identity.uuid(),
        next.map(Timestamp::millis),
        one.sealed.as_deref()
    )
    .map(drop)
}

/// Keeps what the source gave in exchange, wherever the old one is kept: the session may have got another name. False when
/// it has ended meanwhile.
///
/// # Errors
/// [`StoreError`].
pub async fn resealed(link: &mut Link, one: &Vouching, sealed: &[u8]) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE provider_session SET sealed = $3 WHERE identity_id = $1 AND sealed = $2",
        one.identity.uuid(),
        one.sealed.as_deref(),
        sealed
    )?;
    Ok(rows > 0)
}

/// The session goes on under a new name because its remembered browser came back; it is asked about at once, if ever. False
/// when the source has ended it.
///
/// # Errors
/// [`StoreError`].
pub async fn resumed(
    link: &mut Link,
    browser: RememberedId,
    new: SessionId,
    now: Timestamp,
    ends_at: Timestamp,
) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE provider_session SET session_id = $2, ends_at = $4, \
         check_at = CASE WHEN check_at IS NULL THEN NULL ELSE CAST($3 AS BIGINT) END WHERE remembered_id = $1",
        browser.uuid(),
        new.uuid(),
        now.millis(),
        ends_at.millis()
    )?;
    Ok(rows > 0)
}

/// Forgets a session that has ended.
///
/// # Errors
/// [`StoreError`].
pub async fn closed(link: &mut Link, session: SessionId) -> Result<(), StoreError> {
    execute!(link, "DELETE FROM provider_session WHERE session_id = $1", session.uuid()).map(drop)
}
