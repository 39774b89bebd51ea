//! One connection to one master: questions and answers, and what the server says unasked. When it is lost, everything that
//! came by it is forgotten before anybody is told.
//!
//! How it is made is `connect`, when it is made anew `keeper`.

use super::keys::Keys;
use super::memory::Memory;
use super::options::Address;
use super::pulse::Pulse;
use super::together::Waiting;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, PushInfo, PushKind, RedisError, RedisResult, ServerErrorKind, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the other end is asked whether it is there, when nothing else was asked.
const BEAT: Duration = Duration::from_millis(20);

/// A connection. It stays lost once it is lost; another one is made then.
pub(super) struct Link {
    address: Address,
    connection: MultiplexedConnection,
    ear: Arc<Ear>,
    waiting: Waiting,
}

/// What hears the other end, and knows what to forget.
pub(super) struct Ear {
    pub(super) pulse: Arc<Pulse>,
    pub(super) memory: Arc<Memory>,
    pub(super) keys: Keys,
    /// Told when the connection is lost.
    pub(super) lost: Arc<Notify>,
}

impl Ear {
    /// Hears what the server says unasked. Called where answers are read, before any later answer is handed out.
    pub(super) fn hear(&self, push: &PushInfo) {
        match push.kind {
            PushKind::Disconnection => self.lose(),
            PushKind::Invalidate => match push.data.as_slice() {
                [Value::Array(keys)] => keys.iter().for_each(|key| self.forget(key)),
                // All keys: the database was flushed.
                _ => self.memory.forget_all_of(&self.pulse),
            },
            _ => {}
        }
    }

    fn forget(&self, key: &Value) {
        if let Value::BulkString(key) = key
            && let Some(handle) = self.keys.handle(key)
        {
            self.memory.forget(&handle);
        }
    }

    fn lose(&self) {
        if self.pulse.lose() {
            self.memory.forget_all_of(&self.pulse);
            self.lost.notify_one();
        }
    }
}

impl Link {
    /// A connection that is ready; it is asked from now on whether it is there.
    pub(super) fn new(address: Address, connection: MultiplexedConnection, ear: Arc<Ear>) -> Self {
        let link = Self { address, connection, ear, waiting: Waiting::default() };
        tokio::spawn(beat(link.connection.clone(), Arc::clone(&link.ear)));
        link
    }

    /// Whose other end it is.
    pub(super) const fn address(&self) -> &Address {
        &self.address
    }

    /// Its life.
    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.ear.pulse
    }

    /// Questions for values that have not left yet.
    pub(super) const fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Whether it is over.
    pub(super) fn is_lost(&self) -> bool {
        self.ear.pulse.is_lost()
    }

    /// Ends it.
    pub(super) fn lose(&self) {
        self.ear.lose();
    }

    /// Asks; an answer that says no is an error too.
    pub(super) async fn ask(&self, command: &Cmd) -> RedisResult<Value> {
        let mut connection = self.open()?;
        let asked = Instant::now();
        let answer = connection.send_packed_command(command).await.and_then(Value::extract_error);
        self.heard(asked, answer)
    }

    /// Asks several things in one go; the answers come in the same order.
    pub(super) async fn ask_all(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let mut connection = self.open()?;
        let asked = Instant::now();
        let answers = connection.send_packed_commands(commands, 0, commands.len()).await;
        self.heard(asked, answers)
    }

    fn open(&self) -> RedisResult<MultiplexedConnection> {
        if self.is_lost() {
            return Err(RedisError::from((redis::ErrorKind::Io, "the connection is lost")));
        }
        Ok(self.connection.clone())
    }

    /// After silence, or a broken connection, nothing can be said about what was asked: it may yet be done. Then this
    /// connection must not bring anything any more.
    fn heard<T>(&self, asked: Instant, answer: RedisResult<T>) -> RedisResult<T> {
        match &answer {
            Err(error) if is_the_end(error) => self.lose(),
            _ => self.ear.pulse.felt(asked),
        }
        answer
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.ear.lose();
    }
}

/// Whether the connection, not the question, is at fault; or the server is no master any more.
pub(super) fn is_the_end(error: &RedisError) -> bool {
    use redis::ErrorKind::Server;
    let demoted = matches!(error.kind(), Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown));
    demoted || error.is_timeout() || error.is_io_error() || error.is_unrecoverable_error()
}

/// Asks whether the other end is there until it is not.
async fn beat(mut connection: MultiplexedConnection, ear: Arc<Ear>) {
    let mut ticks = interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ping = redis::cmd("PING");
    while !ear.pulse.is_lost() {
        ticks.tick().await;
        if ear.pulse.is_fresh() {
            continue;
        }
        let asked = Instant::now();
        match connection.send_packed_command(&ping).await {
            Err(error) if is_the_end(&error) => ear.lose(),
            _ => ear.pulse.felt(asked),
        }
    }
}
