//! "Stay logged in": when a remembered browser's token is good, late by a blink, or stolen.

use super::id::{AccountId, RememberedId};
use super::time::Timestamp;
use std::time::Duration;

/// How long after a rotation the token before it is still taken for a second tab of the same browser. Two tabs
/// restored at once send their requests within a round trip of each other; a thief has to be that fast, from the same
/// network and with the same kind of browser, and is found out at the next rotation.
pub const SECOND_TAB: Duration = Duration::from_secs(10);

/// A remembered browser as stored. Tokens are SHA-256 hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The family's public name.
    pub id: RememberedId,
    /// Whose browser it is.
    pub account: AccountId,
    /// The token that is good now.
    pub current: [u8; 32],
    /// The token before it.
    pub previous: Option<[u8; 32]>,
    /// When the current one was issued.
    pub rotated_at: Timestamp,
    /// When the person signed in with a proof of their own.
    pub authenticated_at: Timestamp,
    /// Fixed end, N days after the sign-in that made it.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Browser and system, in words.
    pub device: String,
    /// The network it was last used from, truncated.
    pub network: String,
}

/// What a presented token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Good: rotate it and open a session.
    Current,
    /// The token just rotated away, from the same browser: open a session, leave the token as it is.
    SecondTab,
    /// Too old: forget this browser.
    Expired,
    /// A token of this family that was used before: someone copied it. End the family.
    Replayed,
}

impl Remembered {
    /// Judges a token of this family. `same_browser` says whether device and network equal those of the last use;
    /// `clocks_differ`, how far this clock may be from that of the node that rotated it.
    #[must_use]
    pub fn judge(&self, token: &[u8; 32], same_browser: bool, now: Timestamp, clocks_differ: Duration) -> Presented {
        if now >= self.expires_at {
            return Presented::Expired;
        }
        if *token == self.current {
            return Presented::Current;
        }
        let just_now = now.since(self.rotated_at) <= SECOND_TAB + clocks_differ;
        if self.previous.as_ref() == Some(token) && just_now && same_browser {
            return Presented::SecondTab;
        }
        Presented::Replayed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::CLOCKS_DIFFER;
    use uuid::Uuid;

    fn remembered() -> Remembered {
        Remembered {
            id: RememberedId::new(Uuid::nil()),
            account: AccountId::new(Uuid::nil()),
            current: [2; 32],
            previous: Some([1; 32]),
            rotated_at: Timestamp::from_millis(1_000_000),
            authenticated_at: Timestamp::from_millis(0),
            expires_at: Timestamp::from_millis(9_000_000),
            created_at: Timestamp::from_millis(0),
            device: String::new(),
            network: String::new(),
        }
    }

    const ONE_CLOCK: Duration = Duration::ZERO;

    #[test]
    fn a_node_whose_clock_is_ahead_takes_a_second_tab_for_no_thief() {
        let ahead = Timestamp::from_millis(1_001_000).after(CLOCKS_DIFFER);
        let late = Timestamp::from_millis(1_011_000).after(CLOCKS_DIFFER);
        let one = remembered();
        assert_eq!(one.judge(&[1; 32], true, ahead, ONE_CLOCK), Presented::Replayed);
        assert_eq!(one.judge(&[1; 32], true, ahead, CLOCKS_DIFFER), Presented::SecondTab);
        assert_eq!(one.judge(&[1; 32], false, ahead, CLOCKS_DIFFER), Presented::Replayed);
        assert_eq!(one.judge(&[1; 32], true, late, CLOCKS_DIFFER), Presented::Replayed);
    }

    #[test]
    fn tokens_are_judged() {
        let soon = Timestamp::from_millis(1_005_000);
        let later = Timestamp::from_millis(1_011_000);
        let one = remembered();
        assert_eq!(one.judge(&[2; 32], false, later, ONE_CLOCK), Presented::Current);
        assert_eq!(one.judge(&[1; 32], true, soon, ONE_CLOCK), Presented::SecondTab);
        assert_eq!(
            one.judge(&[1; 32], false, soon, ONE_CLOCK),
            Presented::Replayed,
            "another browser is no second tab"
        );
        assert_eq!(one.judge(&[1; 32], true, later, ONE_CLOCK), Presented::Replayed);
        assert_eq!(one.judge(&[0; 32], true, soon, ONE_CLOCK), Presented::Replayed, "two rotations old");
        assert_eq!(one.judge(&[2; 32], true, one.expires_at, ONE_CLOCK), Presented::Expired);
    }
}
