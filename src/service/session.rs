//! Sessions: opening, looking up, listing, ending.

use super::caller::SignedIn;
use super::card::Card;
use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::revocation;
use crate::domain::audit::{Act, Event};
use crate::domain::autologin::Remembered;
use crate::domain::id::{AccountId, RememberedId, SessionId};
use crate::domain::identity::Source;
use crate::domain::secret::Secret;
use crate::domain::session::{CredentialEvent, Ends, HandleHash, Methods, Session};
use crate::domain::time::Timestamp;
use crate::store::volatile::LiveSession;
use crate::store::{autologin, provider_session, vouched_session};
use std::sync::Arc;

/// A session's secret handle: 32 random bytes. It goes into the sealed cookie and nowhere else.
pub type Handle = Secret<[u8; 32]>;

/// Sessions and their use cases.
#[derive(Clone)]
pub struct Sessions {
    core: Arc<Core>,
}

/// What a new session proves.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) account: AccountId,
    pub(super) methods: Methods,
    pub(super) authenticated_at: Timestamp,
    pub(super) remembered: Option<RememberedId>,
    pub(super) not_before: Timestamp,
    pub(super) source: Option<Source>,
    /// When whoever vouched stops vouching, where they said so: the session ends then at the latest.
    pub(super) ends_by: Option<Timestamp>,
}

/// A session that is alive, with the account that stands by it.
#[derive(Clone)]
pub struct Alive {
    /// The account.
    pub card: Arc<Card>,
    /// The session.
    pub session: Arc<LiveSession>,
}

/// What a person sees of their sessions.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Live sessions, the present one first.
    pub sessions: Vec<Session>,
    /// The present one.
    pub current: SessionId,
    /// Browsers that stay logged in.
    pub remembered: Vec<Remembered>,
}

/// Why nothing was ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// No such session, or somebody else's: the two look the same.
    #[error("no such session")]
    NotFound,
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<crate::store::StoreError> for EndError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<crate::store::volatile::Unavailable> for EndError {
    fn from(error: crate::store::volatile::Unavailable) -> Self {
        Self::Trouble(error.into())
    }
}

impl Sessions {
    /// Sessions over a core.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The session of a handle, when everything needed is in memory: never waits. `None` says nothing.
    #[must_use]
    pub fn hot(&self, handle: &HandleHash, now: Timestamp) -> Option<Alive> {
        let session = self.core.volatile.hot_session(handle)?;
        let card = self.core.cards.hot(session.session.account)?;
        self.judged(handle, session, card, now)
    }

    /// The session of a handle, if it is alive and its account stands by it.
    ///
    /// # Errors
    /// [`Trouble`] when a store does not answer: then nothing is known, and nobody is signed out.
    pub async fn find(&self, handle: &HandleHash, now: Timestamp) -> Result<Option<Alive>, Trouble> {
        let Some(session) = self.core.volatile.session(handle).await? else { return Ok(None) };
        let account = session.session.account;
        let card = match self.core.cards.hot(account).filter(|card| card.honours(&session.session, now)) {
            Some(card) => Some(card),
            // Another node may have let them in a moment ago: memory may say yes, a no is the database's.
            None => self.core.cards.read(account).await?,
        };
        Ok(card.and_then(|card| self.judged(handle, session, card, now)))
    }

    fn judged(&self, handle: &HandleHash, session: Arc<LiveSession>, card: Arc<Card>, now: Timestamp) -> Option<Alive> {
        if !session.alive(now, &self.core.policy.lifetimes) || !card.honours(&session.session, now) {
            return None;
        }
        self.core.volatile.touch(handle, &session, now);
        Some(Alive { card, session })
    }

    /// What the person's sessions are.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn overview(&self, ctx: &Context, owner: &SignedIn) -> Result<Overview, Trouble> {
        let mut sessions = self.core.volatile.sessions_of(owner.account(), ctx.now()).await?;
        sessions.retain(|session| owner.card().honours(session, ctx.now()));
        let current = owner.session_id();
        sessions.sort_by_key(|session| (session.id != current, -session.last_seen_at.millis()));
        let mut link = self.core.database.read().await?;
        let remembered = autologin::of_account(&mut link, owner.account(), ctx.now()).await?;
        Ok(Overview { sessions, current, remembered })
    }

    /// Ends one session of the person's own.
    ///
    /// # Errors
    /// [`EndError::NotFound`] when there is none of this name among theirs; nothing is changed then.
    pub async fn end(&self, ctx: &Context, owner: &SignedIn, id: SessionId) -> Result<(), EndError> {
        let account = owner.account();
        let sessions = self.core.volatile.sessions_of(account, ctx.now()).await?;
        let Some(session) = sessions.into_iter().find(|session| session.id == id) else {
            return Err(EndError::NotFound);
        };
        let mut tx = self.core.database.begin_for(account).await?;
        if let Some(family) = session.remembered {
            // Or the browser would be back with its next request.
            autologin::forget(&mut tx, account, family).await?;
        }
        let detail = serde_json::json!({ "sessions": [id] });
        ctx.record(&mut tx, Event::about(Act::SessionsEnded, account).with(detail)).await?;
        if !self.core.volatile.end_session(account, id).await? {
            return Err(EndError::NotFound);
        }
        tx.commit().await?;
        self.core.metrics.sessions_ended(1);
        Ok(())
    }

    /// Ends all sessions of the person but the present one, which gets a new handle, and forgets all browsers.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn end_others(&self, ctx: &Context, owner: &SignedIn) -> Result<Handle, Trouble> {
        let account = owner.account();
        let mut tx = self.core.database.begin_for(account).await?;
        let event = CredentialEvent::SignedOutEverywhere;
        let aftermath = revocation::revoke(ctx, &mut tx, account, event, None).await?;
        let detail = serde_json::json!({ "sessions": "others" });
        ctx.record(&mut tx, Event::about(Act::SessionsEnded, account).with(detail)).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        self.renew(ctx, owner, event).await
    }

    /// Forgets one remembered browser, and ends what it opened.
    ///
    /// # Errors
    /// [`EndError::NotFound`]; nothing is changed then.
    pub async fn forget_browser(&self, ctx: &Context, owner: &SignedIn, id: RememberedId) -> Result<(), EndError> {
        let mut tx = self.core.database.begin_for(owner.account()).await?;
        if !autologin::forget(&mut tx, owner.account(), id).await? {
            return Err(EndError::NotFound);
        }
        let detail = serde_json::json!({ "browser": id });
        ctx.record(&mut tx, Event::about(Act::BrowserForgotten, owner.account()).with(detail)).await?;
        if owner.session().session.remembered != Some(id) {
            let ended = self.core.volatile.end_family(id).await?;
            self.core.metrics.sessions_ended(ended);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Signs out: ends this session and forgets this browser; all sessions and browsers where the policy says so.
    ///
    /// # Errors
    /// [`Trouble`]; the person is still signed in then.
    pub async fn sign_out(&self, ctx: &Context, owner: &SignedIn) -> Result<(), Trouble> {
        let account = owner.account();
        let mut tx = self.core.database.begin_for(account).await?;
        let everywhere = self.core.policy.drop_all_on_logout;
        let aftermath = if everywhere {
            Some(revocation::revoke(ctx, &mut tx, account, CredentialEvent::SignedOutEverywhere, None).await?)
        } else {
            if let Some(family) = owner.session().session.remembered {
                autologin::forget(&mut tx, account, family).await?;
            }
            None
        };
        // Tokens of the provider are not kept longer than what they are for.
        provider_session::closed(&mut tx, owner.session_id()).await?;
        let detail = serde_json::json!({ "session": owner.session_id(), "everywhere": everywhere });
        ctx.record(&mut tx, Event::about(Act::SignedOut, account).with(detail)).await?;
        if let Some(family) = owner.session().session.remembered {
            self.core.volatile.end_family(family).await?;
        }
        self.core.volatile.end_handle(owner.handle()).await?;
        tx.commit().await?;
        self.core.metrics.sessions_ended(1);
        if let Some(aftermath) = aftermath {
            aftermath.finish(&self.core).await;
        }
        Ok(())
    }

    /// Gives the present session a new handle and name after an event that ended all others.
    ///
    /// # Errors
    /// [`Trouble`]; the person has to sign in again then.
    pub(super) async fn renew(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        after: CredentialEvent,
    ) -> Result<Handle, Trouble> {
        self.renew_with(ctx, owner, after, Methods::default()).await
    }

    /// The same for somebody who proved something more just now.
    pub(super) async fn renew_with(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        after: CredentialEvent,
        proved: Methods,
    ) -> Result<Handle, Trouble> {
        let old = &owner.session().session;
        let account = owner.account();
        let not_before = match self.core.cards.card(account).await? {
            Some(card) => card.account.sessions_valid_from,
            None => ctx.now(),
        };
        let proof = Proof {
            account,
            methods: old.methods.and(proved),
            authenticated_at: old.authenticated_at,
            remembered: old.remembered.filter(|_| after.revokes().remembered == Ends::Nothing),
            not_before,
            source: old.source.clone(),
            ends_by: None,
        };
        let (handle, hash, session) = self.prepared(ctx, proof);
        // A renewed session does not live longer than the one before it.
        let session = Session { ends_at: old.ends_at, ..session };
        let mut tx = self.core.database.begin().await?;
        vouched_session::renamed(&mut tx, old.id, session.id).await?;
        tx.commit().await?;
        self.core.volatile.open_session(hash, session).await?;
        self.core.volatile.end_handle(owner.handle()).await?;
        Ok(handle)
    }

    /// Opens a session, after making room as the policy says. The second value takes it back.
    pub(super) async fn open(&self, ctx: &Context, proof: Proof) -> Result<(Handle, HandleHash, SessionId), Trouble> {
        let policy = &self.core.policy;
        let volatile = &self.core.volatile;
        let account = proof.account;
        let (handle, hash, session) = self.prepared(ctx, proof);
        let id = session.id;
        volatile.open_session(hash, session).await?;
        if policy.drop_old_on_login {
            let ended = volatile.end_sessions(account, Some(id)).await?;
            self.core.metrics.sessions_ended(ended);
        } else if policy.max_sessions > 0 {
            let mut sessions = volatile.sessions_of(account, ctx.now()).await?;
            sessions.sort_by_key(|session| (session.id != id, -session.last_seen_at.millis()));
            for surplus in sessions.iter().skip(usize::try_from(policy.max_sessions).unwrap_or(usize::MAX)) {
                volatile.end_session(account, surplus.id).await?;
                self.core.metrics.sessions_ended(1);
            }
        }
        self.core.metrics.session_opened();
        Ok((handle, hash, id))
    }

    fn prepared(&self, ctx: &Context, proof: Proof) -> (Handle, HandleHash, Session) {
        let handle = Handle::new(ctx.bytes());
        let now = ctx.now();
        // Never before the account's own mark, or the session would be born dead (a frozen or skewed clock).
        let created_at = now.max(proof.not_before);
        let lasts = now.after(self.core.policy.lifetimes.absolute);
        let session = Session {
            id: SessionId::new(ctx.uuid()),
            account: proof.account,
            created_at,
            authenticated_at: proof.authenticated_at,
            ends_at: proof.ends_by.map_or(lasts, |end| end.min(lasts)),
            last_seen_at: now,
            methods: proof.methods,
            device: ctx.origin.device.as_str().into(),
            network: ctx.origin.network().into(),
            remembered: proof.remembered,
            source: proof.source,
        };
        let hash = fingerprint(handle.expose());
        (handle, hash, session)
    }
}
