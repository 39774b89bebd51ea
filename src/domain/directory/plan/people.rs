//! The part of a plan about accounts: made, updated, locked, unlocked. Never deleted, never taken over by an equal name.

use super::super::snapshot::{Hold, KnownAccount};
use super::super::{Person, Subject};
use super::groups::Targets;
use super::{Create, Desk, Locks, Named, Plan, Update};
use crate::domain::account::{AccountStatus, EmailAddress, Username, fold};
use crate::domain::id::AccountId;
use std::collections::{BTreeSet, HashMap};

fn named(account: &KnownAccount) -> Named {
    Named { id: account.id, username: account.username.clone() }
}

/// Names, address and spelling follow the directory, where it leads and nobody else here has them; further attributes
/// follow it in any case.
pub(super) fn update(desk: &Desk<'_>, plan: &mut Plan) {
    let mut claimed = Claimed::new(desk);
    for account in &desk.known.accounts {
        let Some(person) = desk.person(&account.subject) else { continue };
        let mut update = Update::of(named(account));
        if account.leads {
            names(account, person, (&mut claimed, &mut plan.remarks), &mut update);
        }
        update.custom = Some(person.custom.clone()).filter(|custom| *custom != account.custom);
        if !update.is_idle() {
            plan.updates.push(update);
        }
    }
}

fn names(
    account: &KnownAccount,
    person: &Person,
    (claimed, remarks): (&mut Claimed<'_>, &mut Vec<String>),
    update: &mut Update,
) {
    match &person.username {
        Ok(username) if username.as_str() != account.username => {
            if claimed.username(username, Some(account.id)) {
                update.username = Some(username.clone());
            } else {
                remarks.push(format!("{}: another account has its username {username}", person.dn));
            }
        }
        Err(flaw) => remarks.push(format!("{}: {flaw}; the account keeps its username", person.dn)),
        Ok(_) => {}
    }
    match &person.email {
        Ok(email) if email.as_str() != account.email => {
            if claimed.email(email, Some(account.id)) {
                update.email = Some(email.clone());
            } else {
                remarks.push(format!("{}: another account has its e-mail address", person.dn));
            }
        }
        _ => {}
    }
    update.name = person.name.clone().filter(|name| name.as_str() != account.name);
}

/// Entries that are new to us and have the name of an account whose own entry is gone: most often the same person, hired
/// again or moved to a new entry. Nobody but an administrator can know.
pub(super) fn successors(desk: &Desk<'_>, plan: &mut Plan) {
    if plan.partial.is_some() {
        return;
    }
    let gone = desk.known.accounts.iter().filter(|account| !desk.is_there(&account.subject));
    let gone: HashMap<String, &KnownAccount> = gone.map(|account| (fold(&account.username), account)).collect();
    if gone.is_empty() {
        return;
    }
    for person in &desk.snapshot.people {
        let new = !desk.accounts.contains_key(&person.subject) && !desk.shared.contains(&person.subject);
        let Some(username) = person.username.as_ref().ok().filter(|_| new) else { continue };
        if let Some(account) = gone.get(username.key()) {
            plan.remarks.push(format!(
                "{}: a new entry with the name of the account {}, whose own entry is gone; nobody signs in with it. If it \
                 is the same person, `vestibule account unlink` and then `vestibule account link`",
                person.dn, account.username
            ));
        }
    }
}

/// Who is gone or shut is locked, where the operator wants that; who is back is unlocked, if the lock was ours.
pub(super) fn lock_and_unlock(desk: &Desk<'_>, plan: &mut Plan) {
    let mut locks = Locks::default();
    for account in &desk.known.accounts {
        locks.all += usize::from(account.status == AccountStatus::Active);
        let shut = desk.settings.status && desk.person(&account.subject).is_some_and(|person| person.disabled);
        let there = desk.is_there(&account.subject);
        let reason = if there { shut.then_some(Hold::Disabled) } else { Some(Hold::Gone) };
        match (reason, account.status, account.held) {
            (Some(Hold::Gone), ..) if plan.partial.is_some() => {}
            (Some(Hold::Gone), AccountStatus::Active, _) if !desk.settings.lock_gone => plan.gone_kept += 1,
            (Some(reason), AccountStatus::Active, _) => locks.accounts.push((named(account), reason)),
            // A shared subject says nothing about anybody: what is locked stays so.
            (None, AccountStatus::Locked, Some(_)) if desk.person(&account.subject).is_some() => {
                plan.unlocks.push(named(account));
            }
            _ => {}
        }
    }
    locks.verdict = desk.settings.verdict(locks.accounts.len(), locks.all);
    plan.locks = locks;
}

/// Accounts for those who have none, where the operator wants that.
pub(super) fn create(desk: &Desk<'_>, targets: &Targets, plan: &mut Plan) {
    let wanted: BTreeSet<usize> = if desk.settings.create_accounts {
        (0..desk.snapshot.people.len()).collect()
    } else {
        targets.members_to_be_made().collect()
    };
    let mut claimed = Claimed::new(desk);
    for update in &plan.updates {
        // What this plan gives to one account it does not give to another.
        if let Some(username) = &update.username {
            claimed.take(username.key(), update.account.id);
        }
        if let Some(email) = &update.email {
            claimed.take(email.key(), update.account.id);
        }
    }
    for person in wanted.into_iter().filter_map(|place| desk.snapshot.people.get(place)) {
        let known = desk.accounts.contains_key(&person.subject) || desk.shared.contains(&person.subject);
        if known || person.disabled {
            continue;
        }
        match made(person, &mut claimed) {
            Ok(create) => plan.creates.push(create),
            Err(why) => plan.remarks.push(format!("{}: no account is made: {why}", person.dn)),
        }
    }
}

fn made(person: &Person, claimed: &mut Claimed<'_>) -> Result<Create, String> {
    let (username, email) = match (&person.username, &person.email) {
        (Ok(username), Ok(email)) => (username, email),
        (Err(flaw), _) | (_, Err(flaw)) => return Err(flaw.to_string()),
    };
    let name = person.name.clone().ok_or("it has no name that could be shown")?;
    if !claimed.is_free_username(username, None) {
        return Err(format!(
            "an account with the username {username}, or one that looks the same, is there already and not linked to \
             this entry (`vestibule account link` links it)"
        ));
    }
    if !claimed.email(email, None) {
        return Err("another account or entry has its e-mail address".to_owned());
    }
    claimed.username(username, None);
    let (username, email, custom) = (username.clone(), email.clone(), person.custom.clone());
    Ok(Create { subject: person.subject.clone(), dn: person.dn.clone(), username, email, name, custom })
}

/// Which names are taken: by accounts that are there, and by what this plan has given away so far.
struct Claimed<'a> {
    desk: &'a Desk<'a>,
    names: HashMap<String, Option<AccountId>>,
    skeletons: HashMap<String, Option<AccountId>>,
}

impl<'a> Claimed<'a> {
    fn new(desk: &'a Desk<'a>) -> Self {
        Self { desk, names: HashMap::new(), skeletons: HashMap::new() }
    }

    fn is_free(&self, key: &str, owner: Option<AccountId>) -> bool {
        let stored = self.desk.known.names.get(key).is_none_or(|other| Some(*other) == owner);
        let given = self.names.get(key).is_none_or(|other| owner.is_some() && *other == owner);
        stored && given
    }

    fn is_free_username(&self, username: &Username, owner: Option<AccountId>) -> bool {
        let skeleton = username.skeleton();
        let stored = self.desk.known.skeletons.get(skeleton).is_none_or(|other| Some(*other) == owner);
        let given = self.skeletons.get(skeleton).is_none_or(|other| owner.is_some() && *other == owner);
        stored && given && self.is_free(username.key(), owner)
    }

    /// Takes a username for an account, or for one about to be made. False when somebody else has it.
    fn username(&mut self, username: &Username, owner: Option<AccountId>) -> bool {
        let free = self.is_free_username(username, owner);
        if free {
            self.names.insert(username.key().to_owned(), owner);
            self.skeletons.insert(username.skeleton().to_owned(), owner);
        }
        free
    }

    fn email(&mut self, email: &EmailAddress, owner: Option<AccountId>) -> bool {
        let free = self.is_free(email.key(), owner);
        if free {
            self.names.insert(email.key().to_owned(), owner);
        }
        free
    }

    fn take(&mut self, key: &str, owner: AccountId) {
        self.names.insert(key.to_owned(), Some(owner));
    }
}

/// Subjects of the accounts that a plan makes.
pub(super) fn made_subjects(plan: &Plan) -> std::collections::HashSet<&Subject> {
    plan.creates.iter().map(|create| &create.subject).collect()
}
