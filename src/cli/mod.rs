//! The command line: one file per command. Commands work beside a running service.

mod account;
mod check_config;
mod group;
mod rotate_keys;
mod serve;

use crate::app::App;
use crate::config::Config;
use crate::service::context::{Context, Surroundings};
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Sign-in service for self-hosted applications.
#[derive(Parser)]
#[command(name = "vestibule", version, about, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file; without it ./vestibule.toml, then /etc/vestibule/vestibule.toml, then the built-in defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve,
    /// Say whether the configuration is right, without starting.
    CheckConfig,
    /// Make, lock and unlock accounts, set passwords, give rights.
    #[command(subcommand)]
    Account(account::Command),
    /// Make groups and manage who belongs to them.
    #[command(subcommand)]
    Group(group::Command),
    /// Make new keys, revoke one at once, or list them.
    RotateKeys(rotate_keys::Options),
}

/// Anything that ends a command, in words for the operator.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reads the arguments, runs the command, and says in one line what went wrong.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&format!("vestibule: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<(), Failure> {
    let environment = Config::environment();
    let loaded = Config::load(arguments.config.as_deref(), &environment)?;
    if let Command::CheckConfig = arguments.command {
        return check_config::run(&loaded);
    }
    for warning in &loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve => serve::run(&loaded.config).await,
            Command::CheckConfig => Ok(()),
            Command::Account(command) => account::run(&Desk::open(&loaded.config).await?, command).await,
            Command::Group(command) => group::run(&Desk::open(&loaded.config).await?, command).await,
            Command::RotateKeys(options) => rotate_keys::run(&Desk::open(&loaded.config).await?, options).await,
        }
    })
}

/// What a command works with: open stores, acting as the operator.
struct Desk {
    app: App,
    ctx: Context,
}

impl Desk {
    async fn open(config: &Config) -> Result<Self, Failure> {
        let surroundings = Surroundings::machine();
        let app = App::open(config, surroundings.clone()).await?;
        Ok(Self { app, ctx: Context::operator(surroundings) })
    }
}

/// Writes a line to standard output. A closed pipe is nobody's fault.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

/// Writes a line to standard error.
fn complain(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}
