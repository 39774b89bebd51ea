//! What a signature must look like: one reference to its own parent, the two usual transforms, no weak algorithm, nothing
//! else in it. Which key made it is the verifiers' business; what stands in `KeyInfo` nobody reads.

use super::gate::DSIG;
use super::refusal::{Reason, Refusal};
use super::tree::Element;

const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

const SIGNATURES: [&str; 6] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// Whether a detached or enveloped signature may use this algorithm.
pub(super) fn is_allowed(algorithm: &str) -> bool {
    SIGNATURES.contains(&algorithm)
}

/// Whether the element carries a signature; if so, it is one that can only mean this element.
///
/// # Errors
/// [`Reason::SignatureShape`] or [`Reason::Algorithm`].
pub(super) fn of(parent: &Element) -> Result<bool, Refusal> {
    let mut signatures = parent.all(DSIG, "Signature");
    let Some(signature) = signatures.next() else { return Ok(false) };
    if signatures.next().is_some() {
        return shape("two signatures");
    }
    let names: Vec<_> = signature.children.iter().map(|child| child.name.as_str()).collect();
    if names != ["SignedInfo", "SignatureValue"] && names != ["SignedInfo", "SignatureValue", "KeyInfo"] {
        return shape("a signature of other parts than SignedInfo, SignatureValue and KeyInfo");
    }
    let outside_key_info = |one: &&Element| one.name != "KeyInfo";
    let all_dsig = signature.children.iter().all(|child| child.ns == DSIG);
    let Some(info) = signature.children.iter().filter(outside_key_info).find(|child| child.name == "SignedInfo") else {
        return shape("no SignedInfo");
    };
    let names: Vec<_> = info.children.iter().map(|child| child.name.as_str()).collect();
    if !all_dsig || names != ["CanonicalizationMethod", "SignatureMethod", "Reference"] {
        return shape("SignedInfo holds something else than two methods and one reference");
    }
    let [canonicalization, method, reference] = info.children.as_slice() else { return shape("SignedInfo") };
    if [canonicalization, method, reference].iter().any(|one| one.ns != DSIG) {
        return shape("a foreign element in SignedInfo");
    }
    exclusive(canonicalization)?;
    allowed(method, &SIGNATURES)?;
    if let Some(key_info) = signature.children.get(2) {
        self::key_info(key_info)?;
    }
    check_reference(parent, reference)?;
    let value = signature.child(DSIG, "SignatureValue").and_then(Element::plain_text).unwrap_or_default();
    base64_text(value)?;
    Ok(true)
}

fn check_reference(parent: &Element, reference: &Element) -> Result<(), Refusal> {
    let id = parent.attribute("ID").unwrap_or_default();
    if id.is_empty() || reference.attribute("URI") != Some(format!("#{id}").as_str()) {
        return shape("a reference to something else than the element it stands in").map(drop);
    }
    let names: Vec<_> = reference.children.iter().map(|child| child.name.as_str()).collect();
    let [transforms, digest, value] = reference.children.as_slice() else {
        return shape("a reference of other parts than transforms, method and value").map(drop);
    };
    if names != ["Transforms", "DigestMethod", "DigestValue"] || reference.children.iter().any(|one| one.ns != DSIG) {
        return shape("a reference of other parts than transforms, method and value").map(drop);
    }
    let [enveloped, canonical] = transforms.children.as_slice() else {
        return Err(
            Reason::Algorithm.because("other transforms than enveloped-signature and exclusive canonicalization")
        );
    };
    if [enveloped, canonical].iter().any(|one| !one.is(DSIG, "Transform")) {
        return shape("a foreign element among the transforms").map(drop);
    }
    allowed(enveloped, &[ENVELOPED])?;
    exclusive(canonical)?;
    allowed(digest, &DIGESTS)?;
    base64_text(value.plain_text().unwrap_or_default())
}

/// Exclusive canonicalization without comments; a list of inclusive prefixes is all that it may hold.
fn exclusive(element: &Element) -> Result<(), Refusal> {
    if element.attribute("Algorithm") != Some(EXCLUSIVE_C14N) {
        return Err(Reason::Algorithm.because("another canonicalization than the exclusive one"));
    }
    match element.children.as_slice() {
        [] => Ok(()),
        [list] if list.is(EXCLUSIVE_C14N, "InclusiveNamespaces") && list.children.is_empty() => Ok(()),
        _ => Err(Reason::Algorithm.because("a canonicalization with parameters")),
    }
}

fn allowed(element: &Element, list: &[&str]) -> Result<(), Refusal> {
    let algorithm = element.attribute("Algorithm").unwrap_or_default();
    if list.contains(&algorithm) && element.children.is_empty() && element.text.trim().is_empty() {
        return Ok(());
    }
    Err(Reason::Algorithm.because(format!("{} is {algorithm}", element.name)))
}

/// Nobody reads it, but a verifier may try to; so it holds what providers usually send, and no references.
fn key_info(element: &Element) -> Result<(), Refusal> {
    const KNOWN: [&str; 19] = [
        "KeyInfo",
        "KeyName",
        "KeyValue",
        "RSAKeyValue",
        "Modulus",
        "Exponent",
        "ECKeyValue",
        "NamedCurve",
        "PublicKey",
        "X509Data",
        "X509Certificate",
        "X509IssuerSerial",
        "X509IssuerName",
        "X509SerialNumber",
        "X509SubjectName",
        "X509SKI",
        "X509CRL",
        "X509Digest",
        "MgmtData",
    ];
    let known_ns = |one: &Element| one.ns == DSIG || one.ns == "http://www.w3.org/2009/xmldsig11#";
    if element.walk().iter().all(|one| known_ns(one) && KNOWN.contains(&one.name.as_str())) {
        return Ok(());
    }
    shape("KeyInfo with something unusual in it").map(drop)
}

fn base64_text(text: &str) -> Result<(), Refusal> {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "+/= \t\r\n".contains(c));
    if plain && text.chars().any(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    shape("a value that is no base64, or empty").map(drop)
}

fn shape(detail: &str) -> Result<bool, Refusal> {
    Err(Reason::SignatureShape.because(detail))
}
