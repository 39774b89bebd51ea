//! What an entry says about a person: the mapping of attributes, the stable subject, whether the directory has shut them.

use super::{Custom, DnKey, Entry, custom};
use crate::domain::account::{DisplayName, EmailAddress, InvalidName, Username};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Which attributes say what; of each list the first that an entry has counts.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The name people sign in with.
    pub username: Vec<String>,
    /// The name others see.
    pub name: Vec<String>,
    /// The address.
    pub email: Vec<String>,
    /// What stays the same when everything else changes.
    pub subject: Vec<String>,
    /// What else is wanted.
    pub custom: Vec<custom::Wanted>,
}

impl Mapping {
    /// Every attribute that is looked at, each once.
    #[must_use]
    pub fn attributes(&self) -> Vec<String> {
        let lists = [&self.username, &self.name, &self.email, &self.subject];
        let custom = self.custom.iter().flat_map(|one| &one.from);
        let all = lists.into_iter().flatten().chain(custom).cloned();
        let mut all: Vec<String> = all.chain(STANDING.map(str::to_owned)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The stable name of a person in a directory: attribute and value, such as `entryuuid:1b9d…`; or the distinguished
/// name, where no stable attribute is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(Arc<str>);

impl Subject {
    /// From its stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same without a copy, where thousands are written.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Of an entry: the first of these attributes that it has, or its name.
    #[must_use]
    pub fn of(entry: &Entry, attributes: &[String]) -> Self {
        let found = attributes.iter().find_map(|name| {
            let value = entry.values(name).find(|value| !value.is_empty())?;
            Some(Self(format!("{}:{}", name.to_ascii_lowercase(), written(name, value)).into()))
        });
        found.unwrap_or_else(|| Self(format!("dn:{}", DnKey::of(entry.dn()).as_str()).into()))
    }

    /// Attribute and value to search for, the value as the bytes that the directory holds; `None` for a name.
    #[must_use]
    pub fn searched(&self) -> Option<(&str, Vec<u8>)> {
        let (attribute, value) = self.0.split_once(':')?;
        match attribute {
            "dn" => None,
            "objectguid" => Some((attribute, Uuid::parse_str(value).ok()?.to_bytes_le().to_vec())),
            _ => {
                Some((attribute, value.strip_prefix('#').and_then(unhex).unwrap_or_else(|| value.as_bytes().to_vec())))
            }
        }
    }
}

/// Active Directory keeps its GUID as 16 bytes, the first three fields little-endian ([MS-DTYP] 2.3.4.2).
fn written(attribute: &str, value: &[u8]) -> String {
    if attribute.eq_ignore_ascii_case("objectguid")
        && let Ok(guid) = Uuid::from_slice_le(value)
    {
        return guid.to_string();
    }
    match std::str::from_utf8(value) {
        Ok(text) if !text.starts_with('#') && !text.contains(char::is_control) => text.trim().to_lowercase(),
        _ => value.iter().fold("#".to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// Why an entry cannot become an account, or a part of it cannot be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No attribute holds a username.
    NoUsername,
    /// The username is none that we could have.
    Username(InvalidName),
    /// No attribute holds an address.
    NoEmail,
    /// The address is none.
    Email(InvalidName),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUsername => f.write_str("it has no username"),
            Self::Username(why) => write!(f, "its username {why}"),
            Self::NoEmail => f.write_str("it has no e-mail address"),
            Self::Email(why) => write!(f, "its e-mail address {why}"),
        }
    }
}

/// More values than this of one attribute are told: which one is the first is the server's whim.
const MANY: usize = 100;

/// A person in the directory.
#[derive(Clone, Debug)]
pub struct Person {
    /// Where the entry is.
    pub dn: String,
    /// What stays the same.
    pub subject: Subject,
    /// The name to sign in with.
    pub username: Result<Username, Flaw>,
    /// The address.
    pub email: Result<EmailAddress, Flaw>,
    /// The name others see; the username where the entry has none that could be shown.
    pub name: Option<DisplayName>,
    /// The directory has locked or disabled the entry, or its time is over.
    pub disabled: bool,
    /// Further attributes.
    pub custom: Custom,
}

impl Person {
    /// What an entry says. `now` is in seconds since 1970, for entries that end by themselves.
    #[must_use]
    pub fn of(entry: &Entry, mapping: &Mapping, now: i64) -> Self {
        let username = match entry.first_text(&mapping.username) {
            Some(text) => Username::parse(text).map_err(Flaw::Username),
            None => Err(Flaw::NoUsername),
        };
        let email = match entry.first_text(&mapping.email) {
            Some(text) => EmailAddress::parse(text).map_err(Flaw::Email),
            None => Err(Flaw::NoEmail),
        };
        let shown = entry.first_text(&mapping.name).and_then(|text| DisplayName::parse(text).ok());
        let fallback = || DisplayName::parse(username.as_ref().ok()?.as_str()).ok();
        Self {
            dn: entry.dn().to_owned(),
            subject: Subject::of(entry, &mapping.subject),
            name: shown.or_else(fallback),
            disabled: is_disabled(entry, now),
            custom: Custom::of(entry, &mapping.custom),
            username,
            email,
        }
    }

    /// What is odd about values that names and address are taken from, though something was found among them.
    #[must_use]
    pub fn oddity(entry: &Entry, mapping: &Mapping) -> Option<String> {
        let lists = [&mapping.username, &mapping.email, &mapping.name];
        lists.into_iter().flatten().find_map(|attribute| {
            let (values, texts) = (entry.values(attribute).count(), entry.texts(attribute).count());
            if texts < values {
                return Some(format!("{attribute} holds bytes that are no text; they are passed over"));
            }
            (values > MANY).then(|| format!("{attribute} has {values} values; the first one counts"))
        })
    }

    /// What keeps the entry from becoming an account.
    #[must_use]
    pub fn flaw(&self) -> Option<Flaw> {
        self.username.as_ref().err().or(self.email.as_ref().err()).copied()
    }
}

/// The attributes that [`Person::of`] looks at to see whether an entry is shut.
pub const STANDING: [&str; 6] =
    ["userAccountControl", "accountExpires", "nsAccountLock", "loginDisabled", "pwdAccountLockedTime", "shadowExpire"];

/// Seconds between 1601, where Active Directory counts from, and 1970.
const SINCE_1601: i64 = 11_644_473_600;

/// Each family of servers says it in its own way; an entry has at most the attributes of its own.
fn is_disabled(entry: &Entry, now: i64) -> bool {
    // [MS-ADTS] 2.2.16: ADS_UF_ACCOUNTDISABLE.
    let switched_off = entry.number("userAccountControl").is_some_and(|flags| flags & 2 != 0);
    // [MS-ADA1] 2.3: in 100 ns since 1601; 0 and the largest number are never.
    let expired = entry
        .number("accountExpires")
        .filter(|ticks| *ticks != 0 && *ticks != i64::MAX)
        .is_some_and(|ticks| ticks / 10_000_000 - SINCE_1601 <= now);
    // 389 Directory Server, FreeIPA; eDirectory.
    let flagged = entry.says("nsAccountLock", "TRUE") || entry.says("loginDisabled", "TRUE");
    // draft-behera-ldap-password-policy-10 section 5.3.3: this value is locked for good, others pass by themselves.
    let locked = entry.says("pwdAccountLockedTime", "000001010000Z");
    // shadow(5): days since 1970; -1 is never.
    let shadowed = entry.number("shadowExpire").is_some_and(|day| day >= 0 && day.saturating_mul(86_400) <= now);
    switched_off || expired || flagged || locked || shadowed
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
