//! What a response says of itself, before anybody has vouched for it: which question it answers, and facts for whoever looks
//! for a mistake later. Nothing here is believed, and nothing of a person is read: of attributes, the names alone.

use super::gate::{self, ASSERTION, Shaped};
use super::reading::{self, Assertion};
use super::refusal::Refusal;
use super::verifier::decode;
use crate::domain::time::Timestamp;
use crate::domain::trace::Facts;

/// A first look at a response.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The request that it says it answers.
    pub question: Option<String>,
    /// What else it says.
    pub facts: Facts,
}

/// Looks at a response as it came in the form field `SAMLResponse`. Blocks for a moment; see
/// [`Verifier::glance`](super::Verifier::glance).
///
/// # Errors
/// What the gate refuses.
pub fn glance(message: &str, allow_cbc: bool, now: Timestamp) -> Result<Glance, Refusal> {
    let shaped = gate::response(&decode(message)?, allow_cbc)?;
    let envelope = reading::envelope(&shaped.root)?;
    let signed = signatures(&shaped);
    let facts = Facts::new()
        .when("issued", envelope.issued_at, now)
        .names("signed", &signed)
        .flag("encrypted", shaped.assertion().is_none())
        .names("status", envelope.status.split(' ').filter_map(|code| code.rsplit(':').next()));
    let facts = match &envelope.issuer {
        Some(issuer) => facts.system("issuer", issuer),
        None => facts,
    };
    let facts = match &envelope.destination {
        Some(destination) => facts.address("destination", destination),
        None => facts,
    };
    // What cannot be read is refused where it is judged.
    let inside = shaped.root.child(ASSERTION, "Assertion").and_then(|one| reading::assertion(one).ok());
    let facts = match inside {
        Some(one) => said(facts, &one, now),
        None => facts,
    };
    Ok(Glance { question: envelope.in_response_to, facts })
}

/// Which parts carry a signature.
pub(super) fn signatures(shaped: &Shaped) -> Vec<&'static str> {
    let response = shaped.response_signed.then_some("response");
    let assertion = (shaped.assertion_signed == Some(true)).then_some("assertion");
    response.into_iter().chain(assertion).collect()
}

fn said(facts: Facts, one: &Assertion, now: Timestamp) -> Facts {
    let facts = facts
        .system("assertion_issuer", &one.issuer)
        .names("audience", one.audiences.iter().flatten())
        .names("attributes", one.attributes.iter().map(|attribute| &attribute.name));
    let facts = match &one.subject.format {
        Some(format) => facts.system("name_format", format),
        None => facts,
    };
    let facts = match one.statements.first().and_then(|statement| statement.class.as_ref()) {
        Some(class) => facts.system("authn_context", class),
        None => facts,
    };
    let statement = one.statements.first();
    let times = [
        ("not_before", one.not_before),
        ("not_on_or_after", one.not_on_or_after),
        ("signed_in_there", statement.and_then(|statement| statement.authn_instant)),
        ("session_ends", statement.and_then(|statement| statement.session_not_on_or_after)),
    ];
    times
        .into_iter()
        .filter_map(|(name, at)| Some((name, at?)))
        .fold(facts, |facts, (name, at)| facts.when(name, at, now))
}
