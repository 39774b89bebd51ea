//! `vestibule copy-store`: its arguments, and how it shows its progress.

use super::say;
use crate::config::database::DatabaseUrl;
use clap::Args;
use std::io::{self, IsTerminal, Write};

/// Width of the bar.
const CELLS: u64 = 30;

/// From where to where.
#[derive(Args)]
pub struct CopyStore {
    /// The SQLite file, as `sqlite:///var/lib/vestibule/vestibule.db`.
    #[arg(long, value_name = "URL")]
    pub from: DatabaseUrl,
    /// The empty PostgreSQL database, as `postgres://user@host/database`. Password, schema and encryption are those of the
    /// section `[database]`; without this, so is the address.
    #[arg(long, value_name = "URL")]
    pub to: Option<DatabaseUrl>,
}

/// A bar on a terminal; nothing elsewhere.
pub struct Bar {
    shown: bool,
    percent: Option<u64>,
}

impl Bar {
    /// An empty bar.
    #[must_use]
    pub fn new() -> Self {
        Self { shown: io::stderr().is_terminal(), percent: None }
    }

    /// Draws how far it is, where that has changed.
    pub fn show(&mut self, table: &str, done: u64, total: u64) {
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
        if !self.shown || self.percent == Some(percent) {
            return;
        }
        self.percent = Some(percent);
        let full = usize::try_from(percent.saturating_mul(CELLS) / 100).unwrap_or(0);
        let empty = usize::try_from(CELLS).unwrap_or(0).saturating_sub(full);
        let bar = format!("[{}{}]", "#".repeat(full), ".".repeat(empty));
        let mut out = io::stderr().lock();
        drop(write!(out, "\r\x1b[K{bar} {percent:3} %  {table}").and_then(|()| out.flush()));
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if self.percent.is_some() {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

/// Says what was copied: table, rows, hash.
pub fn report(tables: &[(String, u64, String)]) {
    for (table, rows, hash) in tables {
        say(&format!("{table:24} {rows:>10} rows  {hash}"));
    }
    say("Copied, and every row compared. The source is as it was. What remains to be done:");
    say("- Let the new installation have the same root key: secret_key, or secret.key of the old data_dir.");
    say(
        "- Sessions are not in the database. With sessions.store = \"embedded\" they stay in volatile.db of data_dir: keep it",
    );
    say("  in place and nobody has to sign in again. With another store everybody signs in once more.");
}
