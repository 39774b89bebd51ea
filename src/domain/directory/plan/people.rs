//! The part of a plan about accounts: made, updated, locked, unlocked. Never deleted, never taken over by an equal name.

use super::super::Person;
use super::super::snapshot::{Hold, Known, KnownAccount};
use super::groups::Targets;
use super::{Create, Desk, Locks, Named, Plan, Update};
use crate::domain::account::{AccountStatus, EmailAddress, Username, fold};
use crate::domain::id::AccountId;
use std::collections::HashMap;

fn named(account: &KnownAccount) -> Named {
    Named { id: account.id, username: account.username.clone() }
}

/// Names, address and spelling follow the directory, where it leads and nobody else here has them; further attributes
/// follow it in any case. Says which names are claimed then.
pub(super) fn update<'a>(desk: &Desk<'a>, plan: &mut Plan) -> Claimed<'a> {
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
    claimed
}

fn names<'a>(
    account: &KnownAccount,
    person: &'a Person,
    (claimed, remarks): (&mut Claimed<'a>, &mut Vec<String>),
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

/// Accounts for those who have none, where the operator wants that: by place of the person, the place of the account among
/// those that are made. What this plan gives to one account it does not give to another.
pub(super) fn create<'a>(
    desk: &Desk<'a>,
    targets: &Targets,
    mut claimed: Claimed<'a>,
    plan: &mut Plan,
) -> Vec<Option<usize>> {
    let people = &desk.snapshot.people;
    let mut wanted = vec![desk.settings.create_accounts; people.len()];
    for place in targets.members_to_be_made() {
        if let Some(wanted) = wanted.get_mut(place) {
            *wanted = true;
        }
    }
    let mut creates = Vec::new();
    for (place, person) in people.iter().enumerate().zip(wanted).filter_map(|(one, wanted)| wanted.then_some(one)) {
        let known = desk.accounts.contains_key(&person.subject) || desk.shared.contains(&person.subject);
        if known || person.disabled {
            continue;
        }
        match account_of(person, &mut claimed) {
            // In a box: they are sorted.
            Ok(create) => creates.push((place, Box::new(create))),
            Err(why) => plan.remarks.push(format!("{}: no account is made: {why}", person.dn)),
        }
    }
    // For who reads the plan, and for the indexes, which are written page after page then.
    creates.sort_unstable_by(|(_, one), (_, other)| one.username.key().cmp(other.username.key()));
    let mut made = vec![None; people.len()];
    plan.creates.reserve(creates.len());
    for (number, (place, create)) in creates.into_iter().enumerate() {
        if let Some(made) = made.get_mut(place) {
            *made = Some(number);
        }
        plan.creates.push(*create);
    }
    made
}

fn account_of<'a>(person: &'a Person, claimed: &mut Claimed<'a>) -> Result<Create, String> {
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
pub(super) struct Claimed<'a> {
    known: &'a Known,
    names: HashMap<&'a str, Option<AccountId>>,
    skeletons: HashMap<&'a str, Option<AccountId>>,
}

impl<'a> Claimed<'a> {
    fn new(desk: &Desk<'a>) -> Self {
        let newcomers = desk.snapshot.people.len().saturating_sub(desk.known.accounts.len());
        let (names, skeletons) = (HashMap::with_capacity(newcomers * 2), HashMap::with_capacity(newcomers));
        Self { known: desk.known, names, skeletons }
    }

    fn is_free(&self, key: &str, owner: Option<AccountId>) -> bool {
        let stored = self.known.names.get(key).is_none_or(|other| Some(*other) == owner);
        let given = self.names.get(key).is_none_or(|other| owner.is_some() && *other == owner);
        stored && given
    }

    fn is_free_username(&self, username: &Username, owner: Option<AccountId>) -> bool {
        let skeleton = username.skeleton();
        let stored = self.known.skeletons.get(skeleton).is_none_or(|other| Some(*other) == owner);
        let given = self.skeletons.get(skeleton).is_none_or(|other| owner.is_some() && *other == owner);
        stored && given && self.is_free(username.key(), owner)
    }

    /// Takes a username for an account, or for one about to be made. False when somebody else has it.
    fn username(&mut self, username: &'a Username, owner: Option<AccountId>) -> bool {
        let free = self.is_free_username(username, owner);
        if free {
            self.names.insert(username.key(), owner);
            self.skeletons.insert(username.skeleton(), owner);
        }
        free
    }

    fn email(&mut self, email: &'a EmailAddress, owner: Option<AccountId>) -> bool {
        let free = self.is_free(email.key(), owner);
        if free {
            self.names.insert(email.key(), owner);
        }
        free
    }
}
