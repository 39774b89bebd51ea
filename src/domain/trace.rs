//! What is noted about one sign-in with an identity provider or directory, fit to be kept for days and read by
//! administrators: no token, code, secret or password, and of what is personal only as much as it takes to find out what
//! went wrong. Facts get in through [`Facts`] alone, so what may be written is decided here. Keeping them is `service/trace.rs`.

use super::attribute_map::AttributeMap;
use super::id::{AccountId, RequestId};
use super::identity::Source;
use super::redact::{self, FILTERED};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use url::Url;

/// Notes of one sign-in.
pub const MOST_NOTES: usize = 40;
/// Claims of one document.
const MOST_CLAIMS: usize = 30;
/// Names in one list.
const MOST_NAMES: usize = 20;
/// Characters of a name, or of a value that is shown as it is.
const LONGEST_WORD: usize = 64;
/// Characters of a sentence of ours.
const LONGEST_SENTENCE: usize = 240;

/// Claims about the token, not about the person; shown as they are (OpenID Connect Core section 2).
const AS_THEY_ARE: [&str; 8] = ["iss", "aud", "azp", "acr", "amr", "typ", "ver", "token_use"];
/// Points in time, in seconds since 1970.
const TIMES: [&str; 5] = ["exp", "iat", "nbf", "auth_time", "updated_at"];
/// Never shown, not even how long they are.
const NEVER: [&str; 8] = ["nonce", "sid", "jti", "code", "state", "otp", "pin", "session_state"];
/// Neither is a claim with one of these in its name.
const NEVER_WITHIN: [&str; 6] = ["token", "secret", "password", "hash", "assertion", "credential"];

/// One thing that happened. What it says is read by other versions too: unknown steps and facts are passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// What, as a code.
    pub step: Cow<'static, str>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

/// All that is kept of one sign-in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// The reference on the page, in the log and in the audit trail: the id of the request that ended it.
    pub id: RequestId,
    /// When it ended.
    pub at: Timestamp,
    /// Who was to vouch.
    pub source: Source,
    /// What came of it, as a code.
    pub outcome: String,
    /// Somebody was believed for. Whoever comes from the street cannot bring that about.
    pub believed: bool,
    /// Whose account it was.
    pub account: Option<AccountId>,
    /// What happened, in order.
    pub notes: Vec<Note>,
}

/// What may be said about a step.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Facts(Map<String, Value>);

impl Facts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As they are kept.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// A code: a registered word. Anything else may be anything, and is left out.
    pub fn code(self, name: &'static str, code: &str) -> Self {
        let plain = !code.is_empty() && code.len() <= LONGEST_WORD;
        let plain = plain && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        self.with(name, if plain { code } else { FILTERED })
    }

    /// Yes or no.
    pub fn flag(self, name: &'static str, flag: bool) -> Self {
        self.with(name, flag)
    }

    /// A number.
    pub fn number(self, name: &'static str, number: i64) -> Self {
        self.with(name, number)
    }

    /// A sentence that this service made up, without anything of a person's in it.
    pub fn sentence(self, name: &'static str, text: &str) -> Self {
        let text = cut(text, LONGEST_SENTENCE);
        self.with(name, text)
    }

    /// An address, without anything that may be a secret: user, query, fragment.
    pub fn address(self, name: &'static str, address: &str) -> Self {
        let shown = Url::parse(address).ok().and_then(|url| {
            let host = url.host_str()?;
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(cut(&format!("{}://{host}{port}{}", url.scheme(), url.path()), LONGEST_SENTENCE))
        });
        self.with(name, shown.unwrap_or_else(|| FILTERED.to_owned()))
    }

    /// The name of a system, or a registered name that is a URI: an entity identifier, a format.
    pub fn system(self, name: &'static str, text: &str) -> Self {
        let text = cut(text, LONGEST_SENTENCE);
        self.with(name, text)
    }

    /// A point in time, by our clock.
    pub fn when(self, name: &'static str, at: Timestamp, now: Timestamp) -> Self {
        self.with(name, difference(at.seconds().saturating_sub(now.seconds())))
    }

    /// Something about a person: how it begins, and how long it is.
    pub fn masked(self, name: &'static str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, masked(text)),
            None => self,
        }
    }

    /// Names of groups, or of settings of this service.
    pub fn names(self, name: &'static str, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let names = listed(names.into_iter().map(|one| cut(one.as_ref(), LONGEST_WORD)));
        self.with(name, names)
    }

    /// What a document of the source says: each claim by its name, its value as far as it takes to find out what went
    /// wrong. Groups and yes-or-no values that the operator mapped are shown as they are.
    pub fn claims(self, claims: &Map<String, Value>, map: &AttributeMap, now: Timestamp) -> Self {
        let shown = claims.iter().take(MOST_CLAIMS);
        let mut shown: Map<String, Value> =
            shown.map(|(name, value)| (cut(name, LONGEST_WORD), claim(name, value, map, now))).collect();
        if claims.len() > MOST_CLAIMS {
            shown.insert("…".to_owned(), format!("{} more", claims.len() - MOST_CLAIMS).into());
        }
        self.with("claims", shown)
    }

    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

/// How a text begins and how long it is; of a mail address the domain as well.
#[must_use]
pub fn masked(text: &str) -> String {
    let length = text.chars().count();
    if let Some((local, domain)) = text.rsplit_once('@')
        && !local.is_empty()
        && !domain.is_empty()
    {
        return format!("{}@{}", beginning(local), cut(domain, LONGEST_WORD));
    }
    match length {
        0 => "empty".to_owned(),
        1 => "… (1 character)".to_owned(),
        _ => format!("{} ({length} characters)", beginning(text)),
    }
}

/// At most two characters, and never more than a quarter.
fn beginning(text: &str) -> String {
    let shown = (text.chars().count() / 4).min(2);
    let begun: String = text.chars().take(shown).collect();
    format!("{}…", redact::escaped(&begun))
}

fn claim(name: &str, value: &Value, map: &AttributeMap, now: Timestamp) -> Value {
    let folded = name.to_ascii_lowercase();
    let secret = NEVER.contains(&folded.as_str()) || NEVER_WITHIN.iter().any(|part| folded.contains(part));
    if AS_THEY_ARE.contains(&name) {
        return plain(value);
    }
    if secret {
        return FILTERED.into();
    }
    let mapped = |names: &[String]| names.iter().any(|one| one == name);
    match value {
        Value::Bool(_) | Value::Null => value.clone(),
        Value::Number(number) if TIMES.contains(&name) => time(number.as_f64().unwrap_or_default(), now).into(),
        _ if mapped(&map.groups) || mapped(&map.administrator) => plain(value),
        Value::Number(_) => "a number".into(),
        Value::String(text) => masked(text).into(),
        Value::Array(several) => format!("a list of {}", several.len()).into(),
        Value::Object(fields) => format!("an object of {}", fields.len()).into(),
    }
}

/// Words and lists of words as they are; of anything deeper, only that it is there.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => cut(text, LONGEST_WORD).into(),
        Value::Array(several) => {
            let one = |value: &Value| match value {
                Value::String(text) => cut(text, LONGEST_WORD),
                Value::Array(_) | Value::Object(_) => "…".to_owned(),
                other => cut(&other.to_string(), LONGEST_WORD),
            };
            listed(several.iter().map(one)).into()
        }
        Value::Object(fields) => format!("an object of {}", fields.len()).into(),
        other => other.clone(),
    }
}

fn listed(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = names.collect();
    if all.len() > MOST_NAMES {
        let rest = all.len() - MOST_NAMES;
        all.truncate(MOST_NAMES);
        all.push(format!("… {rest} more"));
    }
    all
}

/// A point in time by our clock.
fn time(seconds: f64, now: Timestamp) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest number")]
    let difference_to_now = (seconds as i64).saturating_sub(now.seconds());
    difference(difference_to_now)
}

fn difference(difference: i64) -> String {
    if difference > 0 {
        format!("in {}", span(difference))
    } else {
        format!("{} ago", span(difference.saturating_neg()))
    }
}

/// A length of time in words; the sign is left out.
#[must_use]
pub fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// On one line, and not too long.
fn cut(text: &str, longest: usize) -> String {
    let mut shown: String = text.chars().take(longest).collect();
    if text.chars().count() > longest {
        shown.push('…');
    }
    redact::escaped(&shown).into_owned()
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
