//! The page on the way to an identity provider, where the message goes by form.

use askama::Template;

use crate::service::saml::GoingForm;
use crate::service::texts::Texts;
use crate::web::page::Shell;

/// A form that brings a message to a provider: a script of ours sends it, or its button.
#[derive(Debug, Clone, Template)]
#[template(path = "going.html")]
pub struct GoingPage {
    /// What is around the page.
    pub shell: Shell,
    /// The message, and where it goes.
    pub form: GoingForm,
    /// What the person goes there for.
    pub why: Why,
}

/// What somebody goes to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// To sign in.
    SigningIn,
    /// To be signed out there as well.
    SigningOut,
}

impl Why {
    /// The heading.
    #[must_use]
    pub fn title(self, t: &Texts, provider: &str) -> String {
        match self {
            Self::SigningIn => t.msg_with("going-title", &[("provider", provider.into())]),
            Self::SigningOut => t.msg("signed-out-title"),
        }
    }

    /// What is happening.
    #[must_use]
    pub fn text(self, t: &Texts, provider: &str) -> String {
        let key = match self {
            Self::SigningIn => "going-text",
            Self::SigningOut => "signed-out-onward",
        };
        t.msg_with(key, &[("provider", provider.into())])
    }
}
