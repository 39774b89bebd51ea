//! Sessions that sources vouched for, as rows: opening one, following it, forgetting it. Which ones a source means when it
//! ends some is in `provider_session.rs`.

use super::database::{Link, StoreError, execute, fetch_optional};
use crate::domain::id::{IdentityId, RememberedId, SessionId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A session that a source vouched for.
#[derive(Clone, Debug)]
pub struct ProviderSession {
    /// The session of ours.
    pub session: SessionId,
    /// Who was vouched for.
    pub identity: IdentityId,
    /// The provider's own name of its session (`sid`, `SessionIndex`).
    pub upstream: Option<String>,
    /// What is needed to end it there, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Absolute end of the session of ours.
    pub ends_at: Timestamp,
    /// The remembered browser that the session belongs to.
    pub remembered: Option<RememberedId>,
    /// When the source is to be asked again; `None` is never.
    pub check_at: Option<Timestamp>,
}

/// Notes a session that a source vouched for.
///
/// # Errors
/// [`StoreError`].
pub async fn opened(link: &mut Link, one: &ProviderSession, now: Timestamp) -> Result<(), StoreError> {
    if let Some(browser) = one.remembered {
        // A remembered browser has one session at a source; the one before has made room.
        execute!(link, "DELETE FROM provider_session WHERE remembered_id = $1", browser.uuid())?;
    }
    execute!(
        link,
        "INSERT INTO provider_session (session_id, identity_id, upstream_id, sealed, created_at, ends_at, \
         remembered_id, check_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        one.session.uuid(),
        one.identity.uuid(),
        one.upstream.as_deref(),
        one.sealed.as_deref(),
        now.millis(),
        one.ends_at.millis(),
        one.remembered.map(RememberedId::uuid),
        one.check_at.map(Timestamp::millis)
    )
    .map(drop)
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: Uuid,
    identity_id: Uuid,
    upstream_id: Option<String>,
    sealed: Option<Vec<u8>>,
    ends_at: i64,
    remembered_id: Option<Uuid>,
    check_at: Option<i64>,
}

impl From<Row> for ProviderSession {
    fn from(row: Row) -> Self {
        Self {
            session: SessionId::new(row.session_id),
            identity: IdentityId::new(row.identity_id),
            upstream: row.upstream_id,
            sealed: row.sealed,
            ends_at: Timestamp::from_millis(row.ends_at),
            remembered: row.remembered_id.map(RememberedId::new),
            check_at: row.check_at.map(Timestamp::from_millis),
        }
    }
}

/// The one with this value in this column.
macro_rules! found {
    ($link:expr, $column:literal, $value:expr) => {{
        let statement = concat!(
            "SELECT session_id, identity_id, upstream_id, sealed, ends_at, remembered_id, check_at \
             FROM provider_session WHERE ",
            $column,
            " = $1"
        );
        Ok(fetch_optional!($link, Row, statement, $value)?.map(ProviderSession::from))
    }};
}

/// What a source vouched for when this session was opened.
///
/// # Errors
/// [`StoreError`].
pub async fn of_session(link: &mut Link, session: SessionId) -> Result<Option<ProviderSession>, StoreError> {
    found!(link, "session_id", session.uuid())
}

/// What a source vouched for when this browser was remembered.
///
/// # Errors
/// [`StoreError`].
pub async fn of_browser(link: &mut Link, browser: RememberedId) -> Result<Option<ProviderSession>, StoreError> {
    found!(link, "remembered_id", browser.uuid())
}

/// The session goes on under another name. False when there is no such session: it was not vouched for, or has been ended
/// by the source.
///
/// # Errors
/// [`StoreError`].
pub async fn renamed(link: &mut Link, old: SessionId, new: SessionId) -> Result<bool, StoreError> {
    let rows =
        execute!(link, "UPDATE provider_session SET session_id = $2 WHERE session_id = $1", old.uuid(), new.uuid())?;
    Ok(rows > 0)
}

/// Forgets sessions whose time is over and which no remembered browser can bring back.
///
/// # Errors
/// [`StoreError`].
pub async fn sweep(link: &mut Link, now: Timestamp) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM provider_session WHERE ends_at <= $1 AND remembered_id IS NULL", now.millis())
}
