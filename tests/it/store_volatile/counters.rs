//! Promises about failure counters.

use super::{Bench, Outcome, START, key, seconds};
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule::domain::throttle::Admission::{self, Granted};
use vestibule::domain::throttle::{Charge, Limit, Scope};
use vestibule::store::volatile::Volatile;

/// A charge on an account's counter.
pub(super) fn charge(subject: u64, failures: u32, window: u64) -> Charge {
    on(Scope::Account, subject, failures, window)
}

fn on(scope: Scope, subject: u64, failures: u32, window: u64) -> Charge {
    Charge { scope, subject: key(subject), limit: Limit { failures, window: Duration::from_secs(window) } }
}

fn refused(scope: Scope, wait: u64) -> Admission {
    Admission::Refused { scope, retry_after: Duration::from_secs(wait) }
}

/// Asks once a second, from second `from` on, and is granted each time.
async fn fail(store: &dyn Volatile, charge: &Charge, from: u64, times: u64) -> Outcome {
    for second in from..from + times {
        assert_eq!(store.admit(std::slice::from_ref(charge), seconds(second)).await?, Granted, "at {second} s");
    }
    Ok(())
}

pub(super) async fn the_limit_is_let_through_and_then_no_more<B: Bench>(bench: B) -> Outcome {
    let (store, one) = (bench.store(), charge(1, 3, 60));
    fail(&*store, &one, 0, 3).await?;
    assert_eq!(store.admit(&[one], seconds(2)).await?, refused(Scope::Account, 60));
    assert_eq!(store.admit(&[charge(2, 3, 60)], seconds(2)).await?, Granted, "somebody else");
    assert_eq!(store.admit(&[on(Scope::Address, 1, 3, 60)], seconds(2)).await?, Granted, "another scope");
    Ok(())
}

pub(super) async fn of_ten_thousand_at_once_ten_are_granted<B: Bench>(bench: B) -> Outcome {
    let mut tasks = JoinSet::new();
    for number in 0..10_000 {
        let store = bench.store();
        // Everybody has an address of their own; the account is the same.
        let charges = [on(Scope::Address, number, 10, 60), charge(1, 10, 60)];
        tasks.spawn(async move { store.admit(&charges, START).await });
    }
    let mut granted = 0;
    while let Some(done) = tasks.join_next().await {
        granted += usize::from(done?? == Granted);
    }
    assert_eq!(granted, 10);
    Ok(())
}

pub(super) async fn a_refusal_counts_nothing_anywhere<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    let (account, address) = (charge(1, 2, 60), on(Scope::Address, 1, 2, 60));
    fail(&*store, &account, 0, 2).await?;
    for order in [[address.clone(), account.clone()], [account.clone(), address.clone()]] {
        for _ in 0..5 {
            assert_eq!(store.admit(&order, seconds(1)).await?, refused(Scope::Account, 60));
        }
    }
    fail(&*store, &address, 1, 2).await?;
    assert_eq!(store.admit(&[address], seconds(2)).await?, refused(Scope::Address, 60));
    assert_eq!(store.admit(&[account], seconds(61)).await?, Granted, "the block was not drawn out");
    Ok(())
}

pub(super) async fn the_longest_wait_is_told<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    let (short, long) = (charge(1, 1, 30), on(Scope::Network, 1, 1, 90));
    fail(&*store, &short, 0, 1).await?;
    fail(&*store, &long, 0, 1).await?;
    for order in [[short.clone(), long.clone()], [long, short]] {
        assert_eq!(store.admit(&order, START).await?, refused(Scope::Network, 90));
    }
    Ok(())
}

pub(super) async fn a_block_ends_and_a_window_too<B: Bench>(bench: B) -> Outcome {
    let (store, one) = (bench.store(), charge(1, 3, 60));
    fail(&*store, &one, 0, 2).await?;
    // The window of the first two ended at 60: these are the first of a new one.
    fail(&*store, &one, 60, 3).await?;
    assert_eq!(store.admit(std::slice::from_ref(&one), seconds(121)).await?, refused(Scope::Account, 1));
    fail(&*store, &one, 122, 3).await?;
    assert_eq!(store.admit(&[one], seconds(124)).await?, refused(Scope::Account, 60));
    Ok(())
}

pub(super) async fn a_block_lasts_a_window_from_the_failure_that_caused_it<B: Bench>(bench: B) -> Outcome {
    let (store, one) = (bench.store(), charge(1, 2, 60));
    fail(&*store, &one, 0, 1).await?;
    fail(&*store, &one, 59, 1).await?;
    assert_eq!(store.admit(std::slice::from_ref(&one), seconds(60)).await?, refused(Scope::Account, 59));
    assert_eq!(store.admit(std::slice::from_ref(&one), seconds(118)).await?, refused(Scope::Account, 1));
    assert_eq!(store.admit(&[one], seconds(119)).await?, Granted);
    Ok(())
}

pub(super) async fn a_right_secret_at_the_limit_is_no_block<B: Bench>(bench: B) -> Outcome {
    let (store, one) = (bench.store(), charge(1, 3, 60));
    fail(&*store, &one, 0, 3).await?;
    store.refund(std::slice::from_ref(&one)).await?;
    assert_eq!(store.admit(std::slice::from_ref(&one), seconds(2)).await?, Granted, "two had failed, not three");
    assert_eq!(store.admit(&[one], seconds(2)).await?, refused(Scope::Account, 60));
    Ok(())
}

/// A refund at the limit takes the block's end back too: the window ends a window after its first failure.
pub(super) async fn a_refund_leaves_the_window_as_it_was<B: Bench>(bench: B) -> Outcome {
    let (store, one) = (bench.store(), charge(1, 3, 60));
    fail(&*store, &one, 0, 2).await?;
    fail(&*store, &one, 50, 1).await?;
    store.refund(std::slice::from_ref(&one)).await?;
    fail(&*store, &one, 60, 3).await?;
    assert_eq!(store.admit(&[one], seconds(62)).await?, refused(Scope::Account, 60));
    Ok(())
}

pub(super) async fn refunds_do_not_go_below_nothing<B: Bench>(bench: B) -> Outcome {
    let (store, one) = (bench.store(), charge(1, 2, 60));
    for _ in 0..3 {
        store.refund(std::slice::from_ref(&one)).await?;
    }
    fail(&*store, &one, 0, 1).await?;
    for _ in 0..3 {
        store.refund(std::slice::from_ref(&one)).await?;
    }
    fail(&*store, &one, 1, 2).await?;
    assert_eq!(store.admit(&[one], seconds(2)).await?, refused(Scope::Account, 60), "nobody saves tries up");
    Ok(())
}

pub(super) async fn a_limit_of_zero_is_not_counted<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    fail(&*store, &charge(1, 0, 60), 0, 20).await?;
    store.refund(&[charge(1, 0, 60)]).await?;
    assert_eq!(
        store.admit(&[charge(1, 1, 60)], seconds(20)).await?,
        Granted,
        "switched on later, it starts at nothing"
    );
    assert_eq!(store.admit(&[], START).await?, Granted);
    Ok(())
}

pub(super) async fn forgetting_is_seen_by_a_second_process<B: Bench>(bench: B) -> Outcome {
    let (store, one, other) = (bench.store(), charge(1, 2, 60), charge(2, 2, 60));
    fail(&*store, &one, 0, 2).await?;
    fail(&*store, &other, 0, 2).await?;
    bench.beside().await?.forget(std::slice::from_ref(&one)).await?;
    fail(&*store, &one, 1, 2).await?;
    assert_eq!(store.admit(&[one], seconds(2)).await?, refused(Scope::Account, 60), "counted from nothing");
    assert_eq!(store.admit(&[other], seconds(1)).await?, refused(Scope::Account, 60), "only this one was forgotten");
    Ok(())
}

pub(super) async fn failures_survive_a_crash<B: Bench>(bench: B) -> Outcome {
    let one = charge(1, 3, 60);
    fail(&*bench.store(), &one, 0, 2).await?;
    let bench = bench.crash().await?;
    fail(&*bench.store(), &one, 2, 1).await?;
    let bench = bench.crash().await?;
    assert_eq!(bench.store().admit(&[one], seconds(3)).await?, refused(Scope::Account, 59));
    Ok(())
}
