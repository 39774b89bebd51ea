//! The question whether an identity shall be added to an account, while it is open: somebody came back from a provider to
//! add it, or came for the first time and has the address of an account. Asking and answering is `identity.rs`.

use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use crate::domain::id::AccountId;
use crate::domain::identity::Vouched;
use crate::store::volatile::Shelf;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long it stays open.
const OPEN: Duration = Duration::from_mins(10);
const COLUMN: &str = "entry.identity";

/// How an account came to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Begun {
    /// Its owner, signed in, went to the source to add the identity.
    ByOwner,
    /// Somebody came from the source with its address.
    ByAddress,
}

/// An identity that waits for its owner's yes.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Who is asked.
    pub(super) account: AccountId,
    /// How that came about.
    pub(super) begun: Begun,
    /// Who it is.
    pub(super) arrival: Vouched,
    /// Where they wanted to go.
    #[serde(default)]
    pub(super) return_to: Option<String>,
}

/// Keeps a question. Returns its name, which is in the address of its page.
pub(super) async fn keep(
    core: &Core,
    ctx: &Context,
    (account, begun): (AccountId, Begun),
    arrival: Vouched,
    return_to: Option<String>,
) -> Result<String, Trouble> {
    let name = ctx.bytes::<32>();
    let plain = serde_json::to_vec(&Waiting { account, begun, arrival, return_to });
    let plain = plain.map_err(|_| Trouble::Sealing("an identity could not be written"))?;
    let sealed = core.seal_column(ctx, COLUMN, &plain)?;
    core.volatile.put(Shelf::Outcome, fingerprint(&name), sealed, ctx.now().after(OPEN), ctx.now()).await?;
    Ok(URL_SAFE_NO_PAD.encode(name))
}

/// The question of this name, if it is open and asks this account.
pub(super) async fn of(core: &Core, ctx: &Context, account: AccountId, name: &str) -> Result<Option<Waiting>, Trouble> {
    let Some(key) = key_of(name) else { return Ok(None) };
    let Some(sealed) = core.volatile.peek(Shelf::Outcome, &key, ctx.now()).await? else { return Ok(None) };
    // What waits there may be something else.
    let Ok(plain) = core.open_column(COLUMN, &sealed) else { return Ok(None) };
    let waiting = serde_json::from_slice::<Waiting>(&plain).ok();
    Ok(waiting.filter(|waiting| waiting.account == account))
}

/// Closes a question. False when it is closed already: of two answers to one question, one counts.
pub(super) async fn close(core: &Core, ctx: &Context, name: &str) -> Result<bool, Trouble> {
    let Some(key) = key_of(name) else { return Ok(false) };
    Ok(core.volatile.take(Shelf::Outcome, &key, ctx.now()).await?.is_some())
}

fn key_of(name: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(name).ok().filter(|bytes| bytes.len() == 32).map(|bytes| fingerprint(&bytes))
}
