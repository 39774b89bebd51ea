//! Requests that take too long: people get a page in their language, which says when to come back.

use crate::support::{House, PASSWORD};
use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use std::convert::Infallible;

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_page_in_the_persons_language() {
    let house = House::with("[server]\nrequest_timeout = \"1s\"\n").await;
    house.account("anna").await;
    let mut browser = house.browser().sending("accept-language", "de").sending("accept", "text/html");
    browser.signs_in("anna", PASSWORD).await;
    let csrf = browser.get("/account/profile").await.hidden("csrf").expect("a form");
    // Whoever writes waits for whoever writes.
    let writer = house.app.core.database.begin().await.expect("a transaction");
    let sent = [("csrf", csrf.as_str()), ("name", "Anna"), ("language", ""), ("time_zone", ""), ("contrast", "")];
    let answer = browser.post("/account/profile", &sent).await;
    drop(writer);
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((answer.header("content-type"), answer.header("retry-after")), ("text/html; charset=utf-8", "5"));
    assert!(answer.body.contains("lang=\"de\"") && answer.body.contains("Gleich wieder da"), "{}", answer.body);
    assert!(answer.body.contains("error-id") && answer.body.contains(answer.header("x-request-id")), "{}", answer.body);
    assert!(!answer.header("content-security-policy").is_empty());
}

#[tokio::test]
async fn a_form_that_does_not_come_is_a_page_too() {
    let house = House::with("[server]\nrequest_timeout = \"1s\"\n").await;
    let mut browser = house.browser().sending("accept-language", "de");
    let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"csrf="))]).chain(stream::pending());
    let request = Request::post("/login").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = browser.send(request.body(Body::from_stream(begun)).expect("a request")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::REQUEST_TIMEOUT, ""));
    assert!(answer.body.contains("Das hat zu lange gedauert"), "{}", answer.body);
}
