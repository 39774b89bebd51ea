//! One synchronisation from end to end: take the lease, read, plan, carry out, say what came of it.

use super::apply::{Done, Turn, apply};
use super::read::{Progress, snapshot};
use super::{Connected, Directories};
use crate::connect::ldap::LdapError;
use crate::domain::directory::plan::{Plan, plan};
use crate::service::context::Context;
use crate::service::core::Trouble;
use crate::service::lease::Leases;
use crate::store::{StoreError, directory};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// How long others wait when the process that synchronises is killed; it is renewed while the work goes on.
const LEASE: Duration = Duration::from_secs(30);
/// Remarks that go to the log; the plan has all.
const REMARKS: usize = 20;

/// How a synchronisation is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Only say what would happen.
    pub dry_run: bool,
    /// Carry out removals that are otherwise refused.
    pub confirm: bool,
}

/// What came of a synchronisation.
#[derive(Debug)]
pub struct Outcome {
    /// What was planned.
    pub plan: Plan,
    /// What was done; `None` for a dry run.
    pub done: Option<Done>,
}

/// Why nothing was synchronised.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No directory has this slug.
    #[error("there is no directory {0:?} in the configuration")]
    Unknown(String),
    /// Another process is at it.
    #[error("the directory {0} is being synchronised already, by another process")]
    Running(String),
    /// The directory did not answer, or not to the end: nothing was changed.
    #[error("{slug}: {error}; nothing was changed")]
    Directory {
        /// Which directory.
        slug: String,
        /// What went wrong.
        error: LdapError,
    },
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Directories {
    /// Synchronises one directory.
    ///
    /// # Errors
    /// [`SyncError`]; nothing was changed then.
    pub async fn sync(
        &self,
        ctx: &Context,
        slug: &str,
        options: Options,
        progress: Progress<'_>,
    ) -> Result<Outcome, SyncError> {
        let connected = self.named(slug).ok_or_else(|| SyncError::Unknown(slug.to_owned()))?;
        if options.dry_run {
            let plan = self.planned(ctx, &connected, options, progress).await?;
            return Ok(Outcome { plan, done: None });
        }
        let ran = self.alone(ctx, &connected, options, (false, progress)).await?;
        ran.ok_or_else(|| SyncError::Running(slug.to_owned()))
    }

    /// One run under the directory's lease; `None` when another process has it, or, if it is asked whether the time has
    /// come, when it has not.
    async fn alone(
        &self,
        ctx: &Context,
        connected: &Connected,
        options: Options,
        (when_due, progress): (bool, Progress<'_>),
    ) -> Result<Option<Outcome>, SyncError> {
        // A lease is a process'; within this one it is that lock.
        let Ok(_here) = connected.turn.try_lock() else { return Ok(None) };
        let job = job(&connected.policy.slug);
        let leases = Leases::new(Arc::clone(&self.core));
        let turn = Turn { leases: leases.clone(), job: job.clone() };
        let work = Box::pin(async {
            // Another node may have done it between the question and the lease.
            if when_due && !self.is_due(ctx, connected).await? {
                return Ok(None);
            }
            let began = ctx.now();
            let ran = self.run(ctx, connected, options, (progress, &turn)).await;
            let outcome = match &ran {
                Ok(outcome) if !outcome.plan.cut.is_empty() => "partial",
                Ok(outcome) if outcome.plan.refusals().is_empty() => "done",
                Ok(_) => "refused",
                Err(_) => "failed",
            };
            let mut tx = self.core.database.begin_beside().await?;
            directory::ran(&mut tx, &connected.source(), (began, ctx.now()), outcome).await?;
            tx.commit().await?;
            if let Err(error) = &ran {
                tracing::error!(directory = connected.policy.slug, %error, "a directory was not synchronised");
            }
            ran.map(Some)
        });
        leases.alone(ctx, &job, LEASE, work).await?.unwrap_or(Ok(None))
    }

    async fn is_due(&self, ctx: &Context, connected: &Connected) -> Result<bool, Trouble> {
        let mut link = self.core.database.read().await?;
        let last = directory::last_run(&mut link, &connected.source()).await?;
        Ok(last.is_none_or(|last| ctx.now() >= last.after(connected.policy.interval)))
    }

    /// Synchronises every directory whose time has come, one after the other. What fails is in the log, and does not
    /// stop the others.
    ///
    /// # Errors
    /// [`Trouble`] when a store does not answer.
    pub async fn sync_due(&self, ctx: &Context) -> Result<(), Trouble> {
        for connected in &self.core.directories {
            if connected.policy.interval.is_zero() || !self.is_due(ctx, connected).await? {
                continue;
            }
            // What went wrong there is in the log, and does not stop the others.
            if let Err(SyncError::Trouble(trouble)) =
                self.alone(ctx, connected, Options::default(), (true, &mut |_| {})).await
            {
                return Err(trouble);
            }
        }
        Ok(())
    }

    async fn planned(
        &self,
        ctx: &Context,
        connected: &Connected,
        options: Options,
        progress: Progress<'_>,
    ) -> Result<Plan, SyncError> {
        let policy = &connected.policy;
        let failed = |error| SyncError::Directory { slug: policy.slug.clone(), error };
        let mut connection = connected.server.connect().await.map_err(failed)?;
        // Both sides at once. What changes here meanwhile is looked at again when the plan is carried out.
        let (database, source) = (self.core.database.clone(), connected.source());
        let mut beside = JoinSet::new();
        let runtime = Handle::current();
        // On a thread of its own: taking tens of thousands of rows apart must not keep the directory waiting.
        beside.spawn_blocking(move || {
            runtime.block_on(async {
                let mut link = database.read().await?;
                directory::known(&mut link, &source).await
            })
        });
        let read = snapshot(&mut connection, policy, ctx.now(), progress).await;
        drop(connection);
        let snapshot = read.map_err(failed)?;
        let known = match beside.join_next().await {
            Some(Ok(known)) => known?,
            _ => return Err(StoreError::Unavailable("what is kept could not be read".to_owned()).into()),
        };
        let mut settings = policy.settings;
        settings.confirmed = options.confirm;
        Ok(plan(&snapshot, &known, &settings))
    }

    async fn run(
        &self,
        ctx: &Context,
        connected: &Connected,
        options: Options,
        (progress, turn): (Progress<'_>, &Turn),
    ) -> Result<Outcome, SyncError> {
        let plan = self.planned(ctx, connected, options, progress).await?;
        let slug = &connected.policy.slug;
        for remark in plan.remarks.iter().take(REMARKS) {
            tracing::warn!(directory = slug, remark, "while synchronising");
        }
        if plan.remarks.len() > REMARKS {
            tracing::warn!(directory = slug, more = plan.remarks.len() - REMARKS, "more remarks: see a dry run");
        }
        for what in &plan.cut {
            tracing::warn!(
                directory = slug,
                what,
                "the directory was not read to its end: nobody leaves on account of it"
            );
        }
        for refusal in plan.refusals() {
            tracing::error!(directory = slug, refusal, "refused: look at `vestibule sync --dry-run`, then --confirm");
        }
        let done =
            if plan.is_idle() { Done::default() } else { apply(&self.core, ctx, connected, (&plan, turn)).await };
        for failure in &done.failures {
            tracing::error!(directory = slug, failure, "while synchronising");
        }
        tracing::info!(
            directory = slug,
            people = plan.people,
            created = done.created,
            updated = done.updated,
            locked = done.locked,
            unlocked = done.unlocked,
            added = done.added,
            removed = done.removed,
            "a directory was synchronised"
        );
        Ok(Outcome { plan, done: Some(done) })
    }
}

/// The name of the lease under which a directory is synchronised.
fn job(slug: &str) -> String {
    format!("directory:{slug}")
}
