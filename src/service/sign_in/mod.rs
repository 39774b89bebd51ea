//! The corridor that every way in walks: claim, verify, resolve, steps, open. A new way in is one more verifier beside
//! `password.rs` and `autologin.rs`; the machine itself is `domain/sign_in.rs`.

pub mod answer;
pub mod autologin;
pub mod departure;
pub mod enrol;
pub mod enter;
pub mod factor;
mod from_directory;
mod guess;
mod ldap;
mod new_device;
pub mod oidc;
mod open;
pub(in crate::service) mod parked;
pub mod passkey;
pub mod password;
mod phone;
mod reach;
pub mod step;
pub mod step_up;

use super::autologin_token::AutologinToken;
use super::context::Context;
use super::core::{Core, Trouble};
use super::factor::{Factors, device};
use super::password::{ChangeError, Passwords};
use super::session::{Handle, Sessions};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Event};
use crate::domain::directory::Standing;
use crate::domain::id::{AccountId, AttemptId};
use crate::domain::password::Fault;
use crate::domain::resolve::Refusal;
use crate::domain::secret::Secret;
use crate::domain::session::HandleHash;
use crate::domain::sign_in::{
    ATTEMPT_LIFETIME, Attempt, Demand, Denied, Facts, Next, PasswordDue, Step, VerifiedIdentity,
};
use crate::store::volatile::Unavailable;
use crate::store::{Link, StoreError, account, authenticator, password as passwords};
use std::sync::Arc;
use std::time::Duration;

/// The corridor.
#[derive(Clone)]
pub struct SignIn {
    core: Arc<Core>,
    sessions: Sessions,
    passwords: Passwords,
}

/// What a request along the corridor leads to.
#[derive(Debug)]
pub enum Outcome {
    /// A session is open.
    Open(Box<Opened>),
    /// A step is owed; the browser gets this attempt's handle.
    Owes(Step, AttemptHandle),
}

impl Outcome {
    /// For the trace.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open(_) => "signed_in",
            Self::Owes(Step::SecondFactor, _) => "second_factor_owed",
            Self::Owes(Step::NewPassword, _) => "new_password_owed",
            Self::Owes(Step::EnrolFactor, _) => "enrolment_owed",
        }
    }
}

/// An open session, and what goes into the browser's cookies.
pub struct Opened {
    /// Goes into the session cookie.
    pub handle: Handle,
    /// Goes into the autologin cookie; `None` leaves that cookie as it is.
    pub autologin: Option<AutologinToken>,
    /// Goes into the cookie of devices that are spared the second factor; `None` leaves it as it is.
    pub device: Option<AutologinToken>,
    /// Where the person wanted to go.
    pub return_to: Option<String>,
    /// Whose session it is.
    pub account: AccountId,
    /// Their username.
    pub username: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("account", &self.account).finish_non_exhaustive()
    }
}

/// An attempt's secret handle: 32 random bytes, in the sealed attempt cookie only.
pub type AttemptHandle = Secret<[u8; 32]>;

/// Why the corridor ends here.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name or secret are wrong, the account is locked or blocked, or may not use this way: one answer for all.
    #[error("the sign-in was refused")]
    Refused,
    /// Too many failures from this address or network.
    #[error("too many failures; try again in {} s", .retry_after.as_secs())]
    TooManyFailures {
        /// When to try again.
        retry_after: Duration,
    },
    /// The attempt is over, or belongs to another browser.
    #[error("this sign-in is no longer open; begin again")]
    Outdated,
    /// A remembered browser cannot do what is owed; sign in with a proof.
    #[error("please sign in again")]
    FreshProofNeeded,
    /// The second factor is wrong, or was used before.
    #[error("the code is wrong")]
    WrongCode,
    /// Somebody is vouched for and does not get in. Told to them: they have proved who they are.
    #[error(transparent)]
    Unresolved(Refusal),
    /// Somebody is vouched for who has the address of an account, and its owner is to be asked: under this name, once they
    /// have signed in to it ([`crate::service::question`]).
    #[error("the owner of the account with this address is to be asked first")]
    LinkFirst(String),
    /// A directory that would have to be asked does not answer. Said whoever the name belongs to, if to anybody.
    #[error("a directory does not answer; try again in {} s", .retry_after.as_secs())]
    DirectoryAway {
        /// When to try again.
        retry_after: Duration,
    },
    /// The password is right, and the directory does not let them in. Told to them: they have proved who they are.
    #[error("the directory does not let this person in ({})", .0.as_str())]
    Directory(Standing),
    /// The new password breaks rules.
    #[error("the new password cannot be used")]
    Password(Vec<Fault>),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl SignInError {
    /// For the trace.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::TooManyFailures { .. } => "throttled",
            Self::Outdated => "outdated",
            Self::FreshProofNeeded => "fresh_proof_needed",
            Self::WrongCode => "wrong_code",
            Self::Unresolved(refusal) => refusal.code(),
            Self::LinkFirst(_) => "link_first",
            Self::DirectoryAway { .. } => "directory_away",
            Self::Directory(standing) => standing.as_str(),
            Self::Password(_) => "password",
            Self::Trouble(_) => "trouble",
        }
    }
}

impl From<ChangeError> for SignInError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Rules(faults) => Self::Password(faults),
            ChangeError::WrongPassword => Self::Refused,
            ChangeError::TooManyFailures { retry_after } => Self::TooManyFailures { retry_after },
            ChangeError::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Unavailable> for SignInError {
    fn from(error: Unavailable) -> Self {
        Self::Trouble(error.into())
    }
}

/// What the person wants besides getting in.
#[derive(Clone, Default)]
pub struct Wishes {
    /// Where to go afterwards: text of a checked redirect.
    pub return_to: Option<String>,
    /// Stay logged in.
    pub stay: bool,
    /// A session of this browser that the new one takes the place of (ASVS 5.0, 7.2.4).
    pub replaces: Option<HandleHash>,
    /// What the browser has to show that it is spared the second factor.
    pub device: Option<AutologinToken>,
    /// What is asked for beyond the policy.
    pub demand: Demand,
    /// The secret of the invitation that the browser came with.
    pub invitation: Option<String>,
}

impl SignIn {
    /// The corridor over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        let (sessions, passwords) = (Sessions::new(Arc::clone(&core)), Passwords::new(Arc::clone(&core)));
        Self { core, sessions, passwords }
    }

    /// From a verified identity to whatever is next: the session, or the step owed.
    async fn proceed(
        &self,
        ctx: &Context,
        account: &Account,
        identity: VerifiedIdentity,
        wishes: Wishes,
    ) -> Result<Outcome, SignInError> {
        let facts = self.facts(ctx, account).await?;
        let device = match &wishes.device {
            Some(token) if facts.enrolled => device::judge(&self.core, ctx, account.id, token).await?,
            _ => None,
        };
        let attempt = Attempt {
            id: AttemptId::new(ctx.uuid()),
            identity,
            return_to: wishes.return_to,
            stay: wishes.stay,
            replaces: wishes.replaces,
            demand: wishes.demand,
            device,
            keep_device: false,
            done: Vec::new(),
            expires_at: ctx.now().max(facts.valid_from).after(ATTEMPT_LIFETIME),
        };
        match attempt.next(&facts, ctx.now()) {
            Next::Open => {
                let opened = self.open(ctx, attempt, &facts, account.username.clone()).await?;
                Ok(Outcome::Open(Box::new(opened)))
            }
            Next::Step(step) => self.park(ctx, &attempt, step).await.map(|handle| Outcome::Owes(step, handle)),
            Next::Denied(why) => Err(self.denied(ctx, account.id, why).await?),
        }
    }

    /// What the account's state says now.
    async fn facts(&self, ctx: &Context, account: &Account) -> Result<Facts, Trouble> {
        let mut link = self.core.database.read().await?;
        self.facts_in(ctx, &mut link, account).await
    }

    async fn facts_in(&self, ctx: &Context, link: &mut Link, account: &Account) -> Result<Facts, Trouble> {
        let stored = passwords::of(link, account.id).await?;
        let max_age = self.core.policy.password_max_age;
        let due = stored.and_then(|stored| {
            let expired = !max_age.is_zero() && ctx.now() >= stored.set_at.after(max_age);
            if stored.must_change { Some(PasswordDue::Demanded) } else { expired.then_some(PasswordDue::Expired) }
        });
        let Account { status, ends_at, sessions_valid_from: valid_from, .. } = *account;
        let enrolled = authenticator::any(link, account.id).await?;
        let factor_required = Factors::required(&self.core, link, account).await?;
        Ok(Facts { status, ends_at, valid_from, password: due, enrolled, factor_required })
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, Trouble> {
        let mut link = self.core.database.read().await?;
        Ok(account::by_id(&mut link, id).await?)
    }

    async fn denied(&self, ctx: &Context, account: AccountId, why: Denied) -> Result<SignInError, Trouble> {
        let (code, error) = match why {
            Denied::Locked => ("locked", SignInError::Refused),
            Denied::Waiting => ("waiting", SignInError::Refused),
            Denied::Ended => ("ended", SignInError::Refused),
            Denied::Outdated => ("outdated", SignInError::Outdated),
            Denied::FreshProofNeeded => ("fresh_proof_needed", SignInError::FreshProofNeeded),
        };
        self.failed(ctx, Some(account), code).await?;
        Ok(error)
    }

    /// Records a failure. The same work whether or not the account exists: one event, one commit.
    async fn failed(&self, ctx: &Context, account: Option<AccountId>, why: &'static str) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        let detail = serde_json::json!({ "reason": why });
        ctx.record(&mut tx, Event { act: Act::SignInFailed, subject: account, detail }).await?;
        Ok(tx.commit().await?)
    }
}
