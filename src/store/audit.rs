//! The audit trail as rows; only ever appended to.

use super::database::{Link, StoreError, execute, fetch_all, insert_rows};
use crate::domain::audit::{Actor, Event};
use crate::domain::id::{AccountId, EventId, RequestId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// Where an event comes from.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Its identifier.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// In which request.
    pub request: Option<RequestId>,
    /// From where, truncated.
    pub address: Option<String>,
}

/// An event as read back.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When, in milliseconds since the epoch.
    pub at: Timestamp,
    /// `noun.verb`.
    pub act: String,
    /// Kind of who did it.
    pub actor_kind: String,
    /// Who did it.
    pub actor: Option<AccountId>,
    /// To whom.
    pub subject: Option<AccountId>,
    /// More, as JSON.
    pub detail: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    at: i64,
    act: String,
    actor_kind: String,
    actor_id: Option<Uuid>,
    subject_id: Option<Uuid>,
    detail: String,
}

/// Appends an event, in the transaction of the act it tells of.
///
/// # Errors
/// [`StoreError`].
pub async fn append(link: &mut Link, event: &Event, from: &Circumstances) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO audit_event (id, at, act, actor_kind, actor_id, subject_id, request_id, address, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        from.id.uuid(),
        from.at.millis(),
        event.act.as_str(),
        from.actor.kind(),
        from.actor.account().map(AccountId::uuid),
        event.subject.map(AccountId::uuid),
        from.request.map(RequestId::uuid),
        from.address.as_deref(),
        event.detail.to_string(),
    )
    .map(drop)
}

/// Appends many events at once, in the transaction of the acts they tell of.
///
/// # Errors
/// [`StoreError`].
pub async fn append_all(
    link: &mut Link,
    events: impl ExactSizeIterator<Item = (Event, Circumstances)> + Send,
) -> Result<(), StoreError> {
    let head = "INSERT INTO audit_event (id, at, act, actor_kind, actor_id, subject_id, request_id, address, detail)";
    insert_rows!(link, head, "($, $, $, $, $, $, $, $, $)", events, |query, (event, from)| query
        .bind(from.id.uuid())
        .bind(from.at.millis())
        .bind(event.act.as_str())
        .bind(from.actor.kind())
        .bind(from.actor.account().map(AccountId::uuid))
        .bind(event.subject.map(AccountId::uuid))
        .bind(from.request.map(RequestId::uuid))
        .bind(from.address)
        .bind(event.detail.to_string()))
}

/// The newest events, newest first; with a subject, only those about them.
///
/// # Errors
/// [`StoreError`].
pub async fn newest(link: &mut Link, subject: Option<AccountId>, most: u32) -> Result<Vec<Recorded>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT at, act, actor_kind, actor_id, subject_id, detail FROM audit_event \
         WHERE $1 IS NULL OR subject_id = $1 ORDER BY id DESC LIMIT $2",
        subject.map(AccountId::uuid),
        i64::from(most)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Recorded {
            at: Timestamp::from_millis(row.at),
            act: row.act,
            actor_kind: row.actor_kind,
            actor: row.actor_id.map(AccountId::new),
            subject: row.subject_id.map(AccountId::new),
            detail: row.detail,
        })
        .collect())
}
