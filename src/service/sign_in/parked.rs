//! Sign-ins that are still on their way when the provider ends the session that they came with: its word reaches them too.

use super::enter::opened;
use crate::domain::id::IdentityId;
use crate::domain::identity::Source;
use crate::domain::sign_in::{ATTEMPT_LIFETIME, Attempt, Voucher};
use crate::domain::time::Timestamp;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::store::identity;
use crate::store::provider_session::Meant;
use crate::store::volatile::Shelf;
use std::time::Duration;

/// How long a sign-in may be on its way: a browser comes back from the provider within the life of an attempt
/// (`departure.rs`), and what it owes then has as long again. From when on a provider's word counts is
/// [`crate::domain::identity::Upstream::since`].
const ON_ITS_WAY: Duration = ATTEMPT_LIFETIME.saturating_mul(2);

/// Notes that a provider ended sessions, for as long as a sign-in may be on its way.
pub(in crate::service) async fn provider_ended(
    core: &Core,
    ctx: &Context,
    source: &Source,
    meant: Meant<'_>,
) -> Result<(), Trouble> {
    let key = match meant {
        Meant::Session(session) | Meant::Both { session, .. } => by_session(source, session),
        Meant::Subject(subject) => by_subject(source, subject),
    };
    ended(core, ctx, key).await
}

/// Notes that a provider ended all sessions of a name, where people are not kept under that name.
pub(in crate::service) async fn name_ended(
    core: &Core,
    ctx: &Context,
    source: &Source,
    name: &str,
) -> Result<(), Trouble> {
    ended(core, ctx, by_name(source, name)).await
}

async fn ended(core: &Core, ctx: &Context, key: [u8; 32]) -> Result<(), Trouble> {
    let until = ctx.now().after(ON_ITS_WAY);
    let now = ctx.now().millis().to_be_bytes().to_vec();
    core.volatile.take(Shelf::Replay, &key, ctx.now()).await?;
    core.volatile.put(Shelf::Replay, key, now, until, ctx.now()).await?;
    Ok(())
}

/// Whether the provider has ended what the attempt came with, since the browser left for it.
pub(super) async fn is_ended(core: &Core, ctx: &Context, attempt: &Attempt) -> Result<bool, Trouble> {
    let Some(voucher) = &attempt.identity.voucher else { return Ok(false) };
    let began = voucher.at.unwrap_or(attempt.expires_at.before(ATTEMPT_LIFETIME));
    let mut keys = Vec::new();
    if let Some(session) = &voucher.upstream {
        keys.push(by_session(&voucher.source, session));
    }
    if let Some(subject) = subject(core, voucher.identity).await? {
        keys.push(by_subject(&voucher.source, &subject));
    }
    if let Some(name) = name(core, voucher) {
        keys.push(by_name(&voucher.source, &name));
    }
    for key in keys {
        let noted = core.volatile.peek(Shelf::Replay, &key, ctx.now()).await?;
        let at = noted.and_then(|noted| Some(i64::from_be_bytes(noted.try_into().ok()?)));
        if at.is_some_and(|at| Timestamp::from_millis(at) >= began) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn subject(core: &Core, id: IdentityId) -> Result<Option<String>, Trouble> {
    let mut link = core.database.read().await?;
    Ok(identity::subject_of(&mut link, id).await?)
}

/// The name that a SAML provider gave, in the form that its verifier writes.
fn name(core: &Core, voucher: &Voucher) -> Option<String> {
    let upstream = opened(core, voucher.sealed.as_deref()?).ok()?;
    let kept: serde_json::Value = serde_json::from_str(&upstream.name_id?).ok()?;
    Some(kept.get("value")?.as_str()?.to_owned())
}

fn by_name(source: &Source, name: &str) -> [u8; 32] {
    fingerprint(format!("provider ended name {source} {name}").as_bytes())
}

fn by_session(source: &Source, session: &str) -> [u8; 32] {
    fingerprint(format!("provider ended session {source} {session}").as_bytes())
}

fn by_subject(source: &Source, subject: &str) -> [u8; 32] {
    fingerprint(format!("provider ended subject {source} {subject}").as_bytes())
}
