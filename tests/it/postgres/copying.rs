//! `vestibule copy-store`: an embedded installation moves to PostgreSQL.

use super::{ROOT_KEY, place, verifies};
use crate::support::postgres::shared;
use crate::support::program::{Place, signs_in};
use crate::support::redis::until;
use std::process::Stdio;

/// An installation in a file, with the key that the other will have.
fn embedded() -> Place {
    let place = Place::new();
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(&file, format!("secret_key = {ROOT_KEY:?}\n{text}")).expect("written");
    place.makes_account("anna");
    place.makes_account("berta");
    assert!(place.runs(&["group", "create", "staff"], "").status.success());
    assert!(place.runs(&["group", "add", "staff", "anna"], "").status.success());
    assert!(place.runs(&["account", "lock", "berta"], "").status.success());
    let text = "[branding]\nname = \"Moving hall\"\n[mail]\nusername = \"u\"\npassword = \"a secret that moves\"\n";
    assert!(place.runs(&["settings", "import", "-"], text).status.success());
    place
}

fn copies(from: &Place, to: &Place) -> (bool, String, String) {
    let url = format!("sqlite://{}", from.data().join("vestibule.db").display());
    let done = to.runs(&["copy-store", "--from", &url], "");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.success(), text(&done.stdout), text(&done.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_and_people_sign_in_as_before() {
    let from = embedded();
    let before = std::fs::read(from.data().join("vestibule.db")).expect("a file");
    let to = place(&shared().url(), "moved");
    let (good, said, complaint) = copies(&from, &to);
    assert!(good, "{complaint}");
    assert!(said.contains("account") && said.contains(" 2 rows") && said.contains("root key"), "{said}");
    assert_eq!(std::fs::read(from.data().join("vestibule.db")).expect("a file"), before, "the source is untouched");
    let service = to.serves();
    let session = signs_in(service.address, "anna").await.expect("the password moved");
    assert_eq!(verifies(service.address, &session).await, 200);
    assert!(signs_in(service.address, "berta").await.is_none(), "who was locked is locked");
    let settings = [&from, &to].map(|place| place.runs(&["settings", "export", "--with-secrets"], "").stdout);
    assert_eq!(settings[0], settings[1]);
    let text = String::from_utf8_lossy(&settings[0]);
    assert!(text.contains("Moving hall") && text.contains("a secret that moves"), "{text}");
    let mut conn = shared().by_hand("moved").await;
    let (members,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM membership").fetch_one(&mut conn).await.expect("one");
    assert_eq!(members, 1);
}

#[tokio::test]
async fn a_target_with_rows_is_refused_and_left_as_it_is() {
    let from = embedded();
    let to = place(&shared().url(), "not_empty");
    to.makes_account("clara");
    let (good, _, complaint) = copies(&from, &to);
    assert!(!good && complaint.contains("not empty"), "{complaint}");
    let mut conn = shared().by_hand("not_empty").await;
    let names: Vec<(String,)> =
        sqlx::query_as("SELECT username FROM account").fetch_all(&mut conn).await.expect("rows");
    assert_eq!(names, [("clara".to_owned(),)]);
}

#[tokio::test]
async fn a_file_that_is_served_or_missing_is_not_copied() {
    let from = embedded();
    let to = place(&shared().url(), "served");
    let service = from.serves();
    let (good, _, complaint) = copies(&from, &to);
    assert!(!good && complaint.contains("is running"), "{complaint}");
    service.kills();
    let (good, _, complaint) = copies(&Place::new(), &to);
    assert!(!good && complaint.contains("no such file"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_breaks_off_leaves_an_empty_target_that_can_be_used_again() {
    use sqlx::Executor;
    let from = embedded();
    let to = place(&shared().url(), "broken_off");
    assert!(to.runs(&["migrate"], "").status.success());
    let mut conn = shared().by_hand("broken_off").await;
    conn.execute("ALTER TABLE membership ADD CONSTRAINT never CHECK (source = 'nobody')").await.expect("altered");
    let (good, _, complaint) = copies(&from, &to);
    assert!(!good && complaint.contains("nothing was copied"), "{complaint}");
    let (rows,): (i64,) = sqlx::query_as("SELECT (SELECT COUNT(*) FROM account) + (SELECT COUNT(*) FROM ring_key)")
        .fetch_one(&mut conn)
        .await
        .expect("a count");
    assert_eq!(rows, 0);
    conn.execute("ALTER TABLE membership DROP CONSTRAINT never").await.expect("altered");
    let (good, _, complaint) = copies(&from, &to);
    assert!(good, "{complaint}");
}

/// Killed at a point where it has written accounts and waits to write the next table, again and again: the target is empty as
/// it was, the source is what it was, and the next copy is a whole one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_killed_leaves_an_empty_target_and_the_source_as_it_was() {
    use sqlx::Executor;
    let from = embedded();
    let file = from.data().join("vestibule.db");
    let before = std::fs::read(&file).expect("a file");
    let to = place(&shared().url(), "killed_copy");
    assert!(to.runs(&["migrate"], "").status.success());
    let url = format!("sqlite://{}", file.display());
    let mut looks = shared().by_hand("killed_copy").await;
    let waits = "SELECT COUNT(*) FROM pg_locks WHERE relation = $1::regclass AND NOT granted";
    let works = "SELECT COUNT(*) FROM pg_locks WHERE relation = $1::regclass AND mode = 'RowExclusiveLock' AND granted";
    let rows =
        "SELECT (SELECT COUNT(*) FROM account) + (SELECT COUNT(*) FROM membership) + (SELECT COUNT(*) FROM ring_key)";
    for table in ["membership", "password", "audit_event"] {
        let mut blocks = shared().by_hand("killed_copy").await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN SHARE MODE");
        blocks.execute(sqlx::AssertSqlSafe(lock)).await.expect("locked");
        let mut copy = to.command(&["copy-store", "--from", &url]);
        let mut copy = copy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let count = async |conn: &mut sqlx::PgConnection, question: &'static str, of: &str| -> i64 {
            sqlx::query_scalar(question).bind(of).fetch_one(conn).await.expect("a count")
        };
        until("it is in the midst of writing", async || count(&mut looks, waits, table).await > 0).await;
        assert!(count(&mut looks, works, "account").await > 0, "{table}: something was written before");
        copy.kill().expect("killed");
        copy.wait().expect("ended");
        blocks.execute("ROLLBACK").await.expect("unlocked");
        until("the server has noticed", async || count(&mut looks, works, "account").await == 0).await;
        let there: i64 = sqlx::query_scalar(rows).fetch_one(&mut looks).await.expect("a count");
        assert_eq!(there, 0, "{table}");
        assert_eq!(std::fs::read(&file).expect("a file"), before, "{table}: the source is untouched");
    }
    let (good, _, complaint) = copies(&from, &to);
    assert!(good, "{complaint}");
    assert_eq!(std::fs::read(&file).expect("a file"), before);
    let service = to.serves();
    assert!(signs_in(service.address, "anna").await.is_some(), "the copy that was not killed is whole");
}
