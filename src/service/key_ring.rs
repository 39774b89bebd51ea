//! The key ring: seals cookies and columns, wraps keys under the root key. Rotation is in `service/keys.rs`.
//!
//! A sealed value is `key id (4) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM, bound to the name of the cookie or
//! column as associated data: a value moved to another name does not open.

use crate::domain::secret::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::{Arc, RwLock};
use uuid::Uuid;

const KEY_ID: usize = 4;
const TAG: usize = 16;
const HEAD: usize = KEY_ID + NONCE_LEN;

/// Sealed size of a 32-byte handle, in bytes and in base64 characters: the session cookie is always this long.
const SEALED_HANDLE: usize = HEAD + 32 + TAG;
const SEALED_HANDLE_TEXT: usize = (SEALED_HANDLE * 4).div_ceil(3);

/// Longest sealed value that is looked at, in characters; browsers keep no larger cookie (RFC 6265 §6.1).
const MAX_TEXT: usize = 4096;

/// A key that seals and opens.
pub struct SealingKey {
    short_id: [u8; KEY_ID],
    key: LessSafeKey,
}

impl SealingKey {
    /// From its identifier and 32 bytes; `None` for any other length.
    #[must_use]
    pub fn new(id: Uuid, material: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, material).ok()?);
        Some(Self { short_id: short_id(id), key })
    }

    fn seal(&self, name: &str, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let mut body = plain.to_vec();
        let aad = Aad::from(name.as_bytes());
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body).ok()?;
        let mut sealed = Vec::with_capacity(HEAD + body.len());
        sealed.extend_from_slice(&self.short_id);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Some(sealed)
    }

    fn open<'b>(&self, name: &str, nonce: [u8; NONCE_LEN], body: &'b mut [u8]) -> Option<&'b [u8]> {
        let aad = Aad::from(name.as_bytes());
        self.key.open_in_place(Nonce::assume_unique_for_key(nonce), aad, body).ok().map(|plain| &*plain)
    }
}

/// The last bytes of an identifier: random in a `UUIDv7`, so that two keys of one moment differ.
fn short_id(id: Uuid) -> [u8; KEY_ID] {
    let bytes = id.as_bytes();
    [bytes[12], bytes[13], bytes[14], bytes[15]]
}

/// Keys in use, newest first. The newest seals, all open. Swapped as a whole when the ring changes.
#[derive(Default)]
pub struct KeyRing {
    keys: RwLock<Arc<Vec<SealingKey>>>,
}

impl KeyRing {
    /// A ring of these keys, newest first.
    #[must_use]
    pub fn new(keys: Vec<SealingKey>) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)) }
    }

    /// Replaces the ring: keys that are not in the new one open nothing from now on.
    pub fn replace(&self, keys: Vec<SealingKey>) {
        if let Ok(mut slot) = self.keys.write() {
            *slot = Arc::new(keys);
        }
    }

    fn current(&self) -> Arc<Vec<SealingKey>> {
        // A poisoned lock still holds a whole ring: it is only ever replaced as one value.
        self.keys.read().map_or_else(|poisoned| Arc::clone(&poisoned.into_inner()), |keys| Arc::clone(&keys))
    }

    /// Seals bytes under a name with the newest key. `None` only when the ring is empty.
    #[must_use]
    pub fn seal_bytes(&self, name: &str, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        self.current().first()?.seal(name, plain, nonce)
    }

    /// Opens bytes sealed under this name; `None` for anything else.
    #[must_use]
    pub fn open_bytes(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (short, nonce, body) = split(sealed)?;
        let mut body = body.to_vec();
        let keys = self.current();
        let key = keys.iter().find(|key| key.short_id == short)?;
        key.open(name, nonce, &mut body).map(<[u8]>::to_vec)
    }

    /// Whether something was sealed with an older key than the one in use.
    #[must_use]
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        let keys = self.current();
        split(sealed).zip(keys.first()).is_some_and(|((short, ..), newest)| short != newest.short_id)
    }

    /// Seals a cookie's content to the text that goes into the cookie.
    #[must_use]
    pub fn seal(&self, cookie_name: &str, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Option<String> {
        self.seal_bytes(cookie_name, plain, nonce).map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a cookie's text; `None` for anything that we did not seal under this name with a key still in the ring.
    #[must_use]
    pub fn open(&self, cookie_name: &str, value: &str) -> Option<Vec<u8>> {
        if value.len() > MAX_TEXT {
            return None;
        }
        self.open_bytes(cookie_name, &URL_SAFE_NO_PAD.decode(value).ok()?)
    }

    /// Opens the text of a cookie that holds a 32-byte handle, without allocating: the hot path.
    #[must_use]
    pub fn open_handle(&self, cookie_name: &str, value: &[u8]) -> Option<[u8; 32]> {
        if value.len() != SEALED_HANDLE_TEXT {
            return None;
        }
        let mut buffer = [0_u8; SEALED_HANDLE];
        if URL_SAFE_NO_PAD.decode_slice(value, &mut buffer).ok()? != SEALED_HANDLE {
            return None;
        }
        let (short, nonce, _) = split(&buffer)?;
        let keys = self.keys.read().ok()?;
        let key = keys.iter().find(|key| key.short_id == short)?;
        let plain = key.open(cookie_name, nonce, buffer.get_mut(HEAD..)?)?;
        plain.try_into().ok()
    }
}

fn split(sealed: &[u8]) -> Option<([u8; KEY_ID], [u8; NONCE_LEN], &[u8])> {
    let (short, rest) = sealed.split_first_chunk::<KEY_ID>()?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
    (body.len() >= TAG).then_some((*short, *nonce, body))
}

/// Wraps keys for the database. Derived from the root key, which never touches the database.
pub struct Wrapping(LessSafeKey);

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Wrapping {
    /// Derives the wrapping key from the root key (HKDF-SHA-256, RFC 5869).
    #[must_use]
    pub fn derive(root: &[u8]) -> Option<Self> {
        let prk = Salt::new(HKDF_SHA256, b"vestibule").extract(root);
        let mut material = zeroize::Zeroizing::new([0_u8; 32]);
        prk.expand(&[b"key wrapping 1"], Length(32)).ok()?.fill(material.as_mut_slice()).ok()?;
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, material.as_slice()).ok()?)))
    }

    /// Wraps key material, bound to the key's identifier and purpose.
    #[must_use]
    pub fn wrap(&self, id: Uuid, purpose: &str, material: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let mut body = material.to_vec();
        let aad = Aad::from(bound(id, purpose));
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body).ok()?;
        let mut wrapped = nonce.to_vec();
        wrapped.append(&mut body);
        Some(wrapped)
    }

    /// Unwraps; `None` when the root key is another one, or the row was tampered with.
    #[must_use]
    pub fn unwrap(&self, id: Uuid, purpose: &str, wrapped: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, body) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let aad = Aad::from(bound(id, purpose));
        let plain = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body).ok()?;
        Some(Secret::new(plain.to_vec()))
    }
}

fn bound(id: Uuid, purpose: &str) -> Vec<u8> {
    [id.as_bytes().as_slice(), purpose.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SealingKey {
        SealingKey::new(Uuid::from_bytes([n; 16]), &[n; 32]).unwrap()
    }

    #[test]
    fn a_handle_comes_back_only_under_its_own_name_and_key() {
        let ring = KeyRing::new(vec![key(1)]);
        let sealed = ring.seal("session", &[7; 32], [9; 12]).unwrap();
        assert_eq!(sealed.len(), SEALED_HANDLE_TEXT);
        assert_eq!(ring.open_handle("session", sealed.as_bytes()), Some([7; 32]));
        assert_eq!(ring.open("session", &sealed), Some(vec![7; 32]));
        assert_eq!(ring.open_handle("autologin", sealed.as_bytes()), None);
        assert_eq!(KeyRing::new(vec![key(2)]).open_handle("session", sealed.as_bytes()), None);
    }

    #[test]
    fn the_newest_key_seals_and_older_ones_still_open() {
        let old = KeyRing::new(vec![key(1)]).seal("session", &[7; 32], [9; 12]).unwrap();
        let ring = KeyRing::new(vec![key(2), key(1)]);
        assert_eq!(ring.open_handle("session", old.as_bytes()), Some([7; 32]));
        let new = ring.seal("session", &[8; 32], [9; 12]).unwrap();
        ring.replace(vec![key(2)]);
        assert_eq!(ring.open_handle("session", old.as_bytes()), None, "a revoked key opens nothing");
        assert_eq!(ring.open_handle("session", new.as_bytes()), Some([8; 32]));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let ring = KeyRing::new(vec![key(1)]);
        let sealed = ring.seal_bytes("session", &[7; 32], [9; 12]).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bent = sealed.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ring.open_bytes("session", &bent), None, "bit {bit}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        let ring = KeyRing::new(vec![key(1)]);
        for text in ["", "=", "AAAA", "\u{e9}", &"A".repeat(86), &"A".repeat(5000)] {
            assert_eq!(ring.open("session", text), None);
            assert_eq!(ring.open_handle("session", text.as_bytes()), None);
        }
    }

    #[test]
    fn a_wrapped_key_opens_only_in_its_place() {
        let wrapping = Wrapping::derive(&[1; 32]).unwrap();
        let (id, other) = (Uuid::from_bytes([1; 16]), Uuid::from_bytes([2; 16]));
        let wrapped = wrapping.wrap(id, "seal", &[5; 32], [3; 12]).unwrap();
        assert_eq!(wrapping.unwrap(id, "seal", &wrapped).unwrap().expose(), &vec![5; 32]);
        assert!(wrapping.unwrap(other, "seal", &wrapped).is_none());
        assert!(wrapping.unwrap(id, "sign", &wrapped).is_none());
        assert!(Wrapping::derive(&[2; 32]).unwrap().unwrap(id, "seal", &wrapped).is_none());
    }
}
