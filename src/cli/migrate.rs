//! `vestibule migrate`: its arguments, and what it says.

use super::{Failure, say};
use clap::Args;

/// How far to go.
#[derive(Args)]
pub struct Migrate {
    /// Only say what is missing; fails when something is.
    #[arg(long)]
    pub check: bool,
}

/// Says which migrations were run.
pub fn migrated(ran: &[String]) {
    for one in ran {
        say(&format!("ran {one}"));
    }
    say("The database is up to date.");
}

/// Says which migrations are missing.
///
/// # Errors
/// When some are.
pub fn checked(missing: &[String]) -> Result<(), Failure> {
    for one in missing {
        say(&format!("missing: {one}"));
    }
    if missing.is_empty() {
        say("The database is up to date.");
        return Ok(());
    }
    Err("the database is not up to date; run `vestibule migrate`".into())
}
