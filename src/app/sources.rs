//! From the operator's words about identity providers to the services' terms.

use crate::config::Config;
use crate::config::Span;
use crate::config::identity_provider::oidc::{self, Algorithm as Signature, ClientAuthentication, ResponseMode};
use crate::config::identity_provider::{GroupMode, IdentityProvider, Kind, OnFirstSignIn as Configured};
use crate::connect::fetch::FetchSettings;
use crate::connect::oidc::{Credential, Endpoints, OidcClient, Settings};
use crate::domain::attribute_map::AttributeMap;
use crate::domain::claims_request::EssentialClaims;
use crate::domain::factor_trust::FactorTrust;
use crate::domain::identity::{GroupRules, OnFirstSignIn, Source, SourceRules};
use crate::domain::secret::Secret;
use crate::service::provider::{Oidc, Protocol, Provider, Providers};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the operator decided about each source that is in use.
#[must_use]
pub(super) fn rules(config: &Config) -> HashMap<Source, SourceRules> {
    let providers = enabled(config).map(|provider| (Source::provider(provider.slug.as_str()), of_provider(provider)));
    providers.chain(super::directories::rules(config)).collect()
}

/// The providers that are in use.
///
/// # Errors
/// In words for the operator: a file that cannot be read, a key that cannot sign.
pub(super) fn providers(config: &Config) -> Result<Providers, String> {
    let all = enabled(config).map(|provider| {
        let wrong = |why: String| format!("identity_provider \"{}\": {why}", provider.slug);
        Ok(Provider {
            source: Source::provider(provider.slug.as_str()),
            name: provider.display_name().to_owned(),
            direct: provider.direct,
            protocol: match provider.kind {
                Kind::Oidc => Protocol::Oidc(Arc::new(openid(config, provider).map_err(wrong)?)),
                Kind::Saml => Protocol::Saml,
            },
            attributes: Arc::new(match provider.kind {
                Kind::Oidc => attributes(provider),
                Kind::Saml => super::saml::attributes(provider),
            }),
            trust_email: provider.danger_trust_email,
            trust: Arc::new(trust(provider)),
            revalidates: revalidation(provider).is_some(),
            single_logout: provider.single_logout,
        })
    });
    Ok(Providers::new(all.collect::<Result<_, String>>()?))
}

/// Which of its words mean a second factor.
pub(super) fn trust(provider: &IdentityProvider) -> FactorTrust {
    match provider.kind {
        Kind::Oidc => FactorTrust {
            contexts: provider.oidc.second_factor_acr.clone(),
            methods: provider.oidc.second_factor_amr.clone(),
        },
        Kind::Saml => FactorTrust { contexts: provider.saml.second_factor_contexts.clone(), methods: Vec::new() },
    }
}

/// How often it is asked again; SAML has nothing to ask with.
fn revalidation(provider: &IdentityProvider) -> Option<Duration> {
    provider.oidc.revalidate.filter(|_| provider.kind == Kind::Oidc).map(Span::duration)
}

fn openid(config: &Config, provider: &IdentityProvider) -> Result<Oidc, String> {
    Ok(Oidc {
        client: OidcClient::new(settings(config, provider)?)?,
        essential: provider.oidc.claims.as_deref().map(EssentialClaims::of).unwrap_or_default(),
    })
}

fn enabled(config: &Config) -> impl Iterator<Item = &IdentityProvider> {
    config.identity_providers.iter().filter(|provider| provider.enabled)
}

fn of_provider(provider: &IdentityProvider) -> SourceRules {
    SourceRules {
        name: provider.display_name().to_owned(),
        on_first_sign_in: match provider.on_first_sign_in {
            Configured::Create => OnFirstSignIn::Create,
            Configured::LinkVerifiedEmail => OnFirstSignIn::LinkVerifiedEmail,
            Configured::InvitedOnly => OnFirstSignIn::InvitedOnly,
            Configured::Deny => OnFirstSignIn::Deny,
        },
        approval: provider.approval,
        refresh: provider.update_profile,
        groups: GroupRules { exclusive: provider.groups.mode == GroupMode::Exclusive, create: provider.groups.create },
        revalidate: revalidation(provider),
    }
}

/// Where an OpenID provider says what; the names are those of OpenID Connect Core section 5.1.
fn attributes(provider: &IdentityProvider) -> AttributeMap {
    let names = |set: &Option<Vec<String>>, usual: &[&str]| {
        set.clone().unwrap_or_else(|| usual.iter().map(|&name| name.to_owned()).collect())
    };
    let (set, groups) = (&provider.attributes, &provider.groups);
    AttributeMap {
        username: names(&set.username, &["preferred_username", "email"]),
        email: names(&set.email, &["email"]),
        name: names(&set.name, &["name"]),
        first_name: names(&set.first_name, &["given_name"]),
        last_name: names(&set.last_name, &["family_name"]),
        language: names(&set.language, &["locale"]),
        administrator: names(&set.administrator, &[]),
        groups: groups.from.clone(),
        // The configuration was checked.
        group_patterns: groups.patterns.iter().filter_map(|pattern| pattern.parse().ok()).collect(),
        administrator_groups: groups.administrators.clone(),
    }
}

fn settings(config: &Config, provider: &IdentityProvider) -> Result<Settings, String> {
    let oidc = &provider.oidc;
    Ok(Settings {
        issuer: oidc.issuer.clone().unwrap_or_default(),
        client_id: oidc.client_id.clone().unwrap_or_default(),
        credential: credential(oidc)?,
        redirect_uri: config.public_url.join(&format!("/login/{}/callback", provider.slug)),
        scopes: oidc.scopes.clone(),
        form_post: oidc.response_mode == ResponseMode::FormPost,
        acr_values: oidc.acr_values.clone(),
        claims: oidc.claims.clone(),
        prompt: oidc.prompt.clone(),
        max_age: oidc.max_age,
        userinfo: oidc.userinfo,
        algorithms: oidc.algorithms.iter().map(|&one| algorithm(one)).collect(),
        discovery: oidc.discovery,
        endpoints: Endpoints {
            authorization: oidc.authorization_endpoint.clone(),
            token: oidc.token_endpoint.clone(),
            jwks: oidc.jwks_uri.clone(),
            userinfo: oidc.userinfo_endpoint.clone(),
            end_session: oidc.end_session_endpoint.clone(),
        },
        fetch: fetches(provider)?,
    })
}

/// How this service asks for what the provider shows the web.
pub(super) fn fetches(provider: &IdentityProvider) -> Result<FetchSettings, String> {
    Ok(FetchSettings {
        allow_private: provider.allow_private_network,
        authorities: provider.ca_file.as_deref().map(|file| read("ca_file", file)).transpose()?,
        timeout: provider.timeout.duration(),
    })
}

fn credential(oidc: &oidc::Oidc) -> Result<Credential, String> {
    let secret = || oidc.client_secret.clone().unwrap_or_else(|| Secret::new(String::new()));
    match oidc.client_authentication {
        ClientAuthentication::ClientSecretBasic => Ok(Credential::Basic(secret())),
        ClientAuthentication::ClientSecretPost => Ok(Credential::Post(secret())),
        ClientAuthentication::PrivateKeyJwt => {
            let file = oidc.private_key_file.as_deref().unwrap_or(Path::new(""));
            let pem = Secret::new(read("private_key_file", file)?);
            let (key, algorithm) = signing_key(pem.expose())
                .ok_or("private_key_file: there is no private key in it that can sign (RSA, P-256, P-384, Ed25519)")?;
            Ok(Credential::PrivateKey { key, algorithm, id: oidc.private_key_id.clone() })
        }
    }
}

/// The key of a PEM file and what it signs with, found out by signing.
fn signing_key(pem: &[u8]) -> Option<(EncodingKey, Algorithm)> {
    let readings = [
        (EncodingKey::from_rsa_pem(pem), &[Algorithm::RS256][..]),
        (EncodingKey::from_ec_pem(pem), &[Algorithm::ES256, Algorithm::ES384]),
        (EncodingKey::from_ed_pem(pem), &[Algorithm::EdDSA]),
    ];
    readings.into_iter().find_map(|(key, algorithms)| {
        let key = key.ok()?;
        let signs = |one: &&Algorithm| jsonwebtoken::encode(&Header::new(**one), &serde_json::json!({}), &key).is_ok();
        let algorithm = *algorithms.iter().find(signs)?;
        Some((key, algorithm))
    })
}

fn read(key: &str, file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{key}: {} cannot be read: {error}", file.display()))
}

const fn algorithm(one: Signature) -> Algorithm {
    match one {
        Signature::RS256 => Algorithm::RS256,
        Signature::RS384 => Algorithm::RS384,
        Signature::RS512 => Algorithm::RS512,
        Signature::PS256 => Algorithm::PS256,
        Signature::PS384 => Algorithm::PS384,
        Signature::PS512 => Algorithm::PS512,
        Signature::ES256 => Algorithm::ES256,
        Signature::ES384 => Algorithm::ES384,
        Signature::EdDSA => Algorithm::EdDSA,
    }
}
