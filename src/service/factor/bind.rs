//! Binding an authenticator: one row, and all that follows from it in the same transaction.

use super::backup::{self, BackupCode};
use super::{COLUMN, FactorError};
use crate::domain::audit::{Act, Event};
use crate::domain::authenticator::{Authenticator, AuthenticatorName, Kind, MOST};
use crate::domain::id::{AccountId, AuthenticatorId};
use crate::domain::session::CredentialEvent;
use crate::service::access_news::AccessNews;
use crate::service::context::Context;
use crate::service::core::Core;
use crate::service::outbox::{self, Order};
use crate::service::revocation::{self, Aftermath};
use crate::store::authenticator::Stored;
use crate::store::{StoreError, Tx, authenticator, backup_code};

/// What is bound.
pub(in crate::service) struct NewFactor<'a> {
    pub(in crate::service) kind: Kind,
    pub(in crate::service) name: &'a AuthenticatorName,
    pub(in crate::service) secret: &'a [u8],
    pub(in crate::service) last_step: Option<i64>,
    pub(in crate::service) credential: Option<[u8; 32]>,
}

/// What followed.
#[must_use = "sessions go on until the aftermath is finished"]
pub(in crate::service) struct Bound {
    pub(in crate::service) event: CredentialEvent,
    pub(in crate::service) codes: Vec<BackupCode>,
    pub(in crate::service) aftermath: Aftermath,
}

/// Binds it, makes backup codes where there are none, tells the person, ends what has to end.
pub(in crate::service) async fn bind_in(
    core: &Core,
    ctx: &Context,
    tx: &mut Tx,
    account: AccountId,
    new: NewFactor<'_>,
) -> Result<Bound, FactorError> {
    let present = authenticator::of_account(tx, account).await?;
    if present.len() >= MOST {
        return Err(FactorError::TooMany);
    }
    let id = AuthenticatorId::new(ctx.uuid());
    let about = Authenticator {
        id,
        account,
        kind: new.kind,
        name: new.name.as_str().to_owned(),
        preferred: present.is_empty(),
        last_step: new.last_step,
        created_at: ctx.now(),
        last_used_at: Some(ctx.now()),
    };
    let stored = Stored { about, sealed: core.seal_column(ctx, COLUMN, new.secret)? };
    match authenticator::insert(tx, &stored, new.credential.as_ref()).await {
        Err(StoreError::Conflict(_)) => return Err(FactorError::NotFound),
        other => other?,
    }
    let detail = serde_json::json!({ "authenticator": id, "kind": new.kind });
    ctx.record(tx, Event::about(Act::FactorAdded, account).with(detail)).await?;
    let news = AccessNews::Added { kind: new.kind, name: new.name.as_str().to_owned() };
    outbox::order(core, ctx, tx, Some(account), &Order::Factor { news, at: ctx.now() }).await?;
    let codes =
        if backup_code::left(tx, account).await? == 0 { backup::make_in(ctx, tx, account).await? } else { Vec::new() };
    let event = if present.is_empty() { CredentialEvent::FirstFactorAdded } else { CredentialEvent::FactorAdded };
    let aftermath = revocation::revoke(ctx, tx, account, event, None).await?;
    Ok(Bound { event, codes, aftermath })
}
