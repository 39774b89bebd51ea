//! From the form field to what may be believed: the order of the checks, away from the threads that serve requests.

use super::gate::{self, Shaped};
use super::glance::{Glance, glance, signatures};
use super::judge::{self, Expected, Parties};
use super::party::{Peer, Service};
use super::reading::{self, Attribute, NameId};
use super::refusal::{Judge, Reason, Refusal};
use super::{first, second};
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a message may take before the browser is told that it was refused.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// How long a message may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// Base64 of the largest message, with room for line ends.
const MAX_ENCODED: usize = 400 * 1024;

/// What a provider says about a person, and both verifiers confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// The provider's entity identifier.
    pub issuer: String,
    /// The assertion's identifier: not to be accepted twice.
    pub assertion: String,
    /// The request that is answered; `None` for an answer without a question.
    pub in_response_to: Option<String>,
    /// Who it is about.
    pub subject: NameId,
    /// What is said of them.
    pub attributes: Vec<Attribute>,
    /// The provider's name for this session; single logout speaks of it.
    pub session_index: Option<String>,
    /// When they proved themselves there.
    pub authenticated_at: Timestamp,
    /// How, as a URI (`AuthnContextClassRef`).
    pub context: Option<String>,
    /// When the session here has to end.
    pub session_ends: Option<Timestamp>,
    /// Until when the assertion could be used, and so must be remembered.
    pub usable_until: Timestamp,
    /// Which parts of the message were signed: `response`, `assertion`.
    pub signed: Vec<&'static str>,
    /// Which of the provider's certificates fitted, from 1 on.
    pub certificate: usize,
}

/// Verifies in threads of their own, a few at a time.
#[derive(Clone)]
pub struct Verifier {
    turns: Arc<Semaphore>,
}

impl Verifier {
    /// At most so many messages at once. A thread that does not come back keeps its turn, so that a hostile message cannot
    /// take all threads.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// Looks at a response that nobody has vouched for, and gives it back.
    ///
    /// # Errors
    /// What the gate refuses.
    pub async fn glance(&self, message: String, allow_cbc: bool, now: Timestamp) -> Result<(Glance, String), Refusal> {
        self.apart(move || Ok((glance(&message, allow_cbc, now)?, message))).await
    }

    /// Verifies a response to an authentication request.
    ///
    /// # Errors
    /// Why it is not believed; [`Reason::Verifier`] when it takes too long.
    pub async fn response(
        &self,
        service: Arc<Service>,
        peer: Arc<Peer>,
        message: String,
        expected: Expected,
    ) -> Result<Asserted, Refusal> {
        self.apart(move || receive(&service, &peer, &message, &expected)).await
    }

    /// Runs a verification away from the threads that serve requests.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let busy = || Reason::Verifier.because("too many messages at once");
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        match tokio::time::timeout(TIME_LIMIT, work).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Reason::Verifier.because("a verifier panicked")),
            Err(_) => Err(Reason::Verifier.because("it takes too long")),
        }
    }
}

/// Verifies a response to an authentication request, as it came in the form field `SAMLResponse`. Blocks for milliseconds;
/// see [`Verifier::response`].
///
/// # Errors
/// Why it is not believed.
pub fn receive(service: &Service, peer: &Peer, message: &str, expected: &Expected) -> Result<Asserted, Refusal> {
    let xml = decode(message)?;
    let parties = Parties { idp: peer.entity_id(), sp: service.entity_id(), acs: service.acs() };
    let shaped = gate::response(&xml, service.allow_cbc())?;
    let envelope = reading::envelope(&shaped.root)?;
    let rules = |refusal: Refusal| refusal.by(Judge::Rules);
    judge::envelope(&envelope, shaped.response_signed, &parties, expected).map_err(rules)?;
    // Judged before it is verified: what would be refused anyway needs no cryptography.
    judge_assertion(&shaped, &parties, expected).map_err(rules)?;
    let believed = first::verify(service, peer, &xml, &shaped, expected).map_err(|refusal| refusal.by(Judge::First))?;
    judge_assertion(&believed.shaped, &parties, expected).map_err(rules)?;
    let no_certificate = || Reason::NoCertificate.because("it is gone");
    let certificate = peer.certificates().get(believed.certificate).ok_or_else(no_certificate)?;
    let second = |refusal: Refusal| refusal.by(Judge::Second);
    let ours = second::confirm(&xml, &shaped.root, &believed, certificate).map_err(second)?;
    if !first::agrees(&believed.session, &ours) {
        return Err(second(Reason::Disagreement.because("the first verifier read something else")));
    }
    Ok(asserted(ours, envelope.in_response_to, &believed))
}

fn judge_assertion(shaped: &Shaped, parties: &Parties<'_>, expected: &Expected) -> Result<(), Refusal> {
    let Some(element) = shaped.assertion() else { return Ok(()) };
    judge::assertion(&reading::assertion(element)?, parties, expected)
}

fn asserted(one: reading::Assertion, in_response_to: Option<String>, believed: &first::Believed) -> Asserted {
    let usable_until = judge::usable_until(&one);
    let statement = one.statements.into_iter().next();
    Asserted {
        issuer: one.issuer,
        assertion: one.id,
        in_response_to,
        subject: one.subject,
        attributes: one.attributes,
        authenticated_at: statement.as_ref().and_then(|one| one.authn_instant).unwrap_or(one.issued_at),
        session_ends: statement.as_ref().and_then(|one| one.session_not_on_or_after),
        context: statement.as_ref().and_then(|one| one.class.clone()),
        session_index: statement.and_then(|one| one.session_index),
        usable_until,
        signed: signatures(&believed.shaped),
        certificate: believed.certificate + 1,
    }
}

/// The XML of a form field (bindings §3.5.4): base64, in which line ends may stand.
pub(super) fn decode(message: &str) -> Result<String, Refusal> {
    if message.len() > MAX_ENCODED {
        return Err(Reason::TooLarge.because("a longer field than a message needs"));
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let plain: String = message.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = GeneralPurpose::new(&ALPHABET, config).decode(plain);
    let bytes = bytes.map_err(|error| Reason::Encoding.because(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Reason::Encoding.because(error.to_string()))
}
