//! Copying an embedded installation to PostgreSQL: every table there is, in one transaction, compared row by row before it is
//! committed. Which tables and columns there are is read from the two schemas, so a new one is copied without a word here. What is said of
//! the databases themselves (who works on them now, which versions may) is not copied.

use super::database::{OpenError, Server, copying};
use aws_lc_rs::digest::{SHA256, digest};
use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, ColumnIndex, ConnectOptions, Connection, Database, Decode, PgConnection, Postgres, QueryBuilder,
    Row, SqliteConnection, Type,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use uuid::Uuid;

/// Rows read and written at once.
const BATCH: usize = 500;

/// Why nothing was copied. The source is as it was, and the target is empty.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target cannot be opened or made ready.
    #[error(transparent)]
    Target(#[from] OpenError),
    /// The source is not there, or not of this version.
    #[error("cannot copy from {0}")]
    Source(String),
    /// Something is in the target already.
    #[error("the target is not empty: its table {0} has rows; nothing was copied")]
    NotEmpty(String),
    /// What was written does not read as what was copied.
    #[error("the table {0} does not read in the target as it does in the source; nothing was copied")]
    Differs(String),
    /// One of the databases did not go along.
    #[error("the copy failed and nothing was copied: {0}")]
    Failed(#[from] sqlx::Error),
}

/// A table that was copied and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of each row, combined regardless of their order; in hexadecimal digits.
    pub hash: String,
}

/// How far the copy is: rows written and read back, and how many there will be.
pub type Progress<'a> = dyn FnMut(&str, u64, u64) + Send + 'a;

/// What a column holds, by the name PostgreSQL has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Uuid,
    Bytes,
    Integer,
    Boolean,
    Text,
    Real,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Uuid(Option<Uuid>),
    Bytes(Option<Vec<u8>>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Text(Option<String>),
    Real(Option<f64>),
}

#[derive(Clone, Debug)]
struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
    /// Places of the columns that its rows lie ordered by, where they have no number.
    key: Vec<usize>,
    rows: u64,
}

/// Copies all tables of a SQLite file that nobody is serving to an empty schema, which is made where it is missing.
///
/// # Errors
/// [`CopyError`].
pub async fn copy(from: &Path, to: &Server, progress: &mut Progress<'_>) -> Result<Vec<Copied>, CopyError> {
    let mut source = source(from).await?;
    let mut target = copying::ready(to).await?;
    let done = copy_between(&mut source, &mut target, to, progress).await;
    drop(source.close().await);
    // Without a commit before it, this undoes everything.
    drop(target.close().await);
    done
}

async fn source(from: &Path) -> Result<SqliteConnection, CopyError> {
    let wrong = |why: String| CopyError::Source(format!("{}: {why}", from.display()));
    if !from.is_file() {
        return Err(wrong("there is no such file".to_owned()));
    }
    let options = SqliteConnectOptions::new().filename(from).read_only(true).disable_statement_logging();
    let mut conn = options.connect().await.map_err(|error| wrong(error.to_string()))?;
    let versions = sqlx::query_as("SELECT version FROM _sqlx_migrations ORDER BY version").fetch_all(&mut conn).await;
    let versions: Vec<(i64,)> = versions.map_err(|error| wrong(error.to_string()))?;
    if versions.into_iter().map(|(version,)| version).ne(copying::versions()) {
        return Err(wrong("it is of another version; start this version on it once, then copy".to_owned()));
    }
    Ok(conn)
}

async fn copy_between(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    to: &Server,
    progress: &mut Progress<'_>,
) -> Result<Vec<Copied>, CopyError> {
    run_sqlite(source, "BEGIN").await?;
    run(target, copying::opening(to)).await?;
    let tables = tables(source, target, to).await?;
    for table in &tables {
        let count = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", quoted(&table.name));
        let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(count)).fetch_one(&mut *target).await?;
        if rows > 0 {
            return Err(CopyError::NotEmpty(table.name.clone()));
        }
    }
    // Each row is written once and read back once.
    let total = tables.iter().map(|table| table.rows).sum::<u64>().saturating_mul(2);
    let (mut done, mut copied) = (0, Vec::new());
    for table in &tables {
        let mut wrote = |rows| {
            done += rows;
            progress(&table.name, done, total);
        };
        copied.push(write(source, target, table, &mut wrote).await?);
    }
    for (table, wrote) in tables.iter().zip(&copied) {
        let mut read = |rows| {
            done += rows;
            progress(&table.name, done, total);
        };
        if read_back(target, table, &mut read).await? != *wrote {
            return Err(CopyError::Differs(table.name.clone()));
        }
    }
    run(target, "COMMIT".to_owned()).await?;
    Ok(copied)
}

/// The tables of both schemas, each after those that it refers to.
async fn tables(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    to: &Server,
) -> Result<Vec<Table>, CopyError> {
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_sqlx_*' \
         AND name NOT IN ('lease', 'migration_reach') ORDER BY name",
    )
    .fetch_all(&mut *source)
    .await?;
    let there: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, udt_name::text FROM information_schema.columns \
         WHERE table_schema = $1 AND table_name NOT LIKE '\\_sqlx\\_%' AND table_name NOT IN ('lease', 'migration_reach')",
    )
    .bind(&to.schema)
    .fetch_all(&mut *target)
    .await?;
    let mut kinds: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (table, column, kind) in &there {
        kinds.entry(table).or_default().insert(column, kind);
    }
    if kinds.keys().copied().ne(names.iter().map(|(name,)| name.as_str()).collect::<BTreeSet<_>>()) {
        return Err(CopyError::Source("the two databases do not have the same tables".to_owned()));
    }
    let (mut tables, mut needs) = (Vec::new(), BTreeMap::new());
    for (name,) in names {
        let parents: Vec<(String,)> = sqlx::query_as("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)")
            .bind(&name)
            .fetch_all(&mut *source)
            .await?;
        needs.insert(name.clone(), parents.into_iter().map(|(parent,)| parent).filter(|one| *one != name).collect());
        let of_target = kinds.get(name.as_str()).cloned().unwrap_or_default();
        tables.push(table(source, name, &of_target).await?);
    }
    Ok(in_order(tables, &needs))
}

async fn table(source: &mut SqliteConnection, name: String, kinds: &BTreeMap<&str, &str>) -> Result<Table, CopyError> {
    let names: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM pragma_table_info($1)").bind(&name).fetch_all(&mut *source).await?;
    let differs = || CopyError::Source(format!("the table {name} does not have the same columns in both databases"));
    if names.len() != kinds.len() {
        return Err(differs());
    }
    let known = |column: String| Some((kinds.get(column.as_str()).and_then(|kind| Kind::named(kind))?, column));
    let columns: Option<Vec<_>> =
        names.into_iter().map(|(column,)| known(column).map(|(kind, column)| (column, kind))).collect();
    let columns = columns.ok_or_else(differs)?;
    let key: Vec<(String,)> = sqlx::query_as(
        "SELECT i.name FROM pragma_table_list AS t JOIN pragma_table_info($1) AS i \
         WHERE t.schema = 'main' AND t.name = $1 AND t.wr = 1 AND i.pk > 0 ORDER BY i.pk",
    )
    .bind(&name)
    .fetch_all(&mut *source)
    .await?;
    let place = |column: &str| columns.iter().position(|(name, _)| name == column);
    let key = key.iter().filter_map(|(column,)| place(column)).collect();
    let count = format!("SELECT COUNT(*) FROM {}", quoted(&name));
    let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(count)).fetch_one(source).await?;
    Ok(Table { name, columns, key, rows: u64::try_from(rows).unwrap_or(0) })
}

fn in_order(mut waiting: Vec<Table>, needs: &BTreeMap<String, BTreeSet<String>>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::new();
    loop {
        let there: BTreeSet<_> = ordered.iter().map(|table| table.name.clone()).collect();
        let free = |table: &Table| needs.get(&table.name).is_none_or(|parents| parents.is_subset(&there));
        let (next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(free);
        let stuck = next.is_empty();
        ordered.extend(next);
        if stuck {
            // Tables that refer to each other; the target will say whether it bears that.
            ordered.extend(rest);
            return ordered;
        }
        waiting = rest;
    }
}

async fn write(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    table: &Table,
    wrote: &mut (dyn FnMut(u64) + Send),
) -> Result<Copied, CopyError> {
    let (mut sum, mut after) = (Sum::default(), Vec::new());
    loop {
        let mut query = sqlx::query(AssertSqlSafe(table.next_rows(!after.is_empty())));
        for value in std::mem::take(&mut after) {
            query = match value {
                Value::Uuid(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
                Value::Integer(value) => query.bind(value),
                Value::Boolean(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
            };
        }
        let rows = query.fetch_all(&mut *source).await?;
        let Some(last) = rows.last() else { return Ok(sum.of(&table.name)) };
        after = if table.key.is_empty() {
            vec![Value::Integer(last.try_get(table.columns.len())?)]
        } else {
            let values = table.values::<SqliteRow>(last)?;
            table.key.iter().filter_map(|place| values.get(*place).cloned()).collect()
        };
        let rows: Vec<_> = rows.iter().map(|row| table.values::<SqliteRow>(row)).collect::<Result<_, _>>()?;
        let mut insert =
            QueryBuilder::<Postgres>::new(format!("INSERT INTO {} ({}) ", quoted(&table.name), table.column_list()));
        insert.push_values(&rows, |mut separated, row| {
            for value in row {
                match value.clone() {
                    Value::Uuid(value) => separated.push_bind(value),
                    Value::Bytes(value) => separated.push_bind(value),
                    Value::Integer(value) => separated.push_bind(value),
                    Value::Boolean(value) => separated.push_bind(value),
                    Value::Text(value) => separated.push_bind(value),
                    Value::Real(value) => separated.push_bind(value),
                };
            }
        });
        insert.build().persistent(false).execute(&mut *target).await?;
        for row in &rows {
            sum.add(row);
        }
        wrote(u64::try_from(rows.len()).unwrap_or(0));
    }
}

async fn read_back(
    target: &mut PgConnection,
    table: &Table,
    read: &mut (dyn FnMut(u64) + Send),
) -> Result<Copied, CopyError> {
    let cursor = quoted(&format!("read_{}", table.name));
    let declare =
        format!("DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {} FROM {}", table.column_list(), quoted(&table.name));
    run(target, declare).await?;
    let mut sum = Sum::default();
    loop {
        let fetch = format!("FETCH {BATCH} FROM {cursor}");
        let rows = sqlx::query(AssertSqlSafe(fetch)).persistent(false).fetch_all(&mut *target).await?;
        if rows.is_empty() {
            run(target, format!("CLOSE {cursor}")).await?;
            return Ok(sum.of(&table.name));
        }
        for row in &rows {
            sum.add(&table.values::<PgRow>(row)?);
        }
        read(u64::try_from(rows.len()).unwrap_or(0));
    }
}

async fn run(conn: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(drop)
}

async fn run_sqlite(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(conn).await.map(drop)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Uuid,
            "bytea" => Self::Bytes,
            "int8" => Self::Integer,
            "bool" => Self::Boolean,
            "text" => Self::Text,
            "float8" => Self::Real,
            _ => return None,
        })
    }
}

impl Table {
    fn column_list(&self) -> String {
        self.columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ")
    }

    /// The next rows of the source: those after the one whose key is bound, or the first ones.
    fn next_rows(&self, after: bool) -> String {
        let names: Vec<String> =
            self.key.iter().filter_map(|place| self.columns.get(*place)).map(|(name, _)| quoted(name)).collect();
        let (order, number) = if names.is_empty() { ("rowid".to_owned(), ", rowid") } else { (names.join(", "), "") };
        let bound = vec!["?"; names.len().max(1)].join(", ");
        let from = if after { format!(" WHERE ({order}) > ({bound})") } else { String::new() };
        let (columns, table) = (self.column_list(), quoted(&self.name));
        format!("SELECT {columns}{number} FROM {table}{from} ORDER BY {order} LIMIT {BATCH}")
    }

    /// The values of a row of either database.
    fn values<'r, R: Row>(&self, row: &'r R) -> Result<Vec<Value>, sqlx::Error>
    where
        usize: ColumnIndex<R>,
        Uuid: Decode<'r, R::Database> + Type<R::Database>,
        Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
        i64: Decode<'r, R::Database> + Type<R::Database>,
        bool: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        f64: Decode<'r, R::Database> + Type<R::Database>,
        R::Database: Database,
    {
        let value = |(index, (_, kind)): (usize, &(String, Kind))| {
            Ok(match kind {
                Kind::Uuid => Value::Uuid(row.try_get(index)?),
                Kind::Bytes => Value::Bytes(row.try_get(index)?),
                Kind::Integer => Value::Integer(row.try_get(index)?),
                Kind::Boolean => Value::Boolean(row.try_get(index)?),
                Kind::Text => Value::Text(row.try_get(index)?),
                Kind::Real => Value::Real(row.try_get(index)?),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}

/// Rows of a table, counted and summed up so that their order does not matter. A row is there once: it has a key.
#[derive(Default)]
struct Sum {
    rows: u64,
    hash: [u8; 32],
}

impl Sum {
    fn add(&mut self, row: &[Value]) {
        let mut plain = Vec::new();
        for value in row {
            let bytes = value.bytes();
            plain.push(u8::from(bytes.is_some()));
            let bytes = bytes.unwrap_or_default();
            plain.extend(bytes.len().to_be_bytes());
            plain.extend(bytes);
        }
        self.rows += 1;
        for (sum, byte) in self.hash.iter_mut().zip(digest(&SHA256, &plain).as_ref()) {
            *sum ^= byte;
        }
    }

    fn of(&self, table: &str) -> Copied {
        let hash = self.hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Copied { table: table.to_owned(), rows: self.rows, hash }
    }
}

impl Value {
    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Uuid(value) => value.map(|value| value.as_bytes().to_vec()),
            Self::Bytes(value) => value.clone(),
            Self::Integer(value) => value.map(|value| value.to_be_bytes().to_vec()),
            Self::Boolean(value) => value.map(|value| vec![u8::from(value)]),
            Self::Text(value) => value.as_ref().map(|value| value.as_bytes().to_vec()),
            Self::Real(value) => value.map(|value| value.to_be_bytes().to_vec()),
        }
    }
}
