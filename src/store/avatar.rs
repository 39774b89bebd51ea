//! Pictures of accounts as rows. The key is a column of the account, so that whoever has the account has it too.

use super::database::{Link, StoreError, execute, fetch_optional};
use crate::domain::face::PictureKey;
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// Gives an account a picture, instead of the one it has.
///
/// # Errors
/// [`StoreError`].
pub async fn set(
    link: &mut Link,
    id: AccountId,
    key: &PictureKey,
    jpeg: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO avatar (account_id, jpeg, set_at) VALUES ($1, $2, $3) \
         ON CONFLICT (account_id) DO UPDATE SET jpeg = excluded.jpeg, set_at = excluded.set_at",
        id.uuid(),
        jpeg,
        now.millis()
    )?;
    execute!(link, "UPDATE account SET picture_key = $2 WHERE id = $1", id.uuid(), key.as_str()).map(drop)
}

/// Takes an account's picture away; `false` when it has none.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, id: AccountId) -> Result<bool, StoreError> {
    execute!(link, "UPDATE account SET picture_key = NULL WHERE id = $1", id.uuid())?;
    Ok(execute!(link, "DELETE FROM avatar WHERE account_id = $1", id.uuid())? > 0)
}

/// The picture of this key.
///
/// # Errors
/// [`StoreError`].
pub async fn by_key(link: &mut Link, key: &PictureKey) -> Result<Option<Vec<u8>>, StoreError> {
    let row = fetch_optional!(
        link,
        (Vec<u8>,),
        "SELECT avatar.jpeg FROM account JOIN avatar ON avatar.account_id = account.id WHERE account.picture_key = $1",
        key.as_str()
    )?;
    Ok(row.map(|(jpeg,)| jpeg))
}
