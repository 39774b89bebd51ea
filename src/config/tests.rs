//! What an operator meets: layers, messages, refusals.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;

use super::*;

/// The configuration of a text that must be good.
pub(super) fn config(text: &str) -> Config {
    Config::parse(text, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

/// The message about a text that must be bad.
pub(super) fn problems(text: &str) -> String {
    Config::parse(text, &BTreeMap::new()).unwrap_err().to_string()
}

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::parse(text, &environment(variables)).map_err(|error| error.to_string())
}

#[test]
fn nothing_at_all_is_a_good_configuration() {
    assert_eq!(format!("{:?}", config("")), format!("{:?}", Config::default()));
    assert_eq!(config("").public_url.port(), config("").server.listen.port());
}

#[test]
fn an_unknown_key_is_told_with_line_path_and_nearest_key() {
    let text = problems("# comment\n[server]\nlisten = \"127.0.0.1:1\"\nlissten = \"127.0.0.1:2\"\n");
    assert!(text.contains("vestibule.toml:4: server.lissten: no such key; did you mean \"server.listen\"?"), "{text}");
    let text = problems("[pasword]\nmin_length = 12");
    assert!(text.contains("vestibule.toml:1: pasword: no such key; did you mean \"password\"?"), "{text}");
    let text = problems("zzzzzzzzzzz = 1");
    assert!(text.contains("no such key; possible: public_url"), "{text}");
}

#[test]
fn a_bad_value_is_told_with_line_and_what_is_possible() {
    for (text, told) in [
        (
            "[password]\n\nmin_length = 4",
            "vestibule.toml:3: password.min_length: 4 is out of range; possible: a whole number from 8 to 128",
        ),
        ("[password]\nmin_length = \"12\"", "2: password.min_length: is the string \"12\"; possible: a whole number"),
        (
            "[log]\nlevel = \"infos\"",
            "2: log.level: \"infos\" is not possible; did you mean \"info\"?; possible: \"error\", \"warn\"",
        ),
        (
            "[sessions]\nidle_timeout = 30",
            "2: sessions.idle_timeout: 30 is not possible; possible: a duration with its unit",
        ),
        (
            "[sessions]\nidle_timeout = \"30\"",
            "2: sessions.idle_timeout: \"30\" has no unit: write \"30s\", \"30m\" or \"30h\"",
        ),
        (
            "[server]\nlisten = \"8080\"",
            "2: server.listen: invalid socket address syntax; possible: an IP address and a port",
        ),
        (
            "[server]\ntrusted_proxies = [\n\"10.0.0.0/8\",\n\"10.0.0.1/8\"]",
            "4: server.trusted_proxies[1]: \"10.0.0.1/8\" is an address inside a network",
        ),
        ("server = 1", "1: server: 1 is not possible; possible: a table"),
        ("[[server]]", "1: server: is a list; possible: a table"),
        ("[application]", "1: application: is a table; possible: a list of tables"),
        ("[password]\nrecovery = 1979-05-27", "2: password.recovery: is a fraction or a date"),
        ("[throttle]\naccount_failures = 99999999999999999999", "2: throttle.account_failures: is too large a number"),
        ("[[application]]\nslug = \"tasks\"", "1: application[0].hosts: is missing; possible: a list"),
        (
            "[password]\nrequired_classes = [\"digits\"]",
            "2: password.required_classes[0]: \"digits\" is not possible; did you mean \"digit\"?",
        ),
        ("[password.hashing]\nmemory_kib = 8192", "2: password.hashing.memory_kib: is too weak"),
    ] {
        let message = problems(text);
        assert!(message.contains(told), "wanted: {told}\ngot: {message}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let text = "public_url = \"http://a.example\"\n[server]\nlisten = \"x\"\nport = 1\nrequest_timeout = \"soon\"\n\
                [log]\nlevel = 3\n[[application]]\nslug = \"A\"\nhosts = [\"a\"]\n[[application]]\nslug = \"b\"\nhosts = []";
    let Err(ConfigError::Invalid(problems)) = Config::parse(text, &environment(&[("VESTIBULE__X", "1")])) else {
        panic!("it was accepted")
    };
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "public_url",
            "server.listen",
            "server.port",
            "server.request_timeout",
            "log.level",
            "application[0].slug",
            ""
        ]
    );
}

#[test]
fn broken_grammar_is_told_by_line_and_never_quotes_it() {
    let text = problems("[mail]\nusername = \"a\"\npassword = hunter2\n");
    assert!(text.contains("vestibule.toml:3: is not TOML"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(problems("[mail]\n[mail]").contains("vestibule.toml:2: is not TOML"));
}

#[test]
fn a_secret_is_never_quoted() {
    for text in [
        "[mail]\nusername = \"a\"\npassword = 48151623",
        "secret_key = \"48151623\"",
        "secret_key = 48151623",
        "secret_key = [\"48151623\"]",
    ] {
        let message = problems(text);
        assert!(!message.contains("48151623"), "{message}");
    }
    let shown = format!("{:?}", config("[mail]\nusername = \"a\"\npassword = \"hunter2\""));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_environment_is_over_the_file() {
    let config = with(
        "[password]\nmin_length = 12\n[server]\ntrusted_proxies = [\"10.0.0.1\"]",
        &[
            ("VESTIBULE__PASSWORD__MIN_LENGTH", "16"),
            ("VESTIBULE__PASSWORD__HASHING__ITERATIONS", "3"),
            ("VESTIBULE__PASSWORD__RECOVERY", "false"),
            ("VESTIBULE__SERVER__TRUSTED_PROXIES", "10.0.0.2, ::1"),
            ("VESTIBULE__PASSWORD__INTERNAL", "[\"a, b\"]"),
            ("VESTIBULE__BRANDING__NAME", "12345"),
            ("VESTIBULE__MAIL__HOST", ""),
            ("VESTIBULE__PUBLIC_URL", "https://login.example.org"),
        ],
    )
    .unwrap();
    assert_eq!((config.password.min_length, config.password.hashing.iterations), (16, 3));
    assert!(!config.password.recovery);
    assert_eq!(config.server.trusted_proxies, ["10.0.0.2".parse().unwrap(), "::1".parse().unwrap()]);
    assert_eq!(config.password.internal, ["a, b"]);
    assert_eq!(config.branding.name, "12345");
    assert_eq!(config.mail.host, None);
    assert_eq!(config.public_url.origin(), "https://login.example.org");
}

#[test]
fn a_bad_variable_is_named() {
    let told = with("", &[("VESTIBULE__PASSWORD__MIN_LENGTH", "many")]).unwrap_err();
    assert!(
        told.contains(
            "environment variable VESTIBULE__PASSWORD__MIN_LENGTH: password.min_length: is the string \"many\""
        ),
        "{told}"
    );
    let told = with("", &[("VESTIBULE__SERVER__LISTEN", "x")]).unwrap_err();
    assert!(told.contains("environment variable VESTIBULE__SERVER__LISTEN: server.listen: invalid socket"), "{told}");
    let told = with("", &[("VESTIBULE__SERVER__LISSTEN", "127.0.0.1:1")]).unwrap_err();
    assert!(
        told.contains("VESTIBULE__SERVER__LISSTEN: stands for no key; did you mean VESTIBULE__SERVER__LISTEN?"),
        "{told}"
    );
    // What container platforms set for a service of this name is none of our business.
    assert!(with("", &[("VESTIBULE_PORT", "tcp://10.0.0.1:80"), ("VESTIBULE_SERVICE_HOST", "10.0.0.1")]).is_ok());
}

#[test]
fn applications_are_named_by_slug_in_the_environment() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let two = "[[application]]\nslug = \"a\"\nhosts = [\"a.example\"]\n[[application]]\nslug = \"b-c\"\nhosts = [\"b.example\"]";
    let config = with(two, &[("VESTIBULE__APPLICATION__B_C__SECRET", SECRET)]).unwrap();
    assert!(config.applications[0].secret.is_none());
    assert!(config.applications[1].secret.as_ref().unwrap().matches(SECRET.as_bytes()));
    let told = with(two, &[("VESTIBULE__APPLICATION__D__SECRET", SECRET)]).unwrap_err();
    assert!(told.contains("VESTIBULE__APPLICATION__D__SECRET: stands for no key"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn load(&self, text: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
        let file = self.file("vestibule.toml", text);
        Config::load(Some(Path::new(&file)), &environment(variables)).map_err(|error| error.to_string())
    }
}

fn password(loaded: &Loaded) -> &str {
    loaded.config.mail.password.as_ref().unwrap().expose()
}

#[test]
fn secrets_come_from_files_without_the_line_break_at_the_end() {
    let folder = Folder::new();
    let secret = folder.file("secret", "hunter2 \r\n");
    let loaded = folder.load(&format!("[mail]\nusername = \"a\"\npassword_file = {secret:?}"), &[]).unwrap();
    assert_eq!(password(&loaded), "hunter2 ");
    let loaded = folder
        .load("[mail]\nusername = \"a\"\npassword = \"old\"", &[("VESTIBULE__MAIL__PASSWORD_FILE", &secret)])
        .unwrap();
    assert_eq!(password(&loaded), "hunter2 ");
    let loaded = folder
        .load(&format!("[mail]\nusername = \"a\"\npassword_file = {secret:?}"), &[("VESTIBULE__MAIL__PASSWORD", "new")])
        .unwrap();
    assert_eq!(password(&loaded), "new");
    assert_eq!(loaded.source.variables, ["VESTIBULE__MAIL__PASSWORD"]);
    assert!(!loaded.source.to_string().contains("new"));
}

#[test]
fn a_secret_file_that_cannot_be_read_or_is_not_alone_stops_the_start() {
    let folder = Folder::new();
    let missing = folder.0.path().join("missing").display().to_string();
    let told = folder.load(&format!("[mail]\nusername = \"a\"\npassword_file = {missing:?}"), &[]).unwrap_err();
    assert!(
        told.contains("vestibule.toml:3: mail.password_file:") && told.contains("cannot be read: No such file"),
        "{told}"
    );
    let empty = folder.file("empty", "\n");
    let told = folder.load("", &[("VESTIBULE__SECRET_KEY_FILE", &empty)]).unwrap_err();
    assert!(told.contains("VESTIBULE__SECRET_KEY_FILE: secret_key_file:") && told.contains("it is empty"), "{told}");
    let told = folder
        .load(&format!("[mail]\nusername = \"a\"\npassword = \"b\"\npassword_file = {empty:?}"), &[])
        .unwrap_err();
    assert!(told.contains("vestibule.toml:4: mail.password_file: is set together with mail.password"), "{told}");
    let both = [("VESTIBULE__MAIL__PASSWORD", "b"), ("VESTIBULE__MAIL__PASSWORD_FILE", empty.as_str())];
    let told = folder.load("", &both).unwrap_err();
    assert!(told.contains("is set together with mail.password"), "{told}");
}

#[test]
fn a_bad_secret_in_a_file_is_told_at_the_key_that_names_the_file() {
    let folder = Folder::new();
    let short = folder.file("key", "c2hvcnQ=");
    let told = folder.load(&format!("\nsecret_key_file = {short:?}"), &[]).unwrap_err();
    assert!(told.contains("vestibule.toml:2: secret_key: the key has 5 bytes"), "{told}");
}

#[test]
fn a_named_file_must_be_there() {
    let told = Config::load(Some(Path::new("/nowhere/vestibule.toml")), &BTreeMap::new()).unwrap_err().to_string();
    assert!(told.starts_with("cannot read /nowhere/vestibule.toml: "), "{told}");
}

#[test]
fn warnings_tell_what_does_not_stop_the_start() {
    let loaded = Folder::new().load("", &[("VESTIBULE_SERVER_LISTEN", "127.0.0.1:9")]).unwrap();
    let told = loaded.warnings.join("\n");
    for part in [
        "public_url",
        "mail.host is not set",
        "VESTIBULE_SERVER_LISTEN is not read; did you mean VESTIBULE__SERVER__LISTEN",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (text, told) in [
        ("public_url = \"http://login.example.org\"", "public_url: \"http://login.example.org\" would send"),
        ("[server]\ntls_key = \"a\"", "server.tls_key: needs server.tls_certificate"),
        ("[server]\ninternal_listen = \"127.0.0.1:8080\"", "server.internal_listen: must differ"),
        ("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]", "would trust everybody"),
        ("[server]\ndrain_timeout = \"0s\"", "server.drain_timeout: \"0s\" is not between \"1s\" and \"10m\""),
        ("[sessions]\nidle_timeout = \"48h\"", "sessions.idle_timeout: is longer than"),
        (
            "[sessions]\ncookie_domain = \"example.org\"",
            "sessions.cookie_domain: \"localhost\" of public_url is not in",
        ),
        ("[autologin]\ncookie_name = \"_vestibule_session\"", "autologin.cookie_name: must differ"),
        (
            "[database]\nurl = \"postgres://a:hunter2@b/c\"",
            "2: database.url: this version of Vestibule keeps its data in SQLite",
        ),
        (
            "[mail]\nhost = \"mx.example\"\nsecurity = \"danger_plain\"\nusername = \"a\"\npassword = \"hunter2\"",
            "mail.security: \"danger_plain\" would send",
        ),
        ("[mail]\nfrom = \"nobody\"", "mail.from: is no mail address"),
        ("[mail]\nusername = \"a\"", "mail.username: needs mail.password"),
        (
            "[registration]\nmode = \"automatic\"\ndomains = [\"example.org\"]",
            "registration.domains: must be empty with mode = \"automatic\"",
        ),
        ("[branding]\nname = \"\"", "branding.name: must have 1 to 60"),
        ("[branding]\naccent = \"teal\"", "branding.accent: \"teal\" is no colour"),
        ("[privacy]\nsecurity_contact = \"security@example.org\"", "privacy.security_contact: "),
        ("[privacy]\nsecurity_contact = \"mailto:nobody\"", "is neither a mailto: nor an https:// address"),
        ("[privacy]\nsecurity_contact = \"http://example.org\"", "is neither a mailto: nor an https:// address"),
    ] {
        let message = problems(text);
        assert!(message.contains(told) && !message.contains("hunter2"), "wanted: {told}\ngot: {message}");
    }
}

#[test]
fn the_host_prefix_is_used_where_browsers_allow_it() {
    let name = |text: &str| config(text).cookie_name(&config(text).sessions.cookie_name);
    assert_eq!(name("public_url = \"https://login.example.org\""), "__Host-_vestibule_session");
    assert_eq!(name(""), "_vestibule_session");
    let shared = "public_url = \"https://login.example.org\"\n[sessions]\ncookie_domain = \"example.org\"";
    assert_eq!(name(shared), "_vestibule_session");
}

/// The example with the "#" removed from each key that the filter lets through.
fn uncommented(wanted: impl Fn(&str) -> bool) -> String {
    let lines = reference::example();
    let set = lines.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') && wanted(rest) => rest.to_owned(),
        _ => line.to_owned(),
    });
    set.collect::<Vec<_>>().join("\n")
}

fn is_secret_file(line: &str) -> bool {
    ["secret_key_file", "password_file", "secret_file", "client_secret_file"]
        .iter()
        .any(|name| line.starts_with(&format!("{name} ")))
}

fn is_secret_value(line: &str) -> bool {
    ["secret_key", "password", "secret", "client_secret"].iter().any(|name| line.starts_with(&format!("{name} ")))
}

#[test]
fn the_example_as_it_is_says_what_the_defaults_are() {
    assert_eq!(format!("{:?}", config(&reference::example())), format!("{:?}", Config::default()));
}

#[test]
fn every_key_of_the_example_can_be_set() {
    let values = config(&uncommented(|line| !is_secret_value(line)));
    assert_eq!(values.applications.len(), 1);
    assert_eq!(values.applications[0].rules.len(), 1);
    assert!(values.secret_key_file.is_some() && values.mail.password_file.is_some());
    assert!(values.applications[0].secret_file.is_some());
    assert!(values.identity_providers[0].oidc.client_secret_file.is_some());
}

#[test]
fn the_secrets_of_the_example_are_nobodys_secrets() {
    let text = problems(&uncommented(|line| !is_secret_file(line)));
    assert!(text.contains("secret_key: the key is not base64"), "{text}");
    let application = uncommented(|line| !is_secret_file(line) && !line.starts_with("secret_key "));
    let told = problems(&application);
    assert!(told.contains("application[0].secret: is the text of the example"), "{told}");
    assert!(told.contains("identity_provider[0].client_secret: is the text of the example"), "{told}");
}

#[test]
fn every_key_is_explained() {
    for line in reference::document().split("\n### ").skip(1) {
        let text = line.split("\n\n").nth(1).unwrap_or_default();
        assert!(text.len() > 20, "{line}");
    }
}

/// Text that gets past the grammar more often than arbitrary characters do.
fn almost_configuration() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("public_url"),
        Just("secret_key"),
        Just("server"),
        Just("server.listen"),
        Just("sessions.idle_timeout"),
        Just("password.internal"),
        Just("application"),
        Just("mail.password_file"),
        Just("database.url"),
        Just("\"\""),
        Just("privacy.notice_url"),
        Just("sessions.cookie_domain"),
        Just("a.\"b.c\""),
        Just("[[application]]\nhosts"),
        Just("[[application]]\nslug"),
        Just("[[application.rule]]\npaths"),
    ];
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        ".*".prop_map(|text: String| format!("{text:?}")),
        "[a-z0-9:/.@*\\[\\]-]{0,20}".prop_map(|text| format!("'{text}'")),
        "[a-z0-9:/.@*-]{0,20}".prop_map(|text| format!("['{text}', '']")),
        Just("{ a = [[], {}] }".to_owned()),
    ];
    prop::collection::vec((key, value).prop_map(|(key, value)| format!("{key} = {value}\n")), 0..8)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), value in any::<String>()) {
        let variables = environment(&[("VESTIBULE__SERVER__TRUSTED_PROXIES", &value), ("VESTIBULE__SESSIONS__IDLE_TIMEOUT", &value)]);
        let _outcome = Config::parse(&text, &variables);
    }

    #[test]
    fn no_almost_configuration_makes_the_reader_panic(text in almost_configuration(), value in ".*") {
        if let Err(error) = Config::parse(&text, &environment(&[("VESTIBULE__PASSWORD__INTERNAL", &value)])) {
            let ConfigError::Invalid(problems) = error else { panic!("no file was asked for") };
            prop_assert!(!problems.is_empty());
        }
    }
}
