//! Settings that are kept in the database: which keys can be, and how a value is read and shown. How they lie under file
//! and environment is in `under`; keeping them is the store's business, changing them the service's.

use super::{
    environment,
    findings::{Findings, nearest},
    spec::{Key, Kind, Table},
    tree::{self, inside},
    values::Slug,
};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// What tells one item of a list from another of the same name: SHA-256 of all that was set for it, by `list.slug`.
pub type Marks = BTreeMap<String, [u8; 32]>;

const EARLY: &str = "it is needed before the database is open";
const NODE: &str = "it belongs to one node";
const MACHINE: &str = "it belongs to one machine, its memory and its cores";
pub(super) const FILE: &str = "it names a file of one machine";
const BROWSERS: &str = "browsers of people who are signed in would lose their cookies in the midst of it";

/// Keys, and beginnings of keys, that cannot be stored, and why.
const KEPT: [(&str, &str); 13] = [
    ("public_url", "it is needed before the database is open, and cookies and passkeys depend on it"),
    ("data_dir", EARLY),
    ("secret_key", EARLY),
    ("database.", EARLY),
    ("sessions.store", EARLY),
    ("sessions.redis_", EARLY),
    ("server.", NODE),
    ("log.", NODE),
    ("password.hashing.", MACHINE),
    ("sessions.cookie_name", BROWSERS),
    ("sessions.cookie_domain", BROWSERS),
    ("autologin.cookie_name", BROWSERS),
    ("second_factor.cookie_name", BROWSERS),
];

/// A setting as it is stored, whichever version stored it.
#[derive(Clone)]
pub struct Setting {
    /// Its key: `sessions.idle_timeout`, `application.tasks`.
    pub key: String,
    /// Its value; an item is an object. May hold secrets.
    pub value: Value,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({})", self.key)
    }
}

impl Setting {
    /// A value under its key; an item has its slug in it, however it was written.
    #[must_use]
    pub fn new(key: String, mut value: Value) -> Self {
        if let Some(item) = value.as_object_mut()
            && let Some((_, slug)) = key.split_once('.')
        {
            item.insert("slug".to_owned(), Value::from(slug));
        }
        Self { key, value }
    }
}

/// The key of something that can be stored: a key of a section, or an item of a list as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingKey(String);

/// Why a key cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It does not exist.
    #[error("there is no key {key:?}{}", .nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    Unknown {
        /// As it was written.
        key: String,
        /// One that exists and is close.
        nearest: Option<String>,
    },
    /// It has to be set elsewhere.
    #[error("{key} cannot be stored: {why}; set it in the file or the environment of each node")]
    Kept {
        /// Which.
        key: String,
        /// Why.
        why: &'static str,
    },
    /// It is a whole section, or a part of an item.
    #[error("{key} cannot be stored: {why}")]
    Whole {
        /// Which.
        key: String,
        /// What could be stored instead.
        why: String,
    },
}

pub(super) enum Target<'a> {
    Leaf { tables: Vec<&'a str>, key: &'a Key, twin: Option<String> },
    Item { list: &'a str, slug: &'a str, spec: &'a Table },
}

impl SettingKey {
    /// The key that is written so.
    ///
    /// # Errors
    /// [`KeyFault`], in words for the operator.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        target(text, &Table::of_config()).map(|_| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an item of a list.
    #[must_use]
    pub fn is_item(&self) -> bool {
        matches!(target(&self.0, &Table::of_config()), Ok(Target::Item { .. }))
    }

    /// Reads a value: for a key as in an environment variable, for an item TOML, with or without its header.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn value(&self, text: &str) -> Result<Value, String> {
        let spec = Table::of_config();
        let (list, slug) = match target(&self.0, &spec).map_err(|fault| fault.to_string())? {
            Target::Leaf { key, .. } => return Ok(environment::value(&key.kind, text)),
            Target::Item { list, slug, .. } => (list, slug),
        };
        let mut found = Findings::default();
        let mut item = tree::read(&self.0, text, &mut found);
        if !found.is_clean() {
            return Err(found.into_error().to_string());
        }
        if item.len() == 1
            && let Some(Value::Array(items)) = item.get_mut(list)
        {
            let [Value::Object(only)] = items.as_mut_slice() else {
                return Err(format!("{} is one item; there must be one [[{list}]]", self.0));
            };
            item = std::mem::take(only);
        }
        if item.get("slug").is_some_and(|named| named.as_str() != Some(slug)) {
            return Err(format!("{}: its slug is {slug:?} and cannot be another", self.0));
        }
        item.insert("slug".to_owned(), Value::from(slug));
        Ok(Value::Object(item))
    }

    /// Whether a value holds a secret, so that it must be sealed.
    #[must_use]
    pub fn holds_secret(&self, value: &Value) -> bool {
        self.masked(value) != *value
    }

    /// The value with a word in the place of each secret.
    #[must_use]
    pub fn masked(&self, value: &Value) -> Value {
        match target(&self.0, &Table::of_config()) {
            Ok(Target::Leaf { key, .. }) => masked(key, value),
            Ok(Target::Item { spec, .. }) => masked_table(spec, value),
            Err(_) => Value::from(MASK),
        }
    }

    /// Gives an item the secrets that another one of its key has and it does not name.
    pub fn keep_secrets(&self, value: &mut Value, before: &Value) {
        let spec = Table::of_config();
        let Ok(Target::Item { spec, .. }) = target(&self.0, &spec) else { return };
        let (Some(item), Some(before)) = (value.as_object_mut(), before.as_object()) else { return };
        for key in spec.keys.iter().filter(|key| key.secret && !item.contains_key(&key.name)).collect::<Vec<_>>() {
            if let Some(secret) = before.get(&key.name) {
                item.insert(key.name.clone(), secret.clone());
            }
        }
    }

    /// Whether the key itself is a secret, which is better not seen on a command line.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(target(&self.0, &Table::of_config()), Ok(Target::Leaf { key, .. }) if key.secret)
    }
}

impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands in the place of a secret.
pub(super) const MASK: &str = "(secret)";

pub(super) fn masked(key: &Key, value: &Value) -> Value {
    match &key.kind {
        _ if key.secret => Value::from(MASK),
        Kind::Table(below) => masked_table(below, value),
        Kind::Tables(below) => match value {
            Value::Array(items) => items.iter().map(|item| masked_table(below, item)).collect(),
            _ => Value::from(MASK),
        },
        _ => value.clone(),
    }
}

pub(super) fn masked_table(spec: &Table, value: &Value) -> Value {
    let Value::Object(values) = value else { return Value::from(MASK) };
    // What a newer version stored may be a secret.
    let shown = |(name, value): (&String, &Value)| {
        let value = spec.key(name).map_or_else(|| Value::from(MASK), |key| masked(key, value));
        (name.clone(), value)
    };
    Value::Object(values.iter().map(shown).collect())
}

pub(super) fn target<'a>(text: &'a str, spec: &'a Table) -> Result<Target<'a>, KeyFault> {
    let unknown = || KeyFault::Unknown { key: text.to_owned(), nearest: near(text, spec) };
    let (mut table, mut tables, mut parts) = (spec, Vec::new(), text.split('.'));
    while let Some(part) = parts.next() {
        let key = table.key(part).ok_or_else(unknown)?;
        match &key.kind {
            Kind::Table(below) => {
                tables.push(part);
                table = below;
            }
            Kind::Tables(below) => {
                let slug = parts.next().filter(|slug| slug.parse::<Slug>().is_ok()).ok_or_else(|| KeyFault::Whole {
                    key: text.to_owned(),
                    why: format!("name one of them by its slug, as in {part}.tasks"),
                })?;
                if parts.next().is_some() {
                    let why = format!("items are stored as a whole: {part}.{slug}");
                    return Err(KeyFault::Whole { key: text.to_owned(), why });
                }
                return Ok(Target::Item { list: part, slug, spec: below });
            }
            _ if parts.next().is_some() => return Err(unknown()),
            _ => {
                if let Some(why) = kept(text) {
                    return Err(KeyFault::Kept { key: text.to_owned(), why });
                }
                let twin = key.file_twin(table).map(|twin| twin.name.clone());
                return Ok(Target::Leaf { tables, key, twin });
            }
        }
    }
    Err(KeyFault::Whole { key: text.to_owned(), why: "it is a section; store its keys one by one".to_owned() })
}

/// Why a key of a section cannot be stored.
pub(super) fn kept(key: &str) -> Option<&'static str> {
    let of_rule = |(start, _): &&(&str, &str)| {
        key == *start || (start.ends_with(['.', '_']) && key.starts_with(start)) || key == format!("{start}_file")
    };
    let file = key.ends_with("_file").then_some(FILE);
    KEPT.iter().find(of_rule).map(|(_, why)| *why).or(file)
}

fn near(text: &str, spec: &Table) -> Option<String> {
    let mut names = Vec::new();
    collect(spec, "", &mut names);
    nearest(text, names.iter().map(String::as_str)).map(str::to_owned)
}

fn collect(table: &Table, path: &str, names: &mut Vec<String>) {
    for key in &table.keys {
        let path = inside(path, &key.name);
        match &key.kind {
            Kind::Table(below) => collect(below, &path, names),
            Kind::Tables(_) => {}
            _ if kept(&path).is_some() => {}
            _ => names.push(path),
        }
    }
}

/// The marks of all items.
pub(super) fn marks(root: &Map<String, Value>, spec: &Table) -> Marks {
    let mut marks = Marks::new();
    for key in spec.keys.iter().filter(|key| matches!(key.kind, Kind::Tables(_))) {
        for item in root.get(&key.name).and_then(Value::as_array).into_iter().flatten() {
            let Some(slug) = item.get("slug").and_then(Value::as_str) else { continue };
            let mut mark = [0; 32];
            mark.copy_from_slice(digest(&SHA256, item.to_string().as_bytes()).as_ref());
            marks.insert(format!("{}.{slug}", key.name), mark);
        }
    }
    marks
}

#[cfg(test)]
#[path = "setting_tests.rs"]
mod tests;
