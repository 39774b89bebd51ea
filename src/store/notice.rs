//! Change notices: what other processes on this database must notice (a command beside the service, another node).

use super::database::{Link, StoreError, execute, fetch_all, fetch_by_engine};
use crate::domain::id::AccountId;
use crate::domain::notice::Notice;
use crate::domain::time::Timestamp;
use uuid::Uuid;

const fn stored(notice: Notice) -> (&'static str, Option<Uuid>) {
    match notice {
        Notice::Account(id) => ("account", Some(id.uuid())),
        Notice::Accounts => ("accounts", None),
        Notice::Keys => ("keys", None),
    }
}

fn from_stored(kind: &str, subject: Option<Uuid>) -> Option<Notice> {
    match (kind, subject) {
        ("account", Some(id)) => Some(Notice::Account(AccountId::new(id))),
        ("accounts", _) => Some(Notice::Accounts),
        ("keys", _) => Some(Notice::Keys),
        _ => None,
    }
}

/// Notices read at once.
const PAGE: i64 = 1000;

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    kind: String,
    subject_id: Option<Uuid>,
}

pub(super) async fn append(link: &mut Link, notice: Notice, now: Timestamp) -> Result<(), StoreError> {
    let (kind, subject) = stored(notice);
    execute!(link, "INSERT INTO change_notice (kind, subject_id, at) VALUES ($1, $2, $3)", kind, subject, now.millis())
        .map(drop)
}

/// Up to which number every notice is settled: no transaction that is still open will bring one with a smaller number.
/// A reader that has seen all notices it can may go on from here.
///
/// On SQLite one transaction writes at a time, so that is the newest number; 0 when there is none. On PostgreSQL a number
/// begins with that of its transaction, and the oldest transaction that is still open is the bound.
///
/// # Errors
/// [`StoreError`].
pub async fn settled(link: &mut Link) -> Result<i64, StoreError> {
    let row = fetch_by_engine!(
        link,
        (Option<i64>,),
        sqlite: "SELECT MAX(seq) FROM change_notice",
        postgres: "SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20) - 1"
    )?;
    Ok(row.and_then(|(seq,)| seq).unwrap_or(0))
}

/// Notices after a number, oldest first, each with its own, and whether there may be more; unknown kinds (from a newer
/// version) have no content.
///
/// # Errors
/// [`StoreError`].
pub async fn after(link: &mut Link, seq: i64) -> Result<Page, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT seq, kind, subject_id FROM change_notice WHERE seq > $1 ORDER BY seq LIMIT $2",
        seq,
        PAGE
    )?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE);
    let notices = rows.into_iter().map(|row| (row.seq, from_stored(&row.kind, row.subject_id))).collect();
    Ok(Page { notices, more })
}

/// Some notices, in the order of their numbers.
#[derive(Debug)]
pub struct Page {
    /// Number and content.
    pub notices: Vec<(i64, Option<Notice>)>,
    /// Whether to ask again after the last number.
    pub more: bool,
}

/// Removes notices from before a point; every process has seen them by then.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(link: &mut Link, before: Timestamp) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM change_notice WHERE at < $1", before.millis())
}
