//! One person, many spellings: failures count against whoever is found, and only who is found alone is let in.

use super::STAFF;
use crate::support::slapd::{BASE, SERVICE, Slapd, person};
use crate::support::told::Told;
use crate::support::{Answer, House};
use http::StatusCode;
use std::sync::Arc;
use vestibule::service::caller::Operator;
use vestibule::service::directory::{Directories, Names};

const LIMITS: &str = "[throttle]\naccount_failures = 3\naddress_failures = 0\nnetwork_failures = 0\n";

async fn tries(house: &House, username: &str, password: &str) -> Answer {
    house.browser().signs_in(username, password).await
}

fn many() -> String {
    let named = person("anna").replace("uid: anna\n", "uid: anna\nuid: a.berg\nuid: a berg\nuid: aberg\n");
    format!("{named}{}", person("bert"))
}

fn comparable(answer: &Answer, name: &str) -> (StatusCode, String) {
    (answer.status, answer.comparable().replace(&format!("value=\"{name}\""), "value=\"NAME\""))
}

#[tokio::test]
async fn another_spelling_is_no_further_guess() {
    let slapd = Slapd::with(&many());
    for with_account in [false, true] {
        let house = House::with(&format!("{LIMITS}{}", slapd.directory(""))).await;
        if with_account {
            assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
        }
        let begun = house.count_acts("sign_in.succeeded").await;
        // A directory does not care how many spaces there are.
        for name in ["a.berg", "a berg", "a  berg"] {
            assert_eq!(tries(&house, name, "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let wrong = tries(&house, "bert", "wrong").await;
        for name in ["a   berg", "aberg", "A.BERG"] {
            let right = tries(&house, name, "anna-password").await;
            assert_eq!(comparable(&right, name), comparable(&wrong, "bert"), "{name}, {with_account}");
        }
        assert_eq!(house.count_acts("sign_in.succeeded").await, begun, "{with_account}");
        assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::SEE_OTHER, "others get in");
        house.after(std::time::Duration::from_mins(16));
        assert_eq!(tries(&house, "a    berg", "anna-password").await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn guesses_by_the_name_of_the_account_and_by_others_are_counted_together() {
    let slapd = Slapd::with(&many());
    let house = House::with(&format!("{LIMITS}{}", slapd.directory(""))).await;
    tries(&house, "anna", "anna-password").await;
    for name in ["anna", "a.berg", "anna"] {
        tries(&house, name, "wrong").await;
    }
    for name in ["anna", "aberg"] {
        let right = tries(&house, name, "anna-password").await;
        assert_eq!(right.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
}

#[tokio::test]
async fn right_passwords_are_not_counted_whatever_the_spelling() {
    let slapd = Slapd::with(&many());
    let house = House::with(&format!("{LIMITS}{}", slapd.directory(""))).await;
    for name in ["anna", "a.berg", "aberg", "a berg", "a.berg", "aberg"] {
        assert_eq!(tries(&house, name, "anna-password").await.status, StatusCode::SEE_OTHER, "{name}");
    }
    assert_eq!(house.count_acts("account.created").await, 1);
}

#[tokio::test]
async fn whoever_is_unblocked_is_under_every_spelling_and_nobody_else_is() {
    let slapd = Slapd::with(&many());
    let house = House::with(&format!("{LIMITS}{}", slapd.directory(""))).await;
    for name in ["anna", "bert"] {
        assert_eq!(tries(&house, name, &format!("{name}-password")).await.status, StatusCode::SEE_OTHER);
    }
    // More than the limit, so that both the person and what was typed would be blocked.
    for name in ["a.berg"; 7].into_iter().chain(["bert"; 3]) {
        tries(&house, name, "wrong").await;
    }
    let blocked = ["anna", "a.berg", "aberg"];
    for name in blocked {
        let right = tries(&house, name, "anna-password").await;
        assert_eq!(right.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    let anna = house.named("anna").await;
    house.accounts().unlock(&house.operator(), Operator::vouched(), anna.id).await.expect("unlocked");
    for name in ["a.berg", "anna", "aberg"] {
        assert_eq!(tries(&house, name, "anna-password").await.status, StatusCode::SEE_OTHER, "{name}");
    }
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_an_entry_failed_without_an_account_is_forgotten_with_the_account_s() {
    let slapd = Slapd::with(&many());
    let house = House::with(&format!("{LIMITS}{}", slapd.directory(""))).await;
    let local = house.account("local").await;
    for name in ["anna", "bert"] {
        for _ in 0..4 {
            tries(&house, name, "wrong").await;
        }
    }
    let (operator, by) = (house.operator(), Operator::vouched());
    let directories = Directories::new(Arc::clone(&house.app.core));
    directories.link(&operator, by, &local, ("ldap", "anna", Names::Stay)).await.expect("linked");
    house.accounts().unlock(&operator, by, local.id).await.expect("unlocked");
    directories.unlink(&operator, by, &local, "ldap").await.expect("unlinked");
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn one_of_two_is_not_alone_because_the_server_shows_no_more() {
    let twin = format!("dn: ou=more,ou=people,{BASE}\nobjectClass: organizationalUnit\nou: more\n\n");
    let twin = twin + &person("anna").replace("ou=people", "ou=more,ou=people");
    let mut slapd = Slapd::with(&format!("{}{}{twin}", person("anna"), person("bert")));
    slapd.writes_configuration(&format!("limits dn.exact=\"{SERVICE}\" size=1\n"));
    slapd.restarts();
    let house = House::with(&slapd.directory(STAFF)).await;
    let log = Told::listens();
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count_acts("account.created").await, 0);
    assert!(log.text().contains("nobody knows whether others have the name"), "{}", log.text());
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::SEE_OTHER, "he is alone");
}
