//! Environment over file over what is stored over the defaults: the two that a node has for itself, kept as they were read
//! at its start, and the third laid under them whenever it changes.

use super::{
    ConfigError, Loaded, Problem, Source,
    findings::Place,
    load::{Built, Sources, build, first_that_exists, secret_of, text_of},
    setting::{Setting, Under},
    shape::ReadSecret,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// File and environment of a node. What was read at the start stays: a file that somebody is editing must not take effect
/// because something else changed in the database. Files that `_file` keys name are read each time.
pub struct Layers {
    path: Option<PathBuf>,
    text: Option<String>,
    environment: BTreeMap<String, String>,
    /// `_file` keys are followed.
    follow: bool,
}

/// A configuration with stored settings in it.
pub struct Merged {
    /// What holds.
    pub loaded: Loaded,
    /// Stored settings that this node cannot use, and does without.
    pub left_out: Vec<LeftOut>,
    /// The others.
    pub kept: Vec<Setting>,
}

/// A stored setting that a node cannot use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its key.
    pub key: String,
    /// What is wrong, a line each.
    pub why: String,
}

impl Layers {
    /// Reads the named file, or else the first of [`super::SEARCHED`] that exists.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] for a file that is there, or was named, and cannot be read.
    pub fn read(explicit: Option<&Path>, environment: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let file = match explicit {
            Some(path) => Some((path.to_owned(), text_of(path)?)),
            None => first_that_exists()?,
        };
        let (path, text) = file.unzip();
        Ok(Self { path, text, environment, follow: true })
    }

    /// With this text in the place of the file; the files that it names are not read.
    #[must_use]
    pub fn of_text(text: &str, environment: BTreeMap<String, String>) -> Self {
        Self { path: Some("vestibule.toml".into()), text: Some(text.to_owned()), environment, follow: false }
    }

    /// What file and environment say by themselves.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem.
    pub fn base(&self) -> Result<Loaded, ConfigError> {
        self.with(&[])
    }

    /// With stored settings.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem, of a stored setting too.
    pub fn with(&self, stored: &[Setting]) -> Result<Loaded, ConfigError> {
        self.built(Under { settings: stored, first: None })
    }

    /// The same as if neither file nor environment set these keys: whether a value is right must not depend on whether it
    /// counts on this node.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem.
    pub fn with_first(&self, stored: &[Setting], first: &BTreeSet<String>) -> Result<Loaded, ConfigError> {
        self.built(Under { settings: stored, first: Some(first) })
    }

    /// With those stored settings that this node can use: one that it cannot (a newer version stored it, it contradicts
    /// the file of this node) must not keep it from running. Of two that contradict each other both may be left out.
    ///
    /// # Errors
    /// [`ConfigError`] when file and environment are not right by themselves.
    pub fn merged(&self, stored: Vec<Setting>) -> Result<Merged, ConfigError> {
        let (mut kept, mut left_out) = (stored, Vec::new());
        loop {
            let problems = match self.with(&kept) {
                Ok(loaded) => return Ok(Merged { loaded, left_out, kept }),
                Err(ConfigError::Invalid(problems)) if !kept.is_empty() => problems,
                Err(error) => return Err(error),
            };
            let blamed = blamed(&problems, &kept);
            kept.retain(|setting| !blamed.contains_key(&setting.key));
            left_out.extend(blamed.into_iter().map(|(key, why)| LeftOut { key, why }));
        }
    }

    fn built(&self, stored: Under<'_>) -> Result<Loaded, ConfigError> {
        let Built { config, variables, warnings, marks } = self.sources(stored, build)?;
        Ok(Loaded { config, source: Source { file: self.path.clone(), variables }, warnings, marks })
    }

    /// Does something with all layers.
    pub(super) fn sources<T>(&self, stored: Under<'_>, work: impl FnOnce(&Sources<'_>) -> T) -> T {
        let name = self.path.as_ref().map(|path| path.display().to_string());
        let read_secret: ReadSecret<'_> = &secret_of;
        work(&Sources {
            file: name.as_deref().zip(self.text.as_deref()),
            environment: &self.environment,
            stored,
            read_secret: self.follow.then_some(read_secret),
        })
    }
}

/// The settings that problems stand at. Where they stand elsewhere, since a stored value contradicts one of the file: those
/// of the same sections, or else all.
fn blamed(problems: &[Problem], kept: &[Setting]) -> BTreeMap<String, String> {
    let mut direct: BTreeMap<String, String> = BTreeMap::new();
    for problem in problems {
        let Place::Stored(key) = &problem.place else { continue };
        let why = direct.entry(key.clone()).or_default();
        if !why.is_empty() {
            why.push('\n');
        }
        why.push_str(&problem.to_string());
    }
    if !direct.is_empty() {
        return direct;
    }
    let section = |key: &str| key.split(['.', '[']).next().unwrap_or_default().to_owned();
    let sections: BTreeSet<_> = problems.iter().map(|problem| section(&problem.key)).collect();
    let why = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let near = |setting: &&Setting| sections.contains(&section(&setting.key));
    let some: Vec<_> = kept.iter().filter(near).collect();
    let some = if some.is_empty() { kept.iter().collect() } else { some };
    some.into_iter().map(|setting| (setting.key.clone(), why.clone())).collect()
}
