//! Views of signing in and out: the login card, the forced change of a password, the confirmation of a logout.
//! Lost passwords are in `recovery.rs`.

use askama::Template;

use crate::service::factor::passkey::Challenge;
use crate::service::texts::Texts;
use crate::web::page::provider::ProviderButton;
use crate::web::page::{Field, Shell, paths};

/// The login card. Sends `username`, `password`, `stay` (`1` when ticked), `return_to`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "login.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of the card that is there or not")]
pub struct LoginPage {
    /// What is around the page.
    pub shell: Shell,
    /// Where the form is sent: [`paths::LOGIN`] or [`paths::LOGIN_INTERNAL`].
    pub action: &'static str,
    /// Whether one can sign in with a password here.
    pub passwords: bool,
    /// Why the last try failed ([`super::words::SignInProblem`]).
    pub problem: Option<String>,
    /// What they are asked after signing in, when nothing went wrong.
    pub asked: Option<String>,
    /// Username or e-mail address.
    pub username: Field,
    /// What is wrong with the password field itself, such as that it is empty.
    pub password_error: Option<String>,
    /// Whether "stay signed in" is offered, and for how many days.
    pub stay_days: Option<u32>,
    /// Whether "stay signed in" is ticked.
    pub stay: bool,
    /// Whether lost passwords can be replaced here.
    pub recovery: bool,
    /// Whether people can make accounts for themselves.
    pub register: bool,
    /// The question for passkeys, where one alone is enough.
    pub passkey: Option<Challenge>,
    /// Where to go after the sign-in; empty for the default.
    pub return_to: String,
    /// Identity providers to choose from.
    pub providers: Vec<ProviderButton>,
    /// The same, to stay signed in. The page shows one of the lists, by a tick and without a script: a form would not do,
    /// since browsers apply `form-action` to every redirect at the provider too.
    pub staying: Vec<ProviderButton>,
}

/// Why a sign-in asks for a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeReason {
    /// The password is older than the rules allow.
    Expired,
    /// An administrator asked for a new one.
    Demanded,
}

/// The step of a sign-in that asks for a new password. Sends `new_password`, `repeat`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "change_password.html")]
pub struct ChangePasswordPage {
    /// What is around the page.
    pub shell: Shell,
    /// The username, for password managers only.
    pub username: String,
    /// Why a new password is asked for.
    pub reason: ChangeReason,
    /// The rules that it must keep.
    pub rules: Vec<String>,
    /// Which of them the last try broke.
    pub problems: Vec<String>,
    /// What is wrong with the repetition.
    pub repeat_error: Option<String>,
}

/// Asks before signing out. Sends `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "logout.html")]
pub struct LogoutPage {
    /// What is around the page.
    pub shell: Shell,
    /// The name of the person who is signed in.
    pub person: String,
}

/// Says that the session has ended.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// What is around the page.
    pub shell: Shell,
    /// The provider that the session came from, by the name people see, and how it is there.
    pub there: Option<(There, String)>,
}

/// Whether somebody who has signed out here is signed out at their provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// They are.
    SignedOut,
    /// They are not: it was not told.
    SignedIn,
    /// They are, and the provider reports that something else lives on.
    Partly,
    /// It is not known: what came back does not belong to what was sent.
    Unsure,
}

impl There {
    /// What the page says.
    #[must_use]
    pub fn text(self, t: &Texts, provider: &str) -> String {
        let key = match self {
            Self::SignedOut => "signed-out-there",
            Self::SignedIn => "signed-out-stays",
            Self::Partly => "signed-out-partly",
            Self::Unsure => "signed-out-unsure",
        };
        t.msg_with(key, &[("provider", provider.into())])
    }
}

/// Says that the session has ended here, while the browser goes on to the provider.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out_onward.html")]
pub struct OnwardPage {
    /// What is around the page.
    pub shell: Shell,
    /// The name of the provider.
    pub provider: String,
    /// Where the browser goes.
    pub address: String,
}
