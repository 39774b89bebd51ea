//! `serve`: everything running, until it is asked to stop.

use super::{App, Generations, Lasting, StartError, Unfit, mapping};
use crate::cli::Running;
use crate::config::{Config, Layers, Loaded};
use crate::connect::log_file::LogFile;
use crate::jobs::{self, TendLogs};
use crate::service::account::Accounts;
use crate::service::avatar::Avatars;
use crate::service::context::{Context, Surroundings};
use crate::service::core::Trouble;
use crate::service::email::Emails;
use crate::service::factor::Factors;
use crate::service::housekeeping::Housekeeping;
use crate::service::identity::Identities;
use crate::service::invitation::Invitations;
use crate::service::lease::Leases;
use crate::service::moment;
use crate::service::password::Passwords;
use crate::service::recovery::Recovery;
use crate::service::registration::Registration;
use crate::service::session::Sessions;
use crate::service::setup::SetUp;
use crate::service::sign_in::SignIn;
use crate::service::sign_out::SignOut;
use crate::service::trace::Traces;
use crate::service::verify::Verify;
use crate::web::internal::{self, Readiness};
use crate::web::listener::{ListenError, Listener, ListenerSettings};
use crate::web::signals::{Hangup, Termination};
use crate::web::site::Site;
use crate::web::tls::{TlsError, TlsFiles, TlsIdentity};
use crate::web::trace::Trace;
use http::HeaderValue;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How often certificate files are looked at.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(5);

/// Why the service does not start; in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Stores or keys.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Another `serve` uses the same folder or database.
    #[error("another `vestibule serve` is running on the same data: it holds {}; stop it first (other commands work beside it)", .0.display())]
    Running(PathBuf),
    /// The lock file cannot be made.
    #[error("cannot lock {}: {source}", path.display())]
    Lock {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address is taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Signals.
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// Runs the service until SIGTERM or SIGINT; `announce` hears once that it runs.
///
/// # Errors
/// [`ServeError`] when it cannot start.
pub async fn serve(
    layers: Arc<Layers>,
    base: Loaded,
    log_file: Option<Arc<LogFile>>,
    announce: impl FnOnce(&Running),
) -> Result<(), ServeError> {
    // Both signals must be heard before anything is open.
    let mut termination = Termination::watch().map_err(ServeError::Signals)?;
    let hangup = Hangup::watch().map_err(ServeError::Signals)?;
    super::make_folder(&base.config)?;
    let _alone = alone(&base.config)?;
    let app = App::open(&base.config, Surroundings::machine()).await?;
    let housekeeping = Housekeeping::begin(Arc::clone(&app.core), app.keys.clone()).await?;
    let leaving = Arc::new(AtomicBool::new(false));
    let unfit = Unfit::default();
    let readiness = readiness(housekeeping.clone(), Arc::clone(&leaving), unfit.clone());
    let tend_logs = log_file.map(tend_logs).map(Arc::new);
    let lasting = Lasting { housekeeping, readiness: Arc::clone(&readiness), unfit, tend_logs };
    let generations = Generations::begin(app, layers, base, lasting).await?;
    // What is taken from here is the same in every generation: it cannot be stored, or is said once.
    let (config, warnings) = (generations.current().config.clone(), generations.current().warnings.clone());
    let identity = config.server.tls().map(|(certificate, key)| {
        TlsIdentity::load(TlsFiles { certificate: certificate.to_owned(), key: key.to_owned() })
    });
    let identity = identity.transpose()?;
    let tls = identity.as_ref().map(TlsIdentity::server_config).transpose()?;
    let listener = Listener::bind(mapping::listener(&config), tls)?;
    let internal = match config.server.internal_listen {
        Some(listen) => Some(Listener::bind(ListenerSettings { listen, ..mapping::listener(&config) }, None)?),
        None => None,
    };
    let (stop, stopping) = watch::channel(false);
    let running_jobs = jobs::start(&generations, &stopping);
    if let Some(identity) = identity {
        tokio::spawn(identity.follow(CERTIFICATE_CHECK, hangup));
    }
    let app = generations.current().app.clone();
    let ctx = Context::system(app.surroundings.clone());
    announce(&Running {
        url: config.public_url.origin().to_owned(),
        warnings,
        set_up: SetUp::new(Arc::clone(&app.core)).link(&ctx).await?,
        outbox: config.mail.host.is_none().then(|| config.outbox()),
    });
    let internal = internal.map(|listener| {
        let routes = internal::router(Arc::clone(&app.core.metrics), readiness);
        tokio::spawn(listener.serve(routes_as_service(routes), stopped(stopping.clone())))
    });
    drop(app);
    let drained = listener
        .serve(generations.entrance(), async {
            let signal = termination.requested().await;
            leaving.store(true, Ordering::Relaxed);
            if let Some(delay) = config.server.stop_delay {
                tracing::info!(
                    signal,
                    seconds = delay.duration().as_secs(),
                    "/ready says no; requests are still served"
                );
                // Whoever asks twice does not want to wait.
                drop(timeout(delay.duration(), termination.requested()).await);
            }
            tracing::info!(signal, "stopping: requests under way are finished first");
        })
        .await;
    if drained.unfinished > 0 {
        tracing::warn!(connections = drained.unfinished, "connections were cut when the time for draining was over");
    }
    stop.send_replace(true);
    for job in running_jobs {
        // A job that panicked has said so; the others still end well.
        drop(job.await);
    }
    if let Some(internal) = internal {
        drop(internal.await);
    }
    let last = generations.current();
    Leases::new(Arc::clone(&last.app.core)).give_all_back().await;
    last.app.close().await;
    tracing::info!("stopped");
    Ok(())
}

fn tend_logs(file: Arc<LogFile>) -> TendLogs {
    TendLogs(Box::new(move |now| file.tend(moment::instant(now)).map_err(|error| error.to_string())))
}

/// One `serve` a folder, and one a database file: two would not see each other's sessions.
fn alone(config: &Config) -> Result<Vec<File>, ServeError> {
    let database = config.database_file().map(|file| file.with_extension("serve-lock"));
    let locks = std::iter::once(config.data_dir.join("serve.lock")).chain(database);
    locks.map(|path| locked(&path)).collect()
}

pub(super) fn locked(path: &Path) -> Result<File, ServeError> {
    let failed = |source| ServeError::Lock { path: path.to_owned(), source };
    crate::store::private_file(path).map_err(failed)?;
    let file = File::open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServeError::Running(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// All services, and the settings that shape responses.
#[must_use]
pub fn site(app: &App, config: &Config) -> Site {
    let core = &app.core;
    let login = format!("{}/login", core.policy.public_url);
    Site {
        surroundings: app.surroundings.clone(),
        sign_in: SignIn::new(Arc::clone(core)),
        traces: Traces::new(Arc::clone(core)),
        sessions: Sessions::new(Arc::clone(core)),
        factors: Factors::new(Arc::clone(core)),
        passwords: Passwords::new(Arc::clone(core)),
        recovery: Recovery::new(Arc::clone(core)),
        emails: Emails::new(Arc::clone(core)),
        accounts: Accounts::new(Arc::clone(core)),
        avatars: Avatars::new(Arc::clone(core)),
        uploads: Arc::clone(&app.uploads),
        set_up: SetUp::new(Arc::clone(core)),
        invitations: Invitations::new(Arc::clone(core)),
        identities: Identities::new(Arc::clone(core)),
        sign_out: SignOut::new(Arc::clone(core), app.providers.clone(), app.saml.clone()),
        providers: app.providers.clone(),
        saml: app.saml.clone(),
        registration: Registration::new(Arc::clone(core)),
        verify: Verify::new(Arc::clone(core), mapping::application_secrets(config)),
        security_contact: config.privacy.security_contact.as_ref().map(ToString::to_string),
        brand: Arc::clone(&app.brand),
        cookies: mapping::cookies(config),
        trusted_proxies: mapping::trusted_proxies(config),
        login_location: HeaderValue::from_str(&login).unwrap_or(HeaderValue::from_static("/login")),
        full_addresses: config.log.full_addresses,
        strict_transport: config.public_url.is_https(),
        max_body: usize::try_from(config.server.max_body_bytes).unwrap_or(usize::MAX),
        core: Arc::clone(core),
    }
}

/// What stands around every page.
#[must_use]
pub fn trace(app: &App, config: &Config) -> Trace {
    let surroundings = app.surroundings.clone();
    Trace {
        request_timeout: config.server.request_timeout.duration(),
        full_addresses: config.log.full_addresses,
        trusted_proxies: mapping::trusted_proxies(config),
        new_request_id: Box::new(move || surroundings.uuid()),
        metrics: Arc::clone(&app.core.metrics),
    }
}

/// Asks the stores; says no once the process is leaving.
#[must_use]
pub fn readiness(housekeeping: Housekeeping, leaving: Arc<AtomicBool>, unfit: Unfit) -> Readiness {
    Arc::new(move || {
        let (housekeeping, leaving, unfit) = (housekeeping.clone(), Arc::clone(&leaving), unfit.clone());
        Box::pin(async move {
            if leaving.load(Ordering::Relaxed) {
                return Err("this node is stopping".to_owned());
            }
            if let Some(why) = unfit.why() {
                return Err(why);
            }
            housekeeping.ready().await.map_err(|trouble| trouble.to_string())
        })
    })
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // The sender is dropped only when the service ends.
    drop(stopping.wait_for(|stop| *stop).await);
}

fn routes_as_service(
    routes: axum::Router,
) -> impl tower::Service<
    http::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    routes
}
