//! What the hasher promises its callers.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use super::*;

/// Small enough for a test; the costs themselves are the library's business.
fn settings() -> Settings {
    Settings {
        memory_kib: 64,
        iterations: 1,
        workers: NonZero::new(1),
        queue: 2,
        idle: Duration::from_hours(1),
        ..Settings::default()
    }
}

fn hasher() -> Hasher {
    Hasher::start(&settings()).unwrap()
}

fn typed(text: &str) -> PlainPassword {
    PlainPassword::typed(text).unwrap()
}

/// Lets a future run until it waits, as a caller's task would.
async fn begin<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

#[tokio::test]
async fn only_the_right_password_is_right() {
    let hasher = hasher();
    let stored = hasher.hash(&typed("correct horse"), [1; 16]).await.unwrap();
    let verify = async |text: &str| hasher.verify(&typed(text), Some(&stored)).await;
    assert_eq!(verify("correct horse").await, Ok(Verdict::Right { rehash: false }));
    for other in ["", "correct hors", "correct horse ", "Correct horse", "correct horse\0"] {
        assert_eq!(verify(other).await, Ok(Verdict::Wrong), "{other:?}");
    }
}

#[tokio::test]
async fn the_salt_decides_and_the_password_is_not_in_the_hash() {
    let hasher = hasher();
    let one = hasher.hash(&typed("correct horse"), [1; 16]).await.unwrap();
    assert_eq!(one, hasher.hash(&typed("correct horse"), [1; 16]).await.unwrap());
    assert_ne!(one, hasher.hash(&typed("correct horse"), [2; 16]).await.unwrap());
    assert!(!one.contains("correct"));
}

#[tokio::test]
async fn a_password_is_the_same_from_every_keyboard() {
    let hasher = hasher();
    let stored = hasher.hash(&typed("\u{c5}ngstr\u{f6}m"), [1; 16]).await.unwrap();
    let verdict = hasher.verify(&typed("A\u{30a}ngstro\u{308}m"), Some(&stored)).await;
    assert_eq!(verdict, Ok(Verdict::Right { rehash: false }));
}

#[tokio::test]
async fn right_wrong_unknown_and_unreadable_take_one_hash_each() {
    let hasher = hasher();
    let stored = hasher.hash(&typed("correct horse"), [1; 16]).await.unwrap();
    let mut before = hasher.count();
    assert_eq!(before, 1);
    for (text, stored, verdict) in [
        ("correct horse", Some(stored.as_str()), Verdict::Right { rehash: false }),
        ("wrong horse", Some(&stored), Verdict::Wrong),
        ("correct horse", None, Verdict::Wrong),
        ("", None, Verdict::Wrong),
        ("correct horse", Some("damaged"), Verdict::Wrong),
        ("correct horse", Some("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), Verdict::Wrong),
    ] {
        assert_eq!(hasher.verify(&typed(text), stored).await, Ok(verdict), "{text} {stored:?}");
        assert_eq!(hasher.count() - before, 1, "{text} {stored:?}");
        before = hasher.count();
    }
}

#[tokio::test]
async fn the_decoy_is_a_hash_of_the_present_costs() {
    let hasher = hasher();
    assert!(hasher.decoy.is_current(&hasher.params));
}

#[tokio::test]
async fn an_imported_bcrypt_hash_counts_and_ought_to_be_replaced() {
    let hasher = hasher();
    let stored = bcrypt::hash_with_salt("correct horse", 4, [1; 16]).unwrap().format_for_version(bcrypt::Version::TwoY);
    let verify = async |text: &str| hasher.verify(&typed(text), Some(&stored)).await;
    assert_eq!(verify("correct horse").await, Ok(Verdict::Right { rehash: true }));
    assert_eq!(verify("wrong horse").await, Ok(Verdict::Wrong));
    assert_eq!(hasher.count(), 2);
}

#[tokio::test]
async fn a_hash_of_other_costs_counts_and_ought_to_be_replaced() {
    let stored = hasher().hash(&typed("correct horse"), [1; 16]).await.unwrap();
    let stronger = Hasher::start(&Settings { memory_kib: 128, ..settings() }).unwrap();
    assert_eq!(stronger.verify(&typed("correct horse"), Some(&stored)).await, Ok(Verdict::Right { rehash: true }));
    let replaced = stronger.hash(&typed("correct horse"), [1; 16]).await.unwrap();
    assert_eq!(stronger.verify(&typed("correct horse"), Some(&replaced)).await, Ok(Verdict::Right { rehash: false }));
    // The way back works too: a hash may need more memory than the workers keep.
    assert_eq!(hasher().verify(&typed("correct horse"), Some(&replaced)).await, Ok(Verdict::Right { rehash: true }));
}

#[tokio::test]
async fn the_costs_that_operators_get_work() {
    let hasher = Hasher::start(&Settings::default()).unwrap();
    let stored = hasher.hash(&typed("correct horse"), [1; 16]).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_eq!(hasher.verify(&typed("correct horse"), Some(&stored)).await, Ok(Verdict::Right { rehash: false }));
}

#[tokio::test]
async fn impossible_costs_do_not_start() {
    let start = |memory_kib, iterations, parallelism| {
        Hasher::start(&Settings { memory_kib, iterations, parallelism, ..settings() }).map(drop)
    };
    for (memory_kib, iterations, parallelism) in [
        (0, 1, 1),
        (64, 0, 1),
        (64, 1, 0),
        (64, 1, 9),
        (262_145, 1, 1),
        (262_144, 9, 1),
        (19_456, u32::MAX, 1),
        (19_456, 2, 65),
    ] {
        let started = start(memory_kib, iterations, parallelism);
        assert!(matches!(started, Err(StartError::Costs)), "{memory_kib} {iterations} {parallelism}");
    }
}

/// Keeps the only worker busy until the sender is used or dropped.
async fn block(hasher: &Arc<Hasher>) -> mpsc::Sender<()> {
    let (open, gate) = mpsc::channel();
    let (arrived, worker) = tokio::sync::oneshot::channel();
    let hasher = Arc::clone(hasher);
    tokio::spawn(async move {
        let wait = move |_: &mut Memory| {
            arrived.send(()).unwrap();
            gate.recv().ok();
        };
        hasher.pool.run(wait).await
    });
    worker.await.unwrap();
    open
}

#[tokio::test]
async fn a_full_queue_turns_away_at_once_and_says_when_to_come_back() {
    let hasher = Arc::new(hasher());
    let open = block(&hasher).await;
    let password = typed("correct horse");
    let (mut first, mut second) = (pin!(hasher.verify(&password, None)), pin!(hasher.hash(&password, [1; 16])));
    assert!(begin(first.as_mut()).await.is_pending());
    assert!(begin(second.as_mut()).await.is_pending());
    assert_eq!(hasher.queue_depth(), 2);

    let busy = HashError::Busy { retry_after: Duration::from_secs(1) };
    assert_eq!(hasher.verify(&password, None).await, Err(busy));
    assert_eq!(hasher.hash(&password, [1; 16]).await, Err(busy));
    assert_eq!(hasher.count(), 0, "who is turned away costs nothing");

    drop(open);
    assert_eq!(first.await, Ok(Verdict::Wrong));
    assert!(second.await.is_ok());
    assert_eq!((hasher.count(), hasher.queue_depth()), (2, 0));
    assert_eq!(hasher.verify(&password, None).await, Ok(Verdict::Wrong));
}

#[tokio::test]
async fn those_who_went_away_are_skipped() {
    let hasher = Arc::new(hasher());
    let open = block(&hasher).await;
    let password = typed("correct horse");
    let mut gone = Box::pin(hasher.verify(&password, None));
    let mut stays = pin!(hasher.verify(&password, None));
    assert!(begin(gone.as_mut()).await.is_pending());
    assert!(begin(stays.as_mut()).await.is_pending());
    drop(gone);
    drop(open);
    assert_eq!(stays.await, Ok(Verdict::Wrong));
    assert_eq!(hasher.count(), 1);
}

#[tokio::test]
async fn those_who_went_away_leave_their_place_to_others() {
    let hasher = Arc::new(hasher());
    let open = block(&hasher).await;
    let password = typed("correct horse");
    for _ in 0..10 {
        let mut gone = Box::pin(hasher.verify(&password, None));
        assert!(begin(gone.as_mut()).await.is_pending());
    }
    drop(open);
    assert_eq!(hasher.verify(&password, None).await, Ok(Verdict::Wrong));
    assert_eq!(hasher.count(), 1);
}

#[test]
fn the_hint_grows_with_the_queue_and_stays_sensible() {
    let hint = |queue, workers| {
        time_to_work_off(&Params::new(19_456, 2, 1, None).unwrap(), queue, NonZero::new(workers).unwrap()).as_secs()
    };
    assert_eq!((hint(1, 2), hint(128, 2), hint(128, 1), hint(usize::MAX, 1)), (1, 3, 5, 60));
}
