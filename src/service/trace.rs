//! Traces: what came of each sign-in with an identity provider or directory, for administrators. Steps are noted on the
//! [`Context`] by whoever takes them; here the whole is kept, found and forgotten. What may be in one is decided in
//! `domain/trace.rs`, the words that it is told in are `trace_words.rs`.
//!
//! Keeping one never holds up the sign-in it is about and never fails it: it is handed to a writer beside the request, and
//! left out when there are too many. The reason stands in the log and the audit trail in any case.

use super::caller::Operator;
use super::context::Context;
use super::core::{Core, Trouble};
use crate::domain::id::RequestId;
use crate::domain::identity::Source;
use crate::domain::time::{Timestamp, days};
use crate::domain::trace::{Facts, Note, Trace};
use crate::store::{Link, StoreError, trace};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The step that notes what is known of somebody who is believed for.
pub const MAPPED: &str = "mapped";

/// The step that notes that further sign-ins of the minute may have left no trace.
pub const LEFT_OUT: &str = "left_out";

/// Traces a minute that strangers can bring about, and of these, from one network.
const STRANGERS: (u32, u32) = (60, 10);
/// Traces a minute of people who were believed for.
const BELIEVED: u32 = 600;
/// Traces that are kept at most: of people who were believed for, and of strangers (who cannot push out the others).
const KEPT: [(bool, u32); 2] = [(true, 50_000), (false, 10_000)];
/// Traces that wait for a slow store.
const WAITING: usize = 256;

/// Traces on their way to the store, and how many there were this minute.
pub struct Writer {
    queue: Mutex<Queue>,
    busy: watch::Sender<bool>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Trace>,
    minute: i64,
    believed: u32,
    strangers: u32,
    by_network: HashMap<String, u32>,
    left_out: u64,
    /// Sources of which something was left out this minute; the first of each says so.
    told: HashSet<Source>,
}

impl Default for Writer {
    fn default() -> Self {
        Self { queue: Mutex::default(), busy: watch::Sender::new(false) }
    }
}

impl Writer {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a trace in, if there is room. The first of a source beyond that is taken in with a note that others are left
    /// out. True when somebody has to begin to write.
    fn admit(&self, mut new: Trace, network: String, now: Timestamp) -> bool {
        let mut queue = self.queue();
        if !queue.has_room(new.believed, network, now) {
            if !queue.told.insert(new.source.clone()) {
                queue.left_out += 1;
                return false;
            }
            new.notes.push(Note { at: now, step: Cow::Borrowed(LEFT_OUT), facts: Facts::new().into_map() });
        }
        queue.waiting.push(new);
        !self.busy.send_replace(true)
    }

    /// What waits; nothing means that the writer may go.
    fn next(&self) -> Vec<Trace> {
        let mut queue = self.queue();
        let waiting = std::mem::take(&mut queue.waiting);
        if waiting.is_empty() {
            self.busy.send_replace(false);
        }
        waiting
    }

    /// Waits until everything that was handed over is written, or has failed.
    pub async fn settled(&self) {
        // The sender lives as long as this.
        drop(self.busy.subscribe().wait_for(|busy| !busy).await);
    }
}

impl Queue {
    fn has_room(&mut self, believed: bool, network: String, now: Timestamp) -> bool {
        let minute = now.seconds().div_euclid(60);
        if minute != self.minute {
            if self.left_out > 0 {
                tracing::warn!(left_out = self.left_out, "too many sign-ins to keep a trace of each");
            }
            let waiting = std::mem::take(&mut self.waiting);
            *self = Self { waiting, minute, ..Self::default() };
        }
        if self.waiting.len() >= WAITING {
            return false;
        }
        if believed {
            self.believed += 1;
            return self.believed <= BELIEVED;
        }
        if self.strangers >= STRANGERS.0 {
            return false;
        }
        let from_there = self.by_network.entry(network).or_default();
        *from_there += 1;
        let room = *from_there <= STRANGERS.1;
        self.strangers += u32::from(room);
        room
    }
}

/// The traces.
#[derive(Clone)]
pub struct Traces {
    core: Arc<Core>,
}

impl Traces {
    /// Over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Keeps what was noted in this request, which ended a sign-in with this source. Returns at once.
    pub fn keep(&self, ctx: &Context, source: &Source, outcome: &str) {
        let (Some(id), true) = (ctx.request, self.core.policy.trace_days > 0) else { return };
        let noted = ctx.noted().clone();
        let believed = noted.notes.iter().any(|note| note.step == MAPPED);
        let (source, outcome) = (source.clone(), outcome.to_owned());
        let new = Trace { id, at: ctx.now(), source, outcome, believed, account: noted.account, notes: noted.notes };
        if self.core.traces.admit(new, ctx.origin.network(), ctx.now()) {
            tokio::spawn(write(Arc::clone(&self.core)));
        }
    }

    /// The trace with this reference.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn find(&self, _by: Operator, reference: RequestId) -> Result<Option<Trace>, Trouble> {
        let mut link = self.core.database.read().await?;
        Ok(trace::by_id(&mut link, reference).await?)
    }

    /// The newest traces, the newest first; with a slug, only those of the provider or directory that is called so.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn newest(&self, _by: Operator, slug: Option<&str>, most: u32) -> Result<Vec<Trace>, Trouble> {
        let mut link = self.core.database.read().await?;
        let of = slug.map(|slug| [Source::provider(slug), Source::directory(slug)]);
        Ok(trace::newest(&mut link, of.as_ref(), most).await?)
    }
}

/// Writes what waits, in as few transactions as it takes, and ends when nothing does.
async fn write(core: Arc<Core>) {
    loop {
        let some = core.traces.next();
        if some.is_empty() {
            return;
        }
        if let Err(error) = write_some(&core, &some).await {
            tracing::warn!(%error, traces = some.len(), "traces of sign-ins could not be kept");
        }
    }
}

async fn write_some(core: &Core, some: &[Trace]) -> Result<(), StoreError> {
    let mut tx = core.database.begin_beside().await?;
    for one in some {
        trace::insert(&mut tx, one).await?;
    }
    tx.commit().await
}

/// Removes traces whose time is over, and those that are too many.
pub(super) async fn sweep(core: &Core, link: &mut Link, now: Timestamp) -> Result<(), StoreError> {
    trace::prune(link, now.before(days(core.policy.trace_days)), KEPT).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_284_300_000);

    fn kept(writer: &Writer, believed: bool, network: &str, now: Timestamp) -> bool {
        let before = writer.queue().waiting.len();
        let id = RequestId::new(uuid::Uuid::nil());
        let (source, outcome, notes) = (Source::provider("corp"), "x".to_owned(), Vec::new());
        writer.admit(Trace { id, at: now, source, outcome, believed, account: None, notes }, network.to_owned(), now);
        let after = writer.queue().waiting.len();
        writer.queue().waiting.clear();
        after > before
    }

    #[test]
    fn strangers_can_bring_about_a_few_traces_a_minute_and_take_no_room_from_others() {
        let writer = Writer::default();
        let flood = (0..1000).filter(|_| kept(&writer, false, "198.51.100.0/24", NOW)).count();
        assert_eq!(flood, 11, "ten, and one that says that there were more");
        let flood = (0..1000).filter(|number| kept(&writer, false, &format!("net {number}"), NOW)).count();
        assert_eq!(flood, 50, "sixty with the ten from before");
        assert!(kept(&writer, true, "198.51.100.0/24", NOW), "who is believed is kept");
        assert!(kept(&writer, false, "198.51.100.0/24", NOW.after(std::time::Duration::from_mins(1))));
        assert!(writer.queue().by_network.len() <= 60, "and the count itself is bounded");
    }

    #[test]
    fn a_slow_store_makes_the_queue_no_longer_than_its_limit() {
        let writer = Writer::default();
        for number in 0..1000 {
            let id = RequestId::new(uuid::Uuid::from_u128(number));
            let (source, outcome, notes) = (Source::provider("corp"), "x".to_owned(), Vec::new());
            let new = Trace { id, at: NOW, source, outcome, believed: true, account: None, notes };
            let begins = writer.admit(new, String::new(), NOW);
            assert_eq!(begins, number == 0, "one writer");
        }
        assert_eq!(writer.queue().waiting.len(), WAITING + 1, "the last one says that there were more");
        let waiting = writer.next();
        let says = |one: &Trace| one.notes.iter().any(|note| note.step == LEFT_OUT);
        assert!(waiting.len() == WAITING + 1 && waiting.iter().position(says) == Some(WAITING));
        assert!(writer.next().is_empty() && !*writer.busy.borrow());
    }
}
