//! Stored settings on one node: what is refused, what a running service follows, what survives, what is written where.

use crate::support::settings::{BEHIND_A_PROXY, may_enter};
use crate::support::{House, PASSWORD, engine};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;
use vestibule::config::Layers;
use vestibule::service::caller::Operator;
use vestibule::service::setting::{Changed, SettingError};
use vestibule::store::setting::{self, StoredValue};

const SECRET: &str = "a secret that nobody has seen before";

#[tokio::test]
async fn what_is_stored_holds_as_soon_as_it_is_followed_and_no_longer_than_it_is_there() {
    let house = House::with(BEHIND_A_PROXY).await;
    house.account("anna").await;
    let mut browser = house.behind_a_proxy();
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(
        may_enter(&browser, "tasks.example.org").await,
        StatusCode::OK,
        "without applications there are no rules"
    );
    let item = json!({ "hosts": ["tasks.example.org"], "groups": ["staff"] });
    let changed = house.sets("application.tasks", item).await.expect("stored");
    assert_eq!((changed.keys, changed.hidden.len()), (vec!["application.tasks".to_owned()], 0));
    assert_eq!(may_enter(&browser, "tasks.example.org").await, StatusCode::OK, "nobody has looked yet");
    house.follows().await;
    assert_eq!(may_enter(&browser, "tasks.example.org").await, StatusCode::FORBIDDEN);
    house.sets("application.tasks", json!({ "hosts": ["tasks.example.org"] })).await.expect("stored");
    house.follows().await;
    assert_eq!(may_enter(&browser, "tasks.example.org").await, StatusCode::OK);
    assert_eq!(may_enter(&browser, "other.example.org").await, StatusCode::FORBIDDEN);
    house.unsets("application.tasks").await.expect("removed");
    house.follows().await;
    assert_eq!(may_enter(&browser, "other.example.org").await, StatusCode::OK);
    assert!(browser.is_signed_in().await, "and nobody was signed out by all that");
    assert!(matches!(house.unsets("application.tasks").await, Err(SettingError::NotStored(_))));
    assert_eq!((house.count_acts("setting.stored").await, house.count_acts("setting.removed").await), (2, 1));
}

#[tokio::test]
async fn a_bad_value_is_refused_with_the_words_of_check_config_and_nothing_changes() {
    let house = House::with("[sessions]\nidle_timeout = \"2h\"\n").await;
    for (name, value, told) in [
        ("password.min_length", json!(4), "stored setting password.min_length: 4 is out of range; possible: a whole"),
        ("sessions.absolute_timeout", json!("1h"), "sessions.idle_timeout: is longer than sessions.absolute_timeout"),
        // The file sets it, so it would not count here; elsewhere it would.
        ("sessions.idle_timeout", json!("1 fortnight"), "stored setting sessions.idle_timeout: "),
        ("mail.username", json!("anna"), "stored setting mail.username: needs mail.password"),
        ("application.tasks", json!({ "hosts": [] }), "stored setting application.tasks.hosts: must name at least one"),
        (
            "identity_provider.corp",
            json!({ "kind": "oidc" }),
            "stored setting identity_provider.corp.issuer: is missing",
        ),
        ("branding.name", json!("x".repeat(70_000)), "longer than"),
    ] {
        let refused = house.sets(name, value).await.expect_err(name).to_string();
        assert!(refused.contains(told), "wanted: {told}\ngot: {refused}");
        assert!(refused.starts_with("nothing was changed"), "{refused}");
    }
    assert!(house.stored_settings().await.is_empty());
    assert_eq!(house.generations.settings().revision().await.expect("a number"), 0);
    assert_eq!(house.count_acts("setting.stored").await, 0);
}

#[tokio::test]
async fn whoever_shuts_a_door_is_told_what_that_means() {
    let house = House::open().await;
    let changed = house.sets("password.login", json!("none")).await.expect("stored");
    assert!(changed.warnings.iter().any(|warning| warning.contains("nobody can sign in")), "{changed:?}");
    let changed = house.sets("autologin.days", json!(3)).await.expect("stored");
    assert!(changed.warnings.is_empty(), "it was told already: {changed:?}");
}

#[tokio::test]
async fn of_several_values_all_are_stored_or_none() {
    let house = House::open().await;
    let settings = house.generations.settings();
    let refused = house.imports("[password]\nhistory = 3\n[mail]\nusername = \"u\"\n", false).await;
    assert!(matches!(refused, Err(SettingError::Invalid(_))));
    assert!(house.stored_settings().await.is_empty());
    // Each needs the other.
    house
        .imports("[password]\nhistory = 3\n[mail]\nusername = \"u\"\npassword = \"p\"\n", false)
        .await
        .expect("stored");
    assert!(matches!(house.unsets("mail.password").await, Err(SettingError::Invalid(_))));
    assert_eq!(house.stored_settings().await.len(), 3);
    let again = house.imports("[password]\nhistory = 3\n", false).await.expect("nothing to do");
    assert_eq!(again, Changed::default());
    assert_eq!(settings.revision().await.expect("a number"), 1, "what changes nothing is no change");
    let changed = house.imports("[password]\nhistory = 4\n", true).await.expect("stored");
    assert_eq!(changed.keys, ["password.history", "mail.password", "mail.username"]);
    assert_eq!(house.stored_settings().await.len(), 1);
}

#[tokio::test]
async fn secrets_are_sealed_and_shown_to_nobody() {
    let house = House::open().await;
    let item = json!({ "hosts": ["tasks.example.org"], "secret": SECRET });
    house.sets("application.tasks", item).await.expect("stored");
    house.sets("autologin.days", json!(3)).await.expect("stored");
    let rows = house.stored_settings().await;
    assert!(matches!(&rows[0].value, StoredValue::Sealed(sealed) if !String::from_utf8_lossy(sealed).contains(SECRET)));
    assert_eq!(rows[1].value, StoredValue::Plain("3".to_owned()));
    let listing = house.generations.settings().list(Operator::vouched()).await.expect("a list");
    assert!(!format!("{listing:?}").contains(SECRET));
    assert!(!house.exports(false).await.contains(SECRET));
    assert_eq!(house.count_acts("setting.exported").await, 0);
    assert!(house.exports(true).await.contains(SECRET));
    assert_eq!(house.count_acts("setting.exported").await, 1);
    let mut link = house.app.core.database.read().await.expect("a database");
    let events = vestibule::store::audit::newest(&mut link, None, 100).await.expect("events");
    assert!(events.iter().any(|event| format!("{event:?}").contains("application.tasks")));
    assert!(!format!("{events:?}").contains(SECRET));
    // What was exported without it, and comes back, keeps it.
    let text = house.exports(false).await.replace("tasks.example.org", "work.example.org");
    house.imports(&text, true).await.expect("stored");
    assert!(house.exports(true).await.contains(SECRET));
    // It works as a secret nevertheless.
    house.follows().await;
    let shows = async |secret: &str| {
        house.browser().sending("authorization", &format!("Bearer {secret}")).get("/api/v1/session").await
    };
    let right = shows(SECRET).await;
    assert!(right.body.contains("Nobody is signed in"), "{}", right.body);
    let wrong = shows("wrong").await;
    assert!(wrong.body.contains("No application has this secret"), "{}", wrong.body);
}

#[tokio::test]
async fn secrets_outlive_the_key_that_sealed_them() {
    let house = House::open().await;
    house.sets("mail.password", json!(SECRET)).await.expect_err("needs a user name");
    let text = format!("[mail]\nusername = \"u\"\npassword = {SECRET:?}\n");
    let settings = house.generations.settings();
    house.imports(&text, false).await.expect("stored");
    let revision = settings.revision().await.expect("a number");
    house.app.keys.rotate(&house.operator(), Operator::vouched(), Duration::from_hours(1)).await.expect("rotated");
    // A new key is used when every node must have it.
    house.after(Duration::from_mins(2));
    house.housekeeping.reload_keys(&house.operator()).await;
    house.sweep().await;
    house.after(Duration::from_hours(2));
    house.housekeeping.reload_keys(&house.operator()).await;
    assert!(house.exports(true).await.contains(SECRET));
    assert_eq!(settings.revision().await.expect("a number"), revision, "which is no change of a setting");
}

#[tokio::test]
async fn what_is_stored_is_there_after_a_restart_and_what_cannot_be_used_does_not_stop_it() {
    let house = House::open().await;
    house.sets("autologin.days", json!(3)).await.expect("stored");
    house.sets("sessions.absolute_timeout", json!("30m")).await.expect_err("idle sessions would live longer");
    house.sets("sessions.idle_timeout", json!("20m")).await.expect("stored");
    house.app.close().await;
    let house = house.reopened("").await;
    let policy = &house.app.core.policy;
    assert_eq!((policy.autologin_days, policy.lifetimes.idle), (3, Duration::from_mins(20)));
    // As a newer version would, and one whose key is gone.
    let mut tx = house.app.core.database.begin().await.expect("a transaction");
    for (key, value) in [
        ("later.key", StoredValue::Plain("true".to_owned())),
        ("password.history", StoredValue::Plain("\"many\"".to_owned())),
        ("password.max_age", StoredValue::Plain("no JSON".to_owned())),
        ("application.tasks", StoredValue::Sealed(vec![1; 64])),
    ] {
        let changed_at = house.operator().now();
        let row = setting::StoredSetting { key: key.to_owned(), value, changed_at, changed_by: None };
        setting::put(&mut tx, &row).await.expect("written");
    }
    setting::advance(&mut tx).await.expect("written");
    tx.commit().await.expect("written");
    house.follows().await;
    assert_eq!(house.generations.current().config.autologin.days, 3, "the others hold");
    let ready = house.browser().get("/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "it is less strict than the others");
    assert!(!ready.body.contains("password."), "the reason is for the log: {}", ready.body);
    house.app.close().await;
    // And a file that contradicts one of them.
    let house = house.reopened("[sessions]\nabsolute_timeout = \"10m\"\nidle_timeout = \"5m\"\n").await;
    let now = house.generations.current();
    assert_eq!((now.config.autologin.days, now.config.password.history), (3, 0));
    assert_eq!(house.browser().get("/login").await.status, StatusCode::OK);
    let listing = house.generations.settings().list(Operator::vouched()).await.expect("a list");
    let mut left: Vec<_> = listing.left_out.iter().map(|one| one.key.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["application.tasks", "later.key", "password.history", "password.max_age"]);
    // What was broken before is nobody's fault who changes something else, and can be removed.
    house.sets("autologin.days", json!(4)).await.expect("stored");
    for key in left {
        house.unsets(key).await.expect("removed");
    }
    house.follows().await;
    assert_eq!(house.browser().get("/ready").await.status, StatusCode::OK);
}

#[tokio::test]
async fn sign_ins_under_way_and_sessions_survive_a_change() {
    let house = House::open().await;
    let anna = house.account("anna").await;
    house.account("berta").await;
    house.set_password(&anna, "temporary blue kettle", true).await;
    let mut berta = house.browser();
    berta.signs_in("berta", PASSWORD).await;
    let mut browser = house.browser();
    assert_eq!(browser.signs_in("anna", "temporary blue kettle").await.location(), "/login/step/password");
    house.sets("branding.name", json!("Example Hall")).await.expect("stored");
    house.sets("password.min_length", json!(19)).await.expect("stored");
    house.follows().await;
    let page = browser.get("/login/step/password").await;
    assert!(page.body.contains("Example Hall"), "{}", page.body);
    let csrf = page.hidden("csrf").expect("a form token");
    let fields = [("csrf", csrf.as_str()), ("new_password", "eighteen chars pqr"), ("repeat", "eighteen chars pqr")];
    let refused = browser.post("/login/step/password", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "the new rule holds");
    let csrf = refused.hidden("csrf").expect("a form token");
    let fields = [("csrf", csrf.as_str()), ("new_password", PASSWORD), ("repeat", PASSWORD)];
    assert_eq!(browser.post("/login/step/password", &fields).await.location(), "/account");
    assert!(berta.is_signed_in().await);
}

#[tokio::test]
async fn failures_are_counted_on_and_sessions_end_by_the_new_measure() {
    let house = House::with("[throttle]\naddress_failures = 0\nnetwork_failures = 0\n").await;
    house.account("anna").await;
    house.account("berta").await;
    let mut browser = house.browser();
    browser.signs_in("berta", PASSWORD).await;
    for _ in 0..3 {
        house.browser().signs_in("anna", "wrong").await;
    }
    house.sets("sessions.idle_timeout", json!("10m")).await.expect("stored");
    house.follows().await;
    house.after(Duration::from_mins(9));
    assert!(browser.is_signed_in().await);
    house.after(Duration::from_mins(11));
    assert!(!browser.is_signed_in().await);
    house.sets("sessions.idle_timeout", json!("3h")).await.expect("stored");
    house.follows().await;
    browser.signs_in("berta", PASSWORD).await;
    house.after(Duration::from_hours(2));
    house.sweep().await;
    assert!(browser.is_signed_in().await, "the store lets it live as well");
}

#[tokio::test]
async fn what_this_node_sets_itself_counts_here_and_is_said() {
    let house = House::with("[autologin]\ndays = 5\n").await;
    let changed = house.sets("autologin.days", json!(7)).await.expect("stored");
    assert_eq!(changed.hidden.len(), 1);
    let told = format!("{:?}", changed.hidden);
    assert!(told.contains("autologin.days") && told.contains("vestibule.toml"), "{told}");
    house.follows().await;
    assert_eq!(house.generations.current().app.core.policy.autologin_days, 5);
    let listing = house.generations.settings().list(Operator::vouched()).await.expect("a list");
    let entry = listing.entries.iter().find(|entry| entry.line.key == "autologin.days").expect("an entry");
    assert_eq!(entry.line.value, Some(json!(5)));
    assert_eq!(entry.stored.as_ref().map(|kept| &kept.value), Some(&json!(7)));
}

#[tokio::test]
async fn what_is_exported_here_and_imported_there_is_the_same() {
    let (house, other) = (House::open().await, House::open().await);
    for (name, value) in [
        (
            "application.tasks",
            json!({ "hosts": ["tasks.example.org"], "secret": SECRET, "rule": [{ "paths": ["/x"] }] }),
        ),
        ("registration.domains", json!(["example.org"])),
        ("sessions.idle_timeout", json!("20m")),
    ] {
        house.sets(name, value).await.expect("stored");
    }
    other.sets("autologin.days", json!(9)).await.expect("stored");
    let text = house.exports(true).await;
    other.imports(&text, true).await.expect("stored");
    assert_eq!(other.exports(true).await, text);
    other.follows().await;
    house.follows().await;
    let [one, two] = [&house, &other].map(|house| {
        let now = house.generations.current();
        format!("{:?} {:?}", now.config.applications, now.app.core.policy.lifetimes)
    });
    assert_eq!(one, two);
    // What is exported is a configuration.
    let whole = Layers::of_text(&text, engine::environment(other.folder.path())).base();
    assert_eq!(whole.unwrap_or_else(|error| panic!("{error}")).config.applications.len(), 1);
}
