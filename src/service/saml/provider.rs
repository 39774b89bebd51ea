//! One provider: its metadata, read at first use and again from time to time. The last good copy stays in memory and in a
//! file, so that neither a broken answer nor a restart shuts people out.

use super::SamlError;
use super::settings::{MetadataSource, ProviderSettings};
use crate::connect::fetch::{FetchSettings, Fetcher};
use crate::connect::saml::certificate;
use crate::connect::saml::metadata::{self, ProviderMetadata, Reading};
use crate::connect::saml::{Peer, Refusal};
use crate::domain::time::Timestamp;
use std::path::{Path, PathBuf};
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
const WARN_BEFORE: Duration = Duration::from_hours(24 * 30);

/// One provider.
pub(super) struct Provider {
    pub(super) settings: ProviderSettings,
    kept: PathBuf,
    state: RwLock<State>,
    reading: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    current: Option<Arc<Known>>,
    problem: Option<String>,
    next_at: Option<Timestamp>,
}

/// What is known of a provider.
pub(super) struct Known {
    pub(super) metadata: ProviderMetadata,
    pub(super) peer: Arc<Peer>,
}

impl Provider {
    /// The last good copy of its metadata is kept in `folder`.
    pub(super) fn new(settings: ProviderSettings, folder: &Path) -> Self {
        let kept = folder.join(format!("saml-metadata-{}.xml", settings.slug));
        Self { settings, kept, state: RwLock::default(), reading: Mutex::new(()) }
    }

    /// What is known of it; read now if that never happened.
    pub(super) async fn known(&self, now: Timestamp) -> Result<Arc<Known>, SamlError> {
        self.refresh_if_due(now).await;
        let state = self.state.read().await.clone();
        let unavailable = |why: String| SamlError::Unavailable { slug: self.settings.slug.clone(), why };
        let Some(known) = state.current else {
            return Err(unavailable(state.problem.unwrap_or_else(|| "its metadata was not read yet".to_owned())));
        };
        if known.metadata.valid_until.is_some_and(|until| now >= until) {
            return Err(unavailable("its metadata is no longer valid, and there is no newer one".to_owned()));
        }
        Ok(known)
    }

    /// Reads the metadata if it is time to. Of many who ask at once, one reads and the others take what is there; only who
    /// finds nothing waits.
    pub(super) async fn refresh_if_due(&self, now: Timestamp) {
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
        self.read(now).await;
        drop(reading);
    }

    async fn read(&self, now: Timestamp) {
        let slug = self.settings.slug.as_str();
        match self.fetched(now).await {
            Ok((xml, known)) => {
                let every = known.metadata.cache_for.unwrap_or(USUALLY).clamp(AT_MOST_EVERY, AT_LEAST_EVERY);
                self.warn(&known, now);
                self.keep(&xml).await;
                *self.state.write().await =
                    State { current: Some(Arc::new(known)), problem: None, next_at: Some(now.after(every)) };
            }
            Err(problem) => {
                tracing::warn!(provider = slug, problem, "the metadata of an identity provider cannot be read");
                let before = self.state.read().await.current.clone();
                let current = match before {
                    Some(current) => Some(current),
                    None => self.kept_copy(now).await,
                };
                let next_at = Some(now.after(AFTER_FAILURE));
                *self.state.write().await = State { current, problem: Some(problem), next_at };
            }
        }
    }

    /// Reads the metadata from where the operator says, whatever is known already.
    pub(super) async fn fetched(&self, now: Timestamp) -> Result<(String, Known), String> {
        let xml = match &self.settings.metadata {
            MetadataSource::File(path) => {
                tokio::fs::read_to_string(path).await.map_err(|error| format!("{}: {error}", path.display()))?
            }
            MetadataSource::Url(url) => {
                let settings = FetchSettings {
                    allow_private: self.settings.allow_private_network,
                    authorities: None,
                    timeout: self.settings.timeout,
                };
                let fetcher = Fetcher::new(&settings)?;
                let wanted = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8";
                let answer = fetcher.get(url, wanted).await.map_err(|error| error.to_string())?;
                if answer.status() != http::StatusCode::OK {
                    return Err(format!("the answer is {}", answer.status()));
                }
                String::from_utf8(answer.into_body()).map_err(|_| "the metadata is no UTF-8".to_owned())?
            }
        };
        let known = self.understood(xml.clone(), now).await?;
        Ok((xml, known))
    }

    async fn understood(&self, xml: String, now: Timestamp) -> Result<Known, String> {
        let signers = match &self.settings.metadata_certificates {
            None => Vec::new(),
            Some(path) => {
                let pem = tokio::fs::read_to_string(path).await;
                let pem = pem.map_err(|error| format!("{}: {error}", path.display()))?;
                certificate::from_pem(&pem).map_err(|refusal| format!("{}: {refusal}", path.display()))?
            }
        };
        let entity_id = self.settings.provider_entity_id.clone();
        let work = move || {
            let how = Reading { entity_id: entity_id.as_deref(), signers: &signers, now };
            let metadata = metadata::read(&xml, &how)?;
            let peer = Peer::new(&metadata.entity_id, metadata.certificates.clone())?;
            Ok(Known { metadata, peer: Arc::new(peer) })
        };
        let known = tokio::task::spawn_blocking(work).await.map_err(|_| "reading it failed".to_owned())?;
        known.map_err(|refusal: Refusal| refusal.to_string())
    }

    /// What was good before the last restart.
    async fn kept_copy(&self, now: Timestamp) -> Option<Arc<Known>> {
        let xml = tokio::fs::read_to_string(&self.kept).await.ok()?;
        let known = self.understood(xml, now).await.ok()?;
        tracing::warn!(provider = self.settings.slug, "the last good copy of the metadata is used");
        Some(Arc::new(known))
    }

    async fn keep(&self, xml: &str) {
        let new = self.kept.with_extension("new");
        let written = async {
            tokio::fs::write(&new, xml).await?;
            tokio::fs::rename(&new, &self.kept).await
        };
        if let Err(error) = written.await {
            tracing::warn!(provider = self.settings.slug, %error, "a copy of the metadata cannot be kept");
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
