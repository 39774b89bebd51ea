//! Views of making an account for oneself. The page that takes names and password is in `invitation.rs`.

use askama::Template;

use crate::web::page::{Field, Shell, paths};

/// Asks for an address. Sends `email`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "register.html")]
pub struct RegisterPage {
    /// What is around the page.
    pub shell: Shell,
    /// The e-mail address.
    pub email: Field,
}

/// Says that a mail is on its way; the same whoever has the address.
#[derive(Debug, Clone, Template)]
#[template(path = "register_sent.html")]
pub struct RegisterSentPage {
    /// What is around the page.
    pub shell: Shell,
    /// How long the link works, in hours.
    pub hours: u32,
}

/// Says that the link is used, too old or not one of ours.
#[derive(Debug, Clone, Template)]
#[template(path = "register_link_invalid.html")]
pub struct RegisterLinkInvalidPage {
    /// What is around the page.
    pub shell: Shell,
}
