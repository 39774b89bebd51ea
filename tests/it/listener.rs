//! The listener against hand-written clients: limits, certificates, the drain at the end.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test whose set-up fails has failed"
)]

use std::{
    convert::Infallible,
    fs,
    future::Future,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;
use vestibule::web::{
    listener::{Drained, Listener, ListenerSettings, Peer},
    tls::{Reload, TlsError, TlsFiles, TlsIdentity},
};

/// What the served application sees and lets tests decide.
#[derive(Default)]
struct Scene {
    seen: Mutex<Vec<(String, SocketAddr)>>,
    entered: Notify,
    released: Notify,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

async fn answer(scene: Arc<Scene>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let Peer(peer) = *request.extensions().get::<Peer>().unwrap();
    let path = request.uri().path().to_owned();
    scene.seen.lock().unwrap().push((path.clone(), peer));
    if path == "/slow" {
        scene.entered.notify_one();
        scene.released.notified().await;
    }
    Ok(Response::new(Body::from(path)))
}

/// A listener that serves a [`Scene`].
struct Running {
    address: SocketAddr,
    scene: Arc<Scene>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Running {
    fn start(settings: ListenerSettings, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let settings = ListenerSettings { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..settings };
        let listener = Listener::bind(settings, tls).unwrap();
        let address = listener.local_address().unwrap();
        let scene = Arc::<Scene>::default();
        let served = Arc::clone(&scene);
        let service = tower::service_fn(move |request| -> Answer { Box::pin(answer(Arc::clone(&served), request)) });
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(listener.serve(service, async move {
            let _ = stopped.await;
        }));
        Self { address, scene, stop, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn paths(&self) -> Vec<String> {
        self.scene.seen.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }
}

async fn ask(stream: &mut (impl AsyncWrite + Unpin), path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
}

/// Reads until `end` has come.
async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = stream.read_u8().await.unwrap_or_else(|error| panic!("{error} after {text:?}"));
        text.push(char::from(byte));
    }
    text
}

/// Reads until the server closes.
async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn requests_on_one_connection_carry_the_peers_address() {
    let running = Running::start(ListenerSettings::default(), None);
    let mut stream = running.connect().await;
    for path in ["/one", "/two"] {
        ask(&mut stream, path).await;
        assert!(read_until(&mut stream, &format!("\r\n\r\n{path}")).await.starts_with("HTTP/1.1 200"));
    }
    let own = stream.local_addr().unwrap();
    assert_eq!(*running.scene.seen.lock().unwrap(), [("/one".to_owned(), own), ("/two".to_owned(), own)]);
}

#[tokio::test]
async fn a_header_of_one_megabyte_is_answered_with_431() {
    let running = Running::start(ListenerSettings::default(), None);
    let mut stream = running.connect().await;
    let request = format!("GET / HTTP/1.1\r\nhost: a\r\ncookie: {}\r\n\r\n", "x".repeat(1_000_000));
    stream.write_all(request.as_bytes()).await.expect("the connection is not reset while the client is still sending");
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(running.paths().is_empty());
    let mut stream = running.connect().await;
    ask(&mut stream, "/next").await;
    read_until(&mut stream, "/next").await;
}

#[tokio::test]
async fn headers_up_to_the_limit_are_served() {
    let running = Running::start(ListenerSettings { max_header_bytes: 64 * 1024, ..Default::default() }, None);
    for (size, status) in [(63 * 1024, "200"), (65 * 1024, "431")] {
        let mut stream = running.connect().await;
        let request = format!("GET /x HTTP/1.1\r\nconnection: close\r\ncookie: {}\r\n\r\n", "x".repeat(size));
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{size}: {answer}");
    }
}

#[tokio::test]
async fn broken_requests_are_the_clients_fault() {
    let running = Running::start(ListenerSettings::default(), None);
    let long_path = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(1000));
    for request in [
        "\0\u{1}\u{2}\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\na b\r\n\r\n",
        &long_path,
        &many_headers,
    ] {
        let mut stream = running.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(running.paths().is_empty());
}

#[tokio::test]
async fn whoever_never_finishes_the_headers_is_cut() {
    let running =
        Running::start(ListenerSettings { header_timeout: Duration::from_millis(50), ..Default::default() }, None);
    for beginning in ["", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let mut stream = running.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        assert_eq!(read_all(&mut stream).await, "");
    }
    assert!(running.paths().is_empty());
}

#[tokio::test]
async fn further_connections_wait_for_a_slot() {
    let running = Running::start(ListenerSettings { max_connections: 1, ..Default::default() }, None);
    let mut first = running.connect().await;
    ask(&mut first, "/first").await;
    read_until(&mut first, "/first").await;
    let mut second = running.connect().await;
    ask(&mut second, "/second").await;
    ask(&mut first, "/first-again").await;
    read_until(&mut first, "/first-again").await;
    assert_eq!(running.paths(), ["/first", "/first-again"]);
    drop(first);
    read_until(&mut second, "/second").await;
}

#[tokio::test]
async fn stopping_finishes_what_was_begun_and_refuses_the_rest() {
    let running = Running::start(ListenerSettings::default(), None);
    let mut idle = running.connect().await;
    ask(&mut idle, "/idle").await;
    read_until(&mut idle, "/idle").await;
    let mut busy = running.connect().await;
    ask(&mut busy, "/slow").await;
    running.scene.entered.notified().await;

    running.stop.send(()).unwrap();
    assert_eq!(read_all(&mut idle).await, "", "an idle connection is closed at once");
    TcpStream::connect(running.address).await.expect_err("nobody listens any more");
    running.scene.released.notify_one();
    let answer = read_all(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("/slow"), "{answer}");
    drop((idle, busy));
    assert_eq!(running.ended.await.unwrap(), Drained { unfinished: 0 });
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let running =
        Running::start(ListenerSettings { drain_timeout: Duration::from_millis(50), ..Default::default() }, None);
    let mut busy = running.connect().await;
    ask(&mut busy, "/slow").await;
    running.scene.entered.notified().await;
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), Drained { unfinished: 1 });
    assert_eq!(read_all(&mut busy).await, "");
}

/// Writes a new certificate and its key, each moved into place as tools do it.
fn write_certificate(directory: &Path) -> (TlsFiles, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let files = TlsFiles { certificate: directory.join("tls.crt"), key: directory.join("tls.key") };
    for (path, content) in [(&files.certificate, certificate.pem()), (&files.key, key.serialize_pem())] {
        let fresh = path.with_extension("new");
        fs::write(&fresh, content).unwrap();
        fs::rename(fresh, path).unwrap();
    }
    (files, certificate.der().clone())
}

/// Asks for `/tls` and tells which certificate was shown.
async fn ask_trusting(
    running: &Running,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect("localhost".try_into().unwrap(), running.connect().await).await?;
    ask(&mut stream, "/tls").await;
    read_until(&mut stream, "/tls").await;
    let connection = stream.get_ref().1;
    assert_eq!(connection.alpn_protocol(), Some(b"http/1.1".as_slice()));
    Ok(connection.peer_certificates().unwrap()[0].clone())
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let directory = TempDir::new().unwrap();
    let (files, first) = write_certificate(directory.path());
    let identity = TlsIdentity::load(files).unwrap();
    let running = Running::start(ListenerSettings::default(), Some(identity.server_config().unwrap()));
    assert_eq!(ask_trusting(&running, &first).await.unwrap(), first);
    assert!(matches!(identity.reload(), Reload::Unchanged));

    let (_, second) = write_certificate(directory.path());
    assert!(matches!(identity.reload(), Reload::Renewed));
    assert_eq!(ask_trusting(&running, &second).await.unwrap(), second);
    ask_trusting(&running, &first).await.expect_err("the old certificate is no longer shown");
}

#[tokio::test]
async fn broken_new_files_keep_the_old_certificate() {
    let directory = TempDir::new().unwrap();
    let (files, first) = write_certificate(directory.path());
    let identity = TlsIdentity::load(files.clone()).unwrap();
    let running = Running::start(ListenerSettings::default(), Some(identity.server_config().unwrap()));

    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let breaks = [(&files.key, other_key.as_str()), (&files.key, "no key"), (&files.certificate, "no certificate")];
    for (path, content) in breaks {
        fs::write(path, content).unwrap();
        let Reload::Kept(error) = identity.reload() else { panic!("{content} was taken") };
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(matches!(identity.reload(), Reload::Unchanged), "told once only");
        assert_eq!(ask_trusting(&running, &first).await.unwrap(), first);
    }
    fs::remove_file(&files.certificate).unwrap();
    assert!(matches!(identity.reload(), Reload::Kept(TlsError::Unreadable { .. })));
    assert_eq!(ask_trusting(&running, &first).await.unwrap(), first);
}

#[tokio::test]
async fn files_that_do_not_belong_together_are_refused_at_the_start() {
    let directory = TempDir::new().unwrap();
    let (files, _) = write_certificate(directory.path());
    fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(TlsIdentity::load(files), Err(TlsError::Mismatch { .. })));
}

#[tokio::test]
async fn clients_that_speak_no_tls_disturb_nobody() {
    let directory = TempDir::new().unwrap();
    let (files, certificate) = write_certificate(directory.path());
    let identity = TlsIdentity::load(files).unwrap();
    let settings = ListenerSettings { handshake_timeout: Duration::from_millis(500), ..Default::default() };
    let running = Running::start(settings, Some(identity.server_config().unwrap()));
    let mut plain = running.connect().await;
    ask(&mut plain, "/plain").await;
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "no answer in clear");
    let mut silent = running.connect().await;
    assert_eq!(silent.read(&mut [0; 8]).await.unwrap(), 0, "a client that says nothing is cut");
    ask_trusting(&running, &certificate).await.unwrap();
    assert_eq!(running.paths(), ["/tls"]);
}
