//! Entries that change their names: what groups there are in the end depends on the directory alone, not on its past.

use super::properties::{account, all_on, known, members, person};
use super::*;
use crate::domain::directory::{GroupReading, Known, KnownGroup};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const PEOPLE: usize = 6;

/// Entries with their names and members: the place is the entry.
type World = Vec<Option<(u8, BTreeSet<usize>)>>;

fn reading(entry: usize, name: &str, people: &BTreeSet<usize>) -> GroupReading {
    GroupReading {
        dn: format!("cn={name},ou=o{entry},dc=x"),
        subject: Some(Subject::from_stored(&format!("entryuuid:e{entry}"))),
        name: name.to_owned(),
        named_by_operator: false,
        creates_accounts: false,
        members: members(&people.iter().copied().collect::<Vec<_>>()),
    }
}

fn snapshot(world: &World) -> Snapshot {
    let readings = world.iter().enumerate().filter_map(|(entry, one)| {
        let (name, people) = one.as_ref()?;
        Some(reading(entry, &format!("n{name}"), people))
    });
    Snapshot { people: (0..PEOPLE).map(person).collect(), groups: readings.collect(), ..Snapshot::default() }
}

/// What carrying a confirmed plan out makes of the groups.
fn carry_out(plan: &Plan, known: &mut Known) {
    let names: Vec<String> = plan.groups.iter().map(|group| group.name.as_str().to_owned()).collect();
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "two plans for one name: {names:?}");
    for group in &plan.groups {
        let id = match group.target {
            Target::Known(id) => id,
            Target::New => {
                let id = GroupId::new(Uuid::from_u128(5000 + known.groups.len() as u128));
                let none = KnownGroup { id, name: String::new(), subject: None, members: HashSet::new() };
                known.groups.push(none);
                id
            }
        };
        if let Some(subject) = &group.follows {
            for other in known.groups.iter_mut().filter(|one| one.subject.as_ref() == Some(subject)) {
                other.subject = None;
            }
        }
        let one = known.groups.iter_mut().find(|one| one.id == id).unwrap();
        group.name.as_str().clone_into(&mut one.name);
        one.subject = group.follows.clone().or(one.subject.take());
        one.members.extend(group.adds.iter().filter_map(|member| match member {
            Member::Account(id) => Some(*id),
            Member::Created(_) => None,
        }));
        one.members.retain(|id| !group.removes.iter().any(|leaving| leaving.id == *id));
    }
    let names: BTreeSet<&str> = known.groups.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), known.groups.len(), "two groups of one name");
}

fn said(world: &World) -> BTreeMap<String, BTreeSet<AccountId>> {
    let mut said: BTreeMap<String, BTreeSet<AccountId>> = BTreeMap::new();
    for (name, people) in world.iter().flatten() {
        said.entry(format!("n{name}")).or_default().extend(people.iter().map(|one| account(*one).id));
    }
    said.retain(|_, people| !people.is_empty());
    said
}

fn kept(known: &Known) -> BTreeMap<String, BTreeSet<AccountId>> {
    let groups = known.groups.iter().filter(|one| !one.members.is_empty());
    groups.map(|one| (one.name.clone(), one.members.iter().copied().collect())).collect()
}

fn settings() -> Settings {
    Settings { confirmed: true, ..all_on() }
}

fn runs(worlds: &[World]) -> Known {
    let mut store = known((0..PEOPLE).map(account).collect(), Vec::new());
    for world in worlds {
        carry_out(&plan(&snapshot(world), &store, &settings()), &mut store);
        assert_eq!(kept(&store), said(world), "after {worlds:?}");
    }
    store
}

fn world(entries: &[(u8, &[usize])]) -> World {
    entries.iter().map(|(name, people)| Some((*name, people.iter().copied().collect()))).collect()
}

#[test]
fn one_of_two_entries_of_one_name_is_renamed() {
    let store = runs(&[world(&[(1, &[0, 1, 2, 3]), (1, &[3, 4])]), world(&[(2, &[0, 1, 2, 3]), (1, &[3, 4])])]);
    let again = plan(&snapshot(&world(&[(2, &[0, 1, 2, 3]), (1, &[3, 4])])), &store, &settings());
    assert!(again.is_idle(), "{:?}", again.words());
}

#[test]
fn an_entry_takes_the_name_of_another_and_a_new_one_its_own() {
    let store = runs(&[world(&[(1, &[0]), (2, &[4, 5])]), world(&[(1, &[0]), (1, &[4, 5]), (2, &[3])])]);
    assert_eq!(kept(&store).get("n2").map(BTreeSet::len), Some(1), "nobody keeps what the name gave before");
}

#[test]
fn two_entries_swap_their_names_and_their_groups_go_along() {
    let first = runs(&[world(&[(1, &[0]), (2, &[1])])]);
    let swapped = runs(&[world(&[(1, &[0]), (2, &[1])]), world(&[(2, &[0]), (1, &[1])])]);
    let id = |store: &Known, person: usize| {
        store.groups.iter().find(|one| one.members.contains(&account(person).id)).map(|one| one.id)
    };
    assert_eq!((id(&first, 0), id(&first, 1)), (id(&swapped, 0), id(&swapped, 1)));
}

#[test]
fn a_group_that_nobody_is_in_any_more_keeps_no_name_from_anybody() {
    let gone: World = vec![None, Some((2, [1].into()))];
    runs(&[world(&[(1, &[0]), (2, &[1])]), gone, vec![None, Some((1, [1].into()))]]);
}

#[test]
fn an_entry_whose_new_name_cannot_be_used_keeps_its_people() {
    let store = runs(&[world(&[(1, &[0, 1])])]);
    let mut renamed = snapshot(&world(&[(1, &[0, 1])]));
    renamed.groups[0].name = "a,b".to_owned();
    let plan = plan(&renamed, &store, &settings());
    assert!(plan.is_idle(), "{:?}", plan.words());
    assert!(plan.remarks.iter().any(|remark| remark.contains("cannot be used")), "{:?}", plan.remarks);
}

proptest! {
    #[test]
    fn the_past_does_not_matter(
        worlds in prop::collection::vec(
            prop::collection::vec(
                prop::option::weighted(0.8, (0_u8..4, prop::collection::btree_set(0..PEOPLE, 0..4))), 5),
            1..5),
    ) {
        let mut store = runs(&worlds);
        let last = worlds.last().unwrap();
        // A second look may note which group an entry leads now; nobody joins or leaves by it.
        carry_out(&plan(&snapshot(last), &store, &settings()), &mut store);
        prop_assert_eq!(kept(&store), said(last));
        let third = plan(&snapshot(last), &store, &settings());
        prop_assert!(third.is_idle(), "{:?}", third.words());
    }
}
