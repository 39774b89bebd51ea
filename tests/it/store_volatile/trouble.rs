//! Promises about times when nothing can be written.

use super::counters::charge;
use super::{Bench, Outcome, START, account, is_there, key, opened, seconds, session};
use vestibule::domain::throttle::Admission::Granted;
use vestibule::store::volatile::Shelf::Attempt;

pub(super) async fn what_cannot_be_written_is_unavailable_and_works_again_later<B: Bench>(mut bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    bench.disturb().await?;
    assert!(store.open_session(key(2), session(2, account(1))).await.is_err());
    assert!(store.end_handle(&key(1)).await.is_err());
    assert!(store.put(Attempt, key(1), vec![1], seconds(60), START).await.is_err());
    assert!(store.admit(&[charge(1, 1, 60)], START).await.is_err());
    assert!(store.ready().await.is_err());
    bench.mend().await?;
    store.ready().await?;
    assert!(!is_there(&*store, &key(2)).await?, "who was told no has no session");
    assert!(is_there(&*store, &key(1)).await?, "who was not signed out is still here");
    assert_eq!(store.peek(Attempt, &key(1), START).await?, None);
    assert_eq!(store.admit(&[charge(1, 1, 60)], START).await?, Granted, "nothing was counted");
    opened(&*store, account(1), [2]).await?;
    assert!(store.end_handle(&key(1)).await?);
    let bench = bench.crash().await?;
    let store = bench.store();
    assert!(is_there(&*store, &key(2)).await? && !is_there(&*store, &key(1)).await?);
    Ok(())
}

pub(super) async fn what_is_in_memory_is_answered_during_trouble<B: Bench>(mut bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    bench.disturb().await?;
    assert!(store.open_session(key(2), session(2, account(1))).await.is_err());
    let live = store.hot_session(&key(1)).ok_or("hot")?;
    store.touch(&key(1), &live, seconds(61));
    assert_eq!(store.session(&key(1)).await?.ok_or("hot")?.last_seen_at(), seconds(61));
    bench.mend().await
}

pub(super) async fn last_requests_wait_until_trouble_is_over<B: Bench>(mut bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    let live = store.hot_session(&key(1)).ok_or("hot")?;
    bench.disturb().await?;
    store.touch(&key(1), &live, seconds(61));
    assert!(store.sweep(seconds(62)).await.is_err());
    bench.mend().await?;
    store.sweep(seconds(63)).await?;
    let bench = bench.crash().await?;
    let store = bench.store();
    assert_eq!(store.session(&key(1)).await?.ok_or("lost")?.last_seen_at(), seconds(61));
    Ok(())
}
