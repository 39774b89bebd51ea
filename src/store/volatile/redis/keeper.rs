//! What goes on by itself: lost connections are made anew, last requests are written, and a store that came back empty is
//! noticed. Also the questions that concern the store as a whole.
//!
//! What is asked for somebody is in the other rooms.

use super::Store;
use super::options::Topology;
use super::servers::unavailable;
use super::sessions::AT_ONCE;
use super::value::packed;
use crate::domain::time::Timestamp;
use crate::store::volatile::Unavailable;
use redis::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How long it waits before the second try to connect; twice as long before each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How often Sentinels and Clusters are asked whether things have moved, though nothing was lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many keys are looked at in one go when sessions are counted.
const SCANNED: usize = 1000;

/// Looks for the servers when a connection is lost or a key has moved; never ends by itself.
pub(super) async fn keep(store: Arc<Store>) {
    let moves = store.options.topology != Topology::Single;
    let mut dice = store.options.seed;
    loop {
        tokio::select! {
            () = store.servers.look.notified() => {}
            () = sleep(LOOK_EVERY), if moves => {}
        }
        let lost = !store.servers.complete();
        let (mut wait, mut away) = (FIRST_WAIT, false);
        loop {
            let found = store.servers.find().await;
            if found.is_ok() && store.servers.complete() {
                break;
            }
            // Told to the log once, and once when it is over.
            if !store.servers.complete() && !std::mem::replace(&mut away, true) {
                let why =
                    found.err().map_or_else(|| "a part of it does not answer".to_owned(), |error| error.to_string());
                tracing::error!(error = why, "Redis is away; it is looked for until it is back");
            }
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sleep(jittered(wait, dice)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        if away {
            tracing::info!("Redis is back");
        }
        if lost {
            store.recognise(true).await;
        }
    }
}

/// Between half of the wait and all of it.
fn jittered(wait: Duration, dice: u64) -> Duration {
    let parts = u32::try_from(dice >> 48).unwrap_or(0);
    wait / 2 + wait / 2 * parts / 65_536
}

/// Writes last requests that are due.
pub(super) async fn write_behind(store: Arc<Store>) {
    let mut ticks = interval(store.options.flush_every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = store.write_marks().await {
            tracing::debug!(%error, "last requests are written later");
        }
    }
}

impl Store {
    /// Writes last requests that were noted. A session that ended meanwhile stays ended.
    pub(super) async fn write_marks(&self) -> Result<(), Unavailable> {
        // Requests go on being noted; each round is bounded by what was there when it began.
        let mut rest = self.memory.marks(usize::MAX);
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(AT_ONCE));
            let keys: Vec<_> = rest.iter().map(|(handle, _)| self.keys.session(handle)).collect();
            let write = |(key, (_, session)): (_, &(_, crate::domain::session::Session))| {
                redis::cmd("SET").arg(key).arg(packed(session)).arg("XX").arg("PX").arg(self.kept(session)).to_owned()
            };
            let commands: Vec<_> = keys.iter().map(Vec::as_slice).zip(keys.iter().zip(&rest).map(write)).collect();
            self.each(&commands).await?;
            for (handle, session) in &rest {
                self.memory.written(handle, session.last_seen_at);
            }
            rest = later;
        }
        Ok(())
    }

    /// Leaves a mark in the store, and sees whether it was there.
    pub(super) async fn recognise(&self, was_here: bool) {
        let mark = self.keys.mark();
        let command = redis::cmd("SET").arg(&mark).arg("1").arg("NX").to_owned();
        match self.servers.ask(&mark, &command).await {
            Ok(Value::Nil) => {}
            Ok(_) if was_here => {
                tracing::error!(
                    "Redis came back without its data: everybody has to sign in again, and failures are counted from nothing"
                );
            }
            Ok(_) => tracing::info!("this Redis holds nothing of ours yet"),
            Err(error) => tracing::warn!(%error, "Redis does not take what is written"),
        }
    }

    /// Whether every server answers, and one can be written to.
    pub(super) async fn ready(&self) -> Result<(), Unavailable> {
        if !self.servers.complete() {
            return Err(Unavailable("Redis is away".to_owned()));
        }
        for link in self.servers.links() {
            link.ask(&redis::cmd("PING")).await.map_err(|error| unavailable(&error))?;
        }
        let mark = self.keys.mark();
        self.servers.change(&mark, redis::cmd("SET").arg(&mark).arg("1")).await.map(drop)
    }

    /// Looks at every session there is: for an operator who asks, not for every minute.
    pub(super) async fn count(&self, now: Timestamp) -> Result<u64, Unavailable> {
        if !self.servers.complete() {
            return Err(Unavailable("Redis is away".to_owned()));
        }
        let pattern = [self.keys.sessions().as_slice(), b"*"].concat();
        // A scan may tell a key twice.
        let mut handles = std::collections::HashSet::new();
        for link in self.servers.links() {
            let mut cursor = 0_u64;
            loop {
                let scan =
                    redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCANNED).to_owned();
                let answer = link.ask(&scan).await.map_err(|error| unavailable(&error))?;
                let (next, keys): (u64, Vec<Vec<u8>>) =
                    redis::from_redis_value(answer).map_err(|error| Unavailable(error.to_string()))?;
                handles.extend(keys.iter().filter_map(|key| self.keys.handle(key)));
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        let handles: Vec<_> = handles.into_iter().collect();
        let mut alive = 0;
        for some in handles.chunks(AT_ONCE) {
            let keys: Vec<_> = some.iter().map(|handle| self.keys.session(handle)).collect();
            for (handle, kept) in some.iter().zip(self.all(&keys).await?) {
                let Some(kept) = kept else { continue };
                let session = self.current(handle, &kept)?;
                alive += u64::from(session.alive(now, session.last_seen_at, &self.options.lifetimes.now()));
            }
        }
        Ok(alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_between_half_and_whole() {
        let wait = Duration::from_millis(100);
        assert_eq!(jittered(wait, 0), wait / 2);
        for dice in [1, u64::MAX / 3, u64::MAX] {
            assert!(jittered(wait, dice) >= wait / 2 && jittered(wait, dice) <= wait);
        }
    }
}
