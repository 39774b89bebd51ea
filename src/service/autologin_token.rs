//! The content of the autologin cookie: which family, and its present token.

use crate::domain::id::RememberedId;
use crate::domain::secret::Secret;
use uuid::Uuid;

/// A remembered browser's token as the sealed cookie carries it.
#[derive(Clone, Debug)]
pub struct AutologinToken {
    /// The family.
    pub id: RememberedId,
    /// The one-time part: 32 random bytes.
    pub secret: Secret<[u8; 32]>,
}

impl AutologinToken {
    /// The bytes to seal: 16 of the family, 32 of the token.
    #[must_use]
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        Secret::new([self.id.uuid().as_bytes().as_slice(), self.secret.expose()].concat())
    }

    /// Reads opened bytes; `None` when they are no token.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, secret) = bytes.split_first_chunk::<16>()?;
        Some(Self { id: RememberedId::new(Uuid::from_bytes(*id)), secret: Secret::new(secret.try_into().ok()?) })
    }
}
