//! The one task that owns the one writing connection: commands wait in a queue, go to disk together, and are answered when
//! the disk has them. Memory changes here only, after the commit; so a load and a revocation can never cross.
//!
//! What a command does is its own business (`sessions`, `entries`, `counters`, `upkeep`).

use super::super::Unavailable;
use super::file::File;
use super::memory::Memory;
use super::upkeep::{Flush, Reconcile};
use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How many commands share one transaction at most.
const BATCH: usize = 256;

/// How often changes by other processes (the command line) are looked for.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// Something to be done within a transaction.
pub(super) trait Command: Send + Sync + 'static {
    /// What the transaction found.
    type Found: Send;
    /// What the caller gets.
    type Answer: Send + 'static;
    /// Changes nothing on disk; needs no write lock then, and works while somebody else has it.
    const READS_ONLY: bool = false;

    /// Runs in the transaction; changes no memory, for the transaction may yet fail.
    fn run(
        &self,
        db: &mut SqliteConnection,
        memory: &Memory,
    ) -> impl Future<Output = Result<Self::Found, sqlx::Error>> + Send;

    /// Changes the memory after the commit, and says what the caller is told.
    fn settle(self, found: Self::Found, memory: &Memory) -> Self::Answer;
}

/// What waits in the queue.
pub(super) enum Message {
    /// A command and who waits for it.
    Ask(Box<dyn Waiting>),
    /// Write what is behind, close the file, say so, end.
    Close(oneshot::Sender<()>),
}

impl Message {
    /// A command, and where its answer goes. If nobody waits for it any more, it is done nevertheless.
    pub(super) fn ask<C: Command>(command: C) -> (Self, oneshot::Receiver<Result<C::Answer, Unavailable>>) {
        let (reply, answer) = oneshot::channel();
        (Self::Ask(Box::new(Ask { command, found: None, reply })), answer)
    }
}

/// A command of any kind, with its caller.
#[async_trait]
pub(super) trait Waiting: Send {
    fn reads_only(&self) -> bool;
    async fn run(&mut self, db: &mut SqliteConnection, memory: &Memory) -> Result<(), sqlx::Error>;
    fn answer(self: Box<Self>, memory: &Memory);
    fn refuse(self: Box<Self>, why: &Unavailable);
}

struct Ask<C: Command> {
    command: C,
    found: Option<Result<C::Found, Unavailable>>,
    reply: oneshot::Sender<Result<C::Answer, Unavailable>>,
}

#[async_trait]
impl<C: Command> Waiting for Ask<C> {
    fn reads_only(&self) -> bool {
        C::READS_ONLY
    }

    /// A row that cannot be read is this caller's trouble alone; anything else is the whole batch's.
    async fn run(&mut self, db: &mut SqliteConnection, memory: &Memory) -> Result<(), sqlx::Error> {
        match self.command.run(db, memory).await {
            Ok(found) => self.found = Some(Ok(found)),
            Err(broken @ (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))) => {
                self.found = Some(Err(unavailable(&broken)));
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, memory: &Memory) {
        let Self { command, found, reply } = *self;
        let found = found.unwrap_or_else(|| Err(Unavailable("the command did not run".to_owned())));
        // Whoever asked may have left; the act stands.
        let _ = reply.send(found.map(|found| command.settle(found, memory)));
    }

    fn refuse(self: Box<Self>, why: &Unavailable) {
        let _ = self.reply.send(Err(why.clone()));
    }
}

/// The writer's belongings.
pub(super) struct Writer {
    file: File,
    memory: Arc<Memory>,
    queue: mpsc::Receiver<Message>,
    flush_every: Duration,
    /// None after trouble: the next batch connects anew.
    db: Option<SqliteConnection>,
    /// SQLite's data version of this connection; None when the memory was never compared on it.
    version: Option<i64>,
    /// The last batch failed. Told to the log once, and once when it is over: a full disk is not filled with complaints.
    troubled: bool,
}

impl Writer {
    /// A writer over a file that is open and migrated.
    pub(super) fn new(
        file: File,
        db: SqliteConnection,
        memory: Arc<Memory>,
        queue: mpsc::Receiver<Message>,
        flush_every: Duration,
    ) -> Self {
        Self { file, memory, queue, flush_every, db: Some(db), version: None, troubled: false }
    }

    /// Serves until it is told to close, or until nobody can ask any more.
    pub(super) async fn serve(mut self) {
        let (mut watch, mut flush) = (every(WATCH_EVERY), every(self.flush_every));
        let mut messages = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                // The clock first: what another process ended is not kept waiting by a busy queue.
                biased;
                _ = watch.tick() => self.watch().await,
                _ = flush.tick() => if self.memory.has_marks() {
                    self.by_itself(Flush { all: false }).await;
                },
                count = self.queue.recv_many(&mut messages, BATCH) => {
                    let mut closing = None;
                    self.batch(messages.drain(..).filter_map(|message| match message {
                        Message::Ask(ask) => Some(ask),
                        Message::Close(done) => { closing = Some(done); None }
                    }).collect()).await;
                    if count == 0 || closing.is_some() {
                        return self.end(closing).await;
                    }
                }
            }
        }
    }

    /// Without a `done`, all who could ask are gone without closing: what is behind stays behind, as if the process had died.
    async fn end(mut self, done: Option<oneshot::Sender<()>>) {
        if done.is_some() {
            self.by_itself(Flush { all: true }).await;
        }
        self.disconnect().await;
        // Before anybody hears of it, so that nobody asks a queue that is not served.
        drop(self);
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// Looks whether another process changed the file; then sessions that it ended leave the memory.
    async fn watch(&mut self) {
        match self.data_version().await {
            Ok(version) if self.version == Some(version) => {}
            Ok(version) => {
                if self.by_itself(Reconcile).await {
                    self.version = Some(version);
                }
            }
            Err(error) => self.in_trouble(&error).await,
        }
    }

    async fn data_version(&mut self) -> Result<i64, sqlx::Error> {
        let db = connected(&self.file, &mut self.db).await?;
        sqlx::query_scalar("PRAGMA data_version").fetch_one(db).await
    }

    /// A command that the writer gives itself. True when it was done.
    async fn by_itself(&mut self, command: impl Command) -> bool {
        let (Message::Ask(ask), mut answer) = Message::ask(command) else { return false };
        self.batch(vec![ask]).await;
        answer.try_recv().is_ok_and(|answer| answer.is_ok())
    }

    /// All or none: to disk, then to memory, then to the callers, each in the order of the queue.
    async fn batch(&mut self, mut asks: Vec<Box<dyn Waiting>>) {
        if asks.is_empty() {
            return;
        }
        match self.transaction(&mut asks).await {
            Ok(()) => {
                if std::mem::take(&mut self.troubled) {
                    tracing::info!("the session store works again");
                }
                for ask in asks {
                    ask.answer(&self.memory);
                }
            }
            Err(error) => {
                self.in_trouble(&error).await;
                let why = unavailable(&error);
                for ask in asks {
                    ask.refuse(&why);
                }
            }
        }
    }

    async fn transaction(&mut self, asks: &mut [Box<dyn Waiting>]) -> Result<(), sqlx::Error> {
        let begin = if asks.iter().all(|ask| ask.reads_only()) { "BEGIN" } else { "BEGIN IMMEDIATE" };
        let db = connected(&self.file, &mut self.db).await?;
        let mut transaction = db.begin_with(begin).await?;
        for ask in asks {
            ask.run(&mut transaction, &self.memory).await?;
        }
        transaction.commit().await
    }

    /// SQLite may have rolled back by itself (full disk): only a new connection is surely in no transaction.
    async fn in_trouble(&mut self, error: &sqlx::Error) {
        if !std::mem::replace(&mut self.troubled, true) {
            tracing::error!(%error, "the session store does not work; it is tried again with each command");
        }
        self.disconnect().await;
    }

    async fn disconnect(&mut self) {
        self.version = None;
        if let Some(db) = self.db.take()
            && let Err(error) = db.close().await
        {
            tracing::debug!(%error, "the session store's connection did not close cleanly");
        }
    }
}

async fn connected<'a>(
    file: &File,
    db: &'a mut Option<SqliteConnection>,
) -> Result<&'a mut SqliteConnection, sqlx::Error> {
    let open = match db.take() {
        Some(open) => open,
        None => file.connect().await?,
    };
    Ok(db.insert(open))
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn unavailable(error: &sqlx::Error) -> Unavailable {
    Unavailable(error.to_string())
}

#[cfg(test)]
mod tests;
