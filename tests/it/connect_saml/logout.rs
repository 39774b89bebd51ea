//! Logout messages in both bindings, in both directions: what we send is what we would accept, and nothing else is.

use super::{IDP, NOW, our_key};
use base64::Engine;
use std::time::Duration;
use url::Url;
use vestibule::connect::saml::logout::{Carried, LogoutMessage, receive_logout};
use vestibule::connect::saml::outgoing::{Ended, Field, Head, Message};
use vestibule::connect::saml::{NameId, Peer, Reason};

const SLO: &str = "https://login.example.org/login/corp/slo";

fn anna() -> NameId {
    let owned = |text: &str| Some(text.to_owned());
    NameId { value: "anna & co".to_owned(), format: None, name_qualifier: owned("q"), sp_name_qualifier: owned("sp") }
}

fn head(destination: &Url) -> Head<'_> {
    Head { id: "_logout-1", at: NOW, destination, issuer: IDP }
}

fn slo() -> Url {
    Url::parse(SLO).expect("an address")
}

fn request() -> Message {
    head(&slo()).logout_request(&anna(), Some("_session-1"))
}

/// The provider signs with what is a key of ours elsewhere.
fn provider() -> Peer {
    Peer::new(IDP, vec![our_key("sp2").certificate, our_key("sp").certificate]).expect("a provider")
}

fn posted(field: Field, message: String) -> Carried {
    Carried::Post { field, message, relay_state: None }
}

fn by_post(message: &Message) -> Carried {
    posted(message.field(), message.by_post(Some(&our_key("sp"))).expect("signed"))
}

fn query(message: &Message) -> String {
    let address = message.by_redirect(&slo(), Some("a b"), Some(&our_key("sp"))).expect("signed");
    address.split_once('?').expect("a query").1.to_owned()
}

fn refused(carried: &Carried) -> Reason {
    receive_logout(&provider(), SLO, carried, NOW).expect_err("refused").reason
}

#[test]
fn a_request_arrives_by_post_and_by_redirect() {
    for (carried, relay_state) in [(by_post(&request()), None), (Carried::Redirect(query(&request())), Some("a b"))] {
        let LogoutMessage::Request(read) = receive_logout(&provider(), SLO, &carried, NOW).expect("believed") else {
            panic!("no request")
        };
        assert_eq!((read.id.as_str(), &read.subject), ("_logout-1", &anna()));
        assert_eq!(read.session_indexes, ["_session-1"]);
        assert_eq!(read.relay_state.as_deref(), relay_state);
    }
}

#[test]
fn an_answer_says_whether_all_is_over() {
    for (ended, complete) in [(Ended::All, true), (Ended::Some, false), (Ended::Refused, false)] {
        let message = head(&slo()).logout_response("_asked", ended);
        for carried in [by_post(&message), Carried::Redirect(query(&message))] {
            let LogoutMessage::Response(read) = receive_logout(&provider(), SLO, &carried, NOW).expect("believed")
            else {
                panic!("no answer")
            };
            assert_eq!((read.in_response_to.as_str(), read.complete), ("_asked", complete), "{}", read.status);
        }
    }
}

#[test]
fn unsigned_messages_are_refused() {
    let message = request();
    let post = posted(Field::Request, message.by_post(None).expect("written"));
    let address = message.by_redirect(&slo(), None, None).expect("written");
    let redirect = Carried::Redirect(address.split_once('?').expect("a query").1.to_owned());
    assert_eq!((refused(&post), refused(&redirect)), (Reason::Unsigned, Reason::Unsigned));
    let stripped: Vec<_> =
        query(&message).split('&').filter(|one| !one.starts_with("Signature=")).map(str::to_owned).collect();
    assert_eq!(refused(&Carried::Redirect(stripped.join("&"))), Reason::Unsigned);
}

#[test]
fn a_signature_covers_every_octet_of_the_query() {
    let good = query(&request());
    assert!(receive_logout(&provider(), SLO, &Carried::Redirect(good.clone()), NOW).is_ok());
    let reordered: Vec<_> = good.split('&').rev().collect();
    assert!(
        receive_logout(&provider(), SLO, &Carried::Redirect(reordered.join("&")), NOW).is_ok(),
        "the order is fixed by the standard"
    );
    for (bad, reason) in [
        (good.replace("RelayState=a", "RelayState=b"), Reason::Signature),
        (
            good.replace("RelayState=a+b", "RelayState=a%20b").replace("RelayState=a%20b&", "RelayState=a%20c&"),
            Reason::Signature,
        ),
        (good.replace("rsa-sha256", "rsa-sha512"), Reason::Signature),
        (good.replace("rsa-sha256", "rsa-sha1"), Reason::Algorithm),
        (good.replace("rsa-sha256", "hmac-sha256"), Reason::Algorithm),
        (format!("{good}&RelayState=x"), Reason::Encoding),
        (format!("{good}&SAMLRequest=x"), Reason::Encoding),
        (format!("{good}&SAMLResponse=x"), Reason::Encoding),
        (format!("{good}&SAMLEncoding=urn:other"), Reason::Encoding),
        (good.replace("SAMLRequest", "SAMLResponse"), Reason::Structure),
        (String::new(), Reason::Encoding),
    ] {
        assert_eq!(refused(&Carried::Redirect(bad.clone())), reason, "{bad}");
    }
}

#[test]
fn who_where_and_when_count() {
    let by = |head: Head<'_>| by_post(&head.logout_request(&anna(), None));
    let (here, elsewhere) = (slo(), Url::parse("https://evil.example/slo").expect("an address"));
    let base = head(&here);
    assert_eq!(refused(&by(Head { issuer: "https://evil.example", ..base })), Reason::Issuer);
    assert_eq!(refused(&by(Head { destination: &elsewhere, ..base })), Reason::Destination);
    assert_eq!(refused(&by(Head { at: NOW.after(Duration::from_secs(61)), ..base })), Reason::NotYet);
    assert_eq!(refused(&by(Head { at: NOW.before(Duration::from_secs(361)), ..base })), Reason::Expired);
    let other = Peer::new(IDP, vec![our_key("sp2").certificate]).expect("a provider");
    for carried in [by_post(&request()), Carried::Redirect(query(&request()))] {
        assert_eq!(receive_logout(&other, SLO, &carried, NOW).expect_err("refused").reason, Reason::Signature);
        let nobody = Peer::new(IDP, vec![]).expect("a provider");
        assert_eq!(receive_logout(&nobody, SLO, &carried, NOW).expect_err("refused").reason, Reason::NoCertificate);
    }
}

#[test]
fn a_compressed_bomb_stays_small() {
    // 4 MiB of spaces deflate to a few thousand bytes.
    let bomb = saml_rs_deflate(&vec![b' '; 4 * 1024 * 1024]);
    assert!(bomb.len() < 20_000);
    let value = url::form_urlencoded::byte_serialize(bomb.as_bytes()).collect::<String>();
    assert_eq!(refused(&Carried::Redirect(format!("SAMLRequest={value}&SigAlg=x&Signature=x"))), Reason::Encoding);
}

fn saml_rs_deflate(bytes: &[u8]) -> String {
    let deflated = saml_rs::binding::deflate_raw_encode(bytes).expect("deflated");
    base64::engine::general_purpose::STANDARD.encode(deflated)
}

#[test]
fn a_request_with_something_else_in_it_is_refused() {
    let xml = |inside: &str| {
        format!(
            "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_1\" Version=\"2.0\" \
             IssueInstant=\"2026-03-01T12:00:00Z\" Destination=\"{SLO}\"><saml:Issuer>{IDP}</saml:Issuer>{inside}\
             </samlp:LogoutRequest>"
        )
    };
    let post = |xml: String| posted(Field::Request, base64::engine::general_purpose::STANDARD.encode(xml));
    for (inside, reason) in [
        ("<saml:NameID>anna</saml:NameID>", Reason::Unsigned),
        ("", Reason::Structure),
        ("<saml:NameID>anna</saml:NameID><saml:NameID>eve</saml:NameID>", Reason::Structure),
        ("<saml:EncryptedID/>", Reason::Structure),
        ("<saml:NameID>an<!-- -->na</saml:NameID>", Reason::Forbidden),
        ("<saml:Assertion/>", Reason::Structure),
    ] {
        assert_eq!(refused(&post(xml(inside))), reason, "{inside}");
    }
}
