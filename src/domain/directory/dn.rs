//! Distinguished names (RFC 4514) as keys: two spellings of one name have the same key. Names are compared, never built.
//! Where there are many, each is kept once and goes by its number.

use std::collections::HashMap;

/// A distinguished name in the one form that all its spellings share: types and values folded, spaces and escapes gone.
/// Values are compared without regard to case, as every attribute that servers name entries by is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnKey(Box<str>);

/// Between two relative names in a key; neither can be in a value.
const NEXT: char = '\u{1f}';
/// Between the parts of a relative name with several.
const ALSO: char = '\u{1e}';

impl DnKey {
    /// The key of a name as a server or an operator wrote it. What is no name gets a key that no name has.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut key = String::with_capacity(text.len());
        write(text, &mut key);
        Self(key.into())
    }

    /// Whether this was a name at all.
    #[must_use]
    pub fn is_name(&self) -> bool {
        !self.0.is_empty() && !self.0.starts_with('?')
    }

    /// The key as text, for keeping and comparing; not a name that a server would take.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this entry is `base` or lies somewhere below it.
    #[must_use]
    pub fn is_under(&self, base: &Self) -> bool {
        base.0.is_empty() || self.0.strip_suffix(&*base.0).is_some_and(|head| head.is_empty() || head.ends_with(NEXT))
    }
}

/// A name's number among those that were noted: the same for all its spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnNumber(pub(super) usize);

impl DnNumber {
    /// Counted from 0.
    #[must_use]
    pub const fn place(self) -> usize {
        self.0
    }
}

/// Names that were noted, each once: a large group names each of its members, and most people are in many groups.
#[derive(Clone, Debug, Default)]
pub struct DnNumbers {
    numbers: HashMap<Box<str>, usize>,
    key: String,
}

impl DnNumbers {
    /// The number of a name as a server or an operator wrote it; a new one if it has none yet.
    pub fn of(&mut self, text: &str) -> DnNumber {
        self.key.clear();
        write(text, &mut self.key);
        if let Some(number) = self.numbers.get(self.key.as_str()) {
            return DnNumber(*number);
        }
        let number = self.numbers.len();
        self.numbers.insert(self.key.as_str().into(), number);
        DnNumber(number)
    }

    /// How many names there are; each number is smaller.
    #[must_use]
    pub fn count(&self) -> usize {
        self.numbers.len()
    }
}

/// Writes the key of a name into an empty text.
fn write(text: &str, key: &mut String) {
    if plain(text, key) {
        return;
    }
    key.clear();
    let names: Option<Vec<String>> = pieces(text, &[',', ';']).into_iter().map(relative).collect();
    match names {
        Some(names) => key.push_str(&names.join(&NEXT.to_string())),
        None => key.extend(['?'].into_iter().chain(text.trim().to_lowercase().chars())),
    }
}

/// The key of a name without escapes, quotation marks and spare spaces, which is nearly every name: one pass. False for
/// others; what was written is of no use then.
fn plain(text: &str, key: &mut String) -> bool {
    let (mut before, mut kind) = (',', true);
    for c in text.chars() {
        let spare = c == ' ' && (kind || matches!(before, ' ' | '=' | ','));
        if !c.is_ascii() || c.is_ascii_control() || spare || matches!(c, '\\' | '"' | '+' | ';') {
            return false;
        }
        match c {
            ',' if kind || before == ' ' => return false,
            ',' => (kind, before) = (true, c),
            '=' if kind && before == ',' => return false,
            '=' if kind => (kind, before) = (false, c),
            c if kind && !(c.is_ascii_alphanumeric() || c == '-' || c == '.') => return false,
            c => before = c,
        }
        key.push(if c == ',' { NEXT } else { c.to_ascii_lowercase() });
    }
    !kind && before != ' '
}

/// Splits at separators that are neither escaped nor inside quotation marks (RFC 2253 allowed these).
fn pieces<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let (mut found, mut begin, mut escaped, mut quoted) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            c if !quoted && separators.contains(&c) => {
                found.push(text.get(begin..at).unwrap_or_default());
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push(text.get(begin..).unwrap_or_default());
    found
}

fn relative(text: &str) -> Option<String> {
    let mut parts: Vec<String> = pieces(text, &['+']).into_iter().map(part).collect::<Option<_>>()?;
    parts.sort_unstable();
    Some(parts.join(&ALSO.to_string()))
}

fn part(text: &str) -> Option<String> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim().to_ascii_lowercase();
    let named = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    named.then(|| format!("{kind}={}", value_of(value)))
}

/// Removes escapes and the spaces around a value, makes one space of several, and folds the case.
fn value_of(text: &str) -> String {
    let text = text.trim_start();
    let mut bytes = Vec::with_capacity(text.len());
    // How much of the end may not be trimmed: an escaped space belongs to the value.
    let mut firm = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '"' {
            // A mark around the value; one that belongs to it is escaped.
            continue;
        }
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            if c != ' ' {
                firm = bytes.len();
            }
            continue;
        }
        let Some(first) = rest.next() else { break };
        match (first.to_digit(16), rest.peek().and_then(|second| second.to_digit(16))) {
            (Some(high), Some(low)) => {
                rest.next();
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            }
            _ => bytes.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        firm = bytes.len();
    }
    bytes.truncate(firm);
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c != NEXT && *c != ALSO) {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_name_share_a_key() {
        for (one, other) in [
            ("uid=anna,ou=people,dc=x", "UID=Anna, OU=People , DC=X"),
            ("cn=Doe\\, John,dc=x", "cn=doe\\2c john,dc=x"),
            ("cn=a+uid=b,dc=x", "uid=B+CN=A;dc=x"),
            ("cn=M\\C3\\BCller,dc=x", "CN=müller,dc=x"),
            ("cn=two  spaces,dc=x", "cn=two spaces,dc=x"),
            ("cn=\"Doe, John\",dc=x", "cn=Doe\\, John,dc=x"),
            ("cn=\\\"x\\\" 57,dc=x", "cn=\\22X\\22 57,dc=x"),
        ] {
            assert_eq!(DnKey::of(one), DnKey::of(other), "{one} | {other}");
        }
    }

    #[test]
    fn different_names_have_different_keys() {
        for (one, other) in [
            ("cn=a,cn=b,dc=x", "cn=a\\,cn=b,dc=x"),
            ("cn=a+cn=b,dc=x", "cn=a\\+cn=b,dc=x"),
            ("uid=anna,dc=x", "uid=anna,dc=y"),
            ("cn=a\\ ,dc=x", "cn=a,dc=x"),
            ("anna", "uid=anna"),
        ] {
            assert_ne!(DnKey::of(one), DnKey::of(other), "{one} | {other}");
        }
    }

    #[test]
    fn an_entry_below_is_told_from_one_that_only_sounds_so() {
        let base = DnKey::of("ou=people,dc=x");
        assert!(DnKey::of("uid=a, OU=People,dc=x").is_under(&base));
        assert!(base.is_under(&base));
        assert!(!DnKey::of("uid=a,xou=people,dc=x").is_under(&base));
        assert!(!DnKey::of("uid=a\\,ou=people,dc=x").is_under(&base));
        assert!(!DnKey::of("dc=x").is_under(&base));
    }

    #[test]
    fn spellings_of_one_name_share_a_number_and_others_do_not() {
        let mut numbers = DnNumbers::default();
        let anna = numbers.of("uid=anna,dc=x");
        assert_ne!(numbers.of("uid=bert,dc=x"), anna);
        assert_eq!(numbers.of("UID=Anna, DC=X"), anna);
        assert_eq!((anna.place(), numbers.count()), (0, 2));
    }

    proptest! {
        #[test]
        fn any_text_has_a_key_and_no_text_breaks_it(text in "\\PC{0,40}") {
            let key = DnKey::of(&text);
            prop_assert_eq!(&DnKey::of(&text), &key);
        }

        #[test]
        fn the_short_way_gives_the_same_keys(text in "[a-cA-C=,+;\\\\ \"#0-9é-]{0,14}") {
            let mut key = String::new();
            if plain(&text, &mut key) {
                let names: Option<Vec<String>> = pieces(&text, &[',', ';']).into_iter().map(relative).collect();
                prop_assert_eq!(names.map(|names| names.join(&NEXT.to_string())), Some(key));
            }
        }

        #[test]
        fn case_and_spaces_around_never_matter(values in prop::collection::vec("[a-zA-Z0-9]{1,8}", 1..5)) {
            let tight: Vec<_> = values.iter().map(|value| format!("ou={}", value.to_lowercase())).collect();
            let loose: Vec<_> = values.iter().map(|value| format!(" OU = {} ", value.to_uppercase())).collect();
            prop_assert_eq!(DnKey::of(&tight.join(",")), DnKey::of(&loose.join(",")));
        }
    }
}
