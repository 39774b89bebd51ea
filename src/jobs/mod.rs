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

/// What the jobs call.
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
    pub tend_logs: Option<TendLogs>,
}

/// Removes what is too old at this point of time; the error is for the log.
pub struct TendLogs(pub Box<dyn Fn(Timestamp) -> Result<(), String> + Send + Sync>);

/// Starts all jobs; they end when `stopping` turns true.
#[must_use]
pub fn start(jobs: Jobs, stopping: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let Jobs { housekeeping, outbox, directories, providers, revalidation, saml, surroundings, tend_logs } = jobs;
    let tend_logs = tend_logs.map(Arc::new);
    let context = move || Context::system(surroundings.clone());
    let (for_asking, for_revalidating, for_metadata) = (context.clone(), context.clone(), context.clone());
    let (noticing, sweeping) = (housekeeping.clone(), housekeeping);
    let (for_noticing, for_sending, for_sweeping) = (context.clone(), context.clone(), context.clone());
    vec![
        every(NOTICING, stopping.clone(), move || {
            let (housekeeping, ctx) = (noticing.clone(), for_noticing());
            async move { housekeeping.notice(&ctx).await.map_err(|error| ("noticing changes", error.to_string())) }
        }),
        every(SENDING, stopping.clone(), move || {
            let (outbox, ctx) = (outbox.clone(), for_sending());
            async move { outbox.send_due(&ctx).await.map(drop).map_err(|error| ("sending letters", error.to_string())) }
        }),
        every(ASKING, stopping.clone(), move || {
            let (providers, ctx) = (providers.clone(), for_asking());
            async move {
                providers.refresh(&ctx).await;
                Ok(())
            }
        }),
        every(SWEEPING, stopping.clone(), move || {
            let (saml, ctx) = (saml.clone(), for_metadata());
            async move {
                saml.refresh(&ctx).await;
                Ok(())
            }
        }),
        every(SWEEPING, stopping.clone(), move || {
            let (housekeeping, ctx, tend_logs) = (sweeping.clone(), for_sweeping(), tend_logs.clone());
            async move { swept(&housekeeping, &ctx, tend_logs.as_deref()).await.map_err(|error| ("sweeping", error)) }
        }),
        every(REVALIDATING, stopping.clone(), move || {
            let (revalidation, ctx) = (revalidation.clone(), for_revalidating());
            async move { revalidation.round(&ctx).await.map_err(|error| ("asking providers again", error.to_string())) }
        }),
        every(SYNCHRONISING, stopping.clone(), move || {
            let (directories, ctx) = (directories.clone(), context());
            async move { directories.sync_due(&ctx).await.map_err(|error| ("synchronising", error.to_string())) }
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
