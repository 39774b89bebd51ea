//! Further attributes of people that an operator wants to know about, such as a department: read from an entry, bounded,
//! compared as a whole. What an account looks like with them is the pages' business.

use super::Entry;
use std::collections::BTreeMap;

/// Attributes of one directory at most.
pub const MOST: usize = 20;
/// Characters of one value that are kept at most.
pub const LONGEST: usize = 200;

/// Which attributes of the directory one further attribute comes from; the first that an entry has counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name here.
    pub name: String,
    /// How people read it.
    pub label: String,
    /// The attributes.
    pub from: Vec<String>,
}

/// Further attributes of one person by name; those without a value are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom(BTreeMap<String, String>);

impl Custom {
    /// What an entry says: on one line, without what cannot be shown, cut where it is too long.
    #[must_use]
    pub fn of(entry: &Entry, wanted: &[Wanted]) -> Self {
        let value = |one: &Wanted| {
            let text = shown(entry.first_text(&one.from)?);
            (!text.is_empty()).then(|| (one.name.clone(), text))
        };
        Self(wanted.iter().take(MOST).filter_map(value).collect())
    }

    /// From what is stored.
    #[must_use]
    pub fn from_stored(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Takes in one more that is stored.
    pub fn take_in(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names whose values differ between the two.
    #[must_use]
    pub fn changed<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let mut names: Vec<_> = self.0.iter().filter(|(name, value)| other.0.get(*name) != Some(value)).collect();
        names.extend(other.0.iter().filter(|(name, _)| !self.0.contains_key(*name)));
        let mut names: Vec<_> = names.into_iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// Control characters, line ends and marks that turn the direction of text become spaces; spaces are drawn together.
fn shown(text: &str) -> String {
    let odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = text.chars().map(|c| if odd(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(LONGEST).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, from: &[&str]) -> Wanted {
        Wanted {
            name: name.to_owned(),
            label: name.to_owned(),
            from: from.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    fn custom(values: &[(&str, &[u8])]) -> Custom {
        let mut entry = Entry::new("uid=anna,dc=x");
        for (name, value) in values {
            entry.add(*name, [value.to_vec()]);
        }
        Custom::of(&entry, &[wanted("department", &["departmentNumber", "ou"]), wanted("room", &["roomNumber"])])
    }

    #[test]
    fn the_first_attribute_that_is_there_counts_and_blank_ones_are_none() {
        let said = custom(&[("OU", b"Sales"), ("roomNumber", b"  ")]);
        assert_eq!(said.iter().collect::<Vec<_>>(), [("department", "Sales")]);
        assert_eq!(custom(&[("departmentNumber", b"7"), ("ou", b"Sales")]).value("department"), Some("7"));
        assert!(custom(&[("departmentNumber", b"\xff\xfe")]).is_empty(), "bytes that are no text");
    }

    #[test]
    fn a_value_stays_on_its_line_and_within_its_bounds() {
        let long = "a".repeat(5000);
        let said = custom(&[("ou", b"a\r\n b\x00\xe2\x80\xaec"), ("roomNumber", long.as_bytes())]);
        assert_eq!(said.value("department"), Some("a b c"));
        assert_eq!(said.value("room").map(str::len), Some(LONGEST));
    }

    #[test]
    fn what_changed_is_named_whichever_side_has_it() {
        let (one, other) = (custom(&[("ou", b"a")]), custom(&[("ou", b"b"), ("roomNumber", b"1")]));
        assert_eq!(one.changed(&other), ["department", "room"]);
        assert_eq!(other.changed(&one), ["department", "room"]);
        assert!(one.changed(&one).is_empty());
        assert_eq!(custom(&[]).changed(&one), ["department"]);
    }
}
