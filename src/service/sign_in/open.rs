//! The corridor's end: attempts that wait, and the session that opens.

use super::{AttemptHandle, Opened, SignIn, SignInError, Trouble};
use crate::domain::audit::{Act, Event};
use crate::domain::autologin::Remembered;
use crate::domain::id::{RememberedId, SessionId};
use crate::domain::notice::Notice;
use crate::domain::secret::Secret;
use crate::domain::sign_in::{Attempt, Facts, Step, Voucher, Way};
use crate::domain::time::days;
use crate::service::autologin_token::AutologinToken;
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::metrics::{SignInOutcome, SignInWay};
use crate::service::session::Proof;
use crate::store::identity::{self, ProviderSession};
use crate::store::volatile::Shelf;
use crate::store::{account, autologin, token};

/// What is written when a session opens.
struct Opening<'a> {
    way: Way,
    event: Event,
    remember: Option<&'a Remembered>,
    arrival: Option<ProviderSession>,
}

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
        let mut tx = self.core.database.begin().await?;
        let detail = serde_json::json!({ "attempt": attempt.id, "way": attempt.identity.way, "step": step });
        ctx.record(&mut tx, Event::about(Act::SignInStepOwed, attempt.identity.account).with(detail)).await?;
        tx.commit().await?;
        Ok(handle)
    }

    /// Opens the session of an attempt that owes nothing, remembers the browser if asked to, and forgets the account's
    /// failures. If the durable part fails, the session is taken back.
    pub(super) async fn open(&self, ctx: &Context, attempt: Attempt, facts: &Facts) -> Result<Opened, SignInError> {
        let Attempt { id: attempt_id, identity, return_to, stay, replaces, .. } = attempt;
        let (account, way) = (identity.account, identity.way);
        let fresh = self.remembered(ctx, &identity.account, stay && identity.way != Way::Autologin);
        let remembered = fresh.as_ref().map(|(one, _)| one.id).or(identity.remembered);
        let proof = Proof {
            account: identity.account,
            methods: identity.methods,
            authenticated_at: identity.authenticated_at,
            remembered,
            not_before: facts.valid_from,
            source: identity.voucher.as_ref().map(|voucher| voucher.source.clone()),
        };
        let (handle, hash, session) = self.sessions.open(ctx, proof).await?;
        let source = identity.voucher.as_ref().map(|voucher| &voucher.source);
        let detail =
            serde_json::json!({ "way": identity.way, "session": session, "attempt": attempt_id, "source": source });
        let opening = Opening {
            way: identity.way,
            event: Event::about(Act::SignedIn, identity.account).with(detail),
            remember: fresh.as_ref().map(|(one, _)| one),
            arrival: identity.voucher.map(|voucher| self.provider_session(ctx, session, voucher)),
        };
        if let Err(error) = self.write_opening(ctx, opening).await {
            self.core.volatile.end_handle(&hash).await?;
            return Err(error.into());
        }
        if let Some(old) = replaces {
            let ended = self.core.volatile.end_handle(&old).await?;
            self.core.metrics.sessions_ended(u64::from(ended));
        }
        // Another process may have unlocked the account a moment ago; this session must not meet the stale card.
        self.core.cards.forget(&Notice::Account(account));
        self.core.limiter.forget(account).await?;
        self.core.metrics.sign_in(counted(way), SignInOutcome::Succeeded);
        let autologin = fresh.map(|(_, token)| token);
        Ok(Opened { handle, autologin, return_to, account })
    }

    async fn write_opening(&self, ctx: &Context, opening: Opening<'_>) -> Result<(), Trouble> {
        let Opening { way, event, remember, arrival } = opening;
        let mut tx = self.core.database.begin().await?;
        if let Some(account) = event.subject {
            self.notice_device(ctx, &mut tx, account, way).await?;
            account::signed_in(&mut tx, account, ctx.now()).await?;
            // Whoever can sign in needs no way around the password; a link in an old letter must not outlive that.
            token::void(&mut tx, account, Some(token::Purpose::Recovery)).await?;
        }
        if let Some(one) = remember {
            autologin::insert(&mut tx, one).await?;
            let detail = serde_json::json!({ "browser": one.id });
            ctx.record(&mut tx, Event::about(Act::BrowserRemembered, one.account).with(detail)).await?;
        }
        if let Some(one) = arrival {
            identity::opened(&mut tx, &one, ctx.now()).await?;
        }
        ctx.record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }

    fn provider_session(&self, ctx: &Context, session: SessionId, voucher: Voucher) -> ProviderSession {
        let ends_at = ctx.now().after(self.core.policy.lifetimes.absolute);
        let Voucher { identity, upstream, sealed, .. } = voucher;
        ProviderSession { session, identity, upstream, sealed, ends_at }
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
        Way::Provider => SignInWay::Provider,
        Way::Directory => SignInWay::Directory,
    }
}

pub(super) fn stored(attempt: &Attempt) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(attempt).map_err(|_| Trouble::Sealing("an attempt could not be written"))
}
