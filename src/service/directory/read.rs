//! From a connection to a snapshot: the groups first, then all people in one search, then who belongs where.

use super::policy::{DirectoryPolicy, GroupRule, Strategy, Wanted};
use crate::connect::ldap::{Connection, Found, LdapError, Scope, Search, escaped};
use crate::domain::account::fold;
use crate::domain::directory::nesting::Nesting;
use crate::domain::directory::snapshot::Members;
use crate::domain::directory::{DnKey, GroupReading, Person, Snapshot, Subject};
use crate::domain::time::Timestamp;
use std::collections::HashMap;

/// Hears how many entries were read so far.
pub(super) type Progress<'a> = &'a mut (dyn FnMut(usize) + Send);

/// Classes of entries that can be groups inside groups.
pub(super) const GROUPS: &str = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)\
                      (objectClass=posixGroup)(objectClass=group))";
/// `LDAP_MATCHING_RULE_IN_CHAIN` ([MS-ADTS] 3.1.1.3.4.4.3).
pub(super) const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A group entry before it is known who its members are.
struct Raw<'a> {
    rule: &'a GroupRule,
    dn: String,
    key: DnKey,
    subject: Subject,
    name: String,
    /// Members as the entry names them.
    named: Vec<DnKey>,
    /// Usernames of members, folded.
    usernames: Vec<String>,
    /// Number by which people's `primaryGroupID` means this group.
    primary: Option<i64>,
    missing: Option<String>,
}

/// Groups inside groups, for rules that look into the same place in the same way.
#[derive(Default)]
struct Inner {
    nesting: Nesting,
    /// Members of every group there, as the entries name them.
    named: HashMap<DnKey, Vec<DnKey>>,
    missing: Option<String>,
}

/// Reads everything that a plan needs.
///
/// # Errors
/// [`LdapError`] when the directory stopped answering; what was read until then says nothing.
pub(super) async fn snapshot(
    connection: &mut Connection,
    policy: &DirectoryPolicy,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Snapshot, LdapError> {
    let about = connection.about().await?;
    let mut reader = Reader { connection, policy, now, active: about.active_directory, progress, read: 0 };
    let mut snapshot = Snapshot::default();
    let mut groups = Vec::new();
    for rule in &policy.groups {
        reader.groups(rule, &mut groups, &mut snapshot).await?;
    }
    let inner = reader.inner(&groups).await?;
    let mut direct = reader.people(&groups, &inner, &mut snapshot).await?;
    for (place, group) in groups.iter_mut().enumerate() {
        if reader.asks_the_chain(group.rule) {
            let (chained, missing) = reader.chained(group, &snapshot.people).await?;
            if let Some(members) = direct.get_mut(place) {
                members.extend(chained);
            }
            group.missing = group.missing.take().or(missing);
        }
    }
    settle(groups, &inner, direct, &mut snapshot);
    Ok(snapshot)
}

struct Reader<'a, 'p> {
    connection: &'a mut Connection,
    policy: &'a DirectoryPolicy,
    now: Timestamp,
    active: bool,
    progress: Progress<'p>,
    read: usize,
}

impl<'a> Reader<'a, '_> {
    fn asks_the_chain(&self, rule: &GroupRule) -> bool {
        self.active && rule.depth > 0 && rule.members == Strategy::MemberOf
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
        let (base, scope, filter) = match &rule.wanted {
            Wanted::One { dn, .. } => (dn, Scope::Entry, "(objectClass=*)"),
            Wanted::Matching(filter) => (&rule.base, Scope::Subtree, filter.as_str()),
        };
        let search = Search { base: base.clone(), scope, filter: filter.to_owned(), attributes };
        let before = groups.len();
        let subjects = &self.policy.mapping.subject;
        let done = self.connection.search(&search, &mut |found| groups.push(raw(found, rule, subjects))).await;
        let trouble = match done {
            Ok(reading) => reading.missing(),
            Err(error) if error.is_away() => return Err(error),
            Err(error) => Some(error.to_string()),
        };
        match (&rule.wanted, trouble) {
            (Wanted::One { dn, group }, trouble) if groups.len() == before => {
                let why = trouble.unwrap_or_else(|| "the entry is not there, or may not be read".to_owned());
                let name = group.clone().unwrap_or_else(|| first_value(dn));
                snapshot.groups.push(unread(rule, dn, name, why));
            }
            (_, Some(why)) => {
                snapshot.remarks.push(format!("not all groups under {base} were read: {why}"));
                snapshot.groups_partial.get_or_insert(why);
            }
            (Wanted::Matching(filter), None) if groups.len() == before => {
                snapshot
                    .remarks
                    .push(format!("no group under {base} matches {filter}; see `vestibule directory check`"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Groups inside groups, one search for each place and way of looking.
    async fn inner(&mut self, groups: &[Raw<'a>]) -> Result<HashMap<(String, &'static str), Inner>, LdapError> {
        let mut found: HashMap<(String, &'static str), Inner> = HashMap::new();
        for group in groups {
            let Some(key) = inner_key(group.rule).filter(|_| !self.asks_the_chain(group.rule)) else { continue };
            if found.contains_key(&key) {
                continue;
            }
            let (base, attribute) = key.clone();
            let search = Search {
                base,
                scope: Scope::Subtree,
                filter: GROUPS.to_owned(),
                attributes: vec![attribute.to_owned()],
            };
            let mut inner = Inner::default();
            let mut links: Vec<(DnKey, Vec<DnKey>)> = Vec::new();
            let done = self
                .connection
                .search(&search, &mut |found| {
                    inner.missing = inner.missing.take().or(found.missing);
                    let values = found.entry.texts(attribute).map(DnKey::of).collect();
                    links.push((DnKey::of(found.entry.dn()), values));
                })
                .await;
            match done {
                Ok(reading) => inner.missing = inner.missing.take().or(reading.missing()),
                Err(error) if error.is_away() => return Err(error),
                Err(error) => inner.missing = Some(error.to_string()),
            }
            inner.take_in(links, attribute == "memberOf");
            found.insert(key, inner);
        }
        Ok(found)
    }

    /// All people, and for groups that people name the places of those who do.
    async fn people(
        &mut self,
        groups: &[Raw<'a>],
        inner: &HashMap<(String, &'static str), Inner>,
        snapshot: &mut Snapshot,
    ) -> Result<Vec<Vec<usize>>, LdapError> {
        let mut wanted: HashMap<DnKey, Vec<usize>> = HashMap::new();
        let mut primary: HashMap<i64, Vec<usize>> = HashMap::new();
        for (place, group) in groups.iter().enumerate().filter(|(_, group)| group.rule.members == Strategy::MemberOf) {
            for key in insides(group, inner).0 {
                wanted.entry(key).or_default().push(place);
            }
            if let Some(number) = group.primary {
                primary.entry(number).or_default().push(place);
            }
        }
        let mut members = vec![Vec::new(); groups.len()];
        let (policy, now, active) = (self.policy, self.now.seconds(), self.active);
        let (read, progress) = (&mut self.read, &mut self.progress);
        let search = people_search(policy, !wanted.is_empty(), active);
        let people = &mut snapshot.people;
        let mut missing = None;
        let reading = self
            .connection
            .search(&search, &mut |Found { entry, missing: values }| {
                let place = people.len();
                people.push(Person::of(&entry, &policy.mapping, now));
                missing = missing.take().or(values);
                let named = entry.texts("memberOf").filter_map(|name| wanted.get(&DnKey::of(name)));
                let by_number = entry.number("primaryGroupID").and_then(|number| primary.get(&number));
                for group in named.chain(by_number).flatten() {
                    if let Some(members) = members.get_mut(*group) {
                        members.push(place);
                    }
                }
                *read += 1;
                progress(*read);
            })
            .await?;
        snapshot.partial = reading.missing().or(missing);
        Ok(members)
    }

    /// Members to any depth, by the server's own rule, and why some may be missing.
    async fn chained(&mut self, group: &Raw<'a>, people: &[Person]) -> Result<(Vec<usize>, Option<String>), LdapError> {
        let filter = format!("(&{}(memberOf:{IN_CHAIN}:={}))", self.policy.filter, escaped(group.dn.as_str()));
        let search = Search { base: self.policy.base.clone(), scope: Scope::Subtree, filter, attributes: Vec::new() };
        let places: HashMap<&DnKey, usize> = people.iter().enumerate().map(|(place, one)| (&one.key, place)).collect();
        let mut found = Vec::new();
        let done =
            self.connection.search(&search, &mut |one| found.extend(places.get(&DnKey::of(one.entry.dn())))).await;
        match done {
            Ok(reading) => Ok((found, reading.missing())),
            Err(error) if error.is_away() => Err(error),
            Err(error) => Ok((found, Some(error.to_string()))),
        }
    }
}

impl Inner {
    /// Takes in what the group entries of one place say; `upward` when they name the groups that they are in.
    fn take_in(&mut self, links: Vec<(DnKey, Vec<DnKey>)>, upward: bool) {
        let known: std::collections::HashSet<DnKey> = links.iter().map(|(key, _)| key.clone()).collect();
        for (key, values) in links {
            for other in &values {
                if upward {
                    self.nesting.note(other.clone(), key.clone());
                } else if known.contains(other) {
                    self.nesting.note(key.clone(), other.clone());
                }
            }
            if !upward {
                self.named.insert(key, values);
            }
        }
    }
}

fn inner_key(rule: &GroupRule) -> Option<(String, &'static str)> {
    let attribute = match rule.members {
        Strategy::MemberOf => "memberOf",
        Strategy::Names(attribute) => attribute,
        Strategy::Usernames(_) => return None,
    };
    (rule.depth > 0).then(|| (rule.base.clone(), attribute))
}

/// A group and those inside it, and what is odd about that.
fn insides(group: &Raw<'_>, inner: &HashMap<(String, &'static str), Inner>) -> (Vec<DnKey>, Option<String>) {
    let Some(found) = inner_key(group.rule).and_then(|key| inner.get(&key)) else {
        return (vec![group.key.clone()], None);
    };
    let inside = found.nesting.inside(&group.key, group.rule.depth);
    let odd = match (inside.cycle, inside.cut) {
        (true, _) => Some(format!("the group {} contains itself by way of others", group.dn)),
        (_, true) => Some(format!("the group {} has groups deeper than nested_depth; they were left out", group.dn)),
        _ => None,
    };
    (inside.groups, odd)
}

fn raw<'a>(found: Found, rule: &'a GroupRule, subjects: &[String]) -> Raw<'a> {
    let Found { entry, missing } = found;
    let (mut named, mut usernames) = (Vec::new(), Vec::new());
    match rule.members {
        Strategy::Names(attribute) => named.extend(entry.texts(attribute).map(DnKey::of)),
        Strategy::Usernames(attribute) => usernames.extend(entry.texts(attribute).map(|name| fold(name.trim()))),
        Strategy::MemberOf => {}
    }
    let name = match &rule.wanted {
        Wanted::One { group: Some(group), .. } => Some(group.as_str()),
        _ => entry.first_text(std::slice::from_ref(&rule.name_attribute)),
    };
    Raw {
        rule,
        key: DnKey::of(entry.dn()),
        subject: Subject::of(&entry, subjects),
        name: name.unwrap_or_default().to_owned(),
        primary: entry.number("primaryGroupToken"),
        dn: entry.dn().to_owned(),
        named,
        usernames,
        missing,
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

fn people_search(policy: &DirectoryPolicy, groups: bool, active: bool) -> Search {
    let mut attributes = policy.mapping.attributes();
    if groups {
        attributes.push("memberOf".to_owned());
    }
    if active {
        attributes.push("primaryGroupID".to_owned());
    }
    Search { base: policy.base.clone(), scope: Scope::Subtree, filter: policy.filter.clone(), attributes }
}

/// Says of each group who its members are.
fn settle(
    groups: Vec<Raw<'_>>,
    inner: &HashMap<(String, &'static str), Inner>,
    direct: Vec<Vec<usize>>,
    snapshot: &mut Snapshot,
) {
    let by_key: HashMap<&DnKey, usize> =
        snapshot.people.iter().enumerate().map(|(place, one)| (&one.key, place)).collect();
    let by_name: HashMap<&str, usize> = snapshot
        .people
        .iter()
        .enumerate()
        .filter_map(|(place, one)| Some((one.username.as_ref().ok()?.key(), place)))
        .collect();
    let mut readings = Vec::with_capacity(groups.len());
    let mut odd = Vec::new();
    for (group, people) in groups.into_iter().zip(direct) {
        let found = inner_key(group.rule).and_then(|key| inner.get(&key));
        let (inside, strange) = insides(&group, inner);
        odd.extend(strange);
        let partial = group.missing.clone().or_else(|| found.and_then(|found| found.missing.clone()));
        let mut members = Members { people, partial, strangers: 0 };
        match group.rule.members {
            Strategy::MemberOf => {}
            Strategy::Usernames(_) => {
                take(&mut members, group.usernames.iter().map(|name| by_name.get(name.as_str())));
            }
            Strategy::Names(_) => {
                let mut names: Vec<&DnKey> = group.named.iter().collect();
                if let Some(found) = found {
                    let others = inside.iter().filter(|key| **key != group.key).filter_map(|key| found.named.get(key));
                    names.extend(others.flatten());
                    names.retain(|key| !found.named.contains_key(key));
                }
                take(&mut members, names.iter().map(|key| by_key.get(key)));
            }
        }
        members.people.sort_unstable();
        members.people.dedup();
        if members.strangers > 0 {
            let count = members.strangers;
            let why = match snapshot.partial {
                Some(_) => "were not read, or whom the filter does not let in",
                None => "are not there, or whom the filter does not let in",
            };
            odd.push(format!("the group {} has {count} members who {why}", group.dn));
        }
        let operator = matches!(group.rule.wanted, Wanted::One { group: Some(_), .. });
        readings.push(GroupReading {
            members: if group.name.is_empty() { Err("it has no name".to_owned()) } else { Ok(members) },
            dn: group.dn,
            subject: Some(group.subject),
            name: group.name,
            named_by_operator: operator,
            creates_accounts: group.rule.creates_accounts,
        });
    }
    snapshot.groups.extend(readings);
    snapshot.remarks.extend(odd);
}

fn take<'a>(members: &mut Members, places: impl Iterator<Item = Option<&'a usize>>) {
    for place in places {
        match place {
            Some(place) => members.people.push(*place),
            None => members.strangers += 1,
        }
    }
}
