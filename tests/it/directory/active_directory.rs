//! What is different with Active Directory, against a server that is scripted to behave so.

use super::{groups_of, syncs};
use crate::support::House;
use crate::support::fake_ad::{BASE, FakeAd, MEMBERS};
use crate::support::told::Told;
use http::StatusCode;
use vestibule::domain::account::AccountStatus;
use vestibule::domain::identity::Source;
use vestibule::store::identity;

fn group(name: &str, members: &str, depth: u32) -> String {
    format!(
        "[[directory.group_sync]]\ndn = \"CN={name},OU=Groups,{BASE}\"\nmembers = \"{members}\"\nnested_depth = {depth}\n"
    )
}

#[tokio::test]
async fn values_in_ranges_primary_groups_the_chain_and_guids() {
    let server = FakeAd::starts().await;
    let groups = group("Large", "member", 0) + &group("Primary", "member_of", 0) + &group("Chained", "member_of", 9);
    let house = House::with(&server.directory(&format!("create_accounts = true\nsync_status = true\n{groups}"))).await;
    let (plan, done) = syncs(&house).await;
    assert_eq!(done.created, MEMBERS - 1, "{:?}", plan.remarks);
    assert!(server.was_asked("member;range=15-*") && server.was_asked("member;range=30-*"));
    let large = plan.groups.iter().find(|group| group.name.as_str() == "Large").expect("a group");
    assert_eq!(large.adds.len(), MEMBERS - 1, "all but the disabled one, who got no account");
    assert_eq!(groups_of(&house, "user3").await, ["Large", "Primary"]);
    assert_eq!(groups_of(&house, "user1").await, ["Chained", "Large"]);
    assert_eq!(groups_of(&house, "user5").await, ["Large"]);
    let mut link = house.app.core.database.read().await.expect("a database");
    let subject = "objectguid:11223344-5566-7788-99aa-bbccddee0001";
    let known = identity::by_subject(&mut link, &Source::directory("ldap"), "ldap", subject).await.expect("a row");
    assert_eq!(known.expect("an identity").account, house.named("user1").await.id);
    assert!(syncs(&house).await.0.is_idle());
    assert_eq!(house.named("user1").await.status, AccountStatus::Active);
}

#[tokio::test]
async fn somebody_new_is_in_the_primary_group_and_in_groups_by_the_chain_at_once() {
    let server = FakeAd::starts().await;
    let groups = group("Large", "member", 0) + &group("Primary", "member_of", 0) + &group("Chained", "member_of", 9);
    for (name, expected) in
        [("user1", vec!["Chained", "Large"]), ("user3", vec!["Large", "Primary"]), ("user5", vec!["Large"])]
    {
        let house = House::with(&server.directory(&format!("filter = \"(cn={name}!)\"\n{groups}"))).await;
        let answer = house.browser().signs_in(name, "right").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}: {}", answer.body);
        assert_eq!(groups_of(&house, name).await, expected, "{name}");
    }
}

#[tokio::test]
async fn groups_that_nobody_answers_for_keep_nobody_out_and_the_log_says_so() {
    let (server, log) = (FakeAd::starts().await, Told::listens());
    let rules = group("Large", "member", 0) + &group("Silent", "member", 0);
    let settings = format!("operation_timeout = \"1s\"\nfilter = \"(cn=user1!)\"\n{rules}");
    let house = House::with(&server.directory(&settings)).await;
    let answer = house.browser().signs_in("user1", "right").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(groups_of(&house, "user1").await.is_empty(), "half of them would look like all");
    assert!(log.text().contains("a synchronisation adds them"), "{}", log.text());
}

#[tokio::test]
async fn what_it_says_about_a_right_password_is_told_and_what_it_says_about_a_wrong_one_is_not() {
    let server = FakeAd::starts().await;
    let house = House::with(&server.directory("create_accounts = true\nfilter = \"(cn=user1!)\"\n")).await;
    for (password, status, told) in [
        ("right", StatusCode::SEE_OTHER, ""),
        ("expired", StatusCode::FORBIDDEN, "change your password first"),
        ("must change", StatusCode::FORBIDDEN, "change your password first"),
        ("disabled", StatusCode::FORBIDDEN, "does not let you sign in"),
        ("locked out", StatusCode::UNPROCESSABLE_ENTITY, "That did not work"),
        ("anything else", StatusCode::UNPROCESSABLE_ENTITY, "That did not work"),
    ] {
        let answer = house.browser().signs_in("user1", password).await;
        assert_eq!(answer.status, status, "{password}: {}", answer.body);
        assert!(answer.body.contains(told), "{password}: {}", answer.body);
    }
    assert_eq!(house.count_acts("sign_in.succeeded").await, 1);
}
