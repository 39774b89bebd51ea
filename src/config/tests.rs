//! What an operator meets: layers, messages, refusals.

use std::collections::BTreeMap;

use super::*;

/// The configuration of a text that must be good.
pub(super) fn config(text: &str) -> Config {
    Config::parse(text, &BTreeMap::new()).unwrap()
}

/// The message about a text that must be bad.
pub(super) fn problems(text: &str) -> String {
    Config::parse(text, &BTreeMap::new()).unwrap_err().to_string()
}
