//! Views of replacing a lost password by mail.

use askama::Template;

use crate::web::page::{Field, Shell, paths};

/// Asks whose password is lost. Sends `username`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "lost_password.html")]
pub struct LostPasswordPage {
    /// What is around the page.
    pub shell: Shell,
    /// Why the last try was refused, such as too many of them.
    pub problem: Option<String>,
    /// Username or e-mail address.
    pub username: Field,
}

/// Says that a mail is on its way if there is such an account; the same whatever was entered.
#[derive(Debug, Clone, Template)]
#[template(path = "lost_password_sent.html")]
pub struct LostPasswordSentPage {
    /// What is around the page.
    pub shell: Shell,
    /// How long the link works, in minutes.
    pub minutes: u32,
}

/// Takes the new password of whoever holds the link. Sends `token`, `new_password`, `repeat`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "reset_password.html")]
pub struct ResetPasswordPage {
    /// What is around the page.
    pub shell: Shell,
    /// The username, for password managers only; empty where it must not be told.
    pub username: String,
    /// The token of the link.
    pub token: String,
    /// The rules that the password must keep.
    pub rules: Vec<String>,
    /// Which of them the last try broke.
    pub problems: Vec<String>,
    /// What is wrong with the repetition.
    pub repeat_error: Option<String>,
}

/// Says that the link is used, too old or not one of ours.
#[derive(Debug, Clone, Template)]
#[template(path = "reset_link_invalid.html")]
pub struct ResetLinkInvalidPage {
    /// What is around the page.
    pub shell: Shell,
}
