//! Logout messages that come in, by HTTP-Redirect and HTTP-POST: from a provider that wants sessions to end, or that answers
//! us. Unsigned ones are refused, and so are those that were not meant for this address, now.

use super::gate::{self, ASSERTION, PROTOCOL};
use super::judge::SKEW;
use super::outgoing::Field;
use super::party::{Peer, limits, pem};
use super::reading::{self, Envelope, NameId, SUCCESS};
use super::refusal::{Reason, Refusal};
use super::tree::{self, Element};
use super::verifier::{Verifier, decode};
use super::{second, signature_shape};
use crate::domain::time::Timestamp;
use saml_rs::binding::deflate_raw_decode_with_limit;
use saml_rs::crypto::{verify_message_signature, verify_signature_with_limits};
use std::sync::Arc;
use std::time::Duration;

/// How old a logout message may be.
const TRAVEL: Duration = Duration::from_mins(5);

/// How a message came.
#[derive(Clone, Debug)]
pub enum Carried {
    /// HTTP-Redirect: the query as it stands in the address, nothing decoded. Its octets are what is signed.
    Redirect(String),
    /// HTTP-POST: the field, its value, and what is to come back with the answer.
    Post {
        /// Which field.
        field: Field,
        /// Its value.
        message: String,
        /// `RelayState`, which no signature covers here.
        relay_state: Option<String>,
    },
}

/// A logout message that its provider signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutMessage {
    /// Sessions are to end.
    Request(LogoutRequest),
    /// The answer to a request of ours.
    Response(LogoutAnswer),
}

/// A provider's request to end sessions (core §3.7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Its identifier: not to be accepted twice, and named in the answer.
    pub id: String,
    /// Whose sessions.
    pub subject: NameId,
    /// Which of them; empty is all.
    pub session_indexes: Vec<String>,
    /// Comes back with the answer.
    pub relay_state: Option<String>,
}

/// A provider's answer (core §3.7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutAnswer {
    /// Which request of ours it answers.
    pub in_response_to: String,
    /// The person is signed out there and everywhere the provider knows of.
    pub complete: bool,
    /// The status in its own words.
    pub status: String,
}

impl Verifier {
    /// Verifies a logout message that came to this address of ours.
    ///
    /// # Errors
    /// Why it is not believed.
    pub async fn logout(
        &self,
        peer: Arc<Peer>,
        slo: String,
        carried: Carried,
        now: Timestamp,
    ) -> Result<LogoutMessage, Refusal> {
        self.apart(move || receive_logout(&peer, &slo, &carried, now)).await
    }
}

/// Verifies a logout message. Blocks for milliseconds; see [`Verifier::logout`].
///
/// # Errors
/// Why it is not believed.
pub fn receive_logout(peer: &Peer, slo: &str, carried: &Carried, now: Timestamp) -> Result<LogoutMessage, Refusal> {
    let (field, xml, relay_state) = match carried {
        Carried::Post { field, message, relay_state } => (*field, decode(message)?, relay_state.clone()),
        Carried::Redirect(query) => {
            let query = Query::parse(query)?;
            (query.field, query.xml()?, query.relay_state()?)
        }
    };
    let name = if field == Field::Request { "LogoutRequest" } else { "LogoutResponse" };
    let (root, enveloped) = gate::logout(&xml, name)?;
    let envelope = reading::envelope(&root)?;
    judge(&envelope, &root, peer, slo, now)?;
    if peer.certificates().is_empty() {
        return Err(Reason::NoCertificate.because("the provider's metadata names no certificate to sign with"));
    }
    match carried {
        Carried::Redirect(_) if enveloped => {
            return Err(Reason::SignatureShape.because("a signature in a message that came by redirect"));
        }
        Carried::Redirect(query) => Query::parse(query)?.verify(peer)?,
        Carried::Post { .. } if !enveloped => return Err(Reason::Unsigned.because("no signature")),
        Carried::Post { .. } => verify(&xml, &root, peer)?,
    }
    if field == Field::Request { request(&root, envelope, relay_state) } else { answer(envelope) }
}

fn judge(envelope: &Envelope, root: &Element, peer: &Peer, slo: &str, now: Timestamp) -> Result<(), Refusal> {
    if envelope.issuer.as_deref() != Some(peer.entity_id()) {
        return Err(Reason::Issuer.because(format!("from {:?}", envelope.issuer)));
    }
    if envelope.destination.as_deref() != Some(slo) {
        return Err(Reason::Destination.because(format!("{:?}", envelope.destination)));
    }
    if envelope.issued_at > now.after(SKEW) {
        return Err(Reason::NotYet.because("issued in the future"));
    }
    let ends = reading::instant(root, "NotOnOrAfter")?;
    if envelope.issued_at < now.before(TRAVEL + SKEW) || ends.is_some_and(|ends| now.before(SKEW) >= ends) {
        return Err(Reason::Expired.because("issued too long ago"));
    }
    Ok(())
}

/// The first verifier finds the certificate, the second confirms.
fn verify(xml: &str, root: &Element, peer: &Peer) -> Result<(), Refusal> {
    let mut refused = Reason::Signature.because("no known certificate made this signature");
    for certificate in peer.certificates() {
        match verify_signature_with_limits(xml, &[pem(certificate)], limits()) {
            Ok((true, Some(covered))) => {
                let covered = tree::parse(&covered, tree::MESSAGE)?;
                if !covered.says_the_same(root, &|_: &Element| false) {
                    return Err(Reason::Disagreement.because("the first verifier found something else signed"));
                }
                return second::confirm_message(xml, root, certificate);
            }
            Ok(_) => {}
            Err(error) => refused = Reason::Signature.because(format!("first verifier: {error}")),
        }
    }
    Err(refused)
}

fn request(root: &Element, envelope: Envelope, relay_state: Option<String>) -> Result<LogoutMessage, Refusal> {
    let name = root.child(ASSERTION, "NameID").ok_or_else(|| Reason::Subject.because("no subject"))?;
    let indexes = root.all(PROTOCOL, "SessionIndex").filter_map(Element::plain_text);
    let session_indexes = indexes.map(|index| index.trim().to_owned()).collect();
    let subject = reading::name_id(name)?;
    Ok(LogoutMessage::Request(LogoutRequest { id: envelope.id, subject, session_indexes, relay_state }))
}

fn answer(envelope: Envelope) -> Result<LogoutMessage, Refusal> {
    let in_response_to = envelope.in_response_to.ok_or_else(|| Reason::InResponseTo.because("it answers nothing"))?;
    let complete = envelope.status == SUCCESS;
    Ok(LogoutMessage::Response(LogoutAnswer { in_response_to, complete, status: envelope.status }))
}

/// A query of the redirect binding, its values as they stand in the address.
struct Query<'a> {
    field: Field,
    message: &'a str,
    relay_state: Option<&'a str>,
    algorithm: Option<&'a str>,
    signature: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Each parameter at most once, one message in all: another reader must not find another one.
    fn parse(query: &'a str) -> Result<Self, Refusal> {
        let wrong = |why: &str| Reason::Encoding.because(why);
        if query.len() > 32 * 1024 {
            return Err(Reason::TooLarge.because("a longer query than a message needs"));
        }
        let value = |wanted: &str| {
            let mut values =
                query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| *name == wanted);
            match (values.next(), values.next()) {
                (found, None) => Ok(found.map(|(_, value)| value)),
                _ => Err(wrong("a parameter twice")),
            }
        };
        let (field, message) = match (value("SAMLRequest")?, value("SAMLResponse")?) {
            (Some(message), None) => (Field::Request, message),
            (None, Some(message)) => (Field::Response, message),
            _ => return Err(wrong("not one message")),
        };
        if value("SAMLEncoding")?.is_some_and(|one| !one.ends_with("DEFLATE")) {
            return Err(wrong("another encoding than DEFLATE"));
        }
        let (algorithm, signature) = (value("SigAlg")?, value("Signature")?);
        Ok(Self { field, message, relay_state: value("RelayState")?, algorithm, signature })
    }

    fn xml(&self) -> Result<String, Refusal> {
        use base64::Engine;
        let wrong = |error: &dyn std::fmt::Display| Reason::Encoding.because(error.to_string());
        let base64: String = plain(self.message)?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let deflated = base64::engine::general_purpose::STANDARD.decode(base64).map_err(|error| wrong(&error))?;
        // A few bytes can inflate to gigabytes.
        let xml = deflate_raw_decode_with_limit(&deflated, tree::MESSAGE.bytes).map_err(|error| wrong(&error))?;
        String::from_utf8(xml).map_err(|error| wrong(&error))
    }

    fn relay_state(&self) -> Result<Option<String>, Refusal> {
        self.relay_state.map(plain).transpose()
    }

    /// Verifies the signature over the octets as they came (bindings §3.4.4.1): decoding and encoding again would change
    /// them for providers that encode differently.
    fn verify(&self, peer: &Peer) -> Result<(), Refusal> {
        let unsigned = || Reason::Unsigned.because("no signature in the query");
        let (algorithm, signature) = (self.algorithm.ok_or_else(unsigned)?, self.signature.ok_or_else(unsigned)?);
        let relay_state = self.relay_state.map(|value| format!("&RelayState={value}")).unwrap_or_default();
        let octets = format!("{}={}{relay_state}&SigAlg={algorithm}", self.field.name(), self.message);
        let (name, signature) = (plain(algorithm)?, plain(signature)?);
        if !signature_shape::is_allowed(&name) {
            return Err(Reason::Algorithm.because(format!("signed with {name}")));
        }
        let fits = |der: &Vec<u8>| matches!(verify_message_signature(&octets, &signature, &pem(der), &name), Ok(true));
        if peer.certificates().iter().any(fits) {
            return Ok(());
        }
        Err(Reason::Signature.because("no known certificate made this signature"))
    }
}

/// The value of a parameter, percent signs and plus signs decoded.
fn plain(value: &str) -> Result<String, Refusal> {
    let pair = format!("v={value}");
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
    decoded.ok_or_else(|| Reason::Encoding.because("a parameter that cannot be decoded"))
}
