//! The page on the way to an identity provider, where the message goes by form.

use askama::Template;

use crate::service::saml::GoingForm;
use crate::web::page::Shell;

/// A form with a button that brings a message to a provider.
#[derive(Debug, Clone, Template)]
#[template(path = "going.html")]
pub struct GoingPage {
    /// What is around the page.
    pub shell: Shell,
    /// The message, and where it goes.
    pub form: GoingForm,
}
