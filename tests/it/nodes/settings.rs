//! Settings that all nodes share: stored through one, followed by the other; what a node sets itself is its own.

use super::{ROOT_KEY, Stores, on};
use crate::support::postgres::shared;
use crate::support::program::{Place, asks, signs_in};
use crate::support::redis::{RedisServer, until};
use crate::support::settings::{BEHIND_A_PROXY, may_enter};
use crate::support::{House, PASSWORD, TestClock};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

const NOTICED: Duration = Duration::from_secs(1);

const CORP: &str = "kind = \"oidc\"\nname = \"Corp SSO\"\nissuer = \"https://idp.example.org\"\nclient_id = \"hall\"\n\
    client_secret = \"what the provider shows\"\n";

async fn node(stores: &Stores, more: &str) -> House {
    let keys = format!("secret_key = {ROOT_KEY:?}\n{BEHIND_A_PROXY}{more}");
    House::node(TestClock::ahead(Duration::ZERO), &stores.tables(&keys)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_through_one_node_holds_on_the_other_and_on_one_that_starts_later() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "settings");
    let (one, two) = (node(&stores, "").await, node(&stores, "").await);
    one.account("anna").await;
    let mut browser = two.behind_a_proxy();
    browser.signs_in("anna", PASSWORD).await;
    let enters = async |house: &House| {
        let mut led = house.behind_a_proxy();
        led.cookies.clone_from(&browser.cookies);
        may_enter(&led, "tasks.example.org").await
    };
    let both_follow = async || tokio::join!(one.follows(), two.follows());
    assert_eq!(enters(&two).await, StatusCode::OK, "no rules yet");

    one.sets("application.tasks", json!({ "hosts": ["tasks.example.org"], "groups": ["staff"] }))
        .await
        .expect("stored");
    both_follow().await;
    assert_eq!((enters(&one).await, enters(&two).await), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert!(!two.browser().get("/login").await.body.contains("Corp SSO"));
    let headed = format!("[[identity_provider]]\nslug = \"corp\"\n{CORP}");
    one.imports(&headed, false).await.expect("stored");
    both_follow().await;
    assert!(two.browser().get("/login").await.body.contains("Corp SSO"));
    // What has not changed is what it was, with all that is known of it.
    let client = |house: &House| {
        let providers = house.generations.current().app.providers.clone();
        let corp = providers.named("corp").expect("a provider").clone();
        let vestibule::service::provider::Protocol::Oidc(oidc) = corp.protocol else {
            panic!("it speaks OpenID Connect")
        };
        oidc
    };
    let before = client(&two);
    two.sets("application.tasks", json!({ "hosts": ["tasks.example.org"] })).await.expect("stored");
    both_follow().await;
    assert!(std::sync::Arc::ptr_eq(&before, &client(&two)));
    assert_eq!((enters(&one).await, enters(&two).await), (StatusCode::OK, StatusCode::OK));

    let refused = one.sets("application.wiki", json!({ "hosts": ["tasks.example.org"] })).await;
    refused.expect_err("another has this host");
    both_follow().await;
    let later = node(&stores, "").await;
    assert_eq!(enters(&later).await, StatusCode::OK);
    assert!(later.browser().get("/login").await.body.contains("Corp SSO"));
    assert_eq!(later.generations.current().config.applications.len(), 1);

    two.unsets("identity_provider.corp").await.expect("removed");
    both_follow().await;
    assert!(!one.browser().get("/login").await.body.contains("Corp SSO"));
    assert!(on(&one, &browser).is_signed_in().await, "and nobody was signed out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_file_says_otherwise_keeps_its_own() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "own_settings");
    let own =
        "[branding]\nname = \"Hall of the east\"\n[[application]]\nslug = \"tasks\"\nhosts = [\"east.example.org\"]\n";
    let (east, west) = (node(&stores, own).await, node(&stores, "").await);
    let (set, item) = (json!("Great hall"), json!({ "hosts": ["west.example.org"] }));
    assert_eq!(west.sets("branding.name", set.clone()).await.expect("stored").hidden, []);
    assert_eq!(east.sets("application.tasks", item).await.expect("stored").hidden.len(), 1);
    tokio::join!(east.follows(), west.follows());
    assert!(west.browser().get("/login").await.body.contains("Great hall"));
    let page = east.browser().get("/login").await.body;
    assert!(page.contains("Hall of the east") && !page.contains("Great hall"));
    let hosts = |house: &House| format!("{:?}", house.generations.current().config.applications[0].hosts);
    assert!(hosts(&east).contains("east.example.org") && hosts(&west).contains("west.example.org"));
}

fn place(stores: &Stores) -> Place {
    let place = Place::with("trusted_proxies = [\"127.0.0.1\"]", &stores.tables(""));
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(&file, format!("secret_key = {ROOT_KEY:?}\n{text}")).expect("written");
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_on_one_machine_reach_the_program_on_another_within_a_second() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "setting_commands");
    let places = [place(&stores), place(&stores)];
    places[0].makes_account("anna");
    let node = places[1].serves();
    let session = signs_in(node.address, "anna").await.expect("a session");
    let runs = |arguments: &[&str], input: &str| {
        let mut all = vec!["settings"];
        all.extend_from_slice(arguments);
        let done = places[0].runs(&all, input);
        let [said, complained] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        (done.status.success(), said, complained)
    };
    let verify = format!(
        "GET /verify HTTP/1.1\r\nX-Forwarded-Host: tasks.example.org\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Uri: /\r\nX-Forwarded-Method: GET\r\nCookie: {session}"
    );
    let within = async |what: &str, head: &str, holds: &dyn Fn(u16, &str) -> bool| {
        let reached = async || {
            let (status, _, body) = asks(node.address, head, "").await.expect("an answer");
            holds(status, &body)
        };
        let took = until(what, reached).await;
        assert!(took < NOTICED, "{what}: it took {took:?}");
    };
    within("no rules", &verify, &|status, _| status == 200).await;
    let (done, said, complained) =
        runs(&["set", "application.tasks"], "hosts = [\"tasks.example.org\"]\ngroups = [\"staff\"]\n");
    assert!(done && said.contains("application.tasks"), "{said}{complained}");
    within("the application", &verify, &|status, _| status == 403).await;

    let file = places[0].folder().join("corp.toml");
    std::fs::write(&file, CORP).expect("written");
    let path = file.to_str().expect("UTF-8");
    assert!(runs(&["set", "identity_provider.corp", "--file", path], "").0);
    within("the button", "GET /login HTTP/1.1", &|_, page| page.contains("Corp SSO")).await;
    assert!(runs(&["set", "branding.name", "Great hall"], "").0);
    within("the name", "GET /login HTTP/1.1", &|_, page| page.contains("Great hall")).await;

    let (_, listed, _) = runs(&["list", "--stored"], "");
    assert!(listed.contains("\"Great hall\"  (database)") && listed.contains("(secret)"), "{listed}");
    assert!(!listed.contains("what the provider shows"), "{listed}");
    let (done, shown, _) = runs(&["show", "sessions.store"], "");
    assert!(done && shown.contains("\"redis\"") && shown.contains("cannot be stored: it is needed"), "{shown}");
    for (arguments, told) in [
        (&["set", "sessions.store", "embedded"][..], "sessions.store cannot be stored: it is needed before"),
        (&["set", "password.min_length", "4"], "stored setting password.min_length: 4 is out of range"),
        (&["set", "mail.password", "hunter2"], "a secret on the command line can be read by others"),
        (&["set", "application.tasks", "x"], "an item is written in TOML"),
        (&["set", "pasword.min_length", "4"], "did you mean \"password.min_length\"?"),
        (&["unset", "password.min_length"], "nothing is stored for \"password.min_length\""),
        (&["show", "password.min_lenth"], "did you mean \"password.min_length\"?"),
    ] {
        let (done, _, complained) = runs(arguments, "");
        assert!(!done && complained.contains(told), "{arguments:?}: {complained}");
    }
    let (_, exported, _) = runs(&["export", "--with-secrets"], "");
    assert!(exported.contains("client_secret = \"what the provider shows\""), "{exported}");
    assert!(runs(&["unset", "identity_provider.corp"], "").0);
    within("no button", "GET /login HTTP/1.1", &|_, page| !page.contains("Corp SSO")).await;
    assert!(runs(&["import", "-", "--replace"], &exported).0);
    within("the button again", "GET /login HTTP/1.1", &|_, page| page.contains("Corp SSO")).await;
    within("she is signed in all the time", &verify, &|status, _| status == 403).await;
}
