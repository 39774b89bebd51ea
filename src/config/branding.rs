//! `[branding]`: the name people see.

use schemars::JsonSchema;
use serde::Deserialize;

use super::findings::Findings;

/// The section `[branding]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// Name of this service on pages and in mails, for example your organisation.
    #[schemars(extend("x-allowed" = "1 to 60 characters"))]
    pub name: String,
}

impl Default for Branding {
    fn default() -> Self {
        Self { name: "Vestibule".to_owned() }
    }
}

impl Branding {
    pub(super) fn check(&self, found: &mut Findings) {
        let length = self.name.trim().chars().count();
        if !(1..=60).contains(&length) || self.name.contains(char::is_control) {
            found.wrong("branding.name", "must have 1 to 60 characters and no line breaks");
        }
    }
}
