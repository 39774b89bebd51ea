//! Sessions in memory: found without waiting, changed by the writer alone, and only after the disk has agreed.
//!
//! What is on disk, and in which order things happen, is the writer's business.

use super::super::LiveSession;
use crate::domain::session::{HandleHash, Session};
use crate::domain::time::Timestamp;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// A session without a request for this long leaves the memory; it stays on disk.
const UNLOAD_AFTER: Duration = Duration::from_mins(30);

/// Shards, by the first six bits of the handle: one shard is one range of the table's primary key.
const SHARDS: usize = 64;

/// Last requests of sessions, to be written.
pub(super) type Marks = HashMap<HandleHash, Timestamp>;

/// The sessions in memory, and the last requests that are still to be written.
pub(super) struct Memory {
    shards: Vec<Shard>,
    marks: Mutex<Marks>,
    words: Mutex<HashSet<Arc<str>>>,
}

/// Sessions whose handles begin alike. A poisoned lock is used on: every change is a single insertion or removal.
#[derive(Default)]
struct Shard(RwLock<HashMap<HandleHash, Arc<LiveSession>, BuildHasherDefault<AlreadyHashed>>>);

/// Handles that begin alike, as a range that includes both ends, and those of them that are in memory.
pub(super) struct Neighbours {
    /// The lowest handle of the range.
    pub(super) first: HandleHash,
    /// The highest handle of the range.
    pub(super) last: HandleHash,
    /// What is in memory.
    pub(super) hot: Vec<HandleHash>,
}

impl Memory {
    /// Empty: sessions come when they are asked for.
    pub(super) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, marks: Mutex::default(), words: Mutex::default() }
    }

    /// The session of a handle, if it is here.
    pub(super) fn find(&self, handle: &HandleHash) -> Option<Arc<LiveSession>> {
        self.shard(handle)?.read().get(handle).cloned()
    }

    /// Keeps a session. One that is here already wins: its mark is newer than the row that was read.
    pub(super) fn keep(&self, handle: HandleHash, mut session: Session) -> Arc<LiveSession> {
        session.device = self.shared(session.device);
        session.network = self.shared(session.network);
        let live = Arc::new(LiveSession::new(session));
        let Some(shard) = self.shard(&handle) else { return live };
        match shard.write().entry(handle) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(place) => Arc::clone(place.insert(live)),
        }
    }

    /// Forgets ended sessions, and what was to be written of them.
    pub(super) fn remove(&self, handles: &[HandleHash]) {
        for handle in handles {
            if let Some(shard) = self.shard(handle) {
                shard.write().remove(handle);
            }
        }
        let mut marks = locked(&self.marks);
        for handle in handles {
            marks.remove(handle);
        }
    }

    /// Remembers that a session's last request is to be written. One entry per session, so this is bounded by them.
    pub(super) fn note(&self, handle: HandleHash, seen: Timestamp) {
        let mut marks = locked(&self.marks);
        let mark = marks.entry(handle).or_insert(seen);
        *mark = seen.max(*mark);
    }

    /// Whether anything is to be written.
    pub(super) fn has_marks(&self) -> bool {
        !locked(&self.marks).is_empty()
    }

    /// What is to be written: all that was noted, and the last request of the sessions chosen, due or not. Nothing is
    /// taken away: [`Memory::written`] does that once the disk has it.
    pub(super) fn marks(&self, chosen: impl Fn(&LiveSession) -> bool) -> Marks {
        let mut marks = locked(&self.marks).clone();
        for shard in &self.shards {
            let sessions = shard.read();
            let chosen = sessions.iter().filter(|(_, live)| chosen(live));
            marks.extend(chosen.map(|(handle, live)| (*handle, live.last_seen_at())));
        }
        marks
    }

    /// Only what was noted.
    pub(super) fn noted(&self) -> Marks {
        locked(&self.marks).clone()
    }

    /// These are on disk now.
    pub(super) fn written(&self, written: &Marks) {
        locked(&self.marks).retain(|handle, seen| written.get(handle).is_none_or(|done| *done < *seen));
        for (handle, seen) in written {
            if let Some(live) = self.find(handle) {
                live.written_up_to(*seen);
            }
        }
    }

    /// Whether a session is due to leave the memory.
    pub(super) fn is_idle(live: &LiveSession, now: Timestamp) -> bool {
        now.since(live.last_seen_at()) >= UNLOAD_AFTER
    }

    /// Lets go of idle sessions. One that somebody holds stays: a request noted on it must not be lost with it.
    pub(super) fn unload(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut sessions = shard.write();
            sessions.retain(|_, live| {
                !Self::is_idle(live, now) || live.unwritten().is_some() || Arc::strong_count(live) > 1
            });
            if sessions.len() < sessions.capacity() / 4 {
                sessions.shrink_to_fit();
            }
        }
        locked(&self.words).retain(|word| Arc::strong_count(word) > 1);
    }

    /// The handles in memory, range by range; ranges without any are left out.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = Neighbours> {
        (0_u8..).zip(&self.shards).filter_map(|(number, shard)| {
            let hot: Vec<_> = shard.read().keys().copied().collect();
            let (mut first, mut last) = ([0; 32], [u8::MAX; 32]);
            first[0] = number << 2;
            last[0] = number << 2 | 0b11;
            (!hot.is_empty()).then_some(Neighbours { first, last, hot })
        })
    }

    fn shard(&self, handle: &HandleHash) -> Option<&Shard> {
        let [first, ..] = handle;
        self.shards.get(usize::from(first >> 2))
    }

    /// One copy of words that many sessions have in common.
    fn shared(&self, word: Arc<str>) -> Arc<str> {
        let mut words = locked(&self.words);
        if let Some(known) = words.get(&word) {
            return Arc::clone(known);
        }
        words.insert(Arc::clone(&word));
        word
    }
}

impl Shard {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<HandleHash, Arc<LiveSession>, BuildHasherDefault<AlreadyHashed>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<HandleHash, Arc<LiveSession>, BuildHasherDefault<AlreadyHashed>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes eight bytes of a key that is a hash already, of a secret that we drew: nobody can choose collisions. They are not
/// the first bytes, which chose the shard and are alike in it.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        if let Some((_, rest)) = bytes.split_first_chunk::<8>()
            && let Some((eight, _)) = rest.split_first_chunk::<8>()
        {
            self.0 = u64::from_ne_bytes(*eight);
        }
    }

    /// The length, which is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{AccountId, SessionId};
    use crate::domain::session::Methods;
    use std::hash::BuildHasher;
    use uuid::Uuid;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn session(device: &str) -> Session {
        Session {
            id: SessionId::new(Uuid::nil()),
            account: AccountId::new(Uuid::nil()),
            created_at: START,
            authenticated_at: START,
            ends_at: START.after(Duration::from_hours(24)),
            last_seen_at: START,
            methods: Methods::PASSWORD,
            device: device.into(),
            network: "203.0.113.0/24".into(),
            remembered: None,
            source: None,
        }
    }

    fn handle(number: u8) -> HandleHash {
        std::array::from_fn(|place| if place % 2 == 0 { number } else { 7 })
    }

    #[test]
    fn a_session_in_memory_stays_small() {
        assert!(size_of::<LiveSession>() <= 144, "a hundred thousand of them: {} bytes each", size_of::<LiveSession>());
        let memory = Memory::new();
        let (one, two) = (memory.keep(handle(1), session("Firefox")), memory.keep(handle(2), session("Firefox")));
        assert!(Arc::ptr_eq(&one.session.device, &two.session.device), "words in common are kept once");
    }

    #[test]
    fn different_handles_of_one_shard_hash_differently() {
        let hasher = BuildHasherDefault::<AlreadyHashed>::default();
        let (mut one, mut two): (HandleHash, HandleHash) = ([1; 32], [1; 32]);
        (one[12], two[12]) = (3, 4);
        assert_ne!(hasher.hash_one(one), hasher.hash_one(two));
    }

    #[test]
    fn a_row_read_again_does_not_turn_the_mark_back() {
        let memory = Memory::new();
        memory.keep(handle(1), session("Firefox")).touch(START.after(Duration::from_secs(5)));
        let again = memory.keep(handle(1), session("Firefox"));
        assert_eq!(again.last_seen_at(), START.after(Duration::from_secs(5)));
    }

    #[test]
    fn a_mark_noted_while_an_older_one_was_written_is_still_due() {
        let memory = Memory::new();
        memory.note(handle(1), START);
        let writing = memory.noted();
        memory.note(handle(1), START.after(Duration::from_secs(1)));
        memory.written(&writing);
        assert_eq!(memory.noted().get(&handle(1)), Some(&START.after(Duration::from_secs(1))));
        memory.written(&memory.noted());
        assert!(!memory.has_marks());
    }

    #[test]
    fn idle_sessions_leave_unless_somebody_holds_them_or_they_are_unwritten() {
        let memory = Memory::new();
        let held = memory.keep(handle(1), session("Firefox"));
        memory.keep(handle(2), session("Firefox"));
        memory.keep(handle(3), session("Firefox")).touch(START.after(Duration::from_secs(1)));
        let later = START.after(UNLOAD_AFTER).after(Duration::from_secs(2));
        memory.unload(later);
        assert!(memory.find(&handle(1)).is_some(), "held");
        assert!(memory.find(&handle(2)).is_none(), "idle");
        assert!(memory.find(&handle(3)).is_some(), "not written yet");
        drop(held);
        memory.written(&memory.marks(|live| Memory::is_idle(live, later)));
        memory.unload(later);
        assert_eq!(memory.neighbours().count(), 0);
        assert!(locked(&memory.words).is_empty(), "words nobody uses go too");
    }

    #[test]
    fn every_handle_lies_in_the_range_of_its_neighbours() {
        let memory = Memory::new();
        for number in 0..=u8::MAX {
            memory.keep(handle(number), session("Firefox"));
        }
        let mut seen = 0;
        for range in memory.neighbours() {
            assert!(range.hot.iter().all(|one| *one >= range.first && *one <= range.last));
            seen += range.hot.len();
        }
        assert_eq!(seen, 256);
    }
}
