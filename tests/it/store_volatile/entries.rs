//! Promises about entries on shelves.

use super::{Bench, Outcome, START, key, seconds};
use tokio::task::JoinSet;
use vestibule::store::volatile::Shelf::{Attempt, Outcome as Waiting, Replay};

pub(super) async fn an_entry_is_read_taken_once_and_gone<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    assert!(store.put(Attempt, key(1), vec![1, 2], seconds(60), START).await?);
    assert_eq!(store.peek(Attempt, &key(1), START).await?, Some(vec![1, 2]));
    assert_eq!(store.peek(Attempt, &key(1), START).await?, Some(vec![1, 2]), "reading takes nothing away");
    assert_eq!(store.take(Attempt, &key(1), START).await?, Some(vec![1, 2]));
    assert_eq!(store.take(Attempt, &key(1), START).await?, None);
    assert_eq!(store.peek(Attempt, &key(1), START).await?, None);
    Ok(())
}

pub(super) async fn of_racing_puts_one_wins<B: Bench>(bench: B) -> Outcome {
    let mut tasks = JoinSet::new();
    for racer in 0..100_u8 {
        let store = bench.store();
        tasks.spawn(async move { (racer, store.put(Replay, key(1), vec![racer], seconds(60), START).await) });
    }
    let mut winners = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (racer, won) = done?;
        winners.extend(won?.then_some(racer));
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(bench.store().peek(Replay, &key(1), START).await?, Some(winners));
    Ok(())
}

pub(super) async fn of_racing_takes_one_gets_it<B: Bench>(bench: B) -> Outcome {
    for round in 0..20 {
        assert!(bench.store().put(Attempt, key(round), vec![1], seconds(60), START).await?);
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let store = bench.store();
            tasks.spawn(async move { store.take(Attempt, &key(round), START).await });
        }
        let mut got = 0;
        while let Some(done) = tasks.join_next().await {
            got += usize::from(done??.is_some());
        }
        assert_eq!(got, 1, "round {round}");
    }
    Ok(())
}

pub(super) async fn of_racing_replacements_one_wins<B: Bench>(bench: B) -> Outcome {
    assert!(bench.store().put(Attempt, key(1), vec![0], seconds(60), START).await?);
    let mut tasks = JoinSet::new();
    for racer in 1..=50 {
        let store = bench.store();
        tasks.spawn(async move { (racer, store.replace(Attempt, &key(1), &[0], vec![racer]).await) });
    }
    let mut winners = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (racer, won) = done?;
        winners.extend(won?.then_some(racer));
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(bench.store().peek(Attempt, &key(1), START).await?, Some(winners));
    Ok(())
}

pub(super) async fn an_expired_entry_counts_as_absent<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    for number in 1..=3 {
        assert!(store.put(Replay, key(number), vec![1], seconds(60), START).await?);
    }
    assert!(!store.put(Replay, key(1), vec![2], seconds(120), seconds(59)).await?, "it lives for a second yet");
    assert_eq!(store.peek(Replay, &key(1), seconds(59)).await?, Some(vec![1]), "and is what it was");
    assert_eq!(store.peek(Replay, &key(1), seconds(60)).await?, None);
    assert_eq!(store.take(Replay, &key(2), seconds(60)).await?, None);
    assert!(store.put(Replay, key(1), vec![2], seconds(120), seconds(60)).await?);
    assert_eq!(store.peek(Replay, &key(1), seconds(119)).await?, Some(vec![2]), "it lives as long as the new one");
    store.sweep(seconds(61)).await?;
    assert!(store.put(Replay, key(3), vec![2], seconds(120), seconds(61)).await?);
    assert_eq!(store.peek(Replay, &key(1), seconds(119)).await?, Some(vec![2]), "swept is only what has expired");
    Ok(())
}

pub(super) async fn an_entry_is_replaced_only_as_it_was<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    assert!(!store.replace(Attempt, &key(1), &[1], vec![2]).await?, "there is none");
    assert_eq!(store.peek(Attempt, &key(1), START).await?, None, "and none has come of it");
    assert!(store.put(Attempt, key(1), vec![1], seconds(60), START).await?);
    assert!(store.replace(Attempt, &key(1), &[1], vec![2]).await?);
    assert!(!store.replace(Attempt, &key(1), &[1], vec![3]).await?, "it changed");
    assert_eq!(store.peek(Attempt, &key(1), seconds(59)).await?, Some(vec![2]));
    assert_eq!(store.peek(Attempt, &key(1), seconds(60)).await?, None, "it lives no longer than before");
    Ok(())
}

pub(super) async fn shelves_are_apart<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    for (value, shelf) in (0..).zip([Attempt, Waiting, Replay]) {
        assert!(store.put(shelf, key(1), vec![value], seconds(60), START).await?);
    }
    assert_eq!(store.take(Waiting, &key(1), START).await?, Some(vec![1]));
    assert_eq!(store.peek(Attempt, &key(1), START).await?, Some(vec![0]));
    assert_eq!(store.peek(Waiting, &key(1), START).await?, None);
    assert_eq!(store.peek(Replay, &key(1), START).await?, Some(vec![2]));
    Ok(())
}

pub(super) async fn entries_survive_a_crash_and_so_does_their_taking<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    for number in [1, 2, 3] {
        assert!(store.put(Attempt, key(number), vec![1], seconds(60), START).await?);
    }
    assert!(store.take(Attempt, &key(2), START).await?.is_some());
    assert!(store.replace(Attempt, &key(3), &[1], vec![2]).await?);
    let bench = bench.crash().await?;
    let store = bench.store();
    assert_eq!(store.peek(Attempt, &key(1), START).await?, Some(vec![1]));
    assert_eq!(store.take(Attempt, &key(2), START).await?, None);
    assert_eq!(store.peek(Attempt, &key(3), START).await?, Some(vec![2]));
    assert!(!store.put(Attempt, key(1), vec![9], seconds(60), START).await?);
    Ok(())
}
