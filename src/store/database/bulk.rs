//! Writing much at once: many rows by one statement, and parts of a transaction that can fail alone.

use super::{Engine, Link, StoreError, Tx, execute};

/// Rows that one statement takes; a constant, so that few statements are prepared.
pub const ROWS: usize = 64;

/// `head VALUES ($1, $2), ($3, $4) tail` for so many rows and columns.
pub(in crate::store) fn rows(head: &str, count: usize, columns: usize, tail: &str) -> String {
    let mut text = String::with_capacity(head.len() + tail.len() + count * columns * 6);
    text.push_str(head);
    text.push_str(" VALUES ");
    for place in 0..count * columns {
        let (row, column) = (place / columns, place % columns);
        text.push_str(match (row, column) {
            (0, 0) => "($",
            (_, 0) => "), ($",
            _ => ", $",
        });
        text.push_str(&(place + 1).to_string());
    }
    text.push_str(") ");
    text.push_str(tail);
    text
}

impl Tx {
    /// Begins a part of the transaction that can fail alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_part(&mut self) -> Result<(), StoreError> {
        let link: &mut Link = self;
        execute!(link, "SAVEPOINT part").map(drop)
    }

    /// Ends the part: keeps what it wrote, or takes all of it back. What was written before it stays in any case.
    ///
    /// # Errors
    /// [`StoreError`]; the whole transaction is to be given up then.
    pub async fn end_part(&mut self, keep: bool) -> Result<(), StoreError> {
        let link: &mut Link = self;
        if !keep {
            execute!(link, "ROLLBACK TO SAVEPOINT part")?;
            if let Engine::Postgres(line) = link.engine() {
                line.returned();
            }
        }
        execute!(link, "RELEASE SAVEPOINT part").map(drop)
    }
}
