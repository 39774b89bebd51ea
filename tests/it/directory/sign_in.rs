//! Signing in with a directory's password, as people and attackers do it.

use super::{STAFF, groups_of, syncs};
use crate::support::cable::{Cable, Then};
use crate::support::slapd::{BASE, Slapd, group, person};
use crate::support::{Answer, House, OTHER_PASSWORD, PASSWORD};
use http::StatusCode;
use std::sync::Arc;
use vestibule::service::caller::Operator;
use vestibule::service::directory::{Directories, Names};

pub(super) fn people() -> String {
    ["anna", "bert", "cara"].map(person).concat() + &group("staff", &["anna"])
}

async fn opened(more: &str) -> (Slapd, House) {
    let slapd = Slapd::with(&people());
    let house = House::with(&slapd.directory(more)).await;
    (slapd, house)
}

pub(super) async fn tries(house: &House, username: &str, password: &str) -> Answer {
    house.browser().signs_in(username, password).await
}

/// The page without what differs from request to request by design.
pub(super) fn comparable(answer: &Answer, name: &str) -> (StatusCode, String) {
    let body = answer.comparable().replace(&format!("value=\"{name}\""), "value=\"NAME\"");
    (answer.status, body)
}

#[tokio::test]
async fn somebody_new_signs_in_and_has_an_account_that_follows_the_directory() {
    let (slapd, house) = opened("").await;
    let mut browser = house.browser();
    let answer = browser.signs_in("ANNA", "anna-password").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account"));
    assert!(browser.is_signed_in().await);
    let anna = house.named("anna").await;
    assert_eq!(
        (anna.username.as_str(), anna.email.as_str(), anna.name.as_str()),
        ("anna", "anna@example.org", "anna Example")
    );
    slapd.modifies(&format!(
        "dn: uid=anna,ou=people,{BASE}\nchangetype: modify\nreplace: cn\ncn: Anna New\n\n\
         dn: uid=anna,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=annika\ndeleteoldrdn: 1\n\n"
    ));
    // By the name that is known here, wherever the entry is now.
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    let annika = house.named("annika").await;
    assert_eq!((annika.id, annika.name.as_str()), (anna.id, "Anna New"));
    assert_eq!(house.count_acts("account.created").await, 1);
}

#[tokio::test]
async fn wrong_empty_and_unknown_are_refused_alike_and_cost_one_hash_each() {
    let (_slapd, house) = opened("").await;
    house.account("local").await;
    tries(&house, "anna", "anna-password").await;
    let mut answers = Vec::new();
    for (name, password) in [("anna", "wrong"), ("bert", "wrong"), ("nobody", "wrong"), ("local", "wrong")] {
        let before = house.app.core.hasher.count();
        let answer = tries(&house, name, password).await;
        assert_eq!(house.app.core.hasher.count() - before, 1, "{name}");
        answers.push(comparable(&answer, name));
    }
    assert!(answers.iter().all(|one| *one == answers[0]));
    assert_eq!(tries(&house, "anna", "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count_acts("account.created").await, 2, "only who had the right password");
}

#[tokio::test]
async fn names_that_are_filters_or_entries_find_nobody() {
    let (_slapd, house) = opened("").await;
    let long = "a".repeat(5000);
    for name in [
        "*",
        "a*",
        "anna)(uid=*",
        "*)(|(uid=*",
        "anna)(objectClass=*))(&(uid=anna",
        "\\2a",
        "anna\u{0}",
        "anna\\00",
        "uid=anna,ou=people,dc=example,dc=org",
        "anna,ou=people",
        "(uid=anna)",
        long.as_str(),
    ] {
        let answer = tries(&house, name, "anna-password").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
    }
    assert_eq!(house.count_acts("account.created").await, 0);
    assert_eq!(house.count_acts("sign_in.succeeded").await, 0);
}

#[tokio::test]
async fn the_filter_is_a_rule_of_access_and_two_entries_of_one_name_are_nobody() {
    let slapd = Slapd::with(&people());
    let house = House::with(&slapd.directory("filter = \"(&(objectClass=inetOrgPerson)(!(title=out)))\"\n")).await;
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::SEE_OTHER);
    slapd.modifies(&format!("dn: uid=bert,ou=people,{BASE}\nchangetype: modify\nadd: title\ntitle: out\n\n"));
    assert_eq!(tries(&house, "bert", "bert-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let twin = format!("ou=more,ou=people,{BASE}");
    slapd.adds(&format!("dn: {twin}\nobjectClass: organizationalUnit\nou: more\n\n"));
    slapd.adds(&person("cara").replace("ou=people", "ou=more,ou=people"));
    assert_eq!(tries(&house, "cara", "cara-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count_acts("sign_in.succeeded").await, 1);
}

#[tokio::test]
async fn an_account_of_ours_is_not_the_directory_s_and_is_not_taken_over() {
    let (slapd, house) = opened("").await;
    let anna = house.account("anna").await;
    let refused = tries(&house, "anna", "anna-password").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(tries(&house, "anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let directories = Directories::new(Arc::clone(&house.app.core));
    directories
        .link(&house.operator(), Operator::vouched(), &anna, ("ldap", "anna", Names::Stay))
        .await
        .expect("linked");
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        tries(&house, "anna", PASSWORD).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the directory decides now"
    );
    // Somebody there with the address of an account here.
    house.account("dora").await;
    slapd.adds(&person("dora2").replace("dora2@", "dora@"));
    let answer = tries(&house, "dora2", "dora2-password").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("another account here has your username"), "{}", answer.body);
    assert_eq!(tries(&house, "dora", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn too_many_failures_keep_guesses_away_from_the_directory() {
    let slapd = Slapd::with(&people());
    let wire = Cable::to(slapd.port, Then::Break).await;
    let more = "[throttle]\naccount_failures = 3\naddress_failures = 0\nnetwork_failures = 0\n";
    let house = House::with(&format!("{more}{}", slapd.directory_at(wire.port, ""))).await;
    for _ in 0..3 {
        tries(&house, "anna", "wrong").await;
    }
    let answer = tries(&house, "anna", "anna-password").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "even the right one");
    assert_eq!(house.count_acts("sign_in.succeeded").await, 0);
    house.after(std::time::Duration::from_mins(16));
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn directories_are_asked_in_order_and_policies_hold() {
    let first = Slapd::with(&person("anna"));
    let second = Slapd::with(&format!("{}{}", person("bert"), person("cara")));
    let more = second.directory("name = \"Second\"\n").replace("slug = \"ldap\"", "slug = \"second\"");
    let deny = format!("{}{}", first.directory(""), more.replace("name = ", "on_first_sign_in = \"deny\"\nname = "));
    let house = House::with(&format!("{}{more}", first.directory(""))).await;
    for name in ["anna", "bert"] {
        assert_eq!(tries(&house, name, &format!("{name}-password")).await.status, StatusCode::SEE_OTHER, "{name}");
    }
    let strict = House::with(&deny).await;
    assert_eq!(tries(&strict, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    let answer = tries(&strict, "cara", "cara-password").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(strict.accounts().named(Operator::vouched(), "cara").await.is_err());
}

#[tokio::test]
async fn passwords_of_the_directory_are_not_changed_here() {
    let (_slapd, house) =
        opened("name = \"Company directory\"\npassword_url = \"https://password.example.org/\"\n").await;
    let mut browser = house.browser();
    browser.signs_in("anna", "anna-password").await;
    let page = browser.get("/account/password").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Company directory") && !page.body.contains("new_password"), "{}", page.body);
    let fields = [("password", "anna-password"), ("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
    let csrf = browser.get("/account/profile").await.hidden("csrf").expect("a form");
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend(fields);
    assert_eq!(browser.post("/account/password", &all).await.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("href=\"https://password.example.org/\""), "{}", page.body);
    let asked = async |name: &str| {
        house.browser().submit("/login/lost-password", "/login/lost-password", &[("username", name)]).await
    };
    let sent = asked("anna").await;
    let letters = house.letters().await;
    assert_eq!((letters.len(), letters[0].to.as_str()), (1, "anna@example.org"));
    assert!(letters[0].text.contains("Company directory") && letters[0].text.contains("https://password.example.org/"));
    assert!(!letters[0].text.contains("token="), "no link leads to a password that nobody would ask for");
    for name in ["bert", "nobody"] {
        let other = asked(name).await;
        assert_eq!(
            (other.status, other.location()),
            (sent.status, sent.location()),
            "{name}: the answer tells nothing"
        );
    }
    assert_eq!(house.letters().await.len(), 1, "strangers to us get none, whoever they are in the directory");
    assert_eq!(house.count_acts("password.changed").await, 0);
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_lock_is_told_after_the_right_password_only_and_the_synchronisation_s_own_goes() {
    let (slapd, house) = opened(&format!("filter = \"(&(objectClass=inetOrgPerson)(!(title=out)))\"\n{STAFF}")).await;
    for name in ["anna", "bert", "cara"] {
        tries(&house, name, &format!("{name}-password")).await;
    }
    syncs(&house).await;
    assert_eq!(groups_of(&house, "anna").await, ["staff"]);
    let out = |how: &str| {
        slapd.modifies(&format!("dn: uid=anna,ou=people,{BASE}\nchangetype: modify\n{how}: title\ntitle: out\n\n"));
    };
    out("add");
    super::confirms(&house).await;
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    out("delete");
    assert_eq!(tries(&house, "anna", "anna-password").await.status, StatusCode::SEE_OTHER, "she is back");
    let bert = house.named("bert").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), bert.id).await.expect("locked");
    let right = tries(&house, "bert", "bert-password").await;
    assert_eq!(right.status, StatusCode::FORBIDDEN);
    assert!(right.body.contains("locked"), "{}", right.body);
    assert_eq!(tries(&house, "bert", "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn whoever_the_name_belongs_to_the_directory_is_asked_as_often_and_one_hash_is_made() {
    let slapd = Slapd::with(&people());
    slapd.modifies(&format!("dn: uid=cara,ou=people,{BASE}\nchangetype: modify\nadd: title\ntitle: out\n\n"));
    slapd.adds(&format!("dn: ou=more,ou=people,{BASE}\nobjectClass: organizationalUnit\nou: more\n\n"));
    slapd.adds(&(person("dora") + &person("dora").replace("ou=people", "ou=more,ou=people")));
    let wire = Cable::to(slapd.port, Then::Break).await;
    let filter = "filter = \"(&(objectClass=inetOrgPerson)(!(title=out)))\"\n";
    let house = House::with(&slapd.directory_at(wire.port, filter)).await;
    tries(&house, "anna", "anna-password").await;
    house.account("local").await;
    // Known here, known there, kept out by the filter, twice there, nobody's, a filter, ours.
    for name in ["anna", "bert", "cara", "dora", "nobody", "*", "local"] {
        let before = (wire.connections(), house.app.core.hasher.count());
        let answer = tries(&house, name, "wrong").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        let after = (wire.connections(), house.app.core.hasher.count());
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{name}: one bind and one hash, whoever it is");
    }
    assert_eq!(tries(&house, "local", PASSWORD).await.status, StatusCode::SEE_OTHER);
}
