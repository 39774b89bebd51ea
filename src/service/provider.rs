//! The identity providers that people can sign in with: who there is, keeping what is known of them fresh, and checking
//! one for the operator. Signing in with one is `sign_in/oidc.rs` or `saml/`.

use super::caller::Operator;
use super::context::Context;
use super::provider_check::look;
use crate::connect::oidc::{Known, OidcClient, OidcError, Settings};
use crate::domain::attribute_map::AttributeMap;
use crate::domain::claims_request::EssentialClaims;
use crate::domain::factor_trust::FactorTrust;
use crate::domain::identity::Source;
use std::sync::Arc;

/// One identity provider in use.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the operator sets")]
pub struct Provider {
    /// Its source.
    pub source: Source,
    /// The name that people see.
    pub name: String,
    /// How it is spoken with.
    pub protocol: Protocol,
    /// Where it says what about a person.
    pub attributes: Arc<AttributeMap>,
    /// The sign-in page leads straight there.
    pub direct: bool,
    /// Its addresses count as verified though it does not say so.
    pub trust_email: bool,
    /// Which of its words mean a second factor.
    pub trust: Arc<FactorTrust>,
    /// Its sessions are looked at again now and then; then the tokens for that are kept.
    pub revalidates: bool,
    /// Signing out here signs out there too, where there is a way.
    pub single_logout: bool,
}

/// How a provider is spoken with.
#[derive(Clone)]
pub enum Protocol {
    /// OpenID Connect.
    Oidc(Arc<Oidc>),
    /// SAML: `service/saml` knows the rest, under the same slug.
    Saml,
}

/// An OpenID provider.
pub struct Oidc {
    /// Asking it.
    pub client: OidcClient,
    /// The claims that must come.
    pub essential: EssentialClaims,
}

/// All identity providers in use, in the order of the configuration.
#[derive(Clone, Default)]
pub struct Providers {
    all: Arc<Vec<Provider>>,
}

/// What a check of a provider found.
#[derive(Clone, Debug)]
pub struct Report {
    /// What there is to know, in lines for the operator.
    pub facts: Vec<String>,
    /// What is wrong and what to do about it; empty when people can sign in.
    pub problems: Vec<String>,
}

impl Providers {
    /// These providers.
    #[must_use]
    pub fn new(all: Vec<Provider>) -> Self {
        Self { all: Arc::new(all) }
    }

    /// Every one.
    #[must_use]
    pub fn all(&self) -> &[Provider] {
        &self.all
    }

    /// The one with this slug.
    #[must_use]
    pub fn named(&self, slug: &str) -> Option<&Provider> {
        self.all.iter().find(|one| one.source.slug() == slug)
    }

    /// The one that the sign-in page leads straight to, if there is one.
    #[must_use]
    pub fn direct(&self) -> Option<&Provider> {
        self.all.iter().find(|one| one.direct)
    }

    /// The one that is this source.
    #[must_use]
    pub fn of(&self, source: &Source) -> Option<&Provider> {
        self.all.iter().find(|one| one.source == *source)
    }

    /// Reads metadata and keys of every OpenID provider again. What is known of one that does not answer stays in force.
    pub async fn refresh(&self, ctx: &Context) {
        for one in self.all.iter() {
            let Protocol::Oidc(oidc) = &one.protocol else { continue };
            // What goes wrong was logged where it did; the next round asks again.
            drop(oidc.client.refresh(ctx.now()).await);
        }
    }

    /// Looks whether people could sign in with an OpenID provider; `None` when there is none of this slug.
    pub async fn check(&self, ctx: &Context, _by: Operator, slug: &str) -> Option<Report> {
        let provider = self.named(slug)?;
        let Protocol::Oidc(oidc) = &provider.protocol else { return None };
        let settings = oidc.client.settings();
        let mut facts = vec![
            format!("issuer             {}", settings.issuer),
            format!("client_id          {}", settings.client_id),
            format!("redirect address   {}  (register exactly this at the provider)", settings.redirect_uri),
        ];
        facts.extend(to_register(settings));
        let mut report = Report { facts, problems: Vec::new() };
        let looked = match oidc.client.refresh(ctx.now()).await {
            Ok(known) => {
                report.facts.extend(described(&known));
                look(ctx, oidc, &known, &mut report).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = looked {
            report.problems.push(format!("{error}\n  {}", advice(&error)));
        }
        Some(report)
    }
}

/// The other addresses that a provider may want to know.
fn to_register(settings: &Settings) -> [String; 3] {
    let here = settings.redirect_uri.trim_end_matches("callback");
    [
        format!("after signing out  {here}logout  (register it as post-logout redirect address)"),
        format!("back channel       {here}backchannel-logout  (register it for back-channel logout)"),
        format!(
            "front channel      {here}frontchannel-logout  (only where there is no back channel; with iss and sid)"
        ),
    ]
}

fn described(known: &Known) -> Vec<String> {
    let metadata = &known.metadata;
    // What others wrote stays on its line.
    let shown = |address: &str| address.escape_debug().to_string();
    let or_none = |address: &Option<String>| address.as_deref().map_or_else(|| "none".to_owned(), shown);
    vec![
        format!("authorization      {}", shown(&metadata.authorization_endpoint)),
        format!("token              {}", shown(&metadata.token_endpoint)),
        format!("userinfo           {}", or_none(&metadata.userinfo_endpoint)),
        format!("sign-out           {}", or_none(&metadata.end_session_endpoint)),
        format!(
            "keys               {} that can check signatures, from {}",
            known.keys.len(),
            shown(&metadata.jwks_uri)
        ),
        format!("names its issuer   {}", if metadata.names_issuer { "yes (RFC 9207)" } else { "no" }),
    ]
}

pub(super) fn advice(error: &OidcError) -> &'static str {
    use crate::connect::fetch::FetchError;
    match error {
        OidcError::Away { error: FetchError::Private(_), .. } => {
            "If the provider is inside your network, set allow_private_network = true for it."
        }
        OidcError::Away { error: FetchError::Address(_), .. } => "Use an https address.",
        OidcError::Away { error: FetchError::Redirect(_), .. } => {
            "Set issuer to the address that the provider's metadata names, without any redirect on the way."
        }
        OidcError::Away { error: FetchError::Unreachable(why), .. } if why.contains("certificate") => {
            of_certificate(why)
        }
        OidcError::Away { .. } => {
            "Look whether this machine reaches the provider, and whether its certificate is trusted here (ca_file)."
        }
        OidcError::Status { .. } => "Look whether the issuer is written exactly as the provider writes it.",
        OidcError::Issuer => "Set issuer to exactly what the metadata says, including a slash at the end.",
        _ => "Look at the provider's metadata and keys; endpoints can also be set by hand.",
    }
}

/// By the words of the TLS library; if they change, the general advice stays.
pub(super) fn of_certificate(why: &str) -> &'static str {
    match why.to_ascii_lowercase() {
        why if why.contains("expired") => {
            "The provider's certificate has ended, or this machine's clock is ahead: look at both."
        }
        why if why.contains("not valid yet") => {
            "This machine's clock is behind, or the provider's certificate is for later."
        }
        why if why.contains("name") => "The provider's certificate is for another name: look at the issuer.",
        _ => {
            "This machine does not trust who issued the provider's certificate: set ca_file to the certificate of that authority."
        }
    }
}
