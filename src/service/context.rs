//! What every use case is given first: the clock, randomness, who acts, in which request, from where.
//! Nothing else in the program reads the clock or the generator.

use crate::domain::audit::{Actor, Event};
use crate::domain::id::{AccountId, EventId, RequestId};
use crate::domain::language::Language;
use crate::domain::redact::ClientNetwork;
use crate::domain::time::Timestamp;
use crate::domain::trace::{Facts, MOST_NOTES, Note};
use crate::store::audit::{self, Circumstances};
use crate::store::{Link, StoreError};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes.
pub trait Random: Send + Sync {
    /// Fills the slice with bytes that nobody can foresee.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's own clock and generator.
#[derive(Clone, Copy, Debug)]
pub struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }
}

impl Random for Machine {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the generator")]
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Nothing that follows could be safe: every handle, token and key would be guessable.
            std::process::abort();
        }
    }
}

/// Clock and generator together; cheap to clone.
#[derive(Clone)]
pub struct Surroundings {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Surroundings {
    /// From any clock and generator.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random }
    }

    /// The machine's own.
    #[must_use]
    pub fn machine() -> Self {
        Self::new(Arc::new(Machine), Arc::new(Machine))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A new identifier that sorts by time (`UUIDv7`, RFC 9562 §5.7).
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// So many of them, in their order (RFC 9562 §6.2): rows that are written together lie together.
    #[must_use]
    pub fn uuids(&self, count: usize) -> Vec<Uuid> {
        let millis = u64::try_from(self.now().millis()).unwrap_or(0);
        let mut bytes = vec![[0; 10]; count];
        self.random.fill(bytes.as_flattened_mut());
        bytes.sort_unstable();
        bytes.iter().map(|bytes| uuid::Builder::from_unix_timestamp_millis(millis, bytes).into_uuid()).collect()
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The client's address, as far as trusted proxies vouch for it.
    pub address: Option<IpAddr>,
    /// Browser and system, in words.
    pub device: String,
}

impl Origin {
    /// The client's network, truncated, as shown and stored; empty when there is no client.
    #[must_use]
    pub fn network(&self) -> String {
        self.address.map(|address| ClientNetwork(address).to_string()).unwrap_or_default()
    }
}

/// The circumstances of one use case.
#[derive(Clone)]
pub struct Context {
    surroundings: Surroundings,
    /// Who acts.
    pub actor: Actor,
    /// In which request.
    pub request: Option<RequestId>,
    /// From where.
    pub origin: Origin,
    /// The language that the caller reads.
    pub language: Language,
    noted: Arc<Mutex<Noted>>,
}

/// What was noted while a request was served.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    /// Whose account it is about.
    pub(super) account: Option<AccountId>,
    /// What happened, in order.
    pub(super) notes: Vec<Note>,
}

impl Context {
    /// For somebody who is not signed in (yet).
    #[must_use]
    pub fn stranger(surroundings: Surroundings, request: RequestId, origin: Origin, language: Language) -> Self {
        Self { surroundings, actor: Actor::Stranger, request: Some(request), origin, language, noted: Arc::default() }
    }

    /// For the command line.
    #[must_use]
    pub fn operator(surroundings: Surroundings) -> Self {
        Self::without_client(surroundings, Actor::Operator)
    }

    /// For a job.
    #[must_use]
    pub fn system(surroundings: Surroundings) -> Self {
        Self::without_client(surroundings, Actor::System)
    }

    fn without_client(surroundings: Surroundings, actor: Actor) -> Self {
        let (origin, language) = (Origin::default(), Language::default());
        Self { surroundings, actor, request: None, origin, language, noted: Arc::default() }
    }

    /// The same circumstances with somebody else acting.
    #[must_use]
    pub fn acting_as(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.surroundings.now()
    }

    /// Random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        self.surroundings.bytes()
    }

    /// A new identifier that sorts by time.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.surroundings.uuid()
    }

    /// So many new identifiers, in their order.
    #[must_use]
    pub fn uuids(&self, count: usize) -> Vec<Uuid> {
        self.surroundings.uuids(count)
    }

    /// Notes a step of a sign-in. It is kept only if a trace is (`trace.rs`), and otherwise forgotten with the request.
    pub fn note(&self, step: &'static str, facts: Facts) {
        let mut noted = self.noted();
        if noted.notes.len() < MOST_NOTES {
            noted.notes.push(Note { at: self.now(), step: Cow::Borrowed(step), facts: facts.into_map() });
        }
    }

    /// What was noted so far, for a request that goes on with this one's work.
    #[must_use]
    pub(super) fn notes(&self) -> Vec<Note> {
        self.noted().notes.clone()
    }

    /// Takes over what an earlier request has noted.
    pub(super) fn note_again(&self, earlier: Vec<Note>) {
        let mut noted = self.noted();
        let room = MOST_NOTES.saturating_sub(noted.notes.len());
        noted.notes.extend(earlier.into_iter().take(room));
    }

    /// Notes whose account a sign-in is about.
    pub fn note_account(&self, account: AccountId) {
        self.noted().account = Some(account);
    }

    /// What was noted in this request.
    pub(super) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an audit event, in the transaction of the act it tells of.
    ///
    /// # Errors
    /// [`StoreError`]; the act must not happen then.
    pub async fn record(&self, link: &mut Link, event: Event) -> Result<(), StoreError> {
        audit::append(link, &event, &self.circumstances(self.uuid())).await
    }

    /// Writes many audit events at once, in the transaction of the acts they tell of.
    ///
    /// # Errors
    /// [`StoreError`]; the acts must not happen then.
    pub async fn record_all(
        &self,
        link: &mut Link,
        events: impl ExactSizeIterator<Item = Event> + Send,
    ) -> Result<(), StoreError> {
        let ids = self.uuids(events.len()).into_iter();
        audit::append_all(link, events.zip(ids).map(|(event, id)| (event, self.circumstances(id)))).await
    }

    fn circumstances(&self, id: Uuid) -> Circumstances {
        let network = self.origin.network();
        Circumstances {
            id: EventId::new(id),
            at: self.now(),
            actor: self.actor,
            request: self.request,
            address: (!network.is_empty()).then_some(network),
        }
    }
}
