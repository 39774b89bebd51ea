//! Signing keys for tokens that main apps verify: Ed25519 (RFC 8037), published as a key set (RFC 7517).

use crate::domain::secret::Secret;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use std::sync::{Arc, RwLock};
use uuid::Uuid;

/// A key that signs, with its public half.
pub struct SigningKey {
    key_id: String,
    encoding: EncodingKey,
    public: String,
}

impl SigningKey {
    /// Makes new key material: a PKCS#8 document (RFC 8410).
    #[must_use]
    pub fn generate() -> Option<Secret<Vec<u8>>> {
        let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).ok()?;
        Some(Secret::new(document.as_ref().to_vec()))
    }

    /// From an identifier and a PKCS#8 document.
    #[must_use]
    pub fn new(id: Uuid, pkcs8: &Secret<Vec<u8>>) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.expose()).ok()?;
        Some(Self {
            key_id: id.simple().to_string(),
            encoding: EncodingKey::from_ed_der(pkcs8.expose()),
            public: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        })
    }
}

/// A public key as the key set lists it.
#[derive(Clone, Debug, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
}

/// The published key set.
#[derive(Clone, Debug, Serialize)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

/// Keys in use, newest first: the newest signs, all are published.
#[derive(Default)]
pub struct SigningKeys {
    keys: RwLock<Arc<Vec<SigningKey>>>,
}

impl SigningKeys {
    /// Replaces the keys.
    pub fn replace(&self, keys: Vec<SigningKey>) {
        if let Ok(mut slot) = self.keys.write() {
            *slot = Arc::new(keys);
        }
    }

    fn current(&self) -> Arc<Vec<SigningKey>> {
        self.keys.read().map_or_else(|poisoned| Arc::clone(&poisoned.into_inner()), |keys| Arc::clone(&keys))
    }

    /// Signs claims with the newest key. `None` only without any key.
    #[must_use]
    pub fn sign<C: Serialize>(&self, typ: &str, claims: &C) -> Option<String> {
        let keys = self.current();
        let key = keys.first()?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(typ.to_owned());
        header.kid = Some(key.key_id.clone());
        jsonwebtoken::encode(&header, claims, &key.encoding).ok()
    }

    /// The public halves.
    #[must_use]
    pub fn key_set(&self) -> KeySet {
        let public = |key: &SigningKey| PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            usage: "sig",
            kid: key.key_id.clone(),
            x: key.public.clone(),
        };
        KeySet { keys: self.current().iter().map(public).collect() }
    }
}
