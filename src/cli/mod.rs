//! The command line: one file per command. Commands work beside a running service.

mod account;
mod check_config;
mod copy_store;
mod directory;
mod group;
mod idp;
mod idp_saml;
mod invite;
mod migrate;
mod plain;
mod rotate_keys;
mod serve;
mod setting;
mod show;
mod trace;

pub use check_config::run as check_config;
pub use copy_store::{Bar, CopyStore, report as copied};
pub use migrate::{Migrate, checked, migrated};
pub use serve::Running;

use crate::config::{LeftOut, Loaded};
use crate::service::context::Context;
use crate::service::core::Core;
use crate::service::keys::Keys;
use crate::service::provider::Providers;
use crate::service::saml::Saml;
use crate::service::setting::Settings;
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Sign-in service for self-hosted applications.
#[derive(Parser)]
#[command(name = "vestibule", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// Configuration file; without it ./vestibule.toml, then /etc/vestibule/vestibule.toml, then the built-in defaults.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run the service.
    Serve,
    /// Say whether the configuration is right, without starting.
    CheckConfig,
    /// Bring the database up to date, or say what is missing.
    Migrate(migrate::Migrate),
    /// Copy accounts and all that lasts from a SQLite file to an empty PostgreSQL database.
    CopyStore(copy_store::CopyStore),
    /// What works beside a running service.
    #[command(flatten)]
    Desk(DeskCommand),
}

/// Commands that work with the stores.
#[derive(Subcommand)]
pub enum DeskCommand {
    /// Make, lock and unlock accounts, set passwords, give rights.
    #[command(subcommand)]
    Account(account::Command),
    /// Make groups and manage who belongs to them.
    #[command(subcommand)]
    Group(group::Command),
    /// Look after identity providers.
    #[command(subcommand)]
    Idp(idp::Command),
    /// Bring accounts and groups up to date with a directory.
    Sync(directory::Sync),
    /// Look at directories.
    #[command(subcommand)]
    Directory(directory::Command),
    /// Show what came of sign-ins with identity providers and directories, and why.
    Trace(trace::Options),
    /// Make new keys, revoke one at once, or list them.
    RotateKeys(rotate_keys::Options),
    /// See what holds and where it comes from; store settings for all nodes, take them back, move them.
    #[command(subcommand)]
    Settings(setting::Command),
}

/// Anything that ends a command, in words for the operator.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a command works with: what all use cases share, the keys, and a context that acts as the operator.
pub struct Desk {
    /// What all use cases share.
    pub core: Arc<Core>,
    /// The key ring's life.
    pub keys: Keys,
    /// Identity providers.
    pub providers: Providers,
    /// SAML, for those of them that speak it.
    pub saml: Saml,
    /// Stored settings.
    pub settings: Settings,
    /// Acts as the operator.
    pub ctx: Context,
}

impl Arguments {
    /// The arguments of this process; explains itself and ends the process when they make no sense.
    #[must_use]
    pub fn of_process() -> Self {
        Self::parse()
    }
}

impl DeskCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn run(self, desk: &Desk) -> Result<(), Failure> {
        match self {
            Self::Account(command) => account::run(desk, command).await,
            Self::Group(command) => group::run(desk, command).await,
            Self::Idp(command) => idp::run(desk, command).await,
            Self::Sync(options) => directory::sync(desk, options).await,
            Self::Directory(command) => directory::run(desk, command).await,
            Self::Trace(options) => trace::run(desk, options).await,
            Self::RotateKeys(options) => rotate_keys::run(desk, options).await,
            Self::Settings(command) => setting::run(desk, command).await,
        }
    }
}

/// Says in one line what ended a command.
pub fn complain_of(failure: &Failure) {
    complain(&format!("vestibule: {failure}"));
}

/// Says what an operator should know, though it stops nothing.
fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
}

/// Says which stored settings this node does without.
pub fn warn_of(left_out: &[LeftOut]) {
    for LeftOut { why, .. } in left_out {
        complain(&format!("warning: left out on this node: {why}"));
    }
}

/// Writes a line, or several, to standard output. A closed pipe is nobody's fault.
fn say(text: &str) {
    drop(writeln!(io::stdout(), "{}", plain::text(text)));
}

/// Writes a line, or several, to standard error.
fn complain(text: &str) {
    drop(writeln!(io::stderr(), "{}", plain::text(text)));
}
