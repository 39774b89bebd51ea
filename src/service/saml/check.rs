//! `vestibule idp check`: does what a sign-in would do, as far as that goes without a person, and says what to mend.

use super::provider::Known;
use super::{Saml, SamlError};
use crate::connect::saml::certificate;
use crate::domain::time::Timestamp;
use crate::service::caller::Operator;
use crate::service::context::Context;
use std::time::Duration;

const SOON: Duration = Duration::from_hours(24 * 30);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be, or good to know.
    Fine,
    /// People can sign in; it should be looked at.
    Warning,
    /// Nobody can sign in.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// In words for the operator.
    pub text: String,
}

impl Saml {
    /// Looks at a provider: its metadata read anew, its certificates, its addresses; and says what it must know of us.
    ///
    /// # Errors
    /// [`SamlError::Unknown`]; whatever is wrong with the provider is a finding.
    pub async fn check(&self, ctx: &Context, _by: Operator, slug: &str) -> Result<Vec<Finding>, SamlError> {
        let provider = self.provider(slug)?;
        let mut found = Found(Vec::new());
        match provider.fetched(ctx.now()).await {
            Ok((_, known)) => {
                found.fine(format!("the metadata is read: {}", known.metadata.entity_id));
                found.of(&known, ctx.now(), provider.settings.single_logout);
            }
            Err(why) => found.wrong(format!("the metadata cannot be read: {why}")),
        }
        let address = self.addresses(slug);
        for key in self.service_keys(ctx).await? {
            if let Ok(state) = certificate::inspect(&key.certificate) {
                found.fine(format!("a key of ours: {} until {}", state.key, day(state.ends)));
            }
        }
        found.fine(format!("register at the provider: the metadata {}", address.entity_id));
        found.fine(format!("or by hand: entity ID {}", address.entity_id));
        found.fine(format!("            assertion consumer service (POST) {}", address.acs));
        found.fine(format!("            single logout service (Redirect, POST) {}", address.slo));
        Ok(found.0)
    }
}

struct Found(Vec<Finding>);

impl Found {
    fn fine(&mut self, text: String) {
        self.0.push(Finding { level: Level::Fine, text });
    }

    fn warning(&mut self, text: String) {
        self.0.push(Finding { level: Level::Warning, text });
    }

    fn wrong(&mut self, text: String) {
        self.0.push(Finding { level: Level::Wrong, text });
    }

    fn of(&mut self, known: &Known, now: Timestamp, single_logout: bool) {
        let metadata = &known.metadata;
        if metadata.certificates.is_empty() {
            self.wrong("the metadata names no certificate to sign with: nobody can come in".to_owned());
        }
        for der in &metadata.certificates {
            match certificate::inspect(der) {
                Ok(state) if state.ends <= now => {
                    let text = "since that is not judged in SAML it still counts; ask for a new one";
                    self.warning(format!("the certificate {} ended on {}: {text}", state.name, day(state.ends)));
                }
                Ok(state) if state.ends <= now.after(SOON) => {
                    self.warning(format!("the certificate {} ends on {}", state.name, day(state.ends)));
                }
                Ok(state) => {
                    self.fine(format!("a certificate: {}, {} until {}", state.name, state.key, day(state.ends)));
                }
                Err(refusal) => self.warning(refusal.detail),
            }
        }
        for problem in &metadata.unusable {
            self.warning(format!("a certificate in the metadata is not used: {problem}"));
        }
        for (name, endpoint) in [("redirect", &metadata.sign_on.redirect), ("POST", &metadata.sign_on.post)] {
            if let Some(url) = endpoint {
                self.fine(format!("people sign in at {url} (by {name})"));
                if url.scheme() != "https" {
                    self.warning(format!("{url} is not https"));
                }
            }
        }
        let logout = metadata.logout.redirect.as_ref().or(metadata.logout.post.as_ref());
        match (logout, single_logout) {
            (Some(url), true) => self.fine(format!("people sign out at {url}")),
            (None, true) => self.warning("the provider has no single logout; signing out ends here".to_owned()),
            (_, false) => self.fine("single_logout is off; signing out ends here".to_owned()),
        }
        if let Some(until) = metadata.valid_until {
            let text = format!("the metadata is valid until {}", day(until));
            if now.after(Duration::from_hours(24)) >= until { self.warning(text) } else { self.fine(text) }
        }
    }
}

fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}
