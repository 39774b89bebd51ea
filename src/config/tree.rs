//! From text to a tree of values that remembers the line of each key. Grammar only; which keys exist is not known here.

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::findings::{Findings, Place, Problem};

/// How many grammar faults of one file are told; after the first ones they follow from each other.
const MOST_FAULTS: usize = 10;

/// Reads TOML into a tree, notes the line of every key, and adds what is wrong to the findings.
pub(super) fn read(name: &str, text: &str, found: &mut Findings) -> Map<String, Value> {
    let lines = Lines::of(name, text);
    let (document, faults) = DeTable::parse_recoverable(text);
    for fault in faults.iter().take(MOST_FAULTS) {
        // Only the message: the line itself may hold a secret.
        let place = lines.place(fault.span().map_or(0, |span| span.start));
        let text = format!("is not TOML: {}", fault.message());
        found.add(Problem { place, key: String::new(), text, allowed: None, nearest: None });
    }
    if faults.is_empty() { Reader { lines, found }.table("", document.get_ref()) } else { Map::new() }
}

/// The dotted path of a key inside a table; a name that TOML would quote is quoted.
pub(super) fn inside(path: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let name = if bare { name.to_owned() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

struct Reader<'a> {
    lines: Lines<'a>,
    found: &'a mut Findings,
}

impl Reader<'_> {
    fn table(&mut self, path: &str, table: &DeTable<'_>) -> Map<String, Value> {
        let mut values = Map::new();
        for (name, value) in table {
            let path = inside(path, name.get_ref());
            self.found.wrote(path.clone(), self.lines.place(name.span().start));
            if let Some(value) = self.value(&path, value.get_ref()) {
                values.insert(name.get_ref().to_string(), value);
            }
        }
        values
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>) -> Option<Value> {
        match value {
            DeValue::String(text) => Some(Value::String(text.to_string())),
            DeValue::Boolean(switch) => Some(Value::Bool(*switch)),
            DeValue::Integer(number) => {
                let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) else {
                    self.found.wrong(path, "is too large a number");
                    return None;
                };
                Some(Value::from(number))
            }
            DeValue::Array(items) => {
                let mut values = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.found.wrote(path.clone(), self.lines.place(item.span().start));
                    values.push(self.value(&path, item.get_ref()).unwrap_or(Value::Null));
                }
                Some(Value::Array(values))
            }
            DeValue::Table(table) => Some(Value::Object(self.table(path, table))),
            DeValue::Float(_) | DeValue::Datetime(_) => {
                self.found.wrong(path, "is a fraction or a date, and no key has such a value");
                None
            }
        }
    }
}

/// Turns byte positions into line numbers.
struct Lines<'a> {
    name: &'a str,
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(name: &'a str, text: &str) -> Self {
        Self { name, ends: text.match_indices('\n').map(|(position, _)| position).collect() }
    }

    fn place(&self, position: usize) -> Place {
        let line = self.ends.partition_point(|end| *end < position) + 1;
        Place::File { name: self.name.to_owned(), line }
    }
}
