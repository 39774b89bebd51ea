//! Traces of sign-ins as rows.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::id::{AccountId, RequestId};
use crate::domain::identity::Source;
use crate::domain::time::Timestamp;
use crate::domain::trace::{Note, Trace};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    at: i64,
    source: String,
    outcome: String,
    believed: bool,
    account_id: Option<Uuid>,
    notes: String,
}

impl TryFrom<Row> for Trace {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let source = Source::from_key(&row.source);
        // A note that this version cannot read is left out; the others still help.
        let notes: Vec<serde_json::Value> = serde_json::from_str(&row.notes).unwrap_or_default();
        let notes = notes.into_iter().filter_map(|note| serde_json::from_value::<Note>(note).ok()).collect();
        Ok(Self {
            id: RequestId::new(row.id),
            at: Timestamp::from_millis(row.at),
            source: source.ok_or_else(|| StoreError::Unreadable("a trace has no known source".into()))?,
            outcome: row.outcome,
            believed: row.believed,
            account: row.account_id.map(AccountId::new),
            notes,
        })
    }
}

/// Keeps a trace. One that is there under this id stays; an account that is gone by now is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, new: &Trace) -> Result<(), StoreError> {
    let notes = serde_json::to_string(&new.notes).unwrap_or_else(|_| "[]".to_owned());
    execute!(
        link,
        "INSERT INTO trace (id, at, source, outcome, believed, account_id, notes) \
         VALUES ($1, $2, $3, $4, $5, (SELECT id FROM account WHERE id = $6), $7) ON CONFLICT DO NOTHING",
        new.id.uuid(),
        new.at.millis(),
        new.source.key(),
        new.outcome.as_str(),
        new.believed,
        new.account.map(AccountId::uuid),
        notes.as_str()
    )
    .map(drop)
}

/// The trace with this reference.
///
/// # Errors
/// [`StoreError`].
pub async fn by_id(link: &mut Link, id: RequestId) -> Result<Option<Trace>, StoreError> {
    let row = fetch_optional!(
        link,
        Row,
        "SELECT id, at, source, outcome, believed, account_id, notes FROM trace WHERE id = $1",
        id.uuid()
    )?;
    row.map(Trace::try_from).transpose()
}

/// The newest traces, the newest first; with sources, only theirs.
///
/// # Errors
/// [`StoreError`].
pub async fn newest(link: &mut Link, of: Option<&[Source; 2]>, most: u32) -> Result<Vec<Trace>, StoreError> {
    let [one, other] = of.map_or([None, None], |[one, other]| [Some(one.key()), Some(other.key())]);
    let rows = fetch_all!(
        link,
        Row,
        "SELECT id, at, source, outcome, believed, account_id, notes FROM trace \
         WHERE $1 IS NULL OR source = $1 OR source = $2 ORDER BY at DESC, id DESC LIMIT $3",
        one,
        other,
        i64::from(most)
    )?;
    rows.into_iter().map(Trace::try_from).collect()
}

/// Removes those that are too old, and of those that somebody believed for, or did not, all but the newest.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(link: &mut Link, before: Timestamp, most: [(bool, u32); 2]) -> Result<(), StoreError> {
    execute!(link, "DELETE FROM trace WHERE at <= $1", before.millis())?;
    for (believed, most) in most {
        execute!(
            link,
            "DELETE FROM trace WHERE believed = $1 \
             AND at < (SELECT at FROM trace WHERE believed = $1 ORDER BY at DESC LIMIT 1 OFFSET $2)",
            believed,
            i64::from(most)
        )?;
    }
    Ok(())
}
