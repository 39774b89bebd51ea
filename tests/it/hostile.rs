//! The program under everything hostile that is known here, one after the other: each message is refused with a page and an
//! id, never with a 5xx, the next request of somebody else is answered in time, and the memory stays what it was.

use crate::support::openid::{self, Canned, OpenId};
use crate::support::program::{Place, Service, asks};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The most that the memory may grow over the whole run, in KiB.
const GROWTH: u64 = 20 * 1024;
/// The most that the next request of somebody else may take.
const IN_TIME: Duration = Duration::from_secs(5);
const FORM: &str =
    "Content-Type: application/x-www-form-urlencoded\r\nOrigin: https://idp.example.org\r\nSec-Fetch-Site: cross-site";

fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the corpus").map(|one| one.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a message")).collect()
}

/// What the corpus is about: its provider, with the keys that it signs with.
fn saml(place: &Path) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml/keys");
    let pem = fs::read_to_string(keys.join("idp-rsa.cert.pem")).expect("a certificate");
    let certificate: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let (file, idp) = (place.join("idp.xml"), "https://idp.example.org/saml");
    let bindings = "urn:oasis:names:tc:SAML:2.0:bindings";
    let metadata = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{idp}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>\
         </ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleLogoutService Binding=\"{bindings}:HTTP-POST\" \
         Location=\"https://idp.example.org/slo\"/><md:SingleSignOnService Binding=\"{bindings}:HTTP-Redirect\" \
         Location=\"https://idp.example.org/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    );
    fs::write(&file, metadata).expect("written");
    let file = file.display().to_string();
    format!(
        "[[identity_provider]]\nslug = \"adfs\"\nkind = \"saml\"\nmetadata_file = {file:?}\n\
         danger_allow_unsolicited = true\ndanger_allow_cbc = true\n"
    )
}

/// The answer refuses in good order, and somebody else is answered after it.
async fn refused(service: &Service, what: &str, answer: Option<(u16, String, String)>) {
    let (status, head, body) = answer.unwrap_or_else(|| panic!("{what}: the service went away"));
    assert!((400..500).contains(&status), "{what}: {head}\n{body}");
    let lower = head.to_lowercase();
    assert!(!lower.contains("_vestibule_session=") && lower.contains("cache-control: no-store"), "{what}: {head}");
    let page = lower.contains("content-type: text/html");
    assert!(!page || body.contains("error-id") || status == 413, "{what}: there is no id to ask with: {body}");
    let next = tokio::time::timeout(IN_TIME, asks(service.address, "GET /login HTTP/1.1", "")).await;
    assert_eq!(next.unwrap_or_else(|_| panic!("after {what} nobody is answered")).expect("it runs").0, 200, "{what}");
}

async fn posts(service: &Service, path: &str, field: &str, message: &str) -> Option<(u16, String, String)> {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair(field, message).finish();
    asks(service.address, &format!("POST {path} HTTP/1.1\r\n{FORM}"), &body).await
}

/// One sign-in at the OpenID provider as it is now.
async fn round(service: &Service, openid: &OpenId) -> Option<(u16, String, String)> {
    let left = asks(service.address, "GET /login/corp HTTP/1.1", "").await?;
    let headers = |name: &'static str| left.1.lines().filter_map(move |line| line.strip_prefix(name));
    let Some(location) = headers("location: ").next().filter(|_| left.0 == 303) else { return Some(left) };
    let cookies: Vec<_> = headers("set-cookie: ").filter_map(|cookie| cookie.split(';').next()).collect();
    let head = format!("GET {} HTTP/1.1\r\nCookie: {}", openid.consents(location), cookies.join("; "));
    asks(service.address, &head, "").await
}

type Wrong = Box<dyn Fn(&OpenId)>;

fn claims(change: impl Fn(&mut Map<String, Value>) + Send + Sync + Clone + 'static) -> Wrong {
    let now = i64::try_from(jsonwebtoken::get_current_timestamp()).expect("this century");
    Box::new(move |openid| {
        let change = change.clone();
        openid.claims(move |claims| {
            claims.insert("iat".to_owned(), json!(now));
            claims.insert("exp".to_owned(), json!(now + 300));
            claims.insert("auth_time".to_owned(), json!(now));
            change(claims);
        });
    })
}

fn set(name: &'static str, value: Value) -> Wrong {
    claims(move |claims| drop(claims.insert(name.to_owned(), value.clone())))
}

fn says(path: &'static str, status: u16, kind: &'static str, body: Vec<u8>) -> Wrong {
    Box::new(move |openid| drop(openid.script().canned.insert(path, Canned { status, kind, body: body.clone() })))
}

fn signed(algorithm: Algorithm, key: EncodingKey) -> Wrong {
    Box::new(move |openid| {
        let key = key.clone();
        openid.script().forge = Some(Arc::new(move |claims| {
            let mut header = Header::new(algorithm);
            header.kid = Some("rsa-0".to_owned());
            jsonwebtoken::encode(&header, claims, &key).expect("signed")
        }));
    })
}

/// JSON that would take a careless reader's stack.
fn nested() -> Vec<u8> {
    format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes()
}

/// Everything that a provider may do wrong.
fn wrongs() -> Vec<(&'static str, Wrong)> {
    let json = "application/json";
    let deep = nested();
    let fields: Map<String, Value> = (0..20_000).map(|number| (format!("field{number}"), json!(number))).collect();
    let many = Value::Object(fields).to_string().into_bytes();
    let public = openid::rsa(0).public().to_string().into_bytes();
    vec![
        ("another issuer", set("iss", json!("https://evil.example"))),
        ("another audience", set("aud", json!("somebody-else"))),
        ("many audiences", set("aud", json!((0..5000).map(|n| format!("a{n}")).collect::<Vec<_>>()))),
        ("another nonce", set("nonce", json!("another"))),
        ("an old token", set("exp", json!(1))),
        ("a token of the future", set("iat", json!(i64::MAX))),
        ("no subject", set("sub", Value::Null)),
        ("a long subject", set("sub", json!("x".repeat(100_000)))),
        ("a strange subject", set("sub", json!({ "a": [1] }))),
        ("a token for another access token", set("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))),
        ("a key of its own", Box::new(|openid| openid.script().signer = openid::rsa(1))),
        ("the client secret as a key", signed(Algorithm::HS256, EncodingKey::from_secret(openid::SECRET.as_bytes()))),
        ("the public key as a secret", signed(Algorithm::HS256, EncodingKey::from_secret(&public))),
        (
            "no signature",
            Box::new(|openid| openid.script().forge = Some(Arc::new(|_| "eyJhbGciOiJub25lIn0.e30.".to_owned()))),
        ),
        ("a token of dots", Box::new(|openid| openid.script().forge = Some(Arc::new(|_| ".".repeat(200_000))))),
        ("deep tokens", says("/token", 200, json, deep.clone())),
        ("many fields", says("/token", 200, json, many.clone())),
        ("huge tokens", says("/token", 200, json, vec![b'"'; 4 << 20])),
        ("tokens elsewhere", says("/token", 302, json, Vec::new())),
        ("a failing provider", says("/token", 500, "text/html", b"<h1>Oops</h1>".to_vec())),
        ("deep userinfo", says("/userinfo", 200, json, deep)),
        ("huge userinfo", says("/userinfo", 200, json, vec![b'{'; 4 << 20])),
        ("userinfo of somebody else", says("/userinfo", 200, json, br#"{"sub": "somebody-else"}"#.to_vec())),
        ("userinfo that is no token", says("/userinfo", 200, "application/jwt", vec![b'.'; 100_000])),
    ]
}

/// The provider as it should be.
fn behaves(openid: &OpenId) {
    claims(|_| {})(openid);
    let mut script = openid.script();
    script.canned.clear();
    (script.forge, script.signer) = (None, openid::rsa(0));
    // What it was asked is nothing that this test looks at, and grows.
    script.heard.clear();
}

async fn a_hostile_provider(service: &Service, openid: &OpenId, wrongs: &[(&'static str, Wrong)]) {
    for (name, wrong) in wrongs {
        behaves(openid);
        wrong(openid);
        refused(service, name, round(service, openid).await).await;
        // Once more by the back channel: it needs no browser.
        let token = openid.script().forge.clone().map_or_else(|| "x.y.z".to_owned(), |forge| forge(&json!({})));
        refused(service, name, posts(service, "/login/corp/backchannel-logout", "logout_token", &token).await).await;
    }
}

async fn a_hostile_corpus(service: &Service, messages: &[Vec<u8>]) {
    for (number, message) in messages.iter().enumerate() {
        let text = STANDARD.encode(message);
        let what = format!("message {number} of the corpus");
        refused(service, &what, posts(service, "/login/adfs/acs", "SAMLResponse", &text).await).await;
        for field in ["SAMLRequest", "SAMLResponse"] {
            refused(service, &what, posts(service, "/login/adfs/slo", field, &text).await).await;
        }
    }
    let query = "SAMLRequest=AAAA&SigAlg=x&Signature=x".repeat(100);
    let long = asks(service.address, &format!("GET /login/adfs/slo?{query} HTTP/1.1"), "").await;
    refused(service, "a long query", long).await;
    for size in [0, 1, 500_000] {
        let what = format!("{size} letters");
        refused(service, &what, posts(service, "/login/adfs/acs", "SAMLResponse", &"A".repeat(size)).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_hostile_run_is_refused_in_time_and_leaves_the_memory_as_it_was() {
    let openid = OpenId::start().await;
    let place = Place::behind("https://login.example.org", "", "");
    // What a good provider said about itself is not asked for again; these never had anything good to say.
    let (huge, deep) = (OpenId::start().await, OpenId::start().await);
    says("/.well-known/openid-configuration", 200, "application/json", vec![b' '; 4 << 20])(&huge);
    says("/jwks", 200, "application/json", nested())(&deep);
    let others = [("huge", &huge), ("deep", &deep)]
        .map(|(slug, one)| one.configuration("").replace("slug = \"corp\"", &format!("slug = {slug:?}")));
    let tables = format!("{}\n{}\n{}", openid.configuration(""), others.concat(), saml(place.folder()));
    let file = place.folder().join("vestibule.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, format!("{text}\n{tables}")).expect("written");
    let service = place.serves();
    let (attacks, valid, wrongs) = (corpus("attacks"), corpus("valid"), wrongs());
    assert!(attacks.len() > 250 && wrongs.len() >= 20, "{} attacks", attacks.len());
    // What is loaded once, by whichever request comes first, is no growth.
    a_hostile_provider(&service, &openid, &wrongs[..3]).await;
    a_hostile_corpus(&service, &valid[..3]).await;
    let before = service.memory();
    for path in ["/login/huge", "/login/deep", "/login/huge", "/login/deep"] {
        refused(&service, path, asks(service.address, &format!("GET {path} HTTP/1.1"), "").await).await;
    }
    a_hostile_provider(&service, &openid, &wrongs).await;
    a_hostile_corpus(&service, &attacks).await;
    a_hostile_corpus(&service, &valid).await;
    let after = service.memory();
    println!("memory: {before} KiB before, {after} KiB after");
    assert!(after <= before + GROWTH, "{before} KiB before, {after} KiB after");
    let told = place.runs(&["trace", "--last"], "");
    assert!(told.status.success() && !String::from_utf8_lossy(&told.stdout).contains("signed in"), "nobody was let in");
    // The same provider, behaving well, lets Anna in.
    behaves(&openid);
    let (status, head, body) = round(&service, &openid).await.expect("it runs");
    assert!(status == 303 && head.contains("_vestibule_session="), "{head}\n{body}");
    assert!(service.stops_in_order().success());
}
