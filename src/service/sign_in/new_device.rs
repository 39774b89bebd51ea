//! Noticing a sign-in from a browser and network that the account was not seen with, and telling its person.

use super::SignIn;
use crate::domain::id::AccountId;
use crate::domain::sign_in::Way;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::service::outbox::{self, Order};
use crate::store::{Tx, account, known_device};

/// Bytes of the hash that are kept: enough that two never meet, and with the account in it of no use elsewhere.
const MARK_BYTES: usize = 16;

impl SignIn {
    /// Orders the letter, in the transaction of the sign-in and before it is noted with the account. The very first
    /// sign-in is nobody's news, and a remembered browser was told of when it was remembered.
    pub(super) async fn notice_device(
        &self,
        ctx: &Context,
        tx: &mut Tx,
        id: AccountId,
        way: Way,
    ) -> Result<(), Trouble> {
        if !self.core.policy.new_device_notice {
            return Ok(());
        }
        let (device, network) = (ctx.origin.device.clone(), ctx.origin.network());
        let mark = mark(id, &device, &network);
        let known = known_device::touch(tx, id, &mark, ctx.now()).await?;
        if known || matches!(way, Way::Autologin | Way::StepUp) {
            return Ok(());
        }
        known_device::insert(tx, id, &mark, ctx.now()).await?;
        let signed_in_before = account::by_id(tx, id).await?.is_some_and(|one| one.last_sign_in_at.is_some());
        if !signed_in_before {
            return Ok(());
        }
        let order = Order::NewDevice { device, network, at: ctx.now() };
        outbox::order(&self.core, ctx, tx, Some(id), &order).await
    }
}

fn mark(account: AccountId, device: &str, network: &str) -> Vec<u8> {
    let uuid = account.uuid();
    // Neither of the two texts holds a zero byte.
    let whole = [b"known-device\0".as_slice(), uuid.as_bytes(), device.as_bytes(), b"\0", network.as_bytes()].concat();
    fingerprint(&whole).into_iter().take(MARK_BYTES).collect()
}
