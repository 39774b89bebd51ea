//! Sessions: what one proves, and when it ends. Where they are kept is the store's business.

use super::id::{AccountId, RememberedId, SessionId};
use super::identity::Source;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// SHA-256 of a session's secret handle: all that is ever stored or compared.
pub type HandleHash = [u8; 32];

/// Ways in which someone proved who they are, as a set. Names follow RFC 8176 where it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Methods(u16);

impl Methods {
    /// A password of ours (`pwd`).
    pub const PASSWORD: Self = Self(1);
    /// A remembered browser; not a factor of its own, so it never counts as a fresh proof.
    pub const REMEMBERED: Self = Self(1 << 1);

    /// More than one factor was proved in this sign-in (`mfa`).
    pub const MULTI_FACTOR: Self = Self(1 << 2);

    /// A code of an authenticator app (`otp`).
    pub const CODE: Self = Self(1 << 3);
    /// A key that proved its possession, wherever it is kept (`pop`, OpenID EAP ACR Values 1.0).
    pub const KEY: Self = Self(1 << 4);
    /// The key asked for a PIN, a finger or a face before it answered (`user`).
    pub const USER_VERIFIED: Self = Self(1 << 5);
    /// A code in a text message to a number of theirs (`sms`).
    pub const TEXT_MESSAGE: Self = Self(1 << 6);
    /// A code read out in a call to a number of theirs (`tel`).
    pub const CALL: Self = Self(1 << 7);
    /// A code from paper; no registered name.
    pub const BACKUP: Self = Self(1 << 8);
    /// The second factor was spared because this browser proved it before; it never counts as one, let alone as fresh.
    pub const REMEMBERED_DEVICE: Self = Self(1 << 9);
    /// An identity provider vouched; what was proved there stands in further methods only where the operator trusts
    /// the provider's word.
    pub const FEDERATED: Self = Self(1 << 14);

    const NAMES: [(Self, &'static str); 11] = [
        (Self::PASSWORD, "pwd"),
        (Self::REMEMBERED, "remembered"),
        (Self::MULTI_FACTOR, "mfa"),
        (Self::CODE, "otp"),
        (Self::KEY, "pop"),
        (Self::USER_VERIFIED, "user"),
        (Self::TEXT_MESSAGE, "sms"),
        (Self::CALL, "tel"),
        (Self::BACKUP, "backup"),
        (Self::REMEMBERED_DEVICE, "remembered_device"),
        (Self::FEDERATED, "federated"),
    ];

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without what is in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in here.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The values of the `amr` claim.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(method, _)| self.has(*method)).map(|(_, name)| name)
    }

    /// As stored.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// From its stored form.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

/// Proof that an account signed in: who, how, when, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Public name, for lists and the audit trail.
    pub id: SessionId,
    /// Who signed in.
    pub account: AccountId,
    /// When this session was opened.
    pub created_at: Timestamp,
    /// When the person last proved who they are (`auth_time` in OpenID Connect); autologin keeps the old one.
    pub authenticated_at: Timestamp,
    /// Absolute end.
    pub ends_at: Timestamp,
    /// Last request seen.
    pub last_seen_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// Browser and system, in words. Shared: a hundred thousand sessions come from a few hundred kinds of browser.
    pub device: Arc<str>,
    /// The network it was opened from, truncated.
    pub network: Arc<str>,
    /// The remembered browser that opened it, if one did.
    pub remembered: Option<RememberedId>,
    /// The identity provider or directory that vouched when it was opened; `None` for a proof of ours.
    pub source: Option<Source>,
}

impl Session {
    /// Whether it is alive at `now`, given the last request that is known of. Its end was set when it was opened; where
    /// sessions may live less long by now, that holds for it too.
    #[must_use]
    pub fn alive(&self, now: Timestamp, last_seen_at: Timestamp, lifetimes: &Lifetimes) -> bool {
        lifetimes.alive(now, last_seen_at, self.ends_at) && now < self.created_at.after(lifetimes.absolute)
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Ends a session this long after the last request.
    pub idle: Duration,
    /// Ends a session this long after it was opened, used or not.
    pub absolute: Duration,
}

impl Lifetimes {
    /// Whether a session with these marks is alive at `now`.
    #[must_use]
    pub fn alive(&self, now: Timestamp, last_seen_at: Timestamp, ends_at: Timestamp) -> bool {
        now < ends_at && now < last_seen_at.after(self.idle)
    }
}

/// How long sessions live, where that changes while stores are open: all clones say the same.
#[derive(Clone, Debug)]
pub struct SharedLifetimes(Arc<[AtomicU64; 2]>);

impl SharedLifetimes {
    /// What holds now.
    #[must_use]
    pub fn now(&self) -> Lifetimes {
        let [idle, absolute] = &*self.0;
        let read = |millis: &AtomicU64| Duration::from_millis(millis.load(Ordering::Relaxed));
        Lifetimes { idle: read(idle), absolute: read(absolute) }
    }

    /// What holds from now on, to the millisecond.
    pub fn set(&self, lifetimes: Lifetimes) {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let [idle, absolute] = &*self.0;
        idle.store(millis(lifetimes.idle), Ordering::Relaxed);
        absolute.store(millis(lifetimes.absolute), Ordering::Relaxed);
    }
}

impl From<Lifetimes> for SharedLifetimes {
    fn from(lifetimes: Lifetimes) -> Self {
        let shared = Self(Arc::default());
        shared.set(lifetimes);
        shared
    }
}

/// What happened to an account, seen by the things that prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialEvent {
    /// The person changed the password while signed in.
    PasswordChanged,
    /// A password was set through a mailed link.
    PasswordRecovered,
    /// An administrator set a password, or took a directory away that checked it.
    PasswordSet,
    /// The address was changed and confirmed.
    EmailChanged,
    /// The account was locked.
    Locked,
    /// The account became an administrator (or ceased to be).
    RightsChanged,
    /// The person asked to be signed out everywhere.
    SignedOutEverywhere,
    /// An old autologin token was shown again.
    AutologinTheft,
    /// The person signed out in this browser.
    SignedOut,
    /// The account has a second factor from now on.
    FirstFactorAdded,
    /// Another authenticator was bound.
    FactorAdded,
    /// An authenticator was removed.
    FactorRemoved,
    /// Backup codes were made anew; the ones before are void.
    BackupCodesMade,
    /// Somebody else took all authenticators away.
    FactorsReset,
}

/// What an event ends. One row of the revocation matrix (C6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Which sessions end.
    pub sessions: Ends,
    /// Which remembered browsers are forgotten.
    pub remembered: Ends,
    /// Whether browsers that need no second factor need one again.
    pub devices: bool,
    /// Whether mailed links that are still open die.
    pub links: bool,
}

/// How far an ending reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Nothing ends.
    Nothing,
    /// Only what the acting browser holds.
    This,
    /// All but what the acting browser holds, which is renewed under a new id.
    Others,
    /// The family (remembered browser and its sessions) concerned.
    Family,
    /// Everything.
    All,
}

impl CredentialEvent {
    /// Every event, for tests and documents.
    pub const ALL: [Self; 14] = [
        Self::PasswordChanged,
        Self::PasswordRecovered,
        Self::PasswordSet,
        Self::EmailChanged,
        Self::Locked,
        Self::RightsChanged,
        Self::SignedOutEverywhere,
        Self::AutologinTheft,
        Self::SignedOut,
        Self::FirstFactorAdded,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::BackupCodesMade,
        Self::FactorsReset,
    ];

    /// The revocation matrix.
    #[must_use]
    pub fn revokes(self) -> Revocation {
        let row = |sessions, remembered, devices, links| Revocation { sessions, remembered, devices, links };
        match self {
            Self::PasswordChanged => row(Ends::Others, Ends::All, true, true),
            Self::PasswordRecovered | Self::PasswordSet | Self::Locked | Self::FactorsReset => {
                row(Ends::All, Ends::All, true, true)
            }
            Self::EmailChanged => row(Ends::Others, Ends::Nothing, false, true),
            Self::RightsChanged => row(Ends::All, Ends::Nothing, true, false),
            Self::SignedOutEverywhere | Self::FirstFactorAdded => row(Ends::Others, Ends::All, true, false),
            // Whoever copied one cookie of the browser may have copied the other.
            Self::AutologinTheft => row(Ends::Family, Ends::Family, true, false),
            Self::SignedOut => row(Ends::This, Ends::This, false, false),
            Self::FactorAdded => row(Ends::Nothing, Ends::Nothing, true, false),
            Self::FactorRemoved => row(Ends::Others, Ends::Nothing, true, false),
            Self::BackupCodesMade => row(Ends::Nothing, Ends::Nothing, false, false),
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
