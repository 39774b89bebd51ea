//! Verifiers outside of this service end here: somebody is vouched for, and enters the corridor.

use super::open::counted;
use super::{Outcome, SignIn, SignInError, Wishes};
use crate::domain::audit::{Act, Event};
use crate::domain::id::IdentityId;
use crate::domain::identity::{SourceKind, Upstream, Vouched};
use crate::domain::sign_in::{VerifiedIdentity, Voucher, Way};
use crate::service::context::Context;
use crate::service::core::{Core, Trouble};
use crate::service::metrics::SignInOutcome;
use crate::service::question::{self, Begun};
use crate::service::resolve::{ResolveError, resolve};

/// The column that [`Upstream`] is sealed for.
const COLUMN: &str = "provider_session.sealed";

impl SignIn {
    /// Takes in somebody whom an identity provider or a directory vouches for: finds or makes the account, follows what
    /// the source says about it, and goes on to the session or the step owed.
    ///
    /// # Errors
    /// [`SignInError::Unresolved`] says what is in the way; it may be told, since the person has proved who they are.
    pub async fn enter(&self, ctx: &Context, arrival: Vouched, wishes: Wishes) -> Result<Outcome, SignInError> {
        let way = match arrival.source.kind() {
            SourceKind::Provider => Way::Provider,
            SourceKind::Directory => Way::Directory,
        };
        let resolved = match resolve(&self.core, ctx, &arrival, wishes.invitation.as_deref()).await {
            Ok(resolved) => resolved,
            Err(ResolveError::Trouble(trouble)) => {
                self.core.metrics.sign_in(counted(way), SignInOutcome::Failed);
                return Err(trouble.into());
            }
            Err(ResolveError::Refused(refusal)) => {
                self.core.metrics.sign_in(counted(way), SignInOutcome::Denied);
                self.refused(ctx, &arrival, refusal.code()).await?;
                return Err(SignInError::Unresolved(refusal));
            }
            Err(ResolveError::Ask(owner)) => {
                self.core.metrics.sign_in(counted(way), SignInOutcome::Denied);
                self.refused(ctx, &arrival, "link_first").await?;
                let question = question::keep(&self.core, ctx, (owner, Begun::ByAddress), arrival, wishes.return_to);
                let question = question.await?;
                return Err(SignInError::LinkFirst(question));
            }
        };
        ctx.note_account(resolved.account.id);
        let voucher = self.voucher(ctx, resolved.identity, &arrival)?;
        let identity = VerifiedIdentity {
            way,
            account: resolved.account.id,
            methods: arrival.methods,
            authenticated_at: arrival.authenticated_at,
            remembered: None,
            voucher: Some(voucher),
        };
        self.proceed(ctx, &resolved.account, identity, wishes).await
    }

    /// Who vouches for what opens now.
    pub(super) fn voucher(&self, ctx: &Context, identity: IdentityId, arrival: &Vouched) -> Result<Voucher, Trouble> {
        let upstream = arrival.upstream.as_ref();
        Ok(Voucher {
            identity,
            upstream: upstream.and_then(|upstream| upstream.session.clone()),
            sealed: upstream.map(|upstream| sealed(&self.core, ctx, upstream)).transpose()?,
            stated: upstream.map(|upstream| upstream.stated.clone()).unwrap_or_default(),
            at: Some(upstream.and_then(|upstream| upstream.since).unwrap_or(ctx.now())),
            carried: None,
            ends_at: upstream.and_then(|upstream| upstream.ends_at),
            source: arrival.source.clone(),
        })
    }

    async fn refused(&self, ctx: &Context, arrival: &Vouched, reason: &str) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin().await?;
        let detail = serde_json::json!({ "reason": reason, "source": arrival.source });
        ctx.record(&mut tx, Event { act: Act::SignInFailed, subject: None, detail }).await?;
        Ok(tx.commit().await?)
    }
}

/// Seals it, as it is kept with the session.
///
/// # Errors
/// [`Trouble::Sealing`] when there is no key.
pub(in crate::service) fn sealed(core: &Core, ctx: &Context, upstream: &Upstream) -> Result<Vec<u8>, Trouble> {
    let plain =
        serde_json::to_vec(upstream).map_err(|_| Trouble::Sealing("a provider's session could not be written"))?;
    core.seal_column(ctx, COLUMN, &plain)
}

/// Opens what [`Voucher::sealed`] holds, as it is kept with the session.
///
/// # Errors
/// [`Trouble::Sealing`] when no key opens it.
pub fn opened(core: &Core, sealed: &[u8]) -> Result<Upstream, Trouble> {
    let plain = core.open_column(COLUMN, sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Trouble::Sealing("a provider's session could not be read"))
}
