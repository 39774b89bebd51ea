//! `vestibule serve`: what the operator is told. The running itself is `app/serve.rs`.

use super::{complain, say};
use std::path::PathBuf;

/// What the operator is told once everything runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where browsers reach it.
    pub url: String,
    /// What the operator should know, though it stops nothing.
    pub warnings: Vec<String>,
    /// The set-up link, while there is no administrator.
    pub set_up: Option<String>,
    /// Where letters go when no mail server is configured.
    pub outbox: Option<PathBuf>,
}

impl Running {
    /// Tells it on standard output.
    pub fn announce(&self) {
        for warning in &self.warnings {
            complain(&format!("warning: {warning}"));
        }
        say(&format!("Vestibule is running on {}", self.url));
        if let Some(outbox) = &self.outbox {
            say(&format!("No mail server is configured: letters are written to {}", outbox.display()));
        }
        if let Some(link) = &self.set_up {
            say("There is no administrator yet. Open this link within an hour, it works once:");
            say(&format!("  {link}"));
        }
    }
}
