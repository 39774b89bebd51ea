//! What follows from a directory when somebody signs in with it, besides names and address: further attributes each time,
//! and groups the first time. Neither keeps anybody out when it cannot be done; the next synchronisation does it.

use super::Connected;
use crate::domain::audit::{Act, Event};
use crate::domain::directory::{Custom, Entry};
use crate::domain::identity::Vouched;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble};
use crate::store::{StoreError, directory_attribute, directory_group, identity};
use std::time::Duration;

/// How long somebody waits at most for their groups to be looked up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Names of the groups here that somebody new belongs to; `None` for who has been here before, or when nobody knows.
pub(in crate::service) async fn groups(
    core: &Core,
    (connected, entry): (&Connected, &Entry),
    arrival: &Vouched,
) -> Result<Option<Vec<String>>, StoreError> {
    let known = {
        let mut link = core.database.read().await?;
        identity::by_subject(&mut link, &arrival.source, &arrival.issuer, &arrival.subject).await?
    };
    if known.is_some_and(|known| known.last_used_at.is_some()) || connected.policy.groups.is_empty() {
        return Ok(None);
    }
    let username = arrival.attributes.username.as_deref().unwrap_or_default();
    let slug = connected.policy.slug.as_str();
    let found = match tokio::time::timeout(PATIENCE, connected.groups_of(entry, username)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::warn!(directory = slug, %error, "groups of somebody new are not known yet; a synchronisation adds them");
            return Ok(None);
        }
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            tracing::warn!(
                directory = slug,
                seconds,
                "groups of somebody new took too long; a synchronisation adds them"
            );
            return Ok(None);
        }
    };
    let mut link = core.database.read().await?;
    let mut names = Vec::with_capacity(found.len());
    for group in found {
        let followed = match &group.subject {
            Some(subject) => directory_group::group_of(&mut link, &arrival.source, subject).await?,
            None => None,
        };
        names.push(followed.unwrap_or(group.name));
    }
    Ok(Some(names))
}

/// Writes down what the entry says further, if that is something else than what is kept.
pub(in crate::service) async fn follow(
    core: &Core,
    ctx: &Context,
    (connected, entry): (&Connected, &Entry),
    (issuer, subject): (&str, &str),
) -> Result<(), Trouble> {
    let said = Custom::of(entry, &connected.policy.mapping.custom);
    let source = connected.source();
    let account = {
        let mut link = core.database.read().await?;
        let Some(known) = identity::by_subject(&mut link, &source, issuer, subject).await? else { return Ok(()) };
        if directory_attribute::of_one(&mut link, &source, known.account).await? == said {
            return Ok(());
        }
        known.account
    };
    let mut tx = core.database.begin_for(account).await?;
    directory_attribute::clear(&mut tx, &source, account).await?;
    directory_attribute::insert(&mut tx, &source, &[(account, &said)]).await?;
    let detail = serde_json::json!({ "source": source, "changed": ["attributes"] });
    ctx.record(&mut tx, Event::about(Act::IdentityRefreshed, account).with(detail)).await?;
    Ok(tx.commit().await?)
}
