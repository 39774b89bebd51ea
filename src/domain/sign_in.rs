//! The sign-in machine: what an attempt has proved, which steps it still owes, and in which order. Pure.
//!
//! A new way in is one more [`Way`] with its verifier in `service/sign_in/`; a new step is one more [`Step`].

use super::account::AccountStatus;
use super::id::{AccountId, AttemptId, IdentityId, RememberedId};
use super::identity::Source;
use super::session::{HandleHash, Methods};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long someone may take from the first proof to the session.
pub const ATTEMPT_LIFETIME: Duration = Duration::from_mins(15);

/// The ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A password of ours.
    Password,
    /// A remembered browser.
    Autologin,
    /// An identity provider.
    Provider,
    /// A password checked by a directory.
    Directory,
}

impl Way {
    /// As written to the audit trail and to metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Autologin => "autologin",
            Self::Provider => "provider",
            Self::Directory => "directory",
        }
    }

    /// Whether the person proved something just now. Only then may a step change what they sign in with.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Password | Self::Provider | Self::Directory)
    }

    /// Whether it is somebody else who checked the secret: then a password of ours was not used, and nothing about it is
    /// due.
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::Provider | Self::Directory)
    }
}

/// What a verifier vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedIdentity {
    /// Which way they came.
    pub way: Way,
    /// Who they are.
    pub account: AccountId,
    /// What they proved.
    pub methods: Methods,
    /// When they proved it.
    pub authenticated_at: Timestamp,
    /// The remembered browser they came with.
    pub remembered: Option<RememberedId>,
    /// Who vouched, when it was somebody outside.
    pub voucher: Option<Voucher>,
}

/// Who outside vouched for somebody, and what is needed to sign them out there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// The identity.
    pub identity: IdentityId,
    /// Whose it is.
    pub source: Source,
    /// The source's own name of its session (`sid`, `SessionIndex`).
    pub upstream: Option<String>,
    /// [`super::identity::Upstream`], sealed.
    pub sealed: Option<Vec<u8>>,
}

/// A sign-in under way: everything between the first proof and the session. Kept on the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its identifier, for the audit trail.
    pub id: AttemptId,
    /// Who, and how they proved it.
    pub identity: VerifiedIdentity,
    /// Where to go afterwards; checked again when used.
    pub return_to: Option<String>,
    /// "Stay logged in" was ticked.
    pub stay: bool,
    /// The session of this browser that the new one takes the place of.
    pub replaces: Option<HandleHash>,
    /// Steps done in this attempt.
    pub done: Vec<Step>,
    /// End of the attempt.
    pub expires_at: Timestamp,
}

/// What an attempt may still owe, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Choose a new password.
    NewPassword,
}

/// Steps in the order in which they are asked for.
const ORDER: [Step; 1] = [Step::NewPassword];

/// Why a password has to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordDue {
    /// Somebody else set it.
    Demanded,
    /// It is older than the rules allow.
    Expired,
}

/// What the account's state says at this moment; read anew at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether the account may sign in at all.
    pub status: AccountStatus,
    /// When the account ends by itself.
    pub ends_at: Option<Timestamp>,
    /// Sessions and attempts from before this point are dead.
    pub valid_from: Timestamp,
    /// Whether the password has to be changed.
    pub password: Option<PasswordDue>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Open the session.
    Open,
    /// First this step.
    Step(Step),
    /// Not this account, not now.
    Denied(Denied),
}

/// Why a proved identity does not get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The account is locked.
    Locked,
    /// The account waits for its owner or for an administrator.
    Waiting,
    /// The account's time is over.
    Ended,
    /// The attempt took too long, or the account's sessions were ended meanwhile.
    Outdated,
    /// This way in is no fresh proof, and the step that is due needs one.
    FreshProofNeeded,
}

impl Attempt {
    /// What this attempt owes next. Denials come first, then the steps in their order, then the session.
    #[must_use]
    pub fn next(&self, facts: &Facts, now: Timestamp) -> Next {
        match facts.status {
            AccountStatus::Active => {}
            AccountStatus::Locked => return Next::Denied(Denied::Locked),
            AccountStatus::Invited | AccountStatus::Registered => return Next::Denied(Denied::Waiting),
        }
        if facts.ends_at.is_some_and(|end| now >= end) {
            return Next::Denied(Denied::Ended);
        }
        if now >= self.expires_at || self.proved_at() < facts.valid_from {
            return Next::Denied(Denied::Outdated);
        }
        let owed = ORDER.into_iter().find(|step| step.is_due(facts, self.identity.way) && !self.done.contains(step));
        match owed {
            None => Next::Open,
            Some(_) if !self.identity.way.is_fresh() => Next::Denied(Denied::FreshProofNeeded),
            Some(step) => Next::Step(step),
        }
    }

    /// Marks a step as done. Only the step that is next can be.
    ///
    /// # Errors
    /// What is next instead, when it is not this step.
    pub fn complete(&mut self, step: Step, facts: &Facts, now: Timestamp) -> Result<(), Next> {
        match self.next(facts, now) {
            Next::Step(due) if due == step => {
                self.done.push(step);
                Ok(())
            }
            other => Err(other),
        }
    }

    /// When this attempt's proof was shown to us. A remembered browser shows its token now, whenever it was issued.
    fn proved_at(&self) -> Timestamp {
        self.expires_at.before(ATTEMPT_LIFETIME)
    }
}

impl Step {
    fn is_due(self, facts: &Facts, way: Way) -> bool {
        match self {
            Self::NewPassword => facts.password.is_some() && !way.is_foreign(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const START: Timestamp = Timestamp::from_millis(1_000);

    fn attempt(way: Way) -> Attempt {
        let account = AccountId::new(Uuid::nil());
        let identity = VerifiedIdentity {
            way,
            account,
            methods: Methods::PASSWORD,
            authenticated_at: START,
            remembered: None,
            voucher: None,
        };
        let expires_at = START.after(ATTEMPT_LIFETIME);
        Attempt {
            id: AttemptId::new(Uuid::nil()),
            identity,
            return_to: None,
            stay: false,
            replaces: None,
            done: vec![],
            expires_at,
        }
    }

    fn facts() -> Facts {
        let valid_from = Timestamp::from_millis(0);
        Facts { status: AccountStatus::Active, ends_at: None, valid_from, password: None }
    }

    #[test]
    fn nothing_owed_opens() {
        assert_eq!(attempt(Way::Password).next(&facts(), START), Next::Open);
        assert_eq!(attempt(Way::Autologin).next(&facts(), START), Next::Open);
    }

    #[test]
    fn a_due_password_is_asked_for_until_changed() {
        let due = Facts { password: Some(PasswordDue::Expired), ..facts() };
        let mut one = attempt(Way::Password);
        assert_eq!(one.next(&due, START), Next::Step(Step::NewPassword));
        assert_eq!(one.complete(Step::NewPassword, &due, START), Ok(()));
        assert_eq!(one.next(&due, START), Next::Open);
        assert_eq!(one.complete(Step::NewPassword, &due, START), Err(Next::Open), "a step is done once");
    }

    #[test]
    fn a_step_that_is_not_due_cannot_be_done() {
        let mut one = attempt(Way::Password);
        assert_eq!(one.complete(Step::NewPassword, &facts(), START), Err(Next::Open));
        assert!(one.done.is_empty());
    }

    #[test]
    fn a_remembered_browser_cannot_change_the_password() {
        let due = Facts { password: Some(PasswordDue::Demanded), ..facts() };
        let mut one = attempt(Way::Autologin);
        assert_eq!(one.next(&due, START), Next::Denied(Denied::FreshProofNeeded));
        assert!(one.complete(Step::NewPassword, &due, START).is_err());
    }

    #[test]
    fn whoever_comes_from_elsewhere_is_not_asked_for_a_password_of_ours() {
        let due = Facts { password: Some(PasswordDue::Demanded), ..facts() };
        assert_eq!(attempt(Way::Provider).next(&due, START), Next::Open);
        assert_eq!(attempt(Way::Directory).next(&due, START), Next::Open);
        let locked = Facts { status: AccountStatus::Locked, ..facts() };
        assert_eq!(attempt(Way::Provider).next(&locked, START), Next::Denied(Denied::Locked));
    }

    #[test]
    fn only_an_active_account_in_its_time_gets_in() {
        for (status, denied) in [
            (AccountStatus::Locked, Denied::Locked),
            (AccountStatus::Invited, Denied::Waiting),
            (AccountStatus::Registered, Denied::Waiting),
        ] {
            let facts = Facts { status, ..facts() };
            assert_eq!(attempt(Way::Password).next(&facts, START), Next::Denied(denied), "{status:?}");
        }
        let guest = Facts { ends_at: Some(START.after(Duration::from_secs(1))), ..facts() };
        assert_eq!(attempt(Way::Password).next(&guest, START), Next::Open);
        let later = START.after(Duration::from_secs(1));
        assert_eq!(attempt(Way::Password).next(&guest, later), Next::Denied(Denied::Ended));
    }

    #[test]
    fn denials_come_before_steps() {
        let locked = Facts { status: AccountStatus::Locked, password: Some(PasswordDue::Demanded), ..facts() };
        assert_eq!(attempt(Way::Password).next(&locked, START), Next::Denied(Denied::Locked));
        let one = attempt(Way::Password);
        assert_eq!(one.next(&facts(), one.expires_at), Next::Denied(Denied::Outdated));
        let ended = Facts { valid_from: START.after(Duration::from_secs(1)), ..facts() };
        assert_eq!(one.next(&ended, START.after(Duration::from_secs(2))), Next::Denied(Denied::Outdated));
    }
}
