//! Certificates in metadata: what they are read for is the key in them and their last day. Their issuer, their name and their
//! validity are not judged; the metadata vouches for them (SAML metadata interoperability profile §2.5).

use super::refusal::{Reason, Refusal};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::party::ServiceKey;

/// How long a certificate of ours says it is valid. What counts is when the key leaves the ring.
const OWN_VALIDITY: Duration = Duration::from_hours(24 * 365 * 20);

/// What can be said of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateState {
    /// The name in it.
    pub name: String,
    /// The key in it, in words.
    pub key: String,
    /// Its last moment.
    pub ends: Timestamp,
}

/// Reads a certificate: DER.
///
/// # Errors
/// [`Reason::Metadata`] when it is none, or its key is too weak or of an unknown kind.
pub fn inspect(der: &[u8]) -> Result<CertificateState, Refusal> {
    let unusable = |why: &str| Reason::Metadata.because(format!("a certificate {why}"));
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| unusable(&format!("is none: {error}")))?;
    let key = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() >= 2048 => format!("RSA {}", key.key_size()),
        Ok(PublicKey::RSA(_)) => return Err(unusable("has an RSA key of less than 2048 bits")),
        Ok(PublicKey::EC(point)) if [256, 384, 521, 528].contains(&point.key_size()) => {
            format!("EC {}", point.key_size())
        }
        _ => return Err(unusable("has a key of another kind than RSA or EC")),
    };
    let ends = Timestamp::from_millis(certificate.validity().not_after.timestamp().saturating_mul(1000));
    Ok(CertificateState { name: certificate.subject().to_string(), key, ends })
}

/// The certificates of a PEM file.
///
/// # Errors
/// [`Reason::Metadata`] when there is none, or one is no certificate.
pub fn from_pem(text: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut found = Vec::new();
    for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let body = part.split("-----END CERTIFICATE-----").next().unwrap_or_default();
        let der = decode(body)?;
        inspect(&der)?;
        found.push(der);
    }
    if found.is_empty() { Err(Reason::Metadata.because("no certificate in the file")) } else { Ok(found) }
}

/// The bytes of a certificate as metadata has it: base64 in which white space may stand.
///
/// # Errors
/// [`Reason::Metadata`].
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(plain).map_err(|error| Reason::Metadata.because(format!("a certificate is no base64: {error}")))
}

/// Makes a key of ours, with the certificate that carries its public half. Takes a moment: not for threads that serve
/// requests.
///
/// # Errors
/// [`Reason::Metadata`] when the library fails.
pub fn generate(name: &str, now: Timestamp) -> Result<ServiceKey, Refusal> {
    let failed = |error: rcgen::Error| Reason::Metadata.because(format!("a key could not be made: {error}"));
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |at: Timestamp| {
        let date =
            jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
        let part = |value: i8| u8::try_from(value).unwrap_or(1);
        rcgen::date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    params.not_before = day(now);
    params.not_after = day(now.after(OWN_VALIDITY));
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok(ServiceKey { certificate: certificate.der().to_vec(), private: Secret::new(key.serialize_pem()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_ours_is_one_that_others_can_use() {
        let now = Timestamp::from_millis(1_772_366_400_000);
        let key = generate("login.example.org", now).expect("a key");
        let state = inspect(&key.certificate).expect("a certificate");
        assert_eq!((state.name.as_str(), state.key.as_str()), ("CN=login.example.org", "RSA 3072"));
        assert!(state.ends > now.after(Duration::from_hours(24 * 365 * 19)), "{state:?}");
        assert!(key.private.expose().contains("PRIVATE KEY"));
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        for text in
            ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n%\n"]
        {
            assert_eq!(from_pem(text).expect_err(text).reason, Reason::Metadata);
        }
    }
}
