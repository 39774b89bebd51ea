//! Where log events go and how they look. What may be in them is decided in [`crate::domain::redact`] and by who logs.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
};

use tracing::Subscriber;
use tracing_subscriber::{
    Layer, Registry,
    filter::{LevelFilter, Targets},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use crate::connect::log_file::{LogFile, LogFileSettings};

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Pretty,
    /// One JSON object per line, for machines.
    Json,
}

/// The stream that events go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
    /// None; sensible only with a file.
    Off,
}

/// The set-up of the log.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`, also per module: `info,sqlx=warn`.
    pub level: String,
    /// The same for stream and file.
    pub format: LogFormat,
    /// The stream.
    pub stream: LogStream,
    /// Besides the stream, a file.
    pub file: Option<LogFileSettings>,
}

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is not understood.
    #[error("log level {level:?}: {part:?} is neither a level (error, warn, info, debug, trace, off) nor MODULE=LEVEL")]
    Level {
        /// What was given.
        level: String,
        /// The part of it that is wrong.
        part: String,
    },
    /// The file cannot be opened.
    #[error("log.file: cannot open {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something in this process logs already.
    #[error("the log was set up before")]
    Twice,
}

type Output = Box<dyn Layer<Registry> + Send + Sync>;

/// Sends all events of this process where `settings` says. The file, if there is one, wants [`LogFile::tend`] from time
/// to time.
pub fn start(settings: LogSettings) -> Result<Option<Arc<LogFile>>, LogError> {
    let (subscriber, file) = subscriber(settings)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Ok(file)
}

/// What [`start`] makes the process's subscriber.
pub fn subscriber(
    settings: LogSettings,
) -> Result<(impl Subscriber + Send + Sync + 'static, Option<Arc<LogFile>>), LogError> {
    let LogSettings { level, format, stream, file } = settings;
    let filter = filter(&level)?;
    let mut outputs: Vec<Output> = Vec::with_capacity(2);
    match stream {
        LogStream::Stderr => outputs.push(output(format, io::stderr, io::stderr().is_terminal())),
        LogStream::Stdout => outputs.push(output(format, io::stdout, io::stdout().is_terminal())),
        LogStream::Off => {}
    }
    let file = file.map(open).transpose()?;
    if let Some(file) = &file {
        outputs.push(output(format, Arc::clone(file), false));
    }
    Ok((tracing_subscriber::registry().with(outputs).with(filter), file))
}

/// Reads [`LogSettings::level`]; also for checking a configuration without starting.
pub fn filter(level: &str) -> Result<Targets, LogError> {
    let wrong = |part: &str| LogError::Level { level: level.to_owned(), part: part.to_owned() };
    level.split(',').map(str::trim).try_fold(Targets::new(), |filter, part| {
        // `Targets` itself would take a misspelt level for a module and log nothing else.
        let (module, threshold) = part.split_once('=').map_or((None, part), |(module, level)| (Some(module), level));
        let known = threshold.bytes().any(|byte| byte.is_ascii_alphabetic());
        let threshold = threshold.parse::<LevelFilter>().ok().filter(|_| known).ok_or_else(|| wrong(part))?;
        match module {
            None => Ok(filter.with_default(threshold)),
            Some("") => Err(wrong(part)),
            Some(module) => Ok(filter.with_target(module, threshold)),
        }
    })
}

fn open(settings: LogFileSettings) -> Result<Arc<LogFile>, LogError> {
    let path = settings.path.clone();
    LogFile::open(settings).map(Arc::new).map_err(|source| LogError::File { path, source })
}

fn output<W>(format: LogFormat, writer: W, colours: bool) -> Output
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer);
    match format {
        LogFormat::Pretty => layer.with_ansi(colours).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn settings(directory: &TempDir, level: &str, format: LogFormat) -> LogSettings {
        let path = directory.path().join("vestibule.log");
        let file = LogFileSettings { path, max_bytes: 1 << 20, max_files: 2, max_age_days: 0 };
        LogSettings { level: level.to_owned(), format, stream: LogStream::Off, file: Some(file) }
    }

    fn logged(level: &str, format: LogFormat, events: impl FnOnce()) -> String {
        let directory = TempDir::new().unwrap();
        let (subscriber, file) = subscriber(settings(&directory, level, format)).unwrap();
        tracing::subscriber::with_default(subscriber, events);
        drop(file);
        fs::read_to_string(directory.path().join("vestibule.log")).unwrap()
    }

    #[test]
    fn json_events_are_one_object_per_line_with_the_request_they_belong_to() {
        let text = logged("info", LogFormat::Json, || {
            tracing::info_span!("request", request_id = "r-1")
                .in_scope(|| tracing::info!(outcome = "a\nb", "signed in"));
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["message"], "signed in");
        assert_eq!(event["outcome"], "a\nb");
        assert_eq!(event["level"], "INFO");
        assert_eq!(event["span"]["request_id"], "r-1");
        assert!(event["timestamp"].is_string());
    }

    #[test]
    fn files_hold_no_colours_and_quote_what_would_break_a_line() {
        let text = logged("info", LogFormat::Pretty, || tracing::warn!(name = "a\nb\u{1b}[31m", "hello"));
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.contains("WARN") && text.contains("hello"));
    }

    #[test]
    fn the_level_can_be_told_per_module() {
        let text = logged("warn,vestibule::access=info", LogFormat::Pretty, || {
            tracing::info!("quiet");
            tracing::info!(target: "vestibule::access", "shown");
        });
        assert!(text.contains("shown") && !text.contains("quiet"), "{text}");
    }

    #[test]
    fn mistakes_in_the_set_up_are_told() {
        let directory = TempDir::new().unwrap();
        for level in ["loud", "", "info,", "info,sqlx", "info,sqlx=", "info,=warn", "3", "sqlx=warn=info"] {
            let wrong_level = subscriber(settings(&directory, level, LogFormat::Json)).err().unwrap();
            assert!(wrong_level.to_string().starts_with(&format!("log level {level:?}: ")), "{wrong_level}");
        }
        let mut elsewhere = settings(&directory, "info", LogFormat::Json);
        elsewhere.file.as_mut().unwrap().path = directory.path().join("missing/vestibule.log");
        let no_file = subscriber(elsewhere).err().unwrap();
        assert!(matches!(no_file, LogError::File { .. }), "{no_file}");
    }
}
