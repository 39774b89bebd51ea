//! LDAP servers: connections that are made, kept, given up and tried elsewhere; searches in pages; binds of people.
//! What an entry means is `domain/directory`; what is done about it, `service/directory`.

mod bind;
mod connection;
mod hosts;
pub mod probe;
mod search;

pub use bind::Verdict;
pub use connection::Connection;
pub use ldap3::ldap_escape as escaped;
pub use search::{Found, Reading, Scope, Search};

use crate::domain::secret::Secret;
use hosts::Hosts;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// Bytes as a value in a filter (RFC 4515 section 3).
#[must_use]
pub fn escaped_bytes(value: &[u8]) -> String {
    value.iter().fold(String::with_capacity(value.len() * 3), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "\\{byte:02x}");
        text
    })
}

/// How connections are protected. Certificates are always checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Plain at first, then TLS; a server that does not offer it is refused.
    StartTls,
    /// TLS from the first byte.
    Ldaps,
    /// Nothing: passwords can be read on the way.
    DangerPlain,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name as in its certificate, or address.
    pub name: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

/// How to reach a directory.
#[derive(Clone)]
pub struct LdapSettings {
    /// Its short name.
    pub slug: String,
    /// Servers with the same content, the preferred one first.
    pub hosts: Vec<Host>,
    /// How connections are protected.
    pub security: Security,
    /// PEM file of the authorities that may have signed the servers' certificates, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// For TCP and TLS together.
    pub connect_timeout: Duration,
    /// For each step of the conversation.
    pub operation_timeout: Duration,
    /// Name and password of the entry that searches; without it searches are anonymous.
    pub login: Option<(String, Secret<String>)>,
    /// Entries asked for at once; 0 is without paging.
    pub page_size: u32,
    /// Binds of people at the same time.
    pub max_binds: usize,
}

impl fmt::Debug for LdapSettings {
    /// Shows neither name nor password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapSettings").field("slug", &self.slug).field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// Why a directory did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LdapError {
    /// No server answers, or one stopped answering; it may be back later.
    #[error("the directory does not answer: {0}")]
    Away(String),
    /// More people sign in at the same time than the settings allow.
    #[error("too many passwords are being checked at the directory")]
    Busy,
    /// The connection cannot be protected as demanded. Nothing was sent.
    #[error("no protected connection to the directory: {0}")]
    Insecure(String),
    /// The directory refuses our own name and password.
    #[error("the directory refuses the service's own login: {0}")]
    Login(String),
    /// The directory refuses what was asked.
    #[error("the directory refuses: {text} (result {code})")]
    Refused {
        /// The result code (RFC 4511 appendix A).
        code: u32,
        /// What the server said.
        text: String,
    },
    /// The server's own limit cut a short search off after so many entries.
    #[error("the server gives no more than {0} entries; raise its size limit for the service's entry")]
    Cut(usize),
    /// What came is not LDAP, or goes on for ever.
    #[error("the directory answers nonsense: {0}")]
    Garbled(&'static str),
    /// The settings are unusable.
    #[error("directory set-up: {0}")]
    SetUp(String),
}

impl LdapError {
    /// Whether the directory could not be asked at all, so that nothing is known about anybody.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Cut(_))
    }

    /// Whether there is no such entry (RFC 4511 `noSuchObject`).
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code: 32, .. })
    }
}

/// One directory; shared by everything that asks it.
pub struct Directory {
    settings: LdapSettings,
    tls: Option<Arc<ClientConfig>>,
    hosts: Hosts,
    /// The connection that short searches share.
    shared: Mutex<Option<Connection>>,
    binds: Semaphore,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

impl Directory {
    /// Reads the file of authorities; does not connect yet.
    ///
    /// # Errors
    /// [`LdapError::SetUp`].
    pub fn new(settings: LdapSettings) -> Result<Self, LdapError> {
        // Other libraries of this program may bring a second provider; the choice must not depend on them.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let tls = settings.ca_file.as_deref().map(trusting).transpose()?;
        Ok(Self {
            tls,
            hosts: Hosts::new(settings.hosts.len()),
            shared: Mutex::new(None),
            binds: Semaphore::new(settings.max_binds),
            settings,
        })
    }

    /// How it is reached.
    #[must_use]
    pub const fn settings(&self) -> &LdapSettings {
        &self.settings
    }

    /// Whether the last try to reach it failed at every server, as far as is known without trying.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.hosts.all_failed()
    }

    /// A connection of one's own, for a long conversation. Servers that failed lately are tried as well, last.
    ///
    /// # Errors
    /// [`LdapError`].
    pub async fn connect(&self) -> Result<Connection, LdapError> {
        self.connection(true, true).await
    }

    /// A short search over the shared connection: at most `most` entries.
    ///
    /// # Errors
    /// [`LdapError`].
    pub async fn find(&self, search: &Search, most: u32) -> Result<Vec<Found>, LdapError> {
        let (mut connection, fresh) = self.shared(None).await?;
        match connection.find(search, most).await {
            // The server may have closed an idle connection, or been restarted: one more try, on a new one.
            Err(LdapError::Away(_)) if !fresh => {}
            Err(error) => {
                if error.is_away() {
                    self.hosts.failed(connection.host());
                    self.forget(&connection).await;
                }
                return Err(error);
            }
            found => return found,
        }
        let (mut connection, _) = self.shared(Some(&connection)).await?;
        let found = connection.find(search, most).await;
        if matches!(&found, Err(error) if error.is_away()) {
            self.hosts.failed(connection.host());
            self.forget(&connection).await;
        }
        found
    }

    /// The shared connection and whether it was made just now; `instead` is one that is of no use any more.
    async fn shared(&self, instead: Option<&Connection>) -> Result<(Connection, bool), LdapError> {
        let mut shared = self.shared.lock().await;
        if let Some(connection) = shared.as_mut()
            && instead.is_none_or(|useless| !useless.is_same(connection))
            && connection.is_open()
        {
            return Ok((connection.clone(), false));
        }
        *shared = None;
        let connection = self.connection(true, false).await?;
        *shared = Some(connection.clone());
        Ok((connection, true))
    }

    async fn forget(&self, useless: &Connection) {
        let mut shared = self.shared.lock().await;
        if shared.as_ref().is_some_and(|connection| connection.is_same(useless)) {
            *shared = None;
        }
    }

    /// Connects to the first server that answers, and binds as the service where that is wanted.
    async fn connection(&self, as_service: bool, insistent: bool) -> Result<Connection, LdapError> {
        let places = self.hosts.in_order(insistent);
        let mut last = LdapError::Away(format!("every server failed a moment ago ({})", self.settings.slug));
        for place in places {
            let Some(host) = self.settings.hosts.get(place) else { continue };
            match self.connection_to(place, host, as_service).await {
                Ok(connection) => {
                    self.hosts.worked(place);
                    return Ok(connection);
                }
                Err(error) => {
                    self.hosts.failed(place);
                    tracing::warn!(directory = self.settings.slug, %host, %error, "a directory server cannot be used");
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn connection_to(&self, place: usize, host: &Host, as_service: bool) -> Result<Connection, LdapError> {
        let mut connection = Connection::open(&self.settings, self.tls.clone(), place, host).await?;
        if let Some((name, password)) = self.settings.login.as_ref().filter(|_| as_service) {
            connection.bind_as_service(name, password.expose()).await?;
        }
        Ok(connection)
    }
}

fn trusting(file: &Path) -> Result<Arc<ClientConfig>, LdapError> {
    let failed = |why: &dyn fmt::Display| LdapError::SetUp(format!("ca_file {}: {why}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))? {
        let certificate = certificate.map_err(|error| failed(&error))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    if roots.is_empty() {
        return Err(failed(&"it holds no certificate"));
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
