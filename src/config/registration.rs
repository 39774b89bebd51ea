//! `[registration]`: invitations.

use schemars::JsonSchema;
use serde::Deserialize;

/// The section `[registration]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Registration {
    /// For how many days the link in an invitation is good. Following an older one sends a new letter to the same
    /// address.
    ///
    /// Danger: whoever can read the letter can take the account for as long as nobody has accepted.
    #[schemars(range(min = 1, max = 90))]
    pub invitation_days: u32,
}

impl Default for Registration {
    fn default() -> Self {
        Self { invitation_days: 7 }
    }
}
