//! One entry as a directory gave it: attributes go by their names in any case, values are bytes, because a directory promises
//! no text.

/// An entry with the attributes that were asked for and are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    dn: String,
    /// There are a dozen; looking through them is quicker than any map.
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

/// Values that a server holds back: it gave those up to `next` (exclusive), and gives the others when asked from there
/// ([MS-ADTS] 3.1.1.3.1.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The attribute, without the range.
    pub attribute: String,
    /// The first value that is missing.
    pub next: usize,
}

impl Entry {
    /// An entry of this name without attributes.
    #[must_use]
    pub fn new(dn: &str) -> Self {
        Self { dn: dn.to_owned(), attributes: Vec::new() }
    }

    /// Its distinguished name, as written by the server.
    #[must_use]
    pub fn dn(&self) -> &str {
        &self.dn
    }

    /// Adds values to an attribute.
    pub fn add(&mut self, attribute: impl Into<String>, values: impl IntoIterator<Item = Vec<u8>>) {
        let attribute = attribute.into();
        match self.attributes.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&attribute)) {
            Some((_, there)) => there.extend(values),
            None => self.attributes.push((attribute, values.into_iter().collect())),
        }
    }

    /// All values of an attribute, whatever the case of its name.
    pub fn values(&self, attribute: &str) -> impl Iterator<Item = &[u8]> {
        let found = self.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        found.into_iter().flat_map(|(_, values)| values).map(Vec::as_slice)
    }

    /// The values of an attribute that are text; others are passed over.
    pub fn texts(&self, attribute: &str) -> impl Iterator<Item = &str> {
        self.values(attribute).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first text of the first of these attributes that has one.
    #[must_use]
    pub fn first_text(&self, attributes: &[String]) -> Option<&str> {
        attributes.iter().find_map(|name| self.texts(name).map(str::trim).find(|text| !text.is_empty()))
    }

    /// Whether an attribute has this text, whatever its case.
    #[must_use]
    pub fn says(&self, attribute: &str, text: &str) -> bool {
        self.texts(attribute).any(|value| value.trim().eq_ignore_ascii_case(text))
    }

    /// The first value of an attribute as a number.
    #[must_use]
    pub fn number(&self, attribute: &str) -> Option<i64> {
        self.texts(attribute).find_map(|text| text.trim().parse().ok())
    }

    /// Takes attributes such as `member;range=0-1499` apart: their values join the attribute itself, and what is still
    /// missing is returned.
    pub fn settle_ranges(&mut self) -> Vec<Withheld> {
        let parts: Vec<_> = self.attributes.extract_if(.., |(name, _)| ranged(name).is_some()).collect();
        let mut withheld = Vec::new();
        for (name, values) in parts {
            let Some((attribute, range)) = ranged(&name) else { continue };
            self.add(attribute, values);
            let last = range.split_once('-').map(|(_, last)| last);
            if let Some(last) = last.and_then(|last| last.parse::<usize>().ok()) {
                withheld.push(Withheld { attribute: attribute.to_owned(), next: last.saturating_add(1) });
            }
        }
        withheld
    }
}

/// `member;range=0-1499` as attribute and range ([MS-ADTS] 3.1.1.3.1.3.3).
fn ranged(name: &str) -> Option<(&str, &str)> {
    let (attribute, option) = name.rsplit_once(';')?;
    let (kind, range) = option.split_at_checked("range=".len())?;
    kind.eq_ignore_ascii_case("range=").then_some((attribute, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&[u8]])]) -> Entry {
        let mut entry = Entry::new("uid=anna,dc=x");
        for (name, values) in attributes {
            entry.add(*name, values.iter().map(|value| value.to_vec()));
        }
        entry
    }

    #[test]
    fn names_of_attributes_are_compared_without_case_and_bytes_are_no_text() {
        let entry = entry(&[("Mail", &[b"\xff\xfe", b" ", b"anna@example.org"])]);
        assert_eq!(entry.first_text(&["uid".into(), "MAIL".into()]), Some("anna@example.org"));
        assert_eq!(entry.values("mail").count(), 3);
        assert!(entry.says("mail", "ANNA@example.org"));
    }

    #[test]
    fn ranges_are_joined_and_what_is_missing_is_told() {
        let mut entry = entry(&[("member;range=0-1", &[b"a", b"b"]), ("description", &[b"x"])]);
        assert_eq!(entry.settle_ranges(), [Withheld { attribute: "member".into(), next: 2 }]);
        assert_eq!(entry.values("member").count(), 2);
        entry.add("Member;Range=2-*", [b"c".to_vec()]);
        assert!(entry.settle_ranges().is_empty());
        assert_eq!(entry.values("member").count(), 3);
    }
}
