//! Uploads: how large, how slow, how many at once, and what whoever is refused is told.

use super::avatar::{BOUNDARY, anna, form, png, sends, uploads};
use crate::support::{Answer, Browser, House, PASSWORD};
use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use std::convert::Infallible;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const MOST: usize = 8 * 1024 * 1024;

/// A picture of exactly this many bytes: readers stop at its end.
fn padded(length: usize) -> Vec<u8> {
    let mut file = png(8, 8);
    file.resize(length, 0);
    file
}

#[tokio::test]
async fn a_file_of_the_limit_is_taken_and_a_larger_one_is_named_at_its_field() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    for too_long in [MOST + 1, MOST + 200_000] {
        let answer = uploads(&mut browser, "large.png", &padded(too_long)).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let page = &answer.body;
        assert!(page.contains("id=\"picture-error\"") && page.contains("larger than 8 MB"), "{page}");
        assert!(page.contains("action=\"/account/avatar\""), "the form is there to try again: {page}");
    }
    assert_eq!(house.named("anna").await.picture, None);
    assert_eq!(uploads(&mut browser, "largest.png", &padded(MOST)).await.status, StatusCode::SEE_OTHER);
    assert!(house.named("anna").await.picture.is_some());
}

/// Begins an upload of which nothing more comes; returns when the service waits for the rest.
async fn stalls(browser: &mut Browser) -> JoinHandle<Answer> {
    let csrf = browser.get("/account/profile").await.hidden("csrf").expect("a form");
    let mut begun = form(&csrf, "a.png", &png(8, 8));
    begun.truncate(begun.len() - 20);
    let (waits, waited) = oneshot::channel();
    let rest = stream::once(async move {
        waits.send(()).expect("somebody listens");
        std::future::pending::<Result<Bytes, Infallible>>().await
    });
    let body = Body::from_stream(stream::iter([Ok(Bytes::from(begun))]).chain(rest));
    let media = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = Request::post("/account/avatar").header(CONTENT_TYPE, media).body(body).expect("a request");
    let mut stalled = browser.clone();
    let running = tokio::spawn(async move { stalled.send(request).await });
    waited.await.expect("it waits");
    running
}

#[tokio::test]
async fn nobody_takes_the_places_of_others_nor_keeps_one_by_sending_nothing() {
    let house = House::open().await;
    let mut anna = anna(&house).await;
    let first = stalls(&mut anna).await;
    // A second one of the same person is refused at once; others upload.
    let second = uploads(&mut anna, "b.png", &png(8, 8)).await;
    assert_eq!((second.status, second.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "5"));
    let mut stalled = vec![first];
    for name in ["ben", "cem", "dora", "emil", "fritz", "gerda", "hans"] {
        house.account(name).await;
        let mut browser = house.browser();
        browser.signs_in(name, PASSWORD).await;
        assert_eq!(uploads(&mut browser, "a.png", &png(8, 8)).await.status, StatusCode::SEE_OTHER, "{name}");
        stalled.push(stalls(&mut browser).await);
    }
    house.account("ida").await;
    let mut ida = house.browser().sending("accept-language", "de");
    ida.signs_in("ida", PASSWORD).await;
    let full = uploads(&mut ida, "a.png", &png(8, 8)).await;
    assert_eq!((full.status, full.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    assert!(full.body.contains("Gleich wieder da"), "{}", full.body);
    // From here on time passes as fast as it can.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    for answer in stalled {
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
        assert!(answer.body.contains("That took too long"), "{}", answer.body);
    }
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    tokio::time::resume();
    assert_eq!(uploads(&mut ida, "a.png", &png(8, 8)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(uploads(&mut anna, "a.png", &png(8, 8)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_place_is_free_again_after_a_form_that_was_none() {
    let house = House::open().await;
    let mut anna = anna(&house).await;
    for _ in 0..2 {
        assert_eq!(sends(&mut anna, b"no form".to_vec()).await.status, StatusCode::BAD_REQUEST);
    }
}
