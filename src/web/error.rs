//! The one mapping from errors to responses. A handler returns a [`PageError`]; `frame.rs` turns it into a page, or into
//! problem+json (RFC 9457) for programs. A 5xx tells an id and nothing else; the log has the rest under that id.

use super::page::outcome::Failure;
use super::page::paths;
use super::respond::Reply;
use crate::domain::redirect::SafeRedirect;
use crate::service::account::AccountError;
use crate::service::core::Trouble;
use crate::service::email::EmailError;
use crate::service::factor::FactorError;
use crate::service::identity::IdentityError;
use crate::service::invitation::InvitationError;
use crate::service::password::ChangeError;
use crate::service::recovery::RecoveryError;
use crate::service::registration::RegistrationError;
use crate::service::session::EndError;
use crate::service::setup::SetUpError;
use crate::service::sign_in::SignInError;
use crate::service::sign_in::oidc::ProviderError;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::time::Duration;

/// Why a request has no page of its own.
#[derive(Debug)]
pub enum PageError {
    /// Nobody is signed in; sign in and come back.
    SignIn,
    /// There is no sign-in under way in this browser, or it is over: to its beginning.
    BeginAgain,
    /// Somebody is signed in, and has to prove anew who they are.
    Confirm,
    /// One of the failures that have a page.
    Failed(Failure),
    /// Too many tries.
    TooMany(Duration),
    /// A store or the hasher did not answer.
    Trouble(Trouble),
    /// A template did not render.
    Render(askama::Error),
}

/// What `frame.rs` makes the response of; travels in the extensions of an empty response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    /// Which page.
    pub(super) failure: Failure,
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// Whether the log has more under the request's id.
    pub(super) logged: bool,
}

/// Nobody is signed in.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignInFirst;

/// The proof of this session is not fresh enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConfirmFirst;

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let failed = match self {
            Self::SignIn => {
                let mut response = StatusCode::UNAUTHORIZED.into_response();
                response.extensions_mut().insert(SignInFirst);
                return response;
            }
            Self::BeginAgain => return Reply::see_other(&SafeRedirect::to(paths::LOGIN)).done(),
            Self::Confirm => {
                let mut response = StatusCode::FORBIDDEN.into_response();
                response.extensions_mut().insert(ConfirmFirst);
                return response;
            }
            Self::Failed(failure) => Failed { failure, retry_after: None, logged: false },
            Self::TooMany(wait) => Failed { failure: Failure::TooManyRequests, retry_after: Some(wait), logged: false },
            Self::Trouble(trouble) => of_trouble(&trouble),
            Self::Render(error) => {
                tracing::error!(%error, "a page could not be made");
                Failed { failure: Failure::Internal, retry_after: None, logged: true }
            }
        };
        let status = StatusCode::from_u16(failed.failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(failed);
        response
    }
}

fn of_trouble(trouble: &Trouble) -> Failed {
    let (failure, wait) = match trouble {
        Trouble::Busy { retry_after } => (Failure::Unavailable, *retry_after),
        trouble if trouble.is_fault() => {
            tracing::error!(error = %trouble, "a request failed");
            return Failed { failure: Failure::Internal, retry_after: None, logged: true };
        }
        Trouble::Store(_) | Trouble::Volatile(_) | Trouble::Sealing(_) => {
            tracing::error!(error = %trouble, "a store did not answer");
            (Failure::Unavailable, Duration::from_secs(5))
        }
    };
    Failed { failure, retry_after: Some(wait), logged: true }
}

impl From<Trouble> for PageError {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self::Render(error)
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ChangeError> for PageError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::TooManyFailures { retry_after } => Self::TooMany(retry_after),
            ChangeError::Trouble(trouble) => Self::Trouble(trouble),
            ChangeError::WrongPassword | ChangeError::Rules(_) => Self::Failed(Failure::BadRequest),
        }
    }
}

impl From<SignInError> for PageError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::TooManyFailures { retry_after } => Self::TooMany(retry_after),
            SignInError::Trouble(trouble) => Self::Trouble(trouble),
            SignInError::Refused | SignInError::Outdated | SignInError::FreshProofNeeded => Self::SignIn,
            SignInError::DirectoryAway { retry_after } => Self::Trouble(Trouble::Busy { retry_after }),
            SignInError::Directory(_) | SignInError::Unresolved(_) | SignInError::LinkFirst(_) => {
                Self::Failed(Failure::Forbidden)
            }
            SignInError::Password(_) | SignInError::WrongCode => Self::Failed(Failure::BadRequest),
        }
    }
}

impl From<FactorError> for PageError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::TooManyFailures { retry_after } | FactorError::TooManyCodes { retry_after } => {
                Self::TooMany(retry_after)
            }
            FactorError::Trouble(trouble) => Self::Trouble(trouble),
            FactorError::NotSent => Self::Failed(Failure::Unavailable),
            FactorError::Off | FactorError::NotFound => Self::Failed(Failure::NotFound),
            FactorError::WrongCode
            | FactorError::Outdated
            | FactorError::TooMany
            | FactorError::Abroad
            | FactorError::Required => Self::Failed(Failure::BadRequest),
        }
    }
}

impl From<EndError> for PageError {
    fn from(error: EndError) -> Self {
        match error {
            EndError::NotFound => Self::Failed(Failure::NotFound),
            EndError::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}

impl From<ProviderError> for PageError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::SignIn(error) => error.into(),
            ProviderError::Outdated => Self::Failed(Failure::BadRequest),
            ProviderError::Declined(_) | ProviderError::Away | ProviderError::NotBelieved(_) => {
                Self::Failed(Failure::Forbidden)
            }
        }
    }
}

impl From<IdentityError> for PageError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotFound => Self::Failed(Failure::NotFound),
            IdentityError::Trouble(trouble) => Self::Trouble(trouble),
            IdentityError::LastWayIn | IdentityError::Refused(..) => Self::Failed(Failure::Forbidden),
        }
    }
}

impl From<RecoveryError> for PageError {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Off | RecoveryError::Link => Self::Failed(Failure::NotFound),
            RecoveryError::TooManyTries { retry_after } => Self::TooMany(retry_after),
            RecoveryError::Password(error) => error.into(),
            RecoveryError::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}

impl From<EmailError> for PageError {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::Off | EmailError::Link => Self::Failed(Failure::NotFound),
            EmailError::Same => Self::Failed(Failure::BadRequest),
            EmailError::Password(error) => error.into(),
            EmailError::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}

impl From<AccountError> for PageError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Password(error) => error.into(),
            AccountError::Trouble(trouble) => Self::Trouble(trouble),
            _ => Self::Failed(Failure::BadRequest),
        }
    }
}

impl From<InvitationError> for PageError {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Link => Self::Failed(Failure::NotFound),
            InvitationError::TooManyTries { retry_after } => Self::TooMany(retry_after),
            InvitationError::Password(error) => error.into(),
            InvitationError::Trouble(trouble) => Self::Trouble(trouble),
            _ => Self::Failed(Failure::BadRequest),
        }
    }
}

impl From<RegistrationError> for PageError {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::Off | RegistrationError::Link => Self::Failed(Failure::NotFound),
            RegistrationError::TooManyTries { retry_after } => Self::TooMany(retry_after),
            RegistrationError::Password(error) => error.into(),
            RegistrationError::Trouble(trouble) => Self::Trouble(trouble),
            _ => Self::Failed(Failure::BadRequest),
        }
    }
}

impl From<SetUpError> for PageError {
    fn from(error: SetUpError) -> Self {
        match error {
            SetUpError::Link => Self::Failed(Failure::NotFound),
            SetUpError::TooManyFailures { retry_after } => Self::TooMany(retry_after),
            SetUpError::Account(error) => error.into(),
            SetUpError::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}
