//! Who calls a use case, as a type. The constructors named `vouched` may be called from `web/extract` and `cli` only
//! (tests/architecture.rs): whoever holds one of these values has been checked.

use super::card::Card;
use crate::domain::id::{AccountId, SessionId};
use crate::domain::session::HandleHash;
use crate::store::volatile::LiveSession;
use std::sync::Arc;

/// A person with a live session.
#[derive(Clone)]
pub struct SignedIn {
    card: Arc<Card>,
    session: Arc<LiveSession>,
    handle: HandleHash,
}

impl SignedIn {
    /// Vouches that this session was found alive for this account in this request.
    #[must_use]
    pub const fn vouched(card: Arc<Card>, session: Arc<LiveSession>, handle: HandleHash) -> Self {
        Self { card, session, handle }
    }

    /// Whose session it is.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.card.account.id
    }

    /// The account, as cached.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &LiveSession {
        &self.session
    }

    /// The session's public name.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session.session.id
    }

    /// Hash of the session's handle.
    #[must_use]
    pub const fn handle(&self) -> &HandleHash {
        &self.handle
    }
}

/// A person with a live session who proved a short while ago who they are, with the second factor where they have one.
#[derive(Clone)]
pub struct SteppedUp(SignedIn);

impl SteppedUp {
    /// Vouches that the proof of this session was found fresh in this request.
    #[must_use]
    pub const fn vouched(who: SignedIn) -> Self {
        Self(who)
    }
}

impl std::ops::Deref for SteppedUp {
    type Target = SignedIn;
    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

/// An application that proved its secret.
#[derive(Clone, Debug)]
pub struct AppClient {
    slug: String,
}

impl AppClient {
    /// Vouches that this application's secret was shown in this request.
    #[must_use]
    pub const fn vouched(slug: String) -> Self {
        Self { slug }
    }

    /// Which application.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

/// The operator at the server's own command line: may do everything, and is named in the audit trail.
#[derive(Clone, Copy, Debug)]
pub struct Operator(());

impl Operator {
    /// Vouches that this is the command line.
    #[must_use]
    pub const fn vouched() -> Self {
        Self(())
    }
}
