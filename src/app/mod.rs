//! Composition root: configuration, stores, services, router and jobs; graceful shutdown. Decides nothing itself.

mod check;
mod directories;
mod gateways;
pub mod generation;
pub mod mapping;
mod migration;
mod run;
mod saml;
pub mod serve;
mod sources;
pub mod volatile;

pub use generation::{Generations, Lasting, Unfit};
pub use run::run;
pub use serve::{ServeError, readiness, serve, site, trace};

use crate::config::Config;
use crate::connect::ldap::LdapError;
use crate::connect::mail::MailError;
use crate::domain::secret::Secret;
use crate::domain::session::SharedLifetimes;
use crate::service::card::Cards;
use crate::service::context::{Context, Surroundings};
use crate::service::core::{Core, Trouble};
use crate::service::factor::passkey;
use crate::service::hasher::{self, Hasher};
use crate::service::key_ring::{KeyRing, Wrapping};
use crate::service::keys::{KeyError, Keys};
use crate::service::limiter::Limiter;
use crate::service::metrics::Metrics;
use crate::service::provider::Providers;
use crate::service::saml::Saml;
use crate::service::setting::SettingError;
use crate::service::signing::SigningKeys;
use crate::store::volatile::Volatile;
use crate::store::{Database, OpenError, Place, key, root_key};
use crate::web::brand::Brand;
use crate::web::upload::Places;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;

/// How long the end waits for the last traces to be written.
const LAST_TRACES: std::time::Duration = std::time::Duration::from_secs(2);

/// Stores and keys, open: what `serve` and every command need.
#[derive(Clone)]
pub struct App {
    /// What all use cases share.
    pub core: Arc<Core>,
    /// The key ring's life.
    pub keys: Keys,
    /// Identity providers.
    pub providers: Providers,
    /// SAML, for those of them that speak it.
    pub saml: Saml,
    /// Logo and colours.
    pub brand: Arc<Brand>,
    /// Clock and generator.
    pub surroundings: Surroundings,
    /// How long the volatile store lets sessions live.
    lifetimes: SharedLifetimes,
    /// Places for uploads.
    uploads: Arc<Places>,
}

/// Why the stores cannot be opened; in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("cannot make the data folder {}: {source}", path.display())]
    DataDir {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The logo cannot be shown.
    #[error("branding.logo_file: {0}")]
    Logo(String),
    /// The logo of a provider cannot be shown: which, and why.
    #[error("identity_provider \"{0}\": logo_file: {1}")]
    ProviderLogo(String, String),
    /// An identity provider cannot be used as configured.
    #[error("{0}")]
    Provider(String),
    /// A gateway for codes cannot be used as configured.
    #[error("{0}")]
    Gateway(String),
    /// The root key cannot be read or made.
    #[error("cannot use the root key {}: {source}", path.display())]
    RootKey {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database is there and its key is not.
    #[error("the root key {} is missing, and {} cannot be opened without it: bring the key back from a backup or from another node, or set secret_key", path.display(), database)]
    RootKeyLost {
        /// Where the key should be.
        path: PathBuf,
        /// What it belongs to.
        database: String,
    },
    /// The durable store.
    #[error(transparent)]
    Durable(#[from] OpenError),
    /// The volatile store.
    #[error("cannot open the session store: {0}")]
    Volatile(String),
    /// The hasher.
    #[error(transparent)]
    Hasher(#[from] hasher::StartError),
    /// The key ring.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A directory.
    #[error(transparent)]
    Directory(#[from] LdapError),
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// Stored settings cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingError),
}

impl App {
    /// Opens stores and keys as configured.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(config: &Config, surroundings: Surroundings) -> Result<Self, StartError> {
        let seed = u64::from_be_bytes(surroundings.bytes());
        let lifetimes = SharedLifetimes::from(mapping::policy(config).lifetimes);
        let volatile = volatile::open(config, lifetimes.clone(), seed);
        Self::over(config, surroundings, lifetimes, volatile).await
    }

    /// The same for a command, which does without sessions when they cannot be reached.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open_for_a_command(config: &Config, surroundings: Surroundings) -> Result<Self, StartError> {
        let seed = u64::from_be_bytes(surroundings.bytes());
        let lifetimes = SharedLifetimes::from(mapping::policy(config).lifetimes);
        let volatile = volatile::open_for_a_command(config, lifetimes.clone(), seed);
        Self::over(config, surroundings, lifetimes, volatile).await
    }

    async fn over(
        config: &Config,
        surroundings: Surroundings,
        lifetimes: SharedLifetimes,
        volatile: impl Future<Output = Result<Arc<dyn Volatile>, StartError>>,
    ) -> Result<Self, StartError> {
        make_folder(config)?;
        let brand = brand(config)?;
        let providers = sources::providers(config).map_err(StartError::Provider)?;
        let place = mapping::database(config);
        let database = Database::at(&place).await?;
        let wrapping = wrapping(config, &surroundings, &place, &database).await?;
        let policy = mapping::policy(config);
        let volatile = volatile.await?;
        let metrics = Arc::new(Metrics::new());
        let core = Arc::new(Core {
            node: surroundings.uuid(),
            gateways: Arc::new(gateways::gateways(config).map_err(StartError::Gateway)?),
            webauthn: passkey::relying_party(&policy.public_url, &policy.product),
            cookie_keys: Arc::new(KeyRing::default()),
            column_keys: Arc::new(KeyRing::default()),
            signing_keys: Arc::new(SigningKeys::default()),
            hasher: Arc::new(Hasher::start(&mapping::hashing(config))?),
            limiter: Limiter::new(Arc::clone(&volatile), mapping::limits(config), Arc::clone(&metrics)),
            cards: Arc::new(Cards::over(database.clone())),
            metrics,
            directories: directories::connected(config)?,
            traces: Arc::default(),
            database,
            volatile,
            policy,
        });
        let keys = Keys::new(Arc::clone(&core), Arc::new(wrapping));
        keys.establish(&Context::system(surroundings.clone())).await?;
        let saml = saml::settings(config).map_err(StartError::Provider)?;
        let saml = Saml::new(Arc::clone(&core), keys.clone(), saml);
        Ok(Self { core, keys, providers, saml, brand, surroundings, lifetimes, uploads: Arc::default() })
    }

    /// Writes what is behind and closes the stores.
    pub async fn close(&self) {
        // A store that hangs does not hold up the end.
        drop(tokio::time::timeout(LAST_TRACES, self.core.traces.settled()).await);
        self.core.volatile.close().await;
        self.core.database.close().await;
    }
}

fn brand(config: &Config) -> Result<Arc<Brand>, StartError> {
    let logo = config.branding.logo().map_err(StartError::Logo)?;
    let notice = config.privacy.notice_url.as_ref().map(ToString::to_string);
    let mut logos = Vec::new();
    for provider in config.identity_providers.iter().filter(|provider| provider.enabled) {
        let logo = provider.logo().map_err(|why| StartError::ProviderLogo(provider.slug.to_string(), why))?;
        logos.extend(logo.map(|logo| (provider.slug.to_string(), logo)));
    }
    let brand = Brand::new(logo, config.branding.accent).with_providers(logos);
    Ok(Arc::new(brand.with_privacy(notice, config.privacy.contact.clone())))
}

/// Makes the data folder, for its owner only. One that is there keeps its mode.
fn make_folder(config: &Config) -> Result<(), StartError> {
    let folder = &config.data_dir;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| StartError::DataDir { path: folder.clone(), source })?;
    for path in [folder.clone(), config.generated_key_file()].into_iter().chain(config.database_file()) {
        let open = std::fs::metadata(&path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0);
        if open {
            tracing::warn!(path = %path.display(), "others on this machine can read this: chmod go-rwx");
        }
    }
    Ok(())
}

async fn wrapping(
    config: &Config,
    surroundings: &Surroundings,
    place: &Place,
    database: &Database,
) -> Result<Wrapping, StartError> {
    let path = config.generated_key_file();
    let failed = |source| StartError::RootKey { path: path.clone(), source };
    if config.secret_key.is_none() && !path.exists() {
        let mut link = database.read().await.map_err(Trouble::from).map_err(KeyError::from)?;
        let used = !key::all(&mut link).await.map_err(KeyError::from)?.is_empty();
        if used {
            return Err(StartError::RootKeyLost { path, database: place.describe() });
        }
    }
    let root = match &config.secret_key {
        Some(key) => Secret::new(key.expose().to_vec()),
        None => root_key::load_or_make(&path, &surroundings.bytes()).map_err(failed)?,
    };
    Wrapping::derive(root.expose()).ok_or_else(|| failed(io::Error::other("no key can be derived from it")))
}
