//! Promises about sessions.

use super::{Bench, LIFETIMES, Outcome, START, account, family, is_there, key, name, opened, seconds, session};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

pub(super) async fn an_opened_session_is_in_memory_and_whole<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    let mut remembered = session(1, account(1));
    remembered.remembered = Some(family(9));
    store.open_session(key(1), remembered.clone()).await?;
    assert_eq!(store.hot_session(&key(1)).ok_or("hot")?.session, remembered);
    assert_eq!(store.sessions_of(account(1), START).await?, [remembered]);
    Ok(())
}

pub(super) async fn an_opened_session_survives_a_crash<B: Bench>(bench: B) -> Outcome {
    let mut remembered = session(1, account(1));
    remembered.remembered = Some(family(9));
    bench.store().open_session(key(1), remembered.clone()).await?;
    opened(&*bench.store(), account(1), [2]).await?;
    let bench = bench.crash().await?;
    let store = bench.store();
    assert_eq!(store.session(&key(1)).await?.ok_or("lost")?.session, remembered);
    assert_eq!(store.session(&key(2)).await?.ok_or("lost")?.session, session(2, account(1)));
    assert!(store.hot_session(&key(1)).is_some(), "asked for once, it is in memory");
    Ok(())
}

pub(super) async fn an_unknown_handle_is_no_session_and_no_trouble<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    assert!(store.hot_session(&key(1)).is_none());
    assert!(store.session(&key(1)).await?.is_none());
    assert!(!store.end_handle(&key(1)).await?);
    assert!(store.sessions_of(account(1), START).await?.is_empty());
    store.ready().await?;
    Ok(())
}

pub(super) async fn a_taken_handle_or_id_is_refused_and_changes_nothing<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    assert!(store.open_session(key(1), session(2, account(2))).await.is_err());
    assert!(store.open_session(key(2), session(1, account(1))).await.is_err());
    assert_eq!(store.hot_session(&key(1)).ok_or("hot")?.session.account, account(1));
    assert!(!is_there(&*store, &key(2)).await?);
    assert!(store.sessions_of(account(2), START).await?.is_empty());
    Ok(())
}

pub(super) async fn an_ended_session_is_gone_for_good<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1, 2]).await?;
    assert!(store.end_handle(&key(1)).await?);
    assert!(!store.end_handle(&key(1)).await?, "there is none any more");
    assert!(!is_there(&*store, &key(1)).await?);
    assert!(is_there(&*store, &key(2)).await?);
    let bench = bench.crash().await?;
    let store = bench.store();
    assert!(!is_there(&*store, &key(1)).await?);
    assert!(is_there(&*store, &key(2)).await?);
    Ok(())
}

pub(super) async fn nobody_ends_a_session_of_somebody_else<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    assert!(!store.end_session(account(2), name(1)).await?);
    assert!(is_there(&*store, &key(1)).await?);
    assert!(store.end_session(account(1), name(1)).await?);
    assert!(!is_there(&*store, &key(1)).await?);
    assert!(!store.end_session(account(1), name(1)).await?);
    Ok(())
}

pub(super) async fn all_sessions_but_one_end<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), 1..=5).await?;
    opened(&*store, account(2), 6..=7).await?;
    assert_eq!(store.end_sessions(account(1), Some(name(3))).await?, 4);
    for number in 1..=7 {
        let stays = matches!(number, 3 | 6 | 7);
        assert_eq!(is_there(&*store, &key(number)).await?, stays, "session {number}");
    }
    assert_eq!(store.end_sessions(account(1), None).await?, 1);
    assert_eq!(store.end_sessions(account(1), None).await?, 0);
    assert_eq!(store.count_sessions(START).await?, 2, "of the other account");
    Ok(())
}

pub(super) async fn a_family_ends_together<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    for (number, of) in [(1, Some(1)), (2, Some(1)), (3, Some(2)), (4, None)] {
        let mut one = session(number, account(1));
        one.remembered = of.map(family);
        store.open_session(key(number), one).await?;
    }
    assert_eq!(store.end_family(family(1)).await?, 2);
    for (number, stays) in [(1, false), (2, false), (3, true), (4, true)] {
        assert_eq!(is_there(&*store, &key(number)).await?, stays, "session {number}");
    }
    assert_eq!(store.end_family(family(1)).await?, 0);
    Ok(())
}

/// Each session is cold when its ending races with loads of it that begin before, with and after it.
pub(super) async fn a_cold_load_never_brings_an_ended_session_back<B: Bench>(bench: B) -> Outcome {
    const SESSIONS: u64 = 400;
    for number in 0..SESSIONS {
        bench.store().open_session(key(number), session(number, account(u128::from(number)))).await?;
    }
    let bench = bench.crash().await?;
    let mut tasks = JoinSet::new();
    for number in 0..SESSIONS {
        for turn in 0..5 {
            let store = bench.store();
            tasks.spawn(async move {
                for _ in 0..(number * 7 + turn * 3) % 5 {
                    tokio::task::yield_now().await;
                }
                if turn == number % 5 {
                    let ended = match number % 4 {
                        0 => store.end_handle(&key(number)).await?,
                        1 => store.end_session(account(u128::from(number)), name(number)).await?,
                        _ => store.end_sessions(account(u128::from(number)), None).await? == 1,
                    };
                    assert!(ended);
                    assert!(store.hot_session(&key(number)).is_none(), "{number} is in memory after its end");
                    assert!(store.session(&key(number)).await?.is_none(), "{number} came back");
                } else {
                    store.session(&key(number)).await?;
                }
                Outcome::Ok(())
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let store = bench.store();
    for number in 0..SESSIONS {
        assert!(store.hot_session(&key(number)).is_none(), "{number} stayed in memory");
    }
    Ok(())
}

pub(super) async fn loads_at_once_give_one_session<B: Bench>(bench: B) -> Outcome {
    opened(&*bench.store(), account(1), [1]).await?;
    let bench = bench.crash().await?;
    let store = bench.store();
    let handle = key(1);
    let loaded = join_all((0..50).map(|_| store.session(&handle))).await;
    let loaded = loaded.into_iter().collect::<Result<Vec<_>, _>>()?;
    let places: HashSet<_> = loaded.iter().flatten().map(Arc::as_ptr).collect();
    assert_eq!(
        (loaded.iter().flatten().count(), places.len()),
        (50, 1),
        "or a request noted on one is lost on the others"
    );
    Ok(())
}

pub(super) async fn lists_and_counts_tell_of_live_sessions_only<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    for (number, opened) in [(1, 10), (2, 30), (3, 20)] {
        let mut one = session(number, account(1));
        (one.created_at, one.last_seen_at) = (seconds(opened), seconds(opened));
        store.open_session(key(number), one).await?;
    }
    let mut over = session(4, account(1));
    over.ends_at = seconds(60);
    store.open_session(key(4), over).await?;
    let names =
        |sessions: Vec<vestibule::domain::session::Session>| sessions.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(names(store.sessions_of(account(1), seconds(59)).await?), [name(2), name(3), name(1), name(4)]);
    assert_eq!(names(store.sessions_of(account(1), seconds(60)).await?), [name(2), name(3), name(1)]);
    assert_eq!((store.count_sessions(seconds(59)).await?, store.count_sessions(seconds(60)).await?), (4, 3));

    // Within a minute of the last one, so nothing of this request is written yet.
    let live = store.hot_session(&key(1)).ok_or("hot")?;
    store.touch(&key(1), &live, seconds(40));
    let late = seconds(10).after(LIFETIMES.idle);
    let mut listed = store.sessions_of(account(1), late).await?;
    assert_eq!(names(listed.clone()), [name(2), name(3), name(1)], "the disk says idle, memory knows better");
    assert_eq!(listed.pop().ok_or("listed")?.last_seen_at, seconds(40));
    assert_eq!(store.count_sessions(late).await?, 3);
    let later = seconds(30).after(LIFETIMES.idle);
    assert_eq!(names(store.sessions_of(account(1), later).await?), [name(1)]);
    assert_eq!(store.count_sessions(later).await?, 1);
    Ok(())
}

pub(super) async fn last_requests_are_written_when_the_service_stops<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1, 2, 3]).await?;
    for (number, request) in [(1, 61), (2, 5)] {
        let live = store.hot_session(&key(number)).ok_or("hot")?;
        store.touch(&key(number), &live, seconds(request));
    }
    drop(store);
    let bench = bench.restart().await?;
    let store = bench.store();
    for (number, request) in [(1, 61), (2, 5), (3, 0)] {
        let loaded = store.session(&key(number)).await?.ok_or("lost")?;
        assert_eq!(loaded.last_seen_at(), seconds(request), "session {number}");
    }
    Ok(())
}

pub(super) async fn a_request_of_an_ended_session_does_not_bring_it_back<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    let live = store.hot_session(&key(1)).ok_or("hot")?;
    assert!(store.end_handle(&key(1)).await?);
    store.touch(&key(1), &live, seconds(61));
    store.sweep(seconds(62)).await?;
    assert!(!is_there(&*store, &key(1)).await?);
    store.touch(&key(1), &live, seconds(130));
    drop((store, live));
    assert!(!is_there(&*bench.restart().await?.store(), &key(1)).await?);
    Ok(())
}

pub(super) async fn sweeping_ends_what_is_over_and_nothing_else<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1, 2, 3]).await?;
    let mut over = session(4, account(1));
    over.ends_at = seconds(50);
    store.open_session(key(4), over).await?;
    assert_eq!(store.sweep(seconds(49)).await?, 0);
    assert_eq!(store.sweep(seconds(50)).await?, 1, "the absolute end");
    assert!(!is_there(&*store, &key(4)).await?);

    // The disk is behind with 2 (its request is not due to be written) and with 3 (due, not written yet).
    for (number, request) in [(2, 55), (3, 65)] {
        let live = store.hot_session(&key(number)).ok_or("hot")?;
        store.touch(&key(number), &live, seconds(request));
    }
    assert_eq!(store.sweep(START.after(LIFETIMES.idle)).await?, 1, "idle since its beginning");
    assert!(!is_there(&*store, &key(1)).await?);
    assert!(is_there(&*store, &key(2)).await? && is_there(&*store, &key(3)).await?);
    assert_eq!(store.sweep(seconds(65).after(LIFETIMES.idle).before(Duration::from_millis(1))).await?, 1);
    assert!(!is_there(&*store, &key(2)).await? && is_there(&*store, &key(3)).await?);
    let bench = bench.crash().await?;
    let store = bench.store();
    assert!(!is_there(&*store, &key(1)).await? && !is_there(&*store, &key(2)).await?);
    assert_eq!(store.session(&key(3)).await?.ok_or("lost")?.last_seen_at(), seconds(65));
    Ok(())
}

pub(super) async fn a_closed_store_knows_nothing<B: Bench>(bench: B) -> Outcome {
    let store = bench.store();
    opened(&*store, account(1), [1]).await?;
    store.close().await;
    assert!(store.session(&key(2)).await.is_err(), "not known is not the same as signed out");
    assert!(store.end_handle(&key(1)).await.is_err());
    assert!(store.ready().await.is_err());
    store.close().await;
    Ok(())
}
