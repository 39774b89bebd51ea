//! From what a source says (claims, attributes) to what we understand: lists of names of which the first with a value
//! counts, patterns for groups. The same for every protocol; how a value is found under a name is the protocol's affair.

use super::identity::Attributes;
use std::str::FromStr;

/// Longest value that is read, in characters; longer ones count as blank.
const MAX_VALUE: usize = 1024;
/// Groups that are read.
const MAX_GROUPS: usize = 2000;

/// Which names to look under. In each list the first name with a value counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeMap {
    /// For the username.
    pub username: Vec<String>,
    /// For the address.
    pub email: Vec<String>,
    /// For the full name; without a value it is put together from the next two.
    pub name: Vec<String>,
    /// For the first name.
    pub first_name: Vec<String>,
    /// For the last name.
    pub last_name: Vec<String>,
    /// For the language.
    pub language: Vec<String>,
    /// For the yes or no whether they administer this service; empty leaves rights alone.
    pub administrator: Vec<String>,
    /// For the groups; empty leaves memberships alone.
    pub groups: Vec<String>,
    /// Which groups count, and what they are called here; empty is all, as they are.
    pub group_patterns: Vec<GroupPattern>,
    /// Groups, as the source names them, whose members administer this service; empty leaves rights alone.
    pub administrator_groups: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// About the person; `email_verified` is left to the protocol.
    pub attributes: Attributes,
    /// Groups by the names they have here; `None` when the source did not speak of groups.
    pub groups: Option<Vec<String>>,
    /// Whether they administer this service; `None` when nothing is mapped, or nothing was said.
    pub administrator: Option<bool>,
}

impl AttributeMap {
    /// Reads. `values` gives the values under a name: `None` when the source did not say it, an empty list when it said
    /// that there are none.
    pub fn read(&self, values: impl Fn(&str) -> Option<Vec<String>>) -> Mapped {
        let first =
            |names: &[String]| names.iter().find_map(|name| values(name)?.iter().find_map(|value| filled(value)));
        let joined = || {
            let parts: Vec<_> = [first(&self.first_name), first(&self.last_name)].into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        let said: Option<Vec<String>> = self.groups.iter().find_map(|name| values(name));
        let said = said.map(|mut groups| {
            groups.truncate(MAX_GROUPS);
            groups
        });
        let flag = first(&self.administrator).map(|value| is_yes(&value));
        let by_group = said.as_ref().filter(|_| !self.administrator_groups.is_empty());
        let by_group = by_group.map(|groups| groups.iter().any(|group| self.administrator_groups.contains(group)));
        Mapped {
            attributes: Attributes {
                username: first(&self.username),
                email: first(&self.email),
                email_verified: false,
                name: first(&self.name).or_else(joined),
                language: first(&self.language),
            },
            administrator: match (flag, by_group) {
                (None, None) => None,
                (flag, by_group) => Some(flag.unwrap_or(false) || by_group.unwrap_or(false)),
            },
            groups: said.map(|groups| groups.iter().filter_map(|group| self.group(group)).collect()),
        }
    }

    fn group(&self, name: &str) -> Option<String> {
        let name = filled(name)?;
        if self.group_patterns.is_empty() {
            return Some(name);
        }
        self.group_patterns.iter().find_map(|pattern| pattern.name(&name))
    }
}

/// The value without white space around it, if there is anything.
fn filled(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty() && value.chars().count() <= MAX_VALUE).then(|| value.to_owned())
}

/// What systems write for yes.
#[must_use]
pub fn is_yes(value: &str) -> bool {
    ["true", "1", "yes", "on"].iter().any(|yes| value.trim().eq_ignore_ascii_case(yes))
}

/// Which groups count. `*` stands for anything, once; with `(*)` what it stands for is the name here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPattern {
    before: String,
    /// `None` without a star: the whole name must be `before`.
    after: Option<String>,
    cut: bool,
}

impl GroupPattern {
    /// What a group is called here, if the pattern is about it.
    #[must_use]
    pub fn name(&self, group: &str) -> Option<String> {
        let Some(after) = &self.after else { return (group == self.before).then(|| group.to_owned()) };
        let inner = group.strip_prefix(self.before.as_str())?.strip_suffix(after.as_str())?;
        if inner.is_empty() {
            return None;
        }
        Some(if self.cut { inner } else { group }.to_owned())
    }
}

impl FromStr for GroupPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no pattern: one \"*\" at most, which may stand in brackets: \"app-(*)\"");
        if text.is_empty() || text.matches('*').count() > 1 {
            return Err(wrong());
        }
        let cut = text.contains("(*)");
        let star = if cut { "(*)" } else { "*" };
        Ok(match text.split_once(star) {
            Some((before, after)) => Self { before: before.to_owned(), after: Some(after.to_owned()), cut },
            None => Self { before: text.to_owned(), after: None, cut: false },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    fn source(name: &str) -> Option<Vec<String>> {
        match name {
            "login" => Some(names(&["  ", "anna"])),
            "blank" => Some(names(&["", " "])),
            "given" => Some(names(&["Anna"])),
            "family" => Some(names(&["Berg"])),
            "groups" => Some(names(&["app-staff", "app-", "other", " ", "root"])),
            "none" => Some(Vec::new()),
            "admin" => Some(names(&["TRUE"])),
            "no" => Some(names(&["0"])),
            _ => None,
        }
    }

    #[test]
    fn the_first_name_with_a_value_counts_and_blanks_do_not() {
        let map = AttributeMap {
            username: names(&["missing", "blank", "login", "given"]),
            email: names(&["blank"]),
            first_name: names(&["given"]),
            last_name: names(&["family"]),
            ..AttributeMap::default()
        };
        let mapped = map.read(source);
        assert_eq!(mapped.attributes.username.as_deref(), Some("anna"));
        assert_eq!(mapped.attributes.email, None);
        assert_eq!(mapped.attributes.name.as_deref(), Some("Anna Berg"));
        assert_eq!((mapped.groups, mapped.administrator), (None, None));
    }

    #[test]
    fn groups_go_through_the_patterns() {
        let map = |patterns: &[&str]| AttributeMap {
            groups: names(&["missing", "groups"]),
            group_patterns: patterns.iter().map(|one| one.parse().unwrap()).collect(),
            ..AttributeMap::default()
        };
        assert_eq!(map(&[]).read(source).groups.unwrap(), ["app-staff", "app-", "other", "root"]);
        assert_eq!(map(&["app-(*)", "root"]).read(source).groups.unwrap(), ["staff", "root"]);
        assert_eq!(map(&["app-*"]).read(source).groups.unwrap(), ["app-staff"]);
        let silent = AttributeMap { groups: names(&["missing"]), ..AttributeMap::default() };
        assert_eq!(silent.read(source).groups, None, "nothing said is not 'in none'");
        let empty = AttributeMap { groups: names(&["none"]), ..AttributeMap::default() };
        assert_eq!(empty.read(source).groups, Some(Vec::new()));
        for bad in ["", "a*b*", "**"] {
            assert!(bad.parse::<GroupPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rights_are_mapped_only_where_the_operator_says_so() {
        let by = |administrator: &[&str], groups: &[&str]| AttributeMap {
            administrator: names(administrator),
            groups: names(&["groups"]),
            administrator_groups: names(groups),
            ..AttributeMap::default()
        };
        assert_eq!(by(&[], &[]).read(source).administrator, None);
        assert_eq!(by(&["admin"], &[]).read(source).administrator, Some(true));
        assert_eq!(by(&["no"], &[]).read(source).administrator, Some(false));
        assert_eq!(by(&["missing"], &[]).read(source).administrator, None, "nothing said changes nothing");
        assert_eq!(by(&[], &["root"]).read(source).administrator, Some(true));
        assert_eq!(by(&["no"], &["nobody"]).read(source).administrator, Some(false));
    }
}
