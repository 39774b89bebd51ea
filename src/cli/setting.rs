//! `vestibule settings …`

use super::{Desk, Failure, complain, say};
use crate::config::{Place, SettingKey, of_toml};
use crate::service::caller::Operator;
use crate::service::moment;
use crate::service::setting::{Changed, Entry};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Width of the column of keys.
const KEYS: usize = 36;

#[derive(Subcommand)]
pub enum Command {
    /// Show every key with its value and where that comes from; secrets are never shown.
    List {
        /// Only what is stored.
        #[arg(long)]
        stored: bool,
    },
    /// Show one key, or an item such as application.tasks.
    Show {
        /// As in `sessions.idle_timeout` or application.tasks.
        key: String,
    },
    /// Store a value for all nodes. Running nodes follow within a second.
    Set(Set),
    /// Take a stored value away.
    Unset {
        /// As in `sessions.idle_timeout` or application.tasks.
        key: String,
    },
    /// Store everything that a file in the form of vestibule.toml has, all of it or nothing.
    Import {
        /// The file; - is standard input.
        file: PathBuf,
        /// Take away what is stored and not in the file.
        #[arg(long)]
        replace: bool,
    },
    /// Write what is stored in the form of vestibule.toml.
    Export {
        /// With secrets, which are left out otherwise; this is audited.
        #[arg(long)]
        with_secrets: bool,
    },
}

#[derive(Args)]
pub struct Set {
    /// As in `sessions.idle_timeout`, or an item such as application.tasks.
    key: String,
    /// The value; a list as a, b. Without it, it is read from the file or from standard input.
    #[arg(conflicts_with = "file")]
    value: Option<String>,
    /// File with the value, or with the item in TOML; - is standard input.
    #[arg(long)]
    file: Option<PathBuf>,
}

pub(super) async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let (ctx, by, settings) = (&desk.ctx, Operator::vouched(), &desk.settings);
    match command {
        Command::List { stored } => {
            let listing = settings.list(by).await?;
            for entry in listing.entries.iter().filter(|entry| !stored || entry.stored.is_some()) {
                say(&line(entry));
            }
        }
        Command::Show { key } => {
            let listing = settings.list(by).await?;
            let Some(entry) = listing.entries.into_iter().find(|entry| entry.line.key == key) else {
                return Err(absent(&key));
            };
            show(&entry);
        }
        Command::Set(wish) => {
            let key = SettingKey::parse(&wish.key)?;
            let value = key.value(&written(&key, wish)?)?;
            told(&settings.set(ctx, by, &key, value).await?);
        }
        Command::Unset { key } => told(&settings.unset(ctx, by, &key).await?),
        Command::Import { file, replace } => {
            let name = file.display().to_string();
            let wanted = of_toml(&name, &text_of(&file)?)?;
            told(&settings.import(ctx, by, wanted, replace).await?);
        }
        Command::Export { with_secrets } => {
            let text = settings.export(ctx, by, with_secrets).await?;
            drop(write!(io::stdout(), "{}", text.expose()));
        }
    }
    Ok(())
}

fn absent(key: &str) -> Failure {
    match SettingKey::parse(key) {
        Ok(_) => format!("there is no {key}").into(),
        Err(fault) => fault.into(),
    }
}

/// What was typed, or stands in a file. A secret on a command line can be read by everybody on this machine.
fn written(key: &SettingKey, wish: Set) -> Result<String, Failure> {
    match wish.value {
        Some(_) if key.is_secret() => Err(format!(
            "a secret on the command line can be read by others: vestibule settings set {key} --file FILE, or on \
             standard input"
        )
        .into()),
        Some(_) if key.is_item() => {
            Err(format!("an item is written in TOML: vestibule settings set {key} --file FILE").into())
        }
        Some(value) => Ok(value),
        None => {
            let text = text_of(wish.file.as_deref().unwrap_or(Path::new("-")))?;
            Ok(if key.is_item() { text } else { text.trim_end_matches(['\n', '\r']).to_owned() })
        }
    }
}

fn text_of(file: &Path) -> Result<String, Failure> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}

fn told(changed: &Changed) {
    if changed.keys.is_empty() {
        return say("Nothing has changed: it was so already.");
    }
    say(&format!("Changed for all nodes: {}. Running ones follow within a second.", changed.keys.join(", ")));
    for warning in &changed.warnings {
        complain(&format!("warning: {warning}"));
    }
    for (key, place) in &changed.hidden {
        complain(&format!("warning: {key} does not count on this node: {} sets it", source(place)));
    }
}

fn source(place: &Place) -> String {
    match place {
        Place::File { name, line } => format!("{name}:{line}"),
        Place::Variable(name) => format!("environment variable {name}"),
        Place::Stored(_) => "database".to_owned(),
        Place::Nowhere => "default".to_owned(),
    }
}

fn line(entry: &Entry) -> String {
    let value = entry.line.value.as_ref().map_or_else(|| "not set".to_owned(), Value::to_string);
    let besides = match (&entry.stored, &entry.line.place) {
        (Some(_), Place::Stored(_)) | (None, _) => "",
        (Some(_), _) => "; what is stored does not count",
    };
    format!("{:KEYS$} {value}  ({}{besides})", entry.line.key, source(&entry.line.place))
}

fn show(entry: &Entry) {
    say(&line(entry));
    if let Some(kept) = &entry.stored {
        let by = kept.changed_by.map_or_else(|| "the command line".to_owned(), |id| format!("account {id}"));
        say(&format!("stored: {}, {} by {by}", kept.value, moment::machine(kept.changed_at)));
    }
    if let Some(why) = entry.line.kept {
        say(&format!("cannot be stored: {why}"));
    }
}
