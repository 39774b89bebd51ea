//! `[registration]`: invitations, and whether people may make accounts for themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::Findings;

/// The section `[registration]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Registration {
    /// Whether people may make accounts for themselves, with a link on the sign-in page. Their address is confirmed by a
    /// letter before there is an account, or with `"automatic"` before the account has the address.
    ///
    /// Danger: with `"mail"` everybody who can read a mail gets an account, unless `domains` says who. Applications that
    /// let in everybody with an account let them in too. With `"automatic"` not even a mailbox is needed, so programs
    /// make accounts too.
    pub mode: RegistrationMode,

    /// Mail domains whose addresses may register; subdomains are domains of their own. Empty is every domain. Not with
    /// `mode = "automatic"`, where an account needs no confirmed address.
    #[schemars(example = &["example.org"])]
    pub domains: Vec<String>,

    /// For how many days the link in an invitation is good. Following an older one sends a new letter to the same
    /// address.
    ///
    /// Danger: whoever can read the letter can take the account for as long as nobody has accepted.
    #[schemars(range(min = 1, max = 90))]
    pub invitation_days: u32,
}

impl Default for Registration {
    fn default() -> Self {
        Self { mode: RegistrationMode::Off, domains: Vec::new(), invitation_days: 7 }
    }
}

impl Registration {
    pub(super) fn check(&self, found: &mut Findings) {
        let fits = |domain: &str| !domain.is_empty() && !domain.contains(['@', '*', '/']) && domain.trim() == domain;
        if !self.domains.iter().all(|domain| fits(domain)) {
            found.wrong("registration.domains", "must hold domains such as \"example.org\", without \"@\" or \"*\"");
        }
        if self.mode == RegistrationMode::Automatic && !self.domains.is_empty() {
            found.wrong(
                "registration.domains",
                "must be empty with mode = \"automatic\", which confirms no address before there is an account",
            );
        }
    }
}

/// Whether people may make accounts for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    /// Nobody; administrators invite.
    Off,
    /// Everybody who confirms an address.
    Mail,
    /// Everybody who confirms an address and whom an administrator approves.
    Manual,
    /// Everybody, at once. The account has no address until a letter to it was answered.
    Automatic,
}
