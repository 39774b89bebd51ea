//! Views of accepting an invitation, and of the page of a registration that takes names and password.

use askama::Template;

use crate::web::page::{Field, Shell, paths};

/// Takes somebody invited. Sends `token`, `username`, `name` and `email` where they may be chosen, `new_password`, `repeat`,
/// `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    /// What is around the page.
    pub shell: Shell,
    /// Where the form is sent: [`paths::INVITATION`], [`paths::REGISTER_CONFIRM`] or [`paths::REGISTER`].
    pub action: &'static str,
    /// The token of the link.
    pub token: String,
    /// The username where it is decided already; empty where the person chooses.
    pub fixed_username: String,
    /// The username to choose; `None` where it is decided already.
    pub username: Option<Field>,
    /// The name that others see; `None` where it is decided already.
    pub name: Option<Field>,
    /// The address to confirm later; `None` where it is known already.
    pub email: Option<Field>,
    /// The rules that the password must keep.
    pub rules: Vec<String>,
    /// Which of them the last try broke.
    pub problems: Vec<String>,
    /// What is wrong with the repetition.
    pub repeat_error: Option<String>,
}

impl InvitationPage {
    fn registers(&self) -> bool {
        self.action != paths::INVITATION
    }

    fn has_errors(&self) -> bool {
        let wrong = |field: &Option<Field>| field.as_ref().is_some_and(|field| field.error.is_some());
        let fields = [&self.username, &self.name, &self.email];
        !self.problems.is_empty() || self.repeat_error.is_some() || fields.into_iter().any(wrong)
    }
}

/// Says that the link is used, too old or not one of ours, whichever it is.
#[derive(Debug, Clone, Template)]
#[template(path = "invitation_link_invalid.html")]
pub struct InvitationLinkInvalidPage {
    /// What is around the page.
    pub shell: Shell,
}
