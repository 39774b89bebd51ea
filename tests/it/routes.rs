//! Every route with who may call it. A route without an entry fails, and so does one that lets somebody else in.

use crate::support::{Browser, House, PASSWORD};
use axum::body::Body;
use http::{Request, StatusCode};
use std::collections::BTreeSet;
use vestibule::web::router::{ROUTES, Who};

/// Routes as the router's source names them.
fn in_the_source() -> BTreeSet<String> {
    let source = include_str!("../../src/web/router.rs").to_owned() + include_str!("../../src/web/internal.rs");
    let mut found = BTreeSet::new();
    for line in source.lines().filter(|line| line.contains(".route(\"")) {
        for part in line.split(".route(\"").skip(1) {
            let (path, handlers) = part.split_once("\",").expect("a path");
            for (method, mark) in [("GET", "get("), ("POST", "post(")] {
                if handlers.contains(&format!(" {mark}")) || handlers.contains(&format!(".{mark}")) {
                    found.insert(format!("{method} {path}"));
                }
            }
        }
    }
    found
}

#[test]
fn every_route_is_listed_with_who_may_call_it() {
    let mut listed: BTreeSet<_> = ROUTES.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    // Answered in front of the router, and on the internal listener only.
    assert!(listed.remove("GET /verify") && listed.remove("GET /api/v1/session"));
    let mut found = in_the_source();
    assert!(found.remove("GET /metrics"), "the internal listener's own");
    assert_eq!(found, listed);
}

async fn asked(browser: &mut Browser, method: &str, path: &str) -> crate::support::Answer {
    if method == "POST" {
        let csrf = browser.get("/login/lost-password").await.hidden("csrf").expect("a form");
        return browser.post(path, &[("csrf", &csrf)]).await;
    }
    browser.send(Request::get(path).body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn strangers_get_no_further_than_listed() {
    let house = House::open().await;
    for (method, path, who) in ROUTES {
        let answer = asked(&mut house.browser(), method, path).await;
        let sent_to_sign_in = answer.status == StatusCode::SEE_OTHER && answer.location().starts_with("/login");
        match who {
            Who::Person | Who::Attempt => assert!(sent_to_sign_in, "{method} {path}: {}", answer.status),
            Who::Proxy | Who::Session => assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}"),
            Who::Anybody | Who::Form | Who::Provider => {
                assert!(!sent_to_sign_in && answer.status.as_u16() < 500, "{method} {path}");
            }
        }
    }
}

/// Pages that are only there for whoever brings the link of a letter, or the name of a question.
/// Or where the operator has a gateway.
const ASKED: [&str; 3] = ["/account/email/confirm", "/account/identities/add", "/account/security/phone"];

#[tokio::test]
async fn people_get_to_what_is_theirs() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    for (method, path, who) in ROUTES {
        if *method == "GET" && *who == Who::Person && !ASKED.contains(path) {
            assert_eq!(asked(&mut browser, method, path).await.status, StatusCode::OK, "{path}");
        }
    }
}
