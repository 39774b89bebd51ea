//! The embedded store: sessions in memory in front of one SQLite file. For one service process; the command line may open
//! the same file beside it, and what it ends is seen within half a second.
//!
//! Here are the doors; `writer` does what is asked for, in turn, and `memory` answers without waiting.

mod counters;
mod entries;
mod file;
mod memory;
mod sessions;
mod upkeep;
mod writer;

use super::{LiveSession, Shelf, Unavailable, Volatile};
use crate::domain::id::{AccountId, RememberedId, SessionId};
use crate::domain::session::{HandleHash, Session, SharedLifetimes};
use crate::domain::throttle::{Admission, Charge};
use crate::domain::time::Timestamp;
use crate::store::OpenError;
use async_trait::async_trait;
use counters::{Admit, Forget, Refund};
use entries::{Peek, Put, Replace, Take};
use file::File;
use memory::Memory;
use sessions::{End, Load, OfAccount, Open};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use upkeep::{Count, Ready, Sweep};
use writer::{Command, Message, Writer};

/// How many commands may wait for the writer; more wait for a place in the queue.
const QUEUE: usize = 1024;

/// What the embedded store has to know.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// How long sessions live; for lists, counts and sweeping.
    pub lifetimes: SharedLifetimes,
    /// How long a command waits while another process writes, before it is answered [`Unavailable`].
    pub busy_timeout: Duration,
    /// How often last requests that are due are written; not zero.
    pub flush_every: Duration,
}

impl EmbeddedOptions {
    /// Five seconds of patience, and writing behind every five seconds.
    #[must_use]
    pub fn new(lifetimes: impl Into<SharedLifetimes>) -> Self {
        Self { lifetimes: lifetimes.into(), busy_timeout: Duration::from_secs(5), flush_every: Duration::from_secs(5) }
    }
}

/// The embedded store.
pub struct Embedded {
    memory: Arc<Memory>,
    queue: mpsc::Sender<Message>,
    lifetimes: SharedLifetimes,
}

impl Embedded {
    /// Opens the store in a file, which is made if it is not there (its folder has to be). No session is loaded before it
    /// is asked for. Starts the writer, so it needs a runtime with time.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator.
    pub async fn open(path: &Path, options: EmbeddedOptions) -> Result<Self, OpenError> {
        let (file, db) = File::open(path, options.busy_timeout).await?;
        let memory = Arc::new(Memory::new());
        let (queue, waiting) = mpsc::channel(QUEUE);
        let flush_every = options.flush_every.max(Duration::from_millis(1));
        tokio::spawn(Writer::new(file, db, Arc::clone(&memory), waiting, flush_every).serve());
        Ok(Self { memory, queue, lifetimes: options.lifetimes })
    }

    async fn ask<C: Command>(&self, command: C) -> Result<C::Answer, Unavailable> {
        let closed = || Unavailable("it is closed".to_owned());
        let (message, answer) = Message::ask(command);
        self.queue.send(message).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

#[async_trait]
impl Volatile for Embedded {
    async fn open_session(&self, handle: HandleHash, session: Session) -> Result<(), Unavailable> {
        let kept = self.ask(Open { handle, session }).await?;
        // Handles and ids are drawn from so many that this is a broken generator; nobody gets somebody else's session.
        kept.then_some(()).ok_or_else(|| Unavailable("the handle or the id of a new session is taken".to_owned()))
    }

    fn hot_session(&self, handle: &HandleHash) -> Option<Arc<LiveSession>> {
        self.memory.find(handle)
    }

    async fn session(&self, handle: &HandleHash) -> Result<Option<Arc<LiveSession>>, Unavailable> {
        match self.memory.find(handle) {
            Some(live) => Ok(Some(live)),
            None => self.ask(Load(*handle)).await,
        }
    }

    fn touch(&self, handle: &HandleHash, session: &LiveSession, now: Timestamp) {
        if session.touch(now) {
            self.memory.note(*handle, session.last_seen_at());
        }
    }

    async fn sessions_of(&self, account: AccountId, now: Timestamp) -> Result<Vec<Session>, Unavailable> {
        self.ask(OfAccount { account, now, lifetimes: self.lifetimes.now() }).await
    }

    async fn end_handle(&self, handle: &HandleHash) -> Result<bool, Unavailable> {
        self.ask(End::Handle(*handle)).await.map(|ended| ended > 0)
    }

    async fn end_session(&self, account: AccountId, id: SessionId) -> Result<bool, Unavailable> {
        self.ask(End::One(account, id)).await.map(|ended| ended > 0)
    }

    async fn end_sessions(&self, account: AccountId, except: Option<SessionId>) -> Result<u64, Unavailable> {
        self.ask(End::OfAccount(account, except)).await
    }

    async fn end_family(&self, remembered: RememberedId) -> Result<u64, Unavailable> {
        self.ask(End::Family(remembered)).await
    }

    async fn put(
        &self,
        on: Shelf,
        key: [u8; 32],
        value: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        self.ask(Put { shelf: on, key, value, until, now }).await
    }

    async fn peek(&self, on: Shelf, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, Unavailable> {
        self.ask(Peek { shelf: on, key: *key, now }).await
    }

    async fn take(&self, on: Shelf, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, Unavailable> {
        self.ask(Take { shelf: on, key: *key, now }).await
    }

    async fn replace(&self, on: Shelf, key: &[u8; 32], old: &[u8], new: Vec<u8>) -> Result<bool, Unavailable> {
        self.ask(Replace { shelf: on, key: *key, old: old.to_vec(), new }).await
    }

    async fn admit(&self, charges: &[Charge], now: Timestamp) -> Result<Admission, Unavailable> {
        self.ask(Admit { charges: charges.to_vec(), now }).await
    }

    async fn refund(&self, charges: &[Charge]) -> Result<(), Unavailable> {
        self.ask(Refund(charges.to_vec())).await
    }

    async fn forget(&self, charges: &[Charge]) -> Result<(), Unavailable> {
        self.ask(Forget(charges.to_vec())).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.ask(Sweep { now, lifetimes: self.lifetimes.now() }).await
    }

    async fn count_sessions(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.ask(Count { now, lifetimes: self.lifetimes.now() }).await
    }

    async fn ready(&self) -> Result<(), Unavailable> {
        self.ask(Ready).await
    }

    async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            // An error means that the writer has ended, which is what was asked for.
            let _ = closed.await;
        }
    }
}
