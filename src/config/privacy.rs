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
}

impl Privacy {
    pub(super) fn check(&self, found: &mut Findings) {
        let good = |text: &String| {
            text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
                && !text.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        if !self.contact.as_ref().is_none_or(good) {
            found.wrong("privacy.contact", "is no mail address");
        }
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
