//! SAML providers: people go there and come back, are signed out there and from there. What a message says is found out by
//! `connect/saml`; whose account it is, by the corridor (`sign_in/`).

mod arrive;
mod check;
mod depart;
mod logout;
mod noted;
mod provider;
mod settings;

pub use crate::connect::saml::logout::Carried;
pub use crate::connect::saml::outgoing::Field;
pub use check::{Finding, Level};
pub use depart::Departed;
pub use logout::{LogoutOutcome, SignedOut};
pub use settings::{MetadataSource, ProviderSettings};

use super::context::Context;
use super::core::{Core, Trouble};
use super::keys::{KeyError, Keys};
use super::sign_in::oidc::ProviderError;
use super::sign_in::{SignIn, SignInError};
use crate::connect::saml::outgoing::{Message, OwnMetadata};
use crate::connect::saml::{Reason, Refusal, Service, ServiceKey, Verifier};
use crate::domain::id::RequestId;
use crate::store::StoreError;
use crate::store::volatile::Unavailable;
use provider::Provider;
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// Messages that are verified at once. Each takes a thread for some milliseconds.
const AT_ONCE: usize = 4;

/// SAML providers and what people do with them.
#[derive(Clone)]
pub struct Saml {
    core: Arc<Core>,
    sign_in: SignIn,
    keys: Keys,
    verifier: Verifier,
    providers: Arc<HashMap<String, Arc<Provider>>>,
}

/// Why it does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SamlError {
    /// There is no SAML provider of this name.
    #[error("no such identity provider")]
    Unknown,
    /// The provider's metadata is not there, or no longer valid.
    #[error("the identity provider {slug} cannot be used: {why}")]
    Unavailable {
        /// Which provider.
        slug: String,
        /// For the trace.
        code: &'static str,
        /// In words for the operator.
        why: String,
    },
    /// A message is not believed. People are told one and the same for all reasons.
    #[error("{0}")]
    Refused(Refusal),
    /// The sign-in went wrong behind that.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// A store or a key.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<SamlError> for ProviderError {
    fn from(error: SamlError) -> Self {
        match error {
            SamlError::SignIn(SignInError::Outdated) | SamlError::Unknown => Self::Outdated,
            SamlError::Unavailable { .. } => Self::Away,
            SamlError::Refused(Refusal { reason: Reason::Status, detail, .. }) => Self::Declined(detail),
            SamlError::Refused(refusal) => Self::NotBelieved(refusal.reason.as_str()),
            SamlError::SignIn(error) => Self::SignIn(error),
            SamlError::Trouble(trouble) => trouble.into(),
        }
    }
}

impl From<Refusal> for SamlError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for SamlError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Unavailable> for SamlError {
    fn from(error: Unavailable) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<KeyError> for SamlError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Trouble(trouble) => Self::Trouble(trouble),
            _ => Self::Trouble(Trouble::Sealing("the keys for SAML cannot be used")),
        }
    }
}

/// How a browser brings a message of ours to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// There, with the message in the address.
    Redirect(String),
    /// By a form with a button.
    Form(GoingForm),
}

/// A form that brings a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoingForm {
    /// Where it is sent.
    pub action: String,
    /// The field's name.
    pub field: &'static str,
    /// The message.
    pub value: String,
    /// What the other side wants back.
    pub relay_state: Option<String>,
    /// The provider's name, for the page.
    pub provider: String,
}

impl Saml {
    /// Over a core, for these providers.
    #[must_use]
    pub fn new(core: Arc<Core>, keys: Keys, settings: Vec<ProviderSettings>) -> Self {
        let sign_in = SignIn::new(Arc::clone(&core));
        let providers = settings.into_iter().map(|one| (one.slug.clone(), Arc::new(Provider::new(one))));
        let providers = Arc::new(providers.collect());
        Self { core, sign_in, keys, verifier: Verifier::new(AT_ONCE), providers }
    }

    /// The same under other settings, over a core of theirs. Providers that are the `same` keep what is known of them.
    #[must_use]
    pub fn under(&self, core: &Arc<Core>, settings: Vec<ProviderSettings>, same: impl Fn(&str) -> bool) -> Self {
        let provider = |one: ProviderSettings| {
            let known = self.providers.get(&one.slug).filter(|_| same(&one.slug)).map(Arc::clone);
            let slug = one.slug.clone();
            (slug, known.unwrap_or_else(|| Arc::new(Provider::new(one))))
        };
        let providers = Arc::new(settings.into_iter().map(provider).collect());
        Self { sign_in: SignIn::new(Arc::clone(core)), core: Arc::clone(core), providers, ..self.clone() }
    }

    /// Reads metadata again where it is time to. Called by the clock; what fails is logged, and the last good copy stays.
    pub async fn refresh(&self, ctx: &Context) {
        for provider in self.providers.values() {
            provider.refresh_if_due(&self.core.database, ctx.now()).await;
        }
    }

    /// Our metadata for a provider.
    ///
    /// # Errors
    /// [`SamlError::Unknown`].
    pub async fn metadata(&self, ctx: &Context, slug: &str) -> Result<String, SamlError> {
        let provider = self.provider(slug)?;
        let keys = self.service_keys(ctx).await?;
        let address = self.addresses(slug);
        let own = OwnMetadata {
            entity_id: &address.entity_id,
            acs: &address.acs,
            slo: &address.slo,
            keys: &keys,
            signs_requests: provider.settings.sign_requests,
            name_id_format: provider.settings.name_id_format.as_deref(),
            allows_cbc: provider.settings.allow_cbc,
        };
        Ok(own.xml())
    }

    fn provider(&self, slug: &str) -> Result<&Provider, SamlError> {
        self.providers.get(slug).map(Arc::as_ref).ok_or(SamlError::Unknown)
    }

    fn addresses(&self, slug: &str) -> Addresses {
        let base = format!("{}/login/{slug}", self.core.policy.public_url);
        Addresses { entity_id: format!("{base}/metadata"), acs: format!("{base}/acs"), slo: format!("{base}/slo") }
    }

    /// Our keys, the newest first; made when there are none.
    async fn service_keys(&self, ctx: &Context) -> Result<Vec<ServiceKey>, SamlError> {
        Ok(self.keys.for_saml(ctx).await?)
    }

    async fn service(&self, ctx: &Context, provider: &Provider) -> Result<Arc<Service>, SamlError> {
        let address = self.addresses(&provider.settings.slug);
        let (keys, allow_cbc) = (self.service_keys(ctx).await?, provider.settings.allow_cbc);
        // Reading the keys takes longer than a thread that serves requests has.
        let made = move || Service::new(&address.entity_id, &address.acs, keys, allow_cbc);
        let made = tokio::task::spawn_blocking(made).await;
        let made = made.map_err(|_| Trouble::Sealing("the keys for SAML could not be read"))?;
        Ok(Arc::new(made?))
    }

    /// The key that signs: the one that providers have known the longest, so that a new key signs only after its
    /// certificate had the whole time of a rollover to get around.
    async fn signer(&self, ctx: &Context) -> Result<ServiceKey, SamlError> {
        let missing = SamlError::Trouble(Trouble::Sealing("there is no key to sign SAML messages with"));
        self.service_keys(ctx).await?.pop().ok_or(missing)
    }

    /// Puts a message on its way, by redirect where the provider takes that and nothing else is wished.
    fn onward(message: &Message, to: (Option<&Url>, Option<&Url>), how: &How<'_>) -> Result<Option<Onward>, SamlError> {
        let form = |to: &Url| -> Result<Onward, SamlError> {
            let (field, value) = (message.field().name(), message.by_post(how.signer)?);
            let (action, provider) = (to.as_str().to_owned(), how.provider.to_owned());
            let relay_state = how.relay_state.map(str::to_owned);
            Ok(Onward::Form(GoingForm { action, field, value, relay_state, provider }))
        };
        let redirect = |to: &Url| -> Result<Onward, SamlError> {
            Ok(Onward::Redirect(message.by_redirect(to, how.relay_state, how.signer)?))
        };
        match to {
            (Some(to), None) => redirect(to).map(Some),
            (Some(to), Some(_)) if !how.prefer_post => redirect(to).map(Some),
            (_, Some(to)) => form(to).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// How a message goes.
struct How<'a> {
    signer: Option<&'a ServiceKey>,
    relay_state: Option<&'a str>,
    prefer_post: bool,
    provider: &'a str,
}

struct Addresses {
    entity_id: String,
    acs: String,
    slo: String,
}

/// A fresh identifier for a message: 160 random bits behind a letter, because it must be an `NCName` (core §1.3.4).
fn message_id(ctx: &Context) -> String {
    use std::fmt::Write;
    let mut id = String::from("_");
    for byte in ctx.bytes::<20>() {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The request's identifier, for logs.
fn request(ctx: &Context) -> String {
    ctx.request.map(|id: RequestId| id.uuid().to_string()).unwrap_or_default()
}
