//! What a provider says about itself (OpenID Connect Discovery 1.0), as far as it is used.

use super::{Endpoints, OidcError, Stage};
use serde::Deserialize;

/// The metadata that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where browsers sign in.
    pub authorization_endpoint: String,
    /// Where codes are redeemed.
    pub token_endpoint: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Where more is said about people.
    pub userinfo_endpoint: Option<String>,
    /// Where browsers sign out.
    pub end_session_endpoint: Option<String>,
    /// Every answer names the issuer (RFC 9207).
    pub names_issuer: bool,
    /// How a code can be bound to whoever asked for it (RFC 7636), where the provider says so.
    pub pkce: Option<Vec<String>>,
    /// How ID tokens can be signed, where the provider says so.
    pub signs_with: Option<Vec<String>>,
    /// Which answers can be asked for (`response_type`), where the provider says so.
    pub answers_with: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    #[serde(default)]
    authorization_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint: Option<String>,
    #[serde(default)]
    jwks_uri: Option<String>,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    response_types_supported: Option<Vec<String>>,
}

/// The address of an issuer's metadata (Discovery section 4).
#[must_use]
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Metadata {
    /// Reads the document of an issuer. What the operator set comes first.
    ///
    /// # Errors
    /// [`OidcError::Issuer`] when it is another issuer's, [`OidcError::Malformed`].
    pub fn read(text: &[u8], issuer: &str, set: &Endpoints) -> Result<Self, OidcError> {
        let malformed = |why: String| OidcError::Malformed { stage: Stage::Metadata, why };
        // As a whole: in what is not read, too (RFC 8259 section 8.1).
        let text = std::str::from_utf8(text).map_err(|error| malformed(error.to_string()))?;
        let found: Document = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if found.issuer != issuer {
            return Err(OidcError::Issuer);
        }
        let merged = Self::merged(
            set,
            &Endpoints {
                authorization: found.authorization_endpoint,
                token: found.token_endpoint,
                jwks: found.jwks_uri,
                userinfo: found.userinfo_endpoint,
                end_session: found.end_session_endpoint,
            },
            found.authorization_response_iss_parameter_supported,
        )?;
        let (pkce, signs_with) = (found.code_challenge_methods_supported, found.id_token_signing_alg_values_supported);
        Ok(Self { pkce, signs_with, answers_with: found.response_types_supported, ..merged })
    }

    /// From what the operator set alone.
    ///
    /// # Errors
    /// [`OidcError::Malformed`] when something is missing.
    pub fn manual(set: &Endpoints) -> Result<Self, OidcError> {
        Self::merged(set, &Endpoints::default(), false)
    }

    fn merged(set: &Endpoints, found: &Endpoints, names_issuer: bool) -> Result<Self, OidcError> {
        let either = |set: &Option<String>, found: &Option<String>| set.clone().or_else(|| found.clone());
        let needed = |name: &str, value: Option<String>| {
            let why = format!("{name} is missing");
            value.ok_or(OidcError::Malformed { stage: Stage::Metadata, why })
        };
        Ok(Self {
            authorization_endpoint: needed("authorization_endpoint", either(&set.authorization, &found.authorization))?,
            token_endpoint: needed("token_endpoint", either(&set.token, &found.token))?,
            jwks_uri: needed("jwks_uri", either(&set.jwks, &found.jwks))?,
            userinfo_endpoint: either(&set.userinfo, &found.userinfo),
            end_session_endpoint: either(&set.end_session, &found.end_session),
            names_issuer,
            pkce: None,
            signs_with: None,
            answers_with: None,
        })
    }
}
