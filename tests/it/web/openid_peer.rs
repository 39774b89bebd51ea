//! Signing in with real OpenID providers of other makes: npm's `oidc-provider`, which is certified, and one on Python's
//! Authlib. `tests/run` installs them, and they are started here. Their forms are filled in as people would.

use crate::support::House;
use crate::support::openid_peer::Peer;
use http::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use vestibule::service::caller::Operator;
use vestibule::service::context::Context;
use vestibule::service::revalidation::Revalidation;
use vestibule::service::trace::Traces;

const BACK: &str = "http://localhost:8080/login/corp/callback";

/// A browser at the provider's site.
struct Visitor {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    fn new() -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        Self { client: client.expect("a client"), cookies: BTreeMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> (Option<String>, String) {
        let line: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, line.join("; ")).send().await.expect("an answer");
        for line in answer.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().expect("text").split(';').next().expect("a pair");
            let (name, value) = pair.split_once('=').expect("a pair");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let leads = answer.headers().get(LOCATION).map(|to| to.to_str().expect("text").to_owned());
        (leads, answer.text().await.expect("a page"))
    }

    /// From the address that this service sends to, through both forms, to where the provider sends back.
    async fn signs_in(&mut self, peer: &Peer, address: &str) -> String {
        let mut address = address.to_owned();
        for _ in 0..12 {
            if address.starts_with(BACK) {
                return address;
            }
            let whole = if address.starts_with('/') { format!("{}{address}", peer.issuer) } else { address };
            let (leads, page) = self.send(self.client.get(&whole)).await;
            address = if let Some(leads) = leads {
                leads
            } else {
                let prompt = if page.contains("name=\"login\"") { "login" } else { "consent" };
                let form = [("prompt", prompt), ("login", "anna"), ("password", "anything")];
                let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
                let action = action.unwrap_or_else(|| panic!("no form: {page}")).to_owned();
                let to = if action.starts_with('/') { format!("{}{action}", peer.issuer) } else { action };
                self.send(self.client.post(to).form(&form)).await.0.expect("the form leads on")
            };
        }
        panic!("the provider never sends back");
    }

    /// Says yes to the provider's question whether to sign out; where it sends back.
    async fn signs_out(&mut self, peer: &Peer, address: &str) -> String {
        let (_, page) = self.send(self.client.get(address)).await;
        let between = |start: &str| page.split(start).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        let action = between("action=\"").unwrap_or_else(|| panic!("no form: {page}"));
        let xsrf = between("name=\"xsrf\" value=\"").unwrap_or_else(|| panic!("no token: {page}"));
        let to = if action.starts_with('/') { format!("{}{action}", peer.issuer) } else { action };
        let form = [("xsrf", xsrf.as_str()), ("logout", "yes")];
        self.send(self.client.post(to).form(&form)).await.0.expect("it sends back")
    }
}

#[tokio::test]
async fn people_sign_in_with_a_certified_provider_and_come_back_to_their_account() {
    let peer = Peer::certified(BACK);
    let house = House::with(&peer.configuration("revalidate = \"1m\"")).await;
    house.keeps_real_time();
    let mut browser = house.browser();
    let mut visitor = Visitor::new();
    for round in 0..2 {
        let left = browser.get("/login/corp?return_to=%2Faccount%2Fprofile").await;
        assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
        visitor = Visitor::new();
        let back = visitor.signs_in(&peer, left.location()).await;
        let answer = browser.get(back.trim_start_matches("http://localhost:8080")).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account/profile"), "{}", answer.body);
        let anna = house.named("anna").await;
        assert_eq!((anna.name.as_str(), anna.email.as_str()), ("Anna Berg", "anna@corp.example"), "round {round}");
        if round == 0 {
            browser.cookies.remove("_vestibule_session");
        }
    }
    // Asked again, it stands by her, and gives a new token for the next time.
    let asking = Revalidation::new(Arc::clone(&house.app.core), house.app.providers.clone());
    for _ in 0..2 {
        house.after(Duration::from_mins(1));
        asking.round(&Context::system(house.app.surroundings.clone())).await.expect("a round");
        assert!(browser.is_signed_in().await);
    }
    house.keeps_real_time();
    // Out, there as well, and back.
    let out = browser.submit("/logout", "/logout", &[]).await;
    let there = out.header("refresh").trim_start_matches("0; url=").to_owned();
    let back = visitor.signs_out(&peer, &there).await;
    let done = browser.get(back.trim_start_matches("http://localhost:8080")).await;
    assert_eq!(done.status, StatusCode::OK, "{back}");
    assert!(done.body.contains("signed out here and at"), "{}", done.body);
    assert_eq!(house.count_acts("account.created").await, 1);
    peer.ends();
}

#[tokio::test]
async fn people_sign_in_with_a_provider_on_authlib_and_userinfo_is_asked() {
    let peer = Peer::on_authlib(BACK);
    let house = House::with(&peer.configuration("client_authentication = \"client_secret_post\"")).await;
    house.keeps_real_time();
    let mut browser = house.browser();
    for round in 0..2 {
        let left = browser.get("/login/corp?return_to=%2Faccount%2Fprofile").await;
        assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
        let mut visitor = Visitor::new();
        let (_, page) = visitor.send(visitor.client.get(left.location())).await;
        assert!(page.contains("Authorize Client"), "{page}");
        let (leads, page) = visitor.send(visitor.client.post(left.location()).form(&[("sub", "anna")])).await;
        let back = leads.unwrap_or_else(|| panic!("{page}"));
        let answer = browser.get(back.trim_start_matches("http://localhost:8080")).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account/profile"), "{}", answer.body);
        let anna = house.named("anna").await;
        assert_eq!((anna.name.as_str(), anna.email.as_str()), ("Anna Berg", "anna@corp.example"), "round {round}");
        browser.cookies.remove("_vestibule_session");
    }
    assert_eq!(house.count_acts("account.created").await, 1);
    house.app.core.traces.settled().await;
    let traces = Traces::new(Arc::clone(&house.app.core)).newest(Operator::vouched(), Some("corp"), 2).await;
    let traces = traces.expect("traces");
    assert!(traces.iter().all(|one| one.notes.iter().any(|note| note.step == "userinfo")), "{traces:?}");
    // Its refusal comes without a state: nothing that could be believed, and a page all the same.
    let left = browser.get("/login/corp").await;
    let mut visitor = Visitor::new();
    let (leads, _) = visitor.send(visitor.client.post(left.location()).form(&[("action", "deny")])).await;
    let back = leads.expect("it sends back");
    assert!(back.contains("error=access_denied") && !back.contains("state="), "{back}");
    let answer = browser.get(back.trim_start_matches("http://localhost:8080")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert!(!browser.is_signed_in().await);
    peer.ends();
}
