//! From a connection to a snapshot: the groups first (`read_groups.rs`), then all people in one search, then who belongs
//! where.

use super::policy::{DirectoryPolicy, GroupRule, Strategy, Wanted};
use super::read_groups::{AllInner, Raw, inner_key, insides};
use crate::connect::ldap::{Connection, Found, LdapError, Scope, Search, escaped};
use crate::domain::directory::snapshot::Members;
use crate::domain::directory::{DnNumber, DnNumbers, GroupReading, Person, Snapshot};
use crate::domain::time::Timestamp;
use std::collections::HashMap;

/// Hears how many entries were read so far.
pub(super) type Progress<'a> = &'a mut (dyn FnMut(usize) + Send);

/// `LDAP_MATCHING_RULE_IN_CHAIN` ([MS-ADTS] 3.1.1.3.4.4.3).
pub(super) const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

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
    let mut reader = Reader {
        connection,
        policy,
        now,
        active: about.active_directory,
        progress,
        read: 0,
        names: DnNumbers::default(),
    };
    let mut snapshot = Snapshot::default();
    let (mut groups, inner) = reader.all_groups(&mut snapshot).await?;
    let (mut direct, places) = reader.people(&groups, &inner, &mut snapshot).await?;
    for (place, group) in groups.iter_mut().enumerate() {
        if reader.asks_the_chain(group.rule) {
            let (chained, missing) = reader.chained(group, &places).await?;
            if let Some(members) = direct.get_mut(place) {
                members.extend(chained);
            }
            group.missing = group.missing.take().or(missing);
        }
    }
    settle(groups, &inner, (direct, &places), &mut snapshot);
    Ok(snapshot)
}

/// Places of people in the snapshot by the numbers of their entries' names.
#[derive(Default)]
struct Places(Vec<Option<usize>>);

impl Places {
    fn note(&mut self, number: DnNumber, place: usize) {
        if self.0.len() <= number.place() {
            self.0.resize(number.place() + 1, None);
        }
        if let Some(noted) = self.0.get_mut(number.place()) {
            *noted = Some(place);
        }
    }

    fn of(&self, number: DnNumber) -> Option<usize> {
        self.0.get(number.place()).copied().flatten()
    }
}

/// Reads one directory.
pub(super) struct Reader<'a, 'p> {
    pub(super) connection: &'a mut Connection,
    pub(super) policy: &'a DirectoryPolicy,
    now: Timestamp,
    /// It is Active Directory.
    pub(super) active: bool,
    progress: Progress<'p>,
    read: usize,
    /// Names of people and groups.
    pub(super) names: DnNumbers,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn asks_the_chain(&self, rule: &GroupRule) -> bool {
        self.active && rule.depth > 0 && rule.members == Strategy::MemberOf
    }

    /// All people: for groups that people name the places of those who do, and everybody's place.
    async fn people(
        &mut self,
        groups: &[Raw<'a>],
        inner: &AllInner,
        snapshot: &mut Snapshot,
    ) -> Result<(Vec<Vec<usize>>, Places), LdapError> {
        let mut wanted: HashMap<DnNumber, Vec<usize>> = HashMap::new();
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
        let (read, progress, numbers) = (&mut self.read, &mut self.progress, &mut self.names);
        let search = people_search(policy, !wanted.is_empty(), active);
        let (people, remarks) = (&mut snapshot.people, &mut snapshot.remarks);
        let (mut missing, mut places) = (None, Places::default());
        let reading = self
            .connection
            .search(&search, &mut |Found { entry, missing: values }| {
                let place = people.len();
                places.note(numbers.of(entry.dn()), place);
                people.push(Person::of(&entry, &policy.mapping, now));
                remarks.extend(Person::oddity(&entry, &policy.mapping).map(|why| format!("{}: {why}", entry.dn())));
                missing = missing.take().or(values);
                let named = entry.texts("memberOf").filter_map(|name| wanted.get(&numbers.of(name)));
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
        Ok((members, places))
    }

    /// Members to any depth, by the server's own rule, and why some may be missing.
    async fn chained(&mut self, group: &Raw<'a>, places: &Places) -> Result<(Vec<usize>, Option<String>), LdapError> {
        let filter = format!("(&{}(memberOf:{IN_CHAIN}:={}))", self.policy.filter, escaped(group.dn.as_str()));
        let search = Search { base: self.policy.base.clone(), scope: Scope::Subtree, filter, attributes: Vec::new() };
        let (names, mut found) = (&mut self.names, Vec::new());
        let done = self.connection.search(&search, &mut |one| found.extend(places.of(names.of(one.entry.dn())))).await;
        match done {
            Ok(reading) => Ok((found, reading.missing())),
            Err(error) if error.is_away() => Err(error),
            Err(error) => Ok((found, Some(error.to_string()))),
        }
    }
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
    inner: &AllInner,
    (direct, places): (Vec<Vec<usize>>, &Places),
    snapshot: &mut Snapshot,
) {
    let by_name = by_username(&groups, &snapshot.people);
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
                take(&mut members, group.usernames.iter().map(|name| by_name.get(name.as_str()).copied()));
            }
            Strategy::Names(_) => {
                let mut named: Vec<DnNumber> = group.named.iter().flatten().copied().collect();
                if let Some(found) = found {
                    // What the group itself names is there once: with it, or among all groups.
                    let others = inside.iter().filter(|key| group.named.is_none() || **key != group.key);
                    named.extend(others.filter_map(|key| found.named.get(key)).flatten());
                    named.retain(|key| !found.named.contains_key(key));
                }
                take(&mut members, named.into_iter().map(|key| places.of(key)));
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

/// Places of people by their usernames, folded; nobody's when no group names people so.
fn by_username<'a>(groups: &[Raw<'_>], people: &'a [Person]) -> HashMap<&'a str, usize> {
    if groups.iter().all(|group| group.usernames.is_empty()) {
        return HashMap::new();
    }
    let key = |(place, person): (usize, &'a Person)| Some((person.username.as_ref().ok()?.key(), place));
    people.iter().enumerate().filter_map(key).collect()
}

fn take(members: &mut Members, places: impl Iterator<Item = Option<usize>>) {
    for place in places {
        match place {
            Some(place) => members.people.push(place),
            None => members.strangers += 1,
        }
    }
}
