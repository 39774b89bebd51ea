//! The corpus of SAML responses (tests/corpus/saml): every attack is refused for its reason, every good message is accepted,
//! in bounded time and without a connection to anywhere.

mod logout;
mod metadata;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use vestibule::connect::saml::{
    Asked, Asserted, Expected, Peer, Reason, Refusal, Service, ServiceKey, Verifier, receive,
};
use vestibule::domain::secret::Secret;
use vestibule::domain::time::Timestamp;

const IDP: &str = "https://idp.example.org/saml";
const SP: &str = "https://login.example.org/login/corp/metadata";
const ACS: &str = "https://login.example.org/login/corp/acs";
/// 2026-03-01T12:00:00Z, where the clock of all messages stands.
const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);
/// Of one message, however hostile, without optimisation and with other tests beside it.
const TIME_LIMIT: Duration = Duration::from_secs(5);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml")
}

struct Case {
    file: String,
    becomes: String,
    certificates: Vec<String>,
    settings: Vec<String>,
}

fn cases() -> Vec<Case> {
    let table = fs::read_to_string(folder().join("cases.tsv")).expect("cases.tsv");
    let list = |text: &str| text.split(',').filter(|one| *one != "-").map(str::to_owned).collect();
    let rows = table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|row| Case {
        file: row[0].to_owned(),
        becomes: row[1].to_owned(),
        certificates: list(row[2]),
        settings: list(row[3]),
    })
    .collect()
}

/// The bytes of a PEM file.
fn der(name: &str) -> Vec<u8> {
    let pem = fs::read_to_string(folder().join(format!("keys/{name}.cert.pem"))).expect("a certificate");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).expect("base64")
}

fn our_key(name: &str) -> ServiceKey {
    let private = fs::read_to_string(folder().join(format!("keys/{name}.key.pem"))).expect("a key");
    ServiceKey { certificate: der(name), private: Secret::new(private) }
}

fn us(allow_cbc: bool) -> Service {
    Service::new(SP, ACS, vec![our_key("sp"), our_key("sp2")], allow_cbc).expect("our side")
}

fn provider(certificates: &[String]) -> Peer {
    let known = certificates.iter().map(|name| der(&format!("idp-{name}"))).collect();
    Peer::new(IDP, known).expect("a provider")
}

impl Case {
    fn has(&self, setting: &str) -> bool {
        self.settings.iter().any(|one| one == setting)
    }

    fn expected(&self) -> Expected {
        let contexts = self.settings.iter().filter_map(|one| one.strip_prefix("context=")).map(str::to_owned).collect();
        let asked = Asked { id: "_request-1".to_owned(), at: NOW, force_authn: self.has("force"), contexts };
        Expected { now: NOW, request: (!self.has("unsolicited")).then_some(asked) }
    }

    fn message(&self) -> Vec<u8> {
        fs::read(folder().join(&self.file)).expect("a message")
    }

    fn outcome(&self, message: &[u8]) -> Result<Asserted, Refusal> {
        let (us, provider) = (us(self.has("cbc")), provider(&self.certificates));
        receive(&us, &provider, &STANDARD.encode(message), &self.expected())
    }
}

#[test]
fn every_message_of_the_corpus_becomes_what_the_table_says() {
    // Where an attack wants something fetched, somebody listens.
    let trap = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    trap.set_nonblocking(true).expect("non-blocking");
    let port = trap.local_addr().expect("an address").port();
    let mut wrong = Vec::new();
    for case in cases() {
        let mut message = case.message();
        if let Ok(text) = String::from_utf8(message.clone()) {
            message = text.replace("127.0.0.1:9797", &format!("127.0.0.1:{port}")).into_bytes();
        }
        let begun = tokio::time::Instant::now();
        let outcome = case.outcome(&message);
        let took = begun.elapsed();
        let became = outcome.as_ref().map_or_else(|refusal| refusal.reason.as_str(), |_| "accepted");
        // What was seen before is the service's to know; here it is as good as the first time.
        let becomes = if case.has("seen") { "accepted" } else { case.becomes.as_str() };
        if became != becomes {
            wrong.push(format!("{}: {becomes}, but became {outcome:?}", case.file));
        }
        if took > TIME_LIMIT {
            wrong.push(format!("{}: took {took:?}", case.file));
        }
        if trap.accept().is_ok() {
            wrong.push(format!("{}: something was fetched", case.file));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_and_the_folders_name_the_same_files() {
    let named: BTreeSet<String> = cases().into_iter().map(|case| case.file).collect();
    let mut there = BTreeSet::new();
    for room in ["valid", "attacks"] {
        for entry in fs::read_dir(folder().join(room)).expect("a folder") {
            there.insert(format!("{room}/{}", entry.expect("an entry").file_name().to_string_lossy()));
        }
    }
    assert_eq!(named, there);
    assert!(named.len() > 300, "{}", named.len());
}

#[test]
fn no_attack_is_ever_accepted_and_no_attacker_is_ever_named() {
    for case in cases().iter().filter(|case| case.file.starts_with("attacks/") && !case.has("seen")) {
        let outcome = case.outcome(&case.message());
        assert!(outcome.is_err(), "{}: {outcome:?}", case.file);
    }
    for case in cases().iter().filter(|case| case.file.starts_with("valid/")) {
        let outcome = case.outcome(&case.message()).unwrap_or_else(|refusal| panic!("{}: {refusal}", case.file));
        assert!(outcome.subject.value.starts_with("anna"), "{}: {outcome:?}", case.file);
    }
}

#[test]
fn what_is_read_is_what_was_said() {
    let by_name: BTreeMap<String, Case> = cases().into_iter().map(|case| (case.file.clone(), case)).collect();
    let read = |name: &str| {
        let case = &by_name[&format!("valid/{name}.xml")];
        case.outcome(&case.message()).unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
    };
    let one = read("response-signed");
    assert_eq!(one.issuer, IDP);
    assert_eq!(one.in_response_to.as_deref(), Some("_request-1"));
    assert_eq!(one.subject.value, "anna");
    assert_eq!(one.subject.format.as_deref(), Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"));
    assert_eq!(one.session_index.as_deref(), Some("_session-1"));
    assert_eq!(one.authenticated_at, NOW.before(Duration::from_secs(30)));
    assert_eq!(one.session_ends, Some(NOW.after(Duration::from_hours(8))));
    assert!(one.usable_until >= NOW.after(Duration::from_mins(6)), "remembered for as long as it could be used");
    let mail = one.attributes.iter().find(|one| one.friendly_name.as_deref() == Some("mail")).expect("mail");
    assert_eq!(
        (mail.name.as_str(), mail.values.as_slice()),
        ("urn:oid:0.9.2342.19200300.100.1.3", &["anna@example.org".to_owned()][..])
    );
    assert_eq!(read("escaped-characters").subject.value, "anna & östen <x>");
    assert_eq!(read("qualified-name").subject.sp_name_qualifier.as_deref(), Some(SP));
    assert_eq!(
        read("many-groups").attributes.iter().find(|one| one.name == "groups").map(|one| one.values.len()),
        Some(800)
    );
    assert_eq!(read("encrypted-both-signed"), Asserted { ..read("both-signed") }, "encryption changes nothing");
}

#[test]
fn clocks_may_differ_by_a_minute_and_no_more() {
    let us = us(false);
    let provider = provider(&["rsa".to_owned()]);
    let message = STANDARD.encode(fs::read(folder().join("valid/response-signed.xml")).expect("a message"));
    let at = |seconds: i64| {
        let asked = Asked { id: "_request-1".to_owned(), at: NOW, force_authn: false, contexts: vec![] };
        let expected = Expected { now: Timestamp::from_millis(NOW.millis() + seconds * 1000), request: Some(asked) };
        receive(&us, &provider, &message, &expected).map_err(|refusal| refusal.reason)
    };
    for good in [-60, 0, 300, 359] {
        assert!(at(good).is_ok(), "{good}: {:?}", at(good));
    }
    for (bad, reason) in
        [(-61, Reason::NotYet), (360, Reason::Expired), (361, Reason::Expired), (86_400, Reason::Expired)]
    {
        assert_eq!(at(bad), Err(reason), "{bad}");
    }
}

#[test]
fn a_field_that_is_no_base64_is_refused() {
    let (us, provider) = (us(false), provider(&["rsa".to_owned()]));
    let expected = Expected { now: NOW, request: None };
    let long = "A".repeat(500_000);
    for (field, reason) in [
        ("", Reason::Malformed),
        ("%%%", Reason::Encoding),
        ("AAA", Reason::Encoding),
        (long.as_str(), Reason::TooLarge),
    ] {
        let refusal = receive(&us, &provider, field, &expected).expect_err("refused");
        assert_eq!(refusal.reason, reason, "{refusal}");
    }
}

#[tokio::test]
async fn many_messages_at_once_are_all_answered() {
    let verifier = Verifier::new(2);
    let (us, provider) = (Arc::new(us(false)), Arc::new(provider(&["rsa".to_owned()])));
    let message = STANDARD.encode(fs::read(folder().join("valid/response-signed.xml")).expect("a message"));
    let asked = Asked { id: "_request-1".to_owned(), at: NOW, force_authn: false, contexts: vec![] };
    let expected = Expected { now: NOW, request: Some(asked) };
    let work =
        (0..16).map(|_| verifier.response(Arc::clone(&us), Arc::clone(&provider), message.clone(), expected.clone()));
    for outcome in futures_util::future::join_all(work).await {
        assert_eq!(outcome.expect("accepted").subject.value, "anna");
    }
}
