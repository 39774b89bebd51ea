//! The first verifier: `saml-rs` (pure Rust, aws-lc). It alone sees messages that nobody has vouched for; it decrypts, finds
//! the certificate that made the signature, and makes its own checks of issuer, audience, recipient, question and time.

use super::gate::{self, Shaped};
use super::judge::{Expected, SKEW};
use super::party::{Peer, Service, limits};
use super::reading;
use super::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use saml_rs::crypto::keys::load_private_key;
use saml_rs::crypto::{AssertionDecryptionOptions, decrypt_assertion_with_limits};
use saml_rs::{
    AcsEndpoint, BrowserInput, ClockSkew, EntityId, FormField, IdpDescriptor, MessageId, PendingAuthnRequest,
    RelayStateParam, ReplayPolicy, Saml, SamlError, SamlValidationContext, Sp, SsoResponse, SsoResponseBinding,
    SsoSession,
};
use std::time::{Duration, SystemTime};

/// A message that the first verifier believes.
pub(super) struct Believed {
    /// Which certificate of the provider made the signature.
    pub certificate: usize,
    /// The response with its assertion in the clear.
    pub plain: String,
    /// How that looks.
    pub shaped: Shaped,
    /// What the verifier read.
    pub session: SsoSession,
}

/// Verifies, and decrypts where needed.
///
/// # Errors
/// Why not.
pub(super) fn verify(
    service: &Service,
    peer: &Peer,
    xml: &str,
    shaped: &Shaped,
    expected: &Expected,
) -> Result<Believed, Refusal> {
    if peer.trusted().is_empty() {
        return Err(Reason::NoCertificate.because("the provider's metadata names no certificate to sign with"));
    }
    match (shaped.assertion(), shaped.response_signed) {
        (Some(_), _) => {
            let (certificate, session) = believe(&[service.plain()], peer, xml, service, expected)?;
            let plain = xml.to_owned();
            Ok(Believed { certificate, plain, shaped: shaped.clone(), session })
        }
        // Who signed the ciphertext is known before anything is decrypted.
        (None, true) => {
            let decrypting: Vec<&Saml<Sp>> = service.decrypting().collect();
            let (certificate, session) = believe(&decrypting, peer, xml, service, expected)?;
            let plain = session.raw_flow().saml_content.clone();
            let shaped = inner(&plain)?;
            Ok(Believed { certificate, plain, shaped, session })
        }
        // The signature is inside: first the key, then the gate once more, then the signature.
        (None, false) => {
            let plain = decrypt(service, xml)?;
            let shaped = inner(&plain)?;
            if shaped.assertion_signed != Some(true) {
                return Err(Reason::Unsigned.because("neither the response nor the encrypted assertion is signed"));
            }
            let (certificate, session) = believe(&[service.plain()], peer, &plain, service, expected)?;
            Ok(Believed { certificate, plain, shaped, session })
        }
    }
}

/// What came out of the encryption has to pass the gate like anything else.
fn inner(plain: &str) -> Result<Shaped, Refusal> {
    let shaped = gate::response(plain, false)?;
    if shaped.assertion().is_none() {
        return Err(Reason::Structure.because("encrypted twice"));
    }
    Ok(shaped)
}

fn decrypt(service: &Service, xml: &str) -> Result<String, Refusal> {
    for key in service.keys() {
        let options = AssertionDecryptionOptions::default();
        let Ok(key) = load_private_key(key.private.expose(), None) else { continue };
        if let Ok((plain, _)) = decrypt_assertion_with_limits(xml, &key, options, limits()) {
            return Ok(plain);
        }
    }
    Err(Reason::Decryption.because("no key of ours opens it"))
}

/// Tries the provider's certificates one after the other: which one it was matters to the second verifier.
fn believe(
    ways: &[&Saml<Sp>],
    peer: &Peer,
    xml: &str,
    service: &Service,
    expected: &Expected,
) -> Result<(usize, SsoSession), Refusal> {
    let mut refused: Option<Refusal> = None;
    for (index, trusted) in peer.trusted().iter().enumerate() {
        for way in ways {
            match finish(way, trusted, xml, service, expected) {
                Ok(session) => return Ok((index, session)),
                // What a fitting certificate still found wrong tells more than that the others do not fit.
                Err(error) if refused.as_ref().is_none_or(|known| known.reason == Reason::Signature) => {
                    refused = Some(refusal(&error));
                }
                Err(_) => {}
            }
        }
    }
    Err(refused.unwrap_or_else(|| Reason::Decryption.because("there is no key to decrypt with")))
}

fn finish(
    way: &Saml<Sp>,
    trusted: &IdpDescriptor,
    xml: &str,
    service: &Service,
    expected: &Expected,
) -> Result<SsoSession, SamlError> {
    let input = BrowserInput::<SsoResponse>::post(vec![FormField::new("SAMLResponse", STANDARD.encode(xml))]);
    let skew = i64::try_from(SKEW.as_millis()).unwrap_or(0);
    // Replays are remembered by the service, once for all nodes.
    let validation = SamlValidationContext::new(system_time(expected.now), ReplayPolicy::DisabledForCompatibility)
        .with_clock_skew(ClockSkew::from_millis(-skew, skew));
    let Some(asked) = &expected.request else { return way.accept_unsolicited_sso(trusted, input, validation) };
    let pending = PendingAuthnRequest::try_new(
        MessageId::try_new(asked.id.clone())?,
        RelayStateParam::absent(),
        AcsEndpoint::post(service.acs())?,
        SsoResponseBinding::Post,
        EntityId::try_new(trusted.entity_id().as_str())?,
    )?;
    way.finish_sso(trusted, &pending, input, validation)
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0))
}

/// The verifier's words in ours.
fn refusal(error: &SamlError) -> Refusal {
    let reason = match error {
        SamlError::IssuerMismatch { .. } => Reason::Issuer,
        SamlError::DestinationMismatch { .. } => Reason::Destination,
        SamlError::InResponseToMismatch { .. } => Reason::InResponseTo,
        SamlError::AudienceMismatch { .. } => Reason::Audience,
        SamlError::UnrecognizedCondition { .. } => Reason::Conditions,
        SamlError::StatusNotSuccess { .. } => Reason::Status,
        SamlError::TimeWindowInvalid { .. } => Reason::Expired,
        SamlError::SubjectConfirmationInvalid { .. } => Reason::Confirmation,
        SamlError::SignatureMissing => Reason::Unsigned,
        SamlError::NoTrustedCertificate => Reason::NoCertificate,
        SamlError::AlgorithmUnsupported => Reason::Algorithm,
        SamlError::Xml(_) | SamlError::ProtocolProfile(_) | SamlError::Invalid(_) => Reason::Structure,
        // A wrong key, a wrong digest, a ciphertext that does not open: not told apart.
        _ => Reason::Signature,
    };
    reason.because(format!("first verifier: {error}"))
}

/// Whether the verifier read what we read.
pub(super) fn agrees(session: &SsoSession, ours: &reading::Assertion) -> bool {
    let subject = session.name_id();
    let format = subject.format().map(saml_rs::NameIdFormat::as_uri);
    let instants = |at: Option<&saml_rs::SamlInstant>| at.and_then(|at| millis(at.as_str()));
    let mut audiences: Vec<&str> = session.audience().iter().map(EntityId::as_str).collect();
    let mut our_audiences: Vec<&str> = ours.audiences.iter().flatten().map(String::as_str).collect();
    audiences.sort_unstable();
    our_audiences.sort_unstable();
    let statements = session.authn_sessions();
    session.assertion_id().as_str() == ours.id
        && session.issuer().as_str() == ours.issuer
        && subject.value() == ours.subject.value
        && format == ours.subject.format.as_deref()
        && instants(session.not_before()) == ours.not_before.map(Timestamp::millis)
        && instants(session.not_on_or_after()) == ours.not_on_or_after.map(Timestamp::millis)
        && audiences == our_audiences
        && statements.len() == ours.statements.len()
        && statements.iter().zip(&ours.statements).all(|(theirs, ours)| {
            theirs.session_index().map(saml_rs::SessionIndex::as_str) == ours.session_index.as_deref()
                && instants(theirs.authn_instant()) == ours.authn_instant.map(Timestamp::millis)
                && instants(theirs.not_on_or_after()) == ours.session_not_on_or_after.map(Timestamp::millis)
        })
        && attributes_agree(session, ours)
}

/// Names and values in their order; surrounding white space and empty values are read differently, and mean nothing.
fn attributes_agree(session: &SsoSession, ours: &reading::Assertion) -> bool {
    let theirs = session.attributes().as_slice();
    theirs.len() == ours.attributes.len()
        && ours.attributes.iter().all(|attribute| {
            let found = session.attributes().get(&attribute.name);
            let values =
                found.map(|found| found.values().iter().map(saml_rs::AttributeValue::as_str)).into_iter().flatten();
            same_words(values, attribute.values.iter().map(String::as_str))
        })
}

/// Whether both lists hold the same words, apart from empty ones.
pub(super) fn same_words<'a>(one: impl Iterator<Item = &'a str>, two: impl Iterator<Item = &'a str>) -> bool {
    let words = |list: &mut dyn Iterator<Item = &'a str>| {
        list.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (mut one, mut two) = (one, two);
    words(&mut one) == words(&mut two)
}

fn millis(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}
