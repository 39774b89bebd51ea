//! `vestibule idp check`: does what a sign-in would do, as far as that goes without a person, and says what to mend.

use super::provider::{Fresh, Problem, WARN_BEFORE};
use super::{Saml, SamlError};
use crate::connect::fetch::FetchError;
use crate::connect::saml::SKEW;
use crate::connect::saml::certificate;
use crate::connect::saml::metadata::ProviderMetadata;
use crate::domain::time::Timestamp;
use crate::domain::trace::span;
use crate::service::caller::Operator;
use crate::service::context::Context;
use crate::service::provider::of_certificate;
use std::time::Duration;

/// A difference between clocks, in seconds, that the way of an answer explains.
const USUAL: i64 = 2;

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
            Ok(fresh) => {
                found.fine(format!("the metadata is read: {}", fresh.known.metadata.entity_id));
                found.server(&fresh, ctx.now());
                found.certificates(&fresh.known.metadata, ctx.now());
                found.rest(&fresh.known.metadata, ctx.now(), provider.settings.single_logout);
            }
            Err(problem) => {
                found.wrong(format!("the metadata cannot be read: {problem}\n{}", remedy(&problem)));
                if provider.known(&self.core.database, ctx.now()).await.is_ok() {
                    found.warning(
                        "until then the last good copy is used; a new key of the provider stays unknown".to_owned(),
                    );
                }
            }
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

    /// What the web server of the provider shows besides the metadata.
    fn server(&mut self, fresh: &Fresh, now: Timestamp) {
        if let Some(ahead) = fresh.clock_ahead {
            let side = if ahead > 0 { "ahead of" } else { "behind" };
            let skew = i64::try_from(SKEW.as_secs()).unwrap_or(i64::MAX);
            if ahead.abs() <= USUAL {
                self.fine("its clock goes as this machine's".to_owned());
            } else if ahead.abs() <= skew {
                self.fine(format!("its clock is {} {side} this machine's; up to {skew} s are borne", span(ahead)));
            } else {
                let off = format!("its clock is {} {side} this machine's; up to {skew} s are borne", span(ahead));
                self.wrong(format!("{off}\nSet both clocks by NTP; look at this machine's first."));
            }
        }
        match fresh.certificate_ends {
            Some(ends) if ends <= now.after(WARN_BEFORE) => self.warning(format!(
                "the certificate of its web server ends on {}\nHave it renewed before; the metadata cannot be read then.",
                day(ends)
            )),
            Some(ends) => self.fine(format!("the certificate of its web server is good until {}", day(ends))),
            None => {}
        }
    }

    /// The certificates that it signs with.
    fn certificates(&mut self, metadata: &ProviderMetadata, now: Timestamp) {
        if metadata.certificates.is_empty() {
            let none = "the metadata names no certificate to sign with: nobody can come in";
            self.wrong(format!("{none}\nHave the provider publish one (RSA of 2048 bits or more, or EC)."));
        }
        for der in &metadata.certificates {
            match certificate::inspect(der) {
                Ok(state) if state.ends <= now => {
                    let text = "since that is not judged in SAML it still counts; ask for a new one";
                    self.warning(format!("the certificate {} ended on {}: {text}", state.name, day(state.ends)));
                }
                Ok(state) if state.ends <= now.after(WARN_BEFORE) => {
                    let text = "The provider is to publish the new one beside it, a day before it signs with it.";
                    self.warning(format!("the certificate {} ends on {}\n{text}", state.name, day(state.ends)));
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
    }

    fn rest(&mut self, metadata: &ProviderMetadata, now: Timestamp, single_logout: bool) {
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
            if now.after(Duration::from_hours(24)) >= until {
                self.warning(format!("{text}\nThe provider is to publish a newer one; nobody can come in after that."));
            } else {
                self.fine(text);
            }
        }
    }
}

/// What to do about metadata that cannot be read.
fn remedy(problem: &Problem) -> &'static str {
    match problem {
        Problem::Fetch(FetchError::Private(_)) => {
            "If the provider is inside your network, set allow_private_network = true for it."
        }
        Problem::Fetch(FetchError::Address(_)) => "Use an https address.",
        Problem::Fetch(FetchError::Redirect(_)) => "Set metadata_url to where the redirect leads.",
        Problem::Fetch(FetchError::TooLarge) => {
            "That is a federation's: have the provider's own metadata, or save it as metadata_file."
        }
        Problem::Fetch(FetchError::Unreachable(why)) if why.contains("certificate") => of_certificate(why),
        Problem::Fetch(_) => {
            "Look whether this machine reaches the provider, and whether its certificate is trusted here (ca_file)."
        }
        Problem::Status(_) => "Look whether metadata_url is right, and whether it asks nobody to sign in.",
        Problem::File(_) => "Look whether the file is there, and whether this service may read it.",
        Problem::Unusable(_) => {
            "Look at what comes from there: metadata of a SAML 2.0 identity provider, in force now; with \
             metadata_certificate_file signed by one of those; with provider_entity_id naming that one."
        }
    }
}

fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}
