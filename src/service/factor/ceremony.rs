//! What a page with a question for a key carries: sealed, bound to whom it was made for, good for some minutes, and once.

use super::passkey::{PATIENCE, UNUSABLE};
use crate::domain::time::Timestamp;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::store::volatile::Shelf;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What is sealed in a page.
#[derive(Serialize, Deserialize)]
struct Ceremony<S> {
    until: Timestamp,
    state: S,
}

/// Seals a state for the page of whoever has this seat.
fn place(purpose: &str, seat: &[u8; 32]) -> String {
    format!("passkey.{purpose}.{}", URL_SAFE_NO_PAD.encode(seat))
}

pub(super) fn sealed<S: Serialize>(
    core: &Core,
    ctx: &Context,
    purpose: &str,
    seat: &[u8; 32],
    state: S,
) -> Result<String, Trouble> {
    let plain = serde_json::to_vec(&Ceremony { until: ctx.now().after(PATIENCE), state }).map_err(|_| UNUSABLE)?;
    Ok(URL_SAFE_NO_PAD.encode(core.seal_column(ctx, &place(purpose, seat), &plain)?))
}

/// Opens what a page brings back, once; `None` when it was made for somebody else, is too old, or came before.
pub(super) async fn opened<S: DeserializeOwned>(
    core: &Core,
    ctx: &Context,
    purpose: &str,
    seat: &[u8; 32],
    text: &str,
) -> Result<Option<S>, Trouble> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else { return Ok(None) };
    let Some(plain) = core.column_keys.open_bytes(&place(purpose, seat), &bytes) else { return Ok(None) };
    let Ok(found) = serde_json::from_slice::<Ceremony<S>>(&plain) else { return Ok(None) };
    let once = [b"passkey\0".as_slice(), &bytes].concat();
    let fresh = ctx.now() < found.until
        && core.volatile.put(Shelf::Replay, fingerprint(&once), Vec::new(), found.until, ctx.now()).await?;
    Ok(fresh.then_some(found.state))
}
