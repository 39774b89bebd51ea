//! Checking what somebody shows as second factor. Each thing is taken once, atomically; the limiter is asked by the caller.

use super::passkey::{self, Reply};
use super::{COLUMN, backup, phone, totp};
use crate::domain::audit::{Act, Actor, Event};
use crate::domain::authenticator::{FactorWay, Kind};
use crate::domain::id::AccountId;
use crate::domain::session::Methods;
use crate::service::access_news::AccessNews;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::service::outbox::{self, Order};
use crate::store::volatile::Shelf;
use crate::store::{Tx, authenticator, backup_code};

/// What is shown.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// A code of an app.
    Totp(&'a str),
    /// A code that was sent to a phone.
    Phone(&'a str),
    /// A code from paper.
    Backup(&'a str),
    /// A key's answer.
    Passkey(Reply<'a>),
}

impl Given<'_> {
    /// Which way it is.
    #[must_use]
    pub const fn way(&self) -> FactorWay {
        match self {
            Self::Totp(_) => FactorWay::Totp,
            Self::Phone(_) => FactorWay::Phone,
            Self::Backup(_) => FactorWay::Backup,
            Self::Passkey(_) => FactorWay::Passkey,
        }
    }
}

/// What came of showing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Shown {
    /// It is right, and proves this.
    Right(Methods),
    /// It is wrong, or was used elsewhere.
    Wrong,
    /// It is right, and came before from this very seat: the same form sent twice.
    Before,
}

impl From<Option<Methods>> for Shown {
    fn from(proved: Option<Methods>) -> Self {
        proved.map_or(Self::Wrong, Self::Right)
    }
}

/// Takes what is shown by whoever has this seat, if it is right and was never taken before; says what it proves.
pub(in crate::service) async fn prove(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    seat: &[u8; 32],
    given: Given<'_>,
) -> Result<Shown, Trouble> {
    let proved = match given {
        Given::Totp(typed) => return with_app(core, ctx, account, seat, typed).await,
        Given::Phone(typed) => return phone::prove(core, ctx, account, seat, typed).await,
        Given::Passkey(reply) => passkey::prove(core, ctx, account, seat, reply).await?,
        Given::Backup(typed) => with_backup_code(core, ctx, account, typed).await?,
    };
    Ok(proved.into())
}

async fn with_app(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    seat: &[u8; 32],
    typed: &str,
) -> Result<Shown, Trouble> {
    let apps = {
        let mut link = core.database.read().await?;
        authenticator::of_account(&mut link, account).await?
    };
    let mut found = None;
    for one in apps.iter().filter(|one| one.about.kind == Kind::Totp) {
        let secret = crate::domain::secret::Secret::new(core.open_column(COLUMN, &one.sealed)?);
        if let Some(step) = totp::app(core, secret.expose())?.matches(typed, ctx.now()) {
            found = Some((one.about.id, step));
        }
    }
    let Some((id, step)) = found else { return Ok(Shown::Wrong) };
    let here = fingerprint(&[b"totp\0".as_slice(), seat, id.uuid().as_bytes(), &step.to_be_bytes()].concat());
    let until = ctx.now().after(super::CEREMONY);
    if !core.volatile.put(Shelf::Replay, here, Vec::new(), until, ctx.now()).await? {
        return Ok(Shown::Before);
    }
    let mut tx = core.database.begin().await?;
    if !authenticator::take_step(&mut tx, id, step, ctx.now()).await? {
        // Somebody else used it; whoever types it again here is told the same.
        core.volatile.take(Shelf::Replay, &here, ctx.now()).await?;
        return Ok(Shown::Wrong);
    }
    record(ctx, &mut tx, account, serde_json::json!({ "way": FactorWay::Totp, "authenticator": id })).await?;
    tx.commit().await?;
    Ok(Shown::Right(Methods::CODE))
}

async fn with_backup_code(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    typed: &str,
) -> Result<Option<Methods>, Trouble> {
    let Some(hash) = backup::hashed(account, typed) else { return Ok(None) };
    let mut tx = core.database.begin().await?;
    if !backup_code::take(&mut tx, account, &hash).await? {
        return Ok(None);
    }
    let left = backup_code::left(&mut tx, account).await?;
    let used = Event::about(Act::BackupCodeUsed, account).with(serde_json::json!({ "left": left }));
    by_owner(ctx, account).record(&mut tx, used).await?;
    let order = Order::Factor { news: AccessNews::BackupCodeUsed { left }, at: ctx.now() };
    outbox::order(core, ctx, &mut tx, Some(account), &order).await?;
    record(ctx, &mut tx, account, serde_json::json!({ "way": FactorWay::Backup })).await?;
    tx.commit().await?;
    Ok(Some(Methods::BACKUP))
}

async fn record(ctx: &Context, tx: &mut Tx, account: AccountId, detail: serde_json::Value) -> Result<(), Trouble> {
    Ok(by_owner(ctx, account).record(tx, Event::about(Act::FactorProved, account).with(detail)).await?)
}

/// Whoever shows a right factor after the first one is the account's owner.
pub(super) fn by_owner(ctx: &Context, account: AccountId) -> Context {
    ctx.clone().acting_as(Actor::Account(account))
}
