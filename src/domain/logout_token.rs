//! What a logout token must say before it is believed (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6). Its
//! signature has been checked before, by the same code as that of an ID token. Pure.

use super::id_token::{self, SKEW};
use super::time::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// The event that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Longest name of a session or of a token.
const LONGEST: usize = 512;
/// How far ahead a token may run out: its name is remembered until then.
const FARTHEST: i64 = 24 * 3600;

/// What a believed token asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The provider's name of the session that ended.
    pub session: Option<String>,
    /// The subject whose sessions ended; with a session, whose session that is.
    pub subject: Option<String>,
    /// The token's own name, good once.
    pub id: String,
    /// Until when that name must be remembered.
    pub until: Timestamp,
}

/// Why a token is not believed. For the log and the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its header says that it is a token of another kind.
    #[error("it is no logout token")]
    Kind,
    /// `iss` is missing or somebody else's.
    #[error("iss is not the issuer")]
    Issuer,
    /// `aud` is missing or does not name us, or `azp` names somebody else.
    #[error("aud does not name this client")]
    Audience,
    /// `exp` is missing, past, or too far ahead.
    #[error("exp is missing, past or too far ahead")]
    Expired,
    /// `iat` is missing or lies ahead.
    #[error("iat is missing or lies ahead")]
    IssuedAt,
    /// `jti` is missing or too long.
    #[error("jti is missing")]
    Identifier,
    /// `events` does not hold the logout event.
    #[error("events does not hold the logout event")]
    Event,
    /// There is a `nonce`: it is an ID token, or pretends to be one.
    #[error("it has a nonce")]
    Nonce,
    /// It names neither a session nor a subject.
    #[error("it names neither sid nor sub")]
    Nobody,
}

impl Fault {
    /// For the audit trail.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kind => "logout_token_kind",
            Self::Issuer => "logout_token_iss",
            Self::Audience => "logout_token_aud",
            Self::Expired => "logout_token_exp",
            Self::IssuedAt => "logout_token_iat",
            Self::Identifier => "logout_token_jti",
            Self::Event => "logout_token_events",
            Self::Nonce => "logout_token_nonce",
            Self::Nobody => "logout_token_nobody",
        }
    }
}

/// Reads the claims of a token whose signature was right; `kind` is the `typ` of its header.
///
/// # Errors
/// The first [`Fault`].
pub fn read(
    claims: &Map<String, Value>,
    kind: Option<&str>,
    (issuer, client_id): (&str, &str),
    now: Timestamp,
) -> Result<Asked, Fault> {
    let at = now.seconds();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    ensure(is_logout(kind), Fault::Kind)?;
    ensure(text("iss") == Some(issuer), Fault::Issuer)?;
    // As in an ID token, but for `azp` beside others: it is issued to nobody, and whoever else gets it can only bring it here
    // to end what its issuer says is over.
    ensure(id_token::audiences(claims, client_id).is_ok(), Fault::Audience)?;
    let expires = id_token::number(claims, "exp").ok_or(Fault::Expired)?;
    ensure(at < expires.saturating_add(SKEW) && expires <= at.saturating_add(FARTHEST), Fault::Expired)?;
    ensure(id_token::number(claims, "iat").is_some_and(|iat| iat <= at.saturating_add(SKEW)), Fault::IssuedAt)?;
    let event = claims.get("events").and_then(|events| events.as_object()?.get(EVENT));
    ensure(event.is_some_and(Value::is_object), Fault::Event)?;
    ensure(!claims.contains_key("nonce"), Fault::Nonce)?;
    let id = text("jti").filter(|id| is_name(id)).ok_or(Fault::Identifier)?.to_owned();
    // A name that is there must be one: what cannot be understood must not mean everybody else.
    let named = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            value.as_str().filter(|text| is_name(text)).map(|text| Some(text.to_owned())).ok_or(Fault::Nobody)
        }
    };
    let (session, subject) = (named("sid")?, named("sub")?);
    ensure(session.is_some() || subject.is_some(), Fault::Nobody)?;
    let left = u64::try_from(expires.saturating_add(SKEW).saturating_sub(at)).unwrap_or_default();
    Ok(Asked { session, subject, id, until: now.after(Duration::from_secs(left.saturating_add(1))) })
}

/// `logout+jwt` by name (section 2.4, RFC 8725 section 3.11); providers from before that name say `JWT` or nothing.
fn is_logout(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| {
        let kind = kind.to_ascii_lowercase();
        ["logout+jwt", "application/logout+jwt", "jwt"].contains(&kind.as_str())
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST
}

fn ensure(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_795_284_300;

    fn told(change: &[(&str, Value)], kind: Option<&str>) -> Result<Asked, Fault> {
        let mut claims = json!({
            "iss": "https://idp.example.org", "aud": "vestibule", "iat": NOW, "exp": NOW + 120, "jti": "j-1",
            "sub": "anna", "sid": "s-1", "events": { EVENT: {} },
        });
        for (name, value) in change {
            let claims = claims.as_object_mut().unwrap();
            if value.is_null() {
                claims.remove(*name)
            } else {
                claims.insert((*name).to_owned(), value.clone())
            };
        }
        let now = Timestamp::from_millis(NOW * 1000);
        read(claims.as_object().unwrap(), kind, ("https://idp.example.org", "vestibule"), now)
    }

    #[test]
    fn good_tokens_are_believed() {
        for kind in [None, Some("logout+jwt"), Some("LOGOUT+JWT"), Some("application/logout+jwt"), Some("JWT")] {
            assert!(told(&[], kind).is_ok(), "{kind:?}");
        }
        let asked = told(&[("sid", Value::Null)], None).unwrap();
        assert_eq!((asked.session, asked.subject.as_deref()), (None, Some("anna")));
        let asked = told(&[("sub", Value::Null)], None).unwrap();
        assert_eq!((asked.session.as_deref(), asked.subject), (Some("s-1"), None));
        assert_eq!(asked.until, Timestamp::from_millis((NOW + 181) * 1000), "as long as it would be believed");
        assert!(told(&[("aud", json!(["other", "vestibule"]))], None).is_ok());
        assert!(told(&[("exp", json!(NOW - 59)), ("iat", json!(NOW + 60))], None).is_ok());
    }

    #[test]
    fn each_fault_is_found() {
        for (name, value, fault) in [
            ("iss", Value::Null, Fault::Issuer),
            ("iss", json!("https://evil.example"), Fault::Issuer),
            ("aud", Value::Null, Fault::Audience),
            ("aud", json!("other"), Fault::Audience),
            ("aud", json!(["other", "more"]), Fault::Audience),
            ("aud", json!(["vestibule", 7]), Fault::Audience),
            ("azp", json!("other"), Fault::Audience),
            ("exp", Value::Null, Fault::Expired),
            ("exp", json!(NOW - 60), Fault::Expired),
            ("exp", json!(NOW + FARTHEST + 1), Fault::Expired),
            ("iat", Value::Null, Fault::IssuedAt),
            ("iat", json!(NOW + 61), Fault::IssuedAt),
            ("jti", Value::Null, Fault::Identifier),
            ("jti", json!(""), Fault::Identifier),
            ("jti", json!("x".repeat(LONGEST + 1)), Fault::Identifier),
            ("events", Value::Null, Fault::Event),
            ("events", json!({}), Fault::Event),
            ("events", json!([EVENT]), Fault::Event),
            ("events", json!({ EVENT: true }), Fault::Event),
            ("events", json!({ "http://schemas.openid.net/event/other": {} }), Fault::Event),
            ("nonce", json!("n"), Fault::Nonce),
            ("sid", json!(7), Fault::Nobody),
            ("sub", json!(""), Fault::Nobody),
        ] {
            assert_eq!(told(&[(name, value.clone())], None), Err(fault), "{name} {value}");
        }
        assert_eq!(told(&[("sid", Value::Null), ("sub", Value::Null)], None), Err(Fault::Nobody));
        for kind in ["at+jwt", "id_token", "", "secevent+jwt"] {
            assert_eq!(told(&[], Some(kind)), Err(Fault::Kind), "{kind}");
        }
    }
}
