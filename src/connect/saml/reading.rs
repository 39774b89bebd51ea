//! What a message says, read from its elements. Both verifiers' readings are compared with this one; nothing here is proved.

use super::gate::{ASSERTION, PROTOCOL};
use super::refusal::{Reason, Refusal};
use super::tree::Element;
use crate::domain::time::Timestamp;

/// The status of a sign-in that worked.
pub(super) const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

/// A subject's name, as the provider writes it (core §2.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// What kind of name it is: a URI.
    pub format: Option<String>,
    /// Within which domain it is unique.
    pub name_qualifier: Option<String>,
    /// For which service it was made.
    pub sp_name_qualifier: Option<String>,
}

/// An attribute of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, often a URI or OID.
    pub name: String,
    /// Its name for people.
    pub friendly_name: Option<String>,
    /// Its values in their order, as text.
    pub values: Vec<String>,
}

/// Why the bearer is the subject (core §2.4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Confirmation {
    pub method: String,
    pub recipient: Option<String>,
    pub in_response_to: Option<String>,
    pub not_before: Option<Timestamp>,
    pub not_on_or_after: Option<Timestamp>,
}

/// How and when the person signed in at the provider (core §2.7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub authn_instant: Option<Timestamp>,
    pub session_index: Option<String>,
    pub session_not_on_or_after: Option<Timestamp>,
    pub class: Option<String>,
}

/// An assertion as it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assertion {
    pub id: String,
    pub issued_at: Timestamp,
    pub issuer: String,
    pub subject: NameId,
    pub confirmations: Vec<Confirmation>,
    pub has_conditions: bool,
    pub not_before: Option<Timestamp>,
    pub not_on_or_after: Option<Timestamp>,
    pub audiences: Vec<Vec<String>>,
    pub statements: Vec<Statement>,
    pub attributes: Vec<Attribute>,
}

/// A response around an assertion as it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub id: String,
    pub issued_at: Timestamp,
    pub issuer: Option<String>,
    pub destination: Option<String>,
    pub in_response_to: Option<String>,
    pub status: String,
}

/// The status in words: the codes from the outer to the inner one.
pub(super) fn status_of(root: &Element) -> String {
    let code = root.child(PROTOCOL, "Status").and_then(|status| status.child(PROTOCOL, "StatusCode"));
    let Some(outer) = code.and_then(|code| code.attribute("Value")) else { return "missing".to_owned() };
    match code.and_then(|code| code.child(PROTOCOL, "StatusCode")).and_then(|code| code.attribute("Value")) {
        Some(inner) => format!("{outer} {inner}"),
        None => outer.to_owned(),
    }
}

/// Reads a response, or a logout message, without what is in it.
///
/// # Errors
/// [`Reason::Structure`] and [`Reason::Issuer`].
pub(super) fn envelope(root: &Element) -> Result<Envelope, Refusal> {
    let owned = |name: &str| root.attribute(name).map(str::to_owned);
    Ok(Envelope {
        id: owned("ID").unwrap_or_default(),
        issued_at: issued_at(root)?,
        issuer: root.child(ASSERTION, "Issuer").map(issuer).transpose()?,
        destination: owned("Destination"),
        in_response_to: owned("InResponseTo"),
        status: status_of(root),
    })
}

/// Reads an assertion.
///
/// # Errors
/// [`Reason::Structure`], [`Reason::Issuer`], [`Reason::Subject`] and [`Reason::Conditions`].
pub(super) fn assertion(element: &Element) -> Result<Assertion, Refusal> {
    let a = ASSERTION;
    let subject = element.child(a, "Subject").ok_or_else(|| Reason::Subject.because("no subject"))?;
    let named = subject.child(a, "NameID").ok_or_else(|| Reason::Subject.because("the subject has no name"))?;
    let conditions = element.child(a, "Conditions");
    let bound = |name| conditions.map_or(Ok(None), |conditions| instant(conditions, name));
    let audiences = conditions.map_or_else(|| Ok(Vec::new()), audiences)?;
    let issuer_element = element.child(a, "Issuer").ok_or_else(|| Reason::Issuer.because("no issuer"))?;
    Ok(Assertion {
        id: element.attribute("ID").unwrap_or_default().to_owned(),
        issued_at: issued_at(element)?,
        issuer: issuer(issuer_element)?,
        subject: name_id(named)?,
        confirmations: subject.all(a, "SubjectConfirmation").map(confirmation).collect::<Result<_, _>>()?,
        has_conditions: conditions.is_some(),
        not_before: bound("NotBefore")?,
        not_on_or_after: bound("NotOnOrAfter")?,
        audiences,
        statements: element.all(a, "AuthnStatement").map(statement).collect::<Result<_, _>>()?,
        attributes: attributes(element)?,
    })
}

/// Reads a name. White space at its ends would let two names look like one, so it is refused.
///
/// # Errors
/// [`Reason::Subject`].
pub(super) fn name_id(element: &Element) -> Result<NameId, Refusal> {
    let value = element.plain_text().unwrap_or_default();
    if value.is_empty() || value.trim() != value || value.len() > 1024 || value.contains(char::is_control) {
        return Err(Reason::Subject.because("a name that is empty, too long, or begins or ends with white space"));
    }
    let owned = |name: &str| element.attribute(name).map(str::to_owned);
    Ok(NameId {
        value: value.to_owned(),
        format: owned("Format"),
        name_qualifier: owned("NameQualifier"),
        sp_name_qualifier: owned("SPNameQualifier"),
    })
}

fn issuer(element: &Element) -> Result<String, Refusal> {
    if element.attribute("Format").is_some_and(|format| format != ENTITY) {
        return Err(Reason::Issuer.because("an issuer that is no entity"));
    }
    match element.plain_text() {
        Some(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => Err(Reason::Issuer.because("an empty issuer")),
    }
}

fn confirmation(element: &Element) -> Result<Confirmation, Refusal> {
    let data = element.child(ASSERTION, "SubjectConfirmationData");
    let text = |name: &str| data.and_then(|data| data.attribute(name)).map(str::to_owned);
    let time = |name| data.map_or(Ok(None), |data| instant(data, name));
    Ok(Confirmation {
        method: element.attribute("Method").unwrap_or_default().to_owned(),
        recipient: text("Recipient"),
        in_response_to: text("InResponseTo"),
        not_before: time("NotBefore")?,
        not_on_or_after: time("NotOnOrAfter")?,
    })
}

fn audiences(conditions: &Element) -> Result<Vec<Vec<String>>, Refusal> {
    let mut all = Vec::new();
    for restriction in conditions.all(ASSERTION, "AudienceRestriction") {
        let mut these = Vec::new();
        for audience in restriction.all(ASSERTION, "Audience") {
            let text = audience.plain_text().ok_or_else(|| Reason::Conditions.because("an audience with elements"))?;
            these.push(text.trim().to_owned());
        }
        all.push(these);
    }
    Ok(all)
}

fn statement(element: &Element) -> Result<Statement, Refusal> {
    let class = element
        .child(ASSERTION, "AuthnContext")
        .and_then(|context| context.child(ASSERTION, "AuthnContextClassRef"))
        .and_then(Element::plain_text);
    Ok(Statement {
        authn_instant: instant(element, "AuthnInstant")?,
        session_index: element.attribute("SessionIndex").map(str::to_owned),
        session_not_on_or_after: instant(element, "SessionNotOnOrAfter")?,
        class: class.map(|class| class.trim().to_owned()),
    })
}

/// An attribute that comes twice could be read differently by different people, so it is refused.
fn attributes(assertion: &Element) -> Result<Vec<Attribute>, Refusal> {
    let mut all: Vec<Attribute> = Vec::new();
    for element in assertion.all(ASSERTION, "AttributeStatement").flat_map(|one| one.all(ASSERTION, "Attribute")) {
        let name = element.attribute("Name").unwrap_or_default().to_owned();
        if name.is_empty() || all.iter().any(|known| known.name == name) {
            return Err(Reason::Structure.because(format!("the attribute {name:?} twice, or without a name")));
        }
        let values = element.all(ASSERTION, "AttributeValue").map(|value| value.text.clone()).collect();
        all.push(Attribute { name, friendly_name: element.attribute("FriendlyName").map(str::to_owned), values });
    }
    Ok(all)
}

fn issued_at(element: &Element) -> Result<Timestamp, Refusal> {
    instant(element, "IssueInstant")?.ok_or_else(|| Reason::Structure.because("no IssueInstant"))
}

/// A point in time in UTC (core §1.3.3), if the attribute is there.
///
/// # Errors
/// [`Reason::Structure`].
pub(super) fn instant(element: &Element, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = element.attribute(name) else { return Ok(None) };
    let parsed = (text.ends_with('Z') && text.contains('T')).then(|| text.parse::<jiff::Timestamp>().ok()).flatten();
    let instant = parsed.ok_or_else(|| Reason::Structure.because(format!("{name} is no time in UTC: {text:?}")))?;
    Ok(Some(Timestamp::from_millis(instant.as_millisecond())))
}
