//! The Redis store: for several nodes that share sessions. Sessions in memory in front of one server, of the master that
//! Sentinels name, or of a Cluster (docs/decisions/0014-redis.md says what is promised and how).
//!
//! Here are the doors. `sessions`, `entries` and `counters` are what is asked of Redis, `memory` answers without waiting,
//! `servers` knows whom to ask, `link` is one connection, `keeper` makes lost ones anew.

mod connect;
mod counters;
mod entries;
mod keeper;
mod keys;
mod layout;
mod link;
mod memory;
mod options;
mod pulse;
mod script;
mod servers;
mod sessions;
mod together;
mod value;

pub use options::{Address, Login, RedisError, RedisOptions, Tls, Topology};

use super::{LiveSession, Shelf, Unavailable, Volatile};
use crate::domain::id::{AccountId, RememberedId, SessionId};
use crate::domain::session::{HandleHash, Session};
use crate::domain::throttle::{Admission, Charge};
use crate::domain::time::Timestamp;
use ::redis::Value;
use async_trait::async_trait;
use connect::Connector;
use keys::Keys;
use memory::Memory;
use servers::Servers;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How much longer Redis keeps a thing than it lives by the clock of the node that wrote it: more than clocks differ. What
/// has expired is judged by the node that asks; Redis only tidies up.
const SLACK: Duration = Duration::from_mins(5);

/// The Redis store.
pub struct Redis {
    store: Arc<Store>,
    tasks: [AbortHandle; 2],
}

/// What the rooms share.
struct Store {
    options: Arc<RedisOptions>,
    keys: Keys,
    memory: Arc<Memory>,
    servers: Servers,
}

impl Store {
    fn over(options: RedisOptions) -> Arc<Self> {
        let options = Arc::new(options);
        let keys = Keys::under(&options.prefix);
        let (memory, look) = (Arc::new(Memory::default()), Arc::new(Notify::new()));
        let connector = Connector::new(Arc::clone(&options), Arc::clone(&memory), keys.clone(), Arc::clone(&look));
        let servers = Servers::new(Arc::clone(&options), connector, look);
        Arc::new(Self { options, keys, memory, servers })
    }
}

impl Redis {
    /// Connects, and from now on makes lost connections anew. No session is loaded before it is asked for.
    ///
    /// # Errors
    /// [`RedisError`], in words for the operator: nobody answers, or nobody that could be relied on.
    pub async fn open(options: RedisOptions) -> Result<Self, RedisError> {
        let store = Store::over(options);
        store.servers.find().await?;
        store.recognise(false).await;
        Ok(Self::going_on(store))
    }

    /// The same, but Redis may be away: it is looked for, and nothing is known until it is found.
    pub async fn open_anyway(options: RedisOptions) -> Self {
        let store = Store::over(options);
        match store.servers.find().await {
            Ok(()) => store.recognise(false).await,
            Err(error) => {
                tracing::warn!(%error, "sessions cannot be looked at");
                store.servers.look.notify_one();
            }
        }
        Self::going_on(store)
    }

    fn going_on(store: Arc<Store>) -> Self {
        let tasks = [
            tokio::spawn(keeper::keep(Arc::clone(&store))).abort_handle(),
            tokio::spawn(keeper::write_behind(Arc::clone(&store))).abort_handle(),
        ];
        Self { store, tasks }
    }

    /// Does something that must not stop half-way because whoever asked has left.
    async fn to_the_end<T: Send + 'static>(
        work: impl Future<Output = Result<T, Unavailable>> + Send + 'static,
    ) -> Result<T, Unavailable> {
        tokio::spawn(work).await.unwrap_or_else(|error| Err(Unavailable(error.to_string())))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.store.servers.leave();
    }
}

#[async_trait]
impl Volatile for Redis {
    async fn open_session(&self, handle: HandleHash, session: Session) -> Result<(), Unavailable> {
        let kept = self.store.open(handle, session).await?;
        // Handles and ids are drawn from so many that this is a broken generator; nobody gets somebody else's session.
        kept.then_some(()).ok_or_else(|| Unavailable("the handle or the id of a new session is taken".to_owned()))
    }

    fn hot_session(&self, handle: &HandleHash) -> Option<Arc<LiveSession>> {
        self.store.memory.find(handle)
    }

    async fn session(&self, handle: &HandleHash) -> Result<Option<Arc<LiveSession>>, Unavailable> {
        match self.store.memory.find(handle) {
            Some(live) => Ok(Some(live)),
            None => self.store.load(handle).await,
        }
    }

    fn touch(&self, handle: &HandleHash, session: &LiveSession, now: Timestamp) {
        if session.touch(now) {
            self.store.memory.note(*handle, session, session.last_seen_at());
        }
    }

    async fn sessions_of(&self, account: AccountId, now: Timestamp) -> Result<Vec<Session>, Unavailable> {
        self.store.of_account(account, now).await
    }

    async fn end_handle(&self, handle: &HandleHash) -> Result<bool, Unavailable> {
        let (store, handle) = (Arc::clone(&self.store), *handle);
        Self::to_the_end(async move { Ok(store.end(&handle).await?.is_some()) }).await
    }

    async fn end_session(&self, account: AccountId, id: SessionId) -> Result<bool, Unavailable> {
        let store = Arc::clone(&self.store);
        Self::to_the_end(async move { store.end_named(account, id).await }).await
    }

    async fn end_sessions(&self, account: AccountId, except: Option<SessionId>) -> Result<u64, Unavailable> {
        let store = Arc::clone(&self.store);
        Self::to_the_end(async move { store.end_listed(&store.keys.of_account(account), except).await }).await
    }

    async fn end_family(&self, remembered: RememberedId) -> Result<u64, Unavailable> {
        let store = Arc::clone(&self.store);
        Self::to_the_end(async move { store.end_listed(&store.keys.of_family(remembered), None).await }).await
    }

    async fn put(
        &self,
        on: Shelf,
        key: [u8; 32],
        value: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        self.store.put_entry((on, key), &value, until, now).await
    }

    async fn peek(&self, on: Shelf, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, Unavailable> {
        self.store.peek_entry(on, key, now).await
    }

    async fn take(&self, on: Shelf, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, Unavailable> {
        self.store.take_entry(on, key, now).await
    }

    async fn replace(&self, on: Shelf, key: &[u8; 32], old: &[u8], new: Vec<u8>) -> Result<bool, Unavailable> {
        self.store.replace_entry(on, key, old, &new).await
    }

    async fn admit(&self, charges: &[Charge], now: Timestamp) -> Result<Admission, Unavailable> {
        // In a Cluster half of it would be worse than none.
        let (store, charges) = (Arc::clone(&self.store), charges.to_vec());
        Self::to_the_end(async move { store.admit_all(&charges, now).await }).await
    }

    async fn refund(&self, charges: &[Charge]) -> Result<(), Unavailable> {
        self.store.refund_all(charges).await
    }

    async fn forget(&self, charges: &[Charge]) -> Result<(), Unavailable> {
        self.store.forget_all(charges).await
    }

    /// Redis removes by itself what has expired, and does not say how much that was.
    async fn sweep(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.store.memory.note_all(|live| Memory::is_idle(live, now));
        self.store.write_marks().await?;
        self.store.memory.unload(now);
        Ok(0)
    }

    async fn count_sessions(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.store.count(now).await
    }

    async fn ready(&self) -> Result<(), Unavailable> {
        self.store.ready().await
    }

    async fn close(&self) {
        self.store.memory.note_all(|_| true);
        if let Err(error) = self.store.write_marks().await {
            tracing::warn!(%error, "the last requests of some sessions are not written");
        }
        for task in &self.tasks {
            task.abort();
        }
        self.store.servers.leave();
    }
}

/// What is under a key, if anything is.
fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
