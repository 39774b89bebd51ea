//! Pictures of people: setting, removing, showing. How a file becomes one is `picture.rs`.

use super::caller::{AppClient, SignedIn};
use super::context::Context;
use super::core::{Core, Trouble};
use super::picture::{self, Unusable};
use crate::domain::audit::{Act, Event};
use crate::domain::face::PictureKey;
use crate::domain::notice::Notice;
use crate::store::{StoreError, avatar};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Pictures over a core.
#[derive(Clone)]
pub struct Avatars {
    core: Arc<Core>,
    /// One file is decoded at a time, for each takes up to a quarter of a gigabyte.
    bench: Arc<Semaphore>,
}

/// Who asks for somebody's picture by its key: the key alone opens nothing.
pub enum Viewer<'a> {
    /// Somebody signed in.
    Person(&'a SignedIn),
    /// A main app.
    Application(&'a AppClient),
}

/// Why a picture was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AvatarError {
    /// The file cannot be one.
    #[error("the file {0}")]
    Unusable(#[from] Unusable),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for AvatarError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Avatars {
    /// Pictures over a core.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { core, bench: Arc::new(Semaphore::new(1)) }
    }

    /// Makes a file one's own picture, under a new key. The picture before is gone with it.
    ///
    /// # Errors
    /// [`AvatarError::Unusable`]; nothing has changed then.
    pub async fn set(&self, ctx: &Context, owner: &SignedIn, file: Bytes) -> Result<(), AvatarError> {
        let jpeg = self.squared(file).await?;
        let Some(key) = PictureKey::parse(&URL_SAFE_NO_PAD.encode(ctx.bytes::<16>())) else {
            return Err(Trouble::Sealing("a key for a picture could not be made").into());
        };
        let id = owner.account();
        let mut tx = self.core.database.begin().await?;
        avatar::set(&mut tx, id, &key, &jpeg, ctx.now()).await?;
        ctx.record(&mut tx, Event::about(Act::PictureSet, id)).await?;
        tx.announce(Notice::Account(id), ctx.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Off the threads that answer requests. A decoder that panics has met a file that is damaged.
    async fn squared(&self, file: Bytes) -> Result<Vec<u8>, Unusable> {
        let place = Arc::clone(&self.bench).acquire_owned().await.map_err(|_| Unusable::Damaged)?;
        let work = tokio::task::spawn_blocking(move || {
            let done = picture::square(&file);
            drop(place);
            done
        });
        work.await.unwrap_or(Err(Unusable::Damaged))
    }

    /// Removes one's own picture; without one nothing happens.
    ///
    /// # Errors
    /// [`AvatarError::Trouble`].
    pub async fn remove(&self, ctx: &Context, owner: &SignedIn) -> Result<(), AvatarError> {
        let id = owner.account();
        let mut tx = self.core.database.begin().await?;
        if !avatar::remove(&mut tx, id).await? {
            return Ok(());
        }
        ctx.record(&mut tx, Event::about(Act::PictureRemoved, id)).await?;
        tx.announce(Notice::Account(id), ctx.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One's own picture, a JPEG.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn own(&self, owner: &SignedIn) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(key) = &owner.card().account.picture else { return Ok(None) };
        let mut link = self.core.database.read().await?;
        Ok(avatar::by_key(&mut link, key).await?)
    }

    /// The picture of this key, a JPEG; `None` when there is none, or no more.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn by_key(&self, _for: &Viewer<'_>, key: &PictureKey) -> Result<Option<Vec<u8>>, Trouble> {
        let mut link = self.core.database.read().await?;
        Ok(avatar::by_key(&mut link, key).await?)
    }
}
