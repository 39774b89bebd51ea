//! Verifier: a remembered browser ("stay logged in"). Rotated at each use; an old token shown again ends the family.

use super::{AttemptHandle, Opened, Outcome, SignIn, SignInError, Wishes};
use crate::domain::audit::{Act, Event};
use crate::domain::autologin::{Presented, Remembered};
use crate::domain::id::RememberedId;
use crate::domain::secret::Secret;
use crate::domain::session::{CredentialEvent, Methods};
use crate::domain::sign_in::{Carried, Step, VerifiedIdentity, Voucher, Way};
use crate::service::autologin_token::AutologinToken;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::service::outbox::{self, Order};
use crate::store::autologin::{self, Rotation};
use crate::store::{identity, remembered_device, vouched_session};

/// How a remembered browser fared.
#[derive(Debug)]
pub enum Restored {
    /// A session is open.
    Open(Box<Opened>),
    /// The second factor is owed; the browser gets the attempt's handle, and its next token.
    Owes(Step, AttemptHandle, Option<AutologinToken>),
    /// The cookie is worthless: take it away.
    Forget,
}

impl SignIn {
    /// Restores a session from the autologin cookie.
    ///
    /// # Errors
    /// [`SignInError::FreshProofNeeded`] when a step is owed that this way cannot do (the cookie stays);
    /// [`SignInError::Trouble`] when a store is away (the cookie stays).
    pub async fn with_autologin(
        &self,
        ctx: &Context,
        token: &AutologinToken,
        wishes: Wishes,
    ) -> Result<Restored, SignInError> {
        if self.core.policy.autologin_days == 0 {
            return Ok(Restored::Forget);
        }
        let hash = fingerprint(token.secret.expose());
        let mut rotated = None;
        let remembered = loop {
            let mut link = self.core.database.read().await?;
            let Some(remembered) = autologin::by_id(&mut link, token.id).await? else { return Ok(Restored::Forget) };
            drop(link);
            let clocks_differ = self.core.database.clocks_differ();
            match remembered.judge(&hash, same_browser(ctx, &remembered), ctx.now(), clocks_differ) {
                Presented::Expired => return Ok(Restored::Forget),
                Presented::SecondTab => break remembered,
                Presented::Replayed => {
                    self.stolen(ctx, &remembered).await?;
                    return Ok(Restored::Forget);
                }
                Presented::Current => {
                    if let Some(next) = self.rotate(ctx, &remembered).await? {
                        rotated = Some(next);
                        break remembered;
                    }
                    // Another request rotated it between the two statements: look again.
                }
            }
        };
        let restored = self.restore(ctx, &remembered, wishes).await;
        if restored.is_err() {
            // The browser never hears of the new token, so the one it shows next must be good.
            self.unrotate(ctx, &remembered, rotated.as_ref()).await?;
        }
        match restored? {
            None => Ok(Restored::Forget),
            Some(Outcome::Owes(step, handle)) => Ok(Restored::Owes(step, handle, rotated)),
            Some(Outcome::Open(mut opened)) => {
                opened.autologin = rotated;
                Ok(Restored::Open(opened))
            }
        }
    }

    async fn restore(
        &self,
        ctx: &Context,
        remembered: &Remembered,
        wishes: Wishes,
    ) -> Result<Option<Outcome>, SignInError> {
        let Some(account) = self.account(remembered.account).await? else { return Ok(None) };
        let voucher = self.voucher_of_browser(remembered.id).await?;
        let identity = VerifiedIdentity {
            way: Way::Autologin,
            account: account.id,
            methods: Methods::REMEMBERED,
            authenticated_at: remembered.authenticated_at,
            remembered: Some(remembered.id),
            voucher,
        };
        match self.proceed(ctx, &account, identity, Wishes { stay: false, ..wishes }).await {
            Ok(outcome) => Ok(Some(outcome)),
            Err(SignInError::Refused) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Who vouched when this browser was remembered: what the provider says later counts for what it opens, too.
    async fn voucher_of_browser(&self, id: RememberedId) -> Result<Option<Voucher>, Trouble> {
        let mut link = self.core.database.read().await?;
        let Some(row) = vouched_session::of_browser(&mut link, id).await? else { return Ok(None) };
        let Some(source) = identity::source_of(&mut link, row.identity).await? else { return Ok(None) };
        Ok(Some(super::step_up::going_on(row, source, Carried::Browser(id))))
    }

    async fn rotate(&self, ctx: &Context, remembered: &Remembered) -> Result<Option<AutologinToken>, Trouble> {
        let next = AutologinToken { id: remembered.id, secret: Secret::new(ctx.bytes()) };
        let hash = fingerprint(next.secret.expose());
        let network = ctx.origin.network();
        let rotation = Rotation { token: &hash, at: ctx.now(), device: &ctx.origin.device, network: &network };
        let mut tx = self.core.database.begin_for(remembered.account).await?;
        if !autologin::rotate(&mut tx, remembered.id, &remembered.current, &rotation).await? {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(next))
    }

    async fn unrotate(
        &self,
        ctx: &Context,
        before: &Remembered,
        rotated: Option<&AutologinToken>,
    ) -> Result<(), Trouble> {
        let Some(token) = rotated else { return Ok(()) };
        let mut tx = self.core.database.begin_for(before.account).await?;
        let back = Rotation { token: &before.current, at: ctx.now(), device: &before.device, network: &before.network };
        autologin::rotate(&mut tx, before.id, &fingerprint(token.secret.expose()), &back).await?;
        Ok(tx.commit().await?)
    }

    /// Someone else has, or had, this browser's token: end the family, tell the person.
    async fn stolen(&self, ctx: &Context, remembered: &Remembered) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin_for(remembered.account).await?;
        if !autologin::forget(&mut tx, remembered.account, remembered.id).await? {
            return Ok(());
        }
        if CredentialEvent::AutologinTheft.revokes().devices {
            remembered_device::forget_all(&mut tx, remembered.account).await?;
        }
        let detail = serde_json::json!({ "browser": remembered.id });
        ctx.record(&mut tx, Event::about(Act::AutologinReplayed, remembered.account).with(detail)).await?;
        let order = Order::AutologinReplayed { device: remembered.device.clone(), at: ctx.now() };
        outbox::order(&self.core, ctx, &mut tx, Some(remembered.account), &order).await?;
        let ended = self.core.volatile.end_family(remembered.id).await?;
        tx.commit().await?;
        self.core.metrics.sessions_ended(ended);
        Ok(())
    }
}

/// Whether device and network are those of the last use.
fn same_browser(ctx: &Context, remembered: &Remembered) -> bool {
    remembered.device == ctx.origin.device && remembered.network == ctx.origin.network()
}
