//! Settings for all nodes, and the number that grows with each change of them. What is sealed is opened by the service.

use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// The one row of revisions.
const SETTINGS: &str = "settings";

/// A setting as a row.
#[derive(Clone, Debug)]
pub struct StoredSetting {
    /// Its key.
    pub key: String,
    /// JSON, as it is or sealed.
    pub value: StoredValue,
    /// When it was stored.
    pub changed_at: Timestamp,
    /// By whom; `None` is the command line.
    pub changed_by: Option<AccountId>,
}

/// JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredValue {
    /// As it is.
    Plain(String),
    /// Sealed.
    Sealed(Vec<u8>),
}

#[derive(sqlx::FromRow)]
struct Row {
    key: String,
    value: Option<String>,
    sealed: Option<Vec<u8>>,
    changed_at: i64,
    changed_by: Option<Uuid>,
}

/// How many changes there have been; nodes compare it with the one they have followed.
///
/// # Errors
/// [`StoreError`].
pub async fn revision(link: &mut Link) -> Result<i64, StoreError> {
    let row = fetch_optional!(link, (i64,), "SELECT revision FROM setting_revision WHERE name = $1", SETTINGS)?;
    Ok(row.map_or(0, |(revision,)| revision))
}

/// All settings, by key.
///
/// # Errors
/// [`StoreError`].
pub async fn all(link: &mut Link) -> Result<Vec<StoredSetting>, StoreError> {
    let rows = fetch_all!(link, Row, "SELECT key, value, sealed, changed_at, changed_by FROM setting")?;
    let mut settings: Vec<_> = rows
        .into_iter()
        .map(|row| StoredSetting {
            value: match (row.value, row.sealed) {
                (_, Some(sealed)) => StoredValue::Sealed(sealed),
                (plain, None) => StoredValue::Plain(plain.unwrap_or_default()),
            },
            key: row.key,
            changed_at: Timestamp::from_millis(row.changed_at),
            changed_by: row.changed_by.map(AccountId::new),
        })
        .collect();
    // Databases sort letters by rules of their own, and the order of items is the same on every node.
    settings.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(settings)
}

/// Stores a setting, over one that is there.
///
/// # Errors
/// [`StoreError`].
pub async fn put(link: &mut Link, setting: &StoredSetting) -> Result<(), StoreError> {
    let (plain, sealed) = match &setting.value {
        StoredValue::Plain(text) => (Some(text.as_str()), None),
        StoredValue::Sealed(sealed) => (None, Some(sealed.as_slice())),
    };
    execute!(
        link,
        "INSERT INTO setting (key, value, sealed, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, sealed = excluded.sealed, \
         changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        setting.key.as_str(),
        plain,
        sealed,
        setting.changed_at.millis(),
        setting.changed_by.map(AccountId::uuid)
    )
    .map(drop)
}

/// Removes a setting. False when there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, key: &str) -> Result<bool, StoreError> {
    execute!(link, "DELETE FROM setting WHERE key = $1", key).map(|rows| rows > 0)
}

/// Puts a value that was sealed anew in the place of the old one, if that is still there. What it says has not changed, so
/// the revision stays.
///
/// # Errors
/// [`StoreError`].
pub async fn reseal(link: &mut Link, key: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
    execute!(link, "UPDATE setting SET sealed = $3 WHERE key = $1 AND sealed = $2", key, old, new).map(|rows| rows > 0)
}

/// Lets every node notice, with the commit.
///
/// # Errors
/// [`StoreError`].
pub async fn advance(link: &mut Link) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO setting_revision (name, revision) VALUES ($1, 1) \
         ON CONFLICT (name) DO UPDATE SET revision = setting_revision.revision + 1",
        SETTINGS
    )
    .map(drop)
}
