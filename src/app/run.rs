//! From the command line to its command: reads the configuration, opens what the command needs, and closes it again.

use super::{App, check, generation, mapping, migration, serve};
use crate::cli::{self, Arguments, Command, Desk, DeskCommand, Failure, Running};
use crate::config::{Config, Layers, Loaded};
use crate::connect::log;
use crate::service::context::{Context, Surroundings};
use std::process::ExitCode;
use std::sync::Arc;

/// Does what the arguments of this process say; what goes wrong is told in one line.
#[must_use]
pub fn run() -> ExitCode {
    match execute(Arguments::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            cli::complain_of(&failure);
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<(), Failure> {
    let layers = Arc::new(Layers::read(arguments.config.as_deref(), Config::environment())?);
    let loaded = layers.base()?;
    match arguments.command {
        Command::CheckConfig => cli::check_config(&loaded, &check::obstacles(&loaded.config)),
        Command::Serve => in_runtime(async {
            let log_file = log::start(mapping::log(&loaded.config))?;
            Ok(Box::pin(serve(layers, loaded, log_file, Running::announce)).await?)
        }),
        Command::Migrate(options) => in_runtime(migration::migrate(&loaded.config, options)),
        Command::CopyStore(options) => in_runtime(migration::copy_store(loaded.config, options)),
        Command::Desk(command) => in_one_thread(at_the_desk(layers, loaded, command)),
    }
}

fn in_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// For commands, which do one thing: entries of a directory are taken apart where they arrive, and no thread waits for another.
fn in_one_thread(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

async fn at_the_desk(layers: Arc<Layers>, base: Loaded, command: DeskCommand) -> Result<(), Failure> {
    let surroundings = Surroundings::machine();
    let app = App::open_for_a_command(&base.config, surroundings.clone()).await?;
    let settings = generation::settings(&app, layers);
    let (_, generation::Standing { app, left_out, .. }) = generation::standing(app, &settings, base).await?;
    cli::warn_of(&left_out);
    let desk = Desk {
        core: app.core.clone(),
        keys: app.keys.clone(),
        providers: app.providers.clone(),
        saml: app.saml.clone(),
        settings,
        ctx: Context::operator(surroundings),
    };
    let done = command.run(&desk).await;
    app.close().await;
    done
}
