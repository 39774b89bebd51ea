//! What happens by the clock: each job calls one service. A job that fails says so and goes on with its next round.

use crate::domain::time::Timestamp;
use crate::service::context::{Context, Surroundings};
use crate::service::directory::Directories;
use crate::service::housekeeping::Housekeeping;
use crate::service::outbox::Outbox;
use crate::service::provider::Providers;
use crate::service::revalidation::Revalidation;
use crate::service::saml::Saml;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often changes of other processes are looked for: this is how fast `vestibule account lock` bites.
const NOTICING: Duration = Duration::from_millis(200);
/// How often the outbox is looked at.
const SENDING: Duration = Duration::from_secs(1);
/// How often what has expired is removed.
const SWEEPING: Duration = Duration::from_mins(1);

/// How often metadata and keys of identity providers are read again.
const ASKING: Duration = Duration::from_mins(10);
/// How often it is looked whether providers are to be asked about sessions again.
const REVALIDATING: Duration = Duration::from_secs(15);
/// How often it is looked whether the time of a directory has come.
const SYNCHRONISING: Duration = Duration::from_secs(15);

/// What the jobs call, under the settings of the moment.
#[derive(Clone)]
pub struct Jobs {
    /// Noticing, sweeping.
    pub housekeeping: Housekeeping,
    /// Letters.
    pub outbox: Outbox,
    /// Identity providers.
    pub providers: Providers,
    /// Metadata of SAML providers.
    pub saml: Saml,
    /// Synchronising directories.
    pub directories: Directories,
    /// Asking providers about sessions again.
    pub revalidation: Revalidation,
    /// Clock and generator.
    pub surroundings: Surroundings,
    /// Removes old log files, when logs go to files.
    pub tend_logs: Option<Arc<TendLogs>>,
}

/// Who knows what the settings of the moment are. Each round asks anew, so a job never runs twice under two settings: a
/// round that is under way ends under those that it began with.
pub trait Duties: Send + Sync + 'static {
    /// What to call from now on.
    fn now(&self) -> Jobs;

    /// Looks whether settings have changed, and lets everything follow them. The error is for the log.
    fn follow(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Removes what is too old at this point of time; the error is for the log.
pub struct TendLogs(pub Box<dyn Fn(Timestamp) -> Result<(), String> + Send + Sync>);

/// Starts all jobs; they end when `stopping` turns true.
#[must_use]
pub fn start<D: Duties>(duties: &Arc<D>, stopping: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let stopping = || stopping.clone();
    let following = Arc::clone(duties);
    vec![
        each(NOTICING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            jobs.housekeeping.notice(&ctx).await.map_err(|error| ("noticing changes", error.to_string()))
        }),
        every(NOTICING, stopping(), move || {
            let duties = Arc::clone(&following);
            async move { duties.follow().await.map_err(|error| ("following settings", error)) }
        }),
        each(SENDING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            jobs.outbox.send_due(&ctx).await.map(drop).map_err(|error| ("sending letters", error.to_string()))
        }),
        each(ASKING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            jobs.providers.refresh(&ctx).await;
            Ok(())
        }),
        each(SWEEPING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            jobs.saml.refresh(&ctx).await;
            Ok(())
        }),
        each(SWEEPING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            swept(&jobs.housekeeping, &ctx, jobs.tend_logs.as_deref()).await.map_err(|error| ("sweeping", error))
        }),
        each(REVALIDATING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            jobs.revalidation.round(&ctx).await.map_err(|error| ("asking providers again", error.to_string()))
        }),
        each(SYNCHRONISING, duties, stopping(), |jobs: Jobs, ctx: Context| async move {
            jobs.directories.sync_due(&ctx).await.map_err(|error| ("synchronising", error.to_string()))
        }),
    ]
}

async fn swept(housekeeping: &Housekeeping, ctx: &Context, tend_logs: Option<&TendLogs>) -> Result<(), String> {
    housekeeping.reload_keys(ctx).await;
    if let Some(TendLogs(tend)) = tend_logs {
        tend(ctx.now())?;
    }
    housekeeping.sweep(ctx).await.map_err(|error| error.to_string())
}

/// Does a round under the settings of its moment, again and again.
fn each<D, Round, Running>(
    pause: Duration,
    duties: &Arc<D>,
    stopping: watch::Receiver<bool>,
    round: Round,
) -> JoinHandle<()>
where
    D: Duties,
    Round: Fn(Jobs, Context) -> Running + Send + 'static,
    Running: Future<Output = Result<(), (&'static str, String)>> + Send,
{
    let duties = Arc::clone(duties);
    every(pause, stopping, move || {
        let jobs = duties.now();
        let ctx = Context::system(jobs.surroundings.clone());
        round(jobs, ctx)
    })
}

fn every<Round, Running>(pause: Duration, mut stopping: watch::Receiver<bool>, round: Round) -> JoinHandle<()>
where
    Round: Fn() -> Running + Send + 'static,
    Running: Future<Output = Result<(), (&'static str, String)>> + Send,
{
    tokio::spawn(async move {
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            if let Err((job, error)) = round().await {
                tracing::error!(job, error, "a job failed; it goes on with the next round");
            }
        }
    })
}
