//! A provider's metadata: whatever it says, browsers are sent to web addresses only, and its certificates can be used.
#![no_main]

use vestibule::connect::saml::Peer;
use vestibule::connect::saml::certificate::inspect;
use vestibule::connect::saml::metadata::{Reading, read};
use vestibule::domain::time::Timestamp;

/// 2026-03-01T12:00:00Z
const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(metadata) = read(text, &Reading { entity_id: None, signers: &[], now: NOW }) else { return };
    for endpoints in [&metadata.sign_on, &metadata.logout, &metadata.logout_answers] {
        for url in endpoints.redirect.iter().chain(&endpoints.post) {
            assert!(["http", "https"].contains(&url.scheme()) && url.host().is_some(), "{url}");
            assert!(
                url.username().is_empty() && url.password().is_none() && !url.as_str().contains(['\n', '"', '<']),
                "{url}"
            );
        }
    }
    assert!(metadata.certificates.iter().all(|der| inspect(der).is_ok()));
    assert!(metadata.valid_until.is_none_or(|until| until > NOW));
    assert!(metadata.sign_on.redirect.is_some() || metadata.sign_on.post.is_some());
    let peer = Peer::new(&metadata.entity_id, metadata.certificates).expect("what was read can be used");
    assert_eq!(peer.entity_id(), metadata.entity_id);
});
