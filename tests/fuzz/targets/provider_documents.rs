//! What providers publish: metadata and keys. Whatever is written there, metadata of another issuer is nobody's, what the
//! operator set comes first, and no key set lets a symmetric key or an unsigned token through.
#![no_main]

use jsonwebtoken::Algorithm;
use vestibule::connect::oidc::Endpoints;
use vestibule::connect::oidc::jws::KeySet;
use vestibule::connect::oidc::metadata::Metadata;

const ISSUER: &str = "https://idp.example.org";
/// `{"alg":"none"}` and `{"alg":"HS256"}`, each over `{}`.
const FORGED: [&str; 3] = ["eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AA", "eyJhbGciOiJSUzI1NiJ9.e30.AA"];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let set = Endpoints { token: Some("https://set.example.org/token".to_owned()), ..Endpoints::default() };
    if let Ok(metadata) = Metadata::read(data, ISSUER, &set) {
        let read: serde_json::Value = serde_json::from_slice(data).expect("what was read is JSON");
        assert_eq!(read["issuer"], ISSUER);
        assert_eq!(metadata.token_endpoint, "https://set.example.org/token");
        assert_eq!(read["jwks_uri"], metadata.jwks_uri.as_str());
        assert!(Metadata::read(data, "https://idp.example.org/", &set).is_err());
    }
    if let Ok(keys) = KeySet::parse(data) {
        assert!(keys.len() <= 100);
        for token in FORGED {
            let every = [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
            assert!(keys.verify(token, &every).is_err(), "{token}");
        }
    }
});
