//! Last good copies of identity providers' metadata, as rows. What is in them is read, and judged anew, by the service.

use super::database::{Link, StoreError, execute, fetch_optional};
use crate::domain::time::Timestamp;

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As it came.
    pub document: String,
    /// When it came.
    pub read_at: Timestamp,
}

/// Keeps a copy, unless one from there that another node has read later is kept already.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(link: &mut Link, slug: &str, origin: &[u8; 32], copy: &Kept) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO provider_metadata (slug, origin, document, read_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (slug) DO UPDATE SET origin = excluded.origin, document = excluded.document, \
         read_at = excluded.read_at \
         WHERE provider_metadata.origin <> excluded.origin OR provider_metadata.read_at < excluded.read_at",
        slug,
        origin.as_slice(),
        copy.document.as_str(),
        copy.read_at.millis()
    )
    .map(drop)
}

/// The copy that is kept of what came from there.
///
/// # Errors
/// [`StoreError`].
pub async fn kept(link: &mut Link, slug: &str, origin: &[u8; 32]) -> Result<Option<Kept>, StoreError> {
    let row = fetch_optional!(
        link,
        (String, i64),
        "SELECT document, read_at FROM provider_metadata WHERE slug = $1 AND origin = $2",
        slug,
        origin.as_slice()
    )?;
    Ok(row.map(|(document, read_at)| Kept { document, read_at: Timestamp::from_millis(read_at) }))
}
