//! What the store does with failure counters: admit, refund, forget. Which ones there are, the limiter decides.

use super::memory::Memory;
use super::writer::Command;
use crate::domain::throttle::{Admission, Charge, Limit};
use crate::domain::time::Timestamp;
use sqlx::SqliteConnection;
use std::time::Duration;

const SELECT: &str =
    "SELECT failures, counted_from, expires_at FROM failure_counter WHERE scope = $1 AND subject_hash = $2";

const UPSERT: &str = "\
    INSERT INTO failure_counter (scope, subject_hash, failures, counted_from, expires_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (scope, subject_hash) DO UPDATE SET failures = excluded.failures, \
    counted_from = excluded.counted_from, expires_at = excluded.expires_at";

/// Also lifts the block that the failure caused: the window ends again when it would have ended without it.
const REFUND: &str = "\
    UPDATE failure_counter SET failures = failures - 1, expires_at = counted_from + $3 \
    WHERE scope = $1 AND subject_hash = $2 AND failures > 0";

const FORGET: &str = "DELETE FROM failure_counter WHERE scope = $1 AND subject_hash = $2";

/// Counts a failure on every charge, or refuses and counts nothing.
pub(super) struct Admit {
    pub(super) charges: Vec<Charge>,
    pub(super) now: Timestamp,
}

impl Command for Admit {
    type Found = Admission;
    type Answer = Admission;

    /// All counters are looked at before the first is raised; the longest wait is told, so that whoever waits it out is
    /// not refused again by another limit.
    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<Admission, sqlx::Error> {
        let mut raised = Vec::with_capacity(self.charges.len());
        let mut refusal: Option<(Duration, Admission)> = None;
        for charge in self.charges.iter().filter(|charge| charge.limit.failures > 0) {
            let counter = Counter::read(db, charge).await?.filter(|counter| self.now < counter.expires_at);
            let wait = counter.and_then(|counter| counter.wait(charge.limit, self.now));
            if let Some(wait) = wait.filter(|wait| refusal.is_none_or(|(longest, _)| *wait > longest)) {
                refusal = Some((wait, Admission::Refused { scope: charge.scope, retry_after: wait }));
            }
            raised.push((charge, Counter::raise(counter, charge.limit, self.now)));
        }
        if let Some((_, refused)) = refusal {
            return Ok(refused);
        }
        for (charge, counter) in raised {
            counter.write(db, charge).await?;
        }
        Ok(Admission::Granted)
    }

    fn settle(self, found: Admission, _: &Memory) -> Admission {
        found
    }
}

/// Gives one failure back on each charge.
pub(super) struct Refund(pub(super) Vec<Charge>);

impl Command for Refund {
    type Found = ();
    type Answer = ();

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<(), sqlx::Error> {
        for charge in self.0.iter().filter(|charge| charge.limit.failures > 0) {
            let query = sqlx::query(REFUND).bind(charge.scope.as_str()).bind(charge.subject.as_slice());
            let window = i64::try_from(charge.limit.window.as_millis()).unwrap_or(i64::from(u32::MAX));
            query.bind(window).execute(&mut *db).await?;
        }
        Ok(())
    }

    fn settle(self, (): (), _: &Memory) {}
}

/// Forgets the failures of each charge, whatever its limit.
pub(super) struct Forget(pub(super) Vec<Charge>);

impl Command for Forget {
    type Found = ();
    type Answer = ();

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<(), sqlx::Error> {
        for charge in &self.0 {
            let query = sqlx::query(FORGET).bind(charge.scope.as_str()).bind(charge.subject.as_slice());
            query.execute(&mut *db).await?;
        }
        Ok(())
    }

    fn settle(self, (): (), _: &Memory) {}
}

/// Failures within a window; at the limit, a block.
#[derive(Clone, Copy)]
struct Counter {
    failures: i64,
    counted_from: Timestamp,
    expires_at: Timestamp,
}

impl Counter {
    async fn read(db: &mut SqliteConnection, charge: &Charge) -> Result<Option<Self>, sqlx::Error> {
        let query = sqlx::query_as(SELECT).bind(charge.scope.as_str()).bind(charge.subject.as_slice());
        let row: Option<(i64, i64, i64)> = query.fetch_optional(db).await?;
        Ok(row.map(|(failures, counted_from, expires_at)| Self {
            failures,
            counted_from: Timestamp::from_millis(counted_from),
            expires_at: Timestamp::from_millis(expires_at),
        }))
    }

    async fn write(self, db: &mut SqliteConnection, charge: &Charge) -> Result<(), sqlx::Error> {
        let query = sqlx::query(UPSERT).bind(charge.scope.as_str()).bind(charge.subject.as_slice()).bind(self.failures);
        query.bind(self.counted_from.millis()).bind(self.expires_at.millis()).execute(db).await?;
        Ok(())
    }

    /// How long the block still lasts, if there is one.
    fn wait(self, limit: Limit, now: Timestamp) -> Option<Duration> {
        (self.failures >= i64::from(limit.failures)).then(|| self.expires_at.since(now))
    }

    /// One failure more, in the window that is open or in a new one. The failure that reaches the limit begins a block.
    fn raise(open: Option<Self>, limit: Limit, now: Timestamp) -> Self {
        let end = now.after(limit.window);
        let open = open.unwrap_or(Self { failures: 0, counted_from: now, expires_at: end });
        let failures = open.failures.saturating_add(1);
        let expires_at = if failures >= i64::from(limit.failures) { end } else { open.expires_at };
        Self { failures, expires_at, ..open }
    }
}
