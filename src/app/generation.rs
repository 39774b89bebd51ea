//! Generations: everything that follows from one configuration, made anew over the same stores, keys and caches when the
//! settings change that all nodes share, and put in the place of the one before without a pause.

use super::serve::{site, trace};
use super::{App, StartError, brand, check, directories, gateways, mapping, saml, sources};
use crate::config::{Config, Layers, LeftOut, Loaded, Marks, Merged, SettingKey};
use crate::jobs::{Duties, Jobs, TendLogs};
use crate::service::core::Core;
use crate::service::directory::{Connected, Directories};
use crate::service::factor::passkey;
use crate::service::housekeeping::Housekeeping;
use crate::service::outbox::Outbox;
use crate::service::provider::Providers;
use crate::service::revalidation::Revalidation;
use crate::service::setting::{SettingError, Settings};
use crate::web::internal::Readiness;
use crate::web::router::{self, Entrance};
use crate::web::site::Site;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How soon a change is tried again that could not be followed, such as for a file that cannot be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sections that say how strict this service is.
const STRICT: [&str; 5] = ["password.", "registration.", "second_factor.", "sessions.", "throttle."];

/// Everything that follows from one configuration.
pub struct Generation {
    /// Services' common ground.
    pub app: App,
    /// What it follows from.
    pub config: Config,
    /// What an operator should know about it.
    pub warnings: Vec<String>,
    /// What jobs call.
    pub jobs: Jobs,
    marks: Marks,
}

/// What stays the same from one generation to the next.
#[derive(Clone)]
pub struct Lasting {
    /// Noticing and sweeping.
    pub housekeeping: Housekeeping,
    /// Whether this node takes requests.
    pub readiness: Readiness,
    /// Why it should take none, though it could.
    pub unfit: Unfit,
    /// Removes old log files.
    pub tend_logs: Option<Arc<TendLogs>>,
}

/// Why a node that runs should get no requests: something that is stored for all to be strict by cannot hold on it.
#[derive(Clone, Default)]
pub struct Unfit(Arc<RwLock<Option<String>>>);

impl Unfit {
    /// The reason, if there is one.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(&self, left_out: &[LeftOut]) {
        let strict = |one: &&LeftOut| STRICT.iter().any(|section| one.key.starts_with(section));
        // What only a newer version knows is no reason: both stand side by side during an upgrade.
        let found = left_out.iter().filter(strict).find(|one| SettingKey::parse(&one.key).is_ok());
        let why = found.map(|one| format!("the stored setting {} cannot hold on this node", one.key));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// The generation of the moment, and what leads to the next.
pub struct Generations {
    settings: Settings,
    lasting: Lasting,
    entrance: Entrance,
    current: RwLock<Arc<Generation>>,
    followed: Mutex<Followed>,
}

struct Followed {
    /// Number of the change that was followed last.
    revision: i64,
    /// One that could not be followed, and since when.
    failed: Option<(i64, Instant)>,
}

impl Generations {
    /// The first one: file and environment, which `app` was opened with, and what is stored now.
    ///
    /// # Errors
    /// [`StartError`]. A stored setting that cannot be used is no reason.
    pub async fn begin(app: App, layers: Arc<Layers>, base: Loaded, lasting: Lasting) -> Result<Arc<Self>, StartError> {
        let settings = settings(&app, layers);
        let (revision, standing) = standing(app, &settings, base).await?;
        tell(&standing.left_out);
        lasting.unfit.judge(&standing.left_out);
        standing.app.lifetimes.set(standing.app.core.policy.lifetimes);
        let (generation, site) = generation(standing.app, standing.loaded, &lasting)?;
        let entrance = Entrance::new(Arc::clone(&site), pages(&generation, site, &lasting));
        let current = RwLock::new(Arc::new(generation));
        let followed = Mutex::new(Followed { revision, failed: None });
        Ok(Arc::new(Self { settings, lasting, entrance, current, followed }))
    }

    /// The one of the moment.
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The front of the house; leads to the generation of the moment.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        self.entrance.clone()
    }

    /// Settings of this node and of all.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    async fn next(&self) -> Result<i64, SettingError> {
        let before = self.current();
        let (revision, Merged { loaded, left_out, .. }) = self.settings.merged().await?;
        tell(&left_out);
        let wrong = |error: StartError| SettingError::Obstacle(error.to_string());
        let app = under(&before.app, &loaded, &before.marks).map_err(wrong)?;
        let (generation, site) = generation(app, loaded, &self.lasting).map_err(wrong)?;
        let pages = pages(&generation, Arc::clone(&site), &self.lasting);
        generation.app.lifetimes.set(generation.app.core.policy.lifetimes);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(generation);
        self.entrance.replace(site, pages);
        self.lasting.unfit.judge(&left_out);
        Ok(revision)
    }
}

impl Duties for Generations {
    fn now(&self) -> Jobs {
        self.current().jobs.clone()
    }

    async fn follow(&self) -> Result<(), String> {
        // Held over the round: of two rounds at once, the second finds nothing new.
        let mut followed = self.followed.lock().await;
        let revision = self.settings.revision().await.map_err(|error| error.to_string())?;
        let waits = |(number, since): (i64, Instant)| number == revision && since.elapsed() < PATIENCE;
        if revision == followed.revision || followed.failed.is_some_and(waits) {
            return Ok(());
        }
        match self.next().await {
            Ok(revision) => {
                *followed = Followed { revision, failed: None };
                tracing::info!(revision, "settings have changed, and this node follows them");
                Ok(())
            }
            Err(error) => {
                followed.failed = Some((revision, Instant::now()));
                Err(format!("what was set before stays in force: {error}"))
            }
        }
    }
}

/// What holds for this process, and everything over it.
pub(super) struct Standing {
    pub(super) app: App,
    pub(super) loaded: Loaded,
    pub(super) left_out: Vec<LeftOut>,
}

/// Stored settings as this process sees them.
pub(super) fn settings(app: &App, layers: Arc<Layers>) -> Settings {
    Settings::new(Arc::clone(&app.core), layers, Arc::new(check::unusable))
}

/// What is stored, over an app that was opened with file and environment alone. What cannot be used must not keep anybody
/// from starting.
///
/// # Errors
/// [`StartError`].
pub(super) async fn standing(app: App, settings: &Settings, base: Loaded) -> Result<(i64, Standing), StartError> {
    let (revision, Merged { loaded, mut left_out, kept }) = settings.merged().await?;
    if kept.is_empty() {
        return Ok((revision, Standing { app, loaded: base, left_out }));
    }
    match under(&app, &loaded, &base.marks) {
        Ok(app) => Ok((revision, Standing { app, loaded, left_out })),
        Err(error) => {
            let left = |key: String| LeftOut { why: format!("stored setting {key}: {error}"), key };
            left_out.extend(kept.into_iter().map(|setting| left(setting.key)));
            Ok((revision, Standing { app, loaded: base, left_out }))
        }
    }
}

/// The same stores, keys and caches under another configuration. Providers and directories of which nothing has changed are
/// those that were there, with all that is known of them.
fn under(before: &App, loaded: &Loaded, marks: &Marks) -> Result<App, StartError> {
    let config = &loaded.config;
    let unchanged = |list: &str, slug: &str| {
        let key = format!("{list}.{slug}");
        loaded.marks.get(&key).is_some_and(|mark| marks.get(&key) == Some(mark))
    };
    let kept = |slug: &str| before.providers.named(slug).filter(|_| unchanged("identity_provider", slug)).cloned();
    let providers = sources::providers(config).map_err(StartError::Provider)?;
    let providers = providers.all().iter().map(|one| kept(one.source.slug()).unwrap_or_else(|| one.clone())).collect();
    let connected = |one: Arc<Connected>| {
        let slug = &one.policy.slug;
        let mut there = before.core.directories.iter().filter(|other| other.policy.slug == *slug);
        there.next().filter(|_| unchanged("directory", slug)).cloned().unwrap_or(one)
    };
    let policy = mapping::policy(config);
    let core = Core {
        gateways: Arc::new(gateways::gateways(config).map_err(StartError::Gateway)?),
        webauthn: passkey::relying_party(&policy.public_url, &policy.product),
        limiter: before.core.limiter.with(mapping::limits(config)),
        directories: directories::connected(config)?.into_iter().map(connected).collect(),
        policy,
        ..Core::clone(&before.core)
    };
    let (core, providers) = (Arc::new(core), Providers::new(providers));
    let saml = saml::settings(config).map_err(StartError::Provider)?;
    let saml = before.saml.under(&core, saml, |slug| unchanged("identity_provider", slug));
    Ok(App { core, providers, saml, brand: brand(config)?, ..before.clone() })
}

fn generation(app: App, loaded: Loaded, lasting: &Lasting) -> Result<(Generation, Arc<Site>), StartError> {
    let Loaded { config, warnings, marks, .. } = loaded;
    let jobs = Jobs {
        housekeeping: lasting.housekeeping.over(Arc::clone(&app.core)),
        outbox: Outbox::new(Arc::clone(&app.core), Arc::new(mapping::mailer(&config)?)),
        directories: Directories::new(Arc::clone(&app.core)),
        revalidation: Revalidation::new(Arc::clone(&app.core), app.providers.clone()),
        providers: app.providers.clone(),
        saml: app.saml.clone(),
        surroundings: app.surroundings.clone(),
        tend_logs: lasting.tend_logs.clone(),
    };
    let site = Arc::new(site(&app, &config));
    Ok((Generation { app, config, warnings, jobs, marks }, site))
}

fn pages(generation: &Generation, site: Arc<Site>, lasting: &Lasting) -> axum::Router {
    let around = Arc::new(trace(&generation.app, &generation.config));
    router::pages(site, around, Arc::clone(&lasting.readiness))
}

/// Loud, since an operator wanted something that does not hold here.
fn tell(left_out: &[LeftOut]) {
    for LeftOut { key, why } in left_out {
        tracing::error!(setting = key, why, "a stored setting cannot be used on this node, which does without it");
    }
}
