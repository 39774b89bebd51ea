//! Names of keys, and the slots of a Cluster they lie in. What is under them, the rooms know.
//!
//! Every script touches keys of one slot only; no two keys of ours are made to share one.

use crate::domain::id::{AccountId, RememberedId};
use crate::domain::session::HandleHash;
use crate::domain::throttle::Scope;
use crate::store::volatile::Shelf;

/// How many slots a Cluster has.
const SLOTS: u16 = 16_384;

/// Names of keys under the operator's prefix: one letter says what, then come the bare bytes of whose.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: Vec<u8>,
}

impl Keys {
    /// Under a prefix.
    pub(super) fn under(prefix: &str) -> Self {
        Self { prefix: prefix.as_bytes().to_vec() }
    }

    /// What all sessions' keys begin with: these are tracked.
    pub(super) fn sessions(&self) -> Vec<u8> {
        self.key(b"s", &[])
    }

    /// A session.
    pub(super) fn session(&self, handle: &HandleHash) -> Vec<u8> {
        self.key(b"s", handle)
    }

    /// The handle in a session's key; None for any other key.
    pub(super) fn handle(&self, key: &[u8]) -> Option<HandleHash> {
        key.strip_prefix(self.prefix.as_slice())?.strip_prefix(b"s")?.try_into().ok()
    }

    /// The sessions of an account.
    pub(super) fn of_account(&self, account: AccountId) -> Vec<u8> {
        self.key(b"a", account.uuid().as_bytes())
    }

    /// The sessions that a remembered browser opened.
    pub(super) fn of_family(&self, family: RememberedId) -> Vec<u8> {
        self.key(b"f", family.uuid().as_bytes())
    }

    /// An entry on a shelf.
    pub(super) fn entry(&self, on: Shelf, key: &[u8; 32]) -> Vec<u8> {
        let kind = match on {
            Shelf::Attempt => b"ea",
            Shelf::Outcome => b"eo",
            Shelf::Replay => b"er",
            Shelf::Ceremony => b"ec",
        };
        self.key(kind, key)
    }

    /// A failure counter.
    pub(super) fn counter(&self, scope: Scope, subject: &[u8; 32]) -> Vec<u8> {
        let mut kind = vec![b'c'];
        kind.extend_from_slice(scope.as_str().as_bytes());
        kind.push(b':');
        self.key(&kind, subject)
    }

    /// The mark by which a store that lost its data is told from one that kept it.
    pub(super) fn mark(&self) -> Vec<u8> {
        self.key(b"mark", &[])
    }

    fn key(&self, kind: &[u8], whose: &[u8]) -> Vec<u8> {
        [self.prefix.as_slice(), kind, whose].concat()
    }
}

/// The slot of a key: CRC16 of it, or of what stands between its first braces (Redis Cluster specification, "Hash tags").
pub(super) fn slot(key: &[u8]) -> u16 {
    let tagged = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = key.get(open + 1..)?;
        let length = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..length).filter(|tag| !tag.is_empty())
    });
    crc16(tagged.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(
            sum ^ (u16::from(*byte) << 8),
            |sum, _| {
                if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS, "an empty tag is none");
        assert_eq!(slot(b"foo{{bar}}zap"), crc16(b"{bar") % SLOTS);
    }

    #[test]
    fn a_sessions_key_gives_its_handle_and_no_other_key_does() {
        let keys = Keys::under("vestibule:");
        assert_eq!(keys.handle(&keys.session(&[7; 32])), Some([7; 32]));
        for other in [keys.entry(Shelf::Attempt, &[7; 32]), keys.sessions(), keys.mark(), b"s".to_vec()] {
            assert_eq!(keys.handle(&other), None);
        }
    }
}
