//! What the operator decided about one SAML provider, in the terms of the use cases.

use crate::connect::fetch::Fetcher;
use crate::domain::attribute_map::AttributeMap;
use crate::domain::factor_trust::FactorTrust;
use crate::domain::identity::Source;
use std::path::PathBuf;

/// One SAML provider.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the operator sets")]
pub struct ProviderSettings {
    /// Its short name.
    pub slug: String,
    /// The name that people see.
    pub name: String,
    /// Where its metadata is.
    pub metadata: MetadataSource,
    /// Certificates (PEM) one of which must have signed the metadata.
    pub metadata_certificates: Option<PathBuf>,
    /// Which provider is meant, where metadata holds several.
    pub provider_entity_id: Option<String>,
    /// Authentication requests are signed.
    pub sign_requests: bool,
    /// Authentication requests go by POST where the provider takes it.
    pub request_by_post: bool,
    /// The kind of name that is wanted: a URI.
    pub name_id_format: Option<String>,
    /// Attribute that names the person instead of the `NameID`.
    pub subject_attribute: Option<String>,
    /// People prove themselves anew.
    pub force_authn: bool,
    /// Ways to sign in of which one is demanded.
    pub contexts: Vec<String>,
    /// Which of its words mean a second factor.
    pub trust: FactorTrust,
    /// Answers without a question are accepted.
    pub allow_unsolicited: bool,
    /// AES-CBC is accepted.
    pub allow_cbc: bool,
    /// Signing out here signs out there.
    pub single_logout: bool,
    /// Which attributes say what.
    pub map: AttributeMap,
    /// Addresses it names count as verified.
    pub trust_email: bool,
    /// Asks for its metadata.
    pub fetcher: Fetcher,
}

impl ProviderSettings {
    /// The provider as a source of identities.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::provider(&self.slug)
    }
}

/// Where a provider's metadata is.
#[derive(Clone, Debug)]
pub enum MetadataSource {
    /// On the web.
    Url(String),
    /// In a file.
    File(PathBuf),
}
