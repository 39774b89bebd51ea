//! `[log]`: what is written about requests and events, where to, and for how long.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The section `[log]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The least important events that are still written.
    pub level: LogLevel,

    /// How an event is written.
    pub format: LogFormat,

    /// File to write to. When not set, events go to standard error, and `max_bytes`, `keep_files` and
    /// `max_age_days` mean nothing.
    #[schemars(example = &"/var/log/vestibule/vestibule.log")]
    pub file: Option<PathBuf>,

    /// Size in bytes at which a new file is begun.
    #[schemars(range(min = 65_536, max = 10_737_418_240_u64))]
    pub max_bytes: u64,

    /// How many finished files are kept beside the current one; the oldest goes first.
    #[schemars(range(min = 0, max = 1000))]
    pub keep_files: u32,

    /// After how many days a finished file is deleted, full or not. Logs hold account ids and shortened addresses,
    /// which are personal data. 0 keeps them until `keep_files` removes them.
    #[schemars(range(min = 0, max = 3650))]
    pub max_age_days: u32,

    /// For how many days it is kept what came of sign-ins with identity providers and directories: which claims arrived,
    /// what was decided, and why. `vestibule trace` shows it. Tokens are never in it, and values that are personal only
    /// shortened, but names of claims and groups are. 0 keeps nothing.
    #[schemars(range(min = 0, max = 90))]
    pub trace_days: u32,

    /// Whether client addresses are written in full. By default the last part is cut off (IPv4 to /24, IPv6 to /48).
    ///
    /// Danger: full addresses identify people; write them only for as long as you need them and have a legal basis.
    pub full_addresses: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            format: LogFormat::Pretty,
            file: None,
            max_bytes: 50 * 1024 * 1024,
            keep_files: 10,
            max_age_days: 30,
            trace_days: 7,
            full_addresses: false,
        }
    }
}

/// How important an event must be to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Only what needs somebody to act.
    Error,
    /// Also what looks wrong.
    Warn,
    /// Also each request and each act.
    Info,
    /// Also why decisions were taken.
    Debug,
    /// Everything, libraries included.
    Trace,
}

impl LogLevel {
    /// The level as tracing filters spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line for people.
    Pretty,
    /// One JSON object per line for log collectors.
    Json,
}
