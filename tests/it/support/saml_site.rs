//! Where a SAML provider shows its metadata: a web server that answers as the test wants, also as none should.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Shows {
    /// A page, whatever it is.
    Page(String),
    /// A status and nothing else.
    Status(u16),
    /// Nothing, and the connection stays.
    Silence,
    /// A page that comes a byte at a time.
    Drips,
    /// A page without end.
    Endless,
}

/// The server; gone when dropped.
pub(crate) struct Site {
    pub(crate) address: String,
    shows: Arc<Mutex<Shows>>,
    clock: Arc<Mutex<i64>>,
    asked: Arc<AtomicUsize>,
    elsewhere: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

#[derive(Clone)]
struct Scene {
    address: String,
    shows: Arc<Mutex<Shows>>,
    clock: Arc<Mutex<i64>>,
    asked: Arc<AtomicUsize>,
    elsewhere: Arc<AtomicUsize>,
}

impl Site {
    /// A site without encryption.
    pub(crate) async fn open(shows: Shows) -> Self {
        Self::with(shows, None).await
    }

    /// A site with a certificate that it has signed itself, and the file with that.
    pub(crate) async fn encrypted(shows: Shows, folder: &Path) -> (Self, PathBuf) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = folder.join("site-ca.pem");
        std::fs::write(&file, certificate.pem()).expect("written");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .expect("a certificate");
        (Self::with(shows, Some(TlsAcceptor::from(Arc::new(config)))).await, file)
    }

    async fn with(shows: Shows, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let (asked, elsewhere) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (shows, clock) = (Arc::new(Mutex::new(shows)), Arc::new(Mutex::new(super::openid::NOW)));
        let scene = Scene { address, shows, clock, asked, elsewhere };
        let Scene { address, shows, clock, asked, elsewhere } = scene.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (scene, tls) = (scene.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => scene.answer(stream).await,
                        Some(tls) => scene.answer(tls.accept(stream).await.ok()?).await,
                    }
                });
            }
        });
        Self { address, shows, clock, asked, elsewhere, listening }
    }

    /// Answers otherwise from now on.
    pub(crate) fn shows(&self, shows: Shows) {
        *self.shows.lock().expect("no test has panicked") = shows;
    }

    /// The time it puts on its answers, in seconds since 1970.
    pub(crate) fn clock(&self, seconds: i64) {
        *self.clock.lock().expect("no test has panicked") = seconds;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How often somebody followed a redirect.
    pub(crate) fn followed(&self) -> usize {
        self.elsewhere.load(Ordering::SeqCst)
    }

    /// The configuration of a house that knows it as `corp`.
    pub(crate) fn configuration(&self, more: &str) -> String {
        let (address, name) = (&self.address, "Corp");
        format!(
            "[[identity_provider]]\nslug = \"corp\"\nname = {name:?}\nkind = \"saml\"\n\
             metadata_url = \"{address}/metadata?key=in-the-address\"\n{more}\n"
        )
    }

    /// The server goes away; nothing listens there any more.
    pub(crate) fn closes(&self) {
        self.listening.abort();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Scene {
    async fn answer(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let elsewhere = head.starts_with(b"GET /elsewhere");
        let count = if elsewhere { &self.elsewhere } else { &self.asked };
        count.fetch_add(1, Ordering::SeqCst);
        let shows = self.shows.lock().expect("no test has panicked").clone();
        let seconds = *self.clock.lock().expect("no test has panicked");
        let now = jiff::Timestamp::from_second(seconds).expect("a time").strftime("%a, %d %b %Y %H:%M:%S GMT");
        let location = format!("{}/elsewhere", self.address);
        let head = |status: u16, more: &str| {
            format!(
                "HTTP/1.1 {status} X\r\nDate: {now}\r\nContent-Type: application/samlmetadata+xml\r\n\
                 Location: {location}\r\nConnection: close\r\n{more}\r\n"
            )
        };
        match shows {
            Shows::Page(text) => {
                let head = head(200, &format!("Content-Length: {}\r\n", text.len()));
                stream.write_all(format!("{head}{text}").as_bytes()).await.ok()?;
            }
            Shows::Status(status) => {
                stream.write_all(head(status, "Content-Length: 0\r\n").as_bytes()).await.ok()?;
            }
            Shows::Silence => drop(stream.read(&mut [0]).await),
            Shows::Drips => {
                stream.write_all(head(200, "Content-Length: 100000\r\n").as_bytes()).await.ok()?;
                let mut drops = tokio::time::interval(Duration::from_millis(50));
                loop {
                    drops.tick().await;
                    stream.write_all(b" ").await.ok()?;
                    stream.flush().await.ok()?;
                }
            }
            Shows::Endless => {
                stream.write_all(head(200, "").as_bytes()).await.ok()?;
                let some = " ".repeat(64 * 1024);
                loop {
                    stream.write_all(some.as_bytes()).await.ok()?;
                }
            }
        }
        stream.shutdown().await.ok()
    }
}
