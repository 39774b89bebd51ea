//! Devices that are spared the second factor for a while: a rotating token in a cookie of its own, whose hash is stored.
//! The same rules as for browsers that sign in by themselves (`domain/autologin.rs`).

use crate::domain::audit::{Act, Event};
use crate::domain::autologin::{Presented, Remembered};
use crate::domain::id::{AccountId, RememberedId};
use crate::domain::secret::Secret;
use crate::domain::sign_in::Device;
use crate::domain::time::days;
use crate::service::autologin_token::AutologinToken;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::store::autologin::Rotation;
use crate::store::{Tx, remembered_device};

/// Judges the token of a browser for an account. One of another account says nothing; one that was used before ends what
/// it belongs to.
pub(in crate::service) async fn judge(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    token: &AutologinToken,
) -> Result<Option<Device>, Trouble> {
    if core.policy.factor.remember_days == 0 {
        return Ok(None);
    }
    let found = {
        let mut link = core.database.read().await?;
        remembered_device::by_id(&mut link, token.id).await?
    };
    let Some(one) = found.filter(|one| one.account == account) else { return Ok(None) };
    let hash = fingerprint(token.secret.expose());
    let same_browser = one.device == ctx.origin.device && one.network == ctx.origin.network();
    match one.judge(&hash, same_browser, ctx.now(), core.database.clocks_differ()) {
        Presented::Current | Presented::SecondTab => Ok(Some(Device { id: one.id, token: hash })),
        Presented::Expired => Ok(None),
        Presented::Replayed => {
            let mut tx = core.database.begin().await?;
            if remembered_device::forget(&mut tx, account, one.id).await? {
                let detail = serde_json::json!({ "device": one.id });
                ctx.record(&mut tx, Event::about(Act::DeviceReplayed, account).with(detail)).await?;
                tx.commit().await?;
            }
            Ok(None)
        }
    }
}

/// Issues the next token of a device whose session opens. `None` when it was issued to another tab already, or the device
/// was forgotten meanwhile.
pub(in crate::service) async fn rotate_in(
    ctx: &Context,
    tx: &mut Tx,
    device: &Device,
) -> Result<Option<AutologinToken>, Trouble> {
    let next = AutologinToken { id: device.id, secret: Secret::new(ctx.bytes()) };
    let (hash, network) = (fingerprint(next.secret.expose()), ctx.origin.network());
    let rotation = Rotation { token: &hash, at: ctx.now(), device: &ctx.origin.device, network: &network };
    Ok(remembered_device::rotate(tx, device.id, &device.token, &rotation).await?.then_some(next))
}

/// Spares this browser the factor from now on.
pub(in crate::service) async fn remember_in(
    core: &Core,
    ctx: &Context,
    tx: &mut Tx,
    account: AccountId,
) -> Result<AutologinToken, Trouble> {
    let token = AutologinToken { id: RememberedId::new(ctx.uuid()), secret: Secret::new(ctx.bytes()) };
    let now = ctx.now();
    let one = Remembered {
        id: token.id,
        account,
        current: fingerprint(token.secret.expose()),
        previous: None,
        rotated_at: now,
        authenticated_at: now,
        expires_at: now.after(days(core.policy.factor.remember_days)),
        created_at: now,
        device: ctx.origin.device.clone(),
        network: ctx.origin.network(),
    };
    remembered_device::insert(tx, &one).await?;
    let detail = serde_json::json!({ "device": one.id });
    ctx.record(tx, Event::about(Act::DeviceRemembered, account).with(detail)).await?;
    Ok(token)
}
