//! Signing in while directories are away: who gets in, what the others are told, and what is counted.

use super::sign_in::{comparable, people, tries};
use crate::support::slapd::{Slapd, person};
use crate::support::{House, PASSWORD};
use http::StatusCode;
use vestibule::service::caller::Operator;

#[tokio::test]
async fn a_directory_that_is_away_is_told_alike_to_all_and_people_of_ours_get_in() {
    let mut slapd = Slapd::with(&people());
    let house = House::with(&slapd.directory("")).await;
    house.account("local").await;
    tries(&house, "anna", "anna-password").await;
    slapd.is_killed();
    let answer = tries(&house, "anna", "anna-password").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "30");
    let away = comparable(&answer, "anna");
    for name in ["bert", "nobody", "local"] {
        assert_eq!(comparable(&tries(&house, name, "wrong").await, name), away, "{name}");
    }
    assert_eq!(tries(&house, "local", PASSWORD).await.status, StatusCode::SEE_OTHER);
    slapd.starts();
    // The server rests for a moment after its failures; then it is asked again.
    let back = async { while tries(&house, "anna", "anna-password").await.status != StatusCode::SEE_OTHER {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), back).await.expect("it is asked again");
}

#[tokio::test]
async fn the_first_try_after_a_directory_went_away_tells_no_names_apart() {
    let mut slapd = Slapd::with(&people());
    let mut answers = Vec::new();
    for name in ["anna", "bert", "nobody", "local", "blocked", "locked"] {
        let throttle = "[throttle]\naccount_failures = 2\naddress_failures = 0\nnetwork_failures = 0\n";
        let house = House::with(&format!("{throttle}{}", slapd.directory(""))).await;
        tries(&house, "anna", "anna-password").await;
        for ours in ["local", "blocked", "locked"] {
            house.account(ours).await;
        }
        let locked = house.named("locked").await;
        house.accounts().lock(&house.operator(), Operator::vouched(), locked.id).await.expect("locked");
        for _ in 0..2 {
            tries(&house, "blocked", "wrong").await;
        }
        slapd.is_killed();
        let hashes = house.app.core.hasher.count();
        let answer = tries(&house, name, "wrong").await;
        assert_eq!(house.app.core.hasher.count() - hashes, 1, "{name}");
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        answers.push((answer.header("retry-after").to_owned(), comparable(&answer, name)));
        assert_eq!(tries(&house, "local", PASSWORD).await.status, StatusCode::SEE_OTHER, "people of ours get in");
        for (name, password) in [("blocked", PASSWORD), ("locked", PASSWORD)] {
            assert_ne!(tries(&house, name, password).await.status, StatusCode::SEE_OTHER, "{name}");
        }
        slapd.starts();
    }
    assert!(answers.iter().all(|one| *one == answers[0]));
}

#[tokio::test]
async fn while_no_directory_answers_addresses_are_not_blamed_and_accounts_of_ours_are() {
    let mut slapd = Slapd::with(&people());
    let throttle = "[throttle]\naccount_failures = 3\naddress_failures = 4\nnetwork_failures = 0\n";
    let house = House::with(&format!("{throttle}{}", slapd.directory(""))).await;
    for name in ["local", "guessed"] {
        house.account(name).await;
    }
    slapd.is_killed();
    for _ in 0..4 {
        for name in ["guessed", "nobody"] {
            assert_eq!(tries(&house, name, "wrong").await.status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        }
    }
    assert_eq!(tries(&house, "local", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let guessed = tries(&house, "guessed", PASSWORD).await;
    assert_eq!(guessed.status, StatusCode::SERVICE_UNAVAILABLE, "its guesses are spent");
}

#[tokio::test]
async fn guesses_count_where_one_directory_answers_and_another_is_away() {
    let (gone, second) = (Slapd::with(""), Slapd::with(&person("bert")));
    let throttle = "[throttle]\naccount_failures = 2\naddress_failures = 0\nnetwork_failures = 0\n";
    let more = second.directory("name = \"Second\"\n").replace("slug = \"ldap\"", "slug = \"second\"");
    let house = House::with(&format!("{throttle}{}{more}", gone.directory(""))).await;
    drop(gone);
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::SEE_OTHER, "somebody new");
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::SEE_OTHER, "and known");
    for _ in 0..2 {
        assert_eq!(tries(&house, "bert", "wrong").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    let guessed = tries(&house, "bert", "bert-password").await;
    assert_eq!(guessed.status, StatusCode::SERVICE_UNAVAILABLE, "the guesses are spent");
}
