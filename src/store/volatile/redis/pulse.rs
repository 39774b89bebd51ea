//! Whether a connection is alive, as far as can be known: what it told us is believed for a short while after each
//! answer, and never again once it is lost.
//!
//! Invalidations come by the same connection as answers and in the order of what happened there. So an answer to a
//! question of time `t` says: whatever was revoked before `t` has been heard of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The life of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    trust: Duration,
    /// The first microsecond since `began` that is not trusted any more; [`NOT_YET`], and [`LOST`] once it is over.
    trusted_until: AtomicU64,
}

/// No time is smaller, and nothing moves it again.
const LOST: u64 = 0;

/// Nothing was heard yet.
const NOT_YET: u64 = 1;

impl Pulse {
    /// Of a connection that is being made; nothing is believed yet.
    pub(super) fn new(trust: Duration) -> Self {
        Self { began: Instant::now(), trust, trusted_until: AtomicU64::new(NOT_YET) }
    }

    /// An answer came to what was asked at this time.
    pub(super) fn felt(&self, asked: Instant) {
        let until = micros(asked.saturating_duration_since(self.began) + self.trust);
        // A lost connection stays lost, whatever comes in late.
        let longer = |now: u64| (now != LOST).then(|| now.max(until));
        let _ = self.trusted_until.fetch_update(Ordering::AcqRel, Ordering::Acquire, longer);
    }

    /// Whether what came by it may be believed now.
    pub(super) fn is_trusted(&self) -> bool {
        let until = self.trusted_until.load(Ordering::Acquire);
        until > NOT_YET && micros(self.began.elapsed()) < until
    }

    /// Whether an answer came so lately that there is no need to ask for another.
    pub(super) fn is_fresh(&self) -> bool {
        let left = self.trusted_until.load(Ordering::Acquire).saturating_sub(micros(self.began.elapsed()));
        left > micros(self.trust * 3 / 5)
    }

    /// It is over. True for the first who says so.
    pub(super) fn lose(&self) -> bool {
        self.trusted_until.swap(LOST, Ordering::AcqRel) != LOST
    }

    /// Whether it is over.
    pub(super) fn is_lost(&self) -> bool {
        self.trusted_until.load(Ordering::Acquire) == LOST
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trust_is_counted_from_the_question_and_ends_by_itself() {
        let pulse = Pulse::new(Duration::from_millis(100));
        assert!(!pulse.is_trusted() && !pulse.is_lost());
        let asked = Instant::now();
        tokio::time::advance(Duration::from_millis(60)).await;
        pulse.felt(asked);
        assert!(pulse.is_trusted());
        tokio::time::advance(Duration::from_millis(40)).await;
        assert!(!pulse.is_trusted());
        pulse.felt(Instant::now());
        assert!(pulse.is_trusted());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_does_not_revive_what_is_lost_nor_shorten_trust() {
        let pulse = Pulse::new(Duration::from_millis(100));
        let early = Instant::now();
        tokio::time::advance(Duration::from_millis(50)).await;
        pulse.felt(Instant::now());
        pulse.felt(early);
        tokio::time::advance(Duration::from_millis(99)).await;
        assert!(pulse.is_trusted());
        assert!(pulse.lose() && !pulse.lose());
        pulse.felt(Instant::now());
        assert!(pulse.is_lost() && !pulse.is_trusted());
    }
}
