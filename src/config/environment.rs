//! The environment as a layer over the file: which variable stands for which key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    findings::{Findings, Place, Problem, nearest},
    spec::{Key, Kind, Table},
    tree::inside,
};

/// Every variable of this service that sets a key begins so.
pub(super) const PREFIX: &str = "VESTIBULE__";

/// Where a variable puts its value.
struct Target<'a> {
    /// Names of tables (or `application` and its index) down to the key.
    steps: Vec<Step>,
    path: String,
    key: &'a Key,
    /// Name and path of the key that gives the same secret in the other way.
    twin: Option<(String, String)>,
}

#[derive(Clone)]
enum Step {
    Name(String),
    Index(usize),
}

/// Lays the variables over the tree, notes where each value comes from, and adds variables that mean nothing to the
/// problems. Returns the names of those that were used. An empty variable counts as not set, as container set-ups pass
/// those on.
pub(super) fn overlay(
    root: &mut Map<String, Value>,
    environment: &BTreeMap<String, String>,
    spec: &Table,
    found: &mut Findings,
) -> Vec<String> {
    let mut targets = BTreeMap::new();
    collect(spec, root, &Around::default(), &mut targets);
    let mut used = Vec::new();
    for (variable, text) in environment.iter().filter(|(_, text)| !text.is_empty()) {
        if let Some(target) = targets.get(variable) {
            set(root, target, text, found);
            found.wrote(target.path.clone(), Place::Variable(variable.clone()));
            used.push(variable.clone());
        } else if variable.starts_with(PREFIX) {
            found.add(Problem {
                place: Place::Variable(variable.clone()),
                key: String::new(),
                text: "stands for no key".to_owned(),
                allowed: None,
                nearest: nearest(variable, targets.keys().map(String::as_str)).map(str::to_owned),
            });
        } else if let Some(meant) = targets.keys().find(|name| name.replace("__", "_") == variable.replace("__", "_")) {
            found.warn(format!("environment variable {variable} is not read; did you mean {meant}?"));
        }
    }
    used
}

/// The variable that stands for a key, given the dotted path of its table.
pub(super) fn variable(table: &str, name: &str) -> String {
    format!("{PREFIX}{}", inside(table, name).replace('.', "__").replace('-', "_").to_ascii_uppercase())
}

/// The tables around a key.
#[derive(Clone, Default)]
struct Around {
    steps: Vec<Step>,
    path: String,
    /// As `path`, but an application is named by its slug.
    named: String,
}

impl Around {
    fn enter(&self, name: &str) -> Self {
        let mut inner = self.clone();
        inner.steps.push(Step::Name(name.to_owned()));
        inner.path = inside(&self.path, name);
        inner.named = inside(&self.named, name);
        inner
    }

    fn item(&self, index: usize, slug: &str) -> Self {
        let mut inner = self.clone();
        inner.steps.push(Step::Index(index));
        inner.path = format!("{}[{index}]", self.path);
        inner.named = inside(&self.named, slug);
        inner
    }
}

fn collect<'a>(
    table: &'a Table,
    values: &Map<String, Value>,
    around: &Around,
    targets: &mut BTreeMap<String, Target<'a>>,
) {
    let nothing = Map::new();
    for key in &table.keys {
        let inner = around.enter(&key.name);
        match &key.kind {
            Kind::Table(below) => {
                let values = values.get(&key.name).and_then(Value::as_object).unwrap_or(&nothing);
                collect(below, values, &inner, targets);
            }
            Kind::Tables(below) => {
                // Only what has a slug can be named in a variable.
                let items = values.get(&key.name).and_then(Value::as_array).into_iter().flatten().enumerate();
                for (index, item) in items.filter_map(|(index, item)| Some((index, item.as_object()?))) {
                    if let Some(slug) = item.get("slug").and_then(Value::as_str) {
                        collect(below, item, &inner.item(index, slug), targets);
                    }
                }
            }
            _ if key.name == "slug" => {}
            _ => {
                let twin = key.file_twin(table).map(|twin| twin.name.clone()).or_else(|| {
                    let secret = table.key(key.name.strip_suffix("_file")?)?;
                    secret.secret.then(|| secret.name.clone())
                });
                let twin = twin.map(|name| (name.clone(), around.enter(&name).path));
                let target = Target { steps: around.steps.clone(), path: inner.path, key, twin };
                targets.insert(variable(&around.named, &key.name), target);
            }
        }
    }
}

fn set(root: &mut Map<String, Value>, target: &Target<'_>, text: &str, found: &Findings) {
    // Where the file has something else than a table on the way, that is told when the tree is checked.
    let Some(table) = descend(root, &target.steps) else { return };
    table.insert(target.key.name.clone(), value(&target.key.kind, text));
    // A secret from the environment replaces the one of the file, however that was given; two in the environment
    // contradict.
    if let Some((name, path)) = &target.twin
        && !matches!(found.place(path), Place::Variable(_))
    {
        table.remove(name);
    }
}

fn descend<'a>(root: &'a mut Map<String, Value>, steps: &[Step]) -> Option<&'a mut Map<String, Value>> {
    let mut table = root;
    let mut steps = steps.iter();
    while let Some(Step::Name(name)) = steps.next() {
        let below = table.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        table = match below {
            Value::Object(below) => below,
            Value::Array(items) => match steps.next() {
                Some(Step::Index(index)) => items.get_mut(*index)?.as_object_mut()?,
                _ => return None,
            },
            _ => return None,
        };
    }
    Some(table)
}

/// Reads a variable as the kind its key wants. What does not fit stays a string, and the check of the tree says so.
pub(super) fn value(kind: &Kind, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    match kind {
        Kind::Number(..) => text.trim().parse::<i64>().map_or_else(|_| as_text(), Value::from),
        Kind::Switch => text.trim().parse::<bool>().map_or_else(|_| as_text(), Value::from),
        Kind::List(_) if text.trim_start().starts_with('[') => {
            let items = toml::de::DeValue::parse(text.trim()).ok().and_then(|list| strings(list.get_ref()));
            items.map_or_else(as_text, Value::Array)
        }
        Kind::List(_) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect(),
        Kind::Text(_) | Kind::Table(_) | Kind::Tables(_) => as_text(),
    }
}

fn strings(list: &toml::de::DeValue<'_>) -> Option<Vec<Value>> {
    list.as_array()?.iter().map(|item| item.get_ref().as_str().map(Value::from)).collect()
}
