//! Tests of `pool.rs`, apart for its length.

use super::*;

const FOREVER: Duration = Duration::from_hours(1);

fn pool(idle: Duration) -> Pool {
    Pool::start(&Plan { workers: 1, queue: 4, keep: 8, idle }).unwrap()
}

#[tokio::test]
async fn memory_is_kept_between_jobs_and_given_back_when_none_comes() {
    let pool = pool(Duration::ZERO);
    assert_eq!(pool.warm(), 0, "nothing is taken before the first job");
    assert_eq!(pool.run(|memory| memory.blocks(8).map(|blocks| blocks.len())).await, Ok(Some(8)));
    pool.wait_until_cold();
    assert!(!pool.run(|memory| memory.is_held()).await.unwrap());

    let pool = self::pool(FOREVER);
    assert_eq!(pool.run(|memory| memory.blocks(8).is_some()).await, Ok(true));
    assert!(pool.run(|memory| memory.is_held()).await.unwrap());
}

#[tokio::test]
async fn a_job_that_needs_more_than_usual_leaves_nothing_behind() {
    let pool = pool(FOREVER);
    assert_eq!(pool.run(|memory| memory.blocks(9).map(|blocks| blocks.len())).await, Ok(Some(9)));
    assert!(!pool.run(|memory| memory.is_held()).await.unwrap());
}

#[test]
fn memory_is_reserved_beyond_what_the_allocator_would_keep() {
    let mut memory = Memory::default();
    memory.blocks(8).unwrap();
    assert!(memory.blocks.capacity() * Block::SIZE > 32 * 1024 * 1024);
    assert_eq!(memory.blocks.len(), 8, "only what is used is written to");
    assert!(memory.blocks(usize::MAX).is_none());
    assert_eq!(memory.blocks(4).map(|blocks| blocks.len()), Some(4));
}

#[tokio::test]
async fn a_job_that_panics_leaves_the_worker_alive() {
    let pool = pool(FOREVER);
    assert_eq!(pool.run(|_| panic!("on purpose")).await.map(|(): ()| ()), Err(Refused::Gone));
    assert_eq!(pool.run(|_| 7).await, Ok(7));
}

#[tokio::test]
async fn those_who_wait_are_told_when_the_pool_goes_away() {
    let (reply, answer) = oneshot::channel::<()>();
    let pool = Pool::start(&Plan { workers: 0, queue: 4, keep: 8, idle: FOREVER }).unwrap();
    pool.shared.submit(Box::new(Task { reply, work: |_: &mut Memory| () })).unwrap();
    drop(pool);
    assert!(answer.await.is_err());
}
