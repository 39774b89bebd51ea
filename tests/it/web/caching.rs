//! What browsers may keep: the files of pages for ever, under a name that changes with the content, and pages never.

use crate::support::{Browser, House, PASSWORD};
use aws_lc_rs::digest;
use http::StatusCode;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Every file that a page names.
fn files(page: &str) -> BTreeSet<String> {
    page.split(['"', '\'']).filter(|text| text.starts_with("/assets/")).map(ToOwned::to_owned).collect()
}

/// The pages of a browser, and the files that they name.
async fn visits(browser: &mut Browser, paths: &[&str]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for path in paths {
        let answer = browser.get(path).await;
        assert!(answer.header("content-type").starts_with("text/html"), "{path}: {}", answer.status);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(answer.header("etag").is_empty() && answer.header("last-modified").is_empty(), "{path}");
        named.extend(files(&answer.body));
    }
    named
}

#[tokio::test]
async fn files_are_kept_for_ever_and_pages_are_not() {
    let house = House::with("[registration]\nmode = \"mail\"\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    let open =
        ["/login", "/login/lost-password", "/register", "/register/confirm?token=x", "/setup?token=x", "/nothing"];
    let mut named = visits(&mut browser, &open).await;
    browser.signs_in("anna", PASSWORD).await;
    let own = ["/account", "/account/profile", "/account/password", "/account/sessions", "/account/email", "/logout"];
    named.extend(visits(&mut browser, &own).await);
    assert!(named.len() >= 3, "a stylesheet, a mark, an icon: {named:?}");
    for path in named {
        let answer = house.browser().get(&path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, FOR_EVER), "{path}");
        assert!(answer.sets("_vestibule_csrf").is_none(), "what everybody may keep sets nobody's cookie: {path}");
        let mut hash = String::new();
        for byte in digest::digest(&digest::SHA256, answer.body.as_bytes()).as_ref().iter().take(8) {
            write!(hash, "{byte:02x}").expect("text");
        }
        assert!(path.contains(&format!("-{hash}.")), "the name of other content: {path}");
        // What an older page names is not there, and that is not kept.
        let other = path.replace(&hash, "0123456789abcdef");
        let answer = house.browser().get(&other).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::NOT_FOUND, "no-store"), "{other}");
    }
}
