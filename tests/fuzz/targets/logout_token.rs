//! Logout tokens of providers, as the back channel reads them: whatever comes instead of one, only what the provider's key
//! signed is read; and what a signed one says ends sessions only if it is a logout token, for us, of now, that names somebody.
//! The first byte says what the rest is: a token, header and claims of one, or the kind and the claims of one that is signed.
#![no_main]

mod tokens;

use serde_json::{Map, Value};
use tokens::{CLIENT, EVERY, ISSUER, NOW, SET, halves, now, patched};
use vestibule::domain::id_token::SKEW;
use vestibule::domain::logout_token;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn token(text: &str) {
    let Ok(verified) = SET.verify(text, &EVERY) else { return };
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
    let named = |several: &Vec<Value>| several.contains(&CLIENT.into()) && several.iter().all(Value::is_string);
    assert!(claims["aud"] == CLIENT || claims["aud"].as_array().is_some_and(named), "for somebody else");
    assert!(claims.get("azp").is_none_or(|party| party == CLIENT), "issued to somebody else");
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
    match data.split_first() {
        Some((b't', rest)) => drop(std::str::from_utf8(rest).map(token)),
        Some((b'p', rest)) => token(&patched(rest)),
        Some((b'c', rest)) => {
            let (kind, said) = halves(rest);
            let kind = std::str::from_utf8(kind).ok().filter(|kind| !kind.is_empty());
            let _ = claims(kind, said);
        }
        _ => {}
    }
});
