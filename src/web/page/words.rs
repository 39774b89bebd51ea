//! The sentences that a page can say besides its own labels: problems, rules, notices. Each is an enum variant, so
//! that a handler maps an error of a service to a variant and never to a string. The words are in the catalogue.

use crate::domain::authenticator::FactorWay;
use crate::domain::password::Class;
use crate::service::texts::Texts;

/// Why a sign-in did not succeed, as far as the visitor may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// Name and password do not belong together; said of unknown accounts too.
    WrongCredentials,
    /// Too many failures; the visitor may try again after this many minutes.
    TooManyAttempts {
        /// Minutes to wait, rounded up.
        minutes: u32,
    },
    /// The account is locked; said only after the right password.
    Locked,
    /// An administrator has to approve the account first; said only after the right password.
    Waiting,
    /// The sign-in took too long or began in another browser.
    AttemptExpired,
    /// All places for checking passwords are taken at the moment.
    Busy,
    /// The passkey is not one of ours, or did not answer as it should.
    Passkey,
    /// A directory does not answer; said whoever the name belongs to.
    DirectoryAway,
    /// The directory wants another password first; said only after the right one.
    DirectoryPassword,
    /// The directory does not let the person in; said only after the right password.
    DirectoryShut,
    /// There is no account for the person, and none is made; said only after the right password.
    NoAccount,
    /// Another account has the person's username or address; said only after the right password.
    Conflict,
    /// An account has the person's address, and its owner is asked first; said only after the right password.
    LinkFirst,
}

impl SignInProblem {
    /// The sentence in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        match self {
            Self::WrongCredentials => t.msg("sign-in-wrong-credentials"),
            Self::TooManyAttempts { minutes } => {
                t.msg_with("sign-in-too-many-attempts", &[("minutes", minutes.into())])
            }
            Self::Locked => t.msg("sign-in-locked"),
            Self::Waiting => t.msg("sign-in-waiting"),
            Self::AttemptExpired => t.msg("sign-in-attempt-expired"),
            Self::Busy => t.msg("sign-in-busy"),
            Self::Passkey => t.msg("sign-in-passkey"),
            Self::DirectoryAway => t.msg("sign-in-directory-away"),
            Self::DirectoryPassword => t.msg("sign-in-directory-password"),
            Self::DirectoryShut => t.msg("sign-in-directory-shut"),
            Self::NoAccount => t.msg("sign-in-no-account"),
            Self::Conflict => t.msg("sign-in-conflict"),
            Self::LinkFirst => t.msg("sign-in-link-first"),
        }
    }
}

/// A rule that a new password must keep, shown before the person chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRule {
    /// At least this many characters.
    Shortest(u32),
    /// At least one character of this kind.
    Contains(Class),
    /// Hard to guess: not on the list of common passwords, no simple pattern.
    HardToGuess,
    /// Without the own name or address.
    NotPersonal,
    /// None of this many passwords before.
    NotReused(u32),
}

impl PasswordRule {
    /// The rule in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        match self {
            Self::Shortest(count) => t.msg_with("password-rule-shortest", &[("count", count.into())]),
            Self::Contains(class) => t.msg_with("password-rule-contains", &[("class", (&class_text(class, t)).into())]),
            Self::HardToGuess => t.msg("password-rule-hard-to-guess"),
            Self::NotPersonal => t.msg("password-rule-not-personal"),
            Self::NotReused(count) => t.msg_with("password-rule-not-reused", &[("count", count.into())]),
        }
    }
}

/// Why a new password was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer characters than this.
    TooShort(u32),
    /// More characters than this.
    TooLong(u32),
    /// No character of this kind.
    Lacks(Class),
    /// On the list of common passwords.
    Common,
    /// Easy to guess by its pattern.
    Weak,
    /// Contains the own name or address.
    Personal,
    /// Was used before.
    Reused,
    /// Contains characters that cannot be typed, such as line ends.
    Unusable,
    /// The repetition differs.
    Mismatch,
}

impl PasswordProblem {
    /// The sentence in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        match self {
            Self::TooShort(count) => t.msg_with("password-too-short", &[("count", count.into())]),
            Self::TooLong(count) => t.msg_with("password-too-long", &[("count", count.into())]),
            Self::Lacks(class) => t.msg_with("password-lacks", &[("class", (&class_text(class, t)).into())]),
            Self::Common => t.msg("password-common"),
            Self::Weak => t.msg("password-weak"),
            Self::Personal => t.msg("password-personal"),
            Self::Reused => t.msg("password-reused"),
            Self::Unusable => t.msg("password-unusable"),
            Self::Mismatch => t.msg("password-mismatch"),
        }
    }
}

/// A kind of characters with its article, in the case that "contains" asks for.
fn class_text(class: Class, t: &Texts) -> String {
    match class {
        Class::Lowercase => t.msg("password-class-lowercase"),
        Class::Uppercase => t.msg("password-class-uppercase"),
        Class::Digit => t.msg("password-class-digit"),
        Class::Special => t.msg("password-class-special"),
    }
}

/// What is wrong with one field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldProblem {
    /// Nothing was entered.
    Missing,
    /// More characters than this.
    TooLong(u32),
    /// Not a possible username.
    InvalidUsername,
    /// Someone has this username.
    UsernameTaken,
    /// Looks like an address, where that must not be.
    AddressAsUsername,
    /// Another account has this address; said only to whoever may see all accounts.
    EmailTaken,
    /// Contains characters that cannot be part of a name.
    InvalidName,
    /// Not an e-mail address.
    InvalidEmail,
    /// The address is of a domain that may not register.
    ForeignDomain,
    /// The new address is the old one.
    SameEmail,
    /// Not a known time zone.
    UnknownTimeZone,
    /// The current password is wrong.
    WrongPassword,
    /// The file is no picture of a kind that is read.
    PictureKind,
    /// The picture has more pixels than are read.
    PicturePixels,
    /// The picture is broken or cut off.
    PictureDamaged,
    /// The file is larger than files are read.
    PictureTooLarge,
}

impl FieldProblem {
    /// The sentence in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        match self {
            Self::Missing => t.msg("field-missing"),
            Self::TooLong(count) => t.msg_with("field-too-long", &[("count", count.into())]),
            Self::InvalidUsername => t.msg("field-invalid-username"),
            Self::UsernameTaken => t.msg("field-username-taken"),
            Self::AddressAsUsername => t.msg("field-address-as-username"),
            Self::EmailTaken => t.msg("field-email-taken"),
            Self::InvalidName => t.msg("field-invalid-name"),
            Self::InvalidEmail => t.msg("field-invalid-email"),
            Self::ForeignDomain => t.msg("field-foreign-domain"),
            Self::SameEmail => t.msg("field-same-email"),
            Self::UnknownTimeZone => t.msg("field-unknown-time-zone"),
            Self::WrongPassword => t.msg("field-wrong-password"),
            Self::PictureKind => t.msg("field-picture-kind"),
            Self::PicturePixels => t.msg("field-picture-pixels"),
            Self::PictureDamaged => t.msg("field-picture-damaged"),
            Self::PictureTooLarge => t.msg("field-picture-too-large"),
        }
    }
}

/// What is wrong with what somebody said about a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorProblem {
    /// An app's code is wrong or was used.
    Totp,
    /// A code to a phone is wrong, was used, or is too old.
    Phone,
    /// No code is on its way any more.
    CodeTooOld,
    /// A code could not be sent.
    NotSent,
    /// No more codes are sent for a while.
    TooManyCodes {
        /// How long.
        minutes: u32,
    },
    /// Not a phone number.
    Number,
    /// Codes are not sent to this country.
    Abroad,
    /// A code from paper is wrong or was used.
    Backup,
    /// A key did not answer as it should.
    Passkey,
    /// The name cannot be one.
    Name,
    /// It is the last one, and one is required.
    Last,
}

impl FactorProblem {
    /// What a wrong proof of this way is called.
    #[must_use]
    pub const fn of(way: FactorWay) -> Self {
        match way {
            FactorWay::Totp => Self::Totp,
            FactorWay::Phone => Self::Phone,
            FactorWay::Backup => Self::Backup,
            FactorWay::Passkey => Self::Passkey,
        }
    }

    /// The sentence in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        match self {
            Self::Totp => t.msg("factor-wrong-totp"),
            Self::Phone => t.msg("factor-wrong-phone"),
            Self::CodeTooOld => t.msg("phone-too-late"),
            Self::NotSent => t.msg("phone-not-sent"),
            Self::TooManyCodes { minutes } => t.msg_with("phone-too-many", &[("minutes", minutes.into())]),
            Self::Number => t.msg("phone-wrong-number"),
            Self::Abroad => t.msg("phone-abroad"),
            Self::Backup => t.msg("factor-wrong-backup"),
            Self::Passkey => t.msg("factor-wrong-passkey"),
            Self::Name => t.msg("factor-wrong-name"),
            Self::Last => t.msg("security-last"),
        }
    }
}

/// How a session came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInWay {
    /// With the password.
    Password,
    /// By the autologin cookie of a remembered device.
    RememberedDevice,
    /// With two factors.
    TwoFactors,
    /// With a passkey alone.
    Passkey,
}

impl SignInWay {
    /// The way in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        match self {
            Self::Password => t.msg("way-password"),
            Self::RememberedDevice => t.msg("way-remembered-device"),
            Self::TwoFactors => t.msg("way-two-factors"),
            Self::Passkey => t.msg("way-passkey"),
        }
    }
}

/// A note about what was just done, shown once on the next page; [`Notice::code`] travels in the flash cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Name, language, time zone or contrast was saved.
    ProfileSaved,
    /// The picture was set.
    PictureSaved,
    /// The picture was removed.
    PictureRemoved,
    /// The password was changed, other sessions have ended.
    PasswordChanged,
    /// The password was set by a recovery link.
    PasswordReset,
    /// The new e-mail address counts from now on.
    EmailChanged,
    /// One session was ended.
    SessionEnded,
    /// All other sessions were ended.
    OtherSessionsEnded,
    /// A remembered device was forgotten.
    DeviceForgotten,
    /// The first administrator exists and can sign in.
    SetupDone,
    /// Somebody invited or registering has chosen a password and can sign in.
    InvitationAccepted,
    /// Somebody has registered, and an administrator has to approve.
    RegistrationWaits,
    /// A second factor was bound.
    FactorAdded,
    /// A second factor was renamed or preferred.
    FactorChanged,
    /// A second factor was removed, other sessions have ended.
    FactorRemoved,
    /// An identity was added to the account.
    IdentityAdded,
    /// An identity was removed from the account.
    IdentityRemoved,
    /// Somebody has registered at once, and has an address to confirm.
    RegisteredAtOnce,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 18] = [
        Self::ProfileSaved,
        Self::PictureSaved,
        Self::PictureRemoved,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::SessionEnded,
        Self::OtherSessionsEnded,
        Self::DeviceForgotten,
        Self::SetupDone,
        Self::InvitationAccepted,
        Self::RegistrationWaits,
        Self::FactorAdded,
        Self::FactorChanged,
        Self::FactorRemoved,
        Self::IdentityAdded,
        Self::IdentityRemoved,
        Self::RegisteredAtOnce,
    ];

    /// The word that stands for the notice in a cookie; it is also its key in the catalogue.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ProfileSaved => "notice-profile-saved",
            Self::PictureSaved => "notice-picture-saved",
            Self::PictureRemoved => "notice-picture-removed",
            Self::PasswordChanged => "notice-password-changed",
            Self::PasswordReset => "notice-password-reset",
            Self::EmailChanged => "notice-email-changed",
            Self::SessionEnded => "notice-session-ended",
            Self::OtherSessionsEnded => "notice-other-sessions-ended",
            Self::DeviceForgotten => "notice-device-forgotten",
            Self::SetupDone => "notice-setup-done",
            Self::InvitationAccepted => "notice-invitation-accepted",
            Self::RegistrationWaits => "notice-registration-waits",
            Self::FactorAdded => "notice-factor-added",
            Self::FactorChanged => "notice-factor-changed",
            Self::FactorRemoved => "notice-factor-removed",
            Self::IdentityAdded => "notice-identity-added",
            Self::IdentityRemoved => "notice-identity-removed",
            Self::RegisteredAtOnce => "notice-registered-at-once",
        }
    }

    /// The notice of a code; None for any other word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.code() == code)
    }

    /// The sentence in the language of the catalogue.
    #[must_use]
    pub fn text(self, t: &Texts) -> String {
        t.msg(self.code())
    }
}
