//! Against a provider that others made: `SimpleSAMLphp` as Debian ships it, in PHP's own server.

use super::across_sites;
use super::provider::{attribute, xml_in};
use crate::support::simplesamlphp::{Manner, Php, configuration, place};
use crate::support::{Answer, Browser, House};
use http::StatusCode;
use std::collections::BTreeMap;
use vestibule::service::context::{Clock, Machine};

/// The provider's pages, as this person's browser sees them.
struct There {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// The provider, and a house that knows it and is known by it.
async fn started(options: &str, more: &str) -> (House, Php) {
    let at = place();
    let house = House::with(&configuration(at, more)).await;
    // The provider has the machine's clock.
    house.after(Machine.now().since(house.clock.now()));
    let metadata = house.browser().get("/login/corp/metadata").await.body;
    let manner = Manner { asks: false, by_form: false, options };
    (house, Php::starts(at, "http://localhost:8080", &metadata, &manner))
}

fn there() -> There {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    There { client: client.expect("a client"), cookies: BTreeMap::new() }
}

impl There {
    /// Follows the provider's own redirects until a page comes, or it sends the browser back to us.
    async fn goes(&mut self, address: &str) -> (String, String) {
        let mut address = address.to_owned();
        for _ in 0..10 {
            let line: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = self.client.get(&address).header("cookie", line.join("; ")).send().await.expect("an answer");
            for set in answer.headers().get_all("set-cookie") {
                let pair = set.to_str().expect("text").split(';').next().expect("a pair").to_owned();
                let (name, value) = pair.split_once('=').expect("a pair");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let onward = answer.headers().get("location").map(|value| value.to_str().expect("text").to_owned());
            match onward {
                Some(onward) if onward.starts_with("http://localhost:8080/") => return (onward, String::new()),
                Some(onward) => address = onward,
                None => return (address, answer.text().await.expect("a page")),
            }
        }
        panic!("no end of redirects at {address}");
    }
}

fn field(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&mark).unwrap_or_else(|| panic!("no {name} in {page}")).1;
    rest.split('"').next().expect("its end").to_owned()
}

async fn comes_back(house: &House, browser: &mut Browser, there: &mut There) -> Answer {
    let left = browser.get("/login/corp?return_to=/account/sessions").await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
    let (_, page) = there.goes(left.location()).await;
    let came = across_sites(house).post("/login/corp/acs", &[("SAMLResponse", &field(&page, "SAMLResponse"))]).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.body);
    browser.get(came.location()).await
}

#[tokio::test]
async fn people_come_in_through_simplesamlphp_and_sign_out_in_both_directions() {
    let (house, idp) = started("'saml20.sign.assertion' => true", "").await;
    let (mut browser, mut there) = (house.browser(), there());
    let done = comes_back(&house, &mut browser, &mut there).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/account/sessions"), "{}", done.body);
    assert_eq!(house.named("anna").await.name, "Anna of Corp");
    let session = browser.get("/api/v1/session").await.body;
    assert!(session.contains("makers & shakers"), "{session}");

    // From here: our request, their signed answer.
    let left = browser.submit("/logout", "/logout", &[]).await;
    let onward = super::logout::onward(&left);
    assert!(onward.starts_with(&format!("http://{}/saml2/idp/SingleLogoutService.php?", idp.at)));
    let (back, page) = there.goes(&onward).await;
    assert!(back.contains("/login/corp/slo?SAMLResponse="), "{back} {page}");
    let told = browser.get(back.trim_start_matches("http://localhost:8080")).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    assert!(told.body.contains("You are signed out here and at corp."), "{}", told.body);
    assert!(!browser.is_signed_in().await);

    // From there: their request, our signed answer, which it accepts.
    comes_back(&house, &mut browser, &mut there).await;
    assert!(browser.is_signed_in().await);
    let start = format!("http://{}/saml2/idp/initSLO.php?RelayState=/saml2/idp/metadata.php", idp.at);
    let (asked, page) = there.goes(&start).await;
    assert!(asked.contains("/login/corp/slo?SAMLRequest="), "{asked} {page}");
    let answered = house.browser().get(asked.trim_start_matches("http://localhost:8080")).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
    assert_eq!(attribute(&xml_in(answered.location()), "InResponseTo"), attribute(&xml_in(&asked), "ID"));
    assert!(!browser.is_signed_in().await, "signed out without a cookie");
    let (_, end) = there.goes(answered.location()).await;
    assert!(!end.contains("exception") && !end.contains("Error"), "{end}");
}

#[tokio::test]
async fn simplesamlphp_may_sign_what_it_likes() {
    for options in [
        "'saml20.sign.response' => false, 'saml20.sign.assertion' => true",
        "'saml20.sign.response' => true, 'saml20.sign.assertion' => false",
    ] {
        let (house, _idp) = started(options, "").await;
        let (mut browser, mut there) = (house.browser(), there());
        let done = comes_back(&house, &mut browser, &mut there).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{options}: {}", done.body);
        assert!(browser.is_signed_in().await, "{options}");
    }
}

#[tokio::test]
async fn simplesamlphp_encrypts_with_cbc_alone_and_that_is_accepted_by_setting_only() {
    let (strict, _idp) = started("'assertion.encryption' => true", "").await;
    let left = strict.browser().get("/login/corp").await;
    let (_, page) = there().goes(left.location()).await;
    let refused =
        across_sites(&strict).post("/login/corp/acs", &[("SAMLResponse", &field(&page, "SAMLResponse"))]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let (house, _idp) = started("'assertion.encryption' => true", "danger_allow_cbc = true").await;
    let (mut browser, mut there) = (house.browser(), there());
    let done = comes_back(&house, &mut browser, &mut there).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(browser.is_signed_in().await);
}
