//! Tokens of providers: whatever comes instead of one, only what the provider's key signed is read, and only with a
//! signature that the operator allows; and what a token may say is judged and mapped without a panic. The first byte says
//! what the rest is: a token, or the claims of one that is signed.
#![no_main]

mod tokens;

use jsonwebtoken::Algorithm;
use std::sync::LazyLock;
use tokens::{CLIENT, EVERY, ISSUER, NOW, SET, now, patched};
use vestibule::domain::attribute_map::AttributeMap;
use vestibule::domain::claims::Claims;
use vestibule::domain::claims_request::EssentialClaims;
use vestibule::domain::id_token::{self, Expected, SKEW};
use vestibule::domain::redact::FILTERED;
use vestibule::domain::trace::Facts;

/// What the key signed in RFC 7515 appendix A.3.
const GOOD: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

static NONE: LazyLock<EssentialClaims> = LazyLock::new(EssentialClaims::default);
static MAP: LazyLock<AttributeMap> = LazyLock::new(|| {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    AttributeMap {
        username: names(&["preferred_username", "email"]),
        email: names(&["email"]),
        name: names(&["name"]),
        groups: names(&["groups", "realm_access.roles"]),
        administrator: names(&["admin"]),
        group_patterns: vec!["app-(*)".parse().unwrap(), "*".parse().unwrap()],
        ..AttributeMap::default()
    }
});

fn token(text: &str) {
    if let Ok(verified) = SET.verify(text, &EVERY) {
        assert_eq!(text.rsplit_once('.').map(|(signed, _)| signed), Some(GOOD), "somebody else's token is believed");
        assert_eq!(verified.algorithm, "ES256");
    }
    assert!(SET.verify(text, &[Algorithm::RS256]).is_err(), "an algorithm that is not allowed");
    assert!(SET.verify(text, &[]).is_err(), "no algorithm is allowed");
}

fn claims(bytes: &[u8]) -> Option<()> {
    let claims: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    let expected = Expected {
        issuer: ISSUER,
        client_id: CLIENT,
        nonce: Some("n"),
        now: now(),
        max_age: Some(600),
        access_token: Some(("access", "RS256")),
        essential: &NONE,
    };
    if id_token::check(&claims, &expected).is_ok() {
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["nonce"], "n");
        assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty() && sub.len() <= 255));
        let number = |name: &str| claims[name].as_f64().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "these are small")]
        let (now, skew) = (NOW as f64, SKEW as f64);
        assert!(number("exp") + skew > now && number("iat") < now + skew + 1.0);
        assert!(claims["aud"].to_string().contains(CLIENT) && !claims.contains_key("events"));
    }
    let _ = id_token::authenticated_at(&claims);
    let shown = Facts::new().claims(&claims, &MAP, now()).into_map();
    for (name, value) in shown["claims"].as_object()? {
        if ["nonce", "sid", "jti", "code", "state"].contains(&name.as_str()) {
            assert_eq!(value, FILTERED);
        }
    }
    assert!(serde_json::to_string(&shown).unwrap().len() < 64 * 1024, "a trace grows without bounds");
    let both = Claims { userinfo: Some(claims.clone()), id_token: claims };
    let mapped = both.mapped(&MAP, false);
    assert!(!mapped.attributes.email_verified || mapped.attributes.email.is_some());
    assert!(mapped.groups.is_none_or(|groups| groups.len() <= 2000 && groups.iter().all(|group| !group.is_empty())));
    Some(())
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b't', rest)) => {
            let _ = std::str::from_utf8(rest).map(token);
        }
        Some((b'p', rest)) => token(&patched(rest)),
        Some((b'c', rest)) => drop(claims(rest)),
        _ => {}
    }
});
