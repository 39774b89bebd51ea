//! Behind a proxy: only the signed token counts, and only one that is right in every part.

use super::{MainApp, Reply, Street};
use crate::support::PASSWORD;
use crate::support::program::{asks, signs_in};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

impl Street {
    /// The token that a proxy gets for a host.
    async fn token(&self, session: &str, host: &str) -> String {
        let head = format!(
            "GET /verify HTTP/1.1\r\nCookie: {session}\r\nX-Original-URL: http://{host}/\r\nX-Original-Method: GET"
        );
        let (status, head, _) = asks(self.service.address, &head, "").await.expect("an answer");
        assert_eq!(status, 200, "{head}");
        head.lines().find_map(|line| line.strip_prefix("x-vestibule-jwt: ")).expect("a token").to_owned()
    }
}

async fn with(app: &MainApp, token: &str) -> Reply {
    app.gets("/", &[&format!("X-Vestibule-Jwt: {token}"), "Remote-User: anna"]).await
}

async fn is_refused(app: &MainApp, token: &str, what: &str) {
    let reply = with(app, token).await;
    assert_eq!(reply.status, 401, "{what}: {}", reply.head);
    assert!(!reply.body.contains("Hello"), "{what}: {}", reply.body);
}

/// Makes an account that has no address yet.
async fn registers(address: SocketAddr, username: &str) {
    let (_, head, page) = asks(address, "GET /register HTTP/1.1", "").await.expect("an answer");
    let csrf = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).and_then(|line| line.split(';').next());
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let password = PASSWORD.replace(' ', "+");
    let body = format!(
        "csrf={}&username={username}&name=Newcomer&email={username}%40example.org&new_password={password}&repeat={password}",
        token.expect("a token")
    );
    let head = format!("POST /register HTTP/1.1\r\nCookie: {}\r\n{}", csrf.expect("a cookie"), super::FORM);
    let (status, head, _) = asks(address, &head, &body).await.expect("an answer");
    assert_eq!(status, 303, "{head}");
}

#[tokio::test]
async fn somebody_without_an_address_is_greeted_and_has_none() {
    let street = Street::opens();
    registers(street.service.address, "berta").await;
    let session = signs_in(street.service.address, "berta").await.expect("a session");
    let token = street.token(&session, &format!("localhost:{}", street.tasks.port())).await;
    let app = street.main_app(&["--mode", "headers", "--audience", "tasks"]);
    let reply = with(&app, &token).await;
    assert_eq!((reply.status, reply.body.contains("Hello, Newcomer")), (200, true), "{}", reply.body);
    let me = app.gets("/me", &[&format!("X-Vestibule-Jwt: {token}"), "Remote-Email: root@example.org"]).await.body;
    assert!(me.contains("<dt>E-mail</dt><dd>None yet</dd>") && !me.contains("berta@example.org"), "{me}");
    drop(app);
    let file = street.place.folder().join("secret");
    let app = street.main_app(&["--mode", "whoami", "--secret-file", file.to_str().expect("UTF-8")]);
    let me = app.gets("/me", &[&format!("Cookie: {session}")]).await.body;
    assert!(me.contains("<dt>E-mail</dt><dd>None yet</dd>"), "{me}");
}

#[tokio::test]
async fn the_token_of_the_proxy_greets_and_no_other_one() {
    let street = Street::opens();
    let app = street.main_app(&["--mode", "headers", "--audience", "tasks"]);
    let session = signs_in(street.service.address, "anna").await.expect("a session");
    let right = street.token(&session, &format!("localhost:{}", street.tasks.port())).await;
    let reply = with(&app, &right).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("Hello, anna"), "{}", reply.body);

    let plain = app.gets("/", &["Remote-User: anna", "Remote-Account-Id: 1", &format!("Cookie: {session}")]).await;
    assert_eq!(plain.status, 401, "neither plain headers nor the cookie count here");
    assert!(!plain.body.contains("anna"));
    is_refused(&app, &street.token(&session, "other.localhost").await, "for another application").await;

    let parts: Vec<_> = right.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["name"] = json!("Mallory");
    let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
    is_refused(&app, &format!("{}.{forged}.{}", parts[0], parts[2]), "other claims under the signature").await;
    is_refused(&app, &format!("{}.{}.", parts[0], parts[1]), "no signature").await;
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    is_refused(&app, &format!("{none}.{}.", parts[1]), "no algorithm").await;
    for nonsense in ["", "x", "a.b.c", &"A".repeat(5000)] {
        is_refused(&app, nonsense, "nonsense").await;
    }
    let twice = format!("X-Vestibule-Jwt: {right}");
    assert_eq!(app.gets("/", &[&twice, &twice]).await.status, 401, "which of two would count is anybody's guess");
}

/// Somebody who publishes a key set and signs whatever a test wants.
struct Issuer {
    address: SocketAddr,
    key: EncodingKey,
    public: Vec<u8>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn opens() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key");
        let public = pair.public_key().as_ref().to_vec();
        let x = URL_SAFE_NO_PAD.encode(&public);
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "one", "x": x });
        let body = json!({ "keys": [key] }).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let length = stream.read(&mut head).await.expect("a question");
                assert!(head[..length].starts_with(b"GET /.well-known/jwks.json HTTP/1.1\r\n"));
                count.fetch_add(1, Ordering::SeqCst);
                let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.expect("answered");
            }
        });
        Self { address, key: EncodingKey::from_ed_der(document.as_ref()), public, asked }
    }

    fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// What a right token says.
    fn claims(&self) -> Value {
        let now = jsonwebtoken::get_current_timestamp();
        json!({
            "iss": self.url(), "aud": "tasks", "sub": "7", "iat": now, "nbf": now, "exp": now + 120,
            "preferred_username": "anna", "name": "Anna", "email": "anna@example.org", "groups": ["staff"],
        })
    }

    fn signs(&self, claims: &Value, kid: Option<&str>) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &self.key).expect("a token")
    }
}

#[tokio::test]
async fn each_claim_is_checked_and_invented_keys_make_no_questions() {
    let issuer = Issuer::opens().await;
    let folder = tempfile::tempdir().expect("a folder");
    let address =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
    let app = MainApp::starts(address, folder.path(), &["--mode", "headers", "--vestibule", &issuer.url()]);
    let right = issuer.claims();
    let reply = with(&app, &issuer.signs(&right, Some("one"))).await;
    assert!(reply.status == 200 && reply.body.contains("Hello, Anna"), "{}", reply.body);

    let now = jsonwebtoken::get_current_timestamp();
    for (claim, wrong) in [
        ("exp", json!(now - 60)),
        ("nbf", json!(now + 60)),
        ("iss", json!("http://localhost:1")),
        ("aud", json!("other")),
    ] {
        let mut claims = right.clone();
        claims[claim] = wrong;
        is_refused(&app, &issuer.signs(&claims, Some("one")), claim).await;
        claims.as_object_mut().expect("an object").remove(claim);
        is_refused(&app, &issuer.signs(&claims, Some("one")), claim).await;
    }
    // A public key is no secret, so it must not work as one (RFC 8725 section 2.1).
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    let confused = jsonwebtoken::encode(&header, &right, &EncodingKey::from_secret(&issuer.public)).expect("a token");
    is_refused(&app, &confused, "another algorithm").await;
    is_refused(&app, &issuer.signs(&right, None), "no key named").await;
    for kid in ["two", "three", "../one"] {
        is_refused(&app, &issuer.signs(&right, Some(kid)), kid).await;
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "within the cool-down nobody is asked again");

    // The person's new name is what everybody sees from now on; without one, what they wrote stays.
    let mut renamed = right.clone();
    renamed["name"] = json!("Anna <New>");
    let token = format!("X-Vestibule-Jwt: {}", issuer.signs(&renamed, Some("one")));
    assert_eq!(app.posts("/projects", &[&token], "name=House").await.status, 303);
    assert_eq!(app.posts("/projects/1/packages", &[&token], "name=Roof").await.status, 303);
    let listed = app.gets("/projects/1", &[&token]).await.body;
    assert!(listed.contains("by Anna &#60;New&#62;"), "{listed}");
    let mut other = right.clone();
    other["sub"] = json!("8");
    other["name"] = json!("Berta");
    app.forgets(folder.path(), "7");
    let token = format!("X-Vestibule-Jwt: {}", issuer.signs(&other, Some("one")));
    let listed = app.gets("/projects/1", &[&token]).await.body;
    assert!(listed.contains("by Deleted user") && !listed.contains("Anna"), "{listed}");
}
