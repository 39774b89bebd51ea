//! Which keys exist: read from the schema of the structs, so that checks, environment names and documents cannot
//! disagree with them.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Config;

/// A table of the configuration and its keys, in the order of the struct.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) keys: Vec<Key>,
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    /// The documentation comment, line breaks as written.
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) default: Option<Value>,
    pub(super) example: Option<Value>,
    pub(super) required: bool,
    pub(super) secret: bool,
    /// A list that may be written as one value alone.
    pub(super) one_or_many: bool,
    /// What is possible, in words, where the kind alone does not say it.
    allowed: Option<String>,
}

/// What a value may be.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// `[name]`
    Table(Table),
    /// `[[name]]`
    Tables(Table),
    /// A list of simple values.
    List(Box<Kind>),
    /// A string; one of the choices (with their meaning) if there are any.
    Text(Vec<(String, String)>),
    /// A whole number between the two, both included.
    Number(i64, i64),
    /// `true` or `false`
    Switch,
}

impl Table {
    /// All keys of the configuration.
    pub(super) fn of_config() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<Config>();
        schema.as_object().map_or(Self { keys: Vec::new() }, table)
    }

    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Key {
    /// What is possible, in words.
    pub(super) fn allowed(&self) -> String {
        self.allowed.clone().unwrap_or_else(|| self.kind.allowed())
    }

    /// The key that holds the same secret in a file, if this is a secret with such a sibling.
    pub(super) fn file_twin<'a>(&self, table: &'a Table) -> Option<&'a Key> {
        if self.secret { table.key(&format!("{}_file", self.name)) } else { None }
    }
}

impl Kind {
    fn allowed(&self) -> String {
        match self {
            Self::Table(_) => "a table".to_owned(),
            Self::Tables(_) => "a list of tables".to_owned(),
            Self::List(item) => format!("a list; each item: {}", item.allowed()),
            Self::Text(choices) if choices.is_empty() => "a string".to_owned(),
            Self::Text(choices) => {
                let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
                names.join(", ")
            }
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Switch => "true or false".to_owned(),
        }
    }
}

fn table(schema: &Map<String, Value>) -> Table {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let keys = properties.into_iter().flatten().filter_map(|(name, property)| {
        let outer = property.as_object()?;
        let inner = without_null(outer);
        let kind = kind(inner);
        let allowed = text(outer, "x-allowed").or_else(|| text(inner, "x-allowed")).or_else(|| match &kind {
            Kind::List(_) => {
                Some(format!("a list; each item: {}", text(inner.get("items")?.as_object()?, "x-allowed")?))
            }
            _ => None,
        });
        Some(Key {
            name: name.clone(),
            text: text(outer, "description").unwrap_or_default(),
            kind,
            default: outer.get("default").filter(|value| !value.is_null()).cloned(),
            example: outer.get("examples").and_then(Value::as_array).and_then(|all| all.first()).cloned(),
            required: required.contains(&name.as_str()),
            secret: outer.contains_key("x-secret") || inner.contains_key("x-secret"),
            one_or_many: outer.contains_key("x-one-or-many"),
            allowed,
        })
    });
    Table { keys: keys.collect() }
}

fn text(schema: &Map<String, Value>, name: &str) -> Option<String> {
    schema.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// An optional value is `anyOf` the value and null, or carries null among its types.
fn without_null(schema: &Map<String, Value>) -> &Map<String, Value> {
    let options = schema.get("anyOf").and_then(Value::as_array);
    options.into_iter().flatten().filter_map(Value::as_object).find(|option| !is(option, "null")).unwrap_or(schema)
}

fn is(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn kind(schema: &Map<String, Value>) -> Kind {
    let bound = |name, otherwise| schema.get(name).and_then(Value::as_i64).unwrap_or(otherwise);
    if is(schema, "object") {
        Kind::Table(table(schema))
    } else if is(schema, "array") {
        match schema.get("items").and_then(Value::as_object).map(kind) {
            Some(Kind::Table(item)) => Kind::Tables(item),
            Some(item) => Kind::List(Box::new(item)),
            None => Kind::List(Box::new(Kind::Text(Vec::new()))),
        }
    } else if is(schema, "boolean") {
        Kind::Switch
    } else if is(schema, "integer") {
        Kind::Number(bound("minimum", i64::MIN), bound("maximum", i64::MAX))
    } else {
        Kind::Text(choices(schema))
    }
}

fn choices(schema: &Map<String, Value>) -> Vec<(String, String)> {
    let list = |name| schema.get(name).and_then(Value::as_array).into_iter().flatten();
    let plain = list("enum").filter_map(Value::as_str).map(|name| (name.to_owned(), String::new()));
    let described = list("oneOf").filter_map(Value::as_object).flat_map(|option| match text(option, "const") {
        Some(name) => vec![(name, text(option, "description").unwrap_or_default())],
        None => choices(option),
    });
    plain.chain(described).collect()
}
