//! `[[identity_provider]]` with `kind = "saml"`: the keys that only SAML has.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::config::findings::Findings;

/// The keys of a SAML identity provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the operator sets")]
pub struct Saml {
    /// SAML: address of the provider's metadata; it is read again from time to time, and the last good copy is kept.
    #[schemars(example = &"https://idp.example.org/metadata")]
    pub metadata_url: Option<String>,

    /// SAML: file with the provider's metadata, instead of `metadata_url`; it is read again from time to time.
    #[schemars(example = &"/etc/vestibule/idp-metadata.xml")]
    pub metadata_file: Option<PathBuf>,

    /// SAML: file with the certificates (PEM) one of which must have signed the metadata. When not set, the metadata is
    /// believed as it comes.
    #[schemars(example = &"/etc/vestibule/federation.pem")]
    pub metadata_certificate_file: Option<PathBuf>,

    /// SAML: which provider is meant, where the metadata holds several.
    #[schemars(example = &"https://idp.example.org/saml")]
    pub provider_entity_id: Option<String>,

    /// SAML: whether authentication requests are signed. Where the provider's metadata asks for it, they are in any case.
    pub sign_requests: bool,

    /// SAML: how the browser brings an authentication request.
    pub request_binding: Binding,

    /// SAML: the kind of name (`NameID`) that is wanted: `persistent`, `transient`, `email`, `unspecified`, or a URI. When
    /// not set, the provider chooses. With `transient`, set `subject_attribute`.
    #[schemars(example = &"persistent")]
    pub name_id_format: Option<String>,

    /// SAML: attribute that names the person for good, instead of the `NameID`. It must never be given to somebody else.
    #[schemars(example = &"urn:oasis:names:tc:SAML:attribute:subject-id")]
    pub subject_attribute: Option<String>,

    /// SAML: whether people have to prove themselves anew at the provider each time.
    pub force_authn: bool,

    /// SAML: ways to sign in of which one is demanded (`AuthnContextClassRef`); whoever comes in another way is refused.
    #[schemars(example = &["https://refeds.org/profile/mfa"])]
    pub authn_contexts: Vec<String>,

    /// SAML: ways to sign in (`AuthnContextClassRef`) that count as a second factor here, as `second_factor_acr` does for
    /// OpenID Connect. Compared exactly; demand them with `authn_contexts`. Empty is none.
    ///
    /// Danger: the provider's word then opens what asks for two factors.
    #[schemars(example = &["https://refeds.org/profile/mfa"])]
    pub second_factor_contexts: Vec<String>,

    /// SAML: whether answers are accepted that no browser here asked for (a sign-in that begins at the provider).
    ///
    /// Danger: somebody can sign a person in under another's account without them noticing.
    pub danger_allow_unsolicited: bool,

    /// SAML: whether assertions encrypted with AES-CBC are accepted, in signed responses. GCM always is.
    ///
    /// Danger: CBC tells an attacker who can ask often enough what is encrypted.
    pub danger_allow_cbc: bool,
}

impl Default for Saml {
    fn default() -> Self {
        Self {
            metadata_url: None,
            metadata_file: None,
            metadata_certificate_file: None,
            provider_entity_id: None,
            sign_requests: true,
            request_binding: Binding::Redirect,
            name_id_format: None,
            subject_attribute: None,
            force_authn: false,
            authn_contexts: Vec::new(),
            second_factor_contexts: Vec::new(),
            danger_allow_unsolicited: false,
            danger_allow_cbc: false,
        }
    }
}

/// How a browser brings a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In the address.
    Redirect,
    /// In a form, which a script on its page sends at once; where scripts are off, a button does.
    Post,
}

impl Saml {
    /// The wanted kind of name as a URI.
    #[must_use]
    pub fn name_id_format_uri(&self) -> Option<String> {
        let uri = match self.name_id_format.as_deref()? {
            "persistent" => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            "transient" => "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
            "email" => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            "unspecified" => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            other => other,
        };
        Some(uri.to_owned())
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String, found: &mut Findings) {
        match (&self.metadata_url, &self.metadata_file) {
            (None, None) => {
                found.wrong(&key("metadata_url"), "is missing, and so is metadata_file: one of them is needed");
            }
            (Some(_), Some(_)) => found.wrong(&key("metadata_file"), "and metadata_url are both set: one is needed"),
            (Some(url), None) => {
                if let Err(why) = address(url) {
                    found.wrong(&key("metadata_url"), &why);
                }
            }
            (None, Some(_)) => {}
        }
        let uris = self.authn_contexts.iter().chain(&self.second_factor_contexts).chain(&self.provider_entity_id);
        if uris.into_iter().any(|uri| uri.trim() != uri || uri.is_empty() || uri.len() > 1024) {
            found.wrong(&key("authn_contexts"), "or another name is empty, too long, or has spaces around it");
        }
        if let Some(format) = self.name_id_format_uri()
            && !format.contains(':')
        {
            let known = "is neither persistent, transient, email nor unspecified, and no URI";
            found.wrong(&key("name_id_format"), known);
        }
        if self.name_id_format.as_deref() == Some("transient") && self.subject_attribute.is_none() {
            let needed = "is missing: a transient name is another one each time";
            found.wrong(&key("subject_attribute"), needed);
        }
    }
}

/// An address that can be asked: https, or http on this very machine.
fn address(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|why| format!("{text:?} is no web address ({why})"))?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(format!("{text:?} has no host")),
    };
    if url.scheme() == "https" || (url.scheme() == "http" && local) {
        return Ok(());
    }
    Err(format!("{text:?} must be https (http is for this very machine only)"))
}
