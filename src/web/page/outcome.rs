//! The page for everything that did not work. It says what the visitor can do and never why in technical terms;
//! an error id leads whoever runs the service to the log.

use askama::Template;

use crate::domain::application::Refusal;
use crate::service::texts::Texts;
use crate::web::page::Shell;

/// What went wrong, as far as the visitor is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The request makes no sense (400).
    BadRequest,
    /// The way back leads to an address that is none of ours (400).
    ForeignTarget,
    /// The form was open too long or came from another site (403).
    FormExpired,
    /// The person may not do this (403).
    Forbidden,
    /// There is no such page (404).
    NotFound,
    /// The page cannot be asked for in this way (405).
    MethodNotAllowed,
    /// What was announced did not come (408).
    TooSlow,
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
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::ForeignTarget,
        Self::FormExpired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooSlow,
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
            Self::BadRequest | Self::ForeignTarget => 400,
            Self::FormExpired | Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
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
            Self::ForeignTarget => t.msg("error-foreign-target-title"),
            Self::FormExpired => t.msg("error-form-expired-title"),
            Self::Forbidden => t.msg("error-forbidden-title"),
            Self::NotFound => t.msg("error-not-found-title"),
            Self::TooSlow => t.msg("error-too-slow-title"),
            Self::TooLarge => t.msg("error-too-large-title"),
            Self::TooManyRequests => t.msg("error-too-many-requests-title"),
            Self::Internal => t.msg("error-internal-title"),
            Self::Unavailable => t.msg("error-unavailable-title"),
        }
    }

    fn text(self, t: &Texts) -> String {
        match self {
            Self::BadRequest | Self::MethodNotAllowed | Self::UnsupportedMedia => t.msg("error-bad-request-text"),
            Self::ForeignTarget => t.msg("error-foreign-target-text"),
            Self::FormExpired => t.msg("error-form-expired-text"),
            Self::Forbidden => t.msg("error-forbidden-text"),
            Self::NotFound => t.msg("error-not-found-text"),
            Self::TooSlow => t.msg("error-too-slow-text"),
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

/// Why somebody does not get into an application, as far as a code of `/verify` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// In none of the groups asked for.
    Group,
    /// Not from this network.
    Network,
    /// No application has this address.
    UnknownApplication,
    /// Anything else.
    Other,
}

impl Shut {
    /// Of a code; whatever is no code of ours is [`Self::Other`].
    #[must_use]
    pub fn of(code: &str) -> Self {
        let known = [Self::Group, Self::Network, Self::UnknownApplication];
        known.into_iter().find(|one| one.code() == code).unwrap_or(Self::Other)
    }

    /// What administrators look for.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Group => Refusal::Group.code(),
            Self::Network => Refusal::Network.code(),
            Self::UnknownApplication => Refusal::UnknownApplication.code(),
            Self::Other => "not_allowed",
        }
    }

    fn text(self, t: &Texts) -> String {
        match self {
            Self::Group => t.msg("forbidden-group"),
            Self::Network => t.msg("forbidden-network"),
            Self::UnknownApplication => t.msg("forbidden-unknown-application"),
            Self::Other => t.msg("forbidden-other"),
        }
    }
}

/// Says who is signed in and does not get into an application. Sends `csrf` to sign out.
#[derive(Debug, Clone, Template)]
#[template(path = "forbidden.html")]
pub struct ForbiddenPage {
    /// What is around the page.
    pub shell: Shell,
    /// The name of whoever is signed in.
    pub person: Option<String>,
    /// Why.
    pub shut: Shut,
    /// The application's host.
    pub application: Option<String>,
    /// What was asked for, to try again.
    pub back: Option<String>,
}
