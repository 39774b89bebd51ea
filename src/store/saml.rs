//! Sessions that a provider vouched for, found by what the provider calls them. Everything else about them is in
//! `identity.rs`.

use super::database::{Link, StoreError, fetch_all};
use crate::domain::id::{AccountId, SessionId};
use crate::domain::identity::Source;
use uuid::Uuid;

/// A session that may have to end.
#[derive(Clone, Debug)]
pub struct Named {
    /// The session of ours.
    pub session: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// What is needed to end it there, sealed.
    pub sealed: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: Uuid,
    account_id: Uuid,
    sealed: Option<Vec<u8>>,
}

impl From<Row> for Named {
    fn from(row: Row) -> Self {
        Self { session: SessionId::new(row.session_id), account: AccountId::new(row.account_id), sealed: row.sealed }
    }
}

/// Sessions by the source's own name of its session.
///
/// # Errors
/// [`StoreError`].
pub async fn by_upstream(link: &mut Link, source: &Source, upstream: &str) -> Result<Vec<Named>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT p.session_id, i.account_id, p.sealed FROM provider_session p \
         JOIN identity i ON i.id = p.identity_id WHERE i.source = $1 AND p.upstream_id = $2",
        source.key(),
        upstream
    )?;
    Ok(rows.into_iter().map(Named::from).collect())
}

/// All sessions of somebody at a source.
///
/// # Errors
/// [`StoreError`].
pub async fn by_subject(
    link: &mut Link,
    source: &Source,
    issuer: &str,
    subject: &str,
) -> Result<Vec<Named>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT p.session_id, i.account_id, p.sealed FROM provider_session p \
         JOIN identity i ON i.id = p.identity_id WHERE i.source = $1 AND i.issuer = $2 AND i.subject = $3",
        source.key(),
        issuer,
        subject
    )?;
    Ok(rows.into_iter().map(Named::from).collect())
}
