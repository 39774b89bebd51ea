//! Sessions in memory in front of Redis: found without waiting, believed only while the connection that brought them is
//! known to be alive, forgotten the moment Redis says that they changed.
//!
//! What is asked of Redis, and when, is the other rooms' business.

use super::super::LiveSession;
use super::super::shards::{AlreadyHashed, SHARDS, Words};
use super::pulse::Pulse;
use crate::domain::session::{HandleHash, Session};
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// A session without a request for this long leaves the memory; it stays in Redis.
const UNLOAD_AFTER: Duration = Duration::from_mins(30);

/// The sessions in memory, and the last requests that are still to be written.
#[derive(Default)]
pub(super) struct Memory {
    shards: Shards,
    marks: Mutex<HashMap<HandleHash, Session>>,
    words: Words,
}

struct Shards(Vec<RwLock<Shard>>);

impl Default for Shards {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| RwLock::default()).collect())
    }
}

/// Sessions whose handles begin alike. A poisoned lock is used on: every change is complete in itself.
#[derive(Default)]
struct Shard {
    /// Moves whenever anything here is forgotten. What was read before that is not kept.
    epoch: u64,
    sessions: HashMap<HandleHash, Kept, BuildHasherDefault<AlreadyHashed>>,
}

struct Kept {
    live: Arc<LiveSession>,
    pulse: Arc<Pulse>,
}

/// When a read began, as seen by what it may cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

impl Memory {
    /// The session of a handle, if it is here and its connection is alive.
    pub(super) fn find(&self, handle: &HandleHash) -> Option<Arc<LiveSession>> {
        let shard = self.read(handle)?;
        let kept = shard.sessions.get(handle).filter(|kept| kept.pulse.is_trusted())?;
        Some(Arc::clone(&kept.live))
    }

    /// To be asked for before a session is read.
    pub(super) fn epoch(&self, handle: &HandleHash) -> Epoch {
        Epoch(self.read(handle).map_or(0, |shard| shard.epoch))
    }

    /// Keeps a session that was read since `epoch`, unless anything was forgotten meanwhile: then it serves its reader and
    /// nobody else. One that is here already wins: its mark is newer than the value that was read.
    pub(super) fn keep(
        &self,
        handle: HandleHash,
        mut session: Session,
        pulse: &Arc<Pulse>,
        epoch: Epoch,
    ) -> Arc<LiveSession> {
        session.device = self.words.shared(session.device);
        session.network = self.words.shared(session.network);
        if let Some(mark) = locked(&self.marks).get(&handle) {
            session.last_seen_at = session.last_seen_at.max(mark.last_seen_at);
        }
        let live = Arc::new(LiveSession::new(session));
        let Some(mut shard) = self.write(&handle) else { return live };
        if shard.epoch != epoch.0 || pulse.is_lost() {
            return live;
        }
        let kept = shard.sessions.entry(handle).or_insert_with(|| Kept { live, pulse: Arc::clone(pulse) });
        Arc::clone(&kept.live)
    }

    /// Forgets a session, and whatever is being read of its shard.
    pub(super) fn forget(&self, handle: &HandleHash) {
        if let Some(mut shard) = self.write(handle) {
            shard.epoch = shard.epoch.wrapping_add(1);
            shard.sessions.remove(handle);
        }
    }

    /// Forgets all that came by a connection. Last requests that Redis does not know yet are kept to be written.
    pub(super) fn forget_all_of(&self, pulse: &Arc<Pulse>) {
        for shard in &self.shards.0 {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.epoch = shard.epoch.wrapping_add(1);
            let gone = shard.sessions.extract_if(|_, kept| Arc::ptr_eq(&kept.pulse, pulse));
            for (handle, kept) in gone {
                if let Some(seen) = kept.live.unwritten() {
                    self.note(handle, &kept.live, seen);
                }
            }
        }
    }

    /// The last request of a session that is here, trusted or not: it was noted by us, so it happened.
    pub(super) fn last_seen_at(&self, handle: &HandleHash) -> Option<Timestamp> {
        let here = self.read(handle)?.sessions.get(handle).map(|kept| kept.live.last_seen_at());
        here.max(locked(&self.marks).get(handle).map(|mark| mark.last_seen_at))
    }

    /// Remembers that a session's last request is to be written.
    pub(super) fn note(&self, handle: HandleHash, live: &LiveSession, seen: Timestamp) {
        let mut marks = locked(&self.marks);
        let mark = marks.entry(handle).or_insert_with(|| live.session.clone());
        mark.last_seen_at = mark.last_seen_at.max(seen);
    }

    /// Forgets that anything is to be written of a session.
    pub(super) fn drop_mark(&self, handle: &HandleHash) {
        locked(&self.marks).remove(handle);
    }

    /// Up to `most` sessions with a last request that is to be written. Nothing is taken away:
    /// [`Memory::written`] does that once Redis has it.
    pub(super) fn marks(&self, most: usize) -> Vec<(HandleHash, Session)> {
        locked(&self.marks).iter().take(most).map(|(handle, session)| (*handle, session.clone())).collect()
    }

    /// Redis has this one now, or it is gone there.
    pub(super) fn written(&self, handle: &HandleHash, seen: Timestamp) {
        let mut marks = locked(&self.marks);
        if marks.get(handle).is_some_and(|mark| mark.last_seen_at <= seen) {
            marks.remove(handle);
        }
    }

    /// Notes every last request that differs from what Redis has, due or not; when the service stops, and of idle sessions.
    pub(super) fn note_all(&self, chosen: impl Fn(&LiveSession) -> bool) {
        for shard in &self.shards.0 {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            for (handle, kept) in &shard.sessions {
                if let Some(seen) = kept.live.unwritten().filter(|_| chosen(&kept.live)) {
                    self.note(*handle, &kept.live, seen);
                    kept.live.written_up_to(seen);
                }
            }
        }
    }

    /// Whether a session is due to leave the memory.
    pub(super) fn is_idle(live: &LiveSession, now: Timestamp) -> bool {
        now.since(live.last_seen_at()) >= UNLOAD_AFTER
    }

    /// Lets go of idle sessions. One that somebody holds stays: a request noted on it must not be lost with it.
    pub(super) fn unload(&self, now: Timestamp) {
        for shard in &self.shards.0 {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.sessions.retain(|_, kept| !Self::is_idle(&kept.live, now) || Arc::strong_count(&kept.live) > 1);
            if shard.sessions.len() < shard.sessions.capacity() / 4 {
                shard.sessions.shrink_to_fit();
            }
        }
        self.words.tidy();
    }

    fn read(&self, handle: &HandleHash) -> Option<RwLockReadGuard<'_, Shard>> {
        Some(self.shard(handle)?.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, handle: &HandleHash) -> Option<RwLockWriteGuard<'_, Shard>> {
        Some(self.shard(handle)?.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn shard(&self, handle: &HandleHash) -> Option<&RwLock<Shard>> {
        let [first, ..] = handle;
        self.shards.0.get(usize::from(first >> 2))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{AccountId, SessionId};
    use crate::domain::session::Methods;
    use tokio::time::Instant;
    use uuid::Uuid;

    const START: Timestamp = Timestamp::from_millis(1_000_000);
    const HANDLE: HandleHash = [7; 32];

    fn session() -> Session {
        Session {
            id: SessionId::new(Uuid::nil()),
            account: AccountId::new(Uuid::nil()),
            created_at: START,
            authenticated_at: START,
            ends_at: START.after(Duration::from_hours(24)),
            last_seen_at: START,
            methods: Methods::PASSWORD,
            device: "Firefox".into(),
            network: "203.0.113.0/24".into(),
            remembered: None,
            source: None,
        }
    }

    fn alive() -> Arc<Pulse> {
        let pulse = Arc::new(Pulse::new(Duration::from_mins(1)));
        pulse.felt(Instant::now());
        pulse
    }

    #[test]
    fn a_session_is_believed_only_while_its_connection_is_known_to_live() {
        let (memory, pulse) = (Memory::default(), Arc::new(Pulse::new(Duration::from_mins(1))));
        memory.keep(HANDLE, session(), &pulse, memory.epoch(&HANDLE));
        assert!(memory.find(&HANDLE).is_none(), "nothing was heard yet");
        pulse.felt(Instant::now());
        assert!(memory.find(&HANDLE).is_some());
        pulse.lose();
        assert!(memory.find(&HANDLE).is_none());
    }

    #[test]
    fn what_was_read_before_something_was_forgotten_is_not_kept() {
        let (memory, pulse) = (Memory::default(), alive());
        let before = memory.epoch(&HANDLE);
        memory.forget(&HANDLE);
        let read = memory.keep(HANDLE, session(), &pulse, before);
        assert_eq!(read.session, session(), "it serves its reader");
        assert!(memory.find(&HANDLE).is_none());
        memory.keep(HANDLE, session(), &pulse, memory.epoch(&HANDLE));
        assert!(memory.find(&HANDLE).is_some());
    }

    #[test]
    fn a_lost_connection_takes_its_sessions_along_and_no_other() {
        let (memory, one, two) = (Memory::default(), alive(), alive());
        let other = [8; 32];
        let late = memory.epoch(&HANDLE);
        let live = memory.keep(HANDLE, session(), &one, memory.epoch(&HANDLE));
        memory.keep(other, session(), &two, memory.epoch(&other));
        live.touch(START.after(Duration::from_secs(5)));
        one.lose();
        memory.forget_all_of(&one);
        assert!(memory.find(&HANDLE).is_none() && memory.find(&other).is_some());
        memory.keep(HANDLE, session(), &one, late);
        assert!(memory.read(&HANDLE).is_some_and(|shard| !shard.sessions.contains_key(&HANDLE)));
        let again = memory.keep(HANDLE, session(), &two, memory.epoch(&HANDLE));
        assert_eq!(again.last_seen_at(), START.after(Duration::from_secs(5)), "its last request is not forgotten");
    }

    #[test]
    fn a_mark_noted_while_an_older_one_was_written_is_still_due() {
        let (memory, live) = (Memory::default(), LiveSession::new(session()));
        memory.note(HANDLE, &live, START);
        let later = START.after(Duration::from_secs(1));
        memory.note(HANDLE, &live, later);
        memory.written(&HANDLE, START);
        assert_eq!(memory.marks(10).len(), 1);
        memory.written(&HANDLE, later);
        assert!(memory.marks(10).is_empty());
    }

    #[test]
    fn idle_sessions_leave_unless_somebody_holds_them() {
        let (memory, pulse) = (Memory::default(), alive());
        let held = memory.keep(HANDLE, session(), &pulse, memory.epoch(&HANDLE));
        memory.keep([8; 32], session(), &pulse, memory.epoch(&[8; 32]));
        memory.unload(START.after(UNLOAD_AFTER));
        assert!(memory.find(&HANDLE).is_some() && memory.find(&[8; 32]).is_none());
        drop(held);
        memory.unload(START.after(UNLOAD_AFTER));
        assert!(memory.find(&HANDLE).is_none());
    }
}
