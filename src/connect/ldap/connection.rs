//! One connection to one server. After a silence or a break it is of no use any more, and whoever holds it drops it.

use super::{Host, LdapError, LdapSettings, Security};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError as Fault, LdapResult, StdStream};
use rustls::{CertificateError, ClientConfig, Error as TlsFault};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

/// A connection; clones share it.
#[derive(Clone)]
pub struct Connection {
    pub(super) ldap: Ldap,
    pub(super) patience: Duration,
    pub(super) page_size: u32,
    place: usize,
    broken: Arc<AtomicBool>,
}

impl Connection {
    /// Connects, with TLS as the settings say.
    pub(super) async fn open(
        settings: &LdapSettings,
        tls: Option<Arc<ClientConfig>>,
        place: usize,
        host: &Host,
    ) -> Result<Self, LdapError> {
        let scheme = if settings.security == Security::Ldaps { "ldaps" } else { "ldap" };
        let mut how = LdapConnSettings::new().set_starttls(settings.security == Security::StartTls);
        if let Some(tls) = tls {
            how = how.set_config(tls);
        }
        let opened = tokio::time::timeout(settings.connect_timeout, async {
            let stream = TcpStream::connect(host.to_string()).await?;
            // A message goes at once: held back until the last one is acknowledged, each handshake costs 40 ms more, and
            // tells in its time that a directory was asked.
            stream.set_nodelay(true)?;
            let how = how.set_std_stream(StdStream::Tcp(stream.into_std()?));
            LdapConnAsync::with_settings(how, &format!("{scheme}://{host}")).await
        });
        let opened = opened.await.unwrap_or_else(|elapsed| Err(elapsed.into()));
        let (driver, ldap) = opened.map_err(|fault| while_connecting(fault, settings.connect_timeout))?;
        tokio::spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!(%error, "a connection to a directory ended");
            }
        });
        Ok(Self {
            ldap,
            patience: settings.operation_timeout,
            page_size: settings.page_size,
            place,
            broken: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Place of the server in the settings.
    pub(super) const fn host(&self) -> usize {
        self.place
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.broken, &other.broken)
    }

    pub(super) fn is_open(&mut self) -> bool {
        !self.broken.load(Ordering::Relaxed) && !self.ldap.is_closed()
    }

    pub(super) async fn bind_as_service(&mut self, name: &str, password: &str) -> Result<(), LdapError> {
        self.ldap.with_timeout(self.patience);
        let bound = self.ldap.simple_bind(name, password).await;
        let result = bound.map_err(|fault| self.broke(fault))?;
        match result.rc {
            0 => Ok(()),
            // busy, unavailable
            51 | 52 => Err(LdapError::Away(said(&result))),
            _ => Err(LdapError::Login(format!("{} (result {})", said(&result), result.rc))),
        }
    }

    /// Notes that the connection is of no use any more: after a silence the answer may still come, to another question.
    pub(super) fn broke(&self, fault: Fault) -> LdapError {
        self.broken.store(true, Ordering::Relaxed);
        while_talking(fault, self.patience)
    }
}

/// What a server said, on one line and not too long.
pub(super) fn said(result: &LdapResult) -> String {
    let text: String = result.text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    let text = text.trim();
    if text.is_empty() { in_words(result.rc).to_owned() } else { text.to_owned() }
}

/// What a result code means (RFC 4511 appendix A.2), for servers that say no more.
const fn in_words(code: u32) -> &'static str {
    match code {
        1 => "the server had a trouble of its own",
        2 => "it did not understand the question",
        3 => "its limit of time is reached",
        4 => "its limit of size is reached",
        8 => "it wants a stronger login",
        10 => "another server has this",
        11 => "a limit set by its administrator is reached",
        13 => "it wants a protected connection",
        16 | 17 => "it does not know an attribute",
        18 => "an attribute cannot be compared in this way",
        32 => "there is no such entry, or it may not be seen",
        34 => "the distinguished name is not well formed",
        48 => "this entry cannot sign in with a password",
        49 => "name or password are wrong",
        50 => "that is not allowed for this login",
        51 => "it is busy",
        52 => "it is shutting down or not ready",
        53 => "it does not want to",
        _ => "it gave no reason",
    }
}

fn while_talking(fault: Fault, patience: Duration) -> LdapError {
    match fault {
        Fault::Timeout { .. } => LdapError::Away(format!("it was silent for {} s", patience.as_secs())),
        Fault::FilterParsing => LdapError::SetUp("a search filter is broken".to_owned()),
        Fault::Io { source } => LdapError::Away(source.to_string()),
        Fault::LdapResult { result } => LdapError::Refused { code: result.rc, text: said(&result) },
        _ => LdapError::Away("the connection was closed".to_owned()),
    }
}

fn while_connecting(fault: Fault, patience: Duration) -> LdapError {
    match fault {
        Fault::Timeout { .. } => LdapError::Away(format!("no connection within {} s", patience.as_secs())),
        Fault::Io { source } => from_io(&source),
        Fault::Rustls { source } => from_tls(&source),
        Fault::DNSName { .. } => LdapError::Insecure("the host is no name that a certificate can have".to_owned()),
        Fault::LdapResult { result } => {
            LdapError::Insecure(format!("the server does not start TLS: {} (result {})", said(&result), result.rc))
        }
        Fault::UrlParsing { .. } => LdapError::SetUp("the host is no name".to_owned()),
        _ => LdapError::Away("the connection was closed".to_owned()),
    }
}

fn from_io(error: &io::Error) -> LdapError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsFault>());
    inner.map_or_else(|| LdapError::Away(error.to_string()), from_tls)
}

/// What is wrong with a certificate, in words that say what to do.
fn from_tls(fault: &TlsFault) -> LdapError {
    LdapError::Insecure(match fault {
        TlsFault::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the certificate is signed by an authority that is not trusted here: name it in ca_file".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the certificate is for another name than the one in hosts: {fault}")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the certificate has expired: {fault}")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("the certificate is not valid yet; is the clock right? {fault}")
            }
            _ => format!("the certificate is refused: {fault}"),
        },
        other => format!("TLS failed: {other}"),
    })
}
