//! What happens by the clock: each job calls one service. A job that fails says so and goes on with its next round.

use crate::connect::log_file::LogFile;
use crate::service::context::{Context, Surroundings};
use crate::service::housekeeping::Housekeeping;
use crate::service::outbox::Outbox;
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
const SWEEPING: Duration = Duration::from_secs(60);

/// What the jobs call.
pub struct Jobs {
    /// Noticing, sweeping.
    pub housekeeping: Housekeeping,
    /// Letters.
    pub outbox: Outbox,
    /// Clock and generator.
    pub surroundings: Surroundings,
    /// The log file, when there is one: old files are removed.
    pub log_file: Option<Arc<LogFile>>,
}

/// Starts all jobs; they end when `stopping` turns true.
#[must_use]
pub fn start(jobs: Jobs, stopping: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let Jobs { housekeeping, outbox, surroundings, log_file } = jobs;
    let context = move || Context::system(surroundings.clone());
    let (noticing, sweeping) = (housekeeping.clone(), housekeeping);
    let (for_noticing, for_sending, for_sweeping) = (context.clone(), context.clone(), context);
    vec![
        every(NOTICING, stopping.clone(), move || {
            let (housekeeping, ctx) = (noticing.clone(), for_noticing());
            async move { housekeeping.notice(&ctx).await.map_err(|error| ("noticing changes", error.to_string())) }
        }),
        every(SENDING, stopping.clone(), move || {
            let (outbox, ctx) = (outbox.clone(), for_sending());
            async move { outbox.send_due(&ctx).await.map(drop).map_err(|error| ("sending letters", error.to_string())) }
        }),
        every(SWEEPING, stopping.clone(), move || {
            let (housekeeping, ctx, log_file) = (sweeping.clone(), for_sweeping(), log_file.clone());
            async move { swept(&housekeeping, &ctx, log_file).await.map_err(|error| ("sweeping", error)) }
        }),
    ]
}

async fn swept(housekeeping: &Housekeeping, ctx: &Context, log_file: Option<Arc<LogFile>>) -> Result<(), String> {
    housekeeping.reload_keys(ctx).await;
    if let Some(file) = log_file {
        file.tend(crate::service::moment::instant(ctx.now())).map_err(|error| error.to_string())?;
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
