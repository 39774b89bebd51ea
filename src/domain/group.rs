//! Groups by name: two names that differ in case alone are one group, wherever they are written.

use super::account::fold;

/// What a group's name is compared by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey(String);

impl GroupKey {
    /// Of a name as somebody writes it.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(fold(name.trim()))
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_around_make_no_other_group() {
        for same in ["staff", "STAFF", " Staff "] {
            assert_eq!(GroupKey::of(same), GroupKey::of("staff"), "{same}");
        }
        assert_eq!(GroupKey::of("GRÖSSE"), GroupKey::of("größe"));
        assert_ne!(GroupKey::of("all hands"), GroupKey::of("allhands"));
    }
}
