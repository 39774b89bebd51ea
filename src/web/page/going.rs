//! The page on the way to an identity provider, where the message goes by form.

use askama::Template;

use crate::service::saml::GoingForm;
use crate::web::page::Shell;

/// A form that a script sends, or a button; it brings a message to a provider.
#[derive(Debug, Clone, Template)]
#[template(path = "going.html")]
pub struct GoingPage {
    /// What is around the page.
    pub shell: Shell,
    /// The message, and where it goes.
    pub form: GoingForm,
    /// They have signed out here already.
    pub signed_out: bool,
}

impl GoingPage {
    fn title(&self) -> String {
        if self.signed_out { self.shell.t.msg("signed-out-title") } else { self.with_provider("going-title") }
    }

    fn lead(&self) -> String {
        if self.signed_out { self.with_provider("signed-out-onward") } else { self.shell.t.msg("going-text") }
    }

    fn go(&self) -> String {
        if self.signed_out { self.with_provider("signed-out-onward-go") } else { self.shell.t.msg("going-go") }
    }

    fn with_provider(&self, key: &str) -> String {
        self.shell.t.msg_with(key, &[("provider", self.form.provider.as_str().into())])
    }
}
