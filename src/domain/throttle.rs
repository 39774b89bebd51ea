//! Limits on failures: what is counted, how far, and what a refusal says.

use std::time::Duration;

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One account, or one name nobody has: both are counted alike.
    Account,
    /// One client address (IPv6: its /64).
    Address,
    /// One network (IPv4 /24, IPv6 /48).
    Network,
    /// Recovery letters asked for one account.
    RecoveryAccount,
    /// Recovery letters asked from one address.
    RecoveryAddress,
    /// Codes sent for one sign-in or one binding.
    CodesSeat,
    /// Codes sent for one account.
    CodesAccount,
    /// Codes sent to one number.
    CodesNumber,
    /// Codes asked for from one network.
    CodesNetwork,
    /// Codes that this service sends in an hour: what they cost has a bound.
    CodesHour,
    /// Codes that this service sends in a day.
    CodesDay,
}

impl Scope {
    /// Every scope, for unblocking.
    pub const ALL: [Self; 11] = [
        Self::Account,
        Self::Address,
        Self::Network,
        Self::RecoveryAccount,
        Self::RecoveryAddress,
        Self::CodesSeat,
        Self::CodesAccount,
        Self::CodesNumber,
        Self::CodesNetwork,
        Self::CodesHour,
        Self::CodesDay,
    ];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Network => "network",
            Self::RecoveryAccount => "recovery-account",
            Self::RecoveryAddress => "recovery-address",
            Self::CodesSeat => "codes-seat",
            Self::CodesAccount => "codes-account",
            Self::CodesNumber => "codes-number",
            Self::CodesNetwork => "codes-network",
            Self::CodesHour => "codes-hour",
            Self::CodesDay => "codes-day",
        }
    }
}

/// How many failures one scope bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Failures within the window that are still let through; 0 switches the limit off.
    pub failures: u32,
    /// Counted from the first failure; also how long a block lasts, from the failure that caused it.
    pub window: Duration,
}

/// One counter to be raised: what, whose, how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What is counted by.
    pub scope: Scope,
    /// Hash of whose it is; never an address or a name in clear.
    pub subject: [u8; 32],
    /// How far.
    pub limit: Limit,
}

/// The answer to a request to try a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Go on; the failure is already counted and given back when the secret proves right.
    Granted,
    /// Wait.
    Refused {
        /// Which limit was reached.
        scope: Scope,
        /// How long until it may be tried again.
        retry_after: Duration,
    },
}
