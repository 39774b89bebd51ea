//! The key ring's life: made at the first start, loaded, rotated, revoked. Sealing itself is in `service/key_ring.rs`.

use super::caller::Operator;
use super::context::Context;
use super::core::{Core, Trouble};
use super::key_ring::{SealingKey, Wrapping};
use super::signing::SigningKey;
use crate::connect::saml::{ServiceKey, certificate};
use crate::domain::audit::{Act, Event};
use crate::domain::notice::Notice;
use crate::domain::secret::Secret;
use crate::domain::time::{CLOCKS_DIFFER, Timestamp};
use crate::store::key::{self, StoredKey};
use crate::store::{Database, StoreError, Tx};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const COOKIES: &str = "cookies";
const COLUMNS: &str = "columns";
const TOKENS: &str = "tokens";
const SAML: &str = "saml";
/// From then on a new key seals and signs: by then every node has it, also one whose clock is [`CLOCKS_DIFFER`] behind.
const KNOWN_EVERYWHERE: Duration = CLOCKS_DIFFER.saturating_mul(2);
/// Made at the first start. Keys for SAML are made when they are first needed.
const PURPOSES: [&str; 3] = [COOKIES, COLUMNS, TOKENS];

/// Rotates, revokes and reloads keys.
#[derive(Clone)]
pub struct Keys {
    core: Arc<Core>,
    wrapping: Arc<Wrapping>,
}

/// Why the ring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// A key does not unwrap.
    #[error(
        "key {0} does not open with this root key: is secret_key (or data_dir/secret.key) the one this database was made with?"
    )]
    WrongRootKey(Uuid),
    /// No key has this identifier, or it was revoked before.
    #[error("there is no key {0} that could be revoked")]
    Unknown(Uuid),
    /// The key is the newest of its purpose.
    #[error("key {0} is the one in use: rotate first, then revoke it")]
    InUse(Uuid),
}

impl From<StoreError> for KeyError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

/// A key as the operator sees it.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// Its identifier.
    pub id: Uuid,
    /// `cookies`, `columns` or `tokens`.
    pub purpose: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops opening anything; `None` for the one in use.
    pub retires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl From<StoredKey> for KeyState {
    fn from(key: StoredKey) -> Self {
        let StoredKey { id, purpose, created_at, retires_at, revoked_at, wrapped: _ } = key;
        Self { id, purpose, created_at, retires_at, revoked_at }
    }
}

impl Keys {
    /// Keys of a core, unwrapped with the root key.
    #[must_use]
    pub const fn new(core: Arc<Core>, wrapping: Arc<Wrapping>) -> Self {
        Self { core, wrapping }
    }

    /// Makes the first keys where there are none. Safe to call from several processes at once.
    ///
    /// # Errors
    /// [`KeyError::Trouble`].
    pub async fn establish(&self, ctx: &Context) -> Result<(), KeyError> {
        let mut tx = self.core.database.begin().await.map_err(Trouble::from)?;
        let present = key::all(&mut tx).await?;
        for purpose in PURPOSES {
            if !present.iter().any(|key| key.purpose == purpose && key.revoked_at.is_none()) {
                self.make(ctx, &mut tx, purpose).await?;
            }
        }
        tx.commit().await?;
        self.reload(ctx.now()).await
    }

    /// Loads the ring as it stands: retired and revoked keys open nothing from now on.
    ///
    /// # Errors
    /// [`KeyError`]; the ring stays as it was.
    pub async fn reload(&self, now: Timestamp) -> Result<(), KeyError> {
        let usable = |key: &StoredKey| key.revoked_at.is_none() && key.retires_at.is_none_or(|at| now < at);
        let stored = load(&self.core.database).await?;
        let stored = in_order_of_use(stored.into_iter().filter(usable).collect(), now);
        let sealing = |purpose: &str| self.unwrapped(&stored, purpose, |id, key| SealingKey::new(id, key.expose()));
        let (cookies, columns) = (sealing(COOKIES)?, sealing(COLUMNS)?);
        let tokens = self.unwrapped(&stored, TOKENS, SigningKey::new)?;
        self.core.cookie_keys.replace(cookies);
        self.core.column_keys.replace(columns);
        self.core.signing_keys.replace(tokens);
        Ok(())
    }

    /// Makes a new key for every purpose; the ones before it go on opening for `keep`. For a minute they go on sealing too,
    /// so that no node meets what it cannot open.
    ///
    /// # Errors
    /// [`KeyError::Trouble`]; nothing has changed then.
    pub async fn rotate(&self, ctx: &Context, _by: Operator, keep: Duration) -> Result<Vec<KeyState>, KeyError> {
        let uses_saml = load(&self.core.database).await?.iter().any(|key| key.purpose == SAML);
        let for_saml = if uses_saml { Some(self.generate_for_saml(ctx).await?) } else { None };
        let mut tx = self.core.database.begin().await.map_err(Trouble::from)?;
        for purpose in PURPOSES {
            let new = self.make(ctx, &mut tx, purpose).await?;
            key::retire_others(&mut tx, &new, ctx.now().after(keep)).await?;
            let detail =
                serde_json::json!({ "key": new.id, "purpose": purpose, "others_retire_at": ctx.now().after(keep) });
            ctx.record(&mut tx, Event::of(Act::KeyRotated).with(detail)).await?;
        }
        if let Some(new) = for_saml {
            self.add_for_saml(ctx, &mut tx, &new, keep).await?;
        }
        tx.announce(Notice::Keys, ctx.now()).await?;
        tx.commit().await?;
        self.reload(ctx.now()).await?;
        self.list().await
    }

    /// Revokes a key at once: whatever it sealed or signed is worthless, and its material is destroyed.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], [`KeyError::InUse`]; nothing has changed then.
    pub async fn revoke(&self, ctx: &Context, _by: Operator, id: Uuid) -> Result<(), KeyError> {
        let mut tx = self.core.database.begin().await.map_err(Trouble::from)?;
        let keys = key::all(&mut tx).await?;
        let Some(purpose) = keys.iter().find(|key| key.id == id).map(|key| key.purpose.clone()) else {
            return Err(KeyError::Unknown(id));
        };
        let in_use =
            keys.iter().find(|key| key.purpose == purpose && key.revoked_at.is_none() && key.retires_at.is_none());
        if in_use.is_some_and(|key| key.id == id) {
            return Err(KeyError::InUse(id));
        }
        if !key::revoke(&mut tx, id, ctx.now()).await? {
            return Err(KeyError::Unknown(id));
        }
        let detail = serde_json::json!({ "key": id, "purpose": purpose });
        ctx.record(&mut tx, Event::of(Act::KeyRevoked).with(detail)).await?;
        tx.announce(Notice::Keys, ctx.now()).await?;
        tx.commit().await?;
        self.reload(ctx.now()).await
    }

    /// All keys, newest first.
    ///
    /// # Errors
    /// [`KeyError::Trouble`].
    pub async fn list(&self) -> Result<Vec<KeyState>, KeyError> {
        Ok(load(&self.core.database).await?.into_iter().map(KeyState::from).collect())
    }

    /// The keys for SAML that are in the ring, the newest first; made when there are none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn for_saml(&self, ctx: &Context) -> Result<Vec<ServiceKey>, KeyError> {
        let present = self.usable_for_saml(ctx.now()).await?;
        if !present.is_empty() {
            return Ok(present);
        }
        let new = self.generate_for_saml(ctx).await?;
        let mut tx = self.core.database.begin().await.map_err(Trouble::from)?;
        // Somebody else may have made one meanwhile.
        if !key::all(&mut tx).await?.iter().any(|key| key.purpose == SAML && key.revoked_at.is_none()) {
            self.add_for_saml(ctx, &mut tx, &new, Duration::ZERO).await?;
            tx.commit().await?;
        }
        self.usable_for_saml(ctx.now()).await
    }

    async fn usable_for_saml(&self, now: Timestamp) -> Result<Vec<ServiceKey>, KeyError> {
        let usable = |key: &StoredKey| key.revoked_at.is_none() && key.retires_at.is_none_or(|at| now < at);
        let stored: Vec<_> = load(&self.core.database).await?.into_iter().filter(usable).collect();
        self.unwrapped(&stored, SAML, |_, material| ServiceKey::from_bytes(material.expose()))
    }

    async fn generate_for_saml(&self, ctx: &Context) -> Result<ServiceKey, KeyError> {
        let name = self.core.policy.public_url.split_once("://").map_or("vestibule", |(_, host)| host).to_owned();
        let now = ctx.now();
        let made = tokio::task::spawn_blocking(move || certificate::generate(&name, now)).await;
        let made = made.ok().and_then(Result::ok);
        made.ok_or(KeyError::Trouble(Trouble::Sealing("a key for SAML could not be made")))
    }

    async fn add_for_saml(&self, ctx: &Context, tx: &mut Tx, new: &ServiceKey, keep: Duration) -> Result<(), KeyError> {
        const FAILED: Trouble = Trouble::Sealing("a key could not be kept");
        let id = ctx.uuid();
        let wrapped = self.wrapping.wrap(id, SAML, new.to_bytes().expose(), ctx.bytes()).ok_or(FAILED)?;
        let purpose = SAML.to_owned();
        let stored = StoredKey { id, purpose, wrapped, created_at: ctx.now(), retires_at: None, revoked_at: None };
        key::insert(tx, &stored).await?;
        let until = ctx.now().after(keep);
        key::retire_others(tx, &stored, until).await?;
        let detail = serde_json::json!({ "key": id, "purpose": SAML, "others_retire_at": until });
        ctx.record(tx, Event::of(Act::KeyRotated).with(detail)).await?;
        Ok(())
    }

    async fn make(&self, ctx: &Context, tx: &mut Tx, purpose: &'static str) -> Result<StoredKey, KeyError> {
        const FAILED: Trouble = Trouble::Sealing("a key could not be made");
        let id = ctx.uuid();
        let material = if purpose == TOKENS {
            SigningKey::generate().ok_or(FAILED)?
        } else {
            Secret::new(ctx.bytes::<32>().to_vec())
        };
        let wrapped = self.wrapping.wrap(id, purpose, material.expose(), ctx.bytes()).ok_or(FAILED)?;
        let purpose = purpose.to_owned();
        let stored = StoredKey { id, purpose, wrapped, created_at: ctx.now(), retires_at: None, revoked_at: None };
        key::insert(tx, &stored).await?;
        Ok(stored)
    }

    fn unwrapped<K>(
        &self,
        stored: &[StoredKey],
        purpose: &str,
        make: impl Fn(Uuid, &Secret<Vec<u8>>) -> Option<K>,
    ) -> Result<Vec<K>, KeyError> {
        let of_purpose = stored.iter().filter(|key| key.purpose == purpose);
        of_purpose
            .map(|key| {
                let material = self.wrapping.unwrap(key.id, purpose, &key.wrapped);
                material.and_then(|material| make(key.id, &material)).ok_or(KeyError::WrongRootKey(key.id))
            })
            .collect()
    }
}

/// Of each purpose the key first that seals: the newest that every node knows; where there is none, the oldest.
fn in_order_of_use(stored: Vec<StoredKey>, now: Timestamp) -> Vec<StoredKey> {
    let is_known = |key: &StoredKey| now >= key.created_at.after(KNOWN_EVERYWHERE);
    let (mut keys, too_new): (Vec<_>, Vec<_>) = stored.into_iter().partition(is_known);
    keys.extend(too_new.into_iter().rev());
    keys
}

async fn load(database: &Database) -> Result<Vec<StoredKey>, KeyError> {
    let mut link = database.read().await?;
    Ok(key::all(&mut link).await?)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
