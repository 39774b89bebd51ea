//! What can be stored, and how it lies under file and environment.

use super::*;
use crate::config::{Layers, Merged, of_toml, to_toml};
use serde_json::json;

fn layers(text: &str, variables: &[(&str, &str)]) -> Layers {
    Layers::of_text(text, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn stored(pairs: &[(&str, Value)]) -> Vec<Setting> {
    pairs.iter().map(|(key, value)| Setting { key: (*key).to_owned(), value: value.clone() }).collect()
}

fn fault(key: &str) -> String {
    SettingKey::parse(key).unwrap_err().to_string()
}

#[test]
fn what_a_node_needs_for_itself_cannot_be_stored_and_says_why() {
    for (key, why) in [
        ("public_url", "before the database is open, and cookies and passkeys depend on it"),
        ("data_dir", "before the database is open"),
        ("secret_key", "before the database is open"),
        ("secret_key_file", "before the database is open"),
        ("database.url", "before the database is open"),
        ("sessions.store", "before the database is open"),
        ("sessions.redis_password_file", "before the database is open"),
        ("server.listen", "belongs to one node"),
        ("server.trusted_proxies", "belongs to one node"),
        ("log.full_addresses", "belongs to one node"),
        ("password.hashing.workers", "its memory and its cores"),
        ("sessions.cookie_domain", "would lose their cookies"),
        ("second_factor.cookie_name", "would lose their cookies"),
        ("branding.logo_file", "names a file of one machine"),
        ("mail.password_file", "names a file of one machine"),
        ("sessions", "store its keys one by one"),
        ("application", "by its slug"),
        ("application.Tasks", "by its slug"),
        ("application.tasks.hosts", "as a whole: application.tasks"),
    ] {
        let told = fault(key);
        assert!(told.contains(&format!("{key} cannot be stored")) && told.contains(why), "{told}");
    }
    assert_eq!(
        fault("sessions.idle_timeot"),
        "there is no key \"sessions.idle_timeot\"; did you mean \"sessions.idle_timeout\"?"
    );
    for key in ["sessions.idle_timeout", "password.min_length", "mail.password", "directory.corp", "application.a-1"] {
        assert_eq!(SettingKey::parse(key).unwrap().as_str(), key);
    }
}

#[test]
fn every_key_of_the_sections_that_are_not_a_nodes_own_can_be_stored_or_says_why() {
    let mut names = Vec::new();
    collect(&Table::of_config(), "", &mut names);
    for name in &names {
        assert!(SettingKey::parse(name).is_ok(), "{name}");
    }
    assert!(names.len() > 40 && !names.iter().any(|name| name.ends_with("_file") || name.starts_with("server")));
}

#[test]
fn environment_is_over_file_over_what_is_stored_over_the_default() {
    let text = "[password]\nmin_length = 14\nmin_strength = 2\n";
    let layers = layers(text, &[("VESTIBULE__PASSWORD__MIN_LENGTH", "15")]);
    let loaded = layers
        .with(&stored(&[
            ("password.min_length", json!(20)),
            ("password.min_strength", json!(4)),
            ("password.history", json!(3)),
        ]))
        .unwrap();
    let password = &loaded.config.password;
    assert_eq!((password.min_length, password.min_strength, password.history), (15, 2, 3));
    assert_eq!(loaded.config.autologin.days, 0);
}

#[test]
fn items_are_whole_those_of_the_file_first_and_a_secret_in_a_file_counts_as_set() {
    let text = "[mail]\nusername = \"u\"\npassword_file = \"/nowhere\"\n\
        [[application]]\nslug = \"tasks\"\nhosts = [\"tasks.example.org\"]\n";
    let loaded = layers(text, &[])
        .with(&stored(&[
            ("application.other", json!({ "hosts": ["other.example.org"] })),
            ("application.tasks", json!({ "hosts": ["elsewhere.example.org"], "jwt": true })),
            ("mail.password", json!("hunter2")),
        ]))
        .unwrap();
    let slugs: Vec<_> = loaded.config.applications.iter().map(|one| one.slug.as_str()).collect();
    assert_eq!(slugs, ["tasks", "other"]);
    assert!(!loaded.config.applications[0].jwt, "nothing of the stored one is mixed in");
    assert!(loaded.config.mail.password.is_none(), "the file says where it is");
}

#[test]
fn what_is_wrong_with_a_stored_value_is_told_under_its_key() {
    let layers = layers("[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.example.org\"]\n", &[]);
    for (key, value, told) in [
        ("password.min_length", json!(4), "stored setting password.min_length: 4 is out of range; possible: a whole"),
        ("sessions.idle_timeout", json!("48h"), "stored setting sessions.idle_timeout: is longer than sessions.absol"),
        ("sessions.idle_timeout", json!("x"), "stored setting sessions.idle_timeout: "),
        ("registration.mode", json!("of"), "did you mean \"off\"?"),
        ("later.key", json!(1), "stored setting later.key: there is no key"),
        ("server.listen", json!("0.0.0.0:1"), "stored setting server.listen: server.listen cannot be stored"),
        ("application.other", json!({}), "stored setting application.other.hosts: is missing"),
        ("application.other", json!({ "hosts": [] }), "stored setting application.other.hosts: must name"),
        (
            "application.other",
            json!({ "hosts": ["o.example.org"], "hosst": [] }),
            "application.other.hosst: no such key",
        ),
        (
            "application.other",
            json!({ "hosts": ["tasks.example.org"] }),
            "stored setting application.other.hosts: \"tasks.example.org\" belongs to an application already",
        ),
        (
            "application.other",
            json!({ "hosts": ["o.example.org"], "secret_file": "/x" }),
            "stored setting application.other.secret_file: cannot be stored: it names a file of one machine",
        ),
        ("application.other", json!(1), "stored setting application.other: "),
    ] {
        let text = layers.with(&stored(&[(key, value)])).unwrap_err().to_string();
        assert!(text.contains(told), "wanted: {told}\ngot: {text}");
    }
}

#[test]
fn a_node_does_without_what_it_cannot_use_and_with_everything_else() {
    let layers = layers("[sessions]\nidle_timeout = \"1h\"\n", &[]);
    let settings = stored(&[
        ("application.tasks", json!({ "hosts": ["tasks.example.org"], "later": 1 })),
        ("autologin.days", json!(7)),
        ("later.key", json!(true)),
        // Right by itself, and contradicts the file of this node.
        ("sessions.absolute_timeout", json!("30m")),
        ("sessions.max_per_account", json!(5)),
    ]);
    let Merged { loaded, left_out, kept } = layers.merged(settings).unwrap();
    let names: Vec<_> = left_out.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(names, ["application.tasks", "later.key", "sessions.absolute_timeout", "sessions.max_per_account"]);
    assert!(left_out[2].why.contains("sessions.idle_timeout: is longer"), "{:?}", left_out[2]);
    assert_eq!(kept.len(), 1);
    assert_eq!((loaded.config.autologin.days, loaded.config.applications.len()), (7, 0));
}

#[test]
fn a_value_is_looked_at_though_it_does_not_count_here() {
    let layers = layers("[password]\nmin_length = 14\n", &[]);
    let settings = stored(&[("password.min_length", json!(4))]);
    assert!(layers.with(&settings).is_ok());
    let first = std::iter::once("password.min_length".to_owned()).collect();
    let told = layers.with_first(&settings, &first).unwrap_err().to_string();
    assert!(told.contains("stored setting password.min_length: 4 is out of range"), "{told}");
}

#[test]
fn an_item_is_read_with_and_without_its_header() {
    let key = SettingKey::parse("application.tasks").unwrap();
    let plain = key.value("hosts = [\"a.example.org\"]\n[[rule]]\npaths = [\"/x\"]\n").unwrap();
    let headed =
        "[[application]]\nslug = \"tasks\"\nhosts = [\"a.example.org\"]\n[[application.rule]]\npaths = [\"/x\"]\n";
    let headed = key.value(headed).unwrap();
    for item in [plain, headed] {
        assert_eq!(item["slug"], "tasks");
        assert_eq!(item["rule"][0]["paths"], json!(["/x"]));
    }
    assert!(key.value("slug = \"other\"").unwrap_err().contains("cannot be another"));
    assert!(key.value("[[application]]\n[[application]]\n").unwrap_err().contains("one [[application]]"));
    assert!(key.value("hosts = [").unwrap_err().contains("is not TOML"));
    assert_eq!(SettingKey::parse("password.min_length").unwrap().value("14"), Ok(json!(14)));
    assert_eq!(SettingKey::parse("registration.domains").unwrap().value("a.org, b.org"), Ok(json!(["a.org", "b.org"])));
}

#[test]
fn secrets_are_known_masked_and_left_out_of_files() {
    let secret = "a secret of thirty-two characters";
    let settings = stored(&[
        ("application.tasks", json!({ "slug": "tasks", "hosts": ["a.example.org"], "secret": secret })),
        ("mail.password", json!(secret)),
        ("password.min_length", json!(14)),
    ]);
    for setting in &settings {
        let key = SettingKey::parse(&setting.key).unwrap();
        assert_eq!(key.holds_secret(&setting.value), setting.key != "password.min_length");
        assert!(!key.masked(&setting.value).to_string().contains(secret));
        assert!(!format!("{setting:?}").contains(secret));
    }
    let layers = layers("", &[]);
    let told = format!("{:?}", layers.survey(&settings));
    assert!(!told.contains(secret) && told.contains(MASK), "{told}");
    let without = to_toml(&settings, false);
    assert!(!without.contains(secret) && !without.contains(MASK), "{without}");
    assert!(without.contains("# application.tasks.secret: a secret, left out"), "{without}");
    let with = to_toml(&settings, true);
    let back = of_toml("export.toml", &with).unwrap();
    let mut back: Vec<_> = back.into_iter().map(|one| (one.key, one.value)).collect();
    back.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(back, settings.into_iter().map(|one| (one.key, one.value)).collect::<Vec<_>>());
}

#[test]
fn a_file_with_something_that_cannot_be_stored_is_told_by_its_lines() {
    let text = "public_url = \"http://localhost:8080\"\n[server]\nlisten = \"127.0.0.1:1\"\n[password]\nmin_lenght = 9\n\
        [[application]]\nhosts = []\n";
    let told = of_toml("new.toml", text).unwrap_err().to_string();
    for line in [
        "new.toml:1: public_url cannot be stored",
        "new.toml:3: server.listen cannot be stored",
        "new.toml:5: there is no key \"password.min_lenght\"; did you mean \"password.min_length\"?",
        "application[0].slug: is missing",
    ] {
        assert!(told.contains(line), "wanted: {line}\ngot: {told}");
    }
}

#[test]
fn marks_tell_an_item_that_changed_from_one_that_did_not() {
    let layers = layers("[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.example.org\"]\n", &[]);
    let with = |jwt: bool| {
        let other = json!({ "hosts": ["other.example.org"], "jwt": jwt });
        layers.with(&stored(&[("application.other", other)])).unwrap().marks
    };
    let (before, after) = (with(false), with(true));
    assert_eq!(before.get("application.tasks"), after.get("application.tasks"));
    assert_ne!(before.get("application.other"), after.get("application.other"));
    assert_eq!(before, with(false));
}
