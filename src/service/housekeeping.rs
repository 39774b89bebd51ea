//! What the clock asks for: noticing changes of other processes, sweeping what has expired.

use super::context::Context;
use super::core::{Core, Trouble};
use super::factor::Factors;
use super::keys::Keys;
use super::lease::Leases;
use super::revocation;
use super::setting_seal;
use crate::domain::audit::{Act, Event};
use crate::domain::notice::Notice;
use crate::domain::session::CredentialEvent;
use crate::store::notice;
use crate::store::{StoreError, account, autologin, known_device, remembered_device, token, vouched_session};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Notices are kept for this long; a process that slept longer starts with empty caches anyway.
const NOTICES_KEPT: Duration = Duration::from_hours(1);

/// The lease of sweeping the database, and how long it lasts unrenewed.
const SWEEP: &str = "sweep";
const SWEEP_TURN: Duration = Duration::from_secs(30);
/// Accounts that one sweep ends at the most; the next one goes on.
const ENDED_AT_ONCE: u32 = 100;
/// A browser and network that an account was not used from for this long are news again.
const DEVICES_KEPT: Duration = Duration::from_hours(24 * 180);

/// Housekeeping over a core.
#[derive(Clone)]
pub struct Housekeeping {
    core: Arc<Core>,
    keys: Keys,
    seen: Arc<Mutex<Seen>>,
}

/// Which notices of other processes were noticed already.
#[derive(Default)]
struct Seen {
    /// All up to this number.
    settled: i64,
    /// And these after it; a notice with a smaller number may still come.
    ahead: BTreeSet<i64>,
    /// One of them was about keys, which are to be read again.
    keys: bool,
}

impl Housekeeping {
    /// Housekeeping that notices what happens from now on.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn begin(core: Arc<Core>, keys: Keys) -> Result<Self, Trouble> {
        let settled = {
            let mut link = core.database.read().await?;
            notice::settled(&mut link).await?
        };
        // What was read before the mark may be stale already: cards are read anew, keys with the first round.
        core.cards.forget(&Notice::Accounts);
        Ok(Self { core, keys, seen: Arc::new(Mutex::new(Seen { settled, keys: true, ..Seen::default() })) })
    }

    /// The same over the core of other settings; what was noticed stays noticed.
    #[must_use]
    pub fn over(&self, core: Arc<Core>) -> Self {
        Self { core, ..self.clone() }
    }

    /// Learns what other processes on this database changed: forgets stale cards, reloads keys.
    ///
    /// # Errors
    /// [`Trouble`]; the next round looks again from the same place.
    pub async fn notice(&self, ctx: &Context) -> Result<(), Trouble> {
        // Held over the round: of two rounds at once, the second finds nothing new.
        let mut seen = self.seen.lock().await;
        let asked = Instant::now();
        let mut link = self.core.database.read().await?;
        // Before the notices: whatever is settled now, they will hold.
        let settled = notice::settled(&mut link).await?;
        let (mut from, mut more) = (seen.settled, true);
        while more {
            let page = notice::after(&mut link, from).await?;
            more = page.more;
            for (number, notice) in page.notices {
                from = number;
                if !seen.ahead.insert(number) {
                    continue;
                }
                if let Some(notice) = notice {
                    self.core.cards.forget(&notice);
                    seen.keys |= notice == Notice::Keys;
                }
            }
        }
        drop(link);
        self.core.cards.heard(asked);
        if seen.keys {
            self.reload_keys(ctx).await;
            seen.keys = false;
        }
        let settled = seen.settled.max(settled);
        seen.ahead = seen.ahead.split_off(&settled.saturating_add(1));
        seen.settled = settled;
        Ok(())
    }

    /// Drops keys whose time is over.
    pub async fn reload_keys(&self, ctx: &Context) {
        if let Err(error) = self.keys.reload(ctx.now()).await {
            tracing::error!(%error, "the key ring could not be read again; the one in memory stays");
        }
    }

    /// Removes what has expired, and ends what belongs to accounts whose time is over. Those could not sign in since, and
    /// their sessions were refused. Every node writes what is behind in its own memory; of the database one takes care at a
    /// time.
    ///
    /// # Errors
    /// [`Trouble`]; the next round goes on.
    pub async fn sweep(&self, ctx: &Context) -> Result<(), Trouble> {
        let ended = self.core.volatile.sweep(ctx.now()).await?;
        self.core.metrics.sessions_ended(ended);
        let leases = Leases::new(Arc::clone(&self.core));
        leases.alone(ctx, SWEEP, SWEEP_TURN, Box::pin(self.sweep_database(ctx))).await?.unwrap_or(Ok(()))
    }

    async fn sweep_database(&self, ctx: &Context) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin().await?;
        autologin::sweep(&mut tx, ctx.now()).await?;
        remembered_device::sweep(&mut tx, ctx.now()).await?;
        token::sweep(&mut tx, ctx.now()).await?;
        vouched_session::sweep(&mut tx, ctx.now()).await?;
        known_device::prune(&mut tx, ctx.now().before(DEVICES_KEPT)).await?;
        super::trace::sweep(&self.core, &mut tx, ctx.now()).await?;
        notice::prune(&mut tx, ctx.now().before(NOTICES_KEPT)).await?;
        tx.commit().await?;
        // Lest one that cannot be opened stops the sweep.
        if let Err(error) = Factors::new(Arc::clone(&self.core)).reseal(ctx).await {
            tracing::error!(%error, "second factors could not be sealed with the key in use");
        }
        if let Err(error) = setting_seal::reseal_all(&self.core, ctx).await {
            tracing::error!(%error, "settings could not be sealed with the key in use");
        }
        self.end_accounts(ctx).await
    }

    async fn end_accounts(&self, ctx: &Context) -> Result<(), Trouble> {
        let ended = {
            let mut link = self.core.database.read().await?;
            account::ended(&mut link, ctx.now(), ENDED_AT_ONCE).await?
        };
        for id in ended {
            let mut tx = self.core.database.begin_for(id).await?;
            // Another node sweeps as well; of two, one ends the account.
            if !account::ended(&mut tx, ctx.now(), ENDED_AT_ONCE).await?.contains(&id) {
                continue;
            }
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
        notice::settled(&mut link).await?;
        if !self.core.database.writes() {
            return Err(StoreError::Unavailable("the last change could not be written".into()).into());
        }
        Ok(self.core.volatile.ready().await?)
    }
}
