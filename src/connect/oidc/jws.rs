//! Signed tokens of a provider: its keys, and whether a signature is one of theirs. The algorithms that count are the
//! operator's list; what token and metadata say about algorithms never adds to it. Claims are checked in the domain.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Keys that are read from one set.
const MOST_KEYS: usize = 100;
/// Keys that are tried for a token that names none.
const MOST_TRIED: usize = 10;
/// Longest token that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// The public keys of a provider.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Jwk>);

/// A token whose signature is right.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Map<String, Value>,
    /// The algorithm of the signature, by its registered name.
    pub algorithm: String,
    /// The `typ` of its header.
    pub kind: Option<String>,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It is no signed token in compact form, or too large.
    #[error("it is no signed token")]
    Malformed,
    /// It is signed in a way that does not count, or not at all.
    #[error("its algorithm is not one of those that count")]
    Algorithm,
    /// Its header demands something that we do not understand (RFC 7515 section 4.1.11).
    #[error("its header demands extensions")]
    Critical,
    /// No key of the set has its `kid`, or fits.
    #[error("no key of the provider fits")]
    KeyUnknown,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
}

impl JwsError {
    /// For the audit trail.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Critical => "token_critical",
            Self::KeyUnknown => "token_key_unknown",
            Self::Signature => "token_signature",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
    #[serde(default)]
    b64: Option<Value>,
}

impl KeySet {
    /// Reads a JWK set (RFC 7517 section 5). Keys that cannot check signatures are passed over, symmetric ones among them.
    ///
    /// # Errors
    /// In words for the operator, when it is no key set.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let set: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("it has no list of keys")?;
        let readable = keys.iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Ok(Self(readable.filter(is_for_signatures).collect()))
    }

    /// How many keys can be used.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`JwsError::KeyUnknown`] when newer keys might help; the others are final.
    pub fn verify(&self, token: &str, allowed: &[Algorithm]) -> Result<Verified, JwsError> {
        if token.len() > LONGEST || token.split('.').count() != 3 {
            return Err(JwsError::Malformed);
        }
        let header = header(token).ok_or(JwsError::Malformed)?;
        let algorithm: Algorithm = header.alg.parse().map_err(|_| JwsError::Algorithm)?;
        if !allowed.contains(&algorithm) || is_symmetric(algorithm) {
            return Err(JwsError::Algorithm);
        }
        if header.crit.is_some() || header.b64.is_some() {
            return Err(JwsError::Critical);
        }
        let fitting = self.0.iter().filter(|key| fits(key, algorithm));
        let candidates: Vec<&Jwk> = match &header.kid {
            Some(kid) => fitting.filter(|key| key.common.key_id.as_ref() == Some(kid)).collect(),
            None => fitting.take(MOST_TRIED).collect(),
        };
        if candidates.is_empty() {
            return Err(JwsError::KeyUnknown);
        }
        let claims = candidates.into_iter().find_map(|key| opened(token, key, algorithm)).ok_or(JwsError::Signature)?;
        Ok(Verified { claims, algorithm: header.alg, kind: header.typ })
    }
}

fn header(token: &str) -> Option<Header> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The claims, if this key made the signature.
fn opened(token: &str, key: &Jwk, algorithm: Algorithm) -> Option<Map<String, Value>> {
    let key = DecodingKey::from_jwk(key).ok()?;
    let mut validation = Validation::new(algorithm);
    // The claims are the domain's business: it knows the clock, and what was asked for.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    Some(jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).ok()?.claims)
}

fn is_for_signatures(key: &Jwk) -> bool {
    let kind = !matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
    kind && matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature))
}

/// Whether a key can have made a signature of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let stated = key.common.key_algorithm.map(|stated| stated.to_string());
    if stated.is_some_and(|stated| stated != format!("{algorithm:?}")) {
        return false;
    }
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => algorithm == ES256,
            EllipticCurve::P384 => algorithm == ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(pair) => pair.curve == EllipticCurve::Ed25519 && algorithm == EdDSA,
        _ => false,
    }
}

const fn is_symmetric(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}
