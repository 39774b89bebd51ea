//! What all use cases share: stores, keys, the hasher, the limiter, the policy. Made once by `app.rs`.

use super::card::Cards;
use super::context::Context;
use super::directory::Connected;
use super::factor::FactorPolicy;
use super::hasher::{HashError, Hasher, Verdict};
use super::key_ring::KeyRing;
use super::limiter::Limiter;
use super::metrics::Metrics;
use super::signing::SigningKeys;
use super::trace;
use crate::domain::account::EmailAddress;
use crate::domain::application::Applications;
use crate::domain::authenticator::Kind;
use crate::domain::identity::{Source, SourceRules};
use crate::domain::password::{PlainPassword, Rules};
use crate::domain::redirect::AllowedOrigin;
use crate::domain::session::{HandleHash, Lifetimes};
use crate::store::volatile::{Unavailable, Volatile};
use crate::store::{Database, StoreError};
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use webauthn_rs::Webauthn;

/// What all use cases share. When a setting changes there is another one of these over the same stores, keys and caches.
#[derive(Clone)]
pub struct Core {
    /// This process among the nodes; drawn anew at each start.
    pub node: Uuid,
    /// The durable store.
    pub database: Database,
    /// The volatile store.
    pub volatile: Arc<dyn Volatile>,
    /// Seals cookies.
    pub cookie_keys: Arc<KeyRing>,
    /// Seals columns.
    pub column_keys: Arc<KeyRing>,
    /// Signs identity tokens.
    pub signing_keys: Arc<SigningKeys>,
    /// Hashes passwords.
    pub hasher: Arc<Hasher>,
    /// Counts failures.
    pub limiter: Limiter,
    /// Cached accounts.
    pub cards: Arc<Cards>,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// Asks keys; `None` where browsers allow none.
    pub webauthn: Option<Webauthn>,
    /// Directories, in the order in which somebody unknown is looked for.
    pub directories: Vec<Arc<Connected>>,
    /// Traces of sign-ins on their way to the store.
    pub traces: Arc<trace::Writer>,
    /// What the operator decided.
    pub policy: Policy,
}

/// What the operator decided, in the terms of the use cases.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the operator sets")]
pub struct Policy {
    /// Where this service is reached, without a slash at the end.
    pub public_url: String,
    /// The name on pages and letters.
    pub product: String,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// Sessions per account; 0 is unlimited.
    pub max_sessions: u32,
    /// A sign-in ends the account's other sessions.
    pub drop_old_on_login: bool,
    /// Signing out ends all sessions of the account.
    pub drop_all_on_logout: bool,
    /// Days that traces of sign-ins are kept; 0 is off.
    pub trace_days: u32,
    /// Days that "stay logged in" lasts; 0 is off.
    pub autologin_days: u32,
    /// Who may sign in with a password.
    pub password_login: PasswordLogin,
    /// Rules for new passwords.
    pub rules: Rules,
    /// Former passwords refused.
    pub password_history: u32,
    /// Age at which a password must be changed; zero is never.
    pub password_max_age: Duration,
    /// Lost passwords can be replaced by mail.
    pub recovery: bool,
    /// Days that the link of an invitation is good.
    pub invitation_days: u32,
    /// People are told of a sign-in from a browser or network that is new to the account.
    pub new_device_notice: bool,
    /// Who may make an account.
    pub registration: RegistrationPolicy,
    /// People may change their address.
    pub email_change: bool,
    /// Second factors.
    pub factor: FactorPolicy,
    /// Identity providers and directories.
    pub sources: Arc<HashMap<Source, SourceRules>>,
    /// Applications behind us.
    pub applications: Arc<Applications>,
    /// Origins that a redirect may lead to.
    pub redirect_origins: Arc<Vec<AllowedOrigin>>,
}

/// Who may make an account for themselves.
#[derive(Clone, Debug)]
pub struct RegistrationPolicy {
    /// Whether anybody may, and what follows.
    pub mode: SelfRegistration,
    /// Folded domains of the addresses that may; empty is every domain.
    pub domains: Vec<String>,
}

impl RegistrationPolicy {
    /// Whether an address of this domain may be registered.
    #[must_use]
    pub fn allows(&self, email: &EmailAddress) -> bool {
        let domain = email.key().rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.is_empty() || self.domains.iter().any(|allowed| allowed == domain)
    }
}

/// Whether people may make accounts for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfRegistration {
    /// Nobody may.
    Off,
    /// With a confirmed address.
    Mail,
    /// With a confirmed address, and an administrator's approval.
    Manual,
    /// At once; the address counts when it is confirmed.
    Automatic,
}

/// Who may sign in with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordLogin {
    /// Everybody who has one.
    All,
    /// Everybody who is not linked to an identity provider, and at `/login/internal` these (folded usernames) too.
    ExceptSso {
        /// The break-glass list.
        internal: Vec<String>,
    },
    /// Nobody, except these (folded usernames), at `/login/internal`.
    Nobody {
        /// The break-glass list.
        except: Vec<String>,
    },
}

/// A store that a use case needs did not answer. What was asked is not known to have happened.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The durable store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The volatile store.
    #[error(transparent)]
    Volatile(#[from] Unavailable),
    /// Too many passwords are being hashed.
    #[error("too many sign-ins at once; try again in {} s", .retry_after.as_secs())]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// A sealing key is missing or a sealed value does not open.
    #[error("{0}")]
    Sealing(&'static str),
}

impl Trouble {
    /// Whether trying again later cannot help: what is stored is broken, or a key is missing.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unreadable(_)) | Self::Sealing(_))
    }
}

impl From<HashError> for Trouble {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy { retry_after } => Self::Busy { retry_after },
            HashError::Failed => Self::Sealing("a password hash could not be computed"),
        }
    }
}

/// SHA-256 of a handle or token: the only form in which one is stored or compared.
#[must_use]
pub fn fingerprint(secret: &[u8]) -> HandleHash {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, secret).as_ref());
    out
}

impl Core {
    /// Checks a password through the bounded hasher, and counts the work.
    pub(super) async fn check_password(
        &self,
        password: &PlainPassword,
        stored: Option<&str>,
    ) -> Result<Verdict, Trouble> {
        self.counted(self.hasher.verify(password, stored)).await
    }

    /// Hashes a password through the bounded hasher, and counts the work.
    pub(super) async fn hash_password(&self, ctx: &Context, password: &PlainPassword) -> Result<String, Trouble> {
        self.counted(self.hasher.hash(password, ctx.bytes())).await
    }

    async fn counted<T>(&self, work: impl Future<Output = Result<T, HashError>>) -> Result<T, Trouble> {
        let begun = tokio::time::Instant::now();
        let waiting = self.metrics.password_hash_waits();
        let done = work.await;
        drop(waiting);
        match &done {
            Err(HashError::Busy { .. }) => self.metrics.password_hash_rejected(),
            _ => self.metrics.password_hashed(begun.elapsed()),
        }
        Ok(done?)
    }

    /// The kinds of second factors that can be bound here.
    pub(super) fn bindable(&self) -> Vec<Kind> {
        let usable = |kind: &&Kind| **kind != Kind::Passkey || self.webauthn.is_some();
        self.policy.factor.kinds.iter().filter(usable).copied().collect()
    }

    /// Seals a value for a column.
    pub(super) fn seal_column(&self, ctx: &Context, column: &str, plain: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.column_keys.seal_bytes(column, plain, ctx.bytes()).ok_or(Trouble::Sealing("there is no key to seal with"))
    }

    /// Opens a sealed column.
    pub(super) fn open_column(&self, column: &str, sealed: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.column_keys
            .open_bytes(column, sealed)
            .ok_or(Trouble::Sealing("a sealed column does not open with any key of the ring"))
    }
}
