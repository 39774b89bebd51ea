//! What the store does with sessions: open, load, list, end.
//!
//! A session is one key, and so are the lists of an account's and of a remembered browser's sessions (name → handle and
//! when it was opened). They lie in different slots, so a list is written before its session and tidied after it: it
//! may name a session that is not there, and never lacks one that is.

use super::link::Link;
use super::memory::Memory;
use super::script::Script;
use super::servers::{is_moving, unavailable};
use super::value::{packed, unpacked};
use super::{SLACK, Store, bytes, millis};
use crate::domain::id::{AccountId, SessionId};
use crate::domain::session::{HandleHash, Session};
use crate::domain::time::Timestamp;
use crate::store::volatile::{LiveSession, Unavailable};
use redis::{Cmd, Pipeline, Value};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use uuid::Uuid;

/// A name on a list without a session under it stays for so long: its session may be about to be opened.
const OPENING: Duration = Duration::from_mins(5);

/// How many sessions are asked for or written in one go.
pub(super) const AT_ONCE: usize = 512;

/// Adds a name to a list, unless it is taken; the list lives as long as its longest session. Some names of long ago leave.
/// ARGV: name, handle and time of opening, for how long Redis keeps it, the oldest time of opening that can be alive.
static ENLIST: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end \
         if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end \
         local some = redis.call('HRANDFIELD', KEYS[1], 4, 'WITHVALUES') \
         for i = 1, #some, 2 do \
           local a, b, c, d = string.byte(some[i + 1], 33, 36) \
           if ((a * 256 + b) * 256 + c) * 256 + d < tonumber(ARGV[4]) and some[i] ~= ARGV[1] then \
             redis.call('HDEL', KEYS[1], some[i]) \
           end \
         end \
         return 1",
    )
});

/// A name on a list.
pub(super) struct Listed {
    pub(super) id: SessionId,
    pub(super) handle: HandleHash,
    /// Seconds since 1970.
    opened: u32,
}

impl Store {
    /// False when the handle or the name is taken; nothing is changed then.
    pub(super) async fn open(&self, handle: HandleHash, session: Session) -> Result<bool, Unavailable> {
        let lists: Vec<_> = std::iter::once(self.keys.of_account(session.account))
            .chain(session.remembered.map(|family| self.keys.of_family(family)))
            .collect();
        for (number, list) in lists.iter().enumerate() {
            if !self.enlist(list, &handle, &session).await? {
                for earlier in lists.iter().take(number) {
                    self.strike(earlier, session.id).await?;
                }
                return Ok(false);
            }
        }
        let (key, epoch) = (self.keys.session(&handle), self.memory.epoch(&handle));
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(packed(&session)).arg("NX").arg("PX").arg(self.kept(&session));
        let (answer, link) = self.at_home(&key, &command).await?;
        if answer == Value::Nil {
            for list in &lists {
                self.strike(list, session.id).await?;
            }
            return Ok(false);
        }
        self.servers.replicated(&key).await?;
        if let Some(link) = link {
            self.memory.keep(handle, session, link.pulse(), epoch);
        }
        Ok(true)
    }

    /// Asks whoever has the key, and says by which connection its changes are told; not by any when it is on the move.
    async fn at_home(&self, key: &[u8], command: &Cmd) -> Result<(Value, Option<Arc<Link>>), Unavailable> {
        let link = self.servers.link(key)?;
        match link.ask(command).await {
            Ok(value) => Ok((value, Some(link))),
            Err(error) if is_moving(&error) => Ok((self.servers.ask(key, command).await?, None)),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn enlist(&self, list: &[u8], handle: &HandleHash, session: &Session) -> Result<bool, Unavailable> {
        let opened = seconds(session.created_at);
        let oldest = session.created_at.before(self.options.lifetimes.now().absolute).before(SLACK);
        let entry = [handle.as_slice(), &opened.to_be_bytes()].concat();
        let kept = millis(session.ends_at.since(session.last_seen_at) + SLACK);
        let run = ENLIST.over(vec![list.to_vec()]).told(session.id.uuid().as_bytes().as_slice()).told(entry);
        let listed = run.told(kept).told(seconds(oldest)).on(&self.servers).await? == Value::Int(1);
        self.servers.replicated(list).await?;
        Ok(listed)
    }

    async fn strike(&self, list: &[u8], id: SessionId) -> Result<(), Unavailable> {
        let command = redis::cmd("HDEL").arg(list).arg(id.uuid().as_bytes().as_slice()).to_owned();
        self.servers.ask(list, &command).await.map(drop)
    }

    /// One round trip.
    pub(super) async fn load(&self, handle: &HandleHash) -> Result<Option<Arc<LiveSession>>, Unavailable> {
        let (key, epoch) = (self.keys.session(handle), self.memory.epoch(handle));
        let home = self.servers.link(&key)?;
        let (kept, link) = match home.value(key.clone()).await {
            Ok(value) => (value, Some(home)),
            Err(error) if is_moving(&error) => (self.servers.ask(&key, redis::cmd("GET").arg(&key)).await?, None),
            Err(error) => return Err(unavailable(&error)),
        };
        let Some(kept) = bytes(kept) else { return Ok(None) };
        let session = unpacked(&kept).ok_or_else(unreadable)?;
        Ok(Some(match link {
            Some(link) => self.memory.keep(*handle, session, link.pulse(), epoch),
            None => Arc::new(LiveSession::new(session)),
        }))
    }

    /// What a list names.
    pub(super) async fn listed(&self, list: &[u8]) -> Result<Vec<Listed>, Unavailable> {
        let answer = self.servers.ask(list, redis::cmd("HGETALL").arg(list)).await?;
        let pairs: Vec<(Vec<u8>, Vec<u8>)> =
            redis::from_redis_value(answer).map_err(|error| Unavailable(error.to_string()))?;
        Ok(pairs.iter().filter_map(|(name, entry)| Listed::read(name, entry)).collect())
    }

    /// The sessions of an account that are alive, newest first.
    pub(super) async fn of_account(&self, account: AccountId, now: Timestamp) -> Result<Vec<Session>, Unavailable> {
        let list = self.keys.of_account(account);
        let named = self.listed(&list).await?;
        let keys: Vec<_> = named.iter().map(|one| self.keys.session(&one.handle)).collect();
        let found = self.all(&keys).await?;
        let mut sessions = Vec::with_capacity(named.len());
        for (one, kept) in named.iter().zip(found) {
            match kept {
                Some(kept) => sessions.push(self.current(&one.handle, &kept)?),
                None if seconds(now.before(OPENING)) > one.opened => self.strike(&list, one.id).await?,
                None => {}
            }
        }
        let lifetimes = self.options.lifetimes.now();
        sessions.retain(|session| session.alive(now, session.last_seen_at, &lifetimes));
        sessions.sort_by_key(|session| std::cmp::Reverse((session.created_at, session.id)));
        Ok(sessions)
    }

    /// Redis may be a minute behind: what memory knows of the last request counts.
    pub(super) fn current(&self, handle: &HandleHash, kept: &[u8]) -> Result<Session, Unavailable> {
        let mut session = unpacked(kept).ok_or_else(unreadable)?;
        if let Some(seen) = self.memory.last_seen_at(handle) {
            session.last_seen_at = session.last_seen_at.max(seen);
        }
        Ok(session)
    }

    /// The values of many keys, asked of each server in one go.
    pub(super) async fn all(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        let commands =
            keys.iter().map(|key| (key.as_slice(), redis::cmd("GET").arg(key).to_owned())).collect::<Vec<_>>();
        Ok(self.each(&commands).await?.into_iter().map(bytes).collect())
    }

    /// One command a key, asked of each server in one go; answers in the order of the commands.
    pub(super) async fn each(&self, commands: &[(&[u8], Cmd)]) -> Result<Vec<Value>, Unavailable> {
        let mut answers = vec![Value::Nil; commands.len()];
        for (start, some) in (0..).step_by(AT_ONCE).zip(commands.chunks(AT_ONCE)) {
            let mut asked: Vec<(Arc<Link>, Pipeline, Vec<usize>)> = Vec::new();
            for (at, (key, command)) in (start..).zip(some) {
                let link = self.servers.link(key)?;
                let known = asked.iter().position(|(other, ..)| Arc::ptr_eq(other, &link));
                let known = known.unwrap_or_else(|| {
                    asked.push((link, Pipeline::new(), Vec::new()));
                    asked.len() - 1
                });
                if let Some((_, pipeline, places)) = asked.get_mut(known) {
                    pipeline.add_command(command.clone());
                    places.push(at);
                }
            }
            for (link, pipeline, places) in asked {
                let found = link.ask_all(&pipeline).await.map_err(|error| unavailable(&error))?;
                for (at, value) in places.into_iter().zip(found) {
                    // One that moved meanwhile is asked for by itself.
                    let value = match (value.extract_error(), commands.get(at)) {
                        (Err(_), Some((key, command))) => self.servers.ask(key, command).await?,
                        (value, _) => value.map_err(|error| unavailable(&error))?,
                    };
                    if let Some(answer) = answers.get_mut(at) {
                        *answer = value;
                    }
                }
            }
        }
        Ok(answers)
    }

    /// Ends the session of a handle; gives what it was.
    pub(super) async fn end(&self, handle: &HandleHash) -> Result<Option<Session>, Unavailable> {
        let key = self.keys.session(handle);
        let ended = self.servers.ask(&key, redis::cmd("GETDEL").arg(&key)).await;
        // Whatever the answer: what was read before is not kept.
        forgotten(&self.memory, handle);
        let Some(kept) = bytes(ended?) else { return Ok(None) };
        self.servers.replicated(&key).await?;
        let session = unpacked(&kept).ok_or_else(unreadable)?;
        // The names lead nowhere now. If they cannot be struck out, they leave with their list.
        drop(self.strike(&self.keys.of_account(session.account), session.id).await);
        if let Some(family) = session.remembered {
            drop(self.strike(&self.keys.of_family(family), session.id).await);
        }
        Ok(Some(session))
    }

    /// Ends one session of a list by its name.
    pub(super) async fn end_named(&self, account: AccountId, id: SessionId) -> Result<bool, Unavailable> {
        let list = self.keys.of_account(account);
        let command = redis::cmd("HGET").arg(&list).arg(id.uuid().as_bytes().as_slice()).to_owned();
        let Some(entry) = bytes(self.servers.ask(&list, &command).await?) else { return Ok(false) };
        let Some(named) = Listed::read(id.uuid().as_bytes(), &entry) else { return Ok(false) };
        Ok(self.end(&named.handle).await?.is_some())
    }

    /// Ends the sessions of a list, except one; counts them.
    pub(super) async fn end_listed(&self, list: &[u8], except: Option<SessionId>) -> Result<u64, Unavailable> {
        let mut ended = 0;
        for named in self.listed(list).await? {
            if Some(named.id) != except && self.end(&named.handle).await?.is_some() {
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// For how long Redis keeps a session from its last request on: a while longer than it lives.
    pub(super) fn kept(&self, session: &Session) -> u64 {
        let rest = session.ends_at.since(session.last_seen_at).min(self.options.lifetimes.now().idle);
        millis(rest + SLACK)
    }
}

impl Listed {
    fn read(name: &[u8], entry: &[u8]) -> Option<Self> {
        let (handle, opened) = entry.split_first_chunk::<32>()?;
        let id = SessionId::new(Uuid::from_slice(name).ok()?);
        Some(Self { id, handle: *handle, opened: u32::from_be_bytes(opened.try_into().ok()?) })
    }
}

fn forgotten(memory: &Memory, handle: &HandleHash) {
    memory.forget(handle);
    memory.drop_mark(handle);
}

fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.seconds().max(0)).unwrap_or(u32::MAX)
}

fn unreadable() -> Unavailable {
    Unavailable("a session in Redis cannot be read".to_owned())
}
