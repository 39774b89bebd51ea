//! Signing in with a real, certified OpenID provider of another make: npm's `oidc-provider`, installed by `tests/run` and
//! started here. Its forms are filled in as people would.

use crate::support::House;
use http::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use vestibule::service::context::Context;
use vestibule::service::revalidation::Revalidation;

const BACK: &str = "http://localhost:8080/login/corp/callback";

/// The provider's process; it ends with its standard input.
struct Peer {
    issuer: String,
    process: Child,
    /// Kept open: it goes on speaking.
    _words: BufReader<ChildStdout>,
}

impl Peer {
    #[expect(clippy::disallowed_methods, reason = "the tests' script says where the provider is")]
    fn start() -> Self {
        let folder = std::env::var_os("VESTIBULE_OIDC_PROVIDER");
        let folder = PathBuf::from(folder.expect("tests/run installs oidc-provider and names its folder"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/openid_provider.mjs");
        let mut process = Command::new("node")
            .args([script, BACK, "vestibule", "a secret of the test"])
            .env("VESTIBULE_OIDC_PROVIDER", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let mut issuer = String::new();
        let mut words = BufReader::new(process.stdout.take().expect("its words"));
        words.read_line(&mut issuer).expect("an issuer");
        Self { issuer: issuer.trim().to_owned(), process, _words: words }
    }
}

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
    let mut peer = Peer::start();
    let configuration = format!(
        "[[identity_provider]]\nslug = \"corp\"\nkind = \"oidc\"\nissuer = {:?}\nclient_id = \"vestibule\"\n\
         client_secret = \"a secret of the test\"\nallow_private_network = true\nrevalidate = \"1m\"\n",
        peer.issuer
    );
    let house = House::with(&configuration).await;
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
    drop(peer.process.stdin.take());
    peer.process.wait().expect("it ends");
}
