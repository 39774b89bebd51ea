//! Configuration: any text and any environment is read or refused with a place and a reason, and never shows a secret.
#![no_main]

use std::collections::BTreeMap;
use vestibule::config::{Config, ConfigError};

/// Long enough to be no part of a message by chance.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

// Seeds are the file; behind a NUL, and more NULs, variables as `SERVER__LISTEN=…` (`SECRET` sets the secret above).
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(written) = std::str::from_utf8(data) else { return };
    let mut parts = written.split('\0');
    let text = parts.next().unwrap_or_default();
    let variable = |part: &str| match part.split_once('=') {
        _ if part == "SECRET" => Some(("VESTIBULE__SECRET_KEY".to_owned(), SECRET.to_owned())),
        Some((name, value)) => Some((format!("VESTIBULE__{name}"), value.to_owned())),
        None => None,
    };
    let environment: BTreeMap<String, String> = parts.filter_map(variable).collect();

    let message = match Config::parse(text, &environment) {
        Ok(config) => {
            // What was accepted works: derived values do not panic.
            let _ = (config.database_file(), config.mail_sender(), config.cookie_name(&config.sessions.cookie_name));
            format!("{config:?}")
        }
        Err(error) => {
            let ConfigError::Invalid(problems) = &error else { panic!("a file was read: {error}") };
            assert!(!problems.is_empty(), "refused without a reason");
            assert!(problems.iter().all(|problem| !problem.text.is_empty()), "{problems:?}");
            format!("{error} {error:?}")
        }
    };
    assert!(!message.contains(SECRET) || written.contains(SECRET), "the secret is shown: {message}");
});
