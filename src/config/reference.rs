//! Writes `config/vestibule.toml` and `docs/reference/configuration.md` from the structs, so that neither can be stale.

use std::fmt::{self, Write};

use serde_json::Value;

use super::{
    environment::variable,
    spec::{Key, Kind, Table},
    tree::inside,
};

/// Width of the comments in the example.
const WIDTH: usize = 110;

/// The content of `config/vestibule.toml`: every key, commented out, with its text and default.
/// Text is behind `# `; a key that can be set begins with `#` alone.
#[must_use]
pub fn example() -> String {
    let spec = Table::of_config();
    written(|out| {
        out.write_str(
            "# Configuration of Vestibule: every key, with its default or an example. Generated from the source.\n\
             # Remove the \"#\" in front of a key to set it. Environment variables take precedence over this file.\n\
             # `vestibule check-config` tells what is wrong without starting.\n",
        )?;
        example_table(out, &spec, "", false)
    })
}

/// The content of `docs/reference/configuration.md`.
#[must_use]
pub fn document() -> String {
    let spec = Table::of_config();
    written(|out| {
        out.write_str(INTRODUCTION)?;
        document_table(out, &spec, "")
    })
}

const INTRODUCTION: &str = "\
# Configuration

Generated from the source; `BLESS=1 cargo test --test generated` writes it anew.

What holds is, key by key: the environment over the file over what is stored in the database for all nodes over the default.
Storing is described in [settings](../operate/settings.md), which also says what cannot be stored.

The file is the one named with `--config`, or else the first that exists of `./vestibule.toml` and
`/etc/vestibule/vestibule.toml`. Without any file the defaults below apply. A relative path counts from the working
directory.

Each key can also be set by the environment variable that is named with it; the environment takes precedence over the
file. An empty variable counts as not set. Lists are written as `a, b` or `[\"a\", \"b\"]`. The keys of an application,
identity provider or directory are set by its slug in capital letters, with `_` for `-`, and only for one that is in the
file; rules and group synchronisations are set in the file only.

A secret is given as value, as the name of a file (`…_file`; line breaks at its end do not count), or by a variable for
either. Value and file together are an error; in the environment, either takes the place of both in the file.

An unknown key or variable, or a value that is not possible, stops the start; all problems are told at once, each with
its line. `vestibule check-config` tells the same without starting. Values that begin with `danger_`, and remarks that
begin with \"Danger\", deserve a second look.
";

/// Writing to a string cannot fail; the one place that says so.
fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    match write(&mut text) {
        Ok(()) | Err(fmt::Error) => text,
    }
}

/// Keys before tables, because in TOML a key after a table header belongs to that table.
fn keys_then_tables(table: &Table) -> (Vec<&Key>, Vec<&Key>) {
    table.keys.iter().partition(|key| !matches!(key.kind, Kind::Table(_) | Kind::Tables(_)))
}

fn example_table(out: &mut String, table: &Table, path: &str, repeated: bool) -> fmt::Result {
    let (keys, tables) = keys_then_tables(table);
    for key in keys {
        writeln!(out)?;
        comment(out, &key.text)?;
        for line in choices(&key.kind) {
            comment(out, &line)?;
        }
        if let Some(possible) = possible(key) {
            comment(out, &format!("Possible: {possible}."))?;
        }
        comment(out, &default_of(key, ""))?;
        if let Some(variable) = variable_of(path, key) {
            comment(out, &format!("Environment: {variable}"))?;
        }
        writeln!(
            out,
            "#{} = {}",
            key.name,
            key.example.as_ref().or(key.default.as_ref()).map(toml).unwrap_or_default()
        )?;
    }
    for key in tables {
        let path = inside(path, &key.name);
        writeln!(out, "\n")?;
        comment(out, &key.text)?;
        match &key.kind {
            // The header of a single table stands as it is, so that a key below it lands where it belongs.
            Kind::Table(below) => {
                writeln!(out, "{}[{path}]", if repeated { "#" } else { "" })?;
                example_table(out, below, &path, repeated)?;
            }
            Kind::Tables(below) => {
                writeln!(out, "#[[{path}]]")?;
                example_table(out, below, &path, true)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn document_table(out: &mut String, table: &Table, path: &str) -> fmt::Result {
    let (keys, tables) = keys_then_tables(table);
    if path.is_empty() {
        writeln!(out, "\n## Top level\n\nThese keys stand at the beginning of the file, before any section.")?;
    }
    for key in keys {
        writeln!(out, "\n### `{}`\n\n{}\n", inside(path, &key.name), paragraphs(&key.text).join("\n\n"))?;
        if let Some(possible) = possible(key) {
            writeln!(out, "- Possible: {possible}")?;
        }
        for option in choices(&key.kind) {
            writeln!(out, "- {option}")?;
        }
        writeln!(out, "- {}", default_of(key, "`"))?;
        if let Some(example) = &key.example {
            writeln!(out, "- Example: `{} = {}`", key.name, toml(example))?;
        }
        match variable_of(path, key) {
            Some(variable) => writeln!(out, "- Environment: `{variable}`")?,
            None => writeln!(out, "- Environment: none")?,
        }
    }
    for key in tables {
        let path = inside(path, &key.name);
        if let Kind::Table(below) | Kind::Tables(below) = &key.kind {
            let header = if matches!(key.kind, Kind::Tables(_)) { format!("[[{path}]]") } else { format!("[{path}]") };
            writeln!(out, "\n## `{header}`\n\n{}", paragraphs(&key.text).join("\n\n"))?;
            document_table(out, below, &path)?;
        }
    }
    Ok(())
}

fn default_of(key: &Key, quote: &str) -> String {
    match &key.default {
        _ if key.required => "Required.".to_owned(),
        Some(default) => format!("Default: {quote}{}{quote}", toml(default)),
        None => "Default: not set.".to_owned(),
    }
}

/// The environment variable of a key, with a stand-in for the slug of an application or provider; rules have none.
fn variable_of(path: &str, key: &Key) -> Option<String> {
    match path {
        "application" | "identity_provider" | "directory" if key.name == "slug" => None,
        "application.rule" | "directory.group_sync" | "directory.custom_attribute" => None,
        "application" => Some(variable("application", "SLUG") + "__" + &key.name.to_ascii_uppercase()),
        "directory" => Some(variable("directory", "SLUG") + "__" + &key.name.to_ascii_uppercase()),
        "directory.attributes" => Some(variable("directory", "SLUG__ATTRIBUTES__") + &key.name.to_ascii_uppercase()),
        "identity_provider" => Some(variable("identity_provider", "SLUG") + "__" + &key.name.to_ascii_uppercase()),
        _ if path.starts_with("identity_provider.") => {
            let below = path.strip_prefix("identity_provider.")?.to_ascii_uppercase();
            let name = key.name.to_ascii_uppercase();
            Some(format!("{}__{below}__{name}", variable("identity_provider", "SLUG")))
        }
        _ => Some(variable(path, &key.name)),
    }
}

/// What is possible, where the choices do not say it and it is more than any text.
fn possible(key: &Key) -> Option<String> {
    Some(key.allowed()).filter(|possible| choices(&key.kind).is_empty() && possible != "a string")
}

/// One line for each choice that has a meaning of its own.
fn choices(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Text(choices) => {
            choices.iter().map(|(name, meaning)| format!("\"{name}\": {}", paragraphs(meaning).join(" "))).collect()
        }
        Kind::List(item) => choices(item),
        _ => Vec::new(),
    }
}

/// TOML's strings, numbers, switches and lists are written as in JSON.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The paragraphs of a text, each on one line.
fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn comment(out: &mut String, text: &str) -> fmt::Result {
    for paragraph in paragraphs(text) {
        let mut line = String::from("#");
        for word in paragraph.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                writeln!(out, "{line}")?;
                "#".clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}
