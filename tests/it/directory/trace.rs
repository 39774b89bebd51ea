//! What administrators find out about sign-ins that a directory decided, and what is left out.

use crate::support::slapd::{Slapd, person};
use crate::support::{House, PASSWORD};
use http::StatusCode;
use std::sync::Arc;
use vestibule::domain::trace::Trace;
use vestibule::service::caller::Operator;
use vestibule::service::trace::Traces;
use vestibule::service::trace_words;

async fn traces(house: &House) -> Vec<Trace> {
    house.app.core.traces.settled().await;
    Traces::new(Arc::clone(&house.app.core)).newest(Operator::vouched(), None, 100).await.expect("traces")
}

#[tokio::test]
async fn a_sign_in_with_a_directory_is_traced_and_one_with_a_password_of_ours_is_not() {
    let mut slapd = Slapd::with(&["anna", "bert"].map(person).concat());
    let house = House::with(&slapd.directory("")).await;
    house.account("local").await;
    assert_eq!(house.browser().signs_in("anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    let all = traces(&house).await;
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((one.source.to_string().as_str(), one.outcome.as_str()), ("directory:ldap", "signed_in"));
    assert!(one.believed && one.account == Some(house.named("anna").await.id));
    let told = trace_words::told(one).join("\n");
    assert!(told.contains("directory:ldap"), "{told}");
    assert!(!told.contains("anna-password") && !format!("{one:?}").contains("anna-password"));

    // A password of ours is asked about nowhere else, and what was typed wrong may be anything.
    assert_eq!(house.browser().signs_in("local", PASSWORD).await.status, StatusCode::SEE_OTHER);
    house.browser().signs_in("local", "wrong").await;
    house.browser().signs_in("bert", "wrong").await;
    house.browser().signs_in("nobody", "wrong").await;
    assert_eq!(traces(&house).await.len(), 1);
    assert_eq!(house.count_acts("sign_in.failed").await, 3, "the audit trail has those");

    slapd.is_killed();
    let away = house.browser().signs_in("anna", "anna-password").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    let all = traces(&house).await;
    let one = all.iter().find(|one| one.outcome == "directory_away").unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(one.id.to_string(), away.header("x-request-id"), "under the id of the request");
    assert!(!one.believed && one.account.is_none());
}

#[tokio::test]
async fn a_store_that_keeps_no_traces_breaks_no_sign_in() {
    use sqlx::Connection;
    let slapd = Slapd::with(&person("bert"));
    let openid = crate::support::OpenId::start().await;
    let house = House::with(&format!("{}\n{}", openid.configuration(""), slapd.directory(""))).await;
    let address = format!("sqlite://{}", house.folder.path().join("vestibule.db").display());
    let mut conn = sqlx::SqliteConnection::connect(&address).await.expect("a database");
    sqlx::query("ALTER TABLE trace RENAME TO lost").execute(&mut conn).await.expect("renamed");
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let done = browser.get(&openid.consents(left.location())).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(browser.is_signed_in().await);
    // A refusal is the same page too.
    let refused = house.browser().get("/login/corp/callback?code=x&state=y").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    assert!(refused.body.contains("error-id"));
    assert_eq!(house.browser().signs_in("bert", "bert-password").await.location(), "/account");
    house.app.core.traces.settled().await;
    sqlx::query("ALTER TABLE lost RENAME TO trace").execute(&mut conn).await.expect("renamed");
    assert_eq!(traces(&house).await.len(), 0, "what could not be kept is not kept back");
    house.browser().signs_in("bert", "bert-password").await;
    assert_eq!(traces(&house).await.len(), 1, "and it goes on");
}
