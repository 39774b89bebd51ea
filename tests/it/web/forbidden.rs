//! `/forbidden`: what people read who are signed in and may not go on; it believes nothing that a stranger wrote.

use crate::support::{House, PASSWORD};
use http::StatusCode;

const APPLICATION: &str = "[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.localhost:3000\"]\n";
const BACK: &str = "&return_to=http%3A%2F%2Ftasks.localhost%3A3000%2Fadmin";

#[tokio::test]
async fn it_says_who_where_why_and_what_to_do() {
    let house = House::with(APPLICATION).await;
    house.account("anna").await;
    for (language, why, out) in [("en", "none of the groups", "Sign out"), ("de", "keiner der Gruppen", "Abmelden")] {
        let mut browser = house.browser().sending("accept-language", language);
        browser.signs_in("anna", PASSWORD).await;
        let answer = browser.get(&format!("/forbidden?reason=group_required{BACK}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        for said in [
            "anna Example",
            "tasks.localhost:3000",
            "group_required",
            why,
            out,
            "href=\"http://tasks.localhost:3000/admin\"",
        ] {
            assert!(answer.body.contains(said), "{said}: {}", answer.body);
        }
        let csrf = answer.hidden("csrf").expect("a form");
        assert_eq!(browser.post("/logout", &[("csrf", &csrf)]).await.location(), "/logout/done");
        assert!(!browser.is_signed_in().await);
    }
    let stranger = house.browser().get("/forbidden?reason=network_not_allowed").await;
    assert!(stranger.status == StatusCode::FORBIDDEN && stranger.body.contains("href=\"/login\""), "{}", stranger.body);
}

#[tokio::test]
async fn it_repeats_nothing_that_a_stranger_wrote() {
    let house = House::with(APPLICATION).await;
    let mut browser = house.browser();
    for query in [
        "reason=evil&return_to=https%3A%2F%2Fevil.example%2F",
        "reason=%3Cevil%3E&return_to=javascript%3Aevil",
        "reason=evil&return_to=%2F%2Fevil.example",
        "",
    ] {
        let answer = browser.get(&format!("/forbidden?{query}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.body.contains("evil") && answer.body.contains("not_allowed"), "{query}: {}", answer.body);
    }
}
