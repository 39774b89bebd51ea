//! A security key without a browser: it answers what a page asks, and also what no honest key or browser would answer.

use super::Answer;
use super::factors::between;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// The key, and what the browser beside it says.
pub(crate) struct SecurityKey {
    pair: EcdsaKeyPair,
    id: [u8; 32],
    owner: String,
    /// What it has counted to.
    pub(crate) counter: u32,
    /// The page that the browser says it shows.
    pub(crate) origin: String,
    /// Whom the key thinks it answers.
    pub(crate) relying_party: String,
    /// Whether it asked for a PIN, a finger or a face.
    pub(crate) verifies: bool,
}

impl SecurityKey {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let mut id = [0; 32];
        aws_lc_rs::rand::SecureRandom::fill(&random, &mut id).expect("randomness");
        Self {
            pair,
            id,
            owner: String::new(),
            counter: 1,
            origin: "http://localhost:8080".to_owned(),
            relying_party: "localhost".to_owned(),
            verifies: true,
        }
    }

    /// Makes a credential for what a page asks.
    pub(crate) fn creates(&mut self, page: &Answer) -> String {
        let options = asked(page);
        options["user"]["id"].as_str().expect("an owner").clone_into(&mut self.owner);
        let point = self.pair.public_key().as_ref();
        // COSE (RFC 9052): an EC2 key for ES256 on P-256.
        let mut public = vec![0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        public.extend_from_slice(&point[1..33]);
        public.extend_from_slice(&[0x22, 0x58, 0x20]);
        public.extend_from_slice(&point[33..65]);
        let mut data = self.data(ATTESTED);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&[0, 32]);
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&public);
        // CBOR (RFC 8949): {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("short"));
        object.extend_from_slice(&data);
        let client = self.client("webauthn.create", &options);
        self.credential(&json!({ "attestationObject": encoded(&object), "clientDataJSON": encoded(&client), "transports": ["usb"] }))
    }

    /// Answers what a page asks.
    pub(crate) fn answers(&mut self, page: &Answer) -> String {
        self.counter += 1;
        let client = self.client("webauthn.get", &asked(page));
        let data = self.data(0);
        let signed = [data.as_slice(), digest(&SHA256, &client).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).expect("signed");
        self.credential(&json!({
            "authenticatorData": encoded(&data),
            "clientDataJSON": encoded(&client),
            "signature": encoded(signature.as_ref()),
            "userHandle": self.owner,
        }))
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        let party = digest(&SHA256, self.relying_party.as_bytes());
        [party.as_ref(), [flags].as_slice(), &self.counter.to_be_bytes()].concat()
    }

    fn client(&self, what: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["challenge"];
        json!({ "type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn credential(&self, response: &Value) -> String {
        let id = encoded(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "extensions": {} }).to_string()
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the page asks a key.
fn asked(page: &Answer) -> Value {
    let text = between(&page.body, "data-options=\"", "\"");
    let text = text.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&").replace("&amp;", "&");
    serde_json::from_str::<Value>(&text).expect("options")["publicKey"].clone()
}
