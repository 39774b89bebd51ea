//! The one limiter that every check of a secret passes: who is charged with a try, and how far.

use super::context::Origin;
use super::flights::{Flight, Flights};
use super::limiter_keys::{address_key, by_address, charge, hashed, network_key};
use super::metrics::{Metrics, ThrottleScope};
use crate::domain::account::LoginName;
use crate::domain::id::AccountId;
use crate::domain::identity::{Identity, SourceKind};
use crate::domain::phone::PhoneNumber;
use crate::domain::throttle::{Admission, Charge, Limit, Scope};
use crate::domain::time::Timestamp;
use crate::store::volatile::{Unavailable, Volatile};
use std::sync::Arc;
use std::time::Duration;

/// The limits in force.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Failures of one account, or of one name nobody has.
    pub account: Limit,
    /// Failures from one address.
    pub address: Limit,
    /// Failures from one network.
    pub network: Limit,
    /// Recovery letters for one account or name.
    pub recovery_account: Limit,
    /// Recovery letters from one address.
    pub recovery_address: Limit,
    /// Codes to phones.
    pub codes: CodeLimits,
}

/// How many codes may be sent to phones.
#[derive(Clone, Copy, Debug)]
pub struct CodeLimits {
    /// For one sign-in or one binding.
    pub seat: Limit,
    /// For one account.
    pub account: Limit,
    /// To one number.
    pub number: Limit,
    /// Asked for from one network.
    pub network: Limit,
    /// By this service in an hour.
    pub hour: Limit,
    /// By this service in a day.
    pub day: Limit,
}

/// What a code is sent for.
#[derive(Clone, Copy)]
pub struct CodeFor<'a> {
    /// The hash of the sign-in or session.
    pub seat: &'a [u8; 32],
    /// Whose.
    pub account: AccountId,
    /// Where to.
    pub number: &'a PhoneNumber,
}

/// Counts failures in the volatile store.
#[derive(Clone)]
pub struct Limiter {
    store: Arc<dyn Volatile>,
    limits: Limits,
    metrics: Arc<Metrics>,
    flights: Flights,
}

/// A try that was let through; give it back when the secret was right.
#[must_use = "a right secret gives its charge back"]
pub struct Ticket {
    charges: Vec<Charge>,
    /// Ends when the ticket goes, given back or not.
    #[expect(dead_code, reason = "its end is what counts")]
    flight: Flight,
}

/// Whose secret is tried.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// An account's.
    Account(AccountId),
    /// A name that no account has: counted all the same, so that answers do not tell.
    Nobody(&'a LoginName),
    /// An entry of a source that no account is linked to yet: the source's key and the entry's subject there.
    Entry(&'a str, &'a str),
    /// A token that names nobody.
    Token,
}

/// The outcome of asking.
pub enum Try {
    /// Go on.
    Granted(Ticket),
    /// Wait.
    Refused {
        /// Which limit was reached.
        scope: Scope,
        /// How long.
        retry_after: Duration,
    },
}

impl Limiter {
    /// A limiter over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Volatile>, limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self { store, limits, metrics, flights: Flights::default() }
    }

    /// The same counts under other limits.
    #[must_use]
    pub fn with(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Asks to try a secret.
    ///
    /// # Errors
    /// [`Unavailable`]: then the secret must not be tried.
    pub async fn ask(&self, target: Target<'_>, origin: &Origin, now: Timestamp) -> Result<Try, Unavailable> {
        let mut charges = self.by_origin(origin);
        charges.extend(charge(Scope::Account, target, self.limits.account));
        self.admit(charges, now).await
    }

    /// Asks to try a secret of somebody who turned out to be meant, after a try under the name that was typed was granted.
    /// Only theirs is charged; where it comes from was.
    ///
    /// # Errors
    /// [`Unavailable`]: then the secret must not be tried.
    pub async fn ask_owner(&self, target: Target<'_>, now: Timestamp) -> Result<Try, Unavailable> {
        self.admit(charge(Scope::Account, target, self.limits.account).into_iter().collect(), now).await
    }

    /// Asks to send a recovery letter.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn ask_recovery(&self, login: &LoginName, origin: &Origin, now: Timestamp) -> Result<Try, Unavailable> {
        let mut charges = Vec::new();
        if let Some(address) = origin.address {
            charges.push(by_address(Scope::RecoveryAddress, address_key(address), self.limits.recovery_address));
        }
        charges.extend(charge(Scope::RecoveryAccount, Target::Nobody(login), self.limits.recovery_account));
        self.admit(charges, now).await
    }

    /// Asks to send a code. It stays counted whatever the gateway says: nobody knows whether it was sent and has to be paid.
    ///
    /// # Errors
    /// [`Unavailable`]; then nothing must be sent.
    pub async fn ask_code(&self, what: CodeFor<'_>, origin: &Origin, now: Timestamp) -> Result<Admission, Unavailable> {
        let limits = &self.limits.codes;
        let charge = |scope, key: &[u8], limit| Charge { scope, subject: hashed(scope, key), limit };
        // Few enough bits that the counter tells no number, and enough that strangers seldom share one.
        let number = hashed(Scope::CodesNumber, what.number.expose().as_bytes());
        let mut charges = vec![
            charge(Scope::CodesSeat, what.seat, limits.seat),
            charge(Scope::CodesAccount, what.account.uuid().as_bytes(), limits.account),
            charge(Scope::CodesNumber, number.get(..3).unwrap_or_default(), limits.number),
            charge(Scope::CodesHour, &[], limits.hour),
            charge(Scope::CodesDay, &[], limits.day),
        ];
        if let Some(address) = origin.address {
            charges.push(by_address(Scope::CodesNetwork, network_key(address), limits.network));
        }
        // Not `admit`: nothing here is given back, so nobody waits for others.
        self.store.admit(&charges, now).await
    }

    async fn admit(&self, charges: Vec<Charge>, now: Timestamp) -> Result<Try, Unavailable> {
        loop {
            let flight = self.flights.asking(charges.iter().map(|charge| charge.subject));
            let (scope, retry_after) = match self.store.admit(&charges, now).await? {
                Admission::Granted => return Ok(Try::Granted(Ticket { charges, flight: flight.let_off() })),
                Admission::Refused { scope, retry_after } => (scope, retry_after),
            };
            drop(flight);
            let met = charges.iter().find(|charge| charge.scope == scope).map(|charge| charge.subject);
            let waits = match &met {
                Some(subject) => self.flights.one_ends(subject).await,
                None => false,
            };
            if !waits {
                return Ok(self.refused(&charges, scope, retry_after));
            }
        }
    }

    fn refused(&self, charges: &[Charge], scope: Scope, retry_after: Duration) -> Try {
        for charge in charges {
            // We were woken and do not go on; the next one may.
            self.flights.wake(&charge.subject);
        }
        if let Some(counted) = counted(scope) {
            self.metrics.throttle_refusal(counted);
        }
        Try::Refused { scope, retry_after }
    }

    /// The secret was right: gives back what this try was charged. What others failed stays counted.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn give_back(&self, ticket: Ticket) -> Result<(), Unavailable> {
        self.store.refund(&ticket.charges).await
    }

    /// Gives back what this try was charged in some scopes, though the secret was not right: nobody could say so.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn give_back_only(&self, ticket: &Ticket, which: impl Fn(Scope) -> bool) -> Result<(), Unavailable> {
        let charges = ticket.charges.iter().filter(|charge| which(charge.scope)).cloned();
        self.store.refund(&charges.collect::<Vec<_>>()).await
    }

    /// Forgets the failures of an account, and those that its entries in directories have from when they had none. Counters of
    /// addresses stay, or whoever has one account could guess at others without end.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn forget(&self, account: AccountId, identities: &[Identity]) -> Result<(), Unavailable> {
        let is_entry = |one: &&Identity| one.account == account && one.source.kind() == SourceKind::Directory;
        let entries = identities.iter().filter(is_entry).map(|one| Target::Entry(one.source.key(), &one.subject));
        let charge = |target| charge(Scope::Account, target, self.limits.account);
        let charges: Vec<_> = entries.chain([Target::Account(account)]).filter_map(charge).collect();
        self.store.forget(&charges).await
    }

    fn by_origin(&self, origin: &Origin) -> Vec<Charge> {
        let Some(address) = origin.address else { return Vec::new() };
        vec![
            by_address(Scope::Address, address_key(address), self.limits.address),
            by_address(Scope::Network, network_key(address), self.limits.network),
        ]
    }
}

/// The metric's label; letters that were asked for too often are no failures.
const fn counted(scope: Scope) -> Option<ThrottleScope> {
    match scope {
        Scope::Account => Some(ThrottleScope::Account),
        Scope::Address => Some(ThrottleScope::Address),
        Scope::Network => Some(ThrottleScope::Network),
        _ => None,
    }
}

#[cfg(test)]
#[path = "limiter_tests.rs"]
mod tests;
