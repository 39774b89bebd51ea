//! What the targets about tokens share: the key that is published, what it signed, the hour, and tokens made of parts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use std::sync::LazyLock;
use vestibule::connect::oidc::jws::KeySet;
use vestibule::domain::time::Timestamp;

/// The key of RFC 7515 appendix A.3; its private half is known to everybody but these programs.
const KEYS: &str = r#"{"keys": [
    {"kty": "EC", "crv": "P-256", "kid": "a", "use": "sig", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
     "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty": "oct", "kid": "b", "k": "c2VjcmV0"}]}"#;

/// What the provider publishes.
pub static SET: LazyLock<KeySet> = LazyLock::new(|| KeySet::parse(KEYS.as_bytes()).unwrap());

/// A signature that the key made in that appendix, of a token that is neither an ID token nor a logout token.
const SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// More than any operator allows.
pub const EVERY: [Algorithm; 5] =
    [Algorithm::HS256, Algorithm::RS256, Algorithm::PS512, Algorithm::ES256, Algorithm::EdDSA];

/// Who signs.
pub const ISSUER: &str = "https://idp.example.org";

/// Who we are there.
pub const CLIENT: &str = "vestibule";

/// Where the clock of the seeds stands, in seconds.
pub const NOW: i64 = 1_795_284_300;

/// The same, as the product has it.
pub fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1000)
}

/// The first line, and what comes after it.
pub fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (first, rest) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    (first, rest.get(1..).unwrap_or_default())
}

/// A token of a header (the first line) and claims, under somebody's signature; the fuzzer need not know base64.
pub fn patched(bytes: &[u8]) -> String {
    let (header, claims) = halves(bytes);
    format!("{}.{}.{SIGNATURE}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
