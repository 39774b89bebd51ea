//! What the store does with entries on shelves: put, peek, take, replace. What they mean, services know.

use super::super::Shelf;
use super::memory::Memory;
use super::writer::Command;
use crate::domain::time::Timestamp;
use sqlx::SqliteConnection;

/// An expired row under the key counts as absent: it is written over.
const PUT: &str = "\
    INSERT INTO entry (shelf, entry_key, value, expires_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (shelf, entry_key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at \
    WHERE entry.expires_at <= $5";

const PEEK: &str = "SELECT value FROM entry WHERE shelf = $1 AND entry_key = $2 AND expires_at > $3";
const TAKE: &str = "DELETE FROM entry WHERE shelf = $1 AND entry_key = $2 RETURNING value, expires_at";
const REPLACE: &str = "UPDATE entry SET value = $4 WHERE shelf = $1 AND entry_key = $2 AND value = $3";

/// Puts an entry where none is; answers whether it did.
pub(super) struct Put {
    pub(super) shelf: Shelf,
    pub(super) key: [u8; 32],
    pub(super) value: Vec<u8>,
    pub(super) until: Timestamp,
    pub(super) now: Timestamp,
}

impl Command for Put {
    type Found = bool;
    type Answer = bool;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(PUT)
            .bind(self.shelf.as_str())
            .bind(self.key.as_slice())
            .bind(self.value.as_slice())
            .bind(self.until.millis())
            .bind(self.now.millis())
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    fn settle(self, found: bool, _: &Memory) -> bool {
        found
    }
}

/// Reads an entry.
pub(super) struct Peek {
    pub(super) shelf: Shelf,
    pub(super) key: [u8; 32],
    pub(super) now: Timestamp,
}

impl Command for Peek {
    type Found = Option<Vec<u8>>;
    type Answer = Option<Vec<u8>>;
    const READS_ONLY: bool = true;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<Self::Found, sqlx::Error> {
        sqlx::query_scalar(PEEK)
            .bind(self.shelf.as_str())
            .bind(self.key.as_slice())
            .bind(self.now.millis())
            .fetch_optional(db)
            .await
    }

    fn settle(self, found: Self::Found, _: &Memory) -> Self::Answer {
        found
    }
}

/// Takes an entry away; one that has expired is gone already.
pub(super) struct Take {
    pub(super) shelf: Shelf,
    pub(super) key: [u8; 32],
    pub(super) now: Timestamp,
}

impl Command for Take {
    type Found = Option<Vec<u8>>;
    type Answer = Option<Vec<u8>>;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<Self::Found, sqlx::Error> {
        let taken: Option<(Vec<u8>, i64)> =
            sqlx::query_as(TAKE).bind(self.shelf.as_str()).bind(self.key.as_slice()).fetch_optional(db).await?;
        Ok(taken.filter(|(_, expires_at)| *expires_at > self.now.millis()).map(|(value, _)| value))
    }

    fn settle(self, found: Self::Found, _: &Memory) -> Self::Answer {
        found
    }
}

/// Replaces an entry that is still as it was; answers whether it did. How long it lives does not change.
pub(super) struct Replace {
    pub(super) shelf: Shelf,
    pub(super) key: [u8; 32],
    pub(super) old: Vec<u8>,
    pub(super) new: Vec<u8>,
}

impl Command for Replace {
    type Found = bool;
    type Answer = bool;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(REPLACE)
            .bind(self.shelf.as_str())
            .bind(self.key.as_slice())
            .bind(self.old.as_slice())
            .bind(self.new.as_slice())
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    fn settle(self, found: bool, _: &Memory) -> bool {
        found
    }
}
