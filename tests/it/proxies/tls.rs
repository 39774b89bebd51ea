//! nginx ends TLS, with a certificate of an authority of our own: for people every address is https, and Vestibule behind
//! it listens without. The server block of the sign-in pages is the one in `docs/operate/install.md`.

use super::app::{App, values};
use super::servers::{Addresses, Kind, Proxy, free_address};
use crate::support::PASSWORD;
use crate::support::program::{Place, Service, asks};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

const LOGIN: &str = "login.example.org";
const TASKS: &str = "tasks.example.org";

struct Street {
    proxy: SocketAddr,
    app: App,
    connector: TlsConnector,
    vestibule: Service,
    _nginx: Proxy,
    _place: Place,
    _files: TempDir,
}

/// Writes the files of a certificate for both names; gives what trusts its authority and nothing else.
fn certified(folder: &Path) -> TlsConnector {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec![LOGIN.to_owned(), TASKS.to_owned()]).expect("parameters");
    let certificate = names.signed_by(&key, &ca).expect("a certificate");
    std::fs::write(folder.join("fullchain.pem"), certificate.pem()).expect("written");
    std::fs::write(folder.join("privkey.pem"), key.serialize_pem()).expect("written");
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("TLS");
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The server block that operators are told to write, with what it leaves to them.
fn documented(proxy: SocketAddr, files: &Path) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operate/install.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let block = page.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a server block");
    let left = "# and listen, ssl_certificate …";
    assert!(block.contains(left), "{block}");
    let files = files.display();
    block.replace(
        left,
        &format!(
            "\n listen {proxy} ssl; ssl_certificate {files}/fullchain.pem; ssl_certificate_key {files}/privkey.pem;"
        ),
    )
}

impl Street {
    async fn opens(tables: &str) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let connector = certified(files.path());
        let (proxy, app) = (free_address(), App::starts().await);
        let port = proxy.port();
        let place = Place::behind(
            &format!("https://{LOGIN}:{port}"),
            "trusted_proxies = [\"127.0.0.1\"]",
            &format!("{tables}[[application]]\nslug = \"tasks\"\nhosts = [\"{TASKS}:{port}\"]\n"),
        );
        place.makes_account("anna");
        let vestibule = place.serves();
        let at = Addresses { proxy, vestibule: vestibule.address, app: app.address, name: TASKS };
        let nginx = Kind::starts_with_tls(&at, files.path(), &documented(proxy, files.path())).await;
        Self { proxy, app, connector, vestibule, _nginx: nginx, _place: place, _files: files }
    }

    /// A request over TLS to one of the names; status, head and body.
    async fn asks(&self, name: &'static str, head: &str, body: &str) -> (u16, String, String) {
        let stream = TcpStream::connect(self.proxy).await.expect("nginx listens");
        let server = ServerName::try_from(name).expect("a name");
        let mut stream = self.connector.connect(server, stream).await.expect("a certificate that we trust");
        let request = format!(
            "{head}\r\nHost: {name}:{}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.proxy.port(),
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        let text = String::from_utf8(answer).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, head.to_owned(), body.to_owned())
    }

    /// Signs in as browsers do; gives every line that sets a cookie.
    async fn signs_in(&self) -> Vec<String> {
        let (status, head, page) = self.asks(LOGIN, "GET /login HTTP/1.1", "").await;
        assert_eq!(status, 200, "{head}");
        let csrf = set_cookies(&head).pop().expect("a cookie");
        let pair = csrf.split(';').next().expect("a pair");
        let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let body =
            format!("csrf={}&username=anna&stay=1&password={}", token.expect("a token"), PASSWORD.replace(' ', "+"));
        let head = format!(
            "POST /login HTTP/1.1\r\nCookie: {pair}\r\nOrigin: https://{LOGIN}:{}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded",
            self.proxy.port()
        );
        let (status, head, _) = self.asks(LOGIN, &head, &body).await;
        assert_eq!(status, 303, "{head}");
        set_cookies(&head).into_iter().chain([csrf]).collect()
    }
}

fn set_cookies(head: &str) -> Vec<String> {
    values(head, "set-cookie").into_iter().map(ToOwned::to_owned).collect()
}

/// Name, attributes in order, and the pair to send back.
fn parts(line: &str) -> (String, Vec<String>, String) {
    let mut parts = line.split("; ").map(ToOwned::to_owned);
    let pair = parts.next().expect("a pair");
    let name = pair.split('=').next().expect("a name").to_owned();
    let mut attributes: Vec<_> = parts.filter(|part| !part.starts_with("Max-Age=")).collect();
    attributes.sort();
    (name, attributes, pair)
}

#[tokio::test]
async fn cookies_of_one_host_carry_the_prefix_that_browsers_hold_to_it() {
    let street = Street::opens("[autologin]\ndays = 14\n").await;
    let lines = street.signs_in().await;
    let mut kept: Vec<_> = lines.iter().map(|line| parts(line)).filter(|(.., pair)| !pair.ends_with('=')).collect();
    kept.sort();
    kept.dedup_by(|one, other| one.0 == other.0);
    let names: Vec<_> = kept.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["__Host-_vestibule_csrf", "__Host-_vestibule_session", "__Host-autologin"], "{lines:?}");
    for (name, attributes, _) in &kept {
        assert_eq!(attributes, &["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "{name}: and no Domain");
    }
    let cookie = &kept[1].2;
    let (status, _, page) = street.asks(LOGIN, &format!("GET /account HTTP/1.1\r\nCookie: {cookie}"), "").await;
    assert!(status == 200 && page.contains("Hello, anna"), "{page}");
    // Without the prefix it is another cookie, which a sibling host could have planted.
    let bare = cookie.trim_start_matches("__Host-");
    let (status, head, _) = street.asks(LOGIN, &format!("GET /account HTTP/1.1\r\nCookie: {bare}"), "").await;
    assert_eq!(status, 303, "{head}");
}

#[tokio::test]
async fn an_application_on_a_sibling_host_is_reached_over_tls() {
    let street = Street::opens("[sessions]\ncookie_domain = \"example.org\"\n").await;
    let port = street.proxy.port();
    let back = format!("return_to=https%3A%2F%2F{TASKS}%3A{port}%2Fboard");
    // What a browser says about how it came does not count: nginx says it.
    let claims = "X-Forwarded-Proto: http\r\nX-Forwarded-Host: open.example.org\r\nX-Forwarded-Uri: /public";
    let (status, head, _) = street.asks(TASKS, &format!("GET /board HTTP/1.1\r\n{claims}"), "").await;
    assert_eq!(status, 302, "{head}");
    assert_eq!(values(&head, "location"), [format!("https://{LOGIN}:{port}/login?{back}")]);
    assert_eq!(street.app.requests(), 0);
    let lines = street.signs_in().await;
    let session = lines.iter().map(|line| parts(line)).find(|(name, ..)| name == "_vestibule_session");
    let (_, attributes, cookie) = session.expect("no prefix, which a shared cookie cannot have");
    assert_eq!(attributes, ["Domain=example.org", "HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    let (status, ..) = street.asks(TASKS, &format!("GET /board HTTP/1.1\r\nCookie: {cookie}\r\n{claims}"), "").await;
    assert_eq!(status, 200);
    let seen = street.app.last();
    assert_eq!(
        (values(&seen, "remote-user"), values(&seen, "x-forwarded-proto")),
        (vec!["anna"], vec!["https"]),
        "{seen}"
    );

    // The same words at Vestibule itself: from the proxy they count, from any other peer they do not.
    let words = format!(
        "GET /verify HTTP/1.1\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: {TASKS}:{port}\r\n\
         X-Forwarded-Uri: /board\r\nX-Forwarded-Proto: https"
    );
    let (status, head, _) = asks(street.vestibule.address, &words, "").await.expect("an answer");
    assert_eq!((status, values(&head, "location")[0].ends_with(&back)), (401, true), "{head}");
    for cookie in ["", &format!("Cookie: {cookie}\r\n")] {
        let head = asks_from([127, 0, 0, 2], street.vestibule.address, &format!("{words}\r\n{cookie}")).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        assert_eq!(values(&head, "x-vestibule-reason"), ["untrusted_proxy"]);
        assert!(values(&head, "location").is_empty() && values(&head, "remote-user").is_empty(), "{head}");
    }
}

/// The head of the answer to a peer with another address.
async fn asks_from(peer: [u8; 4], address: SocketAddr, head: &str) -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((peer, 0).into()).expect("an address of the loopback");
    let mut stream = socket.connect(address).await.expect("connected");
    let request = format!("{}\r\nHost: localhost\r\nConnection: close\r\n\r\n", head.trim_end());
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split("\r\n\r\n").next().expect("a head").to_owned()
}
