//! What can be found out about a provider without signing in: how its clock stands, when its certificate ends, and what it
//! says to a question that shows nobody a page.

use super::super::fetch::{FetchError, PeerCertificate, clock};
use super::{Known, OidcClient, OidcError, Question};
use crate::domain::time::Timestamp;
use http::StatusCode;
use url::Url;

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// By how many seconds its clock is ahead of ours, if it says what time it is.
    pub clock_ahead: Option<i64>,
    /// When the certificate ends that it shows; `None` without TLS.
    pub certificate_ends: Option<Timestamp>,
    /// What it says to a question of ours.
    pub said: Said,
}

/// What a provider says to a question that shows nobody a page (`prompt=none`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It sends the browser back to us, with this error or none: it knows us and our redirect address.
    Back(Option<String>),
    /// It refuses on a page of its own, with this status: it does not know us, or not our redirect address.
    Refuses(u16),
    /// It leads elsewhere, or shows a page: nothing is known.
    Nothing,
    /// There is no answer.
    Away(FetchError),
}

impl OidcClient {
    /// Looks. `question` must be fresh; its answer is of no use to anybody.
    ///
    /// # Errors
    /// [`OidcError::Malformed`] when the metadata has addresses that are none.
    pub async fn probe(&self, known: &Known, question: &Question<'_>, now: Timestamp) -> Result<Probe, OidcError> {
        let address = self.authorization(known, question)?;
        let keys = self.fetcher.get(&known.metadata.jwks_uri, "application/json").await.ok();
        let clock = keys.as_ref().and_then(|answer| clock(answer.headers()));
        let certificate = keys.as_ref().and_then(|answer| answer.extensions().get::<PeerCertificate>());
        let said = match self.fetcher.leads(&silent(&address)).await {
            Ok((status, to)) => self.heard(status, to.as_deref()),
            Err(error) => Said::Away(error),
        };
        Ok(Probe {
            clock_ahead: clock.map(|theirs| theirs.saturating_sub(now.seconds())),
            certificate_ends: certificate.and_then(PeerCertificate::ends),
            said,
        })
    }

    /// Why an address is never asked; `None` when it is.
    #[must_use]
    pub fn never_asks(&self, address: &str) -> Option<FetchError> {
        self.fetcher.allows(address).err()
    }

    fn heard(&self, status: StatusCode, to: Option<&str>) -> Said {
        let back = to.and_then(|to| to.strip_prefix(&self.settings.redirect_uri)).filter(|rest| rest.starts_with('?'));
        match back {
            Some(query) if status.is_redirection() => {
                let mut fields = url::form_urlencoded::parse(query.trim_start_matches('?').as_bytes());
                Said::Back(fields.find(|(name, _)| name == "error").map(|(_, error)| error.into_owned()))
            }
            _ if status.is_client_error() => Said::Refuses(status.as_u16()),
            _ => Said::Nothing,
        }
    }
}

/// The same question, to be answered at once and in the address.
fn silent(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    let kept = url.query_pairs().into_owned().filter(|(name, _)| name != "prompt" && name != "response_mode");
    let kept: Vec<_> = kept.collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair("prompt", "none");
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_question_asks_for_no_page() {
        let silent = silent("https://idp.example.org/a?x=1&prompt=login&response_mode=form_post&state=s%20t");
        assert_eq!(silent, "https://idp.example.org/a?x=1&state=s+t&prompt=none");
    }
}
