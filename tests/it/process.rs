//! The program itself: started, killed, started again; commands beside it.

use crate::support::PASSWORD;
use crate::support::program::{Place, asks, signs_in};
use std::net::SocketAddr;
use std::path::Path;

async fn verifies(address: SocketAddr, session: &str) -> u16 {
    asks(address, &format!("GET /verify HTTP/1.1\r\nCookie: {session}"), "").await.map_or(0, |(status, _, _)| status)
}

async fn count(file: &Path, query: &'static str) -> i64 {
    use sqlx::Connection;
    let address = format!("sqlite://{}?mode=ro", file.display());
    let mut conn = sqlx::SqliteConnection::connect(&address).await.expect("a database");
    let (whole,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&mut conn).await.expect("a check");
    assert_eq!(whole, "ok");
    let (count,): (i64,) = sqlx::query_as(query).fetch_one(&mut conn).await.expect("a count");
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed_under_load() {
    let place = Place::new();
    place.makes_account("anna");
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..20 {
        let service = place.serves();
        let address = service.address;
        for session in &acknowledged {
            assert_eq!(verifies(address, session).await, 200, "round {round}: a session that was acknowledged");
        }
        let mut people: tokio::task::JoinSet<_> = (0..8).map(|_| signs_in(address, "anna")).collect();
        // The kill comes while the others are at every stage of signing in.
        let wanted = 1 + round % 4;
        let mut opened = 0;
        while opened < wanted {
            if let Some(session) = people.join_next().await.expect("somebody").expect("no panic") {
                acknowledged.push(session);
                opened += 1;
            }
        }
        service.kills();
        while let Some(rest) = people.join_next().await {
            acknowledged.extend(rest.expect("no panic"));
        }
    }
    let known = i64::try_from(acknowledged.len()).expect("a number");
    let audited = "SELECT COUNT(*) FROM audit_event WHERE act = 'sign_in.succeeded'";
    assert!(count(&place.data().join("vestibule.db"), audited).await >= known, "each has its audit event");
    assert!(count(&place.data().join("volatile.db"), "SELECT COUNT(*) FROM session").await >= known);
}

#[tokio::test]
async fn one_folder_has_one_service_and_commands_work_beside_it() {
    let place = Place::new();
    let service = place.serves();
    let second = place.runs(&["serve"], "");
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `vestibule serve` is running"));
    place.makes_account("anna");
    let session = signs_in(service.address, "anna").await.expect("a session");
    assert_eq!(verifies(service.address, &session).await, 200);
    assert!(place.runs(&["account", "lock", "anna"], "").status.success());
    let noticed = async { while verifies(service.address, &session).await != 401 {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), noticed).await.expect("noticed within seconds");
    assert!(signs_in(service.address, "anna").await.is_none());
    assert!(place.runs(&["account", "unlock", "anna"], "").status.success());
    let rotated = place.runs(&["rotate-keys"], "");
    assert!(rotated.status.success());
    assert_eq!(String::from_utf8_lossy(&rotated.stdout).matches("in use").count(), 3);
    assert!(signs_in(service.address, "anna").await.is_some());
    assert!(service.stops_in_order().success(), "it stops in good order");
}

#[test]
fn commands_say_what_is_wrong_and_change_nothing() {
    let place = Place::new();
    let create = ["account", "create", "--username", "anna", "--email", "anna@example.org", "--password-stdin"];
    for (arguments, input, complaint) in [
        (&create[..], "short\n", "the password is shorter than 10 characters"),
        (&["account", "create", "--username", "a\u{202e}b", "--email", "a@example.org"][..], "", "the username"),
        (&["account", "create", "--username", "anna", "--email", "nowhere"][..], "", "the e-mail address"),
        (&["account", "lock", "nobody"][..], "", "no account has the name"),
        (&["account", "set-end", "nobody", "--never"][..], "", "no account has the name"),
        (&["account", "set-end", "nobody"][..], "", "--on <YYYY-MM-DD>"),
        (&["group", "add", "nothing", "nobody"][..], "", "no account has the name"),
        (&["rotate-keys", "--revoke", "00000000-0000-0000-0000-000000000000"][..], "", "there is no key"),
        (&["--config", "missing.toml", "check-config"][..], "", "missing.toml"),
    ] {
        let done = place.runs(arguments, input);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{arguments:?}");
        assert!(said.contains(complaint), "{arguments:?}: {said}");
    }
    place.makes_account("anna");
    for (day, complaint) in [("2020-02-30", "there is no day"), ("2020-01-01", "the end lies in the past")] {
        let done = place.runs(&["account", "set-end", "anna", "--on", day], "");
        assert!(String::from_utf8_lossy(&done.stderr).contains(complaint), "{day}: {done:?}");
    }
    let twice = place.runs(&create, PASSWORD);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("another account has this username"));
}

#[test]
fn check_config_looks_at_the_files_that_are_named() {
    let place = Place::new();
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(place.folder().join("garbage.pem"), "garbage").expect("written");
    let tls = "tls_certificate = \"garbage.pem\"\ntls_key = \"garbage.pem\"\n";
    let log = "[log]\nfile = \"nowhere/vestibule.log\"\n";
    std::fs::write(&file, text.replace("[server]\n", &format!("{log}[server]\n{tls}"))).expect("written");
    let done = place.runs(&["check-config"], "");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success());
    assert!(said.contains("server.tls_certificate") && said.contains("log.file"), "{said}");
    assert!(!place.data().exists(), "nothing was made");
}

#[test]
fn a_wrong_configuration_stops_the_start_and_names_line_and_nearest_key() {
    let place = Place::new();
    std::fs::write(place.folder().join("vestibule.toml"), "[server]\nlisen = \"127.0.0.1:1\"\n").expect("written");
    for command in ["check-config", "serve"] {
        let done = place.runs(&[command], "");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success());
        assert!(said.contains("vestibule.toml:2") && said.contains("lisen") && said.contains("listen"), "{said}");
        assert!(!place.data().exists(), "nothing was made");
    }
}
