//! What a message must look like before any verifier sees it: the elements of the browser profile and no others, each where
//! it belongs, and signatures that can only mean "my parent". Most known attacks on SAML end here.
//!
//! Whether signatures are right is checked by the verifiers, whether the words suit us in `judge.rs`.

use super::refusal::{Reason, Refusal};
use super::signature_shape;
use super::tree::{self, Element};
use std::collections::HashSet;

/// SAML protocol namespace.
pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// SAML assertion namespace.
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// XML Signature namespace.
pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Encryption namespace.
pub(super) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
pub(super) const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";

const AES_GCM: [&str; 3] = [
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
];
const AES_CBC: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
];
const RSA_OAEP: [&str; 2] =
    ["http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "http://www.w3.org/2009/xmlenc11#rsa-oaep"];

/// A response that looks right; nothing about it is proved.
#[derive(Clone, Debug)]
pub(super) struct Shaped {
    /// All of it.
    pub root: Element,
    /// The response carries a signature.
    pub response_signed: bool,
    /// The assertion carries a signature. `None` while it is encrypted.
    pub assertion_signed: Option<bool>,
}

impl Shaped {
    /// The assertion, unless it is encrypted.
    pub(super) fn assertion(&self) -> Option<&Element> {
        self.root.child(ASSERTION, "Assertion")
    }
}

/// Lets a response to an authentication request pass, or not.
///
/// # Errors
/// Whatever is wrong first.
pub(super) fn response(xml: &str, allow_cbc: bool) -> Result<Shaped, Refusal> {
    let root = tree::parse(xml, tree::MESSAGE)?;
    envelope(&root, "Response")?;
    places(&root)?;
    children(
        &root,
        &[
            (ASSERTION, "Issuer"),
            (DSIG, "Signature"),
            (PROTOCOL, "Status"),
            (ASSERTION, "Assertion"),
            (ASSERTION, "EncryptedAssertion"),
        ],
    )?;
    status(&root)?;
    let assertions = root.all(ASSERTION, "Assertion").count() + root.all(ASSERTION, "EncryptedAssertion").count();
    if assertions != 1 {
        // A provider that says no sends none, and says so in the status.
        let refused = super::reading::status_of(&root) != super::reading::SUCCESS && assertions == 0;
        let reason = if refused { Reason::Status } else { Reason::Structure };
        return Err(
            reason.because(format!("{assertions} assertions; the status is {}", super::reading::status_of(&root)))
        );
    }
    let response_signed = signature_shape::of(&root)?;
    let assertion_signed = match (root.child(ASSERTION, "Assertion"), root.child(ASSERTION, "EncryptedAssertion")) {
        (Some(one), _) => Some(assertion(one)?),
        (None, Some(one)) => {
            // Without a signature over the ciphertext, CBC answers whoever asks often enough (Jager and Somorovsky, 2011).
            encrypted(one, allow_cbc && response_signed)?;
            None
        }
        (None, None) => return Err(Reason::Structure.because("no assertion")),
    };
    if !response_signed && assertion_signed == Some(false) {
        return Err(Reason::Unsigned.because("neither the response nor the assertion carries a signature"));
    }
    Ok(Shaped { root, response_signed, assertion_signed })
}

/// Lets a logout message pass, or not; true when it carries a signature.
///
/// # Errors
/// Whatever is wrong first.
pub(super) fn logout(xml: &str, name: &str) -> Result<(Element, bool), Refusal> {
    let root = tree::parse(xml, tree::MESSAGE)?;
    envelope(&root, name)?;
    places(&root)?;
    if name == "LogoutRequest" {
        children(
            &root,
            &[(ASSERTION, "Issuer"), (DSIG, "Signature"), (ASSERTION, "NameID"), (PROTOCOL, "SessionIndex")],
        )?;
        exactly(&root, ASSERTION, "NameID")?;
    } else {
        children(&root, &[(ASSERTION, "Issuer"), (DSIG, "Signature"), (PROTOCOL, "Status")])?;
        status(&root)?;
    }
    exactly(&root, ASSERTION, "Issuer")?;
    let signed = signature_shape::of(&root)?;
    Ok((root, signed))
}

/// The root is this element, of SAML 2.0, with an identifier; identifiers are unique in the whole document.
fn envelope(root: &Element, name: &str) -> Result<(), Refusal> {
    if !root.is(PROTOCOL, name) {
        return Err(Reason::Structure.because(format!("the root is {} and not {name}", root.name)));
    }
    if root.attribute("Version") != Some("2.0") || root.attribute("ID").is_none() {
        return Err(Reason::Structure.because("no version 2.0, or no ID"));
    }
    unique_ids(root)
}

/// Every attribute that any verifier may take for an identifier counts, whatever its case or namespace, and so does the case
/// of its value.
pub(super) fn unique_ids(root: &Element) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for element in root.walk() {
        for attribute in &element.attributes {
            if !["id", "assertionid", "requestid", "responseid"].contains(&attribute.name.to_ascii_lowercase().as_str())
            {
                continue;
            }
            if !is_id(&attribute.value) {
                return Err(Reason::Structure.because("an ID that is none"));
            }
            if !seen.insert(attribute.value.to_ascii_lowercase()) {
                return Err(Reason::Structure.because("an ID twice"));
            }
        }
    }
    Ok(())
}

/// `NCName` (XML Namespaces §4) of plain characters.
fn is_id(id: &str) -> bool {
    id.len() <= 256
        && id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Whatever could be mistaken for something else by its local name has one place only, whatever its namespace.
fn places(root: &Element) -> Result<(), Refusal> {
    const LOGOUT: [(&str, &str); 2] = [(PROTOCOL, "LogoutRequest"), (PROTOCOL, "LogoutResponse")];
    for parent in root.walk() {
        for element in &parent.children {
            let belongs = match element.name.as_str() {
                "Assertion" | "EncryptedAssertion" => element.ns == ASSERTION && parent.is(PROTOCOL, "Response"),
                "Signature" => {
                    let signed = parent.is(PROTOCOL, "Response") || parent.is(ASSERTION, "Assertion");
                    element.ns == DSIG && (signed || LOGOUT.iter().any(|(ns, name)| parent.is(ns, name)))
                }
                name => !NOWHERE.contains(&name),
            };
            if !belongs {
                return Err(Reason::Structure.because(format!("{} where none belongs", element.name)));
            }
        }
    }
    Ok(())
}

/// Names that only a root may have, or that no message of ours needs.
const NOWHERE: [&str; 17] = [
    "Response",
    "LogoutRequest",
    "LogoutResponse",
    "Object",
    "Extensions",
    "Advice",
    "Manifest",
    "SignatureProperties",
    "RetrievalMethod",
    "CipherReference",
    "EncryptedID",
    "EncryptedAttribute",
    "NewEncryptedID",
    "BaseID",
    "AssertionIDRef",
    "AssertionURIRef",
    "AuthzDecisionStatement",
];

/// Only these children, each at most once except those that may repeat.
fn children(element: &Element, allowed: &[(&str, &str)]) -> Result<(), Refusal> {
    const REPEATED: [&str; 7] = [
        "AuthnStatement",
        "AttributeStatement",
        "Attribute",
        "AttributeValue",
        "AudienceRestriction",
        "Audience",
        "SessionIndex",
    ];
    let mut seen = HashSet::new();
    for child in &element.children {
        if !allowed.iter().any(|(ns, name)| child.is(ns, name)) {
            return Err(Reason::Structure.because(format!("{} in {}", child.name, element.name)));
        }
        let repeats = REPEATED.contains(&child.name.as_str()) || child.name == "SubjectConfirmation";
        if !seen.insert(child.name.as_str()) && !repeats {
            return Err(Reason::Structure.because(format!("{} twice in {}", child.name, element.name)));
        }
    }
    if !element.children.is_empty() && !element.text.trim().is_empty() {
        return Err(Reason::Structure.because(format!("text between the elements of {}", element.name)));
    }
    Ok(())
}

fn exactly(element: &Element, ns: &str, name: &str) -> Result<(), Refusal> {
    match element.all(ns, name).count() {
        1 => Ok(()),
        count => Err(Reason::Structure.because(format!("{count} × {name} in {}", element.name))),
    }
}

fn status(root: &Element) -> Result<(), Refusal> {
    exactly(root, PROTOCOL, "Status")?;
    let Some(status) = root.child(PROTOCOL, "Status") else { return Ok(()) };
    children(status, &[(PROTOCOL, "StatusCode"), (PROTOCOL, "StatusMessage"), (PROTOCOL, "StatusDetail")])?;
    exactly(status, PROTOCOL, "StatusCode")
}

/// The assertion's own structure (core §2.3.3); true when it carries a signature.
fn assertion(element: &Element) -> Result<bool, Refusal> {
    let a = ASSERTION;
    if element.attribute("Version") != Some("2.0") || element.attribute("ID").is_none() {
        return Err(Reason::Structure.because("an assertion without version 2.0 or ID"));
    }
    children(
        element,
        &[
            (a, "Issuer"),
            (DSIG, "Signature"),
            (a, "Subject"),
            (a, "Conditions"),
            (a, "AuthnStatement"),
            (a, "AttributeStatement"),
        ],
    )?;
    exactly(element, a, "Issuer")?;
    for part in &element.children {
        match part.name.as_str() {
            "Subject" => {
                children(part, &[(a, "NameID"), (a, "SubjectConfirmation")])?;
                for confirmation in part.all(a, "SubjectConfirmation") {
                    children(confirmation, &[(a, "NameID"), (a, "SubjectConfirmationData")])?;
                    if let Some(data) = confirmation.child(a, "SubjectConfirmationData") {
                        children(data, &[])?;
                    }
                }
            }
            "Conditions" => conditions(part)?,
            "AuthnStatement" => children(part, &[(a, "SubjectLocality"), (a, "AuthnContext")])?,
            "AttributeStatement" => {
                children(part, &[(a, "Attribute")])?;
                for attribute in part.all(a, "Attribute") {
                    children(attribute, &[(a, "AttributeValue")])?;
                    for value in attribute.all(a, "AttributeValue") {
                        children(value, &[])?;
                    }
                }
            }
            _ => {}
        }
    }
    signature_shape::of(element)
}

fn conditions(element: &Element) -> Result<(), Refusal> {
    let a = ASSERTION;
    let known = [(a, "AudienceRestriction"), (a, "OneTimeUse"), (a, "ProxyRestriction")];
    children(element, &known).map_err(|refusal| Reason::Conditions.because(refusal.detail))?;
    for restriction in element.all(a, "AudienceRestriction") {
        children(restriction, &[(a, "Audience")])?;
    }
    Ok(())
}

/// One encrypted assertion, with its key inside of it (core §2.3.4, XML Encryption §3).
fn encrypted(element: &Element, allow_cbc: bool) -> Result<(), Refusal> {
    children(element, &[(XENC, "EncryptedData")])?;
    exactly(element, XENC, "EncryptedData")?;
    let Some(data) = element.child(XENC, "EncryptedData") else { return Ok(()) };
    encrypted_part(data)?;
    let method = algorithm(data)?;
    if AES_CBC.contains(&method) && !allow_cbc {
        return Err(Reason::Algorithm.because("AES-CBC, which is allowed only by setting, and in a signed response"));
    }
    if !AES_GCM.contains(&method) && !AES_CBC.contains(&method) {
        return Err(Reason::Algorithm.because(format!("encrypted with {method}")));
    }
    let info = data.child(DSIG, "KeyInfo").ok_or_else(|| Reason::Structure.because("no key to decrypt with"))?;
    children(info, &[(XENC, "EncryptedKey")])?;
    exactly(info, XENC, "EncryptedKey")?;
    let Some(key) = info.child(XENC, "EncryptedKey") else { return Ok(()) };
    encrypted_part(key)?;
    let transport = algorithm(key)?;
    if !RSA_OAEP.contains(&transport) {
        return Err(Reason::Algorithm.because(format!("a key encrypted with {transport}")));
    }
    Ok(())
}

fn encrypted_part(element: &Element) -> Result<(), Refusal> {
    let known = [
        (XENC, "EncryptionMethod"),
        (DSIG, "KeyInfo"),
        (XENC, "CipherData"),
        (XENC, "ReferenceList"),
        (XENC, "CarriedKeyName"),
    ];
    children(element, &known)?;
    exactly(element, XENC, "CipherData")?;
    exactly(element, XENC, "EncryptionMethod")?;
    let Some(cipher) = element.child(XENC, "CipherData") else { return Ok(()) };
    children(cipher, &[(XENC, "CipherValue")])?;
    exactly(cipher, XENC, "CipherValue")?;
    if let Some(method) = element.child(XENC, "EncryptionMethod") {
        children(method, &[(DSIG, "DigestMethod"), (XENC11, "MGF"), (XENC, "KeySize")])?;
    }
    Ok(())
}

fn algorithm(element: &Element) -> Result<&str, Refusal> {
    let method = element.child(XENC, "EncryptionMethod").and_then(|method| method.attribute("Algorithm"));
    method.ok_or_else(|| Reason::Algorithm.because("no encryption method"))
}
