//! Ending sessions because the provider that vouched for them says so, or does not stand by them any more. Who decides that
//! is `sign_out/` and `revalidation.rs`.

use super::context::Context;
use super::core::{Core, Trouble};
use crate::domain::audit::{Act, Event};
use crate::domain::id::{AccountId, SessionId};
use crate::store::provider_session::{self, Vouching};
use crate::store::{autologin, remembered_device};
use std::collections::BTreeMap;

/// Ends sessions, with the browsers that would bring them back, and with the devices of their accounts that are spared the
/// second factor: whoever comes next in their browser proves everything anew. One transaction for each account; if
/// anything fails, the account's sessions go on, and the whole can be repeated.
pub(super) async fn end(
    core: &Core,
    ctx: &Context,
    rows: Vec<Vouching>,
    act: Act,
    why: &serde_json::Value,
) -> Result<u64, Trouble> {
    let mut accounts: BTreeMap<AccountId, Vec<Vouching>> = BTreeMap::new();
    for row in rows {
        accounts.entry(row.account).or_default().push(row);
    }
    let mut ended = 0;
    for (account, rows) in accounts {
        ended += end_of(core, ctx, account, &rows, act, why.clone()).await?;
    }
    core.metrics.sessions_ended(ended);
    Ok(ended)
}

async fn end_of(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    rows: &[Vouching],
    act: Act,
    mut why: serde_json::Value,
) -> Result<u64, Trouble> {
    let alive = core.volatile.sessions_of(account, ctx.now()).await?;
    let named = |id: SessionId| rows.iter().any(|row| row.session == id);
    let mut families: Vec<_> = rows.iter().filter_map(|row| row.remembered).collect();
    families.extend(alive.iter().filter(|one| named(one.id)).filter_map(|one| one.remembered));
    families.sort();
    families.dedup();
    let mut tx = core.database.begin_for(account).await?;
    for family in &families {
        autologin::forget(&mut tx, account, *family).await?;
    }
    remembered_device::forget_all(&mut tx, account).await?;
    for row in rows {
        provider_session::closed(&mut tx, row.session).await?;
    }
    if let Some(detail) = why.as_object_mut() {
        let sessions: Vec<_> = rows.iter().map(|row| row.session).collect();
        detail.insert("sessions".to_owned(), serde_json::json!(sessions));
    }
    ctx.record(&mut tx, Event::about(act, account).with(why)).await?;
    let mut ended = 0;
    for row in rows {
        ended += u64::from(core.volatile.end_session(account, row.session).await?);
    }
    for family in &families {
        ended += core.volatile.end_family(*family).await?;
    }
    tx.commit().await?;
    Ok(ended)
}
