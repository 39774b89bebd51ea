//! How stored settings lie under what file and environment have set.

use super::{
    findings::{Findings, Place, Problem},
    setting::{FILE, Setting, Target, target},
    spec::Table,
    tree::inside,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Stored settings, and which of them count although file or environment have something else.
#[derive(Clone, Copy, Default)]
pub(super) struct Under<'a> {
    pub(super) settings: &'a [Setting],
    /// For finding out whether they would be right where neither sets them.
    pub(super) first: Option<&'a BTreeSet<String>>,
}

/// Lays stored settings under what file and environment have set.
pub(super) fn lay_under(root: &mut Map<String, Value>, under: Under<'_>, spec: &Table, found: &mut Findings) {
    for setting in under.settings {
        let first = under.first.is_some_and(|first| first.contains(&setting.key));
        let place = Place::Stored(setting.key.clone());
        match target(&setting.key, spec) {
            Ok(Target::Leaf { tables, key, twin }) => {
                let Some(table) = descend(root, &tables) else { continue };
                let set = table.contains_key(&key.name) || twin.as_ref().is_some_and(|twin| table.contains_key(twin));
                if set && !first {
                    continue;
                }
                if let Some(twin) = twin {
                    table.remove(&twin);
                }
                table.insert(key.name.clone(), setting.value.clone());
                found.wrote_whole(setting.key.clone(), place);
            }
            Ok(Target::Item { list, slug, .. }) => {
                let Some(path) = lay_item(root, (list, slug), &setting.value, first) else { continue };
                found.wrote_whole(path.clone(), place);
                for name in files_of(&setting.value) {
                    found.wrong(&inside(&path, name), &format!("cannot be stored: {FILE}"));
                }
            }
            Err(fault) => found.add(Problem {
                place,
                key: setting.key.clone(),
                text: fault.to_string(),
                allowed: None,
                nearest: None,
            }),
        }
    }
}

/// Puts an item into its list, and says where; `None` where the list has one of this slug that counts.
fn lay_item(root: &mut Map<String, Value>, (list, slug): (&str, &str), value: &Value, first: bool) -> Option<String> {
    let items = root.entry(list).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
    let same = items.iter().position(|item| item.get("slug").and_then(Value::as_str) == Some(slug));
    if same.is_some() && !first {
        return None;
    }
    let mut value = value.clone();
    if let Some(item) = value.as_object_mut() {
        item.insert("slug".to_owned(), Value::from(slug));
    }
    let index = same.unwrap_or(items.len());
    match items.get_mut(index) {
        Some(place) => *place = value,
        None => items.push(value),
    }
    Some(format!("{list}[{index}]"))
}

fn files_of(value: &Value) -> impl Iterator<Item = &str> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).filter(|name| name.ends_with("_file"))
}

/// The table at this place, made where it is missing; `None` where file or environment have something else there.
fn descend<'a>(root: &'a mut Map<String, Value>, tables: &[&str]) -> Option<&'a mut Map<String, Value>> {
    tables
        .iter()
        .try_fold(root, |table, name| table.entry(*name).or_insert_with(|| Value::Object(Map::new())).as_object_mut())
}
