//! A provider's metadata (SAML metadata §2.4.3), alone or among a federation's: where browsers go, which keys sign.

use super::gate::{DSIG, unique_ids};
use super::reading::instant;
use super::refusal::{Reason, Refusal};
use super::tree::{self, Element};
use super::{certificate, party, signature_shape};
use crate::domain::time::Timestamp;
use saml_rs::crypto::verify_metadata_signature_detailed_with_limits;
use saml_rs::xml::XmlLimits;
use std::time::Duration;
use url::Url;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
/// A provider in the middle of a rollover has two or three.
const MAX_CERTIFICATES: usize = 8;
const MAX_ENTITIES: usize = 20_000;

/// What a provider's metadata says, as far as we use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// The provider's entity identifier.
    pub entity_id: String,
    /// Where authentication requests go.
    pub sign_on: Endpoints,
    /// Where logout messages go.
    pub logout: Endpoints,
    /// Where answers to its logout requests go, if elsewhere.
    pub logout_answers: Endpoints,
    /// Certificates of the keys it signs with: DER.
    pub certificates: Vec<Vec<u8>>,
    /// Why other certificates in it are not used.
    pub unusable: Vec<String>,
    /// It wants authentication requests to be signed.
    pub wants_signed_requests: bool,
    /// From then on the metadata says nothing any more.
    pub valid_until: Option<Timestamp>,
    /// How long it need not be read again.
    pub cache_for: Option<Duration>,
}

/// The addresses of one service in the two bindings that browsers can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// HTTP-Redirect.
    pub redirect: Option<Url>,
    /// HTTP-POST.
    pub post: Option<Url>,
}

/// How metadata is read.
pub struct Reading<'a> {
    /// Which provider, where there are several.
    pub entity_id: Option<&'a str>,
    /// Certificates (DER) one of which must have signed the metadata; empty believes the way it came.
    pub signers: &'a [Vec<u8>],
    /// Now.
    pub now: Timestamp,
}

/// Reads the metadata of one provider.
///
/// # Errors
/// Why it cannot be used.
pub fn read(xml: &str, how: &Reading<'_>) -> Result<ProviderMetadata, Refusal> {
    let root = tree::parse(xml.trim_start_matches('\u{feff}'), tree::METADATA)?;
    let single = root.is(METADATA, "EntityDescriptor");
    if !single && !root.is(METADATA, "EntitiesDescriptor") {
        return Err(Reason::Metadata.because(format!("the root is {}, which is no metadata", root.name)));
    }
    let root = if how.signers.is_empty() { root } else { signed(xml, &root, how.signers)? };
    let entities: Vec<&Element> = if single { vec![&root] } else { entities(&root) };
    let with_role = |entity: &&Element| role(entity).is_some();
    let mut wanted = entities
        .into_iter()
        .filter(with_role)
        .filter(|entity| how.entity_id.is_none_or(|wanted| entity.attribute("entityID") == Some(wanted)));
    let found = wanted.next().ok_or_else(|| Reason::Metadata.because("no such SAML 2.0 identity provider in it"))?;
    if wanted.next().is_some() {
        return Err(Reason::Metadata.because("several identity providers in it: say which one with provider_entity_id"));
    }
    let metadata = provider(&root, found)?;
    if metadata.valid_until.is_some_and(|until| how.now >= until) {
        return Err(Reason::Metadata.because("it is no longer valid (validUntil)"));
    }
    Ok(metadata)
}

/// Only what a pinned certificate signed is read.
fn signed(xml: &str, root: &Element, signers: &[Vec<u8>]) -> Result<Element, Refusal> {
    unique_ids(root)?;
    if root.walk().iter().filter(|one| one.name == "Signature").count() != 1 || !signature_shape::of(root)? {
        return Err(Reason::Unsigned.because("the metadata carries no signature of its own, or several"));
    }
    let certificates: Vec<String> = signers.iter().map(|der| party::pem(der)).collect();
    let limits = XmlLimits {
        max_bytes: tree::METADATA.bytes,
        max_depth: tree::METADATA.depth + 2,
        max_nodes: tree::METADATA.elements,
        ..XmlLimits::default()
    };
    let checked = verify_metadata_signature_detailed_with_limits(xml, &certificates, limits)
        .map_err(|error| Reason::Signature.because(format!("the metadata's signature: {error}")))?;
    match checked.signed_entity_descriptor_xml() {
        Some(covered) if checked.verified() => {
            let covered = tree::parse(covered, tree::METADATA)?;
            let same = covered.says_the_same(root, &|one: &Element| one.is(DSIG, "Signature"));
            if same { Ok(covered) } else { Err(Reason::Signature.because("the signature covers something else")) }
        }
        _ => Err(Reason::Signature.because("the metadata is not signed by the pinned certificate")),
    }
}

fn entities(root: &Element) -> Vec<&Element> {
    root.walk().into_iter().filter(|one| one.is(METADATA, "EntityDescriptor")).take(MAX_ENTITIES).collect()
}

/// Its role as an identity provider of SAML 2.0.
fn role(entity: &Element) -> Option<&Element> {
    entity.all(METADATA, "IDPSSODescriptor").find(|role| {
        let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
        protocols.split_ascii_whitespace().any(|one| one == PROTOCOL)
    })
}

fn provider(root: &Element, entity: &Element) -> Result<ProviderMetadata, Refusal> {
    let unusable = |why: &str| Reason::Metadata.because(why.to_owned());
    let entity_id = entity.attribute("entityID").unwrap_or_default();
    if entity_id.trim().is_empty() || entity_id.len() > 1024 {
        return Err(unusable("the provider has no entity identifier"));
    }
    let role = role(entity).ok_or_else(|| unusable("no identity provider"))?;
    let sign_on = endpoints(role, "SingleSignOnService", "Location");
    if sign_on == Endpoints::default() {
        return Err(unusable("no SingleSignOnService by HTTP-Redirect or HTTP-POST with a web address"));
    }
    let mut certificates = Vec::new();
    let mut left_out = Vec::new();
    for text in key_texts(role).into_iter().take(MAX_CERTIFICATES) {
        match certificate::decode(text).and_then(|der| certificate::inspect(&der).map(|_| der)) {
            Ok(der) if certificates.contains(&der) => {}
            Ok(der) => certificates.push(der),
            Err(refusal) => left_out.push(refusal.detail),
        }
    }
    let mut ends = Vec::new();
    for element in [root, entity, role] {
        ends.extend(instant(element, "validUntil")?);
    }
    let cache_for = [root, entity, role].iter().filter_map(|one| duration(one.attribute("cacheDuration")?)).min();
    Ok(ProviderMetadata {
        entity_id: entity_id.to_owned(),
        sign_on,
        logout: endpoints(role, "SingleLogoutService", "Location"),
        logout_answers: endpoints(role, "SingleLogoutService", "ResponseLocation"),
        certificates,
        unusable: left_out,
        wants_signed_requests: matches!(role.attribute("WantAuthnRequestsSigned"), Some("true" | "1")),
        valid_until: ends.into_iter().min(),
        cache_for,
    })
}

/// The certificates that may have signed: those for signing, and those for anything.
fn key_texts(role: &Element) -> Vec<&str> {
    role.all(METADATA, "KeyDescriptor")
        .filter(|key| key.attribute("use").is_none_or(|usage| usage == "signing"))
        .filter_map(|key| key.child(DSIG, "KeyInfo"))
        .flat_map(|info| info.all(DSIG, "X509Data"))
        .flat_map(|data| data.all(DSIG, "X509Certificate"))
        .filter_map(Element::plain_text)
        .collect()
}

fn endpoints(role: &Element, name: &str, attribute: &str) -> Endpoints {
    let find = |binding: &str| {
        let mut of_binding = role.all(METADATA, name).filter(|one| one.attribute("Binding") == Some(binding));
        of_binding.find_map(|one| web_address(one.attribute(attribute)?))
    };
    Endpoints { redirect: find(REDIRECT), post: find(POST) }
}

/// An address that a browser may be sent to: no script, no credentials.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (["https", "http"].contains(&url.scheme()) && url.has_host() && plain && text.len() <= 2048).then_some(url)
}

fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let seconds = span.total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours())).ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
