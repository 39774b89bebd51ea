//! What the memories of both stores are made of: maps by handle, and words that many sessions have in common, kept once.
//!
//! What is in a memory, and when it may be believed, is each store's business.

use std::collections::HashSet;
use std::hash::Hasher;
use std::sync::{Arc, Mutex, PoisonError};

/// Shards of a memory, by the first six bits of the handle.
pub(super) const SHARDS: usize = 64;

/// Words that many sessions have in common, one copy of each.
#[derive(Default)]
pub(super) struct Words(Mutex<HashSet<Arc<str>>>);

impl Words {
    /// The one copy of a word.
    pub(super) fn shared(&self, word: Arc<str>) -> Arc<str> {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = words.get(&word) {
            return Arc::clone(known);
        }
        words.insert(Arc::clone(&word));
        word
    }

    /// Lets go of words that nobody uses.
    pub(super) fn tidy(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|word| Arc::strong_count(word) > 1);
    }
}

/// Takes eight bytes of a key that is a hash already, of a secret that we drew: nobody can choose collisions. They are not
/// the first bytes, which chose the shard and are alike in it.
#[derive(Default)]
pub(super) struct AlreadyHashed(u64);

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
    use crate::domain::session::HandleHash;
    use std::hash::{BuildHasher, BuildHasherDefault};

    #[test]
    fn different_handles_of_one_shard_hash_differently() {
        let hasher = BuildHasherDefault::<AlreadyHashed>::default();
        let (mut one, mut two): (HandleHash, HandleHash) = ([1; 32], [1; 32]);
        (one[12], two[12]) = (3, 4);
        assert_ne!(hasher.hash_one(one), hasher.hash_one(two));
    }

    #[test]
    fn words_in_common_are_kept_once_and_leave_when_nobody_uses_them() {
        let words = Words::default();
        let (one, two) = (words.shared("Firefox".into()), words.shared("Firefox".into()));
        assert!(Arc::ptr_eq(&one, &two));
        words.tidy();
        assert!(Arc::ptr_eq(&one, &words.shared("Firefox".into())));
        drop((one, two));
        words.tidy();
        assert!(words.0.lock().unwrap().is_empty());
    }
}
