//! Authenticators beside the password: apps, keys, and the codes on paper. What kinds there are, how people name
//! them, and whose rules ask for one. Checking a code is the services' business, keeping them the store's.

use super::group::GroupKey;
use super::id::{AccountId, AuthenticatorId};
use super::session::Methods;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Most characters of a name that people give to one of theirs.
pub const MAX_NAME: usize = 60;
/// Authenticators an account may have; more is nobody's need and somebody's attack on storage.
pub const MOST: usize = 20;

/// The kinds that are kept as rows of their own. Backup codes are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A security key or passkey (`WebAuthn`).
    Passkey,
    /// An app that shows a new code every half minute (RFC 6238).
    Totp,
    /// A phone number that codes are sent to. A restricted authenticator (NIST SP 800-63B-4 section 3.2.9).
    Phone,
}

impl Kind {
    /// Every kind, the strongest first.
    pub const ALL: [Self; 3] = [Self::Passkey, Self::Totp, Self::Phone];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::Phone => "phone",
        }
    }

    /// From its stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How somebody proves the second factor in one sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorWay {
    /// With a key.
    Passkey,
    /// With an app's code.
    Totp,
    /// With a code that was sent to a phone.
    Phone,
    /// With a code from paper.
    Backup,
}

impl FactorWay {
    /// Every way, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Passkey, Self::Totp, Self::Phone, Self::Backup];

    /// As it stands in forms and in the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::Phone => "phone",
            Self::Backup => "backup",
        }
    }

    /// From a form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }
}

impl From<Kind> for FactorWay {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Passkey => Self::Passkey,
            Kind::Totp => Self::Totp,
            Kind::Phone => Self::Phone,
        }
    }
}

/// What somebody calls one of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorName(String);

impl AuthenticatorName {
    /// Reads a name: trimmed, not empty, at most [`MAX_NAME`] characters, none of them a control character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= MAX_NAME && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One authenticator, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// Its public name.
    pub id: AuthenticatorId,
    /// Whose it is.
    pub account: AccountId,
    /// What it is.
    pub kind: Kind,
    /// What its owner calls it.
    pub name: String,
    /// The one that is asked for first.
    pub preferred: bool,
    /// The last time step of which a code was taken (apps only).
    pub last_step: Option<i64>,
    /// When it was bound.
    pub created_at: Timestamp,
    /// When it last proved something.
    pub last_used_at: Option<Timestamp>,
}

/// Who has to have a second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    /// Everybody.
    pub all: bool,
    /// Administrators.
    pub administrators: bool,
    /// Members of any of these groups.
    pub groups: Vec<GroupKey>,
}

impl Requirement {
    /// Whether it binds an account that is in groups of these names.
    #[must_use]
    pub fn binds(&self, administrator: bool, groups: &[String]) -> bool {
        let is_meant = |name: &String| self.groups.contains(&GroupKey::of(name));
        self.all || (self.administrators && administrator) || groups.iter().any(is_meant)
    }

    /// Whether the groups of an account have to be looked up to know.
    #[must_use]
    pub const fn asks_for_groups(&self) -> bool {
        !self.all && !self.groups.is_empty()
    }
}

/// The `acr` claim of what was proved: `phr` for a key that cannot be phished (OpenID EAP ACR Values 1.0), `2` for more
/// than one factor, `1` for one, `0` for a remembered browser alone (OpenID Connect Core §2).
#[must_use]
pub const fn assurance(methods: Methods) -> &'static str {
    if methods.has(Methods::MULTI_FACTOR) {
        if methods.has(Methods::KEY) { "phr" } else { "2" }
    } else if methods.without(Methods::REMEMBERED.and(Methods::REMEMBERED_DEVICE)).bits() == 0 {
        "0"
    } else {
        "1"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_on_one_line() {
        assert_eq!(AuthenticatorName::parse("  My phone ").unwrap().as_str(), "My phone");
        assert!(AuthenticatorName::parse(" ").is_none());
        assert!(AuthenticatorName::parse("a\nb").is_none());
        assert!(AuthenticatorName::parse(&"é".repeat(MAX_NAME)).is_some());
        assert!(AuthenticatorName::parse(&"é".repeat(MAX_NAME + 1)).is_none());
    }

    #[test]
    fn kinds_and_ways_come_back_from_their_stored_form() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(FactorWay::from(kind).as_str(), kind.as_str());
        }
        for way in FactorWay::ALL {
            assert_eq!(FactorWay::parse(way.as_str()), Some(way));
        }
        assert_eq!(FactorWay::parse("password"), None);
    }

    #[test]
    fn a_requirement_binds_whom_it_names() {
        let staff = [String::from("staff")];
        let none = Requirement::default();
        assert!(!none.binds(true, &staff));
        let admins = Requirement { administrators: true, ..none.clone() };
        assert!(admins.binds(true, &[]) && !admins.binds(false, &staff) && !admins.asks_for_groups());
        let group = Requirement { groups: vec![GroupKey::of("STAFF")], ..none.clone() };
        assert!(group.binds(false, &staff) && !group.binds(true, &[]) && group.asks_for_groups());
        assert!(Requirement { all: true, ..none }.binds(false, &[]));
    }

    #[test]
    fn assurance_says_no_more_than_was_proved() {
        let password = Methods::PASSWORD;
        for (methods, expected) in [
            (password, "1"),
            (Methods::REMEMBERED, "0"),
            (Methods::REMEMBERED.and(Methods::REMEMBERED_DEVICE), "0"),
            (password.and(Methods::REMEMBERED_DEVICE), "1"),
            (password.and(Methods::CODE).and(Methods::MULTI_FACTOR), "2"),
            (Methods::KEY.and(Methods::MULTI_FACTOR), "phr"),
        ] {
            assert_eq!(assurance(methods), expected, "{methods:?}");
        }
    }
}
