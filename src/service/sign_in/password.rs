//! Verifier: a password of ours. Unknown, wrong, locked and blocked cost the same work and get the same answer.

use super::ldap::Tried;
use super::reach::Asking;
use super::{Outcome, SignIn, SignInError, Wishes};
use crate::domain::account::{Account, AccountStatus, LoginName, fold};
use crate::domain::password::PlainPassword;
use crate::domain::resolve::Refusal;
use crate::domain::session::Methods;
use crate::domain::sign_in::{VerifiedIdentity, Way};
use crate::domain::throttle::Scope;
use crate::service::context::Context;
use crate::service::core::PasswordLogin;
use crate::service::hasher::Verdict;
use crate::service::limiter::{Target, Ticket, Try};
use crate::service::metrics::{SignInOutcome, SignInWay};
use crate::store::{account, identity, password as passwords};

/// A name and a password, as typed.
pub struct Claim {
    /// Username or address.
    pub login: LoginName,
    /// The password.
    pub password: PlainPassword,
    /// Shown at `/login/internal`, where break-glass accounts may sign in.
    pub internal: bool,
    /// What else is wanted.
    pub wishes: Wishes,
}

impl SignIn {
    /// Signs in with a password.
    ///
    /// # Errors
    /// [`SignInError::Refused`] for everything that is wrong with name, password or account;
    /// [`SignInError::Unresolved`] after the right password of somebody who registered and waits;
    /// [`SignInError::TooManyFailures`] when this address or network has to wait.
    pub async fn with_password(&self, ctx: &Context, claim: Claim) -> Result<Outcome, SignInError> {
        let (account, hash) = self.claimed(&claim.login).await?;
        let target = account.as_ref().map_or(Target::Nobody(&claim.login), |account| Target::Account(account.id));
        let ticket = match self.core.limiter.ask(target, &ctx.origin, ctx.now()).await? {
            Try::Granted(ticket) => Some(ticket),
            // Told apart from a wrong password, a block would tell who has an account here.
            Try::Refused { scope: Scope::Account, .. } => None,
            Try::Refused { retry_after, .. } => {
                self.core.metrics.sign_in(SignInWay::Password, SignInOutcome::Throttled);
                return Err(SignInError::TooManyFailures { retry_after });
            }
        };
        let asked = self.asked(account.as_ref()).await?;
        if let Some(asked) = asked {
            return self.with_directory(ctx, claim, account, ticket, asked).await;
        }
        // At the same time, as for a name that a directory could know; whoever has the right password does not wait for it.
        let asked = Asking::begins(&self.core);
        let verdict = match self.core.check_password(&claim.password, hash.as_deref()).await {
            Ok(verdict) => verdict,
            Err(error) => {
                // Nothing was tried, so nothing failed.
                self.give_back(ticket).await?;
                return Err(error.into());
            }
        };
        let (Verdict::Right { rehash }, true, Some(account)) = (verdict, ticket.is_some(), account.as_ref()) else {
            let why = if ticket.is_none() { "throttled" } else { "password" };
            return self.refuse(ctx, account.as_ref(), why, (asked, ticket)).await;
        };
        if account.status == AccountStatus::Registered && self.may_use_password(account, claim.internal).await? {
            // Told to whoever knows the password: it is their own account, and nothing they typed was wrong.
            self.give_back(ticket).await?;
            self.core.metrics.sign_in(SignInWay::Password, SignInOutcome::Denied);
            self.failed(ctx, Some(account.id), "waiting").await?;
            return Err(SignInError::Unresolved(Refusal::Waiting));
        }
        if !account.may_sign_in(ctx.now()) || !self.may_use_password(account, claim.internal).await? {
            return self.refuse(ctx, Some(account), "not_allowed", (asked, ticket)).await;
        }
        self.give_back(ticket).await?;
        if let (true, Some(old)) = (rehash, hash.as_deref()) {
            self.rehash(ctx, account, &claim.password, old).await?;
        }
        let identity = VerifiedIdentity {
            way: Way::Password,
            account: account.id,
            methods: Methods::PASSWORD,
            authenticated_at: ctx.now(),
            remembered: None,
            voucher: None,
        };
        self.proceed(ctx, account, identity, claim.wishes).await
    }

    /// Account and hash of a name: two look-ups, whether or not it exists.
    async fn claimed(&self, login: &LoginName) -> Result<(Option<Account>, Option<String>), SignInError> {
        let mut link = self.core.database.read().await?;
        let account = account::by_login(&mut link, login).await?;
        let id = account.as_ref().map_or(crate::domain::id::AccountId::new(uuid::Uuid::nil()), |account| account.id);
        let hash = passwords::of(&mut link, id).await?.map(|stored| stored.hash);
        Ok((account, hash))
    }

    async fn refuse(
        &self,
        ctx: &Context,
        account: Option<&Account>,
        why: &'static str,
        (asked, ticket): (Asking, Option<Ticket>),
    ) -> Result<Outcome, SignInError> {
        let reach = asked.ends().await;
        // Somebody's password was checked, if the name is anybody's.
        let tried = Tried { checked: account.is_some(), counted: false };
        self.settle(ticket, (reach, tried)).await?;
        let outcome = match why {
            "password" => SignInOutcome::WrongSecret,
            "throttled" => SignInOutcome::Throttled,
            _ => SignInOutcome::Denied,
        };
        self.core.metrics.sign_in(SignInWay::Password, outcome);
        self.failed(ctx, account.map(|account| account.id), why).await?;
        Err(Self::not_in(reach))
    }

    pub(super) async fn give_back(&self, ticket: Option<Ticket>) -> Result<(), SignInError> {
        if let Some(ticket) = ticket {
            self.core.limiter.give_back(ticket).await?;
        }
        Ok(())
    }

    pub(super) async fn may_use_password(&self, account: &Account, internal: bool) -> Result<bool, SignInError> {
        let listed = |names: &[String]| internal && names.contains(&fold(&account.username));
        Ok(match &self.core.policy.password_login {
            PasswordLogin::All => true,
            PasswordLogin::ExceptSso { internal } if listed(internal) => true,
            PasswordLogin::ExceptSso { .. } => {
                let mut link = self.core.database.read().await?;
                !identity::is_linked_to_provider(&mut link, account.id).await?
            }
            PasswordLogin::Nobody { except } => listed(except),
        })
    }

    /// New parameters, or an imported bcrypt hash: hash the password again, as it is known right now.
    async fn rehash(
        &self,
        ctx: &Context,
        account: &Account,
        password: &PlainPassword,
        old: &str,
    ) -> Result<(), SignInError> {
        let new = self.core.hash_password(ctx, password).await?;
        let mut tx = self.core.database.begin_for(account.id).await?;
        passwords::rehash(&mut tx, account.id, old, &new).await?;
        tx.commit().await?;
        Ok(())
    }
}
