//! What is wrong with a configuration, and where: collected, so that an operator sees everything at once.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use thiserror::Error;

use super::span::Span;

/// Why there is no configuration to start with.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file that was asked for, or found, cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// The content is wrong; every problem that was found, in the order of the file.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    let mut text = match problems.len() {
        1 => "there is a problem in the configuration:".to_owned(),
        count => format!("there are {count} problems in the configuration:"),
    };
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// The full path of the key, such as `server.listen` or `application[0].slug`; empty for a fault of the file's
    /// grammar.
    pub key: String,
    /// What is wrong. Never the value of a secret.
    pub text: String,
    /// What is possible there, if that helps.
    pub allowed: Option<String>,
    /// A name that exists and is close to the one written.
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { name, line } => write!(f, "{name}:{line}: ")?,
            Place::Variable(name) => write!(f, "environment variable {name}: ")?,
            Place::Stored(_) => f.write_str("stored setting ")?,
            Place::Nowhere => {}
        }
        if let Place::Stored(stored) = &self.place {
            write!(f, "{}: ", self.named(stored))?;
        } else if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean {nearest}?")?;
        }
        if let Some(allowed) = &self.allowed {
            write!(f, "; possible: {allowed}")?;
        }
        Ok(())
    }
}

impl Problem {
    /// The key in the terms of whoever stored it: an item by its slug, since nobody sees its number.
    fn named(&self, stored: &str) -> String {
        let list = stored.split('.').next().unwrap_or_default();
        let numbered = self.key.strip_prefix(list).filter(|rest| rest.starts_with('['));
        match numbered.and_then(|rest| rest.split_once(']')) {
            Some((_, rest)) => format!("{stored}{rest}"),
            None => self.key.clone(),
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a file, counted from 1.
    File {
        /// The file as it was named.
        name: String,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// The database, under this key.
    Stored(String),
    /// Neither; a value that should be there and is not.
    Nowhere,
}

/// Collects problems and warnings, and knows where each key was written.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<String>,
    places: BTreeMap<String, Place>,
}

impl Findings {
    /// Notes where a key was written; a later note replaces an earlier one.
    pub(super) fn wrote(&mut self, key: String, place: Place) {
        self.places.insert(key, place);
    }

    /// The same for a value as a whole: where parts of another one were written that stood there counts no more.
    pub(super) fn wrote_whole(&mut self, key: String, place: Place) {
        let inside = |other: &str| other.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']));
        self.places.retain(|other, _| !inside(other));
        self.wrote(key, place);
    }

    /// Where a key, or the nearest thing around it, was written.
    pub(super) fn place(&self, key: &str) -> Place {
        let mut around = key;
        loop {
            if let Some(place) = self.places.get(around) {
                return place.clone();
            }
            match around.rfind(['.', '[']) {
                Some(end) => around = around.get(..end).unwrap_or_default(),
                None => return Place::Nowhere,
            }
        }
    }

    /// Adds a problem as it is.
    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds a problem with the value of a key. The text goes on after the key's path.
    pub(super) fn wrong(&mut self, key: &str, text: &str) {
        let problem = Problem {
            place: self.place(key),
            key: key.to_owned(),
            text: text.to_owned(),
            allowed: None,
            nearest: None,
        };
        self.add(problem);
    }

    /// Adds a problem unless the span is between two others, both included.
    pub(super) fn bounds(&mut self, key: &str, span: Span, least: Span, most: Span) {
        if span < least || span > most {
            self.wrong(key, &format!("\"{span}\" is not between \"{least}\" and \"{most}\""));
        }
    }

    /// Adds a remark that does not stop the start.
    pub(super) fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether something is wrong with this very key or inside it.
    pub(super) fn has_problem(&self, key: &str) -> bool {
        let inside = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.problems.iter().any(|problem| problem.key.strip_prefix(key).is_some_and(inside))
    }

    /// Whether nothing is wrong with a top-level key or in a section so far.
    pub(super) fn is_sound(&self, section: &str) -> bool {
        let first = |key: &str| key.split(['.', '[']).next().unwrap_or_default().to_owned();
        !self.problems.iter().any(|problem| first(&problem.key) == section)
    }

    /// What an operator should know, though it does not stop the start.
    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// All problems in the order of the file, those of the environment after them.
    pub(super) fn into_error(mut self) -> ConfigError {
        self.problems.sort_by(|a, b| a.place.cmp(&b.place));
        self.problems.dedup();
        ConfigError::Invalid(self.problems)
    }
}

/// The candidate that a misspelt name most likely means, if one is close enough to be worth saying.
pub(super) fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::normalized_damerau_levenshtein(written, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
