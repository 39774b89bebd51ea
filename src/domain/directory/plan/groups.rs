//! The part of a plan about groups. Only memberships that the synchronisation made are removed; one given by hand is not
//! even looked at. A group that could not be read, or not to its end, loses nobody.

use super::super::snapshot::{GroupReading, KnownGroup};
use super::super::{Person, Subject};
use super::{Desk, GroupPlan, Member, Named, Plan, Target, Verdict};
use crate::domain::account::{DisplayName, fold};
use crate::domain::id::{AccountId, GroupId};
use std::collections::{HashMap, HashSet};

/// Where groups lead, with everything read for one group put together.
pub(super) struct Targets {
    aims: Vec<Aim>,
    /// Groups here that something was to be read for, whether or not it could be.
    aimed_at: HashSet<GroupId>,
    /// Something could not be read, and nobody knows which group here it was for.
    unknown_unread: bool,
}

struct Aim {
    target: Target,
    name: DisplayName,
    renamed_from: Option<String>,
    follows: Option<Subject>,
    /// Places of people; some may be there twice.
    people: Vec<usize>,
    whole: bool,
    /// Places of those who are to have an account.
    makes: Vec<usize>,
}

impl Targets {
    /// Places of people whose groups want them to have an account.
    pub(super) fn members_to_be_made(&self) -> impl Iterator<Item = usize> {
        self.aims.iter().flat_map(|aim| aim.makes.iter().copied())
    }
}

/// The name of a group, if groups can have it: they travel in a comma-separated header.
fn group_name(text: &str) -> Option<DisplayName> {
    DisplayName::parse(text).ok().filter(|name| !name.as_str().contains(',') && name.as_str().chars().count() <= 100)
}

/// Finds the group for each reading: the one that has its name once groups have gone along with renamed entries, or a new one.
/// What there is afterwards depends on the directory alone, not on what its entries were called before.
pub(super) fn targets(desk: &Desk<'_>, plan: &mut Plan) -> Targets {
    let standing = Standing::of(desk);
    let (mut aims, mut aimed_at, mut unknown_unread) = (Vec::<Aim>::new(), HashSet::new(), false);
    let mut places: HashMap<String, usize> = HashMap::new();
    for reading in &desk.snapshot.groups {
        let wanted = standing.wanted(reading);
        let known = standing.called(wanted);
        aimed_at.extend(known.map(|group| group.id));
        let usable = match (&reading.members, group_name(wanted)) {
            (Ok(members), Some(name)) => Ok((members, name)),
            (Ok(_), None) => Err(format!("the group {} has a name that cannot be used here", reading.dn)),
            (Err(why), _) => Err(format!("the group {} is left as it is: {why}", reading.dn)),
        };
        let (members, wanted) = match usable {
            Ok(usable) => usable,
            Err(remark) => {
                // What it was called nobody leaves either.
                let followed = standing.followed(reading);
                aimed_at.extend(followed.map(|group| group.id));
                unknown_unread |= reading.members.is_err() && known.or(followed).is_none();
                plan.remarks.push(remark);
                continue;
            }
        };
        if let Some(why) = &members.partial {
            plan.cut.push(format!("the group {} was not read to its end, nobody leaves it: {why}", reading.dn));
        }
        let whole = members.partial.is_none() && desk.snapshot.partial.is_none();
        let mut aim = aim(reading, &wanted, known, &standing);
        aim.whole = whole;
        aim.people.extend(&members.people);
        if reading.creates_accounts {
            aim.makes.extend(&members.people);
        }
        if let Some(other) = places.get(&fold(aim.name.as_str())).and_then(|place| aims.get_mut(*place)) {
            other.people.append(&mut aim.people);
            other.makes.append(&mut aim.makes);
            other.whole &= whole;
        } else {
            places.insert(fold(aim.name.as_str()), aims.len());
            aims.push(aim);
        }
    }
    for aim in &mut aims {
        aim.people.sort_unstable();
        aim.people.dedup();
    }
    spoil_what_was_not_read(desk, &mut aims);
    Targets { aims, aimed_at, unknown_unread }
}

fn aim(reading: &GroupReading, wanted: &DisplayName, known: Option<&KnownGroup>, standing: &Standing<'_>) -> Aim {
    let follows = reading.subject.clone().filter(|_| !reading.named_by_operator);
    let aim = |target, renamed_from, follows| Aim {
        target,
        name: wanted.clone(),
        renamed_from,
        follows,
        people: Vec::new(),
        whole: false,
        makes: Vec::new(),
    };
    let Some(known) = known else {
        // One that a group follows already, which cannot go along, leaves it in the next run.
        return aim(Target::New, None, follows.filter(|_| standing.followed(reading).is_none()));
    };
    let key = fold(wanted.as_str());
    let renamed = fold(&known.name) != key || (known.name != wanted.as_str() && !standing.chosen.contains_key(&key));
    let renamed_from = renamed.then(|| known.name.clone());
    // The entry that it follows goes on leading it, as long as there is one.
    let follows = follows.filter(|subject| known.subject.as_ref() != Some(subject) && !standing.is_led(known));
    let mut aim = aim(Target::Known(known.id), renamed_from, follows);
    if let (false, Some(current)) = (renamed, group_name(&known.name)) {
        aim.name = current;
    }
    aim
}

/// What the groups here are called once those have been renamed that go along with their entries.
struct Standing<'a> {
    by_name: HashMap<String, &'a KnownGroup>,
    by_subject: HashMap<&'a Subject, &'a KnownGroup>,
    /// Groups whose own entry was read and has their name then.
    led: HashSet<GroupId>,
    /// Names that the operator chose, by their folded form: no entry's spelling changes them.
    chosen: HashMap<String, &'a str>,
}

impl<'a> Standing<'a> {
    fn of(desk: &Desk<'a>) -> Self {
        let chosen = desk.snapshot.groups.iter().filter(|reading| reading.named_by_operator);
        let chosen = chosen.map(|reading| (fold(reading.name.trim()), reading.name.as_str())).collect();
        let groups = &desk.known.groups;
        let mut by_name: HashMap<String, &KnownGroup> = groups.iter().map(|one| (fold(&one.name), one)).collect();
        let by_subject: HashMap<&Subject, &KnownGroup> =
            groups.iter().filter_map(|one| Some((one.subject.as_ref()?, one))).collect();
        let mut standing = Self { by_name: HashMap::new(), by_subject, led: HashSet::new(), chosen };
        let followed: Vec<(&KnownGroup, String)> = desk
            .snapshot
            .groups
            .iter()
            .filter(|reading| reading.members.is_ok() && group_name(&reading.name).is_some())
            .filter_map(|reading| Some((standing.followed(reading)?, fold(reading.name.trim()))))
            .collect();
        // A group goes along with its entry unless an operator chose its name, or a group that stays has the new one.
        let mut going: Vec<&(&KnownGroup, String)> = followed
            .iter()
            .filter(|(group, to)| fold(&group.name) != *to && !standing.chosen.contains_key(&fold(&group.name)))
            .collect();
        loop {
            let leaving: HashSet<GroupId> = going.iter().map(|(group, _)| group.id).collect();
            let (before, mut taken) = (going.len(), HashSet::new());
            going.retain(|(_, to)| {
                by_name.get(to).is_none_or(|other| leaving.contains(&other.id)) && taken.insert(to.as_str())
            });
            if going.len() == before {
                break;
            }
        }
        for (group, _) in &going {
            by_name.remove(&fold(&group.name));
        }
        by_name.extend(going.iter().map(|(group, to)| (to.clone(), *group)));
        let leads = |(group, name): &&(&KnownGroup, String)| by_name.get(name).is_some_and(|one| one.id == group.id);
        standing.led = followed.iter().filter(leads).map(|(group, _)| group.id).collect();
        standing.by_name = by_name;
        standing
    }

    /// The name that a reading asks for.
    fn wanted(&self, reading: &'a GroupReading) -> &'a str {
        self.chosen.get(&fold(reading.name.trim())).copied().unwrap_or(&reading.name)
    }

    fn called(&self, name: &str) -> Option<&'a KnownGroup> {
        self.by_name.get(&fold(name.trim())).copied()
    }

    /// The group that follows an entry, whatever it is called.
    fn followed(&self, reading: &GroupReading) -> Option<&'a KnownGroup> {
        let subject = reading.subject.as_ref().filter(|_| !reading.named_by_operator)?;
        self.by_subject.get(subject).copied()
    }

    /// Whether the entry that a group follows was read and has its name.
    fn is_led(&self, group: &KnownGroup) -> bool {
        self.led.contains(&group.id)
    }
}

/// Two entries can feed one group. If one of them could not be read, the other alone does not say who has left.
fn spoil_what_was_not_read(desk: &Desk<'_>, aims: &mut [Aim]) {
    let unread: HashSet<String> = desk
        .snapshot
        .groups
        .iter()
        .filter(|reading| reading.members.is_err())
        .map(|reading| fold(reading.name.trim()))
        .collect();
    for aim in aims.iter_mut().filter(|aim| unread.contains(&fold(aim.name.as_str()))) {
        aim.whole = false;
    }
}

/// Who joins and who leaves.
pub(super) fn settle(desk: &Desk<'_>, targets: &Targets, made: &[Option<usize>], plan: &mut Plan) {
    let known: HashMap<GroupId, &KnownGroup> = desk.known.groups.iter().map(|group| (group.id, group)).collect();
    let usernames: HashMap<AccountId, &str> =
        desk.known.accounts.iter().map(|account| (account.id, account.username.as_str())).collect();
    let named = |id: &AccountId| Named {
        id: *id,
        username: usernames.get(id).map_or_else(|| id.to_string(), |name| (*name).to_owned()),
    };
    let nobody = HashSet::new();
    // Once for each person, not for each membership.
    let stands_for = |(person, made): (&Person, &Option<usize>)| match desk.accounts.get(&person.subject) {
        Some(place) => desk.known.accounts.get(*place).map(|account| Member::Account(account.id)),
        None => made.map(Member::Created),
    };
    let members_by_place: Vec<Option<Member>> = desk.snapshot.people.iter().zip(made).map(stands_for).collect();
    let mut groups = Vec::with_capacity(targets.aims.len());
    for aim in &targets.aims {
        let members = match aim.target {
            Target::Known(id) => known.get(&id).map_or(&nobody, |group| &group.members),
            Target::New => &nobody,
        };
        let (mut adds, mut stay) = (Vec::new(), HashSet::new());
        for member in aim.people.iter().filter_map(|place| *members_by_place.get(*place)?) {
            match member {
                Member::Account(id) if !stay.insert(id) || members.contains(&id) => {}
                joins => adds.push(joins),
            }
        }
        let mut removes: Vec<Named> =
            if aim.whole { members.difference(&stay).map(named).collect() } else { Vec::new() };
        removes.sort_by(|a, b| a.username.cmp(&b.username));
        groups.push(GroupPlan {
            target: aim.target.clone(),
            name: aim.name.clone(),
            renamed_from: aim.renamed_from.clone(),
            follows: aim.follows.clone(),
            verdict: desk.settings.verdict(removes.len(), members.len()),
            members: members.len(),
            adds,
            removes,
        });
    }
    groups.extend(abandoned(desk, targets, &named));
    plan.groups = groups;
}

/// Groups that the synchronisation once filled and that nothing in the directory, or in the configuration, stands for
/// now. The group stays; the memberships go when that is confirmed, and everything was read.
fn abandoned(desk: &Desk<'_>, targets: &Targets, named: &dyn Fn(&AccountId) -> Named) -> Vec<GroupPlan> {
    // Confirmed or not: among what was not read may be what stands for them.
    if desk.snapshot.groups_partial.is_some() || desk.snapshot.partial.is_some() || targets.unknown_unread {
        return Vec::new();
    }
    // The directory may have lost an entry that should be there; that an operator looks at.
    let verdict = if desk.settings.confirmed { Verdict::Confirmed } else { Verdict::Refused };
    let left =
        desk.known.groups.iter().filter(|group| !group.members.is_empty() && !targets.aimed_at.contains(&group.id));
    let plans = left.filter_map(|group| {
        let mut removes: Vec<Named> = group.members.iter().map(named).collect();
        removes.sort_by(|a, b| a.username.cmp(&b.username));
        Some(GroupPlan {
            target: Target::Known(group.id),
            name: group_name(&group.name)?,
            renamed_from: None,
            follows: None,
            adds: Vec::new(),
            members: removes.len(),
            verdict,
            removes,
        })
    });
    plans.collect()
}
