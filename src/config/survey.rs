//! What holds on a node and where it comes from, key by key; and settings from and to TOML. Secrets are masked, unless they
//! are asked for.

use super::{
    Layers, Place,
    findings::{ConfigError, Findings, Problem},
    load::gather,
    setting::{self, MASK, Setting, SettingKey, Under},
    spec::{Kind, Table},
    tree::{self, inside},
};
use serde_json::{Map, Value};

/// One key, or one item of a list, as it holds.
#[derive(Clone, Debug)]
pub struct Line {
    /// The key: `sessions.idle_timeout`, `application.tasks`.
    pub key: String,
    /// What holds, without secrets; `None` when it is not set and has no default.
    pub value: Option<Value>,
    /// Where that was written; `Nowhere` is the default.
    pub place: Place,
    /// Why it cannot be stored, if so.
    pub kept: Option<&'static str>,
}

impl Layers {
    /// Every key and item.
    #[must_use]
    pub fn survey(&self, settings: &[Setting]) -> Vec<Line> {
        let (spec, mut found, mut lines) = (Table::of_config(), Findings::default(), Vec::new());
        let gathered = self.sources(Under { settings, first: None }, |sources| gather(sources, &spec, &mut found));
        let (root, _) = gathered.unwrap_or_default();
        table(&spec, &root, "", &found, &mut lines);
        lines
    }
}

fn table(spec: &Table, values: &Map<String, Value>, path: &str, found: &Findings, lines: &mut Vec<Line>) {
    let nothing = Map::new();
    for key in &spec.keys {
        let (path, value) = (inside(path, &key.name), values.get(&key.name));
        match &key.kind {
            Kind::Table(below) => {
                table(below, value.and_then(Value::as_object).unwrap_or(&nothing), &path, found, lines);
            }
            Kind::Tables(below) => {
                for (index, item) in value.and_then(Value::as_array).into_iter().flatten().enumerate() {
                    let slug = item.get("slug").and_then(Value::as_str).unwrap_or_default();
                    lines.push(Line {
                        key: format!("{path}.{slug}"),
                        value: Some(setting::masked_table(below, item)),
                        place: found.place(&format!("{path}[{index}]")),
                        kept: None,
                    });
                }
            }
            _ => lines.push(Line {
                value: value.map(|value| setting::masked(key, value)).or_else(|| key.default.clone()),
                place: value.map_or(Place::Nowhere, |_| found.place(&path)),
                kept: setting::kept(&path),
                key: path,
            }),
        }
    }
}

/// Settings as a file like `vestibule.toml`. Without `secrets` these are left out, and a comment says so.
#[must_use]
pub fn to_toml(settings: &[Setting], secrets: bool) -> String {
    let (mut root, mut missing) = (Map::new(), Vec::new());
    for setting in settings {
        let mut value = setting.value.clone();
        if !secrets && let Ok(key) = SettingKey::parse(&setting.key) {
            value = key.masked(&value);
            if value == MASK {
                missing.push(setting.key.clone());
                continue;
            }
            without_masks(&mut value, &setting.key, &mut missing);
        }
        put(&mut root, &setting.key, value);
    }
    let text = toml::to_string(&Value::Object(root)).unwrap_or_default();
    missing.iter().map(|key| format!("# {key}: a secret, left out\n")).chain([text]).collect::<Vec<_>>().concat()
}

fn without_masks(value: &mut Value, path: &str, missing: &mut Vec<String>) {
    match value {
        Value::Object(table) => table.retain(|name, value| {
            let path = inside(path, name);
            let secret = *value == MASK;
            if secret {
                missing.push(path);
            } else {
                without_masks(value, &path, missing);
            }
            !secret
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| without_masks(item, path, missing)),
        _ => {}
    }
}

fn put(root: &mut Map<String, Value>, key: &str, value: Value) {
    let (mut table, mut parts) = (root, key.split('.').peekable());
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            table.insert(part.to_owned(), value);
            return;
        }
        if value.is_object() {
            if let Some(items) = table.entry(part).or_insert_with(|| Value::Array(Vec::new())).as_array_mut() {
                items.push(value);
            }
            return;
        }
        let below = table.entry(part).or_insert_with(|| Value::Object(Map::new()));
        let Some(below) = below.as_object_mut() else { return };
        table = below;
    }
}

/// The settings that a file like `vestibule.toml` has. Whether the values are right is not looked at.
///
/// # Errors
/// [`ConfigError::Invalid`] with everything that cannot be stored, by its line.
pub fn of_toml(name: &str, text: &str) -> Result<Vec<Setting>, ConfigError> {
    let (spec, mut found, mut settings) = (Table::of_config(), Findings::default(), Vec::new());
    let root = tree::read(name, text, &mut found);
    pick(&spec, root, "", &mut found, &mut settings);
    if found.is_clean() { Ok(settings) } else { Err(found.into_error()) }
}

fn pick(spec: &Table, values: Map<String, Value>, path: &str, found: &mut Findings, settings: &mut Vec<Setting>) {
    for (name, value) in values {
        let path = inside(path, &name);
        match (spec.key(&name).map(|key| &key.kind), value) {
            (Some(Kind::Table(below)), Value::Object(table)) => pick(below, table, &path, found, settings),
            (Some(Kind::Tables(_)), Value::Array(items)) => {
                for (index, item) in items.into_iter().enumerate() {
                    let place = format!("{path}[{index}]");
                    match item.get("slug").and_then(Value::as_str) {
                        Some(slug) => keep(format!("{path}.{slug}"), item.clone(), &place, found, settings),
                        None => found.wrong(&format!("{place}.slug"), "is missing"),
                    }
                }
            }
            (_, value) => keep(path.clone(), value, &path, found, settings),
        }
    }
}

fn keep(key: String, value: Value, path: &str, found: &mut Findings, settings: &mut Vec<Setting>) {
    match SettingKey::parse(&key) {
        Ok(_) if settings.iter().any(|other| other.key == key) => found.wrong(path, "is there twice"),
        Ok(_) => settings.push(Setting { key, value }),
        Err(fault) => found.add(Problem {
            place: found.place(path),
            key: String::new(),
            text: fault.to_string(),
            allowed: None,
            nearest: None,
        }),
    }
}
