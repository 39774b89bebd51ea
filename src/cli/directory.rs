//! `vestibule sync` and `vestibule directory …`

use super::{Desk, Failure, complain, plain, say};
use crate::service::directory::{Directories, Options, Outcome};
use clap::{Args, Subcommand};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

#[derive(Args)]
pub struct Sync {
    /// Which directory; without it all of them.
    directory: Option<String>,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also lock and remove as many people as would otherwise be refused. Look at --dry-run first.
    #[arg(long)]
    confirm: bool,
    /// Print JSON, one object for each directory.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Say what is wrong with a directory, step by step, and what its entries would become.
    Check {
        /// Which directory.
        directory: String,
        /// Look at the person of this name as well.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let Command::Check { directory, user, json } = command;
    let directories = Directories::new(Arc::clone(&desk.core));
    let steps = directories.check(&desk.ctx, &directory, user.as_deref()).await?;
    if json {
        say(&serde_json::to_string_pretty(&steps)?);
    }
    for step in steps.iter().filter(|_| !json) {
        match &step.remedy {
            None => say(&format!("ok    {}: {}", plain::line(&step.what), plain::line(&step.found))),
            Some(remedy) => {
                say(&format!("WRONG {}: {}", plain::line(&step.what), plain::line(&step.found)));
                say(&format!("      -> {remedy}"));
            }
        }
    }
    match steps.iter().filter(|step| step.remedy.is_some()).count() {
        0 => Ok(()),
        1 => Err("one step failed".into()),
        count => Err(format!("{count} steps failed").into()),
    }
}

pub(super) async fn sync(desk: &Desk, sync: Sync) -> Result<(), Failure> {
    let directories = Directories::new(Arc::clone(&desk.core));
    let slugs = sync.directory.clone().map_or_else(|| directories.slugs(), |slug| vec![slug]);
    if slugs.is_empty() {
        return Err("there is no [[directory]] in the configuration".into());
    }
    let options = Options { dry_run: sync.dry_run, confirm: sync.confirm };
    let mut trouble = 0_usize;
    for slug in slugs {
        let mut bar = Bar::new();
        let ran = directories.sync(&desk.ctx, &slug, options, &mut |read| bar.shows(read)).await;
        bar.ends();
        match ran {
            Ok(outcome) => {
                let refused = outcome.plan.refusals().len();
                let failed = outcome.done.as_ref().map_or(0, |done| done.failures.len());
                trouble += usize::from(refused + failed + outcome.plan.cut.len() > 0);
                if sync.json { say(&as_json(&slug, &outcome)?) } else { tell(&slug, &outcome) }
            }
            Err(error) => {
                complain(&format!("vestibule: {error}"));
                trouble += 1;
            }
        }
    }
    if trouble > 0 { Err("not everything was synchronised, see above".into()) } else { Ok(()) }
}

fn as_json(slug: &str, outcome: &Outcome) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::json!({
        "directory": slug, "plan": outcome.plan.json(), "refused": outcome.plan.refusals(), "done": outcome.done,
    }))
}

fn tell(slug: &str, outcome: &Outcome) {
    let Some(done) = &outcome.done else {
        say(&format!("{slug}, dry run:"));
        for line in outcome.plan.words() {
            say(&format!("  {}", plain::line(&line)));
        }
        return;
    };
    say(&format!(
        "{slug}: {} people; accounts: {} made, {} updated, {} locked, {} unlocked; groups: {} made; memberships: {} \
         added, {} removed.",
        outcome.plan.people,
        done.created,
        done.updated,
        done.locked,
        done.unlocked,
        done.groups_created,
        done.added,
        done.removed
    ));
    for line in outcome.plan.cut_in_words() {
        complain(&format!("{slug}: {}", plain::line(&line)));
    }
    for remark in outcome.plan.remarks.iter().chain(&done.failures) {
        say(&format!("  note: {}", plain::line(remark)));
    }
    for refusal in outcome.plan.refusals() {
        complain(&format!("{slug}: refused: {}. Look at --dry-run; --confirm does it.", plain::line(&refusal)));
    }
}

/// How far reading is, on a terminal only. How many entries there are nobody says beforehand.
struct Bar {
    shown: bool,
    read: usize,
}

/// Entries between two strokes.
const STROKE: usize = 100;
/// Strokes of the bar before it begins anew.
const WIDTH: usize = 40;

impl Bar {
    fn new() -> Self {
        Self { shown: io::stderr().is_terminal(), read: 0 }
    }

    fn shows(&mut self, read: usize) {
        self.read = read;
        if self.shown && read.is_multiple_of(STROKE) {
            let full = (read / STROKE) % (WIDTH + 1);
            let bar = format!("\r[{}{}] {read} entries", "#".repeat(full), " ".repeat(WIDTH - full));
            drop(io::stderr().write_all(bar.as_bytes()));
        }
    }

    fn ends(&self) {
        if self.shown && self.read >= STROKE {
            complain("");
        }
    }
}
