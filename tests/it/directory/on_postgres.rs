//! Synchronisations that `on_postgres.rs` repeats on PostgreSQL: the first one with groups, changes, lists that are cut, the
//! guard against large removals, locking and unlocking.

pub(crate) use crate::directory::{STAFF, confirms, groups_of, runs, state, syncs};

#[expect(clippy::duplicate_mod, reason = "the same tests on another database")]
#[path = "cut.rs"]
mod cut;
#[expect(clippy::duplicate_mod, reason = "the same tests on another database")]
#[path = "sync.rs"]
mod sync;
