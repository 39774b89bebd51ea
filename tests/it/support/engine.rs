//! Which database a house is built on: SQLite, or PostgreSQL for the tests that `on_postgres.rs` repeats there.

use super::postgres;
use std::collections::BTreeMap;
use std::path::Path;

/// The module whose tests run on PostgreSQL. A test runs on a thread that carries its name.
const ON_POSTGRES: &str = "on_postgres::";

/// Whether the test on this thread is one of those.
pub(crate) fn is_postgres() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with(ON_POSTGRES))
}

/// The variables that lead a house to its database: a schema named after its folder, or nothing.
pub(crate) fn environment(folder: &Path) -> BTreeMap<String, String> {
    if is_postgres() { postgres::shared().environment(&schema(folder)) } else { BTreeMap::new() }
}

/// The schema that belongs to a folder.
pub(crate) fn schema(folder: &Path) -> String {
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
    // Names of temporary folders differ in case as well; schemas do not.
    name.chars().filter(char::is_ascii_alphanumeric).fold("h".to_owned(), |text, c| {
        let case = if c.is_ascii_uppercase() { "_" } else { "" };
        text + case + &c.to_ascii_lowercase().to_string()
    })
}
