//! `[[identity_provider]]` with `kind = "saml"`: the keys that only SAML has.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::findings::Findings;

/// The keys of a SAML identity provider.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Saml {
    /// SAML: address of the provider's metadata; it is read again from time to time.
    #[schemars(example = &"https://idp.example.org/metadata")]
    pub metadata_url: Option<String>,

    /// SAML: file with the provider's metadata, instead of `metadata_url`.
    #[schemars(example = &"/etc/vestibule/idp-metadata.xml")]
    pub metadata_file: Option<PathBuf>,
}

impl Saml {
    pub(super) fn check(&self, key: &dyn Fn(&str) -> String, found: &mut Findings) {
        if self.metadata_url.is_none() && self.metadata_file.is_none() {
            found.wrong(&key("metadata_url"), "is missing, and so is metadata_file: one of them is needed");
        }
    }
}
