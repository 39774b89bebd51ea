//! What the operator made of the look: logos and colours, each a file like those of `assets.rs`, made once at the start;
//! and what stands at the foot of every page.

use super::assets::{Asset, File, path_of};
use crate::domain::accent::Colour;
use crate::domain::logo::Logo;
use std::collections::HashMap;

/// The look of this installation; the default is ours.
#[derive(Debug, Default)]
pub struct Brand {
    logo: Option<Asset>,
    colours: Option<Asset>,
    /// Of identity providers, by their slugs.
    providers: HashMap<String, Asset>,
    privacy_notice: Option<String>,
    privacy_contact: Option<String>,
}

impl Brand {
    /// With a logo and an accent of the operator's own.
    #[must_use]
    pub fn new(logo: Option<Logo>, accent: Option<Colour>) -> Self {
        let logo = logo.map(|logo| picture("logo", logo));
        let colours = accent.map(|accent| {
            let (light, dark) = (accent.light(), accent.dark());
            let rule = format!(":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n");
            Asset::new("accent", "css", "text/css; charset=utf-8", rule.into_bytes())
        });
        Self { logo, colours, ..Self::default() }
    }

    /// The same with what people are told about their data: the web address of the notice, and a mail address.
    #[must_use]
    pub fn with_privacy(self, notice: Option<String>, contact: Option<String>) -> Self {
        Self { privacy_notice: notice, privacy_contact: contact, ..self }
    }

    /// The same with logos of identity providers, by their slugs.
    #[must_use]
    pub fn with_providers(self, logos: impl IntoIterator<Item = (String, Logo)>) -> Self {
        Self { providers: logos.into_iter().map(|(slug, logo)| (slug, picture("provider", logo))).collect(), ..self }
    }

    /// The path of a provider's logo, if it has one.
    #[must_use]
    pub fn provider(&self, slug: &str) -> Option<&str> {
        self.providers.get(slug).map(Asset::path)
    }

    /// The web address of the privacy notice.
    #[must_use]
    pub fn privacy_notice(&self) -> Option<&str> {
        self.privacy_notice.as_deref()
    }

    /// The mail address for questions about data.
    #[must_use]
    pub fn privacy_contact(&self) -> Option<&str> {
        self.privacy_contact.as_deref()
    }

    /// Whether there is anything for the foot of a page.
    #[must_use]
    pub const fn has_foot(&self) -> bool {
        self.privacy_notice.is_some() || self.privacy_contact.is_some()
    }

    /// The path of the mark above the name of the service.
    #[must_use]
    pub fn logo(&self) -> &str {
        self.logo.as_ref().map_or_else(|| path_of(File::Logo), Asset::path)
    }

    /// Whether that mark is the operator's, and so of any shape.
    #[must_use]
    pub const fn has_own_logo(&self) -> bool {
        self.logo.is_some()
    }

    /// The path of the rules that follow the stylesheet.
    #[must_use]
    pub fn colours(&self) -> Option<&str> {
        self.colours.as_ref().map(Asset::path)
    }

    /// The file at a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Asset> {
        let mut all = [&self.logo, &self.colours].into_iter().flatten().chain(self.providers.values());
        all.find(|asset| asset.path() == path)
    }
}

fn picture(name: &str, logo: Logo) -> Asset {
    let format = logo.format();
    Asset::new(name, format.extension(), format.media_type(), logo.into_bytes())
}
