//! The writer on its own: batches, trouble, and what its clock makes it do, without a clock.

use super::super::super::Shelf;
use super::super::entries::{Peek, Put};
use super::super::sessions::{End, Load, Open};
use super::*;
use crate::domain::id::{AccountId, SessionId};
use crate::domain::session::{Methods, Session};
use crate::domain::time::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_000);

async fn writer(folder: &TempDir) -> Writer {
    let (file, db) = File::open(&folder.path().join("volatile.db"), Duration::from_millis(20)).await.unwrap();
    let (_, waiting) = mpsc::channel(1);
    Writer::new(file, db, Arc::new(Memory::new()), waiting, Duration::from_secs(1))
}

/// Runs a command as a batch of its own.
async fn alone<C: Command>(writer: &mut Writer, command: C) -> Result<C::Answer, Unavailable> {
    let (Message::Ask(ask), mut answer) = Message::ask(command) else { panic!("a command") };
    writer.batch(vec![ask]).await;
    answer.try_recv().unwrap()
}

fn put(key: u8, size: usize) -> Put {
    let until = Timestamp::from_millis(2_000);
    Put { shelf: Shelf::Attempt, key: [key; 32], value: vec![7; size], until, now: NOW }
}

fn peek(key: u8) -> Peek {
    Peek { shelf: Shelf::Attempt, key: [key; 32], now: NOW }
}

fn open(number: u8) -> Open {
    let session = Session {
        id: SessionId::new(Uuid::from_u128(u128::from(number))),
        account: AccountId::new(Uuid::nil()),
        created_at: NOW,
        authenticated_at: NOW,
        ends_at: NOW.after(Duration::from_hours(1)),
        last_seen_at: NOW,
        methods: Methods::PASSWORD,
        device: "Firefox on Linux".into(),
        network: "203.0.113.0/24".into(),
        remembered: None,
        source: None,
    };
    Open { handle: [number; 32], session }
}

#[tokio::test]
async fn a_full_disk_undoes_the_whole_batch_and_the_next_one_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder).await;
    let db = writer.db.as_mut().unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *db).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(db).await.unwrap();

    let ((small, mut first), (large, mut second)) = (Message::ask(put(1, 8)), Message::ask(put(2, 100_000)));
    let (Message::Ask(small), Message::Ask(large)) = (small, large) else { panic!("two commands") };
    writer.batch(vec![small, large]).await;
    let (first, second) = (first.try_recv().unwrap(), second.try_recv().unwrap());
    assert!(first.is_err(), "it went to disk with the other: {first:?}");
    assert!(second.as_ref().is_err_and(|why| why.0.contains("full")), "{second:?}");

    // The connection was given up, and the limit with it: the disk has room again.
    assert!(matches!(alone(&mut writer, put(3, 100_000)).await, Ok(true)));
    assert!(matches!(alone(&mut writer, peek(1)).await, Ok(None)), "what was refused is not there");
}

#[tokio::test]
async fn a_command_is_done_though_its_caller_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder).await;
    let (Message::Ask(ask), answer) = Message::ask(put(1, 8)) else { panic!("a command") };
    drop(answer);
    writer.batch(vec![ask]).await;
    assert!(matches!(alone(&mut writer, peek(1)).await, Ok(Some(_))));
}

#[tokio::test]
async fn within_one_batch_an_end_beats_the_load_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder).await;
    alone(&mut writer, open(1)).await.unwrap();
    writer.memory.remove(&[[1; 32]]);
    let ((load, mut loaded), (end, mut ended)) = (Message::ask(Load([1; 32])), Message::ask(End::Handle([1; 32])));
    let (Message::Ask(load), Message::Ask(end)) = (load, end) else { panic!("two commands") };
    writer.batch(vec![load, end]).await;
    assert!(loaded.try_recv().unwrap().unwrap().is_some());
    assert_eq!(ended.try_recv().unwrap().unwrap(), 1);
    assert!(writer.memory.find(&[1; 32]).is_none());
}

#[tokio::test]
async fn what_another_process_ended_leaves_the_memory_when_the_writer_looks() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder).await;
    for number in [1, 2, 200] {
        assert!(alone(&mut writer, open(number)).await.unwrap());
    }
    writer.watch().await;
    let mut command = writer.file.connect().await.unwrap();
    sqlx::query("DELETE FROM session WHERE handle IN ($1, $2)")
        .bind([1_u8; 32].as_slice())
        .bind([200_u8; 32].as_slice())
        .execute(&mut command)
        .await
        .unwrap();
    assert!(writer.memory.find(&[1; 32]).is_some(), "nobody has looked yet");
    writer.watch().await;
    assert!(writer.memory.find(&[1; 32]).is_none() && writer.memory.find(&[200; 32]).is_none());
    assert!(writer.memory.find(&[2; 32]).is_some(), "nobody else is asked to come in anew");
}

#[tokio::test]
async fn what_was_ended_while_the_file_could_not_be_read_is_noticed_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder).await;
    alone(&mut writer, open(1)).await.unwrap();
    writer.watch().await;
    let mut command = writer.file.connect().await.unwrap();
    sqlx::query("DELETE FROM session").execute(&mut command).await.unwrap();
    writer.disconnect().await;
    writer.watch().await;
    assert!(writer.memory.find(&[1; 32]).is_none());
}

#[tokio::test]
async fn a_last_request_is_written_behind_at_most_once_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder).await;
    alone(&mut writer, open(1)).await.unwrap();
    let live = writer.memory.find(&[1; 32]).unwrap();
    for (request, on_disk) in [(59, 0), (60, 60), (61, 60), (119, 60), (120, 120)] {
        let at = NOW.after(Duration::from_secs(request));
        if live.touch(at) {
            writer.memory.note([1; 32], at);
        }
        alone(&mut writer, Flush { all: false }).await.unwrap();
        let db = writer.db.as_mut().unwrap();
        let written: i64 = sqlx::query_scalar("SELECT last_seen_at FROM session").fetch_one(db).await.unwrap();
        assert_eq!(written, NOW.after(Duration::from_secs(on_disk)).millis(), "after a request at {request} s");
        assert_eq!(live.last_seen_at(), at);
    }
}
