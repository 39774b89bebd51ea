//! A SAML response from the form field to what is believed: nobody but the person whom the provider signed for comes out.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::LazyLock;
use vestibule::connect::saml::{Asked, Expected, Peer, Service, ServiceKey, receive};
use vestibule::domain::secret::Secret;
use vestibule::domain::time::Timestamp;

/// Where the clock of the seeds stands: 2026-03-01T12:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);

fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}

static PARTIES: LazyLock<(Service, Peer)> = LazyLock::new(|| {
    let private = Secret::new(include_str!("../../corpus/saml/keys/sp.key.pem").to_owned());
    let key = ServiceKey { certificate: der(include_str!("../../corpus/saml/keys/sp.cert.pem")), private };
    let base = "https://login.example.org/login/corp";
    let service = Service::new(&format!("{base}/metadata"), &format!("{base}/acs"), vec![key], true).unwrap();
    let certificates = [
        include_str!("../../corpus/saml/keys/idp-rsa.cert.pem"),
        include_str!("../../corpus/saml/keys/idp-ec.cert.pem"),
    ];
    (service, Peer::new("https://idp.example.org/saml", certificates.map(der).to_vec()).unwrap())
});

// Seeds are responses as XML, some with a good signature.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (service, peer) = &*PARTIES;
    let asked = Asked { id: "_request-1".to_owned(), at: NOW, force_authn: false, contexts: vec![] };
    let expected = Expected { now: NOW, request: Some(asked) };
    let Ok(asserted) = receive(service, peer, &STANDARD.encode(data), &expected) else { return };
    assert_eq!(asserted.subject.value, "anna", "somebody was made up");
    assert_eq!(asserted.assertion, "_assertion-1");
    assert!(
        asserted
            .attributes
            .iter()
            .all(|one| ["groups", "urn:oid:0.9.2342.19200300.100.1.3"].contains(&one.name.as_str()))
    );
});
