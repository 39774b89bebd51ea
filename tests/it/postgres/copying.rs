//! `vestibule copy-store`: an embedded installation moves to PostgreSQL.

use super::{ROOT_KEY, place, verifies};
use crate::support::postgres::shared;
use crate::support::program::{Place, signs_in};

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
