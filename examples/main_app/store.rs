//! What the application keeps, in a SQLite file of its own. People are here by the id of their Vestibule account.

use crate::identity::Person;
use serde::Deserialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{FromRow, SqlitePool};
use std::path::Path;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, name TEXT) STRICT;
CREATE TABLE IF NOT EXISTS project (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS package (
  id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES project, title TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'new',
  author TEXT NOT NULL REFERENCES person, assignee TEXT REFERENCES person) STRICT;
CREATE TABLE IF NOT EXISTS comment (
  id INTEGER PRIMARY KEY, package INTEGER NOT NULL REFERENCES package, author TEXT NOT NULL REFERENCES person,
  written_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M', 'now')), text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS time_entry (
  id INTEGER PRIMARY KEY, package INTEGER NOT NULL REFERENCES package, person TEXT NOT NULL REFERENCES person,
  minutes INTEGER NOT NULL, note TEXT NOT NULL) STRICT;";

/// The database.
pub(crate) struct Store(SqlitePool);

/// A project with the number of its work packages.
#[derive(FromRow)]
pub(crate) struct Project {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) packages: i64,
}

/// Where a work package stands.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub(crate) enum Status {
    New,
    InProgress,
    Done,
}

impl Status {
    /// All, in their order.
    pub(crate) const ALL: [Self; 3] = [Self::New, Self::InProgress, Self::Done];

    /// As forms and classes of the stylesheet spell it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }

    /// To read.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::InProgress => "In progress",
            Self::Done => "Done",
        }
    }
}

/// A work package; people by the names they have now.
#[derive(FromRow)]
pub(crate) struct Package {
    pub(crate) id: i64,
    pub(crate) project: i64,
    pub(crate) title: String,
    pub(crate) status: Status,
    pub(crate) author: String,
    pub(crate) assignee: Option<String>,
    pub(crate) assignee_id: Option<String>,
    pub(crate) minutes: i64,
}

/// A comment.
#[derive(FromRow)]
pub(crate) struct Comment {
    pub(crate) author: String,
    pub(crate) written_at: String,
    pub(crate) text: String,
}

/// Time that somebody spent.
#[derive(FromRow)]
pub(crate) struct TimeEntry {
    pub(crate) person: String,
    pub(crate) minutes: i64,
    pub(crate) note: String,
}

/// Somebody who has been here.
#[derive(FromRow)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// What reads a work package; a person without a name was deleted in Vestibule.
macro_rules! packages {
    ($where:literal) => {
        concat!(
            "SELECT w.id, w.project, w.title, w.status, COALESCE(a.name, 'Deleted user') AS author, w.assignee AS assignee_id, \
             CASE WHEN w.assignee IS NOT NULL THEN COALESCE(s.name, 'Deleted user') END AS assignee, \
             (SELECT COALESCE(SUM(minutes), 0) FROM time_entry t WHERE t.package = w.id) AS minutes \
             FROM package w JOIN person a ON a.id = w.author LEFT JOIN person s ON s.id = w.assignee WHERE ",
            $where,
            " ORDER BY w.id"
        )
    };
}

impl Store {
    /// Opens the file in a folder, and makes both when they are missing.
    pub(crate) async fn open(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        std::fs::create_dir_all(folder)?;
        let options = SqliteConnectOptions::new().filename(folder.join("main_app.db")).create_if_missing(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal).foreign_keys(true)).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self(pool))
    }

    /// Somebody is here: their name may be new.
    pub(crate) async fn met(&self, person: &Person) -> sqlx::Result<()> {
        let sql = "INSERT INTO person (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name \
                   WHERE name IS NOT excluded.name";
        sqlx::query(sql).bind(&person.id).bind(&person.name).execute(&self.0).await?;
        Ok(())
    }

    /// Forgets a name; what the person wrote stays.
    pub(crate) async fn forget(&self, id: &str) -> sqlx::Result<()> {
        sqlx::query("UPDATE person SET name = NULL WHERE id = $1").bind(id).execute(&self.0).await?;
        Ok(())
    }

    pub(crate) async fn people(&self) -> sqlx::Result<Vec<Known>> {
        sqlx::query_as("SELECT id, name FROM person WHERE name IS NOT NULL ORDER BY name").fetch_all(&self.0).await
    }

    pub(crate) async fn projects(&self) -> sqlx::Result<Vec<Project>> {
        let sql = "SELECT id, name, (SELECT COUNT(*) FROM package w WHERE w.project = p.id) AS packages \
                   FROM project p ORDER BY name";
        sqlx::query_as(sql).fetch_all(&self.0).await
    }

    pub(crate) async fn project(&self, id: i64) -> sqlx::Result<Project> {
        let sql = "SELECT id, name, 0 AS packages FROM project WHERE id = $1";
        sqlx::query_as(sql).bind(id).fetch_one(&self.0).await
    }

    pub(crate) async fn add_project(&self, name: &str) -> sqlx::Result<i64> {
        let done = sqlx::query("INSERT INTO project (name) VALUES ($1)").bind(name).execute(&self.0).await?;
        Ok(done.last_insert_rowid())
    }

    pub(crate) async fn packages(&self, project: i64) -> sqlx::Result<Vec<Package>> {
        sqlx::query_as(packages!("w.project = $1")).bind(project).fetch_all(&self.0).await
    }

    pub(crate) async fn package(&self, id: i64) -> sqlx::Result<Package> {
        sqlx::query_as(packages!("w.id = $1")).bind(id).fetch_one(&self.0).await
    }

    pub(crate) async fn add_package(&self, project: i64, title: &str, author: &Person) -> sqlx::Result<i64> {
        let sql = "INSERT INTO package (project, title, author) VALUES ($1, $2, $3)";
        let done = sqlx::query(sql).bind(project).bind(title).bind(&author.id).execute(&self.0).await?;
        Ok(done.last_insert_rowid())
    }

    pub(crate) async fn change_package(&self, id: i64, status: Status, assignee: Option<&str>) -> sqlx::Result<()> {
        let sql = "UPDATE package SET status = $1, assignee = $2 WHERE id = $3";
        sqlx::query(sql).bind(status).bind(assignee).bind(id).execute(&self.0).await?;
        Ok(())
    }

    pub(crate) async fn comments(&self, package: i64) -> sqlx::Result<Vec<Comment>> {
        let sql = "SELECT COALESCE(p.name, 'Deleted user') AS author, c.written_at, c.text FROM comment c \
                   JOIN person p ON p.id = c.author WHERE c.package = $1 ORDER BY c.id";
        sqlx::query_as(sql).bind(package).fetch_all(&self.0).await
    }

    pub(crate) async fn add_comment(&self, package: i64, author: &Person, text: &str) -> sqlx::Result<()> {
        let sql = "INSERT INTO comment (package, author, text) VALUES ($1, $2, $3)";
        sqlx::query(sql).bind(package).bind(&author.id).bind(text).execute(&self.0).await?;
        Ok(())
    }

    pub(crate) async fn times(&self, package: i64) -> sqlx::Result<Vec<TimeEntry>> {
        let sql = "SELECT COALESCE(p.name, 'Deleted user') AS person, t.minutes, t.note FROM time_entry t \
                   JOIN person p ON p.id = t.person WHERE t.package = $1 ORDER BY t.id";
        sqlx::query_as(sql).bind(package).fetch_all(&self.0).await
    }

    pub(crate) async fn add_time(&self, package: i64, person: &Person, minutes: i64, note: &str) -> sqlx::Result<()> {
        let sql = "INSERT INTO time_entry (package, person, minutes, note) VALUES ($1, $2, $3, $4)";
        sqlx::query(sql).bind(package).bind(&person.id).bind(minutes).bind(note).execute(&self.0).await?;
        Ok(())
    }
}
