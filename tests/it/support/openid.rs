//! An OpenID provider in this process that does what a test tells it, also what no provider should do. Its authorization
//! page is not served: the test reads the address that the browser is sent to, and answers in the browser's place.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::{rsa, signature};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, LOCATION};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// Now, by the clock of every house.
pub(crate) const NOW: i64 = 1_795_284_300;
pub(crate) const CLIENT: &str = "vestibule";
pub(crate) const SECRET: &str = "the:secret/of us";

/// A key that signs.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) key: EncodingKey,
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: &'static str,
}

impl Signer {
    /// The public half.
    pub(crate) fn public(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).expect("a key")).expect("JSON");
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    pub(crate) fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).expect("signed")
    }
}

fn rsa_pem() -> Vec<u8> {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).expect("a key");
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).expect("DER");
    pem(der.as_ref())
}

pub(crate) fn pem(der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der)).into_bytes()
}

/// Two RSA keys, made once: making one takes a while.
pub(crate) fn rsa(number: usize) -> Signer {
    static KEYS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let pem = &KEYS.get_or_init(|| [rsa_pem(), rsa_pem()])[number];
    let kid = ["rsa-0", "rsa-1"][number];
    Signer { key: EncodingKey::from_rsa_pem(pem).expect("a key"), algorithm: Algorithm::RS256, kid }
}

pub(crate) fn ec_pem() -> Vec<u8> {
    let random = SystemRandom::new();
    let der = signature::EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    pem(der.expect("a key").as_ref())
}

pub(crate) fn ec() -> Signer {
    Signer { key: EncodingKey::from_ec_pem(&ec_pem()).expect("a key"), algorithm: Algorithm::ES256, kid: "ec" }
}

pub(crate) fn ed() -> Signer {
    let der = signature::Ed25519KeyPair::generate().expect("a key");
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&der).expect("DER");
    Signer { key: EncodingKey::from_ed_pem(&pem(der.as_ref())).expect("a key"), algorithm: Algorithm::EdDSA, kid: "ed" }
}

/// An answer that a test wrote itself.
#[derive(Clone)]
pub(crate) struct Canned {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Canned {
    pub(crate) fn json(body: &Value) -> Self {
        Self { status: 200, kind: "application/json", body: body.to_string().into_bytes() }
    }
}

type Change = Arc<dyn Fn(&mut Map<String, Value>) + Send + Sync>;
type Forge = Arc<dyn Fn(&Value) -> String + Send + Sync>;

/// What the provider does.
pub(crate) struct Script {
    /// Published keys.
    pub(crate) keys: Vec<Value>,
    /// Signs ID tokens.
    pub(crate) signer: Signer,
    /// The header of ID tokens.
    pub(crate) header: Header,
    /// Changes the claims of ID tokens.
    pub(crate) claims: Change,
    /// Makes the whole ID token.
    pub(crate) forge: Option<Forge>,
    /// Changes the token answer.
    pub(crate) tokens: Change,
    /// Changes the metadata.
    pub(crate) metadata: Change,
    /// What userinfo says; changed by the test.
    pub(crate) userinfo: Value,
    /// Answers by path instead of what would be said.
    pub(crate) canned: HashMap<&'static str, Canned>,
    /// What its clock says, in seconds since 1970.
    pub(crate) clock: i64,
    /// Paths that never answer.
    pub(crate) silent: Vec<&'static str>,
    /// Every request: path, authorization, body.
    pub(crate) heard: Vec<(String, String, String)>,
    /// The refresh token that it takes; the next one comes with each answer, if they change.
    pub(crate) refresh: String,
    /// Whether refresh tokens change with each use.
    pub(crate) rotates: bool,
    /// The question of the last browser.
    asked: HashMap<String, String>,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct OpenId {
    pub(crate) issuer: String,
    script: Arc<Mutex<Script>>,
}

impl OpenId {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let signer = rsa(0);
        let mut header = Header::new(signer.algorithm);
        header.kid = Some(signer.kid.to_owned());
        let nothing: Change = Arc::new(|_| {});
        let script = Script {
            keys: vec![signer.public()],
            signer,
            header,
            claims: nothing.clone(),
            forge: None,
            tokens: nothing.clone(),
            metadata: nothing,
            userinfo: json!({
                "sub": "anna-at-corp", "preferred_username": "anna", "email": "anna@corp.example",
                "email_verified": true, "name": "Anna Berg",
            }),
            canned: HashMap::new(),
            clock: NOW,
            silent: Vec::new(),
            heard: Vec::new(),
            refresh: "the-refresh-token".to_owned(),
            rotates: true,
            asked: HashMap::new(),
        };
        let one = Self { issuer, script: Arc::new(Mutex::new(script)) };
        let routes = Router::new().fallback(answer).with_state(one.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        one
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no test has panicked")
    }

    /// Changes the claims of its ID tokens.
    pub(crate) fn claims(&self, change: impl Fn(&mut Map<String, Value>) + Send + Sync + 'static) {
        self.script().claims = Arc::new(change);
    }

    /// Sets one claim of its ID tokens.
    pub(crate) fn claim(&self, name: &'static str, value: Value) {
        self.claims(move |claims| {
            if value.is_null() {
                claims.remove(name)
            } else {
                claims.insert(name.to_owned(), value.clone())
            };
        });
    }

    /// Signs with this key and header from now on, and publishes it.
    pub(crate) fn signs_with(&self, signer: Signer) {
        let mut script = self.script();
        script.keys = vec![signer.public()];
        script.header = Header::new(signer.algorithm);
        script.header.kid = Some(signer.kid.to_owned());
        script.signer = signer;
    }

    /// The configuration of a house that knows it as `corp`.
    pub(crate) fn configuration(&self, more: &str) -> String {
        format!(
            "[[identity_provider]]\nslug = \"corp\"\nname = \"Corp SSO\"\nkind = \"oidc\"\nissuer = {:?}\n\
             client_id = {CLIENT:?}\nclient_secret = {SECRET:?}\nallow_private_network = true\n{more}\n",
            self.issuer
        )
    }

    /// Says yes in the browser's place: where it comes back to, with a code.
    pub(crate) fn consents(&self, location: &str) -> String {
        let question = self.reads(location);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", "the-code")
            .append_pair("state", &question["state"])
            .finish();
        let path = url::Url::parse(&question["redirect_uri"]).expect("an address").path().to_owned();
        format!("{path}?{query}")
    }

    /// The question that a browser brings.
    pub(crate) fn reads(&self, location: &str) -> HashMap<String, String> {
        let url = url::Url::parse(location).unwrap_or_else(|_| panic!("sent to {location:?}"));
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer)), "{location}");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        self.script().asked.clone_from(&asked);
        asked
    }

    /// How often a path was asked.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.script().heard.iter().filter(|(heard, _, _)| heard == path).count()
    }

    fn metadata(&self, script: &Script) -> Value {
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": format!("{}/authorize", self.issuer),
            "token_endpoint": format!("{}/token", self.issuer),
            "userinfo_endpoint": format!("{}/userinfo", self.issuer),
            "jwks_uri": format!("{}/jwks", self.issuer),
            "end_session_endpoint": format!("{}/logout", self.issuer),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
        });
        (script.metadata)(metadata.as_object_mut().expect("an object"));
        metadata
    }

    fn tokens(&self, script: &Script) -> Value {
        let mut claims = json!({
            "iss": self.issuer, "sub": "anna-at-corp", "aud": CLIENT, "exp": NOW + 300, "iat": NOW,
            "nonce": script.asked.get("nonce"), "sid": "sid-7", "auth_time": NOW - 5,
        });
        (script.claims)(claims.as_object_mut().expect("an object"));
        let token = match &script.forge {
            Some(forge) => forge(&claims),
            None => script.signer.sign(&script.header, &claims),
        };
        let mut answer = json!({
            "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 300, "id_token": token,
            "refresh_token": script.refresh,
        });
        (script.tokens)(answer.as_object_mut().expect("an object"));
        answer
    }

    /// Whether a token request has the refresh token that counts; then the next one counts.
    fn renews(script: &mut Script, body: &str) -> bool {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let good = fields.get("grant_type").map(String::as_str) == Some("refresh_token")
            && fields.get("refresh_token") == Some(&script.refresh);
        if good && script.rotates {
            script.refresh.push('+');
        }
        good
    }

    /// A logout token about Anna's session, signed as its ID tokens are, after a change.
    pub(crate) fn logout_token(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let script = self.script();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": NOW, "exp": NOW + 120, "sub": "anna-at-corp", "sid": "sid-7",
            "jti": format!("jti-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        change(claims.as_object_mut().expect("an object"));
        let mut header = script.header.clone();
        header.typ = Some("logout+jwt".to_owned());
        script.signer.sign(&header, &claims)
    }

    /// Whether a token request proves that the code was asked for by whoever redeems it.
    fn redeems(script: &Script, body: &str) -> bool {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let text = |name: &str| fields.get(name).map_or("", String::as_str);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, text("code_verifier").as_bytes()));
        text("grant_type") == "authorization_code"
            && text("code") == "the-code"
            && script.asked.get("code_challenge") == Some(&challenge)
            && script.asked.get("redirect_uri").map(String::as_str) == Some(text("redirect_uri"))
    }
}

async fn answer(State(openid): State<OpenId>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let asked: HashMap<String, String> = url::form_urlencoded::parse(query).into_owned().collect();
    let authorization = parts.headers.get(AUTHORIZATION).map_or("", |value| value.to_str().expect("text")).to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("text");
    let said = {
        let mut script = openid.script();
        script.heard.push((path.clone(), authorization, body.clone()));
        if script.silent.contains(&path.as_str()) {
            None
        } else if let Some(canned) = script.canned.get(path.as_str()) {
            Some(canned.clone())
        } else {
            Some(match path.as_str() {
                "/.well-known/openid-configuration" => Canned::json(&openid.metadata(&script)),
                "/jwks" => Canned::json(&json!({ "keys": script.keys })),
                "/token" if OpenId::redeems(&script, &body) || OpenId::renews(&mut script, &body) => {
                    Canned::json(&openid.tokens(&script))
                }
                "/token" => Canned { status: 400, ..Canned::json(&json!({ "error": "invalid_grant" })) },
                "/userinfo" => Canned::json(&script.userinfo),
                "/authorize" => Canned { status: 303, kind: "text/plain", body: Vec::new() },
                _ => Canned { status: 404, kind: "text/plain", body: Vec::new() },
            })
        }
    };
    let Some(said) = said else { return std::future::pending().await };
    let mut response = Response::new(Body::from(said.body));
    *response.status_mut() = StatusCode::from_u16(said.status).expect("a status");
    response.headers_mut().insert(CONTENT_TYPE, said.kind.parse().expect("a kind"));
    if said.status / 100 == 3 {
        // Nobody is signed in there, and no page may be shown (prompt=none).
        let silent = asked.get("redirect_uri").filter(|_| path == "/authorize" && said.status == 303);
        let back = silent.map(|back| format!("{back}?error=login_required&state={}", asked["state"]));
        let to = back.unwrap_or_else(|| format!("{}/elsewhere", openid.issuer));
        response.headers_mut().insert(LOCATION, to.parse().expect("an address"));
    }
    let now = jiff::Timestamp::from_second(openid.script().clock).expect("a time");
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    response.headers_mut().insert(DATE, date.parse().expect("a date"));
    response
}
