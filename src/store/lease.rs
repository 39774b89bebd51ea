//! Leases: who does a job that only one node may do. Their time is the database's own, so that clocks of nodes do not count;
//! for a file, where all processes are on one machine, that is the machine's.

use super::database::{Link, StoreError, execute, fetch_by_engine, fetch_optional};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Which job.
    pub name: &'a str,
    /// Which process.
    pub holder: Uuid,
}

/// What time it is in the database; `own` is the process' own time.
///
/// # Errors
/// [`StoreError`].
pub async fn time(link: &mut Link, own: Timestamp) -> Result<Timestamp, StoreError> {
    let row = fetch_by_engine!(
        link,
        (Option<i64>,),
        sqlite: "SELECT NULL",
        postgres: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    )?;
    Ok(row.and_then(|(millis,)| millis).map_or(own, Timestamp::from_millis))
}

/// Takes a lease that is free, has run out at `now`, or is the holder's already; both times are the database's. False when
/// another holds it. Of two that ask at once, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn take(link: &mut Link, claim: Claim<'_>, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE \
         SET holder = excluded.holder, until = excluded.until WHERE lease.holder = excluded.holder OR lease.until <= $4",
        claim.name,
        claim.holder,
        until.millis(),
        now.millis()
    )?;
    Ok(rows > 0)
}

/// Whether the holder has the lease at `now`, the database's time. Until the transaction ends nobody else gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn confirm(link: &mut Link, claim: Claim<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE lease SET until = until WHERE name = $1 AND holder = $2 AND until > $3",
        claim.name,
        claim.holder,
        now.millis()
    )?;
    Ok(rows > 0)
}

/// Gives a lease back, if the holder has it.
///
/// # Errors
/// [`StoreError`].
pub async fn give_back(link: &mut Link, claim: Claim<'_>) -> Result<(), StoreError> {
    execute!(link, "DELETE FROM lease WHERE name = $1 AND holder = $2", claim.name, claim.holder).map(drop)
}

/// Gives back whatever the holder has.
///
/// # Errors
/// [`StoreError`].
pub async fn give_all_back(link: &mut Link, holder: Uuid) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM lease WHERE holder = $1", holder)
}

/// Who has a lease, or had it last, and until when by the database's time.
///
/// # Errors
/// [`StoreError`].
pub async fn holder(link: &mut Link, name: &str) -> Result<Option<(Uuid, Timestamp)>, StoreError> {
    let row = fetch_optional!(link, (Uuid, i64), "SELECT holder, until FROM lease WHERE name = $1", name)?;
    Ok(row.map(|(holder, until)| (holder, Timestamp::from_millis(until))))
}
