//! `[throttle]`: how many failures are borne before further tries have to wait.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{findings::Findings, span::Span};

/// The section `[throttle]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// Failures against one account within `account_window`. NIST SP 800-63B-4 section 3.2.2 allows at most 100 in a
    /// row.
    ///
    /// Danger: with 0 one account can be guessed at as long as addresses are changed.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub account_failures: u32,

    /// The time in which the failures of one account are counted, and after which it is free again.
    pub account_window: Span,

    /// Failures from one client address within `address_window`. Higher than for an account, because a household or
    /// office can share an address.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub address_failures: u32,

    /// The time in which the failures of one address are counted, and after which it is free again.
    pub address_window: Span,

    /// Failures from one network (IPv4 /24, IPv6 /48) within `network_window`; against those who change addresses
    /// inside it.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub network_failures: u32,

    /// The time in which the failures of one network are counted, and after which it is free again.
    pub network_window: Span,

    /// Recovery mails for one account within `recovery_window`, so that nobody's mailbox is flooded.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub recovery_per_account: u32,

    /// Recovery requests from one client address within `recovery_window`.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub recovery_per_address: u32,

    /// The time in which recovery requests are counted.
    pub recovery_window: Span,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            account_failures: 10,
            account_window: Span::minutes(15),
            address_failures: 50,
            address_window: Span::minutes(15),
            network_failures: 200,
            network_window: Span::minutes(15),
            recovery_per_account: 3,
            recovery_per_address: 20,
            recovery_window: Span::hours(1),
        }
    }
}

impl Throttle {
    pub(super) fn check(&self, found: &mut Findings) {
        for (key, span) in [
            ("throttle.account_window", self.account_window),
            ("throttle.address_window", self.address_window),
            ("throttle.network_window", self.network_window),
            ("throttle.recovery_window", self.recovery_window),
        ] {
            found.bounds(key, span, Span::seconds(10), Span::hours(24 * 7));
        }
        if self.account_failures == 0 {
            found.warn("throttle.account_failures = 0: nothing stops guessing at one account".to_owned());
        }
    }
}
