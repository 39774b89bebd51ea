//! Families of rotating tokens as rows, of which only hashes are kept. Browsers that sign in by themselves
//! (`autologin.rs`) and browsers that are spared the second factor (`remembered_device.rs`) have a table each, alike to
//! the last column; this is what both can do.

use super::database::StoreError;
use crate::domain::autologin::Remembered;
use crate::domain::id::{AccountId, RememberedId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: Uuid,
    account_id: Uuid,
    current_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    rotated_at: i64,
    authenticated_at: i64,
    expires_at: i64,
    created_at: i64,
    device: String,
    network: String,
}

impl TryFrom<Row> for Remembered {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hash = |bytes: Vec<u8>| {
            <[u8; 32]>::try_from(bytes).map_err(|_| StoreError::Unreadable("a token hash is not 32 bytes long".into()))
        };
        Ok(Self {
            id: RememberedId::new(row.id),
            account: AccountId::new(row.account_id),
            current: hash(row.current_hash)?,
            previous: row.previous_hash.map(hash).transpose()?,
            rotated_at: Timestamp::from_millis(row.rotated_at),
            authenticated_at: Timestamp::from_millis(row.authenticated_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            created_at: Timestamp::from_millis(row.created_at),
            device: row.device,
            network: row.network,
        })
    }
}

/// What a rotation writes.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// Hash of the new token.
    pub token: &'a [u8; 32],
    /// Now.
    pub at: Timestamp,
    /// The browser, in words.
    pub device: &'a str,
    /// Its network, truncated.
    pub network: &'a str,
}

/// The columns, in the order of [`Row`].
macro_rules! columns {
    () => {
        "id, account_id, current_hash, previous_hash, rotated_at, authenticated_at, expires_at, created_at, device, \
         network"
    };
}
pub(super) use columns;

/// The functions of a table of families. A statement is a literal with the table's name in it, as `sqlx` wants it.
macro_rules! series_table {
    ($table:literal) => {
        use super::database::{Link, StoreError, execute, fetch_all, fetch_optional};
        use $crate::domain::autologin::Remembered;
        use $crate::domain::id::{AccountId, RememberedId};
        use $crate::domain::time::Timestamp;

        /// Remembers a browser.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn insert(link: &mut Link, one: &Remembered) -> Result<(), StoreError> {
            execute!(
                link,
                concat!(
                    "INSERT INTO ",
                    $table,
                    " (",
                    $crate::store::series::columns!(),
                    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                ),
                one.id.uuid(),
                one.account.uuid(),
                one.current.as_slice(),
                one.previous.as_ref().map(<[u8; 32]>::as_slice),
                one.rotated_at.millis(),
                one.authenticated_at.millis(),
                one.expires_at.millis(),
                one.created_at.millis(),
                one.device.as_str(),
                one.network.as_str(),
            )
            .map(drop)
        }

        /// The family of this name.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn by_id(link: &mut Link, id: RememberedId) -> Result<Option<Remembered>, StoreError> {
            let row = fetch_optional!(
                link,
                $crate::store::series::Row,
                concat!("SELECT ", $crate::store::series::columns!(), " FROM ", $table, " WHERE id = $1"),
                id.uuid()
            )?;
            row.map(Remembered::try_from).transpose()
        }

        /// The remembered browsers of an account that are still good, newest first.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn of_account(
            link: &mut Link,
            account: AccountId,
            now: Timestamp,
        ) -> Result<Vec<Remembered>, StoreError> {
            let rows = fetch_all!(
                link,
                $crate::store::series::Row,
                concat!(
                    "SELECT ",
                    $crate::store::series::columns!(),
                    " FROM ",
                    $table,
                    " WHERE account_id = $1 AND expires_at > $2 ORDER BY rotated_at DESC"
                ),
                account.uuid(),
                now.millis()
            )?;
            rows.into_iter().map(Remembered::try_from).collect()
        }

        /// Issues the next token, if `current` is still the good one. False when another request was faster.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn rotate(
            link: &mut Link,
            id: RememberedId,
            current: &[u8; 32],
            next: &$crate::store::series::Rotation<'_>,
        ) -> Result<bool, StoreError> {
            let rows = execute!(
                link,
                concat!(
                    "UPDATE ",
                    $table,
                    " SET previous_hash = current_hash, current_hash = $3, rotated_at = $4, device = $5, network = $6 \
                     WHERE id = $1 AND current_hash = $2"
                ),
                id.uuid(),
                current.as_slice(),
                next.token.as_slice(),
                next.at.millis(),
                next.device,
                next.network,
            )?;
            Ok(rows > 0)
        }

        /// Forgets one browser of an account. False when there was none.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn forget(link: &mut Link, account: AccountId, id: RememberedId) -> Result<bool, StoreError> {
            let rows = execute!(
                link,
                concat!("DELETE FROM ", $table, " WHERE id = $1 AND account_id = $2"),
                id.uuid(),
                account.uuid()
            )?;
            Ok(rows > 0)
        }

        /// Forgets all browsers of an account.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn forget_all(link: &mut Link, account: AccountId) -> Result<u64, StoreError> {
            execute!(link, concat!("DELETE FROM ", $table, " WHERE account_id = $1"), account.uuid())
        }

        /// Removes those whose time is over.
        ///
        /// # Errors
        /// [`StoreError`].
        pub async fn sweep(link: &mut Link, now: Timestamp) -> Result<u64, StoreError> {
            execute!(link, concat!("DELETE FROM ", $table, " WHERE expires_at <= $1"), now.millis())
        }
    };
}
pub(super) use series_table;
