//! Views of the own account: overview, profile, e-mail address, password, sessions and remembered devices.

use askama::Template;

use crate::web::page::{Choice, Field, Moment, Shell, paths};

/// The rooms of the account that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Overview,
    Profile,
    Password,
    Security,
    Identities,
    Sessions,
}

/// The first page of the account.
#[derive(Debug, Clone, Template)]
#[template(path = "account/overview.html")]
pub struct OverviewPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The username.
    pub username: String,
    /// The e-mail address, if there is one.
    pub email: Option<String>,
    /// When the account ends; `None` is never.
    pub ends: Option<Moment>,
    /// When the password was last set; none without a password.
    pub password_changed: Option<Moment>,
    /// When the current session began.
    pub signed_in: Moment,
    /// How it began ([`super::words::SignInWay`]).
    pub way: String,
    /// How many sessions are open, the current one included.
    pub sessions: u32,
}

impl OverviewPage {
    const ROOM: Room = Room::Overview;
}

/// Picture, name, language, time zone, contrast. Sends `name`, `language` (a tag or empty), `time_zone`, `contrast`, `csrf`;
/// the picture is a form of its own with the file `picture`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/profile.html")]
pub struct ProfilePage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's stored name.
    pub person: String,
    /// The name that others see.
    pub name: Field,
    /// The username, which only administrators change.
    pub username: String,
    /// The e-mail address, if there is one.
    pub email: Option<String>,
    /// Whether people may change their address themselves.
    pub email_change: bool,
    /// The languages, by tag; an entry for "as the browser asks" is added by the page.
    pub languages: Vec<Choice>,
    /// The name of a time zone such as `Europe/Berlin`.
    pub time_zone: Field,
    /// The names of the time zones that are suggested while typing.
    pub time_zones: Vec<String>,
    /// How strong the contrast may be.
    pub contrasts: Vec<Choice>,
    /// What is wrong with the file that was sent as picture.
    pub picture_error: Option<String>,
    /// What directories say further, by their names: labels and values. Nobody changes it here.
    pub directories: Vec<(String, Vec<(String, String)>)>,
}

impl ProfilePage {
    const ROOM: Room = Room::Profile;

    fn has_errors(&self) -> bool {
        self.name.error.is_some() || self.time_zone.error.is_some() || self.picture_error.is_some()
    }

    fn language_is_chosen(&self) -> bool {
        self.languages.iter().any(|language| language.selected)
    }
}

/// Asks for a new e-mail address. Sends `email`, `password`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/email.html")]
pub struct EmailPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The username, for password managers only.
    pub username: String,
    /// The address that counts now, if there is one.
    pub current: Option<String>,
    /// The new address.
    pub email: Field,
    /// What is wrong with the current password.
    pub password_error: Option<String>,
    /// Why the last try was refused, such as too many of them.
    pub problem: Option<String>,
}

impl EmailPage {
    const ROOM: Room = Room::Profile;
}

/// Says that the new address must be confirmed.
#[derive(Debug, Clone, Template)]
#[template(path = "account/email_sent.html")]
pub struct EmailSentPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The new address.
    pub email: String,
    /// How long the link works, in hours.
    pub hours: u32,
}

impl EmailSentPage {
    const ROOM: Room = Room::Profile;
}

/// Where the link of the confirmation mail leads: a button, because mail scanners follow links. Sends `token`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "email_confirm.html")]
pub struct EmailConfirmPage {
    /// What is around the page.
    pub shell: Shell,
    /// The new address.
    pub email: String,
    /// The token of the link.
    pub token: String,
}

/// Says that the confirmation link is used, too old or not one of ours.
#[derive(Debug, Clone, Template)]
#[template(path = "email_link_invalid.html")]
pub struct EmailLinkInvalidPage {
    /// What is around the page.
    pub shell: Shell,
}

/// Changes the password. Sends `password`, `new_password`, `repeat`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/password.html")]
pub struct PasswordPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The username, for password managers only.
    pub username: String,
    /// The directory that keeps the password, and its page for changing it; it cannot be changed here then.
    pub keeper: Option<(String, Option<String>)>,
    /// Why the last try was refused, such as too many of them.
    pub problem: Option<String>,
    /// What is wrong with the current password.
    pub password_error: Option<String>,
    /// The rules that the new one must keep.
    pub rules: Vec<String>,
    /// Which of them the last try broke.
    pub problems: Vec<String>,
    /// What is wrong with the repetition.
    pub repeat_error: Option<String>,
}

impl PasswordPage {
    const ROOM: Room = Room::Password;

    fn has_errors(&self) -> bool {
        self.problem.is_some()
            || self.password_error.is_some()
            || !self.problems.is_empty()
            || self.repeat_error.is_some()
    }
}

/// The open sessions and the devices that sign in by themselves. Ending one sends `session`, forgetting one sends
/// `device`, ending all others sends nothing; each with `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The open sessions, the current one first.
    pub sessions: Vec<SessionRow>,
    /// The devices that sign in by themselves.
    pub devices: Vec<DeviceRow>,
}

impl SessionsPage {
    const ROOM: Room = Room::Sessions;

    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.current) || self.devices.iter().any(|device| !device.current)
    }
}

/// One open session.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// What the form sends to end it; never the handle of the session.
    pub id: String,
    /// Browser and system, in words.
    pub device: String,
    /// When it began.
    pub started: Moment,
    /// When it was last used.
    pub last_seen: Moment,
    /// How it began ([`super::words::SignInWay`]).
    pub way: String,
    /// The network it was last used from.
    pub network: String,
    /// Whether it is the session that asks.
    pub current: bool,
}

/// One device that signs in by itself.
#[derive(Debug, Clone)]
pub struct DeviceRow {
    /// What the form sends to forget it; never the token.
    pub id: String,
    /// Browser and system, in words.
    pub device: String,
    /// Since when it does.
    pub remembered: Moment,
    /// When it last did.
    pub last_used: Moment,
    /// Until when it does.
    pub until: Moment,
    /// Whether it is the device that asks.
    pub current: bool,
}
