//! The two parties of a conversation, with what is prepared once: us as the service, and a provider's certificates.

use super::refusal::{Reason, Refusal};
use super::tree;
use crate::domain::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use saml_rs::xml::XmlLimits;
use saml_rs::{
    AcsEndpoint, AssertionSignaturePolicy, AudienceValidationPolicy, AuthnRequestSigningPolicy, CertificatePem,
    Credentials, EntityId, IdpDescriptor, LogoutPolicy, MetadataTrustPolicy, NameIdCreationPolicy, PrivateKeyPem,
    ResponseSignaturePolicy, Saml, SamlError, Sp, SpConfig, SpValidationPolicy, XmlEncryptionPolicy, XmlPolicy,
    XmlSignatureProfile,
};

/// A key pair of ours with its certificate, which is nothing but the public half in the form that SAML wants.
#[derive(Clone)]
pub struct ServiceKey {
    /// The certificate: DER.
    pub certificate: Vec<u8>,
    /// The private key: PKCS#8 in PEM.
    pub private: Secret<String>,
}

impl ServiceKey {
    /// As it is kept: the length of the certificate, the certificate, the private key.
    #[must_use]
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        let length = u32::try_from(self.certificate.len()).unwrap_or(u32::MAX).to_be_bytes();
        Secret::new([length.as_slice(), &self.certificate, self.private.expose().as_bytes()].concat())
    }

    /// From its kept form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (certificate, private) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let private = Secret::new(String::from_utf8(private.to_vec()).ok()?);
        Some(Self { certificate: certificate.to_vec(), private })
    }

    /// The certificate as metadata has it.
    #[must_use]
    pub fn certificate_base64(&self) -> String {
        STANDARD.encode(&self.certificate)
    }
}

/// Us, towards one provider.
pub struct Service {
    entity_id: String,
    acs: String,
    allow_cbc: bool,
    keys: Vec<ServiceKey>,
    plain: Saml<Sp>,
    decrypting: Vec<Saml<Sp>>,
}

impl Service {
    /// Prepares our side: who we are, where responses come in, and all keys that a provider may have encrypted for.
    ///
    /// # Errors
    /// [`Reason::Metadata`] when a key or an address cannot be used.
    pub fn new(entity_id: &str, acs: &str, keys: Vec<ServiceKey>, allow_cbc: bool) -> Result<Self, Refusal> {
        let unusable = |error: SamlError| Reason::Metadata.because(format!("our side: {error}"));
        let plain = side(entity_id, acs, None).map_err(unusable)?;
        let decrypting =
            keys.iter().map(|key| side(entity_id, acs, Some(key))).collect::<Result<_, _>>().map_err(unusable)?;
        Ok(Self { entity_id: entity_id.to_owned(), acs: acs.to_owned(), allow_cbc, keys, plain, decrypting })
    }

    /// How the provider calls us.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Where responses come in.
    #[must_use]
    pub fn acs(&self) -> &str {
        &self.acs
    }

    /// Our keys, the newest first.
    #[must_use]
    pub fn keys(&self) -> &[ServiceKey] {
        &self.keys
    }

    /// Whether AES-CBC is accepted, which tells an attacker who can ask often enough what is encrypted.
    pub(super) const fn allow_cbc(&self) -> bool {
        self.allow_cbc
    }

    pub(super) const fn plain(&self) -> &Saml<Sp> {
        &self.plain
    }

    pub(super) fn decrypting(&self) -> impl Iterator<Item = &Saml<Sp>> {
        self.decrypting.iter()
    }
}

/// The first verifier's view of us: strict in everything that its settings know. Which algorithms a signature may have is
/// decided in `signature_shape.rs`, because the verifier's own strict profile has no elliptic curves.
fn side(entity_id: &str, acs: &str, key: Option<&ServiceKey>) -> Result<Saml<Sp>, SamlError> {
    let validation = SpValidationPolicy {
        assertions: AssertionSignaturePolicy::AllowUnsignedForCompatibility,
        responses: ResponseSignaturePolicy::RequireForEncryptedCbc,
        xml_signatures: XmlSignatureProfile::AllowProviderSupportedForCompatibility,
        authn_requests: AuthnRequestSigningPolicy::DoNotSignForCompatibility,
        audience: AudienceValidationPolicy::Validate,
        name_id_creation: NameIdCreationPolicy::AllowCreate,
        logout: LogoutPolicy::recommended(),
    };
    let encryption = key.map_or_else(XmlEncryptionPolicy::default, |_| XmlEncryptionPolicy::encrypt_assertions());
    let credentials = key.map_or_else(Credentials::default, |key| Credentials {
        encryption_certificate: Some(CertificatePem::new(pem(&key.certificate))),
        decryption_key: Some(PrivateKeyPem::new(key.private.expose().as_str())),
        ..Credentials::default()
    });
    let config = SpConfig::builder(EntityId::try_new(entity_id)?)
        .acs_endpoint(AcsEndpoint::post(acs)?)
        .validation(validation)
        .credentials(credentials)
        .xml(XmlPolicy { limits: limits(), encryption, ..XmlPolicy::default() })
        .build()?;
    Saml::sp(config)
}

/// The first verifier's limits: those of the gate, with room for what decryption adds.
pub(super) fn limits() -> XmlLimits {
    XmlLimits {
        max_bytes: tree::MESSAGE.bytes * 2,
        max_depth: tree::MESSAGE.depth + 2,
        max_nodes: tree::MESSAGE.elements * 2,
        ..XmlLimits::default()
    }
}

/// A provider: who it is, and the certificates of the keys it signs with.
pub struct Peer {
    entity_id: String,
    certificates: Vec<Vec<u8>>,
    trusted: Vec<IdpDescriptor>,
}

impl Peer {
    /// Prepares a provider. Certificates that cannot be read are left out, so that one broken entry in metadata does not
    /// shut everybody out; without any, every message is refused.
    ///
    /// # Errors
    /// [`Reason::Metadata`].
    pub fn new(entity_id: &str, certificates: Vec<Vec<u8>>) -> Result<Self, Refusal> {
        let certificates: Vec<Vec<u8>> =
            certificates.into_iter().filter(|der| saml_rs::crypto::keys::load_certificate(&pem(der)).is_ok()).collect();
        let trusted = certificates.iter().map(|der| descriptor(entity_id, der)).collect::<Result<_, _>>();
        let trusted = trusted.map_err(|error| Reason::Metadata.because(format!("the provider: {error}")))?;
        Ok(Self { entity_id: entity_id.to_owned(), certificates, trusted })
    }

    /// How it calls itself.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Its certificates: DER.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    pub(super) fn trusted(&self) -> &[IdpDescriptor] {
        &self.trusted
    }
}

/// Metadata with this one certificate, so that it is known which one fitted. We vouch for it ourselves.
fn descriptor(entity_id: &str, certificate: &[u8]) -> Result<IdpDescriptor, SamlError> {
    let certificate = STANDARD.encode(certificate);
    let entity = quick_xml::escape::escape(entity_id);
    let xml = format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor use=\"signing\"><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>\
         </ds:X509Data></ds:KeyInfo></KeyDescriptor><SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.invalid/\"/>\
         </IDPSSODescriptor></EntityDescriptor>"
    );
    IdpDescriptor::from_metadata_xml_for(
        EntityId::try_new(entity_id)?,
        &xml,
        MetadataTrustPolicy::UnsignedForCompatibility,
    )
}

/// A certificate in PEM, in the lines of 64 that strict readers want (RFC 7468 §2).
pub(super) fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for (index, c) in base64.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out.push_str("\n-----END CERTIFICATE-----\n");
    out
}
