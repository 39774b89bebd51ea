//! What the store does to stay tidy and honest: write marks, sweep, count, compare memory with the disk.

use super::super::{LiveSession, WRITE_BEHIND};
use super::memory::{Marks, Memory};
use super::sessions::handles;
use super::writer::Command;
use crate::domain::session::{HandleHash, Lifetimes};
use crate::domain::time::Timestamp;
use sqlx::SqliteConnection;
use std::collections::HashSet;
use std::fmt::Write;

/// Marks per statement: as text they take more memory than the sessions themselves.
const MARKS_AT_ONCE: usize = 2048;

/// One statement for many marks. UPDATE only: a session that ended meanwhile stays ended.
const WRITE_MARKS: &str = "\
    WITH mark (handle, seen) AS (SELECT unhex(value ->> 0), value ->> 1 FROM json_each($1)) \
    UPDATE session SET last_seen_at = mark.seen FROM mark \
    WHERE session.handle = mark.handle AND session.last_seen_at < mark.seen";

const SWEEP_SESSIONS: &str = "DELETE FROM session WHERE ends_at <= $1 OR last_seen_at <= $2 RETURNING handle";
const SWEEP_ENTRIES: &str = "DELETE FROM entry WHERE expires_at <= $1";
const SWEEP_COUNTERS: &str = "DELETE FROM failure_counter WHERE expires_at <= $1";
const COUNT: &str = "SELECT count(*) FROM session WHERE ends_at > $1 AND last_seen_at > $2";
const IN_RANGE: &str = "SELECT handle FROM session WHERE handle BETWEEN $1 AND $2";

/// Writes last requests: those that are due, or all that differ from the disk.
pub(super) struct Flush {
    /// Also those that are not due yet; when the service stops.
    pub(super) all: bool,
}

impl Command for Flush {
    type Found = Marks;
    type Answer = ();

    async fn run(&self, db: &mut SqliteConnection, memory: &Memory) -> Result<Marks, sqlx::Error> {
        let marks = if self.all { memory.marks(|live| live.unwritten().is_some()) } else { memory.noted() };
        write_marks(db, &marks).await?;
        Ok(marks)
    }

    fn settle(self, marks: Marks, memory: &Memory) {
        memory.written(&marks);
    }
}

/// Removes what has expired, and lets idle sessions leave the memory; answers how many sessions ended.
pub(super) struct Sweep {
    pub(super) now: Timestamp,
    pub(super) lifetimes: Lifetimes,
}

impl Command for Sweep {
    type Found = (Marks, Vec<HandleHash>);
    type Answer = u64;

    async fn run(&self, db: &mut SqliteConnection, memory: &Memory) -> Result<Self::Found, sqlx::Error> {
        let Self { now, lifetimes } = *self;
        let leaving = |live: &LiveSession| Memory::is_idle(live, now) && live.unwritten().is_some();
        let marks = memory.marks(|live| leaving(live) || may_look_over(live, now, &lifetimes));
        write_marks(db, &marks).await?;
        let ended = sqlx::query_scalar(SWEEP_SESSIONS).bind(now.millis()).bind(now.before(lifetimes.idle).millis());
        let ended = handles(ended.fetch_all(&mut *db).await?);
        for sweep in [SWEEP_ENTRIES, SWEEP_COUNTERS] {
            sqlx::query(sweep).bind(now.millis()).execute(&mut *db).await?;
        }
        Ok((marks, ended))
    }

    fn settle(self, (marks, ended): Self::Found, memory: &Memory) -> u64 {
        memory.written(&marks);
        memory.remove(&ended);
        memory.unload(self.now);
        u64::try_from(ended.len()).unwrap_or(u64::MAX)
    }
}

/// Counts the sessions that are alive.
pub(super) struct Count {
    pub(super) now: Timestamp,
    pub(super) lifetimes: Lifetimes,
}

impl Command for Count {
    type Found = (Marks, i64);
    type Answer = u64;

    async fn run(&self, db: &mut SqliteConnection, memory: &Memory) -> Result<Self::Found, sqlx::Error> {
        let Self { now, lifetimes } = *self;
        let marks = memory.marks(|live| may_look_over(live, now, &lifetimes));
        write_marks(db, &marks).await?;
        let count = sqlx::query_scalar(COUNT).bind(now.millis()).bind(now.before(lifetimes.idle).millis());
        Ok((marks, count.fetch_one(db).await?))
    }

    fn settle(self, (marks, count): Self::Found, memory: &Memory) -> u64 {
        memory.written(&marks);
        u64::try_from(count).unwrap_or(0)
    }
}

/// Does nothing, where something could be written.
pub(super) struct Ready;

impl Command for Ready {
    type Found = ();
    type Answer = ();

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT 1 FROM session LIMIT 1").execute(db).await.map(|_| ())
    }

    fn settle(self, (): (), _: &Memory) {}
}

/// Forgets sessions that another process ended on disk. Only the writer brings sessions into memory, so none can come
/// between the look at the memory and the look at the disk.
pub(super) struct Reconcile;

impl Command for Reconcile {
    type Found = Vec<HandleHash>;
    type Answer = ();
    const READS_ONLY: bool = true;

    async fn run(&self, db: &mut SqliteConnection, memory: &Memory) -> Result<Self::Found, sqlx::Error> {
        let mut gone = Vec::new();
        for range in memory.neighbours() {
            let query = sqlx::query_scalar(IN_RANGE).bind(range.first.as_slice()).bind(range.last.as_slice());
            let on_disk: HashSet<HandleHash> = handles(query.fetch_all(&mut *db).await?).into_iter().collect();
            gone.extend(range.hot.into_iter().filter(|handle| !on_disk.contains(handle)));
        }
        Ok(gone)
    }

    fn settle(self, gone: Self::Found, memory: &Memory) {
        memory.remove(&gone);
    }
}

/// Whether the disk, which is behind by [`WRITE_BEHIND`] at most, may take this session for idle when it is not.
fn may_look_over(live: &LiveSession, now: Timestamp, lifetimes: &Lifetimes) -> bool {
    now.since(live.last_seen_at()) >= lifetimes.idle.saturating_sub(WRITE_BEHIND)
}

async fn write_marks(db: &mut SqliteConnection, marks: &Marks) -> Result<(), sqlx::Error> {
    let mut rest = marks.iter();
    loop {
        let list: Vec<_> =
            rest.by_ref().take(MARKS_AT_ONCE).map(|(handle, seen)| (hex(handle), seen.millis())).collect();
        if list.is_empty() {
            return Ok(());
        }
        let list = serde_json::to_string(&list).map_err(|error| sqlx::Error::Encode(error.into()))?;
        sqlx::query(WRITE_MARKS).bind(list).execute(&mut *db).await?;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
