//! What the clock asks for: noticing changes of other processes, sweeping what has expired.

use super::context::Context;
use super::core::{Core, Trouble};
use super::keys::Keys;
use super::revocation;
use crate::domain::audit::{Act, Event};
use crate::domain::notice::Notice;
use crate::domain::session::CredentialEvent;
use crate::store::notice;
use crate::store::{StoreError, account, autologin, identity, known_device, token};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Notices are kept for this long; a process that slept longer starts with empty caches anyway.
const NOTICES_KEPT: Duration = Duration::from_hours(1);

/// Accounts that one sweep ends at the most; the next one goes on.
const ENDED_AT_ONCE: u32 = 100;
/// A browser and network that an account was not used from for this long are news again.
const DEVICES_KEPT: Duration = Duration::from_hours(24 * 180);

/// Housekeeping over a core.
#[derive(Clone)]
pub struct Housekeeping {
    core: Arc<Core>,
    keys: Keys,
    seen: Arc<AtomicI64>,
}

impl Housekeeping {
    /// Housekeeping that notices what happens from now on.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn begin(core: Arc<Core>, keys: Keys) -> Result<Self, Trouble> {
        let newest = {
            let mut link = core.database.read().await?;
            notice::newest(&mut link).await?
        };
        Ok(Self { core, keys, seen: Arc::new(AtomicI64::new(newest)) })
    }

    /// Learns what other processes on this database changed: forgets stale cards, reloads keys.
    ///
    /// # Errors
    /// [`Trouble`]; the next round looks again from the same place.
    pub async fn notice(&self, ctx: &Context) -> Result<(), Trouble> {
        let seen = self.seen.load(Ordering::SeqCst);
        let (notices, last) = {
            let mut link = self.core.database.read().await?;
            notice::after(&mut link, seen).await?
        };
        for notice in &notices {
            self.core.cards.forget(notice);
        }
        if notices.contains(&Notice::Keys) {
            self.reload_keys(ctx).await;
        }
        self.seen.store(last, Ordering::SeqCst);
        Ok(())
    }

    /// Drops keys whose time is over.
    pub async fn reload_keys(&self, ctx: &Context) {
        if let Err(error) = self.keys.reload(ctx.now()).await {
            tracing::error!(%error, "the key ring could not be read again; the one in memory stays");
        }
    }

    /// Removes what has expired, and ends what belongs to accounts whose time is over. Those could not sign in since, and
    /// their sessions were refused.
    ///
    /// # Errors
    /// [`Trouble`]; the next round goes on.
    pub async fn sweep(&self, ctx: &Context) -> Result<(), Trouble> {
        let ended = self.core.volatile.sweep(ctx.now()).await?;
        self.core.metrics.sessions_ended(ended);
        let mut tx = self.core.database.begin().await?;
        autologin::sweep(&mut tx, ctx.now()).await?;
        token::sweep(&mut tx, ctx.now()).await?;
        identity::sweep(&mut tx, ctx.now()).await?;
        known_device::prune(&mut tx, ctx.now().before(DEVICES_KEPT)).await?;
        notice::prune(&mut tx, ctx.now().before(NOTICES_KEPT)).await?;
        tx.commit().await?;
        self.end_accounts(ctx).await
    }

    async fn end_accounts(&self, ctx: &Context) -> Result<(), Trouble> {
        let ended = {
            let mut link = self.core.database.read().await?;
            account::ended(&mut link, ctx.now(), ENDED_AT_ONCE).await?
        };
        for id in ended {
            let mut tx = self.core.database.begin().await?;
            let aftermath = revocation::revoke(ctx, &mut tx, id, CredentialEvent::Locked, None).await?;
            ctx.record(&mut tx, Event::about(Act::AccountEnded, id)).await?;
            tx.commit().await?;
            aftermath.finish(&self.core).await;
        }
        Ok(())
    }

    /// Whether both stores answer.
    ///
    /// # Errors
    /// [`Trouble`] says which does not.
    pub async fn ready(&self) -> Result<(), Trouble> {
        let mut link = self.core.database.read().await?;
        notice::newest(&mut link).await?;
        if !self.core.database.writes() {
            return Err(StoreError::Unavailable("the last change could not be written".into()).into());
        }
        Ok(self.core.volatile.ready().await?)
    }
}
