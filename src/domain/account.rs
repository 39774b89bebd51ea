//! Accounts: names, addresses and states, and what makes each of them well-formed.

use super::face::{Contrast, PictureKey};
use super::id::AccountId;
use super::language::Language;
use super::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;
use unicode_security::{GeneralSecurityProfile, MixedScript};

/// Longest name, username or address, in characters.
pub const MAX_NAME: usize = 256;

/// Words that pages and programs use for something else.
const RESERVED: [&str; 4] = ["me", "anonymous", "system", "deleted user"];

/// Why a value is refused. The names are message keys' endings; the person sees a sentence from the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing was entered.
    #[error("must not be empty")]
    Empty,
    /// More than [`MAX_NAME`] characters.
    #[error("is longer than 256 characters")]
    TooLong,
    /// A control, format or otherwise unusual character.
    #[error("contains {0:?}, which is not allowed")]
    Character(char),
    /// Neither a letter nor a digit in it, such as `..` or `-`.
    #[error("has neither a letter nor a digit")]
    NoLetter,
    /// Letters of scripts that do not belong together (UTS #39), as in a Latin name with one Cyrillic letter.
    #[error("mixes letters of different scripts")]
    MixedScripts,
    /// A word with a meaning of its own, such as `me`.
    #[error("is a reserved word")]
    Reserved,
    /// Not of the form `local@domain`.
    #[error("is not an e-mail address")]
    NotAnAddress,
}

/// The name someone signs in with: letters of one script, digits, space and `_ - @ . +`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: Arc<str>,
    key: Arc<str>,
    skeleton: Arc<str>,
}

impl Username {
    /// Normalises (NFKC) and checks.
    ///
    /// # Errors
    /// [`InvalidName`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let shown: Arc<str> = tidy(text)?.into();
        let allowed = |c: char| {
            c.is_ascii_alphanumeric()
                || "_-@.+ ".contains(c)
                || (c.is_alphanumeric() || is_mark(c)) && c.identifier_allowed()
        };
        if let Some(foreign) = shown.chars().find(|c| !allowed(*c)) {
            return Err(InvalidName::Character(foreign));
        }
        if !shown.chars().any(char::is_alphanumeric) {
            return Err(InvalidName::NoLetter);
        }
        if !shown.is_ascii() && !(*shown).is_single_script() {
            return Err(InvalidName::MixedScripts);
        }
        let key = folded(&shown);
        if RESERVED.contains(&&*key) {
            return Err(InvalidName::Reserved);
        }
        let skeleton = if key.is_ascii() { Arc::clone(&key) } else { fold(&skeleton(&key).collect::<String>()).into() };
        Ok(Self { shown, key, skeleton })
    }

    /// As the person wrote it, normalised.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What two spellings of one name have in common; unique among accounts.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What look-alikes have in common (UTS #39); unique among accounts.
    #[must_use]
    pub fn skeleton(&self) -> &str {
        &self.skeleton
    }

    /// Name, key and skeleton without a copy, where thousands are written.
    #[must_use]
    pub fn shared(&self) -> [Arc<str>; 3] {
        [&self.shown, &self.key, &self.skeleton].map(Arc::clone)
    }
}

/// An e-mail address, compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    shown: Arc<str>,
    key: Arc<str>,
}

impl EmailAddress {
    /// Checks the form `local@domain` (RFC 5321 §4.1.2 without quoted local parts and address literals).
    ///
    /// # Errors
    /// [`InvalidName`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let shown = tidy(text)?;
        let (local, domain) = shown.rsplit_once('@').ok_or(InvalidName::NotAnAddress)?;
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
        let local_is_fine = !local.is_empty()
            && local.len() <= 64
            && local.chars().all(atom)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        if !local_is_fine || !domain.split('.').all(label) {
            return Err(InvalidName::NotAnAddress);
        }
        let shown: Arc<str> = shown.into();
        Ok(Self { key: folded(&shown), shown })
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What two spellings of one address have in common; unique among accounts.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Address and key without a copy, where thousands are written.
    #[must_use]
    pub fn shared(&self) -> [Arc<str>; 2] {
        [&self.shown, &self.key].map(Arc::clone)
    }

    /// The address with all but its first letter and its domain hidden, for notices.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.shown.rsplit_once('@').unwrap_or((&self.shown, ""));
        format!("{}…@{domain}", local.chars().next().unwrap_or('…'))
    }
}

/// A person's name as shown to others: any script, no control characters, no markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Normalises and checks.
    ///
    /// # Errors
    /// [`InvalidName`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let shown: String = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
        let shown = shown.trim();
        measure(shown)?;
        if let Some(foreign) = shown.chars().find(|c| is_hidden(*c) || matches!(c, '<' | '>')) {
            return Err(InvalidName::Character(foreign));
        }
        if shown.contains("://") {
            return Err(InvalidName::Character('/'));
        }
        Ok(Self(shown.into()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same without a copy, where thousands are written.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// What someone typed into the name field of the sign-in page: a username or an address. Compared, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginName(String);

impl LoginName {
    /// Folds whatever was typed to the key that accounts are found by; hopeless input gives a key nobody has.
    #[must_use]
    pub fn of(text: &str) -> Self {
        // PostgreSQL knows no text with a zero in it, and nobody has such a name.
        Self(fold(&text.trim().chars().take(MAX_NAME).nfkc().collect::<String>()).replace('\0', "\u{fffd}"))
    }

    /// The key to look for.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }
}

/// Whether an account may sign in at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// May sign in.
    Active,
    /// An administrator has shut it; nothing is deleted.
    Locked,
    /// Invited: its owner has not accepted yet, so there is no password.
    Invited,
    /// Registered by its owner, and waiting for an administrator.
    Registered,
}

impl AccountStatus {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Invited => "invited",
            Self::Registered => "registered",
        }
    }

    /// From its stored form; anything unknown counts as locked, the safe side.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "invited" => Self::Invited,
            "registered" => Self::Registered,
            _ => Self::Locked,
        }
    }
}

/// An account as use cases see it.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its identifier.
    pub id: AccountId,
    /// The name it signs in with.
    pub username: String,
    /// Its address; empty while none has been confirmed. [`Account::address`] says so by its type.
    pub email: String,
    /// The name others see.
    pub name: String,
    /// The language of pages and letters; `None` follows the browser.
    pub language: Option<Language>,
    /// IANA name of the time zone; `None` is UTC.
    pub time_zone: Option<String>,
    /// Whether it may sign in.
    pub status: AccountStatus,
    /// Whether it administers this service.
    pub administrator: bool,
    /// Sessions opened before this point are dead, whatever the session store says.
    pub sessions_valid_from: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a session was last opened.
    pub last_sign_in_at: Option<Timestamp>,
    /// When it ends by itself, as a guest's does; `None` is never.
    pub ends_at: Option<Timestamp>,
    /// How strong it wants the contrast of pages.
    pub contrast: Contrast,
    /// What its picture is asked for by; `None` without a picture.
    pub picture: Option<PictureKey>,
}

impl Account {
    /// Its confirmed address; `None` after a registration that nobody has confirmed by mail yet.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        Some(self.email.as_str()).filter(|address| !address.is_empty())
    }

    /// The last moment at which it is there, for people to read; `None` is for ever.
    #[must_use]
    pub fn last_moment(&self) -> Option<Timestamp> {
        self.ends_at.map(|end| Timestamp::from_millis(end.millis().saturating_sub(1)))
    }

    /// Whether it may sign in, and have sessions, at this moment.
    #[must_use]
    pub fn may_sign_in(&self, now: Timestamp) -> bool {
        self.status == AccountStatus::Active && !self.has_ended(now)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| now >= end)
    }
}

fn tidy(text: &str) -> Result<String, InvalidName> {
    // ASCII is its own normal form.
    let shown: String = if text.is_ascii() { text.trim().to_owned() } else { text.trim().nfkc().collect() };
    measure(&shown)?;
    match shown.chars().find(|c| is_hidden(*c)) {
        Some(hidden) => Err(InvalidName::Character(hidden)),
        None => Ok(shown),
    }
}

fn measure(text: &str) -> Result<(), InvalidName> {
    match text.chars().count() {
        0 => Err(InvalidName::Empty),
        n if n > MAX_NAME => Err(InvalidName::TooLong),
        _ => Ok(()),
    }
}

/// Control characters, and those that steer the direction or joining of text without being seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Case-insensitive key (NFKC, then lower case, then NFKC again as lowering can undo it).
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).collect::<String>().replace('ß', "ss").nfkc().collect()
}

/// The same, sharing the text if it is folded already, as nearly every username and address is.
fn folded(text: &Arc<str>) -> Arc<str> {
    let is_folded = text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_folded { Arc::clone(text) } else { fold(text).into() }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_differing_in_case_or_width_share_a_key() {
        assert_eq!(Username::parse("Anna").unwrap().key(), Username::parse("ａｎｎａ").unwrap().key());
    }

    #[test]
    fn look_alikes_share_a_skeleton_and_ascii_names_do_not_collide() {
        let latin = Username::parse("coco").unwrap();
        let cyrillic = Username::parse("сосо").unwrap();
        assert_ne!(latin.key(), cyrillic.key());
        assert_eq!(latin.skeleton(), cyrillic.skeleton());
        assert_ne!(Username::parse("user1").unwrap().skeleton(), Username::parse("userl").unwrap().skeleton());
    }

    #[test]
    fn hostile_usernames_are_refused() {
        for (text, why) in [
            ("", InvalidName::Empty),
            ("an\u{0}na", InvalidName::Character('\u{0}')),
            ("an\nna", InvalidName::Character('\n')),
            ("anna\u{202e}", InvalidName::Character('\u{202e}')),
            ("аnna", InvalidName::MixedScripts),
            ("an/na", InvalidName::Character('/')),
            ("..", InvalidName::NoLetter),
            ("-", InvalidName::NoLetter),
            ("_ @ +", InvalidName::NoLetter),
            ("ME", InvalidName::Reserved),
        ] {
            assert_eq!(Username::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(Username::parse(&"x".repeat(257)), Err(InvalidName::TooLong));
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["anna@example.org", "a.b+c@münchen.example", "root@localhost"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "anna",
            "@x",
            "a@",
            "a b@x.org",
            "a@x..org",
            "a@-x.org",
            ".a@x.org",
            "a@x.org\r\nBcc: b@x.org",
            "a\"@x.org",
            "a,b@x.org",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(EmailAddress::parse("anna@example.org").unwrap().masked(), "a…@example.org");
    }

    #[test]
    fn states_survive_being_stored_and_the_unknown_is_locked() {
        use AccountStatus::{Active, Invited, Locked, Registered};
        for status in [Active, Locked, Invited, Registered] {
            assert_eq!(AccountStatus::from_stored(status.as_str()), status);
        }
        assert_eq!(AccountStatus::from_stored("whatever"), Locked);
    }

    #[test]
    fn display_names_keep_scripts_but_not_markup() {
        assert!(DisplayName::parse("Søren Ångström 李").is_ok());
        assert!(DisplayName::parse("<b>x</b>").is_err());
        assert!(DisplayName::parse("see https://evil.example").is_err());
    }
}
