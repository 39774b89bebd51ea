//! Where a browser signs out at a provider (OpenID Connect RP-Initiated Logout 1.0), and whose pages may show ours in a frame
//! for that (Front-Channel Logout 1.0).

use super::{Known, OidcClient};
use url::Url;

/// Longest ID token that travels in an address; servers refuse addresses much longer than this. Without it the provider
/// asks the person.
const LONGEST_HINT: usize = 6 * 1024;

/// What a provider is told when somebody signs out.
#[derive(Clone, Copy, Debug)]
pub struct Farewell<'a> {
    /// The ID token of the session, as it came.
    pub id_token: Option<&'a str>,
    /// Comes back with the browser.
    pub state: &'a str,
    /// Where the browser comes back; registered at the provider.
    pub return_to: &'a str,
    /// The language of the person.
    pub language: &'a str,
}

impl OidcClient {
    /// Where to send a browser to sign out; `None` when the provider has no such address, or none that browsers may be
    /// sent to.
    #[must_use]
    pub fn end_session(&self, known: &Known, farewell: &Farewell<'_>) -> Option<String> {
        let address = known.metadata.end_session_endpoint.as_deref()?;
        if !self.sends_browsers_to(address) {
            return None;
        }
        let mut url = Url::parse(address).ok()?;
        url.query_pairs_mut()
            .extend_pairs(
                farewell.id_token.filter(|token| token.len() <= LONGEST_HINT).map(|token| ("id_token_hint", token)),
            )
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", farewell.return_to)
            .append_pair("state", farewell.state)
            .append_pair("ui_locales", farewell.language);
        Some(url.into())
    }

    /// Whether browsers can be sent to this address.
    #[must_use]
    pub fn sends_browsers_to(&self, address: &str) -> bool {
        self.fetcher.allows(address).is_ok() && Url::parse(address).is_ok()
    }

    /// The origins that the provider's pages come from, as far as they are known.
    #[must_use]
    pub fn page_origins(&self) -> Vec<String> {
        let known = self.kept();
        let metadata = known.as_ref().map(|known| &known.metadata);
        let pages = metadata.into_iter().flat_map(|found| {
            [Some(&found.authorization_endpoint), found.end_session_endpoint.as_ref()].into_iter().flatten()
        });
        let mut origins: Vec<String> = std::iter::once(&self.settings.issuer)
            .chain(pages)
            .filter_map(|address| Url::parse(address).ok())
            .map(|url| url.origin().ascii_serialization())
            .collect();
        origins.sort();
        origins.dedup();
        origins
    }
}
