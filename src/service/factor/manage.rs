//! Looking at one's authenticators, renaming, preferring and removing them; and taking all away for somebody who lost them.

use super::{COLUMN, FactorError, Factors, phone};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Event};
use crate::domain::authenticator::{Authenticator, AuthenticatorName, Kind};
use crate::domain::autologin::Remembered;
use crate::domain::id::{AuthenticatorId, RememberedId};
use crate::domain::secret::Secret;
use crate::domain::session::{CredentialEvent, Methods};
use crate::service::access_news::AccessNews;
use crate::service::caller::{Operator, SignedIn, SteppedUp};
use crate::service::context::Context;
use crate::service::core::Trouble;
use crate::service::outbox::{self, Order};
use crate::service::revocation;
use crate::service::session::Handle;
use crate::store::{authenticator, backup_code, remembered_device};

/// Rows that are looked at together when sealing anew.
const PAGE: u32 = 500;

/// What a person sees of their second factors.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What is bound, the preferred one first.
    pub authenticators: Vec<Authenticator>,
    /// The numbers among them, masked.
    pub numbers: Vec<(AuthenticatorId, String)>,
    /// Backup codes left.
    pub backup_codes: u32,
    /// Devices that are spared the factor.
    pub devices: Vec<Remembered>,
    /// Whether the policy asks this account for one.
    pub required: bool,
    /// What can be bound.
    pub kinds: Vec<Kind>,
}

impl Factors {
    /// What the person has.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn overview(&self, ctx: &Context, who: &SignedIn) -> Result<Overview, Trouble> {
        let account = &who.card().account;
        let numbers = phone::masked(&self.core, account.id).await?;
        let mut link = self.core.database.read().await?;
        let stored = authenticator::of_account(&mut link, account.id).await?;
        Ok(Overview {
            numbers,
            authenticators: stored.into_iter().map(|one| one.about).collect(),
            backup_codes: backup_code::left(&mut link, account.id).await?,
            devices: remembered_device::of_account(&mut link, account.id, ctx.now()).await?,
            required: Self::required(&self.core, &mut link, account).await?,
            kinds: self.core.bindable(),
        })
    }

    /// Renames one.
    ///
    /// # Errors
    /// [`FactorError::NotFound`].
    pub async fn rename(
        &self,
        ctx: &Context,
        who: &SteppedUp,
        id: AuthenticatorId,
        name: &AuthenticatorName,
    ) -> Result<(), FactorError> {
        let mut tx = self.core.database.begin().await?;
        if !authenticator::rename(&mut tx, who.account(), id, name.as_str()).await? {
            return Err(FactorError::NotFound);
        }
        let detail = serde_json::json!({ "authenticator": id, "change": "name" });
        ctx.record(&mut tx, Event::about(Act::FactorChanged, who.account()).with(detail)).await?;
        Ok(tx.commit().await?)
    }

    /// Makes one the one that is asked for first.
    ///
    /// # Errors
    /// [`FactorError::NotFound`].
    pub async fn prefer(&self, ctx: &Context, who: &SteppedUp, id: AuthenticatorId) -> Result<(), FactorError> {
        let mut tx = self.core.database.begin().await?;
        let present = authenticator::of_account(&mut tx, who.account()).await?;
        if !present.iter().any(|one| one.about.id == id) {
            return Err(FactorError::NotFound);
        }
        authenticator::prefer(&mut tx, who.account(), id).await?;
        let detail = serde_json::json!({ "authenticator": id, "change": "preferred" });
        ctx.record(&mut tx, Event::about(Act::FactorChanged, who.account()).with(detail)).await?;
        Ok(tx.commit().await?)
    }

    /// Removes one. Other sessions end, this one gets a new handle. Backup codes go with the last one.
    ///
    /// # Errors
    /// [`FactorError::Required`] for the last one while one is required; [`FactorError::NotFound`].
    pub async fn remove(&self, ctx: &Context, who: &SteppedUp, id: AuthenticatorId) -> Result<Handle, FactorError> {
        let account = &who.card().account;
        let mut tx = self.core.database.begin().await?;
        let mut present = authenticator::of_account(&mut tx, account.id).await?;
        let place = present.iter().position(|one| one.about.id == id).ok_or(FactorError::NotFound)?;
        let gone = present.remove(place).about;
        if present.is_empty() && Self::required(&self.core, &mut tx, account).await? {
            return Err(FactorError::Required);
        }
        authenticator::remove(&mut tx, account.id, id).await?;
        match present.first() {
            None => drop(backup_code::remove_all(&mut tx, account.id).await?),
            Some(next) if gone.preferred => authenticator::prefer(&mut tx, account.id, next.about.id).await?,
            Some(_) => {}
        }
        let detail = serde_json::json!({ "authenticator": id, "kind": gone.kind });
        ctx.record(&mut tx, Event::about(Act::FactorRemoved, account.id).with(detail)).await?;
        let news = AccessNews::Removed { kind: gone.kind, name: gone.name };
        outbox::order(&self.core, ctx, &mut tx, Some(account.id), &Order::Factor { news, at: ctx.now() }).await?;
        let event = CredentialEvent::FactorRemoved;
        let aftermath = revocation::revoke(ctx, &mut tx, account.id, event, None).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(self.sessions.renew_with(ctx, who, event, Methods::default()).await?)
    }

    /// Asks a device for the second factor again.
    ///
    /// # Errors
    /// [`FactorError::NotFound`].
    pub async fn forget_device(&self, ctx: &Context, who: &SignedIn, id: RememberedId) -> Result<(), FactorError> {
        let mut tx = self.core.database.begin().await?;
        if !remembered_device::forget(&mut tx, who.account(), id).await? {
            return Err(FactorError::NotFound);
        }
        let detail = serde_json::json!({ "device": id });
        ctx.record(&mut tx, Event::about(Act::DeviceForgotten, who.account()).with(detail)).await?;
        Ok(tx.commit().await?)
    }

    /// Seals with the key in use what an older one has sealed, so that keys can retire. Returns how many.
    ///
    /// # Errors
    /// [`Trouble`]; what was sealed anew stays so.
    pub async fn reseal(&self, ctx: &Context) -> Result<usize, Trouble> {
        let (mut after, mut count) = (uuid::Uuid::nil(), 0);
        loop {
            let page = {
                let mut link = self.core.database.read().await?;
                authenticator::page(&mut link, after, PAGE).await?
            };
            let Some((last, _)) = page.last() else { return Ok(count) };
            after = last.uuid();
            for (id, old) in page.iter().filter(|(_, sealed)| self.core.column_keys.is_outdated(sealed)) {
                let plain = Secret::new(self.core.open_column(COLUMN, old)?);
                let new = self.core.seal_column(ctx, COLUMN, plain.expose())?;
                let mut tx = self.core.database.begin().await?;
                count += usize::from(authenticator::reseal(&mut tx, *id, old, &new).await?);
                tx.commit().await?;
            }
        }
    }

    /// Takes all authenticators and backup codes of somebody away who lost them; every session ends, and they are told.
    /// Returns how many there were.
    ///
    /// # Errors
    /// [`Trouble`]; nothing has changed then.
    pub async fn reset(&self, ctx: &Context, _by: Operator, account: &Account) -> Result<u64, Trouble> {
        let mut tx = self.core.database.begin().await?;
        let count = authenticator::remove_all(&mut tx, account.id).await?;
        backup_code::remove_all(&mut tx, account.id).await?;
        let detail = serde_json::json!({ "count": count });
        ctx.record(&mut tx, Event::about(Act::FactorsReset, account.id).with(detail)).await?;
        let order = Order::Factor { news: AccessNews::Reset, at: ctx.now() };
        outbox::order(&self.core, ctx, &mut tx, Some(account.id), &order).await?;
        let event = CredentialEvent::FactorsReset;
        let aftermath = revocation::revoke(ctx, &mut tx, account.id, event, None).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(count)
    }
}
