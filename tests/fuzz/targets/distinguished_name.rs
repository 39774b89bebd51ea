//! `DnKey`: whatever a directory calls its entries, the key is the same for the same name, and nobody gets below a base
//! whose name is not at the end of theirs.
#![no_main]

use vestibule::domain::directory::DnKey;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let key = DnKey::of(text);
    assert_eq!(DnKey::of(text), key);
    assert!(key.is_under(&key), "{text:?} is not under itself");
    let base = DnKey::of("ou=people,dc=example,dc=org");
    if key.is_under(&base) {
        assert!(key.as_str().ends_with(base.as_str()), "{text:?}");
    }
    // A name in front of a base is below it; as a value, with its commas escaped, it still is one name.
    let value: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    if !value.is_empty() {
        let below = DnKey::of(&format!("cn={value},ou=people,dc=example,dc=org"));
        assert!(below.is_under(&base));
        assert!(!DnKey::of(&format!("cn={value}\\,ou=people\\,dc=example\\,dc=org")).is_under(&base));
    }
});
