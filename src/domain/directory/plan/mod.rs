//! From what the directory says and what is kept here to what has to be done. Pure: the same two snapshots and settings
//! give the same plan. Nothing is ever taken away on account of something that was not read to its end.

mod groups;
mod guard;
mod people;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod renaming;

pub use guard::{Guard, Verdict};

use super::snapshot::{Hold, Known, Snapshot};
use super::{Custom, Person, Subject};
use crate::domain::account::{DisplayName, EmailAddress, Username};
use crate::domain::id::{AccountId, GroupId};
use std::collections::{HashMap, HashSet};

/// What the operator wants.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the operator sets")]
pub struct Settings {
    /// Accounts are locked and unlocked as the directory says.
    pub status: bool,
    /// Accounts of people who are gone are locked.
    pub lock_gone: bool,
    /// Everybody in the directory gets an account, not only members of groups that ask for it.
    pub create_accounts: bool,
    /// How much may be taken away at once.
    pub guard: Guard,
    /// The operator has seen what would be taken away, and wants it.
    pub confirmed: bool,
}

/// What has to be done.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Why people may be missing from what was read: nobody is taken away anything then.
    pub partial: Option<String>,
    /// What was not read to its end, and why, in words; nobody is taken away anything on account of it.
    pub cut: Vec<String>,
    /// How many people the directory has.
    pub people: usize,
    /// Accounts to be made.
    pub creates: Vec<Create>,
    /// Accounts whose names or address changed.
    pub updates: Vec<Update>,
    /// Accounts to be locked.
    pub locks: Locks,
    /// Accounts to be unlocked, which the synchronisation had locked.
    pub unlocks: Vec<Named>,
    /// People who are gone and whose accounts stay as they are, by setting.
    pub gone_kept: usize,
    /// What happens to groups.
    pub groups: Vec<GroupPlan>,
    /// What could not be done and why, in words.
    pub remarks: Vec<String>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whom it stands for.
    pub subject: Subject,
    /// Where the entry is.
    pub dn: String,
    /// The name to sign in with.
    pub username: Username,
    /// The address.
    pub email: EmailAddress,
    /// The name others see.
    pub name: DisplayName,
    /// Further attributes.
    pub custom: Custom,
}

/// An account, with the name by which people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Which account.
    pub id: AccountId,
    /// Its username.
    pub username: String,
}

/// What changed about an account.
#[derive(Clone, Debug)]
pub struct Update {
    /// Whose.
    pub account: Named,
    /// The new username.
    pub username: Option<Username>,
    /// The new address.
    pub email: Option<EmailAddress>,
    /// The new name.
    pub name: Option<DisplayName>,
    /// The further attributes, all of them, when any is another, new or gone.
    pub custom: Option<Custom>,
}

impl Update {
    /// Nothing yet.
    const fn of(account: Named) -> Self {
        Self { account, username: None, email: None, name: None, custom: None }
    }

    const fn is_idle(&self) -> bool {
        self.username.is_none() && self.email.is_none() && self.name.is_none() && self.custom.is_none()
    }
}

/// Accounts to be locked, all under one verdict.
#[derive(Clone, Debug)]
pub struct Locks {
    /// Who, and why.
    pub accounts: Vec<(Named, Hold)>,
    /// Of how many accounts.
    pub all: usize,
    /// Whether it is done.
    pub verdict: Verdict,
}

impl Default for Locks {
    fn default() -> Self {
        Self { accounts: Vec::new(), all: 0, verdict: Verdict::Fine }
    }
}

/// Which group here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One that is there.
    Known(GroupId),
    /// One to be made.
    New,
}

/// Somebody to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// Somebody with an account.
    Account(AccountId),
    /// Somebody whose account is made by the same plan: the place in [`Plan::creates`].
    Created(usize),
}

/// What happens to one group.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Which.
    pub target: Target,
    /// Its name, the new one if it is renamed.
    pub name: DisplayName,
    /// The name it had.
    pub renamed_from: Option<String>,
    /// The entry that it follows from now on.
    pub follows: Option<Subject>,
    /// Who joins.
    pub adds: Vec<Member>,
    /// Who leaves; always memberships that this synchronisation made.
    pub removes: Vec<Named>,
    /// How many memberships the synchronisation had made.
    pub members: usize,
    /// Whether those who leave leave.
    pub verdict: Verdict,
}

impl GroupPlan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.target != Target::New
            && self.renamed_from.is_none()
            && self.follows.is_none()
            && self.adds.is_empty()
            && (self.removes.is_empty() || !self.verdict.passes())
    }
}

impl Plan {
    /// Whether carrying it out would write nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.creates.is_empty()
            && self.updates.is_empty()
            && self.unlocks.is_empty()
            && (self.locks.accounts.is_empty() || !self.locks.verdict.passes())
            && self.groups.iter().all(GroupPlan::is_idle)
    }

    /// What was refused, a line each: how many, of how many, in which group.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        let locks = (!self.locks.verdict.passes())
            .then(|| format!("locking {} of {} accounts", self.locks.accounts.len(), self.locks.all));
        let groups = self.groups.iter().filter(|group| !group.verdict.passes()).map(|group| {
            format!(
                "removing {} of {} people from the group {}",
                group.removes.len(),
                group.members,
                group.name.as_str()
            )
        });
        locks.into_iter().chain(groups).collect()
    }
}

/// Both sides, indexed, while a plan is made.
struct Desk<'a> {
    snapshot: &'a Snapshot,
    known: &'a Known,
    settings: &'a Settings,
    /// Places of people in the snapshot by subject; those that share one are not here.
    people: HashMap<&'a Subject, usize>,
    /// Subjects that more than one entry has.
    shared: HashSet<&'a Subject>,
    /// Places of accounts by subject.
    accounts: HashMap<&'a Subject, usize>,
}

impl<'a> Desk<'a> {
    fn new(snapshot: &'a Snapshot, known: &'a Known, settings: &'a Settings) -> Self {
        let mut people = HashMap::with_capacity(snapshot.people.len());
        let mut shared = HashSet::new();
        for (place, person) in snapshot.people.iter().enumerate() {
            if people.insert(&person.subject, place).is_some() {
                shared.insert(&person.subject);
            }
        }
        people.retain(|subject, _| !shared.contains(*subject));
        let accounts = known.accounts.iter().enumerate().map(|(place, account)| (&account.subject, place)).collect();
        Self { snapshot, known, settings, people, shared, accounts }
    }

    fn person(&self, subject: &Subject) -> Option<&'a Person> {
        self.people.get(subject).and_then(|place| self.snapshot.people.get(*place))
    }

    fn is_there(&self, subject: &Subject) -> bool {
        self.people.contains_key(subject) || self.shared.contains(subject)
    }
}

/// Compares both sides.
#[must_use]
pub fn plan(snapshot: &Snapshot, known: &Known, settings: &Settings) -> Plan {
    let desk = Desk::new(snapshot, known, settings);
    let mut plan = Plan {
        partial: snapshot.partial.clone(),
        people: snapshot.people.len(),
        remarks: snapshot.remarks.clone(),
        ..Plan::default()
    };
    let cut = |what: &str, why: &Option<String>| why.as_ref().map(|why| format!("not all {what} were read: {why}"));
    plan.cut.extend(cut("people", &snapshot.partial));
    plan.cut.extend(cut("groups", &snapshot.groups_partial));
    for subject in &desk.shared {
        plan.remarks.push(format!("several entries share {}; none of them is touched", subject.as_str()));
    }
    let claimed = people::update(&desk, &mut plan);
    people::lock_and_unlock(&desk, &mut plan);
    people::successors(&desk, &mut plan);
    let targets = groups::targets(&desk, &mut plan);
    let made = people::create(&desk, &targets, claimed, &mut plan);
    groups::settle(&desk, &targets, &made, &mut plan);
    plan
}
