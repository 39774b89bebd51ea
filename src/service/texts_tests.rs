//! Tests of the catalogues against the sources: every key is there in every language, used, and filled in alike.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Every message of a catalogue with the names of its placeholders.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/locales/{}.ftl", language.tag()));
    let source = fs::read_to_string(path).expect("a file named after the tag");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines() {
        if line.starts_with(|first: char| first.is_ascii_lowercase()) {
            current = line.split_once('=').expect("a key and its text").0.trim().to_owned();
            assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{current} is there twice");
        }
        let names = line.split('$').skip(1).map(|rest| {
            rest.chars().take_while(|next| next.is_ascii_alphanumeric() || *next == '-').collect::<String>()
        });
        if !line.starts_with('#') {
            found.entry(current.clone()).or_default().extend(names);
        }
    }
    found.remove("");
    found
}

/// The sources that can ask for a message: Rust files and templates.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs" || end == "html") && !path.ends_with(file!()) {
                let text = fs::read_to_string(&path).expect("a text file");
                found.push((path, text));
            }
        }
    }
    found
}

/// The literals that stand right after `opening` in a source, such as the key in `msg("key"`.
fn literals_after(source: &str, opening: &str) -> Vec<String> {
    source
        .split(opening)
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned))
        .collect()
}

#[test]
fn every_catalogue_parses_and_has_the_same_keys_and_placeholders() {
    let english = messages(Language::English);
    assert!(english.len() > 100);
    for language in Language::ALL {
        let texts = Texts::for_language(language);
        let own = messages(language);
        assert_eq!(own, english, "{language:?}");
        for key in own.keys() {
            let message = texts.bundle.get_message(key);
            assert!(message.is_some_and(|found| found.value().is_some()), "{key} in {language:?}");
        }
    }
}

#[test]
fn every_placeholder_is_filled_in_and_leaves_no_marks() {
    let values = |names: &BTreeSet<String>, number: u32| -> Vec<(String, Option<u32>)> {
        let counts = ["days", "minutes", "hours", "count", "status"];
        names.iter().map(|name| (name.clone(), counts.contains(&name.as_str()).then_some(number))).collect()
    };
    for language in Language::ALL {
        for (key, names) in messages(language) {
            for number in [0, 1, 2, 30] {
                let owned = values(&names, number);
                let given: Vec<(&str, Value<'_>)> = owned
                    .iter()
                    .map(|(name, count)| (name.as_str(), count.map_or(Value::Text("Wort"), Value::Number)))
                    .collect();
                let text = Texts::for_language(language).msg_with(&key, &given);
                assert!(!text.contains(['{', '}', '$', '\u{2068}', '\u{2069}']), "{key}: {text}");
                assert!(!text.trim().is_empty() && text != key, "{key} in {language:?}");
            }
        }
    }
}

#[test]
fn every_key_that_is_asked_for_exists_and_is_asked_for_in_the_right_way() {
    let messages = messages(Language::English);
    for (path, source) in sources() {
        for key in literals_after(&source, ".msg(") {
            let names = messages.get(&key);
            assert!(names.is_some_and(BTreeSet::is_empty), "msg({key:?}) in {}", path.display());
        }
        for key in literals_after(&source, ".msg_with(") {
            let names = messages.get(&key);
            assert!(names.is_some_and(|names| !names.is_empty()), "msg_with({key:?}) in {}", path.display());
        }
    }
}

#[test]
fn every_key_is_used() {
    let sources = sources();
    let unused: Vec<String> = messages(Language::English)
        .into_keys()
        .filter(|key| !sources.iter().any(|(_, source)| source.contains(&format!("\"{key}\""))))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn numbers_choose_the_plural() {
    let english = Texts::for_language(Language::English);
    assert_eq!(english.msg_with("login-stay", &[("days", 1.into())]), "Stay signed in on this device for one day");
    assert_eq!(english.msg_with("login-stay", &[("days", 30.into())]), "Stay signed in on this device for 30 days");
    let german = Texts::for_language(Language::German);
    assert_eq!(
        german.msg_with("login-stay", &[("days", 30.into())]),
        "Auf diesem Gerät 30 Tage lang angemeldet bleiben"
    );
}
