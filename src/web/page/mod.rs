//! The pages as values: what each one shows, and nothing about how that came to be. A handler fills a view and asks
//! for its [`Page::html`]; headers and status are set where responses are built. The markup is in `web/templates/`.

pub mod account;
pub mod factor;
pub mod going;
pub mod invitation;
pub mod outcome;
pub mod paths;
pub mod phone;
pub mod provider;
pub mod recovery;
pub mod register;
pub mod setup;
pub mod sign_in;
pub mod words;

#[cfg(test)]
mod tests;

use askama::Template;
use std::sync::Arc;

use crate::domain::face::Contrast;
use crate::service::texts::Texts;
use crate::web::brand::Brand;
use crate::web::page::words::Notice;

/// A view that can be shown.
pub trait Page {
    /// The whole document. Everything in it is escaped; it needs no script and no inline style.
    ///
    /// # Errors
    /// Only when the writer fails, which memory does not.
    fn html(&self) -> Result<String, askama::Error>;
}

impl<View: Template> Page for View {
    fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }
}

/// What is around every page.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The catalogue of the visitor's language.
    pub t: &'static Texts,
    /// The name of the service as its visitors know it.
    pub product: String,
    /// The token that every form of the page carries.
    pub csrf: String,
    /// What was just done, if anything.
    pub notice: Option<Notice>,
    /// Logo and colours.
    pub brand: Arc<Brand>,
    /// How strong the visitor wants the contrast.
    pub contrast: Contrast,
    /// The visitor's face, when somebody is signed in.
    pub face: Option<Face>,
}

impl Shell {
    fn strong(&self) -> bool {
        self.contrast == Contrast::More
    }
}

/// What stands for a person in the corner of a page.
#[derive(Debug, Clone)]
pub struct Face {
    /// One or two letters.
    pub initials: String,
    /// Whether there is a picture to show instead.
    pub has_picture: bool,
}

/// What a field of a form holds: what was entered or is stored, and what is wrong with it.
/// Fields for passwords have no value; they carry an `Option<String>` for the error only.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// The value shown in the field.
    pub value: String,
    /// What is wrong with it, as a sentence.
    pub error: Option<String>,
}

impl Field {
    /// A field without an error.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// The same field with an error.
    #[must_use]
    pub fn with_error(self, error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..self }
    }
}

/// A point in time, made readable in the visitor's language and time zone by the caller.
#[derive(Debug, Clone)]
pub struct Moment {
    /// What people read.
    pub text: String,
    /// The same moment for programs (RFC 3339), the `datetime` attribute.
    pub machine: String,
}

/// One entry of a list to choose from.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is the chosen one.
    pub selected: bool,
}
