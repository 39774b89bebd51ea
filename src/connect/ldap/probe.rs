//! Looks at one server step by step, as far as it gets: for the operator who wants to know what is wrong.

use super::{Connection, Directory, Found, Host, LdapError, Scope, Search, Security};
use crate::domain::time::Timestamp;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// What a server says about itself (RFC 4512 section 5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// It pages (RFC 2696).
    pub paging: bool,
    /// It is an Active Directory.
    pub active_directory: bool,
    /// What it is called.
    pub vendor: Option<String>,
    /// Where its content begins.
    pub naming_contexts: Vec<String>,
}

/// The control of RFC 2696.
const PAGED: &str = "1.2.840.113556.1.4.319";
/// `LDAP_CAP_ACTIVE_DIRECTORY_OID` ([MS-ADTS] 3.1.1.3.4.3.1).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

impl Connection {
    /// What the server says about itself; nothing, where it does not say.
    ///
    /// # Errors
    /// [`LdapError`] when it does not answer.
    pub async fn about(&mut self) -> Result<About, LdapError> {
        read(self.find(&question(), 1).await)
    }

    /// When the server's certificate ends; `None` without one.
    pub async fn certificate_ends(&mut self) -> Option<Timestamp> {
        let certificate = self.ldap.get_peer_certificate().await.ok()??;
        let (_, certificate) = x509_parser::parse_x509_certificate(&certificate).ok()?;
        Some(Timestamp::from_millis(certificate.validity().not_after.timestamp().checked_mul(1000)?))
    }
}

fn question() -> Search {
    let wanted = ["supportedControl", "supportedCapabilities", "vendorName", "vendorVersion", "namingContexts"];
    Search {
        base: String::new(),
        scope: Scope::Entry,
        filter: "(objectClass=*)".to_owned(),
        attributes: wanted.map(str::to_owned).to_vec(),
    }
}

fn read(answer: Result<Vec<Found>, LdapError>) -> Result<About, LdapError> {
    match answer {
        Ok(found) => Ok(found.first().map(about).unwrap_or_default()),
        Err(LdapError::Refused { .. }) => Ok(About::default()),
        Err(error) => Err(error),
    }
}

fn about(Found { entry, .. }: &Found) -> About {
    About {
        paging: entry.says("supportedControl", PAGED),
        active_directory: entry.says("supportedCapabilities", ACTIVE_DIRECTORY),
        vendor: entry.first_text(&["vendorName".to_owned(), "vendorVersion".to_owned()]).map(str::to_owned),
        naming_contexts: entry.texts("namingContexts").map(str::to_owned).collect(),
    }
}

impl Directory {
    /// What the server of the shared connection says about itself.
    ///
    /// # Errors
    /// [`LdapError`] when it does not answer.
    pub async fn about(&self) -> Result<About, LdapError> {
        read(self.find(&question(), 1).await)
    }

    /// The addresses of a server.
    ///
    /// # Errors
    /// What the system says.
    pub async fn resolve(&self, host: &Host) -> Result<Vec<SocketAddr>, LdapError> {
        let found = tokio::time::timeout(self.settings().connect_timeout, tokio::net::lookup_host(host.to_string()));
        match found.await {
            Ok(Ok(addresses)) => Ok(addresses.collect()),
            Ok(Err(error)) => Err(LdapError::Away(error.to_string())),
            Err(_) => Err(LdapError::Away("the name server does not answer".to_owned())),
        }
    }

    /// Whether something listens there.
    ///
    /// # Errors
    /// What the system says.
    pub async fn reach(&self, address: SocketAddr) -> Result<(), LdapError> {
        match tokio::time::timeout(self.settings().connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(LdapError::Away(error.to_string())),
            Err(_) => Err(LdapError::Away("no answer; a firewall may drop the packets".to_owned())),
        }
    }

    /// A connection to this very server, protected as the settings say, and not bound.
    ///
    /// # Errors
    /// [`LdapError`].
    pub async fn open(&self, host: &Host) -> Result<Connection, LdapError> {
        Connection::open(&self.settings, self.tls.clone(), 0, host).await
    }

    /// Binds a connection as the service. False when searches are anonymous.
    ///
    /// # Errors
    /// [`LdapError::Login`].
    pub async fn log_in(&self, connection: &mut Connection) -> Result<bool, LdapError> {
        let Some((name, password)) = &self.settings.login else { return Ok(false) };
        connection.bind_as_service(name, password.expose()).await?;
        Ok(true)
    }

    /// Whether connections are protected.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.settings.security != Security::DangerPlain
    }
}
