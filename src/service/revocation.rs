//! Carries out the revocation matrix of `domain/session.rs`: what an event ends, durably and at once.

use super::context::Context;
use super::core::{Core, Trouble};
use crate::domain::id::{AccountId, SessionId};
use crate::domain::notice::Notice;
use crate::domain::session::{CredentialEvent, Ends};
use crate::store::{Tx, account, autologin, remembered_device, token};

/// What remains to be done in the volatile store once the transaction is committed.
#[must_use = "sessions go on until this is finished"]
pub(super) struct Aftermath {
    account: AccountId,
    sessions: Ends,
    keep: Option<SessionId>,
}

/// Writes the event's row of the matrix into the transaction. With the commit every session opened before is dead on
/// every node, whether or not the volatile store can be reached.
///
/// Not for [`CredentialEvent::SignedOut`] and [`CredentialEvent::AutologinTheft`], which end single families.
pub(super) async fn revoke(
    ctx: &Context,
    tx: &mut Tx,
    id: AccountId,
    event: CredentialEvent,
    keep: Option<SessionId>,
) -> Result<Aftermath, Trouble> {
    let row = event.revokes();
    let now = ctx.now();
    if matches!(row.sessions, Ends::All | Ends::Others) {
        account::end_sessions_before(tx, id, now).await?;
    }
    if matches!(row.remembered, Ends::All) {
        autologin::forget_all(tx, id).await?;
    }
    if row.devices {
        remembered_device::forget_all(tx, id).await?;
    }
    if row.links {
        token::void(tx, id, None).await?;
    }
    tx.announce(Notice::Account(id), now).await?;
    Ok(Aftermath { account: id, sessions: row.sessions, keep })
}

impl Aftermath {
    /// Clears the sessions out of the volatile store. They are dead already; a store that is away loses nothing but
    /// memory, so this does not fail the use case.
    pub(super) async fn finish(self, core: &Core) {
        if matches!(self.sessions, Ends::Nothing | Ends::This | Ends::Family) {
            return;
        }
        match core.volatile.end_sessions(self.account, self.keep).await {
            Ok(ended) => core.metrics.sessions_ended(ended),
            Err(error) => tracing::warn!(%error, "ended sessions stay in the store until they expire"),
        }
    }
}
