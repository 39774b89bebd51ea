//! The certificate that the listener shows, read from two PEM files and read again when they change.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::time::MissedTickBehavior;

use crate::web::signals::Hangup;

/// Where the certificate and its key are.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// PEM: the server's certificate first, then the intermediate ones.
    pub certificate: PathBuf,
    /// PEM: the private key (PKCS#8, PKCS#1 or SEC1), without a passphrase.
    pub key: PathBuf,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate file holds no certificate, or a damaged one.
    #[error("{path} holds no usable PEM certificate: {reason}")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key file holds no private key, or one of a kind that is not supported.
    #[error("{path} holds no usable PEM private key: {reason}")]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it. Never quotes the file.
        reason: String,
    },
    /// Both files are fine, but the one does not belong to the other.
    #[error("the private key in {key} does not belong to the certificate in {certificate}")]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// rustls refuses its own set-up.
    #[error("TLS cannot be set up: {0}")]
    SetUp(#[from] rustls::Error),
}

/// What a look at the files brought.
#[derive(Debug)]
pub enum Reload {
    /// The files are as they were.
    Unchanged,
    /// New connections get the new certificate; existing ones are not touched.
    Renewed,
    /// The files changed, but cannot be used: the old certificate stays in use.
    Kept(TlsError),
}

/// The certificate in use. Shared by the TLS configuration and by whoever reloads it.
pub struct TlsIdentity {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Option<Fingerprint>>,
}

/// Enough to notice a change without reading: content written in place, a file moved over it, a symlink turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint {
    certificate: Stamp,
    key: Stamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl TlsIdentity {
    /// Reads the files for the first time; here a broken file is an error.
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Looked at before reading: a change in between is noticed at the next look.
        let seen = fingerprint(&files).ok();
        let current = read(&files, &provider)?;
        Ok(Arc::new(Self { files, provider, current: RwLock::new(Arc::new(current)), seen: Mutex::new(seen) }))
    }

    /// A server configuration that shows this certificate: TLS 1.2 and 1.3, HTTP/1.1 by ALPN, resumption by tickets.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }

    /// Looks at the files and takes them over if they changed. Broken files are reported once per change. Blocks on files.
    pub fn reload(&self) -> Reload {
        let now = fingerprint(&self.files).ok();
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now {
                return Reload::Unchanged;
            }
            *seen = now;
        }
        match read(&self.files, &self.provider) {
            Ok(fresh) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                Reload::Renewed
            }
            Err(error) => Reload::Kept(error),
        }
    }

    /// The certificate that new connections get, as DER.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.key_in_use().cert.first().cloned()
    }

    /// Looks at the files every `interval` and on SIGHUP, and logs what came of it. Ends only by being dropped.
    pub async fn follow(self: Arc<Self>, interval: Duration, mut hangup: Hangup) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = hangup.requested() => tracing::info!("SIGHUP: looking at the TLS files"),
            }
            let identity = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || identity.reload()).await {
                Ok(Reload::Unchanged) => {}
                Ok(Reload::Renewed) => {
                    tracing::info!(file = %self.files.certificate.display(), "TLS certificate renewed");
                }
                Ok(Reload::Kept(error)) => {
                    tracing::error!(%error, "new TLS files cannot be used; the old certificate stays in use");
                }
                Err(error) => tracing::error!(%error, "cannot look at the TLS files"),
            }
        }
    }

    fn key_in_use(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for TlsIdentity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key_in_use())
    }
}

impl fmt::Debug for TlsIdentity {
    /// Shows the paths only; the key stays hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("files", &self.files).finish_non_exhaustive()
    }
}

fn fingerprint(files: &TlsFiles) -> io::Result<Fingerprint> {
    Ok(Fingerprint { certificate: stamp(&files.certificate)?, key: stamp(&files.key)? })
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let file = fs::metadata(path)?;
    Ok(Stamp {
        inode: (file.dev(), file.ino()),
        length: file.len(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&content(&files.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Certificate { path: files.certificate.clone(), reason: plainly(&error) })?;
    if chain.is_empty() {
        return Err(TlsError::Certificate {
            path: files.certificate.clone(),
            reason: "it has no CERTIFICATE block".into(),
        });
    }
    let key = PrivateKeyDer::from_pem_slice(&content(&files.key)?)
        .map_err(|error| TlsError::Key { path: files.key.clone(), reason: plainly(&error) })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() }
        }
        rustls::Error::InvalidCertificate(reason) => {
            TlsError::Certificate { path: files.certificate.clone(), reason: format!("{reason:?}") }
        }
        other => TlsError::Key { path: files.key.clone(), reason: other.to_string() },
    })
}

fn content(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

/// The PEM reader's own messages can quote the line they stumbled over; a key file's lines must not reach a log.
fn plainly(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "it has no such block".into(),
        pem::Error::MissingSectionEnd { .. } => "a block does not end".into(),
        pem::Error::Base64Decode(_) => "a block is not base64".into(),
        _ => "it is not well-formed PEM".into(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use tempfile::TempDir;

    use super::*;

    fn write_pair(directory: &TempDir) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let files = TlsFiles { certificate: directory.path().join("crt"), key: directory.path().join("key") };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_noticed_at_the_next_look() {
        let directory = TempDir::new().unwrap();
        let identity = TlsIdentity::load(write_pair(&directory)).unwrap();
        let first = identity.certificate();
        let interval = Duration::from_secs(5);
        let following = tokio::spawn(Arc::clone(&identity).follow(interval, Hangup::watch().unwrap()));
        tokio::time::sleep(interval * 2).await;
        assert_eq!(identity.certificate(), first);
        write_pair(&directory);
        tokio::time::sleep(interval * 2).await;
        assert_ne!(identity.certificate(), first);
        following.abort();
    }

    #[test]
    fn a_broken_key_file_is_never_quoted() {
        let directory = TempDir::new().unwrap();
        let files = write_pair(&directory);
        for content in ["-----BEGIN s3cret", "s3cret", "-----BEGIN PRIVATE KEY-----\ns3cret"] {
            fs::write(&files.key, content).unwrap();
            let error = TlsIdentity::load(files.clone()).unwrap_err();
            assert!(matches!(error, TlsError::Key { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
