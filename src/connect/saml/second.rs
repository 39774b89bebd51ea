//! The second verifier: `samael` over libxmlsec1, which shares no XML code with the first. It is given only what the first one
//! found signed by the provider, with the one certificate that fitted; its C code never reads a stranger's message.

use super::first::{Believed, same_words};
use super::gate::{ASSERTION, DSIG, PROTOCOL};
use super::reading::{self, Assertion};
use super::refusal::{Reason, Refusal};
use super::tree::{self, Element};
use crate::domain::time::Timestamp;
use samael::crypto::{AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider, ReduceMode};
use samael::schema;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

const ALLOWED: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

/// Verifies every signature of the message once more, and compares what this side reads with our reading.
///
/// # Errors
/// [`Reason::Verifier`] and [`Reason::Disagreement`].
pub(super) fn confirm(
    sent: &str,
    sent_root: &Element,
    believed: &Believed,
    certificate: &[u8],
) -> Result<Assertion, Refusal> {
    let element = believed.shaped.assertion().ok_or_else(|| Reason::Disagreement.because("no assertion"))?;
    let ours = reading::assertion(element)?;
    let in_the_clear = sent_root.child(ASSERTION, "Assertion").is_some();
    let source = believed.plain.get(element.span.clone()).unwrap_or_default();
    let signed_inside = believed.shaped.assertion_signed == Some(true);
    let mut reduced = None;
    if in_the_clear || believed.shaped.response_signed {
        let text = reduce(sent, certificate)?;
        covers(&text, sent_root)?;
        reduced = in_the_clear.then_some(text);
    }
    if !in_the_clear && signed_inside {
        let text = reduce(source, certificate)?;
        covers(&text, element)?;
        reduced = Some(text);
    }
    // An encrypted assertion without a signature of its own: the ciphertext was signed, and verified above.
    let text = reduced.unwrap_or_else(|| source.to_owned());
    let theirs = read(&text)?;
    if agrees(&theirs, &ours) {
        Ok(ours)
    } else {
        Err(Reason::Disagreement.because("the two verifiers read differently"))
    }
}

/// Checks the signature of a logout message once more.
///
/// # Errors
/// [`Reason::Verifier`] and [`Reason::Disagreement`].
pub(super) fn confirm_message(sent: &str, root: &Element, certificate: &[u8]) -> Result<(), Refusal> {
    covers(&reduce(sent, certificate)?, root)
}

/// What libxmlsec1 found signed, written anew; everything else is gone.
fn reduce(xml: &str, certificate: &[u8]) -> Result<String, Refusal> {
    let certificates = [CertificateDer::from(certificate.to_vec())];
    let mode = ReduceMode::ValidateAndMarkNoAncestors;
    let work = || Crypto::reduce_xml_to_signed_with_allowed_algorithms(xml, &certificates, mode, Some(&ALLOWED));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(reduced)) => Ok(reduced),
        Ok(Err(error)) => Err(Reason::Disagreement.because(format!("second verifier: {error}"))),
        Err(_) => Err(Reason::Verifier.because("the second verifier panicked")),
    }
}

/// Whether what was found signed is all of this element, or all of an assertion directly in it, word for word.
fn covers(reduced: &str, sent: &Element) -> Result<(), Refusal> {
    let found = tree::parse(reduced, tree::MESSAGE)?;
    let original = if found.is(&sent.ns, &sent.name) { Some(sent) } else { sent.child(ASSERTION, "Assertion") };
    let skipped = |one: &Element| one.is(DSIG, "Signature");
    if original.is_some_and(|original| found.says_the_same(original, &skipped)) {
        return Ok(());
    }
    Err(Reason::Disagreement.because("the second verifier found something else signed"))
}

fn read(text: &str) -> Result<schema::Assertion, Refusal> {
    // Its reader does not look at the name of the root, so that is done here.
    let is_response = tree::parse(text, tree::MESSAGE)?.is(PROTOCOL, "Response");
    let work = || {
        let response = || schema::Response::from_str(text).ok().and_then(|one| one.assertion);
        if is_response { response() } else { schema::Assertion::from_str(text).ok() }
    };
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Some(assertion)) => Ok(assertion),
        Ok(None) => Err(Reason::Disagreement.because("the second verifier cannot read the assertion")),
        Err(_) => Err(Reason::Verifier.because("the second verifier panicked")),
    }
}

fn agrees(theirs: &schema::Assertion, ours: &Assertion) -> bool {
    let conditions = theirs.conditions.as_ref();
    let restrictions = conditions.and_then(|one| one.audience_restrictions.as_ref());
    let audiences: Vec<&str> =
        restrictions.into_iter().flatten().flat_map(|one| &one.audience).map(|audience| audience.trim()).collect();
    let our_audiences: Vec<&str> = ours.audiences.iter().flatten().map(String::as_str).collect();
    let name = theirs.subject.as_ref().and_then(|subject| subject.name_id.as_ref());
    let name_agrees = name.is_some_and(|name| name.value == ours.subject.value && name.format == ours.subject.format);
    let not_before = conditions.and_then(|one| one.not_before).map(|at| at.timestamp_millis());
    let not_on_or_after = conditions.and_then(|one| one.not_on_or_after).map(|at| at.timestamp_millis());
    theirs.id == ours.id
        && theirs.issue_instant.timestamp_millis() == ours.issued_at.millis()
        && theirs.issuer.value.as_deref().map(str::trim) == Some(ours.issuer.as_str())
        && name_agrees
        && conditions.is_some() == ours.has_conditions
        && not_before == ours.not_before.map(Timestamp::millis)
        && not_on_or_after == ours.not_on_or_after.map(Timestamp::millis)
        && audiences == our_audiences
        && statements_agree(theirs, ours)
        && attributes_agree(theirs, ours)
}

fn statements_agree(theirs: &schema::Assertion, ours: &Assertion) -> bool {
    let statements = theirs.authn_statements.as_deref().unwrap_or_default();
    statements.len() == ours.statements.len()
        && statements.iter().zip(&ours.statements).all(|(theirs, ours)| {
            theirs.session_index == ours.session_index
                && theirs.authn_instant.map(|at| at.timestamp_millis()) == ours.authn_instant.map(Timestamp::millis)
                && theirs.session_not_on_or_after.map(|at| at.timestamp_millis())
                    == ours.session_not_on_or_after.map(Timestamp::millis)
        })
}

fn attributes_agree(theirs: &schema::Assertion, ours: &Assertion) -> bool {
    let statements = theirs.attribute_statements.as_deref().unwrap_or_default();
    let attributes: Vec<_> = statements.iter().flat_map(|one| &one.attributes).collect();
    attributes.len() == ours.attributes.len()
        && attributes.iter().zip(&ours.attributes).all(|(theirs, ours)| {
            let values = theirs.values.iter().filter_map(|one| one.value.as_deref());
            theirs.name.as_deref() == Some(ours.name.as_str())
                && theirs.friendly_name == ours.friendly_name
                && same_words(values, ours.values.iter().map(String::as_str))
        })
}
