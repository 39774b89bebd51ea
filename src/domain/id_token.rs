//! What an ID token must say before it is believed (OpenID Connect Core 1.0 section 3.1.3.7). Its signature has been checked
//! before by the connector; here the claims are. Pure.

use super::claims_request::{Document, EssentialClaims};
use super::factor_trust::Stated;
use super::time::Timestamp;
use aws_lc_rs::digest::{self, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// How far a provider's clock may be off, in seconds.
pub const SKEW: i64 = 60;
/// Longest subject (Core section 2).
const MAX_SUBJECT: usize = 255;

/// What was asked for, and what came with the token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, exactly.
    pub issuer: &'a str,
    /// Our own name there.
    pub client_id: &'a str,
    /// The nonce of this very sign-in; `None` for a token that belongs to no round trip (after a refresh).
    pub nonce: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
    /// How many seconds ago the person may have signed in there.
    pub max_age: Option<u32>,
    /// The access token that came along, and the signature's algorithm (`RS256`, …).
    pub access_token: Option<(&'a str, &'a str)>,
    /// Claims that were asked for as essential.
    pub essential: &'a EssentialClaims,
}

/// Why a token is not believed. For logs and the administrator's trace, never for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `iss` is missing or somebody else's.
    #[error("iss is not the issuer")]
    Issuer,
    /// `sub` is missing, empty, too long or not ASCII.
    #[error("sub is missing or malformed")]
    Subject,
    /// `aud` is missing, or does not name us.
    #[error("aud does not name this client")]
    Audience,
    /// `azp` is missing where it is needed, or names somebody else.
    #[error("azp does not name this client")]
    AuthorizedParty,
    /// `exp` is missing or past.
    #[error("exp is missing or past")]
    Expired,
    /// `iat` is missing or lies ahead.
    #[error("iat is missing or lies ahead")]
    IssuedAt,
    /// `nbf` lies ahead.
    #[error("nbf lies ahead")]
    NotBefore,
    /// `nonce` is missing or another one.
    #[error("nonce is missing or another one")]
    Nonce,
    /// `auth_time` is missing though it was asked for, too old, or lies ahead.
    #[error("auth_time is missing, too old or lies ahead")]
    AuthTime,
    /// `at_hash` belongs to another access token.
    #[error("at_hash belongs to another access token")]
    AccessTokenHash,
    /// An essential claim is missing or has a value that was not asked for.
    #[error("an essential claim is missing or has another value")]
    Essential,
    /// It is a token of another kind.
    #[error("it is no ID token")]
    Kind,
}

impl Fault {
    /// For the audit trail.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Issuer => "id_token_iss",
            Self::Subject => "id_token_sub",
            Self::Audience => "id_token_aud",
            Self::AuthorizedParty => "id_token_azp",
            Self::Expired => "id_token_exp",
            Self::IssuedAt => "id_token_iat",
            Self::NotBefore => "id_token_nbf",
            Self::Nonce => "id_token_nonce",
            Self::AuthTime => "id_token_auth_time",
            Self::AccessTokenHash => "id_token_at_hash",
            Self::Essential => "essential_claim",
            Self::Kind => "id_token_kind",
        }
    }
}

/// Checks the claims; the signature has been.
///
/// # Errors
/// The first [`Fault`].
pub fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Fault> {
    let now = expected.now.seconds();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // A logout token is signed with the same key for the same audience.
    ensure(!claims.contains_key("events"), Fault::Kind)?;
    ensure(text("iss") == Some(expected.issuer), Fault::Issuer)?;
    ensure(text("sub").is_some_and(is_subject), Fault::Subject)?;
    audience(claims, expected.client_id)?;
    ensure(number(claims, "exp").is_some_and(|exp| now < exp.saturating_add(SKEW)), Fault::Expired)?;
    ensure(number(claims, "iat").is_some_and(|iat| iat <= now.saturating_add(SKEW)), Fault::IssuedAt)?;
    if claims.contains_key("nbf") {
        ensure(number(claims, "nbf").is_some_and(|nbf| nbf <= now.saturating_add(SKEW)), Fault::NotBefore)?;
    }
    if let Some(nonce) = expected.nonce {
        ensure(text("nonce") == Some(nonce), Fault::Nonce)?;
    }
    auth_time(claims, expected.max_age, now)?;
    if let (Some(stated), Some((token, algorithm))) = (claims.get("at_hash"), expected.access_token) {
        ensure(stated.as_str() == half_hash(token, algorithm).as_deref(), Fault::AccessTokenHash)?;
    }
    ensure(expected.essential.are_met(Document::IdToken, claims), Fault::Essential)
}

/// When the person signed in there, if the token says so.
#[must_use]
pub fn authenticated_at(claims: &Map<String, Value>) -> Option<Timestamp> {
    Some(Timestamp::from_millis(number(claims, "auth_time")?.checked_mul(1000)?))
}

/// How the person proved who they are, in the provider's words (`acr`, `amr`).
#[must_use]
pub fn stated(claims: &Map<String, Value>) -> Stated {
    let methods = claims.get("amr").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Stated::of(claims.get("acr").and_then(Value::as_str), methods)
}

/// Whether this can be a subject: 1 to 255 ASCII characters.
#[must_use]
pub fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_SUBJECT && text.is_ascii()
}

fn ensure(good: bool, fault: Fault) -> Result<(), Fault> {
    if good { Ok(()) } else { Err(fault) }
}

fn audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), Fault> {
    let several = audiences(claims, client_id)? > 1;
    // Whom else it is for nobody here knows; that it was issued to us it must say then.
    ensure(!several || claims.contains_key("azp"), Fault::AuthorizedParty)
}

/// How many audiences a token names, if we are one of them and it was issued to nobody else.
pub(super) fn audiences(claims: &Map<String, Value>, client_id: &str) -> Result<usize, Fault> {
    let audiences: Vec<&Value> = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().collect(),
        Some(one) => vec![one],
        None => return Err(Fault::Audience),
    };
    ensure(audiences.iter().all(|one| one.is_string()), Fault::Audience)?;
    ensure(audiences.iter().any(|one| one.as_str() == Some(client_id)), Fault::Audience)?;
    let to_us = claims.get("azp").is_none_or(|party| party.as_str() == Some(client_id));
    ensure(to_us, Fault::AuthorizedParty)?;
    Ok(audiences.len())
}

fn auth_time(claims: &Map<String, Value>, max_age: Option<u32>, now: i64) -> Result<(), Fault> {
    let Some(stated) = claims.get("auth_time").filter(|stated| !stated.is_null()) else {
        return ensure(max_age.is_none(), Fault::AuthTime);
    };
    let at = seconds(stated).ok_or(Fault::AuthTime)?;
    ensure(at <= now.saturating_add(SKEW), Fault::AuthTime)?;
    let limit = max_age.map(i64::from);
    ensure(limit.is_none_or(|age| now <= at.saturating_add(age).saturating_add(SKEW)), Fault::AuthTime)
}

pub(super) fn number(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    seconds(claims.get(name)?)
}

/// A `NumericDate` (RFC 7519 section 2), which may have a fraction.
fn seconds(value: &Value) -> Option<i64> {
    if let Some(whole) = value.as_i64() {
        return (whole >= 0).then_some(whole);
    }
    let text = value.as_f64().filter(|number| (0.0..1e15).contains(number))?.trunc().to_string();
    text.parse().ok()
}

/// The left half of the hash of a token, as `at_hash` has it (Core section 3.1.3.6); Ed25519 goes with SHA-512.
fn half_hash(token: &str, algorithm: &str) -> Option<String> {
    let hash = match algorithm.get(algorithm.len().checked_sub(3)?..)? {
        "256" => &digest::SHA256,
        "384" => &digest::SHA384,
        "512" | "DSA" => &digest::SHA512,
        _ => return None,
    };
    let whole = digest(hash, token.as_bytes());
    let bytes = whole.as_ref();
    Some(URL_SAFE_NO_PAD.encode(bytes.get(..bytes.len() / 2)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_795_284_300;

    fn good() -> Value {
        json!({
            "iss": "https://idp.example.org", "sub": "anna", "aud": "vestibule", "exp": NOW + 300, "iat": NOW,
            "nonce": "n-1", "auth_time": NOW - 10,
        })
    }

    fn checked(change: &[(&str, Value)], max_age: Option<u32>) -> Result<(), Fault> {
        let mut claims = good().as_object().unwrap().clone();
        for (name, value) in change {
            if value.is_null() {
                claims.remove(*name);
            } else {
                claims.insert((*name).to_owned(), value.clone());
            }
        }
        let essential = EssentialClaims::default();
        let expected = Expected {
            issuer: "https://idp.example.org",
            client_id: "vestibule",
            nonce: Some("n-1"),
            now: Timestamp::from_millis(NOW * 1000),
            max_age,
            access_token: Some(("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256")),
            essential: &essential,
        };
        check(&claims, &expected)
    }

    #[test]
    fn a_good_token_is_believed_also_at_the_edge_of_the_skew() {
        assert_eq!(checked(&[], None), Ok(()));
        assert_eq!(checked(&[], Some(10)), Ok(()));
        assert_eq!(checked(&[("exp", json!(NOW - 59))], None), Ok(()));
        assert_eq!(checked(&[("iat", json!(NOW + 60)), ("nbf", json!(NOW + 60))], None), Ok(()));
        assert_eq!(checked(&[("auth_time", json!(NOW - 70))], Some(10)), Ok(()));
        assert_eq!(checked(&[("auth_time", Value::Null)], None), Ok(()));
        assert_eq!(checked(&[("exp", json!(1_795_284_300.5))], None), Ok(()));
        assert_eq!(checked(&[("aud", json!(["vestibule"]))], None), Ok(()));
        assert_eq!(checked(&[("aud", json!(["vestibule", "other"])), ("azp", json!("vestibule"))], None), Ok(()));
        // The example of Core appendix A.4.
        assert_eq!(checked(&[("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))], None), Ok(()));
    }

    #[test]
    fn each_fault_is_found() {
        for (name, value, fault) in [
            ("iss", Value::Null, Fault::Issuer),
            ("iss", json!("https://idp.example.org/"), Fault::Issuer),
            ("sub", Value::Null, Fault::Subject),
            ("sub", json!(""), Fault::Subject),
            ("sub", json!(7), Fault::Subject),
            ("sub", json!("ä"), Fault::Subject),
            ("sub", json!("x".repeat(256)), Fault::Subject),
            ("aud", Value::Null, Fault::Audience),
            ("aud", json!("other"), Fault::Audience),
            ("aud", json!([]), Fault::Audience),
            ("aud", json!(["vestibule", 7]), Fault::Audience),
            ("aud", json!(["vestibule", "other"]), Fault::AuthorizedParty),
            ("azp", json!("other"), Fault::AuthorizedParty),
            ("exp", Value::Null, Fault::Expired),
            ("exp", json!(NOW - 60), Fault::Expired),
            ("exp", json!("soon"), Fault::Expired),
            ("exp", json!(1e300), Fault::Expired),
            ("iat", Value::Null, Fault::IssuedAt),
            ("iat", json!(NOW + 61), Fault::IssuedAt),
            ("iat", json!(-1), Fault::IssuedAt),
            ("nbf", json!(NOW + 61), Fault::NotBefore),
            ("nbf", json!("x"), Fault::NotBefore),
            ("nonce", Value::Null, Fault::Nonce),
            ("nonce", json!("n-2"), Fault::Nonce),
            ("auth_time", json!(NOW + 61), Fault::AuthTime),
            ("auth_time", json!("x"), Fault::AuthTime),
            ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RR"), Fault::AccessTokenHash),
            ("at_hash", json!(7), Fault::AccessTokenHash),
            ("events", json!({}), Fault::Kind),
        ] {
            assert_eq!(checked(&[(name, value.clone())], None), Err(fault), "{name} {value}");
        }
        assert_eq!(checked(&[("auth_time", Value::Null)], Some(10)), Err(Fault::AuthTime));
        assert_eq!(checked(&[("auth_time", json!(NOW - 71))], Some(10)), Err(Fault::AuthTime));
    }
}
