//! What other processes on the same database must notice. Keeping and reading notices is the store's business.

use super::id::AccountId;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An account, its groups or its rights.
    Account(AccountId),
    /// Many accounts at once: forget all that is cached about any.
    Accounts,
    /// The key ring.
    Keys,
}
