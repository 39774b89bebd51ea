//! The gate in front of the SAML verifiers: what it lets pass is plain XML of the browser profile, whatever was sent.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use vestibule::connect::saml::glance;
use vestibule::domain::time::Timestamp;

// Seeds are responses as XML.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for allow_cbc in [false, true] {
        let passed = glance(&STANDARD.encode(data), allow_cbc, Timestamp::from_millis(1_772_366_400_000));
        if let Err(refusal) = &passed {
            assert!(!refusal.detail.contains(char::is_control), "a line of the log would be split: {refusal:?}");
            continue;
        }
        let text = std::str::from_utf8(data).expect("only text passes");
        for never in ["<!", "\0", "<ds:Object", "<saml:Advice", "<samlp:Extensions"] {
            assert!(!text.contains(never), "{never} passed");
        }
        assert!(text.contains("Response") && text.contains("Assertion"));
        assert!(text.contains("Signature") || text.contains("EncryptedAssertion"), "nothing could be signed in it");
    }
});
