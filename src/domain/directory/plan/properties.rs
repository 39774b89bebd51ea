//! What must hold whatever the directory says: generated snapshots against generated stores.

use super::super::snapshot::{GroupReading, Hold, Known, KnownAccount, KnownGroup, Members, Snapshot};
use super::super::{Custom, Entry, Mapping, Person, Subject};
use super::*;
use crate::domain::account::{AccountStatus, fold};
use proptest::prelude::*;
use uuid::Uuid;

fn mapping() -> Mapping {
    let one = |name: &str| vec![name.to_owned()];
    Mapping { username: one("uid"), name: one("cn"), email: one("mail"), subject: one("entryUUID"), custom: Vec::new() }
}

pub(super) fn person(number: usize) -> Person {
    let mut entry = Entry::new(&format!("uid=p{number},dc=x"));
    let mut set = |name: &str, value: String| entry.add(name, [value.into_bytes()]);
    set("uid", format!("p{number}"));
    set("cn", format!("Person {number}"));
    set("mail", format!("p{number}@example.org"));
    set("entryUUID", format!("u{number}"));
    Person::of(&entry, &mapping(), 0)
}

fn id(number: usize) -> AccountId {
    AccountId::new(Uuid::from_u128(number as u128 + 1))
}

fn group_id(number: usize) -> GroupId {
    GroupId::new(Uuid::from_u128(1000 + number as u128))
}

pub(super) fn account(number: usize) -> KnownAccount {
    KnownAccount {
        id: id(number),
        username: format!("p{number}"),
        email: format!("p{number}@example.org"),
        name: format!("Person {number}"),
        status: AccountStatus::Active,
        subject: person(number).subject,
        leads: true,
        held: None,
        custom: Custom::default(),
    }
}

pub(super) fn known(accounts: Vec<KnownAccount>, groups: Vec<KnownGroup>) -> Known {
    let mut known = Known { groups, ..Known::default() };
    for one in &accounts {
        known.names.insert(fold(&one.username), one.id);
        known.names.insert(fold(&one.email), one.id);
        known.skeletons.insert(fold(&one.username), one.id);
    }
    known.accounts = accounts;
    known
}

fn group(number: usize, members: &[usize]) -> KnownGroup {
    KnownGroup {
        id: group_id(number),
        name: format!("g{number}"),
        subject: Some(Subject::from_stored(&format!("entryuuid:g{number}"))),
        members: members.iter().map(|number| id(*number)).collect(),
    }
}

fn reading(number: usize, members: Result<Members, String>) -> GroupReading {
    GroupReading {
        dn: format!("cn=g{number},dc=x"),
        subject: Some(Subject::from_stored(&format!("entryuuid:g{number}"))),
        name: format!("g{number}"),
        named_by_operator: false,
        creates_accounts: true,
        members,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a reading holds")]
pub(super) fn members(people: &[usize]) -> Result<Members, String> {
    Ok(Members { people: people.to_vec(), ..Members::default() })
}

pub(super) fn all_on() -> Settings {
    Settings { status: true, lock_gone: true, create_accounts: true, ..Settings::default() }
}

/// A store with people and groups, and what a directory says about some of the same.
fn worlds() -> impl Strategy<Value = (Snapshot, Known, Settings)> {
    let numbers = || prop::collection::btree_set(0_usize..40, 0..40);
    let partial = || prop::option::weighted(0.3, Just("size limit".to_owned()));
    (
        (numbers(), numbers(), partial(), partial()),
        prop::collection::vec((numbers(), numbers(), 0_u8..4), 0..4),
        (any::<[bool; 4]>(), 0_u32..30, 0_u32..100),
    )
        .prop_map(|((here, there, partial, groups_partial), groups, (switches, people, percent))| {
            let people_there: Vec<usize> = there.into_iter().collect();
            let place = |number: &usize| people_there.iter().position(|one| one == number);
            let mut snapshot = Snapshot {
                people: people_there.iter().map(|number| person(*number)).collect(),
                partial,
                groups_partial,
                ..Snapshot::default()
            };
            let mut stored = Vec::new();
            for (number, (synced, read, kind)) in groups.iter().enumerate() {
                let synced: Vec<usize> = synced.iter().filter(|one| here.contains(one)).copied().collect();
                stored.push(group(number, &synced));
                let people: Vec<usize> = read.iter().filter_map(place).collect();
                match kind {
                    0 => {}
                    1 => snapshot.groups.push(reading(number, Err("broken".to_owned()))),
                    2 => {
                        let partial = Some("cut".to_owned());
                        snapshot.groups.push(reading(number, Ok(Members { people, partial, strangers: 0 })));
                    }
                    _ => snapshot.groups.push(reading(number, members(&people))),
                }
            }
            let [status, lock_gone, create_accounts, confirmed] = switches;
            let guard = Guard { people, percent };
            let settings = Settings { status, lock_gone, create_accounts, guard, confirmed };
            (snapshot, known(here.into_iter().map(account).collect(), stored), settings)
        })
}

proptest! {
    #[test]
    fn only_memberships_that_the_sync_made_are_removed((snapshot, known, settings) in worlds()) {
        for group in plan(&snapshot, &known, &settings).groups {
            let Target::Known(id) = group.target else {
                prop_assert!(group.removes.is_empty());
                continue;
            };
            let synced = &known.groups.iter().find(|one| one.id == id).unwrap().members;
            prop_assert!(group.removes.iter().all(|one| synced.contains(&one.id)));
            prop_assert!(group.adds.iter().all(|one| !matches!(one, Member::Account(id) if synced.contains(id))));
        }
    }

    #[test]
    fn nothing_is_taken_away_on_a_partial_snapshot((mut snapshot, known, settings) in worlds()) {
        snapshot.partial = Some("the connection ended".to_owned());
        let plan = plan(&snapshot, &known, &settings);
        prop_assert!(plan.locks.accounts.iter().all(|(_, why)| *why != Hold::Gone));
        prop_assert!(plan.groups.iter().all(|group| group.removes.is_empty()), "nor from groups that nothing stands for");
    }

    #[test]
    fn a_group_that_was_not_read_to_its_end_loses_nobody((snapshot, known, settings) in worlds()) {
        let plan = plan(&snapshot, &known, &settings);
        for reading in &snapshot.groups {
            let whole = reading.members.as_ref().is_ok_and(|members| members.partial.is_none());
            let group = plan.groups.iter().find(|group| group.name.as_str() == reading.name);
            prop_assert!(whole || group.is_none_or(|group| group.removes.is_empty()));
        }
        if snapshot.groups_partial.is_some() {
            let read: Vec<_> = snapshot.groups.iter().map(|one| one.name.as_str()).collect();
            prop_assert!(plan.groups.iter().all(|group| read.contains(&group.name.as_str())));
        }
    }

    #[test]
    fn much_is_never_taken_away_without_confirmation((snapshot, known, mut settings) in worlds()) {
        settings.confirmed = false;
        let plan = plan(&snapshot, &known, &settings);
        let Guard { people, percent } = settings.guard;
        let much = |leaving: usize, all: usize| {
            leaving > people as usize || (leaving > 1 && leaving * 100 > all * percent as usize)
        };
        for group in &plan.groups {
            prop_assert!(!much(group.removes.len(), group.members) || !group.verdict.passes());
            let emptied = !group.removes.is_empty() && group.removes.len() == group.members;
            prop_assert!(!emptied || percent >= 100 || !group.verdict.passes());
        }
        prop_assert!(!much(plan.locks.accounts.len(), plan.locks.all) || !plan.locks.verdict.passes());
    }

    #[test]
    fn no_name_is_given_twice((snapshot, known, settings) in worlds()) {
        let plan = plan(&snapshot, &known, &settings);
        let mut names = HashSet::new();
        for create in &plan.creates {
            prop_assert!(!known.names.contains_key(create.username.key()));
            prop_assert!(!known.names.contains_key(create.email.key()));
            prop_assert!(names.insert(create.username.key().to_owned()));
            prop_assert!(names.insert(create.email.key().to_owned()));
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do((snapshot, mut known, mut settings) in worlds()) {
        settings.confirmed = true;
        let first = plan(&snapshot, &known, &settings);
        carry_out(&first, &mut known);
        let second = plan(&snapshot, &known, &settings);
        prop_assert!(second.is_idle(), "{:?}", second.words());
    }
}

/// What applying does, on the store's picture of it.
fn carry_out(plan: &Plan, known: &mut Known) {
    let mut ids = Vec::new();
    for (place, create) in plan.creates.iter().enumerate() {
        let id = AccountId::new(Uuid::from_u128(5000 + place as u128));
        ids.push(id);
        known.names.insert(create.username.key().to_owned(), id);
        known.names.insert(create.email.key().to_owned(), id);
        known.skeletons.insert(create.username.skeleton().to_owned(), id);
        known.accounts.push(KnownAccount {
            id,
            username: create.username.as_str().to_owned(),
            email: create.email.as_str().to_owned(),
            name: create.name.as_str().to_owned(),
            status: AccountStatus::Active,
            subject: create.subject.clone(),
            leads: true,
            held: None,
            custom: create.custom.clone(),
        });
    }
    for (account, why) in &plan.locks.accounts {
        let one = known.accounts.iter_mut().find(|one| one.id == account.id).unwrap();
        (one.status, one.held) = (AccountStatus::Locked, Some(*why));
    }
    for account in &plan.unlocks {
        let one = known.accounts.iter_mut().find(|one| one.id == account.id).unwrap();
        (one.status, one.held) = (AccountStatus::Active, None);
    }
    for group in &plan.groups {
        let Target::Known(id) = group.target else { continue };
        let one = known.groups.iter_mut().find(|one| one.id == id).unwrap();
        one.members.extend(group.adds.iter().filter_map(|member| match member {
            Member::Account(id) => Some(*id),
            Member::Created(place) => ids.get(*place).copied(),
        }));
        one.members.retain(|id| !group.removes.iter().any(|leaving| leaving.id == *id));
    }
}

#[test]
fn an_account_of_the_same_name_is_not_taken_over() {
    let mut stored = known(vec![account(1)], vec![group(0, &[])]);
    // The account is there, and linked to nobody in this directory.
    stored.accounts.clear();
    let snapshot = Snapshot { people: vec![person(1)], groups: vec![reading(0, members(&[0]))], ..Snapshot::default() };
    let plan = plan(&snapshot, &stored, &all_on());
    assert!(plan.creates.is_empty() && plan.updates.is_empty());
    assert!(plan.groups.iter().all(|group| group.adds.is_empty()), "nor does it join a group");
    assert!(plan.remarks.iter().any(|remark| remark.contains("p1")), "{:?}", plan.remarks);
}

#[test]
fn an_emptied_base_and_an_emptied_group_are_refused_and_pass_when_confirmed() {
    let accounts: Vec<_> = (0..10).map(account).collect();
    let stored = known(accounts, vec![group(0, &[0, 1, 2, 3])]);
    let empty = Snapshot { groups: vec![reading(0, members(&[]))], ..Snapshot::default() };
    let refused = plan(&empty, &stored, &all_on());
    assert!(refused.is_idle());
    assert_eq!(refused.refusals().len(), 2, "{:?}", refused.refusals());
    let confirmed = plan(&empty, &stored, &Settings { confirmed: true, ..all_on() });
    assert_eq!((confirmed.locks.accounts.len(), confirmed.groups[0].removes.len()), (10, 4));
    assert!(!confirmed.is_idle() && confirmed.refusals().is_empty());
}

#[test]
fn one_person_may_leave_a_small_group_and_two_may_not() {
    let stored = known((0..4).map(account).collect(), vec![group(0, &[0, 1, 2, 3])]);
    let people: Vec<_> = (0..4).map(person).collect();
    let without = |staying: &[usize]| {
        let snapshot =
            Snapshot { people: people.clone(), groups: vec![reading(0, members(staying))], ..Snapshot::default() };
        plan(&snapshot, &stored, &all_on()).groups.remove(0)
    };
    assert_eq!(without(&[0, 1, 2]).verdict, Verdict::Fine);
    assert_eq!(without(&[0, 1]).verdict, Verdict::Refused);
}

#[test]
fn a_lock_by_an_administrator_is_never_undone() {
    let mut locked = account(1);
    locked.status = AccountStatus::Locked;
    let mut held = account(2);
    (held.status, held.held) = (AccountStatus::Locked, Some(Hold::Gone));
    let stored = known(vec![locked, held], Vec::new());
    let snapshot = Snapshot { people: vec![person(1), person(2)], ..Snapshot::default() };
    let plan = plan(&snapshot, &stored, &all_on());
    assert_eq!(plan.unlocks.iter().map(|one| one.id).collect::<Vec<_>>(), [id(2)]);
}

#[test]
fn what_the_directory_shuts_is_locked_only_where_the_operator_wants_that() {
    let stored = known((0..10).map(account).collect(), Vec::new());
    let mut people: Vec<_> = (0..10).map(person).collect();
    people[3].disabled = true;
    let snapshot = Snapshot { people, ..Snapshot::default() };
    let locked = plan(&snapshot, &stored, &all_on()).locks.accounts;
    assert_eq!(locked.iter().map(|(one, why)| (one.id, *why)).collect::<Vec<_>>(), [(id(3), Hold::Disabled)]);
    assert!(plan(&snapshot, &stored, &Settings::default()).is_idle());
}

#[test]
fn a_moved_entry_and_a_new_spelling_update_the_same_account() {
    let stored = known((0..6).map(account).collect(), Vec::new());
    let mut people: Vec<_> = (0..6).map(person).collect();
    let mut entry = Entry::new("uid=P1-new,ou=elsewhere,dc=x");
    for (name, value) in [("uid", "P1-new"), ("cn", "New Name"), ("mail", "p2@example.org"), ("entryUUID", "u1")] {
        entry.add(name, [value.as_bytes().to_vec()]);
    }
    people[1] = Person::of(&entry, &mapping(), 0);
    let plan = plan(&Snapshot { people, ..Snapshot::default() }, &stored, &all_on());
    assert!(plan.creates.is_empty() && plan.locks.accounts.is_empty());
    let [update] = plan.updates.as_slice() else { panic!("{:?}", plan.updates) };
    assert_eq!(update.account.id, id(1));
    assert_eq!(update.username.as_ref().unwrap().as_str(), "P1-new");
    assert!(update.email.is_none(), "somebody else has it");
    assert_eq!(plan.remarks.len(), 1, "{:?}", plan.remarks);
}

#[test]
fn two_entries_with_one_address_make_one_account_and_a_remark() {
    let mut people = vec![person(1), person(2)];
    people[1].email = people[0].email.clone();
    let plan = plan(&Snapshot { people, ..Snapshot::default() }, &Known::default(), &all_on());
    assert_eq!(plan.creates.len(), 1);
    assert_eq!(plan.remarks.len(), 1);
}

#[test]
fn entries_that_share_a_subject_are_left_alone() {
    let stored = known(vec![account(1)], vec![group(0, &[1])]);
    let mut twin = person(7);
    twin.subject = person(1).subject;
    let snapshot =
        Snapshot { people: vec![person(1), twin], groups: vec![reading(0, members(&[0]))], ..Snapshot::default() };
    let plan = plan(&snapshot, &stored, &all_on());
    assert!(plan.is_idle(), "{:?}", plan.words());
    assert_eq!(plan.remarks.len(), 1);
}

#[test]
fn two_entries_can_feed_one_group_and_nobody_leaves_while_one_of_them_is_unread() {
    let stored = known((0..9).map(account).collect(), vec![group(0, &[0, 1, 2, 3, 4, 5, 6])]);
    let people: Vec<_> = (0..9).map(person).collect();
    let mut other = reading(1, members(&[3, 4, 5, 7]));
    (other.name, other.named_by_operator) = ("g0".to_owned(), true);
    let both = |first| Snapshot { people: people.clone(), groups: vec![first, other.clone()], ..Snapshot::default() };
    let merged = plan(&both(reading(0, members(&[0, 1, 2]))), &stored, &all_on()).groups.remove(0);
    assert_eq!((merged.adds.len(), merged.removes.len()), (1, 1));
    let unread = plan(&both(reading(0, Err("away".to_owned()))), &stored, &all_on()).groups.remove(0);
    assert_eq!((unread.adds.len(), unread.removes.len()), (1, 0));
}

#[test]
fn a_group_follows_the_new_name_of_its_entry() {
    let stored = known(vec![account(1)], vec![group(0, &[1]), group(1, &[])]);
    let renamed = |name: &str| {
        let mut one = reading(0, members(&[0]));
        name.clone_into(&mut one.name);
        let snapshot = Snapshot { people: vec![person(1)], groups: vec![one], ..Snapshot::default() };
        plan(&snapshot, &stored, &all_on()).groups.remove(0)
    };
    assert_eq!(renamed("fresh").renamed_from.as_deref(), Some("g0"));
    assert_eq!(renamed("fresh").target, Target::Known(group_id(0)));
    assert_eq!(renamed("g1").renamed_from, None, "that name belongs to another group");
}
