//! Writing much at once: many rows by one statement, and parts of a transaction that can fail alone.

use super::{Engine, Link, StoreError, Tx, execute};

/// Rows that one statement takes; a constant, so that few statements are prepared.
pub const ROWS: usize = 128;

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

/// The same statement for SQLite, whose parameters then have no names: the driver looks each name up, from the first one on.
/// Parameters must come in order and once each, as those of [`rows`] do.
pub(in crate::store) fn nameless(text: &str) -> String {
    let mut parts = text.split('$');
    let mut bare = String::with_capacity(text.len());
    bare.push_str(parts.next().unwrap_or_default());
    for part in parts {
        bare.push('?');
        bare.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    bare
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

/// Runs a statement that each engine has its own words for, with the same arguments: only where there are no common ones.
macro_rules! execute_by_engine {
    ($link:expr, sqlite: $sqlite:expr, postgres: $postgres:expr $(, $arg:expr)* $(,)?) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) =>
                sqlx::query::<sqlx::Sqlite>($sqlite)$(.bind($arg))*.execute(conn).await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::database::StoreError::from),
            $crate::store::database::Engine::Postgres(line) =>
                $crate::store::database::on_line!(line, conn =>
                    sqlx::query::<sqlx::Postgres>($postgres)$(.bind($arg))*.execute(conn))
                    .map(|done| done.rows_affected()),
        }
    };
}

/// Runs a statement that takes many rows at once: `$sql` is text made by [`rows`], `$bound` binds one row to the query.
macro_rules! execute_rows {
    ($link:expr, $sql:expr, $rows:expr, |$query:ident, $row:ident| $bound:expr) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) => {
                let mut $query = sqlx::query::<sqlx::Sqlite>(sqlx::AssertSqlSafe(
                    $crate::store::database::nameless(&$sql),
                ));
                for $row in $rows {
                    $query = $bound;
                }
                $query
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::database::StoreError::from)
            }
            $crate::store::database::Engine::Postgres(line) => {
                let mut $query = sqlx::query::<sqlx::Postgres>(sqlx::AssertSqlSafe($sql));
                for $row in $rows {
                    $query = $bound;
                }
                $crate::store::database::on_line!(line, conn => $query.execute(conn)).map(|done| done.rows_affected())
            }
        }
    };
}

pub(in crate::store) use {execute_by_engine, execute_rows};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_many_rows_reads_the_same_with_and_without_names() {
        let text = rows("INSERT INTO x (a, b)", 2, 2, "ON CONFLICT DO NOTHING");
        assert_eq!(text, "INSERT INTO x (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
        assert_eq!(nameless(&text), "INSERT INTO x (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING");
    }
}
