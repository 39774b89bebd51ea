//! From file and environment to a checked configuration: layers, search order, and one list of everything that is
//! wrong.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::{
    Config, application, directory, environment,
    findings::{ConfigError, Findings, Problem},
    identity_provider,
    layers::Layers,
    setting::{self, Marks, Under},
    shape::{self, ReadSecret},
    spec::{Kind, Table},
    tree,
};

/// Where the configuration is looked for when no file is named; the first one that exists counts.
pub const SEARCHED: [&str; 2] = ["./vestibule.toml", "/etc/vestibule/vestibule.toml"];

/// A configuration file larger than this is a mistake.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// A secret larger than this is a mistake.
const LARGEST_SECRET: u64 = 64 * 1024;
/// How many values in a row may be impossible before the rest is left untold.
const MOST_BAD_VALUES: usize = 100;

/// A configuration and how it came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What to start with.
    pub config: Config,
    /// What it was read from.
    pub source: Source,
    /// What an operator should know, though it does not stop the start.
    pub warnings: Vec<String>,
    /// What tells items of lists from others.
    pub marks: Marks,
}

/// What a configuration was read from. `Display` gives one line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, if there was one.
    pub file: Option<PathBuf>,
    /// The names of the environment variables that were used; never their values.
    pub variables: Vec<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("built-in defaults (no file)")?,
        }
        if !self.variables.is_empty() {
            write!(f, " and environment ({})", self.variables.join(", "))?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads the configuration: the environment over the named file, or else over the first of [`SEARCHED`] that
    /// exists, or else over the built-in defaults. Relative paths count from the working directory. Files that `_file`
    /// keys name are read here. What is stored in the database is not known yet; see [`Layers`].
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] for a file that is there, or was named, and cannot be read; [`ConfigError::Invalid`]
    /// with every problem of the content.
    pub fn load(explicit_file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Loaded, ConfigError> {
        Layers::read(explicit_file, environment.clone())?.base()
    }

    /// Reads a configuration from its text, with the environment over it and without touching any file: the secrets
    /// that `_file` keys name stay unset.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem.
    pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let sources =
            Sources { file: Some(("vestibule.toml", text)), environment, stored: Under::default(), read_secret: None };
        build(&sources).map(|built| built.config)
    }

    /// The variables of the process that concern this service. The only place that reads the environment.
    /// What is not Unicode is kept with replacement characters, so that it is refused where it matters.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn environment() -> BTreeMap<String, String> {
        std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .filter(|(name, _)| name.starts_with("VESTIBULE_"))
            .collect()
    }
}

/// What a configuration is made of.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    /// Name and text of the file.
    pub(super) file: Option<(&'a str, &'a str)>,
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) stored: Under<'a>,
    /// None leaves the secrets unset that `_file` keys name.
    pub(super) read_secret: Option<ReadSecret<'a>>,
}

/// A configuration, and what was noticed on the way.
pub(super) struct Built {
    pub(super) config: Config,
    pub(super) variables: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) marks: Marks,
}

/// All layers in one tree, in the shape of the structs, and the variables that were used; `None` when the grammar is
/// broken, since whatever else could be said would follow from that.
pub(super) fn gather(
    sources: &Sources<'_>,
    spec: &Table,
    found: &mut Findings,
) -> Option<(Map<String, Value>, Vec<String>)> {
    let mut root = sources.file.map_or_else(Map::new, |(name, text)| tree::read(name, text, found));
    if found.has_problem("") {
        return None;
    }
    let variables = environment::overlay(&mut root, sources.environment, spec, found);
    setting::lay_under(&mut root, sources.stored, spec, found);
    shape::fit(&mut root, spec, sources.read_secret, found);
    Some((root, variables))
}

pub(super) fn build(sources: &Sources<'_>) -> Result<Built, ConfigError> {
    let mut found = Findings::default();
    let spec = Table::of_config();
    let Some((root, variables)) = gather(sources, &spec, &mut found) else { return Err(found.into_error()) };
    let marks = setting::marks(&root, &spec);
    let config = deserialize(root, &spec, &mut found);
    if let Some(config) = &config {
        check(config, sources.read_secret.is_some(), &mut found);
    }
    match config {
        Some(config) if found.is_clean() => Ok(Built { config, variables, warnings: found.into_warnings(), marks }),
        _ => Err(found.into_error()),
    }
}

/// Reads the values into the structs. A value that its type refuses is told and taken out, and the rest is read again,
/// so that all such values are found.
fn deserialize(root: Map<String, Value>, spec: &Table, found: &mut Findings) -> Option<Config> {
    let mut root = Value::Object(root);
    for _ in 0..MOST_BAD_VALUES {
        let error = match serde_path_to_error::deserialize::<_, Config>(&root) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let steps: Vec<Segment> = error.path().iter().cloned().collect();
        let (allowed, removed) = take_out(&mut root, spec, &steps);
        let key = error.path().to_string();
        let text = error.inner().to_string();
        found.add(Problem { place: found.place(&key), key, text, allowed, nearest: None });
        if !removed {
            break;
        }
    }
    None
}

/// Removes the value that the steps lead to (the whole list, if it is an item), or puts a substitute there if the key
/// is required. Also says what would have been possible.
fn take_out(root: &mut Value, spec: &Table, steps: &[Segment]) -> (Option<String>, bool) {
    let (mut value, mut table) = (root, spec);
    for step in steps {
        match step {
            Segment::Map { key: name } => {
                let (Some(key), Some(values)) = (table.key(name), value.as_object_mut()) else { return (None, false) };
                match &key.kind {
                    Kind::Table(below) | Kind::Tables(below) => table = below,
                    _ => {
                        let removed = values.remove(name).is_some();
                        if key.required {
                            values.insert(name.clone(), shape::substitute(key));
                        }
                        return (Some(key.allowed()), removed);
                    }
                }
                let Some(below) = values.get_mut(name) else { return (None, false) };
                value = below;
            }
            Segment::Seq { index } => {
                let Some(below) = value.get_mut(*index) else { return (None, false) };
                value = below;
            }
            Segment::Enum { .. } | Segment::Unknown => return (None, false),
        }
    }
    (None, false)
}

/// The checks that look at several values together. A section with unreadable values is left out: it has substitutes in
/// it.
fn check(config: &Config, secrets_read: bool, found: &mut Findings) {
    let sound = |found: &Findings, section| found.is_sound(section);
    if sound(found, "public_url") {
        config.check(found);
        if sound(found, "sessions") {
            config.sessions.check(&config.public_url, found);
        }
    }
    if ["sessions", "autologin", "second_factor"].into_iter().all(|section| sound(found, section)) {
        config.check_cookies(found);
    }
    if sound(found, "database") {
        config.database.check(found);
        config.check_keys(found);
    }
    if sound(found, "server") {
        config.server.check(found);
    }
    if sound(found, "password") {
        config.password.check(found);
    }
    if sound(found, "second_factor") {
        config.second_factor.check(found);
    }
    if sound(found, "registration") {
        config.registration.check(found);
    }
    if sound(found, "throttle") {
        config.throttle.check(found);
    }
    if sound(found, "mail") {
        config.mail.check(secrets_read, found);
    }
    if sound(found, "privacy") {
        config.privacy.check(found);
    }
    if sound(found, "branding") {
        config.branding.check(secrets_read, found);
    }
    if sound(found, "identity_provider") {
        identity_provider::check(&config.identity_providers, secrets_read, found);
    }
    if sound(found, "application") {
        application::check(&config.applications, found);
    }
    if sound(found, "directory") {
        directory::check(&config.directories, secrets_read, found);
    }
}

pub(super) fn first_that_exists() -> Result<Option<(PathBuf, String)>, ConfigError> {
    for path in SEARCHED.map(Path::new) {
        match text_of(path) {
            Ok(text) => return Ok(Some((path.to_owned(), text))),
            Err(ConfigError::Unreadable { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(super) fn text_of(path: &Path) -> Result<String, ConfigError> {
    read_limited(path, LARGEST_FILE).map_err(|reason| ConfigError::Unreadable { path: path.to_owned(), reason })
}

pub(super) fn secret_of(path: &str) -> Result<String, String> {
    let content = read_limited(Path::new(path), LARGEST_SECRET).map_err(|reason| reason.to_string())?;
    let secret = content.trim_end_matches(['\n', '\r']);
    if secret.is_empty() { Err("it is empty".to_owned()) } else { Ok(secret.to_owned()) }
}

fn read_limited(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if read as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {most} bytes")));
    }
    Ok(text)
}
