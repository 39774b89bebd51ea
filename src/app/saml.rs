//! From the operator's words about SAML providers to the services' terms.

use crate::config::Config;
use crate::config::identity_provider::saml::Binding;
use crate::config::identity_provider::{IdentityProvider, Kind};
use crate::connect::fetch::Fetcher;
use crate::domain::attribute_map::AttributeMap;
use crate::service::saml::{MetadataSource, ProviderSettings};
use std::path::PathBuf;

/// The SAML providers that are in use.
///
/// # Errors
/// In words for the operator: `ca_file` cannot be read, or has no certificate in it.
pub(super) fn settings(config: &Config) -> Result<Vec<ProviderSettings>, String> {
    let saml = |provider: &&IdentityProvider| provider.enabled && provider.kind == Kind::Saml;
    let wrong = |slug: &str, why: String| format!("identity_provider \"{slug}\": {why}");
    let all = config.identity_providers.iter().filter(saml);
    all.map(|provider| of_provider(provider).map_err(|why| wrong(provider.slug.as_str(), why))).collect()
}

fn of_provider(provider: &IdentityProvider) -> Result<ProviderSettings, String> {
    let saml = &provider.saml;
    let metadata = match (&saml.metadata_url, &saml.metadata_file) {
        (Some(url), _) => MetadataSource::Url(url.clone()),
        (None, file) => MetadataSource::File(file.clone().unwrap_or_else(PathBuf::new)),
    };
    let fetcher = Fetcher::new(&super::sources::fetches(provider)?).map_err(|why| format!("ca_file: {why}"))?;
    Ok(ProviderSettings {
        slug: provider.slug.as_str().to_owned(),
        name: provider.display_name().to_owned(),
        metadata,
        metadata_certificates: saml.metadata_certificate_file.clone(),
        provider_entity_id: saml.provider_entity_id.clone(),
        sign_requests: saml.sign_requests,
        request_by_post: saml.request_binding == Binding::Post,
        name_id_format: saml.name_id_format_uri(),
        subject_attribute: saml.subject_attribute.clone(),
        force_authn: saml.force_authn,
        contexts: saml.authn_contexts.clone(),
        trust: super::sources::trust(provider),
        allow_unsolicited: saml.danger_allow_unsolicited,
        allow_cbc: saml.danger_allow_cbc,
        single_logout: provider.single_logout,
        map: attributes(provider),
        trust_email: provider.danger_trust_email,
        fetcher,
    })
}

const UID: [&str; 6] = [
    "uid",
    "urn:oid:0.9.2342.19200300.100.1.1",
    "eduPersonPrincipalName",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
    "username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
];
const MAIL: [&str; 4] = [
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "email",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
];
const NAME: [&str; 6] = [
    "displayName",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "cn",
    "urn:oid:2.5.4.3",
    "name",
];
const FIRST: [&str; 4] =
    ["givenName", "urn:oid:2.5.4.42", "firstName", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"];
const LAST: [&str; 4] =
    ["sn", "urn:oid:2.5.4.4", "lastName", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"];
const LANGUAGE: [&str; 2] = ["preferredLanguage", "urn:oid:2.16.840.1.113730.3.1.39"];

/// Where a SAML provider says what: the names that are in use.
pub(super) fn attributes(provider: &IdentityProvider) -> AttributeMap {
    let names = &provider.attributes;
    let or = |set: &Option<Vec<String>>, usual: &[&str]| {
        set.clone().unwrap_or_else(|| usual.iter().map(|name| (*name).to_owned()).collect())
    };
    let usual_username: Vec<&str> = UID.iter().chain(&MAIL).copied().collect();
    AttributeMap {
        username: or(&names.username, &usual_username),
        email: or(&names.email, &MAIL),
        name: or(&names.name, &NAME),
        first_name: or(&names.first_name, &FIRST),
        last_name: or(&names.last_name, &LAST),
        language: or(&names.language, &LANGUAGE),
        administrator: names.administrator.clone().unwrap_or_default(),
        groups: provider.groups.from.clone(),
        group_patterns: provider.groups.patterns.iter().filter_map(|pattern| pattern.parse().ok()).collect(),
        administrator_groups: provider.groups.administrators.clone(),
    }
}
