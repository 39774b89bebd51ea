//! Several nodes on one database, several installations in one, and who may change the schema.

use super::{place, place_with, verifies};
use crate::support::postgres::shared;
use crate::support::program::{signs_in, tries_to_sign_in};
use std::time::Duration;
use uuid::Uuid;
use vestibule::app::mapping;
use vestibule::config::Config;
use vestibule::domain::id::AccountId;
use vestibule::domain::notice::Notice;
use vestibule::domain::time::Timestamp;
use vestibule::store::{Database, notice};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_start_at_once_share_the_ring_and_notice_each_others_changes() {
    let (one, two) = (place(&shared().url(), "nodes"), place(&shared().url(), "nodes"));
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| one.serves());
        let second = scope.spawn(|| two.serves());
        (first.join().expect("served"), second.join().expect("served"))
    });
    let mut conn = shared().by_hand("nodes").await;
    let (keys,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM ring_key").fetch_one(&mut conn).await.expect("a count");
    assert_eq!(keys, 3, "one of each purpose");
    one.makes_account("anna");
    let session = signs_in(second.address, "anna").await.expect("a session");
    assert_eq!(verifies(second.address, &session).await, 200);
    assert!(one.runs(&["account", "lock", "anna"], "").status.success());
    let noticed = async { while verifies(second.address, &session).await != 401 {} };
    tokio::time::timeout(Duration::from_secs(2), noticed).await.expect("noticed on the other node");
    assert!(signs_in(first.address, "anna").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_in_one_database_do_not_see_each_other() {
    let (one, two) = (place(&shared().url(), "beside_one"), place(&shared().url(), "beside_two"));
    one.makes_account("anna");
    let second = two.serves();
    let (status, _) = tries_to_sign_in(second.address, "anna").await.expect("an answer");
    assert_eq!(status, 422, "nobody here has that name");
    two.makes_account("anna");
    assert!(signs_in(second.address, "anna").await.is_some());
}

#[tokio::test]
async fn another_root_key_is_refused_in_clear_words() {
    let one = place(&shared().url(), "root_key");
    one.makes_account("anna");
    let file = one.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let (_, without) = text.split_once('\n').expect("the first line has the key");
    std::fs::write(&file, without).expect("written");
    let done = one.runs(&["rotate-keys", "--list"], "");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("is missing"), "{said}");
    assert!(!one.data().join("secret.key").exists(), "nobody takes a new key for the old one");
}

#[tokio::test]
async fn the_schema_is_only_looked_at_where_the_operator_wants_it() {
    let place = place_with(&shared().url(), "looked_at", "migrate_at_start = false\n");
    let refused = place.runs(&["serve"], "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("vestibule migrate"), "{said}");
    let check = place.runs(&["migrate", "--check"], "");
    assert!(!check.status.success());
    assert!(String::from_utf8_lossy(&check.stdout).contains("missing: 0001 front door"));
    assert!(place.runs(&["migrate"], "").status.success());
    assert!(place.runs(&["migrate", "--check"], "").status.success());
    place.makes_account("anna");
}

#[tokio::test]
async fn a_notice_whose_transaction_ends_late_is_not_stepped_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("data_dir = {:?}", folder.path().to_str().expect("UTF-8"));
    let config = Config::parse(&text, &shared().environment("late_notice")).unwrap_or_else(|error| panic!("{error}"));
    let database = Database::at(&mapping::database(&config)).await.expect("a database");
    let now = Timestamp::from_millis(1_795_284_300_000);
    let [early, late] = [1, 2].map(|number| Notice::Account(AccountId::new(Uuid::from_u128(number))));
    let mut slow = database.begin_beside().await.expect("a turn");
    slow.announce(early, now).await.expect("announced");
    let mut quick = database.begin_beside().await.expect("a turn");
    quick.announce(late, now).await.expect("announced");
    quick.commit().await.expect("committed");
    let mut link = database.read().await.expect("a connection");
    let mark = notice::settled(&mut link).await.expect("a number");
    let seen = |page: notice::Page| page.notices.into_iter().filter_map(|(_, one)| one).collect::<Vec<_>>();
    assert_eq!(seen(notice::after(&mut link, 0).await.expect("notices")), [late]);
    slow.commit().await.expect("committed");
    assert_eq!(seen(notice::after(&mut link, mark).await.expect("notices")), [early, late]);
    // Transactions of other tests on this server may hold the mark a while longer, but not for ever.
    let settles = async {
        loop {
            let mark = notice::settled(&mut link).await.expect("a number");
            if notice::after(&mut link, mark).await.expect("notices").notices.is_empty() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), settles).await.expect("settled");
}
