//! The sign-in machine: what an attempt has proved, which steps it still owes, and in which order. Pure.
//!
//! A new way in is one more [`Way`] with its verifier in `service/sign_in/`; a new step is one more [`Step`].

use super::account::AccountStatus;
use super::factor_trust::Stated;
use super::id::{AccountId, AttemptId, IdentityId, RememberedId, SessionId};
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
    /// A passkey alone.
    Passkey,
    /// An open session of the same account, to be proved anew.
    StepUp,
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
            Self::Passkey => "passkey",
            Self::StepUp => "step_up",
            Self::Provider => "provider",
            Self::Directory => "directory",
        }
    }

    /// Whether the person proved something just now. Only then may a step change what they sign in with. An open session
    /// is taken for a fresh proof when it is young enough; `service/sign_in/step_up.rs` looks at that.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        !matches!(self, Self::Autologin)
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
    /// How they proved it there, in the source's words: for the audit trail.
    #[serde(default)]
    pub stated: Stated,
    /// When they vouched; a step on the way may begin the attempt's time anew.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The session that was vouched for, when this one takes its place: the source's word goes over to it.
    #[serde(default)]
    pub carried: Option<Carried>,
    /// See [`super::identity::Upstream::ends_at`].
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

/// What a new session takes the source's word over from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// From the session before it.
    Session(SessionId),
    /// From whatever this remembered browser opened last.
    Browser(RememberedId),
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
    /// What is asked for beyond the policy.
    #[serde(default)]
    pub demand: Demand,
    /// The browser that needs no second factor for a while, when this is one of the account's.
    #[serde(default)]
    pub device: Option<Device>,
    /// "Do not ask on this device again" was ticked.
    #[serde(default)]
    pub keep_device: bool,
    /// Steps done in this attempt.
    pub done: Vec<Step>,
    /// End of the attempt.
    pub expires_at: Timestamp,
}

/// What whoever began the attempt asks for beyond the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// There must be a second factor, whether or not the policy asks this account for one.
    pub factor: bool,
    /// It must be proved now: a remembered device does not spare it.
    pub fresh: bool,
}

/// A browser that needs no second factor for a while, as it came: rotated when the session opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its public name.
    pub id: RememberedId,
    /// Hash of the token that it showed.
    pub token: [u8; 32],
}

/// What an attempt may still owe, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Prove the second factor.
    SecondFactor,
    /// Choose a new password.
    NewPassword,
    /// Bind a second factor.
    EnrolFactor,
}

/// Steps in the order in which they are asked for. The second factor comes before the password may be changed: whoever
/// found a password must not get to replace it (NIST SP 800-63B-4 §4.1.2.1, ASVS 5.0 6.2.3). A factor is bound after the
/// password was replaced that somebody else knows: that password must not vouch for it.
const ORDER: [Step; 3] = [Step::SecondFactor, Step::NewPassword, Step::EnrolFactor];

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
    /// Whether the account has a second factor.
    pub enrolled: bool,
    /// Whether the policy asks this account for one.
    pub factor_required: bool,
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
        let owed = || ORDER.into_iter().filter(|step| self.owes(*step, facts));
        if !self.identity.way.is_fresh() && owed().any(Step::needs_fresh_proof) {
            return Next::Denied(Denied::FreshProofNeeded);
        }
        owed().next().map_or(Next::Open, Next::Step)
    }

    /// Whether the second factor was proved, by whoever vouches for it, or is spared on this device.
    #[must_use]
    pub fn factor_is_settled(&self) -> bool {
        self.identity.methods.has(Methods::MULTI_FACTOR) || (self.device.is_some() && !self.demand.fresh)
    }

    fn owes(&self, step: Step, facts: &Facts) -> bool {
        let due = match step {
            Step::SecondFactor => facts.enrolled && !self.factor_is_settled(),
            Step::NewPassword => {
                let way = self.identity.way;
                facts.password.is_some() && !way.is_foreign() && way != Way::StepUp
            }
            Step::EnrolFactor => {
                let required = facts.factor_required || self.demand.factor;
                required && !facts.enrolled && !self.identity.methods.has(Methods::MULTI_FACTOR)
            }
        };
        due && !self.done.contains(&step)
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
    /// Whether it changes what the person signs in with.
    fn needs_fresh_proof(self) -> bool {
        self != Self::SecondFactor
    }
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
