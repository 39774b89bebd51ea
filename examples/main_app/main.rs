//! The example application: projects, work packages, comments and time entries for people that it never asks for a
//! password. Vestibule says who they are, in one of two ways (`--mode`); `identity.rs` is the part to copy.
//!
//! This file: the options, and starting. Nothing here is part of the Vestibule program.

mod identity;
mod pages;
mod projects;
mod store;
mod token;
mod vestibule;
mod web;

use clap::{Parser, ValueEnum};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// A small project management that leaves signing in to Vestibule.
#[derive(Parser)]
#[command(name = "main_app")]
struct Options {
    /// How this application learns who is there.
    #[arg(long, value_enum, default_value_t = Mode::Whoami)]
    mode: Mode,
    /// Folder of its database.
    #[arg(long, default_value = "./data-main-app")]
    data: PathBuf,
    /// Where it listens. Only a proxy or this machine should reach it.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Its address as browsers see it.
    #[arg(long, default_value = "http://localhost:3000")]
    own_url: String,
    /// Vestibule's `public_url`, where browsers sign in.
    #[arg(long, default_value = "http://localhost:8080")]
    vestibule: String,
    /// Where this application asks Vestibule, when that is another address than browsers use. Plain http.
    #[arg(long)]
    ask: Option<String>,
    /// `aud` of its tokens: `audience` of the application in vestibule.toml, or its slug (`--mode headers`).
    #[arg(long, default_value = "tasks")]
    audience: String,
    /// File with the secret of the application; otherwise the variable `MAIN_APP_SECRET` (`--mode whoami`).
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// Forgets the name of a person whose account was deleted, by account id, and ends.
    #[arg(long, value_name = "ACCOUNT_ID")]
    forget: Option<String>,
}

/// Ways to learn who is there.
#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Behind a proxy that asks Vestibule: only the signed token in X-Vestibule-Jwt counts.
    Headers,
    /// Asks Vestibule at every request whose session the browser's cookie is.
    Whoami,
}

/// What every request needs.
struct App {
    store: store::Store,
    source: identity::Source,
    /// Its own address, without a slash at the end.
    own_url: String,
    /// Where browsers find Vestibule, without a slash at the end.
    vestibule: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let store = store::Store::open(&options.data).await?;
    if let Some(id) = &options.forget {
        store.forget(id).await?;
        return Ok(());
    }
    let public = options.vestibule.trim_end_matches('/').to_owned();
    let asked = vestibule::Vestibule::at(options.ask.as_deref().unwrap_or(&public))?;
    let source = match options.mode {
        Mode::Whoami => identity::Source::Whoami { asked, secret: secret(&options)? },
        Mode::Headers => identity::Source::Headers(Box::new(token::Tokens::new(asked, &public, &options.audience))),
    };
    let own_url = options.own_url.trim_end_matches('/').to_owned();
    let app = Arc::new(App { store, source, own_url, vestibule: public });
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    writeln!(std::io::stdout(), "The example application is running on {}", app.own_url)?;
    axum::serve(listener, web::router(app)).with_graceful_shutdown(stop()).await?;
    Ok(())
}

/// The secret with which this application asks about sessions.
fn secret(options: &Options) -> Result<String, Box<dyn std::error::Error>> {
    let text = match &options.secret_file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => from_environment().ok_or("no secret: give --secret-file or set MAIN_APP_SECRET")?,
    };
    Ok(text.trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "an example has no configuration file; its secret may be in a variable")]
fn from_environment() -> Option<String> {
    std::env::var("MAIN_APP_SECRET").ok()
}

/// Waits for Ctrl-C.
async fn stop() {
    // Without a way to hear of it the process ends by the signal itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
