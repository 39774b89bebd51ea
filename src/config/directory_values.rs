//! Values of `[[directory]]` that are checked while they are read: search filters, names of attributes and of entries.

use std::{fmt, str::FromStr};

use super::values::text_value;
use crate::domain::directory::DnKey;

/// A search filter (RFC 4515), such as `(objectClass=person)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

text_value!(Filter, "a search filter in parentheses (RFC 4515), such as \"(&(objectClass=person)(!(ou=guests)))\"");

impl Filter {
    /// A constant of this program; a test reads each.
    pub(super) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The filter as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let read = reader.filter().and_then(|()| reader.end());
        if let Err(why) = read {
            let position = text.get(..reader.at).unwrap_or(text).chars().count() + 1;
            return Err(format!("is no search filter: at character {position}, {why}"));
        }
        // The library that sends it has the last word.
        ldap3::parse_filter(text).map(|_| Self(text.to_owned())).map_err(|()| "is no search filter".to_owned())
    }
}

/// Deeper filters are a mistake, or somebody's try to exhaust the reader.
const DEEPEST: u32 = 40;

/// Follows the grammar of RFC 4515 section 3 only as far as it takes to say where it is broken.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next_is(&self, c: char) -> bool {
        self.rest().starts_with(c)
    }

    fn take(&mut self, c: char, otherwise: &'static str) -> Result<(), String> {
        if !self.next_is(c) {
            return Err(otherwise.to_owned());
        }
        self.at += c.len_utf8();
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        if self.rest().is_empty() { Ok(()) } else { Err("there is something after the filter".to_owned()) }
    }

    fn filter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        self.take('(', "\"(\" is missing")?;
        match self.rest().chars().next() {
            Some('&' | '|') => {
                self.at += 1;
                while self.next_is('(') {
                    self.filter()?;
                }
            }
            Some('!') => {
                self.at += 1;
                self.filter()?;
            }
            _ => self.item()?,
        }
        self.depth -= 1;
        self.take(')', "\")\" is missing")
    }

    fn item(&mut self) -> Result<(), String> {
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';' | ':');
        let length = self.rest().find(|c| !name(c)).unwrap_or(self.rest().len());
        if length == 0 {
            return Err("the name of an attribute is missing".to_owned());
        }
        self.at += length;
        if self.rest().starts_with(['~', '<', '>']) {
            self.at += 1;
        }
        self.take('=', "\"=\" is missing after the name of the attribute")?;
        self.value()
    }

    fn value(&mut self) -> Result<(), String> {
        while let Some(c) = self.rest().chars().next() {
            match c {
                ')' => return Ok(()),
                '(' => return Err("\"(\" in a value is written \\28".to_owned()),
                '\0' => return Err("a zero byte in a value is written \\00".to_owned()),
                '\\' => {
                    let digits = self.rest().get(1..3).unwrap_or_default();
                    if digits.len() != 2 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                        return Err("after \"\\\" two hexadecimal digits are missing".to_owned());
                    }
                    self.at += 3;
                }
                c => self.at += c.len_utf8(),
            }
        }
        Ok(())
    }
}

/// The name of an attribute (RFC 4512 section 1.4), such as `mail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeName(String);

text_value!(AttributeName, "the name of an attribute: letters, digits and hyphens, beginning with a letter");

impl AttributeName {
    /// A constant of this program; a test reads each.
    pub(super) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AttributeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) || !text.chars().all(good) || text.len() > 100 {
            return Err(format!("{text:?} is no name of an attribute"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The distinguished name of an entry (RFC 4514), such as `ou=people,dc=example,dc=org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName(String);

text_value!(EntryName, "the distinguished name of an entry, such as \"ou=people,dc=example,dc=org\"");

impl EntryName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EntryName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !DnKey::of(text).is_name() || text.contains('\0') {
            return Err(format!("{text:?} is no distinguished name"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn filters_are_read() {
        for good in [
            "(objectClass=*)",
            "(&(objectClass=person)(|(uid=a*b)(!(mail=x\\2a))))",
            "(memberOf:1.2.840.113556.1.4.1941:=cn=x,dc=y)",
            "(&)",
            "(shadowExpire>=3)",
            "(cn=Müller, Anna)",
        ] {
            assert_eq!(good.parse::<Filter>().as_ref().map(Filter::as_str), Ok(good));
        }
    }

    #[test]
    fn a_fault_in_a_filter_is_told_with_its_place() {
        for (bad, told) in [
            ("", "character 1, \"(\" is missing"),
            ("objectClass=person", "character 1, \"(\" is missing"),
            ("(objectClass=person", "character 20, \")\" is missing"),
            ("(&(a=b)(c))", "character 10, \"=\" is missing"),
            ("(=b)", "character 2, the name of an attribute"),
            ("(a=ü\\zz)", "character 5, after \"\\\" two hex"),
            ("(a=b)(c=d)", "character 6, there is something after"),
            ("(a=(b))", "character 4, \"(\" in a value"),
            ("(!a=b)", "character 3, \"(\" is missing"),
        ] {
            let refused = bad.parse::<Filter>().unwrap_err();
            assert!(refused.contains(told), "{bad}: {refused}");
        }
        assert!("(!".repeat(1000).parse::<Filter>().unwrap_err().contains("too deeply"));
    }

    #[test]
    fn names_are_checked() {
        assert!("mail".parse::<AttributeName>().is_ok());
        for bad in ["", "1a", "ma il", "mail)(uid=*", "mail;binary"] {
            assert!(bad.parse::<AttributeName>().is_err(), "{bad}");
        }
        assert!("dc=example,dc=org".parse::<EntryName>().is_ok());
        for bad in ["", "example.org", "dc=example,org"] {
            assert!(bad.parse::<EntryName>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_the_library_takes_too(text in "[()&|!=a-c*\\\\0-9<>~:]{0,20}") {
            if text.parse::<Filter>().is_ok() {
                prop_assert!(ldap3::parse_filter(&text).is_ok());
            }
        }
    }
}
