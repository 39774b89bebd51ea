//! Writing much at once: many rows by one statement, and parts of a transaction that can fail alone.

use super::{Engine, Link, StoreError, Tx, execute};
use std::sync::Arc;

/// Rows that one statement takes; a constant, so that few statements are prepared. SQLite takes 32,766 values.
pub(in crate::store) const ROWS: usize = 256;

/// An `INSERT` of many rows: as many by one statement as [`ROWS`], and a last one with what is left.
pub(in crate::store) struct Insert {
    head: &'static str,
    row: &'static str,
    nameless: bool,
    full: Option<Arc<str>>,
}

impl Insert {
    /// `head` names the table and its columns; `row` is what each row has, such as `($, $, true)`, with a `$` for each
    /// parameter. SQLite's are to be nameless: its driver looks each name up, from the first one on.
    pub(in crate::store) const fn new(head: &'static str, row: &'static str, nameless: bool) -> Self {
        Self { head, row, nameless, full: None }
    }

    /// The statement for so many rows; there is one text for all full ones.
    pub(in crate::store) fn of(&mut self, rows: usize) -> Arc<str> {
        if rows != ROWS {
            return self.text(rows).into();
        }
        let full = self.full.take().unwrap_or_else(|| self.text(rows).into());
        Arc::clone(self.full.insert(full))
    }

    /// `head VALUES ($1, $2, true), ($3, $4, true)`.
    fn text(&self, rows: usize) -> String {
        let mut text = String::with_capacity(self.head.len() + 8 + rows * (self.row.len() * 2 + 2));
        text.push_str(self.head);
        let mut parameter = 0_usize;
        for row in 0..rows {
            text.push_str(if row == 0 { " VALUES " } else { ", " });
            for c in self.row.chars() {
                text.push(if self.nameless && c == '$' { '?' } else { c });
                if !self.nameless && c == '$' {
                    parameter += 1;
                    text.push_str(&parameter.to_string());
                }
            }
        }
        text
    }
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

/// Inserts many rows: `$head` and `$values` are an [`Insert`]'s, `$rows` is an iterator that knows its length, `$bound` binds
/// one row to the query.
macro_rules! insert_rows {
    ($link:expr, $head:expr, $values:expr, $rows:expr, |$query:ident, $row:pat_param| $bound:expr) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) => {
                $crate::store::database::one_after_the_other!(
                    sqlx::Sqlite, ($head, $values, true), $rows, |$query, $row| $bound,
                    |statement| async { statement.execute(&mut *conn).await.map_err($crate::store::database::StoreError::from) }
                )
            }
            $crate::store::database::Engine::Postgres(line) => {
                $crate::store::database::one_after_the_other!(
                    sqlx::Postgres, ($head, $values, false), $rows, |$query, $row| $bound,
                    |statement| async { $crate::store::database::on_line!(line, conn => statement.execute(conn)) }
                )
            }
        }
    };
}

/// The loop of [`insert_rows`], for one engine: each statement is put together while the one before it runs.
macro_rules! one_after_the_other {
    (
        $engine:ty, ($head:expr, $values:expr, $nameless:expr), $rows:expr, |$query:ident, $row:pat_param| $bound:expr,
        |$statement:ident| $run:expr
    ) => {{
        let (mut insert, mut rows) = ($crate::store::database::Insert::new($head, $values, $nameless), $rows);
        let mut put_together = || {
            let count = ExactSizeIterator::len(&rows).min($crate::store::database::ROWS);
            (count > 0).then(|| {
                // Only the full one is kept prepared: the others are as many as there are numbers of rows.
                let text = sqlx::AssertSqlSafe(insert.of(count));
                let mut $query = sqlx::query::<$engine>(text).persistent(count == $crate::store::database::ROWS);
                for $row in rows.by_ref().take(count) {
                    $query = $bound;
                }
                $query
            })
        };
        let mut next = put_together();
        loop {
            let Some($statement) = next else { break Ok(()) };
            let (ran, prepared) = tokio::join!(biased; $run, async { put_together() });
            next = prepared;
            if let Err(error) = ran {
                break Err(error);
            }
        }
    }};
}

pub(in crate::store) use {execute_by_engine, insert_rows, one_after_the_other};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_text_for_every_full_statement_and_its_parameters_may_be_nameless() {
        let mut insert = Insert::new("INSERT INTO x (a, b, c)", "($, $, true)", false);
        assert_eq!(&*insert.of(2), "INSERT INTO x (a, b, c) VALUES ($1, $2, true), ($3, $4, true)");
        assert!(Arc::ptr_eq(&insert.of(ROWS), &insert.of(ROWS)));
        assert_ne!(insert.of(ROWS), insert.of(1));
        let mut insert = Insert::new("INSERT INTO x (a)", "($)", true);
        assert_eq!(&*insert.of(2), "INSERT INTO x (a) VALUES (?), (?)");
    }
}
