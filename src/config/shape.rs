//! Compares the tree with the keys that exist: unknown keys, wrong kinds, values out of range, missing keys, secrets in
//! files. What is wrong is told and taken out, so that the rest can still be looked at.

use serde_json::{Map, Value};

use super::{
    findings::{Findings, Problem, nearest},
    spec::{Key, Kind, Table},
    tree::inside,
};

/// Reads a file that a `_file` key names; an error is the reason in words.
pub(super) type ReadSecret<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Brings the tree into the shape of the structs.
pub(super) fn fit(
    values: &mut Map<String, Value>,
    spec: &Table,
    read_secret: Option<ReadSecret<'_>>,
    found: &mut Findings,
) {
    Fitter { read_secret, found }.table("", values, spec);
}

struct Fitter<'a> {
    read_secret: Option<ReadSecret<'a>>,
    found: &'a mut Findings,
}

impl Fitter<'_> {
    fn table(&mut self, path: &str, values: &mut Map<String, Value>, spec: &Table) {
        values.retain(|name, value| {
            let key = spec.key(name);
            if key.is_none() {
                self.unknown(path, name, spec);
            }
            key.is_some_and(|key| self.fits(&inside(path, name), value, key))
        });
        for key in &spec.keys {
            self.secret(path, values, key, spec);
            if key.required && !values.contains_key(&key.name) {
                let missing = inside(path, &key.name);
                if !self.found.has_problem(&missing) {
                    self.found.add(Problem {
                        place: self.found.place(path),
                        key: missing,
                        text: "is missing".to_owned(),
                        allowed: Some(key.allowed()),
                        nearest: None,
                    });
                }
                values.insert(key.name.clone(), substitute(key));
            }
        }
    }

    fn unknown(&mut self, path: &str, name: &str, spec: &Table) {
        let names = || spec.keys.iter().map(|key| key.name.as_str());
        let full = inside(path, name);
        self.found.add(Problem {
            place: self.found.place(&full),
            key: full,
            text: "no such key".to_owned(),
            allowed: Some(names().collect::<Vec<_>>().join(", ")),
            nearest: nearest(name, names()).map(|name| format!("\"{}\"", inside(path, name))),
        });
    }

    /// Whether the value can stay. Tables are gone through in any case.
    fn fits(&mut self, path: &str, value: &mut Value, key: &Key) -> bool {
        if key.one_or_many && value.is_string() {
            *value = Value::Array(vec![value.take()]);
        }
        match (&key.kind, value) {
            (Kind::Table(spec), Value::Object(table)) => {
                self.table(path, table, spec);
                true
            }
            (Kind::Tables(spec), Value::Array(items)) if items.iter().all(Value::is_object) => {
                for (index, table) in
                    items.iter_mut().enumerate().filter_map(|(i, item)| Some((i, item.as_object_mut()?)))
                {
                    self.table(&format!("{path}[{index}]"), table, spec);
                }
                true
            }
            (Kind::List(item), Value::Array(items)) => {
                let wrong: Vec<_> = items.iter().enumerate().filter(|(_, value)| !is_of(item, value)).collect();
                for (index, value) in &wrong {
                    self.misfit(&format!("{path}[{index}]"), value, key);
                }
                wrong.is_empty()
            }
            (kind, value) => {
                let fits = is_of(kind, value);
                if !fits {
                    self.misfit(path, value, key);
                }
                fits
            }
        }
    }

    fn misfit(&mut self, path: &str, value: &Value, key: &Key) {
        // Faults of numbers that TOML can write and we cannot hold are told by the reader already.
        if value.is_null() {
            return;
        }
        let text = match value {
            _ if key.secret => "must be a string".to_owned(),
            Value::Object(_) => "is a table".to_owned(),
            Value::Array(_) => "is a list".to_owned(),
            Value::String(text) if matches!(key.kind, Kind::Number(..) | Kind::Switch) => {
                format!("is the string {text:?}")
            }
            Value::Number(number) if matches!(key.kind, Kind::Number(..)) => format!("{number} is out of range"),
            other => format!("{other} is not possible"),
        };
        self.found.add(Problem {
            place: self.found.place(path),
            key: path.to_owned(),
            text,
            allowed: Some(key.allowed()),
            nearest: value.as_str().and_then(|text| close_choice(&key.kind, text)),
        });
    }

    /// Puts the content of the file that `key_file` names in the place of `key`.
    fn secret(&mut self, path: &str, values: &mut Map<String, Value>, key: &Key, spec: &Table) {
        let Some(twin) = key.file_twin(spec) else { return };
        let Some(file) = values.get(&twin.name).and_then(Value::as_str) else { return };
        let twin_path = inside(path, &twin.name);
        if values.contains_key(&key.name) {
            let text = format!("is set together with {}; keep one of them", inside(path, &key.name));
            return self.found.wrong(&twin_path, &text);
        }
        let Some(read) = self.read_secret else { return };
        match read(file) {
            Ok(content) => {
                let place = self.found.place(&twin_path);
                self.found.wrote(inside(path, &key.name), place);
                values.insert(key.name.clone(), Value::String(content));
            }
            Err(reason) => self.found.wrong(&twin_path, &format!("{file:?} cannot be read: {reason}")),
        }
    }
}

/// A value that a required key can have while further problems are looked for; nobody starts with it.
pub(super) fn substitute(key: &Key) -> Value {
    key.example.clone().unwrap_or_default()
}

fn is_of(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Table(_) => value.is_object(),
        Kind::Tables(_) | Kind::List(_) => value.is_array(),
        Kind::Text(choices) => {
            value.as_str().is_some_and(|text| choices.is_empty() || choices.iter().any(|(name, _)| name == text))
        }
        Kind::Number(least, most) => value.as_i64().is_some_and(|number| (*least..=*most).contains(&number)),
        Kind::Switch => value.is_boolean(),
    }
}

fn close_choice(kind: &Kind, text: &str) -> Option<String> {
    match kind {
        Kind::Text(choices) => {
            nearest(text, choices.iter().map(|(name, _)| name.as_str())).map(|name| format!("\"{name}\""))
        }
        Kind::List(item) => close_choice(item, text),
        _ => None,
    }
}
