//! What every volatile store promises, one function a promise, run against each implementation.
//!
//! A new implementation is one more [`Bench`] and one more `keeps_its_promises!`.

mod counters;
mod embedded;
mod entries;
mod sessions;
mod trouble;

use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use vestibule::domain::id::{AccountId, RememberedId, SessionId};
use vestibule::domain::session::{HandleHash, Lifetimes, Methods, Session};
use vestibule::domain::time::Timestamp;
use vestibule::store::volatile::Volatile;

/// What a test returns; an error is a failure.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A store with a place of its own that can lose its process, and its disk for a while.
trait Bench: Sized {
    /// A store with nothing in it, over lifetimes of [`LIFETIMES`].
    async fn new() -> Outcome<Self>;
    /// The store.
    fn store(&self) -> Arc<dyn Volatile>;
    /// The process is killed, and started again.
    async fn crash(self) -> Outcome<Self>;
    /// The process is stopped in peace, and started again.
    async fn restart(self) -> Outcome<Self>;
    /// A second process on the same data, as the command line is.
    async fn beside(&self) -> Outcome<Arc<dyn Volatile>>;
    /// From now on nothing can be written.
    async fn disturb(&mut self) -> Outcome;
    /// Writing works again.
    async fn mend(&mut self) -> Outcome;
}

/// Instantiates the promises for a bench.
macro_rules! keeps_its_promises {
    ($bench:ty: $($room:ident :: { $($promise:ident),* $(,)? })*) => {$(
        mod $room {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() -> crate::store_volatile::Outcome {
                    let bench = <$bench as crate::store_volatile::Bench>::new().await?;
                    crate::store_volatile::$room::$promise(bench).await
                }
            )*
        }
    )*};
}

mod embedded_keeps {
    keeps_its_promises! { crate::store_volatile::embedded::OnDisk:
        sessions::{
            an_opened_session_is_in_memory_and_whole,
            an_opened_session_survives_a_crash,
            an_unknown_handle_is_no_session_and_no_trouble,
            a_taken_handle_or_id_is_refused_and_changes_nothing,
            an_ended_session_is_gone_for_good,
            nobody_ends_a_session_of_somebody_else,
            all_sessions_but_one_end,
            a_family_ends_together,
            a_cold_load_never_brings_an_ended_session_back,
            loads_at_once_give_one_session,
            lists_and_counts_tell_of_live_sessions_only,
            last_requests_are_written_when_the_service_stops,
            a_request_of_an_ended_session_does_not_bring_it_back,
            sweeping_ends_what_is_over_and_nothing_else,
            a_closed_store_knows_nothing,
        }
        entries::{
            an_entry_is_read_taken_once_and_gone,
            of_racing_puts_one_wins,
            of_racing_takes_one_gets_it,
            of_racing_replacements_one_wins,
            an_expired_entry_counts_as_absent,
            an_entry_is_replaced_only_as_it_was,
            shelves_are_apart,
            entries_survive_a_crash_and_so_does_their_taking,
        }
        counters::{
            the_limit_is_let_through_and_then_no_more,
            of_ten_thousand_at_once_ten_are_granted,
            a_refusal_counts_nothing_anywhere,
            the_longest_wait_is_told,
            a_block_ends_and_a_window_too,
            a_block_lasts_a_window_from_the_failure_that_caused_it,
            a_right_secret_at_the_limit_is_no_block,
            a_refund_leaves_the_window_as_it_was,
            refunds_do_not_go_below_nothing,
            a_limit_of_zero_is_not_counted,
            forgetting_is_seen_by_a_second_process,
            failures_survive_a_crash,
        }
        trouble::{
            what_cannot_be_written_is_unavailable_and_works_again_later,
            what_is_in_memory_is_answered_during_trouble,
            last_requests_wait_until_trouble_is_over,
        }
    }
}

/// Idle after an hour, over after a day.
const LIFETIMES: Lifetimes = Lifetimes { idle: Duration::from_hours(1), absolute: Duration::from_hours(24) };

/// When tests begin.
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn seconds(count: u64) -> Timestamp {
    START.after(Duration::from_secs(count))
}

/// A key or handle; different numbers differ in every byte that might matter.
fn key(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    for (part, chunk) in key.chunks_exact_mut(8).enumerate() {
        let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(u32::try_from(part * 7).unwrap_or(0));
        chunk.copy_from_slice(&mixed.to_be_bytes());
    }
    key
}

fn account(number: u128) -> AccountId {
    AccountId::new(Uuid::from_u128(number))
}

fn family(number: u128) -> RememberedId {
    RememberedId::new(Uuid::from_u128(number))
}

fn name(number: u64) -> SessionId {
    SessionId::new(Uuid::from_u128(u128::from(number)))
}

/// A session opened at [`START`]; its number is its name and, by [`key`], its handle.
fn session(number: u64, owner: AccountId) -> Session {
    Session {
        id: name(number),
        account: owner,
        created_at: START,
        authenticated_at: START.before(Duration::from_secs(3)),
        ends_at: START.after(LIFETIMES.absolute),
        last_seen_at: START,
        methods: Methods::PASSWORD.and(Methods::MULTI_FACTOR),
        device: "Firefox on Linux".into(),
        network: "203.0.113.0/24".into(),
        remembered: None,
        source: None,
    }
}

/// Opens sessions of these numbers for an account.
async fn opened(store: &dyn Volatile, owner: AccountId, numbers: impl IntoIterator<Item = u64>) -> Outcome {
    for number in numbers {
        store.open_session(key(number), session(number, owner)).await?;
    }
    Ok(())
}

/// Whether a session is there, asked both ways, which must agree.
async fn is_there(store: &dyn Volatile, handle: &HandleHash) -> Outcome<bool> {
    let hot = store.hot_session(handle).is_some();
    let found = store.session(handle).await?.is_some();
    assert!(found || !hot, "memory knows a session that is not there");
    Ok(found)
}
