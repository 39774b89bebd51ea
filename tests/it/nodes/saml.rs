//! SAML over several nodes: an answer counts once on all of them, and what one has read of a provider keeps another in service.

use super::{ROOT_KEY, Stores, on, verifies};
use crate::support::postgres::shared;
use crate::support::redis::RedisServer;
use crate::support::saml::{Idp, Said, id_in, logout_request};
use crate::support::saml_site::{Shows, Site};
use crate::support::{Answer, Browser, House, TestClock};
use http::StatusCode;
use std::time::Duration;

const SSO: &str = "https://idp.example.org/sso";

async fn node(stores: &Stores, provider: &str) -> House {
    let tables = stores.tables(&format!("secret_key = {ROOT_KEY:?}"));
    House::node(TestClock::ahead(Duration::ZERO), &format!("{tables}{provider}")).await
}

async fn brings(house: &House, message: &str) -> Answer {
    let mut browser: Browser = house.browser().sending("sec-fetch-site", "cross-site");
    browser.post("/login/corp/acs", &[("SAMLResponse", message)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_may_come_to_any_node_and_counts_on_one_of_them() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "saml_replay");
    let idp = Idp::new("idp-rsa");
    idp.writes(&idp.metadata(SSO));
    let provider = idp.configuration("");
    let (one, two) = tokio::join!(node(&stores, &provider), node(&stores, &provider));
    let mut browser = one.browser();
    let left = browser.get("/login/corp").await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
    let message = idp.response(&one, Some(&id_in(left.location())), &Said::of("anna"));
    // It is sent to both at once, as somebody does who has caught it.
    let (first, second) = tokio::join!(brings(&one, &message), brings(&two, &message));
    let (came, caught) = if first.status == StatusCode::SEE_OTHER { (first, second) } else { (second, first) };
    assert_eq!((came.status, caught.status), (StatusCode::SEE_OTHER, StatusCode::FORBIDDEN), "{}", caught.body);
    for house in [&one, &two] {
        assert_eq!(brings(house, &message).await.status, StatusCode::FORBIDDEN, "a replay");
    }
    // The browser is led to the other node to fetch it, and comes in once.
    let mut browser = on(&two, &browser);
    let done = browser.get(came.location()).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!((verifies(&one, &browser).await, verifies(&two, &browser).await), (StatusCode::OK, StatusCode::OK));
    let mut thief = one.browser();
    assert_eq!(thief.get(came.location()).await.status, StatusCode::BAD_REQUEST);
    // Signing out by the provider's word at one ends it at the other.
    let request = idp.signed(&logout_request(&two, "_l1", "anna", None));
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, request);
    for (house, status) in [(&two, StatusCode::SEE_OTHER), (&one, StatusCode::FORBIDDEN)] {
        let done = house.browser().post("/login/corp/slo", &[("SAMLRequest", &encoded)]).await;
        assert_eq!(done.status, status, "a logout request counts once too");
    }
    assert_eq!(verifies(&one, &browser).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_starts_while_the_provider_is_away_goes_on_with_what_another_has_read() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "saml_metadata");
    let (old, new) = (Idp::new("idp-rsa"), Idp::new("idp-rsa2"));
    let site = Site::open(Shows::Page(old.metadata(SSO))).await;
    let provider = site.configuration("allow_private_network = true\ntimeout = \"1s\"");
    let one = node(&stores, &provider).await;
    assert_eq!(one.browser().get("/login/corp").await.status, StatusCode::SEE_OTHER);
    site.shows(Shows::Status(503));
    let two = node(&stores, &provider).await;
    assert_eq!(two.browser().get("/login/corp").await.status, StatusCode::SEE_OTHER, "read by another node");
    // The provider rolls over, and only one of the nodes reaches it.
    site.shows(Shows::Page(new.metadata(SSO)));
    for house in [&one, &two] {
        house.after(Duration::from_hours(2));
    }
    one.app.saml.refresh(&one.operator()).await;
    site.shows(Shows::Status(503));
    let left = two.browser().get("/login/corp").await;
    for (idp, status) in [(&new, StatusCode::SEE_OTHER), (&old, StatusCode::FORBIDDEN)] {
        let said = Said { assertion: idp.key, ..Said::of("anna") };
        let came = brings(&two, &idp.response(&two, Some(&id_in(left.location())), &said)).await;
        assert_eq!(came.status, status, "{}: {}", idp.key, came.body);
    }
}
