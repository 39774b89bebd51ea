//! OpenID providers, seen from a relying party: their metadata and keys, the address to send a browser to, redeeming
//! codes, userinfo. What is kept of a provider lives here; what a sign-in needs to remember is the service's business.
//!
//! The requests are `openidconnect`'s, the signatures `jsonwebtoken`'s (docs/decisions/0015).

mod end_session;
mod exchange;
pub mod jws;
pub mod metadata;
pub mod probe;
mod userinfo;

pub use end_session::Farewell;
pub use exchange::{Question, Renewed, Tokens};

use super::fetch::{FetchError, FetchSettings, Fetcher};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey};
use jws::{JwsError, KeySet, Verified};
use metadata::Metadata;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;

/// How soon keys are asked for again because of a token whose key is unknown: strangers can make such tokens up.
const KEYS_COOL_DOWN: Duration = Duration::from_secs(30);
/// How soon a provider that did not answer is asked again.
const FAILURE_COOL_DOWN: Duration = Duration::from_secs(5);

/// What the operator decided about a provider.
pub struct Settings {
    /// The issuer, exactly.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// How we prove it.
    pub credential: Credential,
    /// Where the browser comes back.
    pub redirect_uri: String,
    /// What is asked for, besides `openid`.
    pub scopes: Vec<String>,
    /// The browser posts the answer.
    pub form_post: bool,
    /// Levels of authentication that are asked for.
    pub acr_values: Vec<String>,
    /// The `claims` parameter.
    pub claims: Option<String>,
    /// The `prompt` parameter.
    pub prompt: Option<String>,
    /// How many seconds ago the person may have signed in there.
    pub max_age: Option<u32>,
    /// Whether userinfo is asked, where there is such an endpoint.
    pub userinfo: bool,
    /// Signatures that count.
    pub algorithms: Vec<Algorithm>,
    /// Whether the metadata is read.
    pub discovery: bool,
    /// Endpoints that the operator set.
    pub endpoints: Endpoints,
    /// How its addresses are asked.
    pub fetch: FetchSettings,
}

/// How we prove who we are (Core section 9).
pub enum Credential {
    /// The secret in the header.
    Basic(Secret<String>),
    /// The secret in the form.
    Post(Secret<String>),
    /// A signed assertion.
    PrivateKey {
        /// The key.
        key: EncodingKey,
        /// What it signs with.
        algorithm: Algorithm,
        /// Its name.
        id: Option<String>,
    },
}

/// Endpoints as somebody states them.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// Where browsers sign in.
    pub authorization: Option<String>,
    /// Where codes are redeemed.
    pub token: Option<String>,
    /// Where the keys are.
    pub jwks: Option<String>,
    /// Where more is said about people.
    pub userinfo: Option<String>,
    /// Where browsers sign out.
    pub end_session: Option<String>,
}

/// What was asked of the provider when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its metadata.
    Metadata,
    /// Its keys.
    Keys,
    /// Tokens for a code.
    Token,
    /// Userinfo.
    Userinfo,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Metadata => "the metadata",
            Self::Keys => "the keys",
            Self::Token => "the token endpoint",
            Self::Userinfo => "the userinfo endpoint",
        })
    }
}

/// Why a provider could not be asked, or is not believed. For logs and the operator, never for visitors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// There is no answer.
    #[error("{stage}: {error}")]
    Away {
        /// What was asked.
        stage: Stage,
        /// What happened.
        error: FetchError,
    },
    /// The answer is an error.
    #[error("{stage}: the answer has status {status}")]
    Status {
        /// What was asked.
        stage: Stage,
        /// The HTTP status.
        status: u16,
    },
    /// The answer makes no sense.
    #[error("{stage}: {why}")]
    Malformed {
        /// What was asked.
        stage: Stage,
        /// What is wrong.
        why: String,
    },
    /// The metadata is another issuer's.
    #[error("the metadata names another issuer")]
    Issuer,
    /// The provider refuses the code, or us.
    #[error("the token endpoint refuses: {0}")]
    Refused(String),
    /// A token is not signed by the provider.
    #[error("{0}")]
    Signature(#[from] JwsError),
    /// The userinfo endpoint does not take the access token (any more).
    #[error("the userinfo endpoint refuses the access token")]
    TokenRefused,
    /// Userinfo is about somebody else.
    #[error("userinfo is about another subject")]
    OtherSubject,
}

impl OidcError {
    /// For the audit trail.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Away { error, .. } => error.code(),
            Self::Status { .. } => "provider_status",
            Self::Malformed { stage: Stage::Token, .. } => "token_response_malformed",
            Self::Malformed { stage: Stage::Userinfo, .. } => "userinfo_malformed",
            Self::Malformed { .. } => "metadata_malformed",
            Self::Issuer => "metadata_issuer",
            Self::Refused(_) => "code_refused",
            Self::Signature(error) => error.code(),
            Self::TokenRefused => "userinfo_token_refused",
            Self::OtherSubject => "userinfo_sub",
        }
    }

    /// Whether the provider is not there or not in order, so that trying again later may help.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Status { .. } | Self::Issuer | Self::TokenRefused => true,
            Self::Malformed { stage, .. } => matches!(stage, Stage::Metadata | Stage::Keys),
            _ => false,
        }
    }
}

/// What is known of a provider.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its metadata.
    pub metadata: Metadata,
    /// Its keys.
    pub keys: KeySet,
    /// When they were read.
    pub read_at: Timestamp,
}

/// One provider.
pub struct OidcClient {
    settings: Settings,
    fetcher: Fetcher,
    known: RwLock<Option<Arc<Known>>>,
    /// Held while the provider is asked: of many who need the same, one asks.
    asking: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    failed_at: Option<(Timestamp, OidcError)>,
    keys_at: Option<Timestamp>,
}

impl OidcClient {
    /// A provider of these settings. Nothing is asked yet.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let fetcher = Fetcher::new(&settings.fetch)?;
        Ok(Self { settings, fetcher, known: RwLock::default(), asking: Mutex::default() })
    }

    /// What the operator decided.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Metadata and keys: those that are known, or else asked for now.
    ///
    /// # Errors
    /// [`OidcError`]; asked again after a few seconds at the earliest.
    pub async fn known(&self, now: Timestamp) -> Result<Arc<Known>, OidcError> {
        if let Some(known) = self.kept() {
            return Ok(known);
        }
        let mut asked = self.asking.lock().await;
        if let Some(known) = self.kept() {
            return Ok(known);
        }
        if let Some((at, error)) = &asked.failed_at
            && now.since(*at) < FAILURE_COOL_DOWN
        {
            return Err(error.clone());
        }
        self.ask(&mut asked, now).await
    }

    /// Asks for metadata and keys again. What was known stays in force if that fails.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn refresh(&self, now: Timestamp) -> Result<Arc<Known>, OidcError> {
        let mut asked = self.asking.lock().await;
        self.ask(&mut asked, now).await
    }

    /// Checks a signature of the provider's. Where no known key made it, the keys are asked for again, unless that was done
    /// just now: some providers put a new key under the name of the old one.
    ///
    /// # Errors
    /// [`OidcError::Signature`], or why the keys could not be asked for.
    pub async fn verified(&self, token: &str, now: Timestamp) -> Result<Verified, OidcError> {
        let known = self.known(now).await?;
        let allowed = &self.settings.algorithms;
        match known.keys.verify(token, allowed) {
            Err(JwsError::KeyUnknown | JwsError::Signature) => {
                let newer = self.keys_again(&known, now).await?;
                Ok(newer.keys.verify(token, allowed)?)
            }
            done => Ok(done?),
        }
    }

    fn kept(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        known
    }

    async fn ask(&self, asked: &mut Asked, now: Timestamp) -> Result<Arc<Known>, OidcError> {
        match self.read(now).await {
            Ok(known) => {
                asked.failed_at = None;
                Ok(self.keep(known))
            }
            Err(error) => {
                tracing::warn!(issuer = self.settings.issuer, %error, "an identity provider could not be read");
                asked.failed_at = Some((now, error.clone()));
                Err(error)
            }
        }
    }

    async fn read(&self, now: Timestamp) -> Result<Known, OidcError> {
        let Settings { issuer, endpoints, discovery, .. } = &self.settings;
        let metadata = if *discovery {
            let text = self.document(Stage::Metadata, &metadata::address(issuer)).await?;
            Metadata::read(&text, issuer, endpoints)?
        } else {
            Metadata::manual(endpoints)?
        };
        // Browsers are sent there; an address that we would not ask is none that people should see either.
        let sent = self.fetcher.allows(&metadata.authorization_endpoint);
        sent.map_err(|error| OidcError::Away { stage: Stage::Metadata, error })?;
        let keys = self.keys(&metadata).await?;
        Ok(Known { metadata, keys, read_at: now })
    }

    async fn keys_again(&self, old: &Arc<Known>, now: Timestamp) -> Result<Arc<Known>, OidcError> {
        let mut asked = self.asking.lock().await;
        let current = self.kept().unwrap_or_else(|| Arc::clone(old));
        let just_now = asked.keys_at.is_some_and(|at| now.since(at) < KEYS_COOL_DOWN);
        if just_now || !Arc::ptr_eq(&current, old) {
            return Ok(current);
        }
        asked.keys_at = Some(now);
        let keys = self.keys(&current.metadata).await?;
        Ok(self.keep(Known { metadata: current.metadata.clone(), keys, read_at: current.read_at }))
    }

    async fn keys(&self, metadata: &Metadata) -> Result<KeySet, OidcError> {
        let text = self.document(Stage::Keys, &metadata.jwks_uri).await?;
        let keys = KeySet::parse(&text).map_err(|why| OidcError::Malformed { stage: Stage::Keys, why })?;
        if keys.is_empty() {
            let why = "there is no key that could check a signature".to_owned();
            return Err(OidcError::Malformed { stage: Stage::Keys, why });
        }
        Ok(keys)
    }

    async fn document(&self, stage: Stage, address: &str) -> Result<Vec<u8>, OidcError> {
        let answer = self.fetcher.get(address, "application/json").await;
        let answer = answer.map_err(|error| OidcError::Away { stage, error })?;
        match answer.status() {
            http::StatusCode::OK => Ok(answer.into_body()),
            status => Err(OidcError::Status { stage, status: status.as_u16() }),
        }
    }
}
