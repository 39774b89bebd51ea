//! The part of a check about groups: whether each rule finds any, and whether they name members as it says.

use super::check::Report;
use super::policy::{GroupRule, Strategy, Wanted};
use crate::connect::ldap::{Connection, LdapError, Scope, Search};
use crate::domain::directory::Entry;

/// Groups of one rule that are looked at.
const SOME: u32 = 20;
/// Attributes that name members, and the setting that means them.
const NAMING: [(&str, &str); 3] =
    [("member", "member"), ("uniqueMember", "unique_member"), ("memberUid", "member_uid")];

/// Looks at each rule.
pub(super) async fn groups(rules: &[GroupRule], connection: &mut Connection, report: &mut Report) {
    for rule in rules {
        let (what, search) = match &rule.wanted {
            Wanted::One { dn, .. } => (format!("group {dn}"), search(dn, Scope::Entry, "(objectClass=*)", rule)),
            Wanted::Matching(filter) => (format!("groups {filter}"), search(&rule.base, Scope::Subtree, filter, rule)),
        };
        match connection.find(&search, SOME).await {
            Ok(found) if found.is_empty() => report.bad(what, nothing(rule).0, nothing(rule).1),
            Err(error) if error.is_missing() => report.bad(what, error.to_string(), nothing(rule).1),
            Err(error @ LdapError::Cut(_)) => report.bad(what, error.to_string(), "nobody leaves groups meanwhile"),
            Err(error) => report.bad(what, error.to_string(), "may the service's entry read this?"),
            Ok(found) => {
                let entries: Vec<&Entry> = found.iter().map(|one| &one.entry).collect();
                match other_naming(rule, &entries) {
                    Some(remedy) => report.bad(what, "no member is named in the way that `members` says", remedy),
                    None => report.good(what, named(rule, &entries)),
                }
            }
        }
    }
}

fn search(base: &str, scope: Scope, filter: &str, rule: &GroupRule) -> Search {
    let mut attributes = vec![rule.name_attribute.clone()];
    attributes.extend(NAMING.map(|(attribute, _)| attribute.to_owned()));
    Search { base: base.to_owned(), scope, filter: filter.to_owned(), attributes }
}

fn nothing(rule: &GroupRule) -> (&'static str, &'static str) {
    match rule.wanted {
        Wanted::One { .. } => (
            "the entry is not there, or may not be read",
            "is `dn` of this [[directory.group_sync]] right, and may the service's entry read it?",
        ),
        Wanted::Matching(_) => (
            "no group matches, or none may be read",
            "are `filter` and `base_dn` of this [[directory.group_sync]] right, and may the service's entry read there? Try \
             them with ldapsearch",
        ),
    }
}

/// How to name members, when these groups have some, and in another attribute than the rule says.
fn other_naming(rule: &GroupRule, entries: &[&Entry]) -> Option<String> {
    let (Strategy::Names(wanted) | Strategy::Usernames(wanted)) = rule.members else { return None };
    let has = |attribute: &str| entries.iter().any(|entry| entry.values(attribute).next().is_some());
    if has(wanted) {
        return None;
    }
    let (_, setting) = NAMING.iter().find(|(attribute, _)| has(attribute))?;
    Some(format!("set `members = \"{setting}\"`: that is what these entries have"))
}

fn named(rule: &GroupRule, entries: &[&Entry]) -> String {
    let attribute = std::slice::from_ref(&rule.name_attribute);
    let names: Vec<&str> = entries.iter().take(3).filter_map(|entry| entry.first_text(attribute)).collect();
    match entries.len() {
        1 => format!("found: {}", names.concat()),
        count if count >= SOME as usize => format!("at least {SOME} found, such as {}", names.join(", ")),
        count => format!("{count} found, such as {}", names.join(", ")),
    }
}
