//! Views of the first start: the first administrator makes an account.

use askama::Template;

use crate::web::page::{Field, Shell, paths};

/// Takes the first administrator. Sends `token`, `username`, `name`, `email`, `new_password`, `repeat`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// What is around the page.
    pub shell: Shell,
    /// The token of the set-up link.
    pub token: String,
    /// The username.
    pub username: Field,
    /// The name that others see.
    pub name: Field,
    /// The e-mail address.
    pub email: Field,
    /// The rules that the password must keep.
    pub rules: Vec<String>,
    /// Which of them the last try broke.
    pub problems: Vec<String>,
    /// What is wrong with the repetition.
    pub repeat_error: Option<String>,
}

impl SetupPage {
    fn has_errors(&self) -> bool {
        let fields = [&self.username, &self.name, &self.email];
        !self.problems.is_empty() || self.repeat_error.is_some() || fields.iter().any(|field| field.error.is_some())
    }
}

/// Says that the set-up link is used, too old or not one of ours, and how to come by a new one.
#[derive(Debug, Clone, Template)]
#[template(path = "setup_link_invalid.html")]
pub struct SetupLinkInvalidPage {
    /// What is around the page.
    pub shell: Shell,
}
