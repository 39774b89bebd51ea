//! Logout tokens of providers, as the back channel reads them: whatever comes instead of one, only what the provider's key
//! signed is read; and what a signed one says ends sessions only if it is a logout token, for us, of now, that names somebody.
//! The first byte says what the rest is: a token, header and claims of one, or the kind and the claims of one that is signed.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use vestibule::connect::oidc::jws::KeySet;
use vestibule::domain::id_token::SKEW;
use vestibule::domain::logout_token;
use vestibule::domain::time::Timestamp;

/// The key of RFC 7515 appendix A.3, and what it signed there, which is no logout token.
const KEYS: &str = r#"{"keys": [
    {"kty": "EC", "crv": "P-256", "kid": "a", "use": "sig", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
     "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty": "oct", "kid": "b", "k": "c2VjcmV0"}]}"#;
const SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const ISSUER: &str = "https://idp.example.org";
const CLIENT: &str = "vestibule";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const NOW: i64 = 1_795_284_300;

static SET: LazyLock<KeySet> = LazyLock::new(|| KeySet::parse(KEYS.as_bytes()).unwrap());

fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1000)
}

fn token(text: &str) {
    let every = [Algorithm::HS256, Algorithm::RS256, Algorithm::PS512, Algorithm::ES256, Algorithm::EdDSA];
    let Ok(verified) = SET.verify(text, &every) else { return };
    assert_eq!(verified.algorithm, "ES256", "nothing else was published that signs");
    let read = logout_token::read(&verified.claims, verified.kind.as_deref(), (ISSUER, CLIENT), now());
    assert!(read.is_err(), "nobody who could has signed a logout token");
}

fn claims(kind: Option<&str>, bytes: &[u8]) -> Option<()> {
    let claims: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let asked = logout_token::read(&claims, kind, (ISSUER, CLIENT), now()).ok()?;
    let kind = kind.unwrap_or("jwt").to_ascii_lowercase();
    assert!(kind == "jwt" || kind.ends_with("logout+jwt"), "a token of another kind: {kind}");
    assert_eq!(claims["iss"], ISSUER);
    assert!(claims["aud"] == CLIENT || claims["aud"] == Value::from(vec![CLIENT]), "for somebody else as well");
    assert!(claims["events"][EVENT].is_object() && !claims.contains_key("nonce"), "an ID token ends no session");
    assert!(asked.session.is_some() || asked.subject.is_some(), "it means nobody");
    assert_eq!(asked.session.as_deref(), claims.get("sid").and_then(Value::as_str));
    assert_eq!(asked.subject.as_deref(), claims.get("sub").and_then(Value::as_str));
    assert!(!asked.id.is_empty() && [&asked.session, &asked.subject].into_iter().flatten().all(|one| !one.is_empty()));
    // Its name is remembered for as long as it would be believed, and not for ever.
    let expires = claims["exp"].as_f64().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "these are small")]
    let (until, skew) = (asked.until.seconds() as f64, SKEW as f64);
    assert!(until >= expires + skew && asked.until.seconds() <= NOW + 24 * 3600 + 2 * SKEW);
    let later = logout_token::read(&claims, Some(&kind), (ISSUER, CLIENT), asked.until);
    assert!(later.is_err(), "it is believed after its name was forgotten");
    Some(())
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let halves = |rest: &'_ [u8]| {
        let (first, rest) = rest.split_at(rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
        (first.to_vec(), rest.get(1..).unwrap_or_default().to_vec())
    };
    match data.split_first() {
        Some((b't', rest)) => drop(std::str::from_utf8(rest).map(token)),
        // Header and claims; the fuzzer need not know base64. The signature is somebody's.
        Some((b'p', rest)) => {
            let (header, claims) = halves(rest);
            token(&format!("{}.{}.{SIGNATURE}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)));
        }
        Some((b'c', rest)) => {
            let (kind, said) = halves(rest);
            let kind = std::str::from_utf8(&kind).ok().filter(|kind| !kind.is_empty());
            let _ = claims(kind, &said);
        }
        _ => {}
    }
});
