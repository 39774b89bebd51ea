//! What is kept for minutes or hours: sessions, attempts, one-time handles, failure counters. One trait, two
//! implementations: `embedded` keeps sessions in memory in front of a SQLite file, `redis` in front of Redis.
//!
//! What must outlive a session (accounts, remembered browsers, audit) is durable and lives in the other store.

pub mod embedded;
pub mod redis;
mod shards;

use crate::domain::id::{AccountId, RememberedId, SessionId};
use crate::domain::session::{HandleHash, Lifetimes, Session};
use crate::domain::throttle::{Admission, Charge};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The store could not answer. Nothing is known then: callers answer 503, never yes and never "signed out".
#[derive(Clone, Debug, thiserror::Error)]
#[error("the session store is not available: {0}")]
pub struct Unavailable(pub String);

/// Shelves for short-lived entries; a key on one is unknown on every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Sign-in attempts, by the hash of their handle.
    Attempt,
    /// Outcomes that wait for the browser to come back (cross-site POSTs), by the hash of their handle.
    Outcome,
    /// Messages that must not be accepted twice, by their hash.
    Replay,
    /// What a page began and its form will end: an authenticator being bound, a challenge for a key, a code on its way.
    Ceremony,
}

impl Shelf {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Outcome => "outcome",
            Self::Replay => "replay",
            Self::Ceremony => "ceremony",
        }
    }
}

/// A session in memory: the value as opened, and the mark of the last request, which moves without a lock.
#[derive(Debug)]
pub struct LiveSession {
    /// The session as it was opened or loaded; its `last_seen_at` is stale, [`LiveSession::last_seen_at`] is not.
    pub session: Session,
    seen: AtomicI64,
    written: AtomicI64,
}

/// How often, at most, one session's last request is written behind.
pub const WRITE_BEHIND: Duration = Duration::from_mins(1);

impl LiveSession {
    /// Wraps a session; its `last_seen_at` counts as written.
    #[must_use]
    pub fn new(session: Session) -> Self {
        let seen = session.last_seen_at.millis();
        Self { session, seen: AtomicI64::new(seen), written: AtomicI64::new(seen) }
    }

    /// When the last request was seen.
    #[must_use]
    pub fn last_seen_at(&self) -> Timestamp {
        Timestamp::from_millis(self.seen.load(Ordering::Relaxed))
    }

    /// Whether it is alive at `now`.
    #[must_use]
    pub fn alive(&self, now: Timestamp, lifetimes: &Lifetimes) -> bool {
        self.session.alive(now, self.last_seen_at(), lifetimes)
    }

    /// Notes a request. True at most once per [`WRITE_BEHIND`]: then the caller has it written.
    pub fn touch(&self, now: Timestamp) -> bool {
        self.seen.fetch_max(now.millis(), Ordering::Relaxed);
        let written = self.written.load(Ordering::Relaxed);
        now.since(Timestamp::from_millis(written)) >= WRITE_BEHIND
            && self.written.compare_exchange(written, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The last request, when it is later than what was written or claimed for writing by [`LiveSession::touch`].
    #[must_use]
    pub fn unwritten(&self) -> Option<Timestamp> {
        let seen = self.seen.load(Ordering::Relaxed);
        (seen > self.written.load(Ordering::Relaxed)).then(|| Timestamp::from_millis(seen))
    }

    /// Notes that requests up to this one are written.
    pub fn written_up_to(&self, seen: Timestamp) {
        self.written.fetch_max(seen.millis(), Ordering::Relaxed);
    }
}

/// The store for what does not last. Of two callers racing for one session, entry or counter, one comes first, on any
/// node. What concerns several at once is one moment in the embedded store; what it is in Redis, says
/// docs/decisions/0014-redis.md.
#[async_trait]
pub trait Volatile: Send + Sync {
    /// Keeps a new session. When this returns, the session survives the end of the process.
    async fn open_session(&self, handle: HandleHash, session: Session) -> Result<(), Unavailable>;

    /// A session that is already in memory and may be believed; never waits. `None` says nothing: ask [`Volatile::session`].
    fn hot_session(&self, handle: &HandleHash) -> Option<Arc<LiveSession>>;

    /// The session of a handle, from memory or from where it is kept. Expired ones may still be returned; the caller judges.
    async fn session(&self, handle: &HandleHash) -> Result<Option<Arc<LiveSession>>, Unavailable>;

    /// Notes a request of a session; cheap, never waits. Written behind, at most once per minute and session.
    fn touch(&self, handle: &HandleHash, session: &LiveSession, now: Timestamp);

    /// All sessions of an account that are alive at `now`, newest first, with the last request that was noted.
    async fn sessions_of(&self, account: AccountId, now: Timestamp) -> Result<Vec<Session>, Unavailable>;

    /// Ends the session of a handle. True when there was one.
    async fn end_handle(&self, handle: &HandleHash) -> Result<bool, Unavailable>;

    /// Ends one session by its public name, if it belongs to the account. True when there was one.
    async fn end_session(&self, account: AccountId, id: SessionId) -> Result<bool, Unavailable>;

    /// Ends all sessions of an account except one; returns how many.
    async fn end_sessions(&self, account: AccountId, except: Option<SessionId>) -> Result<u64, Unavailable>;

    /// Ends the sessions that a remembered browser opened; returns how many.
    async fn end_family(&self, remembered: RememberedId) -> Result<u64, Unavailable>;

    /// Puts an entry on a shelf until a point in time, unless its key is taken at `now`. False when it is: the caller lost
    /// a race, or repeats itself. What has expired takes no key.
    async fn put(
        &self,
        shelf: Shelf,
        key: [u8; 32],
        value: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Unavailable>;

    /// Reads an entry that has not expired.
    async fn peek(&self, shelf: Shelf, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, Unavailable>;

    /// Takes an entry away, once: of two racing callers one gets it.
    async fn take(&self, shelf: Shelf, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, Unavailable>;

    /// Replaces an entry that still equals `old`. False when it changed or is gone.
    async fn replace(&self, shelf: Shelf, key: &[u8; 32], old: &[u8], new: Vec<u8>) -> Result<bool, Unavailable>;

    /// Asks to try a secret: unless a limit is reached, counts one failure on every charge, all or none. A limit of 0
    /// failures is not counted at all. While a block lasts, nothing more is counted, so nobody is shut out for ever.
    async fn admit(&self, charges: &[Charge], now: Timestamp) -> Result<Admission, Unavailable>;

    /// Gives one failure back on each charge: the secret was right.
    async fn refund(&self, charges: &[Charge]) -> Result<(), Unavailable>;

    /// Forgets failures entirely: a session opened, or an administrator unblocked.
    async fn forget(&self, charges: &[Charge]) -> Result<(), Unavailable>;

    /// Removes what has expired, writes what is behind; returns how many sessions ended, as far as the store knows.
    async fn sweep(&self, now: Timestamp) -> Result<u64, Unavailable>;

    /// How many sessions are kept.
    async fn count_sessions(&self, now: Timestamp) -> Result<u64, Unavailable>;

    /// Whether the store answers at all.
    async fn ready(&self) -> Result<(), Unavailable>;

    /// Writes what is behind; called once, when the service stops.
    async fn close(&self);
}
