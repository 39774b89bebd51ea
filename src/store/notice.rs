//! Change notices: what other processes on this database must notice (a command beside the service, another node).

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
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

/// The number of the newest notice; 0 when there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn newest(link: &mut Link) -> Result<i64, StoreError> {
    let row = fetch_optional!(link, (Option<i64>,), "SELECT MAX(seq) FROM change_notice")?;
    Ok(row.and_then(|(seq,)| seq).unwrap_or(0))
}

/// Notices after a number, oldest first, with the number of the last; unknown kinds (from a newer version) are skipped.
///
/// # Errors
/// [`StoreError`].
pub async fn after(link: &mut Link, seq: i64) -> Result<(Vec<Notice>, i64), StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT seq, kind, subject_id FROM change_notice WHERE seq > $1 ORDER BY seq LIMIT 1000",
        seq
    )?;
    let last = rows.last().map_or(seq, |row| row.seq);
    Ok((rows.iter().filter_map(|row| from_stored(&row.kind, row.subject_id)).collect(), last))
}

/// Removes notices from before a point; every process has seen them by then.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(link: &mut Link, before: Timestamp) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM change_notice WHERE at < $1", before.millis())
}
