//! Jobs that one node at a time may do: a lease in the database says which. Which jobs these are, their services decide.
//!
//! A node that ends without a word keeps its leases until they run out; a node that stops in order gives them back. No
//! clock of a node counts: when a lease runs out is said by the database, and its holder stops believing in it by the time
//! that has passed since before it asked.

use super::context::Context;
use super::core::{Core, Trouble};
use crate::store::Tx;
use crate::store::lease::{self, Claim};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// The leases of this process.
#[derive(Clone)]
pub struct Leases {
    core: Arc<Core>,
}

/// A lease that was taken. Dropped, it runs out by itself; [`Lease::give_back`] is kinder to the others.
pub struct Lease {
    leases: Leases,
    name: Box<str>,
    span: Duration,
    good_until: Instant,
}

impl Leases {
    /// Leases over a core.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Takes the lease of this name for a while; takes it anew when this process has it. `None` when another node has it.
    ///
    /// # Errors
    /// [`Trouble`]; then it is not known who has it, and the job must not be done.
    pub async fn take(&self, ctx: &Context, name: &str, span: Duration) -> Result<Option<Lease>, Trouble> {
        let asked = Instant::now();
        let mut tx = self.core.database.begin_beside().await?;
        let now = lease::time(&mut tx, ctx.now()).await?;
        if !lease::take(&mut tx, self.claim(name), now, now.after(span)).await? {
            return Ok(None);
        }
        tx.commit().await?;
        // A twentieth for clocks that do not run at the same pace.
        let good_until = asked + span.mul_f64(0.95);
        Ok(Some(Lease { leases: self.clone(), name: name.into(), span, good_until }))
    }

    /// Does work while this node has the lease of this name: takes it, renews it meanwhile, gives it back. `None` when
    /// another node has it. When it is lost on the way, the work is dropped where it stands, and the answer is `None` too:
    /// work that writes calls [`Leases::confirm`] in its transactions.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was done then.
    pub async fn alone<T>(
        &self,
        ctx: &Context,
        name: &str,
        span: Duration,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, Trouble> {
        let Some(mut lease) = self.take(ctx, name, span).await? else { return Ok(None) };
        let done = {
            let (work, lost) = (pin!(work), pin!(lease.keep(ctx)));
            tokio::select! {
                biased;
                done = work => Some(done),
                () = lost => None,
            }
        };
        if done.is_none() {
            tracing::warn!(job = name, "another node may do this job now; it was broken off here");
        }
        lease.give_back().await;
        Ok(done)
    }

    /// Whether this process has the lease of this name; until the transaction ends nobody else gets it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn confirm(&self, ctx: &Context, tx: &mut Tx, name: &str) -> Result<bool, Trouble> {
        let now = lease::time(tx, ctx.now()).await?;
        Ok(lease::confirm(tx, self.claim(name), now).await?)
    }

    /// Gives everything back, when the service stops. What cannot be given back runs out.
    pub async fn give_all_back(&self) {
        if let Err(error) = self.write_back(None).await {
            tracing::warn!(%error, "leases could not be given back; they run out by themselves");
        }
    }

    async fn write_back(&self, name: Option<&str>) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        match name {
            Some(name) => lease::give_back(&mut tx, self.claim(name)).await?,
            None => drop(lease::give_all_back(&mut tx, self.core.node).await?),
        }
        Ok(tx.commit().await?)
    }

    fn claim<'a>(&self, name: &'a str) -> Claim<'a> {
        Claim { name, holder: self.core.node }
    }
}

impl Lease {
    /// Whether it is this node's for certain.
    #[must_use]
    pub fn is_held(&self) -> bool {
        Instant::now() < self.good_until
    }

    /// Takes it for the whole span again. False when another node has taken it meanwhile.
    ///
    /// # Errors
    /// [`Trouble`]; it is held as long as it was before.
    pub async fn renew(&mut self, ctx: &Context) -> Result<bool, Trouble> {
        match self.leases.take(ctx, &self.name, self.span).await? {
            Some(anew) => self.good_until = anew.good_until,
            None => self.good_until = Instant::now(),
        }
        Ok(self.is_held())
    }

    /// Gives it back. What cannot be given back runs out.
    pub async fn give_back(self) {
        if let Err(error) = self.leases.write_back(Some(&self.name)).await {
            tracing::warn!(%error, job = &*self.name, "a lease could not be given back; it runs out by itself");
        }
    }

    /// Renews until it is lost.
    async fn keep(&mut self, ctx: &Context) {
        loop {
            sleep(self.span / 3).await;
            let end = self.good_until;
            match timeout_at(end, self.renew(ctx)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(%error, job = &*self.name, "a lease could not be renewed yet");
                    if !self.is_held() {
                        sleep_until(end).await;
                        return;
                    }
                }
            }
        }
    }
}
