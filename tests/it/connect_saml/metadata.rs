//! Metadata: ours as others read it, and a provider's as we read it.

use super::{ACS, IDP, NOW, SP, der, our_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use vestibule::connect::saml::Reason;
use vestibule::connect::saml::metadata::{ProviderMetadata, Reading, read};
use vestibule::connect::saml::outgoing::OwnMetadata;

const SSO: &str = "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example.org/sso\"/>";

fn key(usage: &str, certificate: &str) -> String {
    format!(
        "<md:KeyDescriptor{usage}><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>\
         \n{certificate}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
}

fn certificate(name: &str) -> String {
    STANDARD.encode(der(name))
}

fn entity(id: &str, attributes: &str, inside: &str) -> String {
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{id}\" {attributes}>\
         <md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{inside}</md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

fn plainly(xml: &str) -> Result<ProviderMetadata, Reason> {
    read(xml, &Reading { entity_id: None, signers: &[], now: NOW }).map_err(|refusal| refusal.reason)
}

#[test]
fn a_provider_is_read() {
    let weak = "<md:KeyDescriptor use=\"signing\"/>";
    let keys = [
        key(" use=\"signing\"", &certificate("idp-rsa")),
        key("", &certificate("idp-ec")),
        key(" use=\"encryption\"", &certificate("other")),
        key(" use=\"signing\"", "AAAA"),
        key(" use=\"signing\"", &certificate("idp-rsa")),
        weak.to_owned(),
    ];
    let logout = "<md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
                  Location=\"https://idp.example.org/slo\" ResponseLocation=\"https://idp.example.org/slo2\"/>";
    let inside = format!("{}{logout}{SSO}", keys.concat());
    let one =
        plainly(&entity(IDP, "cacheDuration=\"PT6H\" validUntil=\"2026-04-01T00:00:00Z\"", &inside)).expect("read");
    assert_eq!(one.entity_id, IDP);
    assert_eq!(one.sign_on.redirect.as_ref().map(url::Url::as_str), Some("https://idp.example.org/sso"));
    assert_eq!(one.sign_on.post, None);
    assert_eq!(one.logout.post.as_ref().map(url::Url::as_str), Some("https://idp.example.org/slo"));
    assert_eq!(one.logout_answers.post.as_ref().map(url::Url::as_str), Some("https://idp.example.org/slo2"));
    assert_eq!(one.certificates, [der("idp-rsa"), der("idp-ec")], "each once, none for encryption");
    assert_eq!(one.unusable.len(), 1, "{:?}", one.unusable);
    assert!(one.wants_signed_requests);
    assert_eq!(one.cache_for, Some(Duration::from_hours(6)));
    assert!(one.valid_until.is_some_and(|until| until > NOW));
}

#[test]
fn one_of_a_federation_is_found_by_its_name() {
    let other = entity("https://other.example.org", "", SSO);
    let all = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"><md:EntitiesDescriptor>{other}\
         </md:EntitiesDescriptor>{}</md:EntitiesDescriptor>",
        entity(IDP, "", SSO)
    );
    let named = |name: &str| read(&all, &Reading { entity_id: Some(name), signers: &[], now: NOW });
    assert_eq!(named(IDP).expect("found").entity_id, IDP);
    assert_eq!(named("https://other.example.org").expect("found").entity_id, "https://other.example.org");
    assert_eq!(named("https://nobody.example.org").expect_err("not there").reason, Reason::Metadata);
    assert_eq!(plainly(&all), Err(Reason::Metadata), "which one was not said");
}

#[test]
fn what_cannot_be_used_is_refused() {
    let script = SSO.replace("https://idp.example.org/sso", "javascript:alert(1)");
    for (xml, reason) in [
        (entity(IDP, "", ""), Reason::Metadata),
        (entity(IDP, "", &script), Reason::Metadata),
        (entity("", "", SSO), Reason::Metadata),
        (entity(IDP, "validUntil=\"2026-03-01T12:00:00Z\"", SSO), Reason::Metadata),
        (entity(IDP, "", SSO).replace("SAML:2.0:protocol", "SAML:1.1:protocol"), Reason::Metadata),
        (entity(IDP, "", SSO).replace("IDPSSODescriptor", "SPSSODescriptor"), Reason::Metadata),
        ("<html/>".to_owned(), Reason::Metadata),
        ("<!DOCTYPE x><html/>".to_owned(), Reason::Forbidden),
        ("hello".to_owned(), Reason::Malformed),
    ] {
        assert_eq!(plainly(&xml), Err(reason), "{xml}");
    }
}

#[test]
fn pinned_metadata_must_be_signed() {
    let unsigned = entity(IDP, "ID=\"_1\"", SSO);
    let pinned = [der("idp-rsa")];
    let refusal = read(&unsigned, &Reading { entity_id: None, signers: &pinned, now: NOW }).expect_err("unsigned");
    assert_eq!(refusal.reason, Reason::Unsigned);
    let signed = |name: &str| {
        let private = std::fs::read_to_string(super::folder().join(format!("keys/{name}.key.pem"))).expect("a key");
        let key = saml_rs::crypto::keys::load_private_key(&private, None).expect("a key");
        let transforms =
            ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#"];
        // The library puts a signature behind the issuer, which metadata does not have; so it is put there for a moment.
        let config = saml_rs::entity::SignatureConfig {
            prefix: "ds".to_owned(),
            reference: Some("/*[local-name(.)='EntityDescriptor']/*[local-name(.)='IDPSSODescriptor']".to_owned()),
            action: saml_rs::entity::SignatureAction::Before,
        };
        saml_rs::crypto::construct_saml_signature(
            &unsigned,
            true,
            &key,
            &certificate(name),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            &transforms.map(str::to_owned),
            Some(&config),
        )
        .expect("signed")
    };
    let with = |xml: &str| {
        read(xml, &Reading { entity_id: None, signers: &pinned, now: NOW }).map_err(|refusal| refusal.reason)
    };
    assert_eq!(with(&signed("idp-rsa")).expect("read").entity_id, IDP);
    assert_eq!(with(&signed("other")), Err(Reason::Signature));
    let tampered = signed("idp-rsa").replace("https://idp.example.org/sso", "https://evil.example/sso");
    assert_eq!(with(&tampered), Err(Reason::Signature));
}

#[test]
fn ours_names_all_keys_and_both_bindings() {
    let keys = [our_key("sp"), our_key("sp2")];
    let own = OwnMetadata {
        entity_id: SP,
        acs: ACS,
        slo: "https://login.example.org/login/corp/slo",
        keys: &keys,
        signs_requests: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        allows_cbc: false,
    };
    let xml = own.xml();
    let parsed = saml_rs::SpDescriptor::from_metadata_xml(&xml, saml_rs::MetadataTrustPolicy::UnsignedForCompatibility);
    assert_eq!(parsed.expect("another reader reads it").entity_id().as_str(), SP);
    for (text, times) in [
        (certificate("sp").as_str(), 2),
        (certificate("sp2").as_str(), 2),
        ("use=\"signing\"", 2),
        ("use=\"encryption\"", 2),
        ("SingleLogoutService Binding", 2),
        ("AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"", 1),
        ("AuthnRequestsSigned=\"true\"", 1),
        ("aes256-gcm", 2),
        ("-cbc", 0),
    ] {
        assert_eq!(xml.matches(text).count(), times, "{text}");
    }
    assert!(OwnMetadata { allows_cbc: true, ..own }.xml().contains("aes256-cbc"));
}
