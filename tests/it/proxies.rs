//! Real proxies with the files of `examples/`, between people and an application: who passes, as whom, and who does not.

mod app;
mod servers;
mod tls;
mod unrun;

use crate::support::program::{Place, Service, asks_as, signs_in, signs_out};
use app::{App, KEY, body, head, values};
use servers::{Addresses, Kind, Proxy, free_address};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a browser might claim, in the spellings that some application would believe.
const CLAIMS: &str = "Remote-User: root\r\nremote-groups: admins\r\nRemote-Account-Id: 1\r\nRemote-Email: root@example.org\r\n\
    Remote-Name: Root\r\nX-Vestibule-Jwt: forged\r\nRemote_User: root\r\nREMOTE_GROUPS: admins\r\nRemote_Account-Id: 1\r\n\
    X_Vestibule-Jwt: forged";

/// Anna may administrate, Berta not.
struct Stage {
    place: Place,
    vestibule: Service,
    app: App,
    proxy: Proxy,
    at: Addresses,
    anna: String,
    berta: String,
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Stage {
    async fn set(kind: Kind) -> Self {
        let app = App::starts().await;
        let proxy = free_address();
        let port = proxy.port();
        let place = Place::with(
            "trusted_proxies = [\"127.0.0.1\"]",
            &format!(
                "[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.localhost:{port}\"]\nanonymous_paths = [\"/public\"]\n\
                 [[application.rule]]\npaths = [\"/admin\"]\ngroups = [\"admins\"]\n\
                 [[application.rule]]\npaths = [\"/office\"]\nnetworks = [\"192.0.2.0/24\"]\n\
                 [[application]]\nslug = \"open\"\nhosts = [\"open.localhost:{port}\"]\nanonymous_paths = [\"/admin\"]\n"
            ),
        );
        place.makes_account("anna");
        place.makes_account("berta");
        for arguments in [&["group", "create", "admins"][..], &["group", "add", "admins", "anna"]] {
            assert!(place.runs(arguments, "").status.success(), "{arguments:?}");
        }
        let vestibule = place.serves();
        let at = Addresses { proxy, vestibule: vestibule.address, app: app.address, name: "tasks.localhost" };
        let proxy = kind.starts(&at).await;
        let anna = signs_in(at.vestibule, "anna").await.expect("a session");
        let berta = signs_in(at.vestibule, "berta").await.expect("a session");
        Self { place, vestibule, app, proxy, at, anna, berta }
    }

    fn host(&self) -> String {
        format!("tasks.localhost:{}", self.at.proxy.port())
    }

    /// A request through the proxy; `lines` are more lines of its head.
    async fn asks(&self, request: &str, lines: &[&str], sent: &str) -> Reply {
        self.asks_as(&self.host(), request, lines, sent).await
    }

    async fn asks_as(&self, host: &str, request: &str, lines: &[&str], sent: &str) -> Reply {
        let first = format!("{request} HTTP/1.1");
        let asked: Vec<_> = std::iter::once(first.as_str()).chain(lines.iter().copied()).collect();
        let (status, head, body) =
            asks_as(self.at.proxy, host, &asked.join("\r\n"), sent).await.expect("an answer of the proxy");
        Reply { status, head, body }
    }

    /// The same, and nothing of it reaches the application.
    async fn is_refused(&self, request: &str, lines: &[&str]) -> Reply {
        let before = self.app.requests();
        let reply = self.asks(request, lines, "").await;
        assert_eq!(self.app.requests(), before, "{request} {lines:?} reached the application: {}", self.app.last());
        assert_ne!(reply.status, 200, "{request} {lines:?}");
        reply
    }
}

fn cookie(session: &str) -> String {
    format!("Cookie: theme=dark; {session}")
}

/// Everything of a head whose name an application could read as ours.
fn identity(head: &str) -> Vec<(String, String)> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let plain = fields.map(|(name, value)| (name.to_lowercase().replace('_', "-"), value.trim().to_owned()));
    plain.filter(|(name, _)| name.starts_with("remote-") || name.starts_with("x-vestibule-")).collect()
}

async fn strangers_are_led_to_the_sign_in_page_and_back(stage: &Stage) {
    let reply = stage.is_refused("GET /board?x=1&y=%20", &[]).await;
    assert!(matches!(reply.status, 302 | 303), "{}", reply.head);
    let (login, back) = (stage.at.vestibule.port(), stage.at.proxy.port());
    let wanted = format!(
        "http://localhost:{login}/login?return_to=http%3A%2F%2Ftasks.localhost%3A{back}%2Fboard%3Fx%3D1%26y%3D%2520"
    );
    assert_eq!(values(&reply.head, "location"), [wanted]);
    let slips = [
        format!("X-Original-URL: http://{}/public", stage.host()),
        "X-Original-Method: GET".to_owned(),
        "X-Forwarded-Uri: /public".to_owned(),
        "X-Forwarded-Method: GET".to_owned(),
        "X-Forwarded-Host: open.localhost".to_owned(),
    ];
    stage.is_refused("GET /board", &slips.each_ref().map(String::as_str)).await;
    stage.is_refused("POST /public", &slips.each_ref().map(String::as_str)).await;
    stage.is_refused("GET /board", &["Cookie: _vestibule_session=invented", CLAIMS]).await;
}

async fn the_application_learns_who_it_is_from_nobody_but_us(stage: &Stage) {
    let reply = stage.asks("GET /board?x=1", &[&cookie(&stage.berta), CLAIMS], "").await;
    assert_eq!(reply.status, 200, "{}", reply.head);
    let last = stage.app.last();
    assert!(last.starts_with("GET /board?x=1 HTTP/1.1\r\n"), "{last}");
    let said = identity(&last);
    for (name, value) in [("remote-user", "berta"), ("remote-name", "berta"), ("remote-email", "berta@example.org")] {
        let all: Vec<_> = said.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(all, [value], "{last}");
    }
    // She is in no group and the application wants no token: nothing, or nothing in it.
    for name in ["remote-groups", "x-vestibule-jwt"] {
        assert!(said.iter().all(|(known, value)| known != name || value.is_empty()), "{last}");
    }
    assert_eq!(said.iter().filter(|(name, _)| name == "remote-account-id").count(), 1, "{last}");
    assert!(!last.contains("Account-Id: 1\r\n"), "{last}");

    let reply = stage.asks("GET /admin", &[&cookie(&stage.anna), CLAIMS], "").await;
    assert_eq!(reply.status, 200, "{}", reply.head);
    assert_eq!(values(&stage.app.last(), "remote-groups"), ["admins"]);

    let reply = stage.asks("GET /public/news", &[CLAIMS], "").await;
    assert_eq!(reply.status, 200, "{}", reply.head);
    let last = stage.app.last();
    assert!(last.starts_with("GET /public/news "), "{last}");
    assert_eq!(identity(&last), [], "nobody is nobody");
}

async fn rules_hold_however_the_path_is_written(stage: &Stage) {
    let berta = cookie(&stage.berta);
    let reply = stage.is_refused("GET /admin/people", &[&berta, CLAIMS]).await;
    assert_eq!((reply.status, values(&reply.head, "x-vestibule-reason")), (403, vec!["group_required"]));
    let absolute = format!("http://{}/admin", stage.host());
    for path in [
        "/%2e%2e/admin",
        "//admin",
        "/./admin",
        "/x/../admin",
        "/x/%2e%2e/admin",
        "/public/..%2fadmin",
        "/public/..\\admin",
        "/%61dmin",
        "/%2561dmin",
        "/admin%2fpeople",
        "/admin;x=1/people",
        "/admin?",
        &absolute,
    ] {
        stage.is_refused(&format!("GET {path}"), &[&berta]).await;
    }
    // Whoever comes from elsewhere does not come from there by saying so.
    for lines in ["X-Forwarded-For: 192.0.2.9", "X-Real-IP: 192.0.2.9", "Forwarded: for=192.0.2.9"] {
        let reply = stage.is_refused("GET /office", &[&berta, lines]).await;
        assert_eq!(reply.status, 403, "{}", reply.head);
    }
    // Another application's rules would let anybody pass there.
    let before = stage.app.requests();
    for host in ["open.localhost".to_owned(), format!("open.localhost:{}", stage.at.proxy.port())] {
        stage.asks_as(&host, "GET /admin", &[], "").await;
        assert_eq!(stage.app.requests(), before, "{}", stage.app.last());
    }
}

async fn bodies_arrive_whole(stage: &Stage) {
    let sent = "0123456789abcdef".repeat(20_000);
    let reply = stage.asks("POST /upload", &[&cookie(&stage.berta), "Content-Type: text/plain"], &sent).await;
    assert_eq!(reply.status, 200, "{}", reply.head);
    assert!(reply.body == sent, "{} of {} bytes came back", reply.body.len(), sent.len());
    assert_eq!(identity(&stage.app.last()).iter().filter(|(name, _)| name == "remote-user").count(), 1);
}

async fn connections_to_the_application_are_kept(stage: &Stage) {
    let mut stream = BufReader::new(TcpStream::connect(stage.at.proxy).await.expect("a connection"));
    let before = stage.app.connections();
    for number in 0..6 {
        let (host, cookie) = (stage.host(), cookie(&stage.berta));
        let asked = format!("GET /{number} HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.expect("sent");
        let answer = head(&mut stream).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        body(&mut stream, &answer).await.expect("whole");
    }
    assert!(stage.app.connections() - before <= 1, "six requests, at most one connection");
}

async fn websockets_pass_for_those_who_may(stage: &Stage) {
    let upgrade =
        format!("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}");
    let mut stream = BufReader::new(TcpStream::connect(stage.at.proxy).await.expect("a connection"));
    let (host, berta) = (stage.host(), cookie(&stage.berta));
    let asked = format!("GET /live HTTP/1.1\r\nHost: {host}\r\n{berta}\r\n{upgrade}\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.expect("sent");
    let answer = head(&mut stream).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert_eq!(identity(&stage.app.last()).iter().filter(|(_, value)| value == "berta").count(), 2);
    for round in ["first", "again"] {
        stream.write_all(round.as_bytes()).await.expect("sent");
        let mut back = vec![0; round.len()];
        stream.read_exact(&mut back).await.expect("sent back");
        assert_eq!(back, round.as_bytes());
    }
    for (path, lines) in [("/live", upgrade.clone()), ("/admin/live", format!("{upgrade}\r\n{berta}"))] {
        let before = stage.app.requests();
        let mut stream = BufReader::new(TcpStream::connect(stage.at.proxy).await.expect("a connection"));
        let asked = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.expect("sent");
        let answer = head(&mut stream).await.expect("an answer");
        assert!(!answer.starts_with("HTTP/1.1 101") && !answer.starts_with("HTTP/1.1 2"), "{answer}");
        assert_eq!(stage.app.requests(), before, "{}", stage.app.last());
    }
}

async fn a_session_that_was_ended_is_refused_at_the_next_request(stage: &Stage) {
    let session = signs_in(stage.at.vestibule, "berta").await.expect("a session");
    assert_eq!(stage.asks("GET /board", &[&cookie(&session)], "").await.status, 200);
    signs_out(stage.at.vestibule, &session).await.expect("signed out");
    let reply = stage.is_refused("GET /board", &[&cookie(&session)]).await;
    assert!(matches!(reply.status, 302 | 303), "{}", reply.head);

    assert_eq!(stage.asks("GET /board", &[&cookie(&stage.berta)], "").await.status, 200);
    assert!(stage.place.runs(&["account", "lock", "berta"], "").status.success());
    let noticed = async { while stage.asks("GET /board", &[&cookie(&stage.berta)], "").await.status == 200 {} };
    tokio::time::timeout(Duration::from_secs(5), noticed).await.expect("noticed within seconds");
    stage.is_refused("GET /board", &[&cookie(&stage.berta)]).await;
}

/// The last of the cases: it takes Vestibule away.
async fn without_vestibule_nobody_passes(stage: Stage) {
    assert_eq!(stage.asks("GET /board", &[&cookie(&stage.anna)], "").await.status, 200);
    let Stage { vestibule, app, proxy, at, anna, .. } = stage;
    vestibule.kills();
    let before = app.requests();
    let host = format!("tasks.localhost:{}", at.proxy.port());
    let asks = async |path: &str| {
        let head = format!("GET {path} HTTP/1.1\r\n{}", cookie(&anna));
        let (status, head, _) = asks_as(at.proxy, &host, &head, "").await.expect("an answer of the proxy");
        assert!((500..600).contains(&status), "{path}: {head}");
    };
    // At once: HAProxy tries for three seconds to reach it.
    futures_util::future::join_all(["/board", "/public", "/admin", "/board"].map(asks)).await;
    // Nor when something answers there that knows nothing of sessions.
    let stranger = TcpListener::bind(at.vestibule).await.expect("its address");
    let answers = async {
        while let Ok((mut stream, _)) = stranger.accept().await {
            drop(stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await);
        }
    };
    let refused = async {
        let head = format!("GET /board HTTP/1.1\r\n{}", cookie(&anna));
        asks_as(at.proxy, &host, &head, "").await.expect("an answer of the proxy").0
    };
    let status = tokio::select! {
        () = answers => 0,
        status = refused => status,
    };
    assert!(status >= 400, "{status}");
    assert_eq!(app.requests(), before, "{}", app.last());
    drop(proxy);
}

async fn guards_an_application(kind: Kind) {
    kind.accepts_the_example_as_shipped();
    let stage = Stage::set(kind).await;
    strangers_are_led_to_the_sign_in_page_and_back(&stage).await;
    the_application_learns_who_it_is_from_nobody_but_us(&stage).await;
    rules_hold_however_the_path_is_written(&stage).await;
    bodies_arrive_whole(&stage).await;
    connections_to_the_application_are_kept(&stage).await;
    websockets_pass_for_those_who_may(&stage).await;
    a_session_that_was_ended_is_refused_at_the_next_request(&stage).await;
    without_vestibule_nobody_passes(stage).await;
}

#[tokio::test]
async fn nginx_guards_an_application() {
    guards_an_application(Kind::Nginx).await;
}

#[tokio::test]
async fn caddy_guards_an_application() {
    guards_an_application(Kind::Caddy).await;
}

#[tokio::test]
async fn haproxy_guards_an_application() {
    guards_an_application(Kind::HaProxy).await;
}

#[tokio::test]
async fn apache_guards_an_application() {
    guards_an_application(Kind::Apache).await;
}
