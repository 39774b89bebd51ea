//! The operator's logo and colour, and what the sign-in page weighs.

use crate::support::{House, PASSWORD};
use http::StatusCode;
use std::collections::BTreeMap;
use std::path::Path;
use vestibule::config::Config;

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>";

fn branding(folder: &Path, logo: &[u8]) -> String {
    let file = folder.join("logo");
    std::fs::write(&file, logo).expect("a file");
    format!("[branding]\nlogo_file = {:?}\naccent = \"#ffcc00\"", file.to_str().expect("UTF-8"))
}

/// What `attribute="…"` names in a page.
fn named(page: &str, before: &str) -> Vec<String> {
    page.split(before).skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
}

#[tokio::test]
async fn pages_show_the_operators_logo_and_colour() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::with(&branding(folder.path(), LOGO.as_bytes())).await;
    let mut browser = house.browser();
    let page = browser.get("/login").await.body;
    let logo = named(&page, "<img class=\"mark own\" src=\"").pop().expect("a logo");
    let answer = browser.get(&logo).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, LOGO));
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
    let sheets = named(&page, "<link rel=\"stylesheet\" href=\"");
    assert_eq!(sheets.len(), 2, "the colours follow the stylesheet");
    let colours = browser.get(&sheets[1]).await;
    assert_eq!(colours.header("content-type"), "text/css; charset=utf-8");
    assert!(colours.body.starts_with(":root{--accent:#"), "{}", colours.body);
    assert!(!colours.body.contains("--accent:#ffcc00;--accent-strong:#c29b00"), "yellow on white cannot be read");
    assert!(House::open().await.browser().get(&logo).await.status == StatusCode::NOT_FOUND, "nobody else has it");
}

#[tokio::test]
async fn a_logo_that_is_none_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vestibule.toml");
    for (logo, told) in [
        (b"GIF89a".to_vec(), "is neither an SVG nor a PNG"),
        (LOGO.replace("<path", "<script").into_bytes(), "holds the element <script>"),
        (LOGO.replace("d=", "onload=").into_bytes(), "holds the attribute onload"),
        (vec![b' '; 70_000], "is larger than 64 KiB"),
    ] {
        std::fs::write(&file, branding(folder.path(), &logo)).expect("a file");
        let error = Config::load(Some(&file), &BTreeMap::new()).expect_err("a bad logo").to_string();
        assert!(error.contains("branding.logo_file") && error.contains(told), "{error}");
    }
    std::fs::write(&file, "[branding]\nlogo_file = \"/missing/logo.svg\"").expect("a file");
    let error = Config::load(Some(&file), &BTreeMap::new()).expect_err("no logo").to_string();
    assert!(error.contains("/missing/logo.svg cannot be read"), "{error}");
}

/// Two providers, of which the first has a logo.
fn providers(folder: &Path, logo: &[u8]) -> String {
    let file = folder.join("corp");
    std::fs::write(&file, logo).expect("a file");
    let saml = "kind = \"saml\"\nmetadata_file = \"/nowhere/idp.xml\"";
    format!(
        "[[identity_provider]]\nslug = \"corp\"\nname = \"Corp SSO\"\nlogo_file = {:?}\n{saml}\n\
         [[identity_provider]]\nslug = \"club\"\nname = \"(étoile)\"\n{saml}\n",
        file.to_str().expect("UTF-8")
    )
}

#[tokio::test]
async fn buttons_of_providers_show_their_logos_or_a_letter_and_load_nothing_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::with(&providers(folder.path(), LOGO.as_bytes())).await;
    house.account("anna").await;
    let mut browser = house.browser();
    let page = browser.get("/login").await.body;
    let logos = named(&page, "<img class=\"provider-mark\" src=\"");
    let [logo] = logos.as_slice() else { panic!("{logos:?} in {page}") };
    assert!(logo.starts_with("/assets/provider-"), "{logo}");
    assert!(page.contains("<span class=\"provider-mark\" aria-hidden=\"true\">É</span>"), "{page}");
    let answer = browser.get(logo).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, LOGO));
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    assert!(answer.header("content-security-policy").ends_with("sandbox"));
    assert!(House::open().await.browser().get(logo).await.status == StatusCode::NOT_FOUND, "nobody else has it");
    browser.signs_in("anna", PASSWORD).await;
    let addable = browser.get("/account/identities").await.body;
    assert!(addable.contains(logo.as_str()) && addable.contains("É</span>"), "{addable}");
}

#[tokio::test]
async fn a_logo_of_a_provider_that_is_none_stops_the_start_unless_the_provider_is_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vestibule.toml");
    for (logo, told) in [
        (b"GIF89a".to_vec(), "is neither an SVG nor a PNG"),
        (LOGO.replace("<path", "<script").into_bytes(), "holds the element <script>"),
        (vec![b' '; 70_000], "is larger than 64 KiB"),
    ] {
        let text = providers(folder.path(), &logo);
        std::fs::write(&file, &text).expect("a file");
        let error = Config::load(Some(&file), &BTreeMap::new()).expect_err("a bad logo").to_string();
        assert!(error.contains("identity_provider[0].logo_file") && error.contains(told), "{error}");
        std::fs::write(&file, text.replacen("slug", "enabled = false\nslug", 1)).expect("a file");
        assert!(Config::load(Some(&file), &BTreeMap::new()).is_ok(), "whoever is off shows nothing");
    }
}

#[tokio::test]
async fn the_sign_in_page_is_light() {
    let house = House::open().await;
    let mut browser = house.browser();
    let page = browser.get("/login").await.body;
    let mut bytes = page.len();
    for path in named(&page, "href=\"/assets/").into_iter().chain(named(&page, "src=\"/assets/")) {
        let answer = browser.get(&format!("/assets/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        bytes += answer.body.len();
    }
    assert!(bytes > 5_000 && bytes < 60_000, "{bytes} bytes, uncompressed");
}

#[tokio::test]
async fn development_builds_show_all_components() {
    let house = House::open().await;
    let mut browser = house.browser();
    let page = browser.get("/dev/components").await;
    assert_eq!(page.status, StatusCode::OK);
    for sheet in named(&page.body, "<link rel=\"stylesheet\" href=\"") {
        let answer = browser.get(&sheet).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, "text/css; charset=utf-8"),
            "{sheet}"
        );
        assert!(answer.body.contains("--accent:"), "{sheet}");
    }
}

const PRIVACY: &str =
    "[privacy]\ncontact = \"privacy@example.org\"\nnotice_url = \"https://example.org/privacy?a=1&b=2\"\n";

#[tokio::test]
async fn every_page_says_where_to_read_and_whom_to_ask_about_data() {
    let house = House::with(PRIVACY).await;
    house.account("anna").await;
    for (language, words) in
        [("en", ["Privacy", "Questions about your data"]), ("de", ["Datenschutz", "Fragen zu Ihren Daten"])]
    {
        let mut browser = house.browser().sending("accept-language", language);
        let mut pages = vec![browser.get("/login").await.body, browser.get("/nothing").await.body];
        browser.signs_in("anna", PASSWORD).await;
        pages.push(browser.get("/account").await.body);
        pages.push(browser.get("/account/profile").await.body);
        for page in pages {
            let foot = page.split("<footer class=\"foot\">").nth(1).unwrap_or_else(|| panic!("no foot: {page}"));
            assert!(foot.contains("href=\"mailto:privacy@example.org\""), "{foot}");
            assert!(foot.contains("href=\"https://example.org/privacy?a=1&#38;b=2\""), "{foot}");
            assert!(words.iter().all(|word| foot.contains(word)), "{foot}");
        }
    }
    let silent = House::open().await.browser().get("/login").await.body;
    assert!(!silent.contains("<footer"), "{silent}");
}
