//! The corridor's end: attempts that wait, and the session that opens.

use super::{AttemptHandle, Opened, SignIn, SignInError, Trouble, parked};
use crate::domain::audit::{Act, Event};
use crate::domain::autologin::Remembered;
use crate::domain::factor_trust::Stated;
use crate::domain::id::{RememberedId, SessionId};
use crate::domain::notice::Notice;
use crate::domain::secret::Secret;
use crate::domain::session::Methods;
use crate::domain::sign_in::{Attempt, Carried, Facts, Step, VerifiedIdentity, Voucher, Way};
use crate::domain::time::days;
use crate::service::autologin_token::AutologinToken;
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::factor::device;
use crate::service::metrics::{SignInOutcome, SignInWay};
use crate::service::session::Proof;
use crate::store::volatile::Shelf;
use crate::store::vouched_session::{self, ProviderSession};
use crate::store::{Tx, account, autologin, identity, provider_session, token};

impl SignIn {
    /// Keeps an attempt that owes a step. Only the browser with the handle can go on.
    pub(super) async fn park(
        &self,
        ctx: &Context,
        attempt: &Attempt,
        step: Step,
    ) -> Result<AttemptHandle, SignInError> {
        let handle = AttemptHandle::new(ctx.bytes());
        let until = attempt.expires_at;
        self.core
            .volatile
            .put(Shelf::Attempt, fingerprint(handle.expose()), stored(attempt)?, until, ctx.now())
            .await?;
        let mut tx = self.core.database.begin_beside().await?;
        let detail = serde_json::json!({ "attempt": attempt.id, "way": attempt.identity.way, "step": step });
        ctx.record(&mut tx, Event::about(Act::SignInStepOwed, attempt.identity.account).with(detail)).await?;
        tx.commit().await?;
        Ok(handle)
    }

    /// Opens the session of an attempt that owes nothing, remembers the browser if asked to, and forgets the account's
    /// failures. If the durable part fails, the session is taken back.
    pub(super) async fn open(
        &self,
        ctx: &Context,
        attempt: Attempt,
        facts: &Facts,
        username: String,
    ) -> Result<Opened, SignInError> {
        let identity = &attempt.identity;
        let ends_by = identity.voucher.as_ref().and_then(|voucher| voucher.ends_at);
        // A browser that stays signed in would outlive what the provider vouched for.
        let stays = attempt.stay && identity.way != Way::Autologin && ends_by.is_none();
        let fresh = self.remembered(ctx, &identity.account, stays);
        let remembered = fresh.as_ref().map(|(one, _)| one.id).or(identity.remembered);
        // Said of the session only where the device stood in for the factor.
        let spared = facts.enrolled && !identity.methods.has(Methods::MULTI_FACTOR) && attempt.device.is_some();
        let methods = if spared { identity.methods.and(Methods::REMEMBERED_DEVICE) } else { identity.methods };
        let proof = Proof {
            account: identity.account,
            methods,
            authenticated_at: identity.authenticated_at,
            remembered,
            not_before: facts.valid_from,
            source: identity.voucher.as_ref().map(|voucher| voucher.source.clone()),
            ends_by,
        };
        if parked::is_ended(&self.core, ctx, &attempt).await? {
            return Err(SignInError::Outdated);
        }
        let (handle, hash, session) = self.sessions.open(ctx, proof).await?;
        let remember = fresh.as_ref().map(|(one, _)| one);
        let device = match self.write_opening(ctx, &attempt, session, remember, facts).await {
            Ok(device) => device,
            Err(error) => {
                self.core.volatile.end_handle(&hash).await?;
                return Err(error);
            }
        };
        if let Some(old) = attempt.replaces {
            let ended = self.core.volatile.end_handle(&old).await?;
            self.core.metrics.sessions_ended(u64::from(ended));
        }
        let Attempt { identity: VerifiedIdentity { account, way, .. }, return_to, .. } = attempt;
        // Another process may have unlocked the account a moment ago; this session must not meet the stale card.
        self.core.cards.forget(&Notice::Account(account));
        let identities = match way {
            Way::Directory => {
                let mut link = self.core.database.read().await?;
                identity::of_account(&mut link, account).await?
            }
            _ => Vec::new(),
        };
        self.core.limiter.forget(account, &identities).await?;
        self.core.metrics.sign_in(counted(way), SignInOutcome::Succeeded);
        let autologin = fresh.map(|(_, token)| token);
        Ok(Opened { handle, autologin, device, return_to, account, username })
    }

    async fn write_opening(
        &self,
        ctx: &Context,
        attempt: &Attempt,
        session: SessionId,
        remember: Option<&Remembered>,
        facts: &Facts,
    ) -> Result<Option<AutologinToken>, SignInError> {
        let VerifiedIdentity { account, way, voucher, .. } = &attempt.identity;
        let mut tx = self.core.database.begin_for(*account).await?;
        // Since the last look somebody may have locked the account or changed its password, on another node as well; the
        // mark that this moved must not be passed by a session that does not know of it.
        let now = account::by_id(&mut tx, *account).await?;
        if now.is_none_or(|one| one.sessions_valid_from != facts.valid_from || !one.may_sign_in(ctx.now())) {
            return Err(SignInError::Outdated);
        }
        self.notice_device(ctx, &mut tx, *account, *way).await?;
        account::signed_in(&mut tx, *account, ctx.now()).await?;
        // Whoever can sign in needs no way around the password; a link in an old letter must not outlive that.
        token::void(&mut tx, *account, Some(token::Purpose::Recovery)).await?;
        if let Some(one) = remember {
            autologin::insert(&mut tx, one).await?;
            let detail = serde_json::json!({ "browser": one.id });
            ctx.record(&mut tx, Event::about(Act::BrowserRemembered, one.account).with(detail)).await?;
        }
        if let Some(voucher) = voucher.clone() {
            let browser = remember.map(|one| one.id).or(attempt.identity.remembered);
            self.vouch_for(ctx, &mut tx, session, voucher, browser).await?;
        }
        let asked = attempt.done.contains(&Step::SecondFactor);
        let token = match attempt.device {
            Some(known) if !asked => device::rotate_in(ctx, &mut tx, &known).await?,
            _ if asked && attempt.keep_device && self.core.policy.factor.remember_days > 0 => {
                Some(device::remember_in(&self.core, ctx, &mut tx, *account).await?)
            }
            _ => None,
        };
        let act = if *way == Way::StepUp { Act::SteppedUp } else { Act::SignedIn };
        let source = voucher.as_ref().map(|voucher| &voucher.source);
        let stated = voucher.as_ref().map(|voucher| &voucher.stated).filter(|stated| **stated != Stated::default());
        let detail = serde_json::json!({
            "way": way, "session": session, "attempt": attempt.id, "source": source, "stated": stated,
        });
        ctx.record(&mut tx, Event::about(act, *account).with(detail)).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Notes who vouches for a session. One that takes the place of another takes over what is known of that one, so that
    /// the two never go to the provider with the same token.
    async fn vouch_for(
        &self,
        ctx: &Context,
        tx: &mut Tx,
        session: SessionId,
        voucher: Voucher,
        remembered: Option<RememberedId>,
    ) -> Result<(), SignInError> {
        let now = ctx.now();
        let lasts = now.after(self.core.policy.lifetimes.absolute);
        let ends_at = voucher.ends_at.map_or(lasts, |end| end.min(lasts));
        let goes_on = match voucher.carried {
            Some(Carried::Session(old)) => vouched_session::renamed(tx, old, session).await?,
            Some(Carried::Browser(browser)) => provider_session::resumed(tx, browser, session, now, ends_at).await?,
            None => {
                let Voucher { identity, upstream, sealed, source, .. } = voucher;
                let interval = self.core.policy.sources.get(&source).and_then(|rules| rules.revalidate);
                let check_at = interval.map(|interval| now.after(interval));
                let one = ProviderSession { session, identity, upstream, sealed, ends_at, remembered, check_at };
                vouched_session::opened(tx, &one, now).await?;
                true
            }
        };
        // The provider ended it while its owner was on the way.
        if goes_on { Ok(()) } else { Err(SignInError::Outdated) }
    }

    /// A family for this browser, if it shall be remembered and the policy allows.
    fn remembered(
        &self,
        ctx: &Context,
        account: &crate::domain::id::AccountId,
        wanted: bool,
    ) -> Option<(Remembered, AutologinToken)> {
        let lifetime = self.core.policy.autologin_days;
        if !wanted || lifetime == 0 {
            return None;
        }
        let id = RememberedId::new(ctx.uuid());
        let token = AutologinToken { id, secret: Secret::new(ctx.bytes()) };
        let now = ctx.now();
        let one = Remembered {
            id,
            account: *account,
            current: fingerprint(token.secret.expose()),
            previous: None,
            rotated_at: now,
            authenticated_at: now,
            expires_at: now.after(days(lifetime)),
            created_at: now,
            device: ctx.origin.device.clone(),
            network: ctx.origin.network(),
        };
        Some((one, token))
    }
}

pub(super) const fn counted(way: Way) -> SignInWay {
    match way {
        Way::Password => SignInWay::Password,
        Way::Autologin => SignInWay::Autologin,
        Way::Passkey => SignInWay::Passkey,
        Way::StepUp => SignInWay::StepUp,
        Way::Provider => SignInWay::Provider,
        Way::Directory => SignInWay::Directory,
    }
}

pub(super) fn stored(attempt: &Attempt) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(attempt).map_err(|_| Trouble::Sealing("an attempt could not be written"))
}
