//! One synchronisation from end to end: take the lease, read, plan, carry out, say what came of it.

use super::apply::{Done, apply};
use super::read::{Progress, snapshot};
use super::{Connected, Directories};
use crate::connect::ldap::LdapError;
use crate::domain::directory::plan::{Plan, plan};
use crate::service::context::Context;
use crate::service::core::Trouble;
use crate::store::{StoreError, directory};
use std::time::Duration;
use uuid::Uuid;

/// How long a process may hold a directory; one that was killed does not hold it for longer.
const LEASE: Duration = Duration::from_mins(30);
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
        let holder = ctx.uuid();
        if !self.lease(ctx, &connected, holder).await? {
            return Err(SyncError::Running(slug.to_owned()));
        }
        let ran = self.run(ctx, &connected, options, progress).await;
        let outcome = match &ran {
            Ok(outcome) if outcome.plan.refusals().is_empty() => "done",
            Ok(_) => "refused",
            Err(_) => "failed",
        };
        let mut tx = self.core.database.begin().await?;
        directory::give_back(&mut tx, &connected.source(), holder, outcome, ctx.now()).await?;
        tx.commit().await?;
        ran
    }

    /// Synchronises every directory whose time has come, one after the other. What fails is in the log, and does not
    /// stop the others.
    ///
    /// # Errors
    /// [`Trouble`] when a store does not answer.
    pub async fn sync_due(&self, ctx: &Context) -> Result<(), Trouble> {
        for connected in &self.core.directories {
            let interval = connected.policy.interval;
            if interval.is_zero() {
                continue;
            }
            let last = {
                let mut link = self.core.database.read().await?;
                directory::last_begun(&mut link, &connected.source()).await?
            };
            if last.is_some_and(|last| ctx.now() < last.after(interval)) {
                continue;
            }
            let slug = &connected.policy.slug;
            match self.sync(ctx, slug, Options::default(), &mut |_| {}).await {
                Ok(_) | Err(SyncError::Running(_)) => {}
                Err(SyncError::Trouble(trouble)) => return Err(trouble),
                Err(error) => tracing::error!(directory = slug, %error, "a directory was not synchronised"),
            }
        }
        Ok(())
    }

    async fn lease(&self, ctx: &Context, connected: &Connected, holder: Uuid) -> Result<bool, StoreError> {
        let now = ctx.now();
        let mut tx = self.core.database.begin().await?;
        let taken = directory::take(&mut tx, &connected.source(), holder, now, now.after(LEASE)).await?;
        tx.commit().await?;
        Ok(taken)
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
        let known = async {
            let mut link = self.core.database.read().await?;
            directory::known(&mut link, &connected.source()).await
        };
        let (read, known) = tokio::join!(snapshot(&mut connection, policy, ctx.now(), progress), known);
        drop(connection);
        let (snapshot, known) = (read.map_err(failed)?, known?);
        let mut settings = policy.settings;
        settings.confirmed = options.confirm;
        Ok(plan(&snapshot, &known, &settings))
    }

    async fn run(
        &self,
        ctx: &Context,
        connected: &Connected,
        options: Options,
        progress: Progress<'_>,
    ) -> Result<Outcome, SyncError> {
        let plan = self.planned(ctx, connected, options, progress).await?;
        let slug = &connected.policy.slug;
        for remark in plan.remarks.iter().take(REMARKS) {
            tracing::warn!(directory = slug, remark, "while synchronising");
        }
        if plan.remarks.len() > REMARKS {
            tracing::warn!(directory = slug, more = plan.remarks.len() - REMARKS, "more remarks: see a dry run");
        }
        if let Some(why) = &plan.partial {
            tracing::warn!(directory = slug, why, "the directory was not read to its end: nobody is locked or removed");
        }
        for refusal in plan.refusals() {
            tracing::error!(directory = slug, refusal, "refused: look at `vestibule sync --dry-run`, then --confirm");
        }
        let done = if plan.is_idle() { Done::default() } else { apply(&self.core, ctx, connected, &plan).await };
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
