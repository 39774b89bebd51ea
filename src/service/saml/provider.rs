//! One provider: its metadata, read at first use and again from time to time. The last good copy stays in memory and in the
//! database, so that neither a broken answer nor a restart shuts people out, nor starting another node.

use super::SamlError;
use super::settings::{MetadataSource, ProviderSettings};
use crate::connect::fetch::{FetchError, PeerCertificate, clock};
use crate::connect::saml::certificate;
use crate::connect::saml::metadata::{self, ProviderMetadata, Reading};
use crate::connect::saml::{Peer, Refusal};
use crate::domain::time::Timestamp;
use crate::service::core::fingerprint;
use crate::store::provider_metadata::{self, Kept};
use crate::store::{Database, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};

/// How often metadata is read again where it does not say so itself.
const USUALLY: Duration = Duration::from_hours(1);
/// However short its own word is.
const AT_MOST_EVERY: Duration = Duration::from_mins(5);
/// However long its own word is: a new key must arrive within a day.
const AT_LEAST_EVERY: Duration = Duration::from_hours(24);
/// After a failure.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// From then on the end of a certificate is worth a warning.
pub(super) const WARN_BEFORE: Duration = Duration::from_hours(24 * 30);

/// One provider.
pub(super) struct Provider {
    pub(super) settings: ProviderSettings,
    origin: [u8; 32],
    state: RwLock<State>,
    reading: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    current: Option<Current>,
    problem: Option<Arc<Problem>>,
    next_at: Option<Timestamp>,
}

#[derive(Clone)]
struct Current {
    known: Arc<Known>,
    read_at: Timestamp,
}

/// What is known of a provider.
pub(super) struct Known {
    pub(super) metadata: ProviderMetadata,
    pub(super) peer: Arc<Peer>,
}

/// Metadata that was read just now.
pub(super) struct Fresh {
    pub(super) known: Known,
    /// By how many seconds the provider's clock is ahead of ours, if it came with the time.
    pub(super) clock_ahead: Option<i64>,
    /// When the certificate ends that its web server shows.
    pub(super) certificate_ends: Option<Timestamp>,
    document: String,
}

/// Why metadata cannot be used, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// There is no answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The answer is none.
    #[error("the answer is {0}")]
    Status(http::StatusCode),
    /// A file cannot be read.
    #[error("{0}")]
    File(String),
    /// What was read is of no use.
    #[error("{0}")]
    Unusable(String),
}

impl Problem {
    /// For the trace.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.code(),
            Self::Status(_) => "metadata_status",
            Self::File(_) => "metadata_file",
            Self::Unusable(_) => "metadata_unusable",
        }
    }
}

impl Provider {
    pub(super) fn new(settings: ProviderSettings) -> Self {
        let place = match &settings.metadata {
            MetadataSource::Url(url) => format!("url {url}"),
            MetadataSource::File(path) => format!("file {}", path.display()),
        };
        let entity = settings.provider_entity_id.as_deref().unwrap_or_default();
        let origin = fingerprint(format!("metadata {entity} {place}").as_bytes());
        Self { settings, origin, state: RwLock::default(), reading: Mutex::new(()) }
    }

    /// What is known of it; read now if that never happened.
    pub(super) async fn known(&self, database: &Database, now: Timestamp) -> Result<Arc<Known>, SamlError> {
        self.refresh_if_due(database, now).await;
        let State { current, problem, .. } = self.state.read().await.clone();
        let slug = || self.settings.slug.clone();
        let Some(Current { known, .. }) = current else {
            let code = problem.as_ref().map_or("metadata_unread", |problem| problem.code());
            let why = problem.map_or_else(
                || "its metadata was not read yet".to_owned(),
                |problem| format!("its metadata cannot be read: {problem}"),
            );
            return Err(SamlError::Unavailable { slug: slug(), code, why });
        };
        if known.metadata.valid_until.is_some_and(|until| now >= until) {
            let why = "its metadata is no longer valid, and there is no newer one".to_owned();
            return Err(SamlError::Unavailable { slug: slug(), code: "metadata_ended", why });
        }
        Ok(known)
    }

    /// Reads the metadata if it is time to. Of many who ask at once, one reads and the others take what is there; only who
    /// finds nothing waits.
    pub(super) async fn refresh_if_due(&self, database: &Database, now: Timestamp) {
        let state = self.state.read().await.clone();
        if state.next_at.is_some_and(|next| now < next) {
            return;
        }
        let reading = if state.current.is_some() {
            let Ok(reading) = self.reading.try_lock() else { return };
            reading
        } else {
            self.reading.lock().await
        };
        if self.state.read().await.next_at.is_some_and(|next| now < next) {
            return;
        }
        self.read(database, now).await;
        drop(reading);
    }

    async fn read(&self, database: &Database, now: Timestamp) {
        let slug = self.settings.slug.as_str();
        match self.fetched(now).await {
            Ok(Fresh { known, document, .. }) => {
                let every = known.metadata.cache_for.unwrap_or(USUALLY).clamp(AT_MOST_EVERY, AT_LEAST_EVERY);
                self.warn(&known, now);
                self.keep(database, Kept { document, read_at: now }).await;
                let current = Some(Current { known: Arc::new(known), read_at: now });
                *self.state.write().await = State { current, problem: None, next_at: Some(now.after(every)) };
            }
            Err(problem) => {
                tracing::warn!(provider = slug, %problem, "the metadata of an identity provider cannot be read");
                let before = self.state.read().await.current.clone();
                // Another node may have read a newer one.
                let kept = self.kept_copy(database, now, before.as_ref().map(|one| one.read_at)).await;
                let (current, problem) = (kept.or(before), Some(Arc::new(problem)));
                *self.state.write().await = State { current, problem, next_at: Some(now.after(AFTER_FAILURE)) };
            }
        }
    }

    /// Reads the metadata from where the operator says, whatever is known already.
    pub(super) async fn fetched(&self, now: Timestamp) -> Result<Fresh, Problem> {
        let (mut clock_ahead, mut certificate_ends) = (None, None);
        let document = match &self.settings.metadata {
            MetadataSource::File(path) => {
                let text = tokio::fs::read_to_string(path).await;
                text.map_err(|error| Problem::File(format!("{}: {error}", path.display())))?
            }
            MetadataSource::Url(url) => {
                let wanted = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8";
                let answer = self.settings.fetcher.get(url, wanted).await?;
                if answer.status() != http::StatusCode::OK {
                    return Err(Problem::Status(answer.status()));
                }
                clock_ahead = clock(answer.headers()).map(|theirs| theirs.saturating_sub(now.seconds()));
                certificate_ends = answer.extensions().get::<PeerCertificate>().and_then(PeerCertificate::ends);
                let text = String::from_utf8(answer.into_body());
                text.map_err(|_| Problem::Unusable("the metadata is no UTF-8".to_owned()))?
            }
        };
        let known = self.understood(document.clone(), now).await?;
        Ok(Fresh { known, clock_ahead, certificate_ends, document })
    }

    async fn understood(&self, xml: String, now: Timestamp) -> Result<Known, Problem> {
        let signers = match &self.settings.metadata_certificates {
            None => Vec::new(),
            Some(path) => {
                let wrong = |why: &dyn std::fmt::Display| Problem::File(format!("{}: {why}", path.display()));
                let pem = tokio::fs::read_to_string(path).await.map_err(|error| wrong(&error))?;
                certificate::from_pem(&pem).map_err(|refusal| wrong(&refusal))?
            }
        };
        let entity_id = self.settings.provider_entity_id.clone();
        let work = move || {
            let how = Reading { entity_id: entity_id.as_deref(), signers: &signers, now };
            let metadata = metadata::read(&xml, &how)?;
            let peer = Peer::new(&metadata.entity_id, metadata.certificates.clone())?;
            Ok(Known { metadata, peer: Arc::new(peer) })
        };
        let known = tokio::task::spawn_blocking(work).await;
        let known = known.map_err(|_| Problem::Unusable("reading it failed".to_owned()))?;
        known.map_err(|refusal: Refusal| Problem::Unusable(refusal.to_string()))
    }

    /// What this node or another one has read after that.
    async fn kept_copy(&self, database: &Database, now: Timestamp, after: Option<Timestamp>) -> Option<Current> {
        let slug = self.settings.slug.as_str();
        let found = async {
            let mut link = database.read().await?;
            provider_metadata::kept(&mut link, slug, &self.origin).await
        };
        let Kept { document, read_at } = match found.await {
            Ok(found) => found.filter(|kept| after.is_none_or(|after| kept.read_at > after))?,
            Err(error) => {
                tracing::warn!(provider = slug, %error, "the last good copy of the metadata cannot be read");
                return None;
            }
        };
        let known = self.understood(document, now).await.ok()?;
        tracing::warn!(provider = slug, "the last good copy of the metadata is used");
        Some(Current { known: Arc::new(known), read_at })
    }

    async fn keep(&self, database: &Database, copy: Kept) {
        let slug = self.settings.slug.as_str();
        let written = async {
            let mut tx = database.begin_beside().await?;
            provider_metadata::keep(&mut tx, slug, &self.origin, &copy).await?;
            tx.commit().await
        };
        if let Err::<(), StoreError>(error) = written.await {
            tracing::warn!(provider = slug, %error, "a copy of the metadata cannot be kept");
        }
    }

    fn warn(&self, known: &Known, now: Timestamp) {
        let slug = self.settings.slug.as_str();
        for problem in &known.metadata.unusable {
            tracing::warn!(provider = slug, problem, "a certificate in the metadata is not used");
        }
        if known.metadata.certificates.is_empty() {
            tracing::error!(provider = slug, "the metadata names no certificate to sign with; nobody can come in");
        }
        for der in &known.metadata.certificates {
            let Ok(state) = certificate::inspect(der) else { continue };
            if now.after(WARN_BEFORE) >= state.ends {
                tracing::warn!(provider = slug, name = state.name, "a certificate of an identity provider ends soon");
            }
        }
    }
}
