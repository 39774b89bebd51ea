//! Our own decision about a message whose signature holds: is it for us, now, the answer to this question, and does it say
//! enough? (SAML profiles §4.1.4.2 and §4.1.4.3, core §2.) The verifiers check some of this too; here all of it is.

use super::reading::{Assertion, Confirmation, Envelope, SUCCESS};
use super::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use std::time::Duration;

/// How far clocks may differ.
pub const SKEW: Duration = Duration::from_mins(1);
/// How long a response may take from the provider through the browser to us.
const TRAVEL: Duration = Duration::from_mins(5);
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What a response has to fit.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Now.
    pub now: Timestamp,
    /// The request that is answered. `None` where an answer without a question is allowed.
    pub request: Option<Asked>,
}

/// The request that a response answers.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request's identifier.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// The person was to prove themselves anew.
    pub force_authn: bool,
    /// One of these ways to sign in was demanded; empty is any.
    pub contexts: Vec<String>,
}

/// Who is who.
pub(super) struct Parties<'a> {
    pub idp: &'a str,
    pub sp: &'a str,
    pub acs: &'a str,
}

/// Checks the response around the assertion.
///
/// # Errors
/// What is wrong first.
pub(super) fn envelope(
    envelope: &Envelope,
    signed: bool,
    parties: &Parties<'_>,
    expected: &Expected,
) -> Result<(), Refusal> {
    if envelope.status != SUCCESS {
        return Err(Reason::Status.because(envelope.status.as_str()));
    }
    if envelope.issuer.as_ref().is_some_and(|issuer| issuer != parties.idp) {
        return Err(Reason::Issuer.because(format!("the response is from {:?}", envelope.issuer)));
    }
    // Bindings §3.5.5.2: a signed message must name its destination; where one is named it must be ours.
    match &envelope.destination {
        Some(destination) if destination == parties.acs => {}
        None if !signed => {}
        other => return Err(Reason::Destination.because(format!("{other:?}"))),
    }
    answers(envelope.in_response_to.as_deref(), expected)?;
    recent(envelope.issued_at, expected.now)
}

/// Checks the assertion.
///
/// # Errors
/// What is wrong first.
pub(super) fn assertion(one: &Assertion, parties: &Parties<'_>, expected: &Expected) -> Result<(), Refusal> {
    if one.issuer != parties.idp {
        return Err(Reason::Issuer.because(format!("the assertion is from {:?}", one.issuer)));
    }
    recent(one.issued_at, expected.now)?;
    conditions(one, parties, expected.now)?;
    confirmed(one, parties, expected)?;
    statements(one, expected)
}

/// The last moment at which this assertion could be used, and so must be remembered.
pub(super) fn usable_until(one: &Assertion) -> Timestamp {
    let last = one.confirmations.iter().filter(|one| one.method == BEARER).filter_map(|one| one.not_on_or_after).max();
    last.unwrap_or(one.issued_at.after(TRAVEL)).max(one.issued_at.after(TRAVEL)).after(SKEW)
}

fn answers(in_response_to: Option<&str>, expected: &Expected) -> Result<(), Refusal> {
    match (in_response_to, &expected.request) {
        (Some(id), Some(asked)) if id == asked.id => Ok(()),
        (None, None) => Ok(()),
        (found, asked) => {
            let asked = asked.as_ref().map(|asked| &asked.id);
            Err(Reason::InResponseTo.because(format!("it answers {found:?}; asked was {asked:?}")))
        }
    }
}

/// Issued a moment ago.
fn recent(at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if at > now.after(SKEW) {
        return Err(Reason::NotYet.because("issued in the future"));
    }
    if at < now.before(TRAVEL + SKEW) {
        return Err(Reason::Expired.because("issued too long ago"));
    }
    Ok(())
}

fn within(not_before: Option<Timestamp>, not_on_or_after: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    if not_before.is_some_and(|from| now.after(SKEW) < from) {
        return Err(Reason::NotYet.because("not valid yet"));
    }
    if not_on_or_after.is_some_and(|until| now.before(SKEW) >= until) {
        return Err(Reason::Expired.because("no longer valid"));
    }
    Ok(())
}

fn conditions(one: &Assertion, parties: &Parties<'_>, now: Timestamp) -> Result<(), Refusal> {
    if !one.has_conditions {
        return Err(Reason::Conditions.because("there are none"));
    }
    within(one.not_before, one.not_on_or_after, now)?;
    // Core §2.5.1.4: every restriction must hold; in each one it is enough to be named.
    let for_us = |audiences: &Vec<String>| audiences.iter().any(|audience| audience == parties.sp);
    if one.audiences.is_empty() || !one.audiences.iter().all(for_us) {
        return Err(Reason::Audience.because(format!("meant for {:?}", one.audiences)));
    }
    Ok(())
}

fn confirmed(one: &Assertion, parties: &Parties<'_>, expected: &Expected) -> Result<(), Refusal> {
    let mut first = None;
    for confirmation in &one.confirmations {
        match confirms(confirmation, parties, expected) {
            Ok(()) => return Ok(()),
            Err(refusal) => first = first.or(Some(refusal)),
        }
    }
    Err(first.unwrap_or_else(|| Reason::Confirmation.because("there is none")))
}

fn confirms(one: &Confirmation, parties: &Parties<'_>, expected: &Expected) -> Result<(), Refusal> {
    if one.method != BEARER {
        return Err(Reason::Confirmation.because(format!("the method is {}", one.method)));
    }
    if one.recipient.as_deref() != Some(parties.acs) {
        return Err(Reason::Confirmation.because(format!("the recipient is {:?}", one.recipient)));
    }
    if one.not_on_or_after.is_none() {
        return Err(Reason::Confirmation.because("it has no end"));
    }
    answers(one.in_response_to.as_deref(), expected)?;
    within(one.not_before, one.not_on_or_after, expected.now)
}

fn statements(one: &Assertion, expected: &Expected) -> Result<(), Refusal> {
    let refused = |detail: &str| Err(Reason::AuthnStatement.because(detail));
    let Some(statement) = one.statements.first() else { return refused("there is none") };
    let Some(at) = statement.authn_instant else { return refused("it does not say when") };
    if at > expected.now.after(SKEW) {
        return refused("signed in in the future");
    }
    within(None, statement.session_not_on_or_after, expected.now)?;
    let Some(asked) = &expected.request else { return Ok(()) };
    if asked.force_authn && at < asked.at.before(SKEW) {
        return refused("a fresh sign-in was demanded, and this one is older");
    }
    let known = |class: &String| asked.contexts.contains(class);
    if !asked.contexts.is_empty() && !statement.class.as_ref().is_some_and(known) {
        return refused("another way of signing in than was demanded");
    }
    Ok(())
}
