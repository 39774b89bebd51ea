//! Which server is asked next: those that answered, in the operator's order; those that failed rest for a while, longer
//! each time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a server rests after its first failure.
const FIRST_REST: Duration = Duration::from_secs(1);
/// How long it rests at most.
const LONGEST_REST: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, Default)]
struct Health {
    failures: u32,
    rests_until: Option<Instant>,
}

/// What is remembered about servers, by their place in the list.
#[derive(Debug)]
pub(super) struct Hosts(Mutex<Vec<Health>>);

impl Hosts {
    pub(super) fn new(count: usize) -> Self {
        Self(Mutex::new(vec![Health::default(); count]))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Health>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Places of servers to try, one after the other. The insistent try those that rest as well, after the others.
    pub(super) fn in_order(&self, insistent: bool) -> Vec<usize> {
        let now = Instant::now();
        self.with(|all| {
            let rests = |place: &usize| all.get(*place).and_then(|one| one.rests_until).is_some_and(|end| end > now);
            let (resting, mut ready): (Vec<_>, Vec<_>) = (0..all.len()).partition(rests);
            if insistent {
                ready.extend(resting);
            }
            ready
        })
    }

    pub(super) fn worked(&self, place: usize) {
        self.with(|all| {
            if let Some(one) = all.get_mut(place) {
                *one = Health::default();
            }
        });
    }

    pub(super) fn failed(&self, place: usize) {
        let now = Instant::now();
        self.with(|all| {
            if let Some(one) = all.get_mut(place) {
                let rest = FIRST_REST.saturating_mul(2_u32.saturating_pow(one.failures.min(16)));
                one.failures = one.failures.saturating_add(1);
                one.rests_until = Some(now + rest.min(LONGEST_REST));
            }
        });
    }

    /// Whether nothing has worked since the last failure of each.
    pub(super) fn all_failed(&self) -> bool {
        self.with(|all| all.iter().all(|one| one.failures > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_failed_rests_longer_each_time_and_then_has_its_place_back() {
        let hosts = Hosts::new(2);
        assert_eq!(hosts.in_order(false), [0, 1]);
        hosts.failed(0);
        assert_eq!(hosts.in_order(false), [1]);
        assert_eq!(hosts.in_order(true), [1, 0], "the insistent try it last");
        assert!(!hosts.all_failed());
        hosts.failed(1);
        assert!(hosts.all_failed() && hosts.in_order(false).is_empty());
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert_eq!(hosts.in_order(false), [0, 1]);
        assert!(hosts.all_failed(), "nothing has worked yet");
        hosts.failed(0);
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert_eq!(hosts.in_order(false), [1]);
        for _ in 0..50 {
            hosts.failed(0);
        }
        tokio::time::advance(LONGEST_REST).await;
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(hosts.in_order(false), [0, 1]);
        hosts.worked(0);
        assert!(!hosts.all_failed());
    }
}
