//! Scripts that Redis runs, each atomic over keys of one slot. Sent by their hash; by their text where that is not known yet.

use super::servers::{Servers, unavailable};
use crate::store::volatile::Unavailable;
use redis::{Cmd, ErrorKind, ServerErrorKind, ToRedisArgs, Value};

/// A script.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

/// A script about to be run: its keys, then what it is told.
pub(super) struct Run<'a> {
    script: &'a Script,
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    /// From its text.
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// To be run over these keys.
    pub(super) const fn over(&self, keys: Vec<Vec<u8>>) -> Run<'_> {
        Run { script: self, keys, arguments: Vec::new() }
    }
}

impl Run<'_> {
    /// Tells it something more.
    pub(super) fn told(mut self, argument: impl ToRedisArgs) -> Self {
        self.arguments.extend(argument.to_redis_args());
        self
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        redis::cmd(name).arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments).to_owned()
    }

    /// Runs it where its first key lies; without a key there is nothing to do.
    pub(super) async fn on(&self, servers: &Servers) -> Result<Value, Unavailable> {
        let Some(key) = self.keys.first() else { return Ok(Value::Nil) };
        match servers.attempt(key, &self.command("EVALSHA", &self.script.hash)).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {}
            other => return other.map_err(|error| unavailable(&error)),
        }
        servers.attempt(key, &self.command("EVAL", self.script.text)).await.map_err(|error| unavailable(&error))
    }
}
