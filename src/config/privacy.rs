//! `[privacy]`: whom people can ask about their data.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{findings::Findings, values::text_value};

/// The section `[privacy]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Mail address of the person or office in charge of data protection.
    #[schemars(example = &"privacy@example.org")]
    pub contact: Option<String>,

    /// Address of the privacy notice (Art. 13 GDPR).
    #[schemars(example = &"https://example.org/privacy")]
    pub notice_url: Option<WebAddress>,

    /// Whom to tell about a weakness of this service. Shown to everybody in `/.well-known/security.txt` (RFC 9116), which
    /// is not there without it.
    #[schemars(example = &"mailto:security@example.org")]
    pub security_contact: Option<SecurityContact>,
}

impl Privacy {
    pub(super) fn check(&self, found: &mut Findings) {
        if !self.contact.as_deref().is_none_or(is_mail_address) {
            found.wrong("privacy.contact", "is no mail address");
        }
    }
}

fn is_mail_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

/// Whom to tell about a weakness (RFC 9116 section 2.5.3): a mail address or a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityContact(url::Url);

text_value!(SecurityContact, "an address that begins with mailto: or https://");

impl FromStr for SecurityContact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match url::Url::parse(text) {
            Ok(url) if url.scheme() == "https" => Ok(Self(url)),
            Ok(url) if url.scheme() == "mailto" && is_mail_address(url.path()) => Ok(Self(url)),
            _ => Err(format!("{text:?} is neither a mailto: nor an https:// address")),
        }
    }
}

impl fmt::Display for SecurityContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An absolute http or https address that our pages link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(url::Url);

text_value!(WebAddress, "an absolute address that begins with https:// or http://");

impl WebAddress {
    /// The address, normalised.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for WebAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => Ok(Self(url)),
            _ => Err(format!("{text:?} is no web address")),
        }
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
