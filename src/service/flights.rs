//! Tries that are under way in this process. A try is charged before the secret is looked at, or parallel guesses would
//! slip past the limit; but a charge that may still be given back is no reason to refuse somebody. So whoever meets a
//! limit while tries of the same subject are under way waits for one of them to end, and asks again.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

type Subject = [u8; 32];

/// How many tries of each subject are under way, or asking to be.
#[derive(Clone, Default)]
pub(super) struct Flights {
    slots: Arc<Mutex<HashMap<Subject, Slot>>>,
}

#[derive(Default)]
struct Slot {
    asking: usize,
    under_way: usize,
    ended: Arc<Notify>,
}

/// One try: asking from its beginning, under way once it was let off, over when it is dropped.
pub(super) struct Flight {
    flights: Flights,
    subjects: Vec<Subject>,
    let_off: bool,
}

impl Flights {
    /// Notes that somebody asks to try. From before the store is asked: of many who are answered together, those who
    /// were refused must not look before those who were let off are known.
    pub(super) fn asking(&self, subjects: impl Iterator<Item = Subject>) -> Flight {
        let subjects: Vec<_> = subjects.collect();
        self.each(&subjects, |slot| slot.asking += 1);
        Flight { flights: self.clone(), subjects, let_off: false }
    }

    /// Waits until a try of this subject ends. False at once when there is none.
    pub(super) async fn one_ends(&self, subject: &Subject) -> bool {
        let Some(ended) = self.ending(subject) else { return false };
        let mut hears = pin!(ended.notified());
        hears.as_mut().enable();
        // The last try may have ended, and woken everybody, before we began to listen.
        let still = self.ending(subject).is_some_and(|now| Arc::ptr_eq(&now, &ended));
        if still {
            hears.await;
        }
        true
    }

    /// Lets the next one who waits ask again.
    pub(super) fn wake(&self, subject: &Subject) {
        if let Some(ended) = self.ending(subject) {
            ended.notify_one();
        }
    }

    fn ending(&self, subject: &Subject) -> Option<Arc<Notify>> {
        self.with(|slots| slots.get(subject).map(|slot| Arc::clone(&slot.ended)))
    }

    fn each(&self, subjects: &[Subject], act: impl Fn(&mut Slot)) {
        self.with(|slots| subjects.iter().for_each(|subject| act(slots.entry(*subject).or_default())));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Subject, Slot>) -> T) -> T {
        // Counting cannot panic half-way: a poisoned lock still holds whole numbers.
        act(&mut self.slots.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Flight {
    /// The store said yes: the secret is being looked at now.
    pub(super) fn let_off(mut self) -> Self {
        self.let_off = true;
        self.flights.each(&self.subjects, |slot| {
            slot.asking -= 1;
            slot.under_way += 1;
        });
        self
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.with(|slots| {
            for subject in &self.subjects {
                let Some(slot) = slots.get_mut(subject) else { continue };
                let counter = if self.let_off { &mut slot.under_way } else { &mut slot.asking };
                *counter -= 1;
                if slot.asking + slot.under_way == 0 {
                    // Nobody is left to wake the others one by one.
                    slot.ended.notify_waiters();
                    slots.remove(subject);
                } else if self.let_off {
                    slot.ended.notify_one();
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;

    #[tokio::test]
    async fn the_end_of_a_try_wakes_one_who_waits_and_the_last_wakes_all() {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let flights = Flights::default();
        assert!(!flights.one_ends(&[1; 32]).await, "nothing to wait for");
        let first = flights.asking([[1; 32]].into_iter()).let_off();
        let second = flights.asking([[1; 32], [2; 32]].into_iter()).let_off();
        let refused = flights.asking([[1; 32]].into_iter());
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(flights.one_ends(&[1; 32]))).collect();
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut cx).is_pending());
        }
        drop(refused);
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut cx).is_pending(), "whoever was refused has freed nothing");
        }
        drop(first);
        let mut woken = 0;
        for one in &mut waiting {
            woken += usize::from(one.as_mut().poll(&mut cx).is_ready());
        }
        assert_eq!(woken, 1);
        drop(second);
        assert!(!flights.one_ends(&[1; 32]).await && !flights.one_ends(&[2; 32]).await);
        woken = 0;
        for one in waiting.iter_mut().skip(1) {
            woken += usize::from(one.as_mut().await);
        }
        assert_eq!(woken, 2);
    }
}
