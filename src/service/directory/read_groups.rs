//! Reading groups: the entries of each rule, and the groups inside them. Groups that name their members are read once,
//! whether a rule wants them or they are inside one that it wants.

use super::policy::{GroupRule, Strategy, Wanted};
use super::read::Reader;
use crate::connect::ldap::{Found, LdapError, Reading, Scope, Search};
use crate::domain::account::fold;
use crate::domain::directory::nesting::Nesting;
use crate::domain::directory::{DnNumber, DnNumbers, GroupReading, Snapshot, Subject};
use std::collections::{HashMap, HashSet};

/// Classes of entries that can be groups inside groups.
pub(super) const GROUPS: &str = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)\
                      (objectClass=posixGroup)(objectClass=group))";

/// A group entry before it is known who its members are.
pub(super) struct Raw<'a> {
    pub(super) rule: &'a GroupRule,
    pub(super) dn: String,
    pub(super) key: DnNumber,
    pub(super) subject: Subject,
    pub(super) name: String,
    /// Members as the entry names them; `None` when they are among those of all groups there.
    pub(super) named: Option<Vec<DnNumber>>,
    /// Usernames of members, folded.
    pub(super) usernames: Vec<String>,
    /// Number by which people's `primaryGroupID` means this group.
    pub(super) primary: Option<i64>,
    pub(super) missing: Option<String>,
}

/// Groups inside groups, for rules that look into the same place in the same way.
#[derive(Default)]
pub(super) struct Inner {
    nesting: Nesting,
    /// Members of every group there, as the entries name them.
    pub(super) named: HashMap<DnNumber, Vec<DnNumber>>,
    pub(super) missing: Option<String>,
}

/// A place, and the attribute that is looked at there.
type Key = (String, &'static str);

/// By place and attribute.
pub(super) type AllInner = HashMap<Key, Inner>;

/// A rule whose groups are picked from all groups of a place.
struct Pick<'a> {
    rule: &'a GroupRule,
    place: usize,
    key: Key,
    wanted: HashSet<DnNumber>,
}

impl<'a> Reader<'a, '_> {
    /// The groups of all rules, in the order of the rules, and those inside them.
    pub(super) async fn all_groups(&mut self, snapshot: &mut Snapshot) -> Result<(Vec<Raw<'a>>, AllInner), LdapError> {
        let rules = &self.policy.groups;
        let mut by_rule: Vec<Vec<Raw<'a>>> = rules.iter().map(|_| Vec::new()).collect();
        let mut picks = Vec::new();
        for ((place, rule), groups) in rules.iter().enumerate().zip(&mut by_rule) {
            match (&rule.wanted, rule.members, inner_key(rule)) {
                (Wanted::Matching(_), Strategy::Names(_), Some(key)) => {
                    picks.push(Pick { rule, place, key, wanted: self.names(rule, snapshot).await? });
                }
                _ => self.groups(rule, groups, snapshot).await?,
            }
        }
        let mut inner = AllInner::new();
        for pick in &picks {
            if !inner.contains_key(&pick.key) {
                let same: Vec<&Pick<'a>> = picks.iter().filter(|other| other.key == pick.key).collect();
                let found = self.picked(&same, &mut by_rule, snapshot).await?;
                inner.insert(pick.key.clone(), found);
            }
        }
        for (rule, groups) in rules.iter().zip(&by_rule) {
            if let (Wanted::Matching(filter), true, None) = (&rule.wanted, groups.is_empty(), &snapshot.groups_partial)
            {
                let base = &rule.base;
                let remark = format!("no group under {base} matches {filter}; see `vestibule directory check`");
                snapshot.remarks.push(remark);
            }
        }
        let groups: Vec<Raw<'a>> = by_rule.into_iter().flatten().collect();
        self.inner(&groups, &mut inner).await?;
        Ok((groups, inner))
    }

    /// The group entries of one rule.
    async fn groups(
        &mut self,
        rule: &'a GroupRule,
        groups: &mut Vec<Raw<'a>>,
        snapshot: &mut Snapshot,
    ) -> Result<(), LdapError> {
        let mut attributes = self.policy.mapping.subject.clone();
        attributes.push(rule.name_attribute.clone());
        if let Strategy::Names(attribute) | Strategy::Usernames(attribute) = rule.members {
            attributes.push(attribute.to_owned());
        } else if self.active {
            attributes.push("primaryGroupToken".to_owned());
        }
        let search = wanted(rule, attributes);
        let (subjects, names) = (&self.policy.mapping.subject, &mut self.names);
        let done = self.connection.search(&search, &mut |found| groups.push(raw(found, rule, subjects, names))).await;
        let trouble = trouble(done.map(Reading::missing))?;
        match (&rule.wanted, trouble) {
            (Wanted::One { dn, group }, trouble) if groups.is_empty() => {
                let why = trouble.unwrap_or_else(|| "the entry is not there, or may not be read".to_owned());
                let name = group.clone().unwrap_or_else(|| first_value(dn));
                snapshot.groups.push(unread(rule, dn, name, why));
            }
            (_, Some(why)) => partial(&search.base, why, snapshot),
            _ => {}
        }
        Ok(())
    }

    /// Which entries one rule wants, without what is in them.
    async fn names(&mut self, rule: &GroupRule, snapshot: &mut Snapshot) -> Result<HashSet<DnNumber>, LdapError> {
        let (search, names, mut keys) = (wanted(rule, Vec::new()), &mut self.names, HashSet::new());
        let read = self.connection.search(&search, &mut |found| keys.extend([names.of(found.entry.dn())])).await;
        if let Some(why) = trouble(read.map(Reading::missing))? {
            partial(&search.base, why, snapshot);
        }
        Ok(keys)
    }

    /// All groups of one place, and among them those that rules want.
    async fn picked(
        &mut self,
        picks: &[&Pick<'a>],
        by_rule: &mut [Vec<Raw<'a>>],
        snapshot: &mut Snapshot,
    ) -> Result<Inner, LdapError> {
        let Some(((base, attribute), rules)) =
            picks.first().map(|first| (first.key.clone(), picks.iter().map(|pick| pick.rule)))
        else {
            return Ok(Inner::default());
        };
        let subjects = &self.policy.mapping.subject;
        let mut attributes: Vec<String> = subjects.clone();
        attributes.push(attribute.to_owned());
        let mut filter = format!("(|{GROUPS}");
        for rule in rules {
            attributes.push(rule.name_attribute.clone());
            if let Wanted::Matching(matching) = &rule.wanted {
                filter.push_str(matching);
            }
        }
        filter.push(')');
        let search = Search { base, scope: Scope::Subtree, filter, attributes };
        let (mut inner, mut links, names) = (Inner::default(), Vec::new(), &mut self.names);
        let read = self
            .connection
            .search(&search, &mut |found| {
                let (key, values) = (names.of(found.entry.dn()), members(&found, attribute, names));
                inner.missing = inner.missing.take().or_else(|| found.missing.clone());
                for pick in picks.iter().filter(|pick| pick.wanted.contains(&key)) {
                    if let Some(groups) = by_rule.get_mut(pick.place) {
                        groups.push(Raw { named: None, ..header(&found, pick.rule, subjects, key) });
                    }
                }
                links.push((key, values));
            })
            .await;
        if let Some(why) = trouble(read.map(Reading::missing))? {
            partial(&search.base, why.clone(), snapshot);
            inner.missing = Some(why);
        }
        inner.take_in(links, false);
        // Renamed or moved in between: another time. It must not look as if it were gone.
        if picks.iter().any(|pick| by_rule.get(pick.place).is_none_or(|groups| groups.len() < pick.wanted.len())) {
            partial(&search.base, "groups changed meanwhile".to_owned(), snapshot);
        }
        Ok(inner)
    }

    /// Groups inside groups that no rule has asked for yet, one search for each place and way of looking.
    async fn inner(&mut self, groups: &[Raw<'a>], all: &mut AllInner) -> Result<(), LdapError> {
        for group in groups {
            let Some(key) = inner_key(group.rule).filter(|_| !self.asks_the_chain(group.rule)) else { continue };
            if all.contains_key(&key) {
                continue;
            }
            let (base, attribute) = key.clone();
            let search = Search {
                base,
                scope: Scope::Subtree,
                filter: GROUPS.to_owned(),
                attributes: vec![attribute.to_owned()],
            };
            let (mut inner, mut links, names) = (Inner::default(), Vec::new(), &mut self.names);
            let read = self
                .connection
                .search(&search, &mut |found| {
                    links.push((names.of(found.entry.dn()), members(&found, attribute, names)));
                    inner.missing = inner.missing.take().or(found.missing);
                })
                .await;
            inner.missing = inner.missing.take().or(trouble(read.map(Reading::missing))?);
            inner.take_in(links, attribute == "memberOf");
            all.insert(key, inner);
        }
        Ok(())
    }
}

impl Inner {
    /// Takes in what the group entries of one place say; `upward` when they name the groups that they are in.
    fn take_in(&mut self, links: Vec<(DnNumber, Vec<DnNumber>)>, upward: bool) {
        if upward {
            for (key, values) in links {
                for other in values {
                    self.nesting.note(other, key);
                }
            }
            return;
        }
        self.named.extend(links);
        for (key, values) in &self.named {
            for other in values.iter().filter(|other| self.named.contains_key(*other)) {
                self.nesting.note(*key, *other);
            }
        }
    }
}

/// Where a rule looks for groups inside groups, and at what; `None` when it does not.
pub(super) fn inner_key(rule: &GroupRule) -> Option<Key> {
    let attribute = match rule.members {
        Strategy::MemberOf => "memberOf",
        Strategy::Names(attribute) => attribute,
        Strategy::Usernames(_) => return None,
    };
    (rule.depth > 0).then(|| (rule.base.clone(), attribute))
}

/// A group and those inside it, and what is odd about that.
pub(super) fn insides(group: &Raw<'_>, inner: &AllInner) -> (Vec<DnNumber>, Option<String>) {
    let Some(found) = inner_key(group.rule).and_then(|key| inner.get(&key)) else {
        return (vec![group.key], None);
    };
    let inside = found.nesting.inside(group.key, group.rule.depth);
    let odd = match (inside.cycle, inside.cut) {
        (true, _) => Some(format!("the group {} contains itself by way of others", group.dn)),
        (_, true) => Some(format!("the group {} has groups deeper than nested_depth; they were left out", group.dn)),
        _ => None,
    };
    (inside.groups, odd)
}

/// What a search could not do; it is only an error when nothing can be asked any more.
fn trouble(read: Result<Option<String>, LdapError>) -> Result<Option<String>, LdapError> {
    match read {
        Ok(missing) => Ok(missing),
        Err(error) if error.is_away() => Err(error),
        Err(error) => Ok(Some(error.to_string())),
    }
}

fn partial(base: &str, why: String, snapshot: &mut Snapshot) {
    snapshot.remarks.push(format!("not all groups under {base} were read: {why}"));
    snapshot.groups_partial.get_or_insert(why);
}

fn wanted(rule: &GroupRule, attributes: Vec<String>) -> Search {
    let (base, scope, filter) = match &rule.wanted {
        Wanted::One { dn, .. } => (dn, Scope::Entry, "(objectClass=*)"),
        Wanted::Matching(filter) => (&rule.base, Scope::Subtree, filter.as_str()),
    };
    Search { base: base.clone(), scope, filter: filter.to_owned(), attributes }
}

fn members(found: &Found, attribute: &str, names: &mut DnNumbers) -> Vec<DnNumber> {
    found.entry.texts(attribute).map(|name| names.of(name)).collect()
}

/// A username as a group has it, in the form that all its spellings share.
pub(super) fn member_name(text: &str) -> String {
    fold(text.trim())
}

fn raw<'a>(found: Found, rule: &'a GroupRule, subjects: &[String], names: &mut DnNumbers) -> Raw<'a> {
    let mut raw = header(&found, rule, subjects, names.of(found.entry.dn()));
    match rule.members {
        Strategy::Names(attribute) => raw.named = Some(members(&found, attribute, names)),
        Strategy::Usernames(attribute) => {
            raw.usernames = found.entry.texts(attribute).map(member_name).collect();
        }
        Strategy::MemberOf => {}
    }
    raw.missing = found.missing;
    raw
}

/// What an entry says about the group itself.
fn header<'a>(found: &Found, rule: &'a GroupRule, subjects: &[String], key: DnNumber) -> Raw<'a> {
    let entry = &found.entry;
    let name = match &rule.wanted {
        Wanted::One { group: Some(group), .. } => Some(group.as_str()),
        _ => entry.first_text(std::slice::from_ref(&rule.name_attribute)),
    };
    Raw {
        rule,
        key,
        subject: Subject::of(entry, subjects),
        name: name.unwrap_or_default().to_owned(),
        primary: entry.number("primaryGroupToken"),
        dn: entry.dn().to_owned(),
        named: None,
        usernames: Vec::new(),
        missing: found.missing.clone(),
    }
}

fn unread(rule: &GroupRule, dn: &str, name: String, why: String) -> GroupReading {
    GroupReading {
        dn: dn.to_owned(),
        subject: None,
        name,
        named_by_operator: true,
        creates_accounts: rule.creates_accounts,
        members: Err(why),
    }
}

/// The name that an entry's own distinguished name suggests.
fn first_value(dn: &str) -> String {
    let first = dn.split(',').next().unwrap_or_default();
    first.split_once('=').map_or(first, |(_, value)| value).trim().to_owned()
}
