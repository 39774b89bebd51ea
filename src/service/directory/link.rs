//! Links an account to a person in a directory by an administrator's word: the only way in which an account that is there
//! already, and whose address nobody compared, comes to be a directory's.

use super::{Connected, Directories, SyncError};
use crate::connect::ldap::{LdapError, Scope, Search, escaped};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Event};
use crate::domain::directory::Person;
use crate::domain::id::IdentityId;
use crate::domain::identity::{Identity, Source};
use crate::domain::notice::Notice;
use crate::domain::session::CredentialEvent;
use crate::service::caller::Operator;
use crate::service::context::Context;
use crate::service::core::Trouble;
use crate::service::outbox::{self, Order};
use crate::service::revocation;
use crate::store::{StoreError, directory_attribute, group, identity};

/// Why nothing was linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The directory is unknown, or did not answer.
    #[error(transparent)]
    Directory(#[from] SyncError),
    /// Nobody there has this name.
    #[error("nobody in the directory has the name {0:?}, or its filter does not let them in")]
    Nobody(String),
    /// Several there have this name.
    #[error("more than one entry of the directory has the name {0:?}")]
    Several(String),
    /// One side is linked already.
    #[error(
        "the account is linked to somebody in this directory already, or that person to an account; \
         `vestibule account unlink` takes a link away"
    )]
    Linked,
    /// Names and address follow another source, and two never fight over one profile.
    #[error("names and address of the account follow {0} already; link without --follow, or take that link away")]
    Led(Source),
    /// There is nothing to take away.
    #[error("the account is not linked to this directory")]
    NotLinked,
}

impl From<Trouble> for LinkError {
    fn from(trouble: Trouble) -> Self {
        Self::Directory(SyncError::Trouble(trouble))
    }
}

impl From<StoreError> for LinkError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::Linked,
            other => Self::Directory(SyncError::Trouble(Trouble::Store(other))),
        }
    }
}

/// What becomes of an account's names and address when it is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// They stay as they are here.
    Stay,
    /// They follow the entry from then on, as those of accounts that the directory brought.
    Follow,
}

impl Directories {
    /// Links an account to whoever has this name in a directory. From then on the directory checks its password.
    /// Returns where the entry is.
    ///
    /// # Errors
    /// [`LinkError`]; nothing is linked then.
    pub async fn link(
        &self,
        ctx: &Context,
        _by: Operator,
        account: &Account,
        (slug, user, names): (&str, &str, Names),
    ) -> Result<String, LinkError> {
        let connected = self.named(slug).ok_or_else(|| SyncError::Unknown(slug.to_owned()))?;
        let person = found(&connected, user, ctx).await?;
        let source = connected.source();
        let mut tx = self.core.database.begin().await?;
        let leads = names == Names::Follow;
        if leads && let Some(other) = identity::of_account(&mut tx, account.id).await?.into_iter().find(|one| one.leads)
        {
            return Err(if other.source == source { LinkError::Linked } else { LinkError::Led(other.source) });
        }
        let new = Identity {
            id: IdentityId::new(ctx.uuid()),
            account: account.id,
            issuer: source.slug().to_owned(),
            subject: person.subject.as_str().to_owned(),
            leads,
            created_at: ctx.now(),
            last_used_at: None,
            source,
        };
        identity::insert(&mut tx, &new).await?;
        let detail = serde_json::json!({ "identity": new.id, "source": new.source, "how": "operator" });
        ctx.record(&mut tx, Event::about(Act::IdentityLinked, account.id).with(detail)).await?;
        tx.commit().await?;
        Ok(person.dn)
    }
}

impl Directories {
    /// Takes the link between an account and a directory away, with what the directory gave; the directory no longer
    /// checks its password. Sessions end: whoever the entry stood for may be somebody else. Its owner is told by mail.
    /// A directory that is no longer in the configuration will do. Returns what became of names and address until then.
    ///
    /// # Errors
    /// [`LinkError::NotLinked`]; nothing has changed then.
    pub async fn unlink(
        &self,
        ctx: &Context,
        _by: Operator,
        account: &Account,
        slug: &str,
    ) -> Result<Names, LinkError> {
        let source = Source::directory(slug);
        let mut tx = self.core.database.begin().await?;
        let identities = identity::of_account(&mut tx, account.id).await?;
        let gone: Vec<_> = identities.iter().filter(|one| one.source == source).collect();
        if gone.is_empty() {
            return Err(LinkError::NotLinked);
        }
        let names = if gone.iter().any(|one| one.leads) { Names::Follow } else { Names::Stay };
        for one in gone {
            identity::remove(&mut tx, account.id, one.id).await?;
            let detail = serde_json::json!({ "identity": one.id, "source": source, "how": "operator" });
            ctx.record(&mut tx, Event::about(Act::IdentityUnlinked, account.id).with(detail)).await?;
        }
        group::forget_source(&mut tx, account.id, source.key()).await?;
        directory_attribute::clear(&mut tx, &source, account.id).await?;
        let order = Order::Unlinked { directory: self.name_of(slug), at: ctx.now() };
        outbox::order(&self.core, ctx, &mut tx, Some(account.id), &order).await?;
        let ends = revocation::revoke(ctx, &mut tx, account.id, CredentialEvent::PasswordSet, None).await?;
        tx.announce(Notice::Account(account.id), ctx.now()).await?;
        tx.commit().await?;
        ends.finish(&self.core).await;
        Ok(names)
    }

    /// As people read it.
    fn name_of(&self, slug: &str) -> String {
        let rules = self.core.policy.sources.get(&Source::directory(slug));
        rules.map(|rules| rules.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| slug.to_owned())
    }
}

async fn found(connected: &Connected, user: &str, ctx: &Context) -> Result<Person, LinkError> {
    let search = by_name(connected, user);
    let failed = |error: LdapError| SyncError::Directory { slug: connected.policy.slug.clone(), error };
    let found = connected.server.find(&search, 2).await.map_err(failed)?;
    match found.as_slice() {
        [] => Err(LinkError::Nobody(user.to_owned())),
        [one] => Ok(Person::of(&one.entry, &connected.policy.mapping, ctx.now().seconds())),
        _ => Err(LinkError::Several(user.to_owned())),
    }
}

/// Everybody whom the filter lets in and who signs in with this name. The name is escaped: whatever was typed is a value.
pub(in crate::service) fn by_name(connected: &Connected, user: &str) -> Search {
    let policy = &connected.policy;
    Search {
        base: policy.base.clone(),
        scope: Scope::Subtree,
        filter: format!("(&{}{})", policy.filter, names(&policy.mapping.username, user)),
        attributes: connected.wanted_attributes(),
    }
}

/// Whoever has this name in one of the attributes.
pub(super) fn names(attributes: &[String], user: &str) -> String {
    let user = escaped(user);
    let each: Vec<_> = attributes.iter().map(|attribute| format!("({attribute}={user})")).collect();
    format!("(|{})", each.concat())
}
