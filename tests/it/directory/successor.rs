//! Who is not the same person although a name or an address is the same, and what an operator does about it.

use super::{STAFF, groups_of, syncs};
use crate::support::program::Place;
use crate::support::slapd::{BASE, Slapd, group, person};
use crate::support::told::Told;
use crate::support::{Answer, House, PASSWORD};
use http::StatusCode;
use std::sync::Arc;
use vestibule::service::caller::Operator;
use vestibule::service::directory::{Directories, Names};

async fn tries(house: &House, username: &str, password: &str) -> Answer {
    house.browser().signs_in(username, password).await
}

fn hired_again(slapd: &Slapd, name: &str) {
    slapd.deletes(&format!("uid={name},ou=people,{BASE}"));
    slapd.adds(&person(name));
}

#[tokio::test]
async fn an_administrator_s_account_is_never_linked_by_its_address() {
    let slapd = Slapd::with(&format!(
        "{}{}",
        person("evil").replace("evil@", "boss@"),
        person("dora2").replace("dora2@", "dora@")
    ));
    let house = House::with(&slapd.directory("on_first_sign_in = \"link_verified_email\"\n")).await;
    house.account_with("boss", Some(PASSWORD), true).await;
    house.account("dora").await;
    let log = Told::listens();
    let answer = tries(&house, "evil", "evil-password").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("another account here has your username or your e-mail address"), "{}", answer.body);
    assert!(!answer.body.contains("there is no account for you"), "{}", answer.body);
    assert!(log.text().contains("an administrator's e-mail address links nobody"), "{}", log.text());
    assert_eq!(tries(&house, "boss", PASSWORD).await.status, StatusCode::SEE_OTHER, "the password is still theirs");
    assert_eq!(house.count_acts("identity.linked").await, 0);
    let mut dora = house.browser();
    let asked = dora.signs_in("dora2", "dora2-password").await;
    assert_eq!(asked.status, StatusCode::CONFLICT, "others are asked");
    assert_eq!(house.count_acts("identity.linked").await, 0);
    // She signs in as before, and says yes.
    let page = asked.hidden("return_to").expect("the question");
    assert!(page.starts_with("/account/identities/add?question="), "{page}");
    let fields = [("username", "dora"), ("password", PASSWORD), ("return_to", page.as_str())];
    assert_eq!(dora.submit("/login", "/login", &fields).await.location(), page);
    let asked = dora.get(&page).await;
    assert!(asked.body.contains("Your password here stops working"), "before the yes: {}", asked.body);
    let question = asked.hidden("question").expect("a question");
    let yes = dora.submit(&page, "/account/identities/add", &[("question", &question)]).await;
    assert_eq!(yes.location(), "/account/identities");
    let letter = house.letters().await.pop().expect("a letter");
    assert!(letter.text.contains("does not sign you in any more"), "{}", letter.text);
    assert_eq!(tries(&house, "dora2", "dora2-password").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        tries(&house, "dora", PASSWORD).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the directory's counts now"
    );
}

#[tokio::test]
async fn a_new_entry_of_an_old_name_is_told_and_can_be_linked_anew() {
    let slapd = Slapd::with(&format!("{}{}{}", person("anna"), person("bert"), group("staff", &["anna", "bert"])));
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let anna = house.named("anna").await;
    let mut before = house.browser();
    before.signs_in("anna", "anna-password").await;
    hired_again(&slapd, "anna");
    let log = Told::listens();
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(log.text().contains("the entry that an account is linked to is gone"), "{}", log.text());
    let (plan, _) = syncs(&house).await;
    assert!(plan.remarks.iter().any(|remark| remark.contains("account unlink")), "{:?}", plan.remarks);
    let directories = Directories::new(Arc::clone(&house.app.core));
    let steps = directories.check(&house.operator(), "ldap", Some("anna")).await.expect("a check");
    let told = steps.iter().find(|step| step.what == "account of anna").expect("a step");
    assert!(told.remedy.as_ref().is_some_and(|remedy| remedy.contains("account unlink anna --directory ldap")));
    assert!(told.remedy.as_ref().is_some_and(|remedy| remedy.contains("--user anna --follow")), "as until now");
    let (operator, by) = (house.operator(), Operator::vouched());
    let names = directories.unlink(&operator, by, &anna, "ldap").await.expect("unlinked");
    assert_eq!(names, Names::Follow, "the directory had brought the account");
    assert!(directories.unlink(&operator, by, &anna, "ldap").await.is_err(), "there is nothing to take away");
    assert_eq!(house.count_acts("identity.unlinked").await, 1);
    assert!(!before.is_signed_in().await, "whose entry it was may be somebody else");
    let letters = house.letters().await;
    assert!(letters.iter().any(|letter| letter.to == "anna@example.org" && letter.text.contains("took the link")));
    assert!(groups_of(&house, "anna").await.is_empty(), "what the directory gave went with the link");
    // Neither the new entry nor anybody else gets in by the name alone.
    assert_ne!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    directories.link(&operator, by, &anna, ("ldap", "anna", Names::Stay)).await.expect("linked");
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.named("anna").await.id, anna.id);
}

#[tokio::test]
async fn names_and_address_of_an_account_that_is_linked_stay_unless_the_operator_wants_otherwise() {
    let slapd = Slapd::with(&person("linked1"));
    let house = House::with(&slapd.directory("create_accounts = true\n")).await;
    let plain = house.account("plain").await;
    let directories = Directories::new(Arc::clone(&house.app.core));
    let (operator, by) = (house.operator(), Operator::vouched());
    directories.link(&operator, by, &plain, ("ldap", "linked1", Names::Stay)).await.expect("linked");
    for name in ["linked1", "plain"] {
        assert_eq!(tries(&house, name, "linked1-password").await.status, StatusCode::SEE_OTHER, "{name}");
    }
    syncs(&house).await;
    let now = house.named("plain").await;
    assert_eq!((now.id, now.email.as_str()), (plain.id, "plain@example.org"));
    assert_eq!(now.name, plain.name);
    assert_eq!(directories.unlink(&operator, by, &plain, "ldap").await.expect("unlinked"), Names::Stay);
    directories.link(&operator, by, &plain, ("ldap", "linked1", Names::Follow)).await.expect("linked");
    assert!(syncs(&house).await.1.updated == 1, "names follow now");
    let now = house.named("linked1").await;
    assert_eq!((now.id, now.email.as_str()), (plain.id, "linked1@example.org"));
}

#[test]
fn the_command_takes_a_link_away_and_says_what_is_next() {
    let slapd = Slapd::with(&person("anna"));
    let place = Place::with("", &slapd.directory("create_accounts = true\n"));
    assert!(place.runs(&["sync"], "").status.success());
    hired_again(&slapd, "anna");
    let said = |arguments: &[&str]| {
        let done = place.runs(arguments, "");
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let (good, text) = said(&["directory", "check", "ldap", "--user", "anna"]);
    assert!(!good && text.contains("account unlink anna --directory ldap"), "{text}");
    let (good, text) = said(&["account", "link", "anna", "--directory", "ldap"]);
    assert!(!good && text.contains("account unlink"), "{text}");
    let (good, text) = said(&["account", "unlink", "anna", "--directory", "ldap"]);
    assert!(good && text.contains("account link") && text.contains("--follow"), "{text}");
    let (good, text) = said(&["account", "unlink", "anna", "--directory", "ldap"]);
    assert!(!good && text.contains("not linked"), "{text}");
    let (good, text) = said(&["account", "link", "anna", "--directory", "ldap"]);
    assert!(good, "{text}");
    assert!(said(&["directory", "check", "ldap", "--user", "anna"]).0);
}
