//! The page for everything that did not work. It says what the visitor can do and never why in technical terms;
//! an error id leads whoever runs the service to the log.

use askama::Template;

use crate::service::texts::Texts;
use crate::web::page::Shell;

/// What went wrong, as far as the visitor is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The request makes no sense (400).
    BadRequest,
    /// The form was open too long or came from another site (403).
    FormExpired,
    /// The person may not do this (403).
    Forbidden,
    /// The identity provider's answer was not accepted, or came too late (403).
    SignInRefused,
    /// There is no such page (404).
    NotFound,
    /// The page cannot be asked for in this way (405).
    MethodNotAllowed,
    /// More was sent than is read (413).
    TooLarge,
    /// The body is of a kind that is not read (415).
    UnsupportedMedia,
    /// Too many requests (429).
    TooManyRequests,
    /// A fault of ours (500).
    Internal,
    /// For the moment nothing can be answered (503).
    Unavailable,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 11] = [
        Self::BadRequest,
        Self::FormExpired,
        Self::Forbidden,
        Self::SignInRefused,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The HTTP status that belongs to the page.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::FormExpired | Self::Forbidden | Self::SignInRefused => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    fn title(self, t: &Texts) -> String {
        match self {
            Self::BadRequest | Self::MethodNotAllowed | Self::UnsupportedMedia => t.msg("error-bad-request-title"),
            Self::FormExpired => t.msg("error-form-expired-title"),
            Self::Forbidden => t.msg("error-forbidden-title"),
            Self::SignInRefused => t.msg("error-sign-in-refused-title"),
            Self::NotFound => t.msg("error-not-found-title"),
            Self::TooLarge => t.msg("error-too-large-title"),
            Self::TooManyRequests => t.msg("error-too-many-requests-title"),
            Self::Internal => t.msg("error-internal-title"),
            Self::Unavailable => t.msg("error-unavailable-title"),
        }
    }

    fn text(self, t: &Texts) -> String {
        match self {
            Self::BadRequest | Self::MethodNotAllowed | Self::UnsupportedMedia => t.msg("error-bad-request-text"),
            Self::FormExpired => t.msg("error-form-expired-text"),
            Self::Forbidden => t.msg("error-forbidden-text"),
            Self::SignInRefused => t.msg("error-sign-in-refused-text"),
            Self::NotFound => t.msg("error-not-found-text"),
            Self::TooLarge => t.msg("error-too-large-text"),
            Self::TooManyRequests => t.msg("error-too-many-requests-text"),
            Self::Internal => t.msg("error-internal-text"),
            Self::Unavailable => t.msg("error-unavailable-text"),
        }
    }
}

/// The error page.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What is around the page.
    pub shell: Shell,
    /// What went wrong.
    pub failure: Failure,
    /// The name under which the log has the details, if it has any.
    pub error_id: Option<String>,
    /// Where "home" is for this visitor.
    pub home: String,
}
