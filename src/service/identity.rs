//! One's own identities: seeing them, adding one, taking one away. What providers vouch for at a sign-in is `resolve/`.

use super::access_news::AccessNews;
use super::caller::{SignedIn, SteppedUp};
use super::context::Context;
use super::core::{Core, PasswordLogin, Trouble};
use super::outbox::{self, Order};
use super::question::{self, Begun, Waiting};
use crate::domain::audit::{Act, Event};
use crate::domain::id::{AccountId, IdentityId};
use crate::domain::identity::{Attributes, Identity, Source, SourceKind, Vouched};
use crate::domain::notice::Notice;
use crate::domain::resolve::Refusal;
use crate::store::volatile::Unavailable;
use crate::store::{Link, StoreError, Tx, account, directory_attribute, group, identity, password as passwords};
use std::sync::Arc;

/// One's own identities over a core.
#[derive(Clone)]
pub struct Identities {
    core: Arc<Core>,
}

/// What a person sees of their identities.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What there is.
    pub identities: Vec<Listed>,
    /// Providers that can be added: slug and name.
    pub addable: Vec<(String, String)>,
}

/// One identity in the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The identity.
    pub identity: Identity,
    /// The name of its source; `None` when it is not in use any more.
    pub name: Option<String>,
    /// Another way in is left without it.
    pub removable: bool,
}

/// The question whether an identity shall be added.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The name of the source.
    pub source: String,
    /// It is a directory: from then on its password is the only one that counts.
    pub directory: bool,
    /// What the source says about the person.
    pub attributes: Attributes,
    /// Who it is there.
    pub subject: String,
    /// Where they want to go afterwards.
    pub return_to: Option<String>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No such identity, or somebody else's; or the question is not open any more.
    #[error("no such identity")]
    NotFound,
    /// It is the last way in.
    #[error("this is the last way in")]
    LastWayIn,
    /// The identity of this source cannot be added.
    #[error("{0}")]
    Refused(Refusal, Source),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for IdentityError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Unavailable> for IdentityError {
    fn from(error: Unavailable) -> Self {
        Self::Trouble(error.into())
    }
}

impl Identities {
    /// Identities over a core.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// What the person's identities are.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn overview(&self, owner: &SignedIn) -> Result<Overview, Trouble> {
        let sources = &self.core.policy.sources;
        let mut link = self.core.database.read().await?;
        let identities = identity::of_account(&mut link, owner.account()).await?;
        let has_password = passwords::of(&mut link, owner.account()).await?.is_some();
        let linked = |source: &Source| identities.iter().any(|one| one.source == *source);
        let mut addable: Vec<_> = sources
            .iter()
            .filter(|(source, _)| source.kind() == SourceKind::Provider && !linked(source))
            .map(|(source, rules)| (source.slug().to_owned(), rules.name.clone()))
            .collect();
        addable.sort();
        let listed = |one: &Identity| Listed {
            name: sources.get(&one.source).map(|rules| rules.name.clone()),
            removable: self.leaves_a_way_in(&identities, one.id, has_password),
            identity: one.clone(),
        };
        Ok(Overview { addable, identities: identities.iter().map(listed).collect() })
    }

    /// Keeps an identity that a provider vouched for until its owner says whether it shall be added. Returns the name of the
    /// question.
    ///
    /// # Errors
    /// [`IdentityError::Refused`] when it belongs to somebody already.
    pub async fn ask(&self, ctx: &Context, owner: &SignedIn, arrival: Vouched) -> Result<String, IdentityError> {
        let account = owner.account();
        let mut link = self.core.database.read().await?;
        addable(&mut link, account, &arrival).await?;
        drop(link);
        Ok(question::keep(&self.core, ctx, (account, Begun::ByOwner), arrival, None).await?)
    }

    /// The question of this name; it stays open.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when there is none, or it is not for this account; [`IdentityError::Refused`] when a yes
    /// would be in vain.
    pub async fn offer(&self, ctx: &Context, owner: &SignedIn, name: &str) -> Result<Offer, IdentityError> {
        let waiting = question::of(&self.core, ctx, owner.account(), name).await?.ok_or(IdentityError::NotFound)?;
        let rules = self.core.policy.sources.get(&waiting.arrival.source).ok_or(IdentityError::NotFound)?;
        let mut link = self.core.database.read().await?;
        linkable(&mut link, &waiting).await?;
        Ok(Offer {
            source: rules.name.clone(),
            directory: waiting.arrival.source.kind() == SourceKind::Directory,
            attributes: waiting.arrival.attributes,
            subject: waiting.arrival.subject,
            return_to: waiting.return_to,
        })
    }

    /// Adds the identity that was asked about; its owner is told by mail. Returns where they wanted to go, if they were on
    /// their way in.
    ///
    /// # Errors
    /// [`IdentityError`]; nothing has changed then. What is in the way is audited.
    pub async fn add(&self, ctx: &Context, owner: &SteppedUp, name: &str) -> Result<Option<String>, IdentityError> {
        let account = owner.account();
        let waiting = question::of(&self.core, ctx, account, name).await?.ok_or(IdentityError::NotFound)?;
        let rules = self.core.policy.sources.get(&waiting.arrival.source).ok_or(IdentityError::NotFound)?;
        if !question::close(&self.core, ctx, name).await? {
            return Err(IdentityError::NotFound);
        }
        let Vouched { source, issuer, subject, .. } = &waiting.arrival;
        let mut tx = self.core.database.begin().await?;
        if let Err(error) = linkable(&mut tx, &waiting).await {
            if let IdentityError::Refused(refusal, source) = &error {
                let detail = serde_json::json!({ "reason": refusal.code(), "source": source });
                ctx.record(&mut tx, Event::about(Act::IdentityRefused, account).with(detail)).await?;
                tx.commit().await?;
            }
            return Err(error);
        }
        let new = Identity {
            id: IdentityId::new(ctx.uuid()),
            account,
            source: source.clone(),
            issuer: issuer.clone(),
            subject: subject.clone(),
            leads: false,
            created_at: ctx.now(),
            last_used_at: None,
        };
        identity::insert(&mut tx, &new).await?;
        let detail = serde_json::json!({ "identity": new.id, "source": source, "how": "added" });
        ctx.record(&mut tx, Event::about(Act::IdentityLinked, account).with(detail)).await?;
        let news = AccessNews::identity_added(source, &rules.name);
        self.tell(ctx, &mut tx, account, news).await?;
        tx.announce(Notice::Account(account), ctx.now()).await?;
        tx.commit().await?;
        Ok(waiting.return_to)
    }

    /// Takes an identity away; its owner is told by mail. Sessions that were opened with it go on.
    ///
    /// # Errors
    /// [`IdentityError`]; nothing has changed then.
    pub async fn remove(&self, ctx: &Context, owner: &SteppedUp, id: IdentityId) -> Result<(), IdentityError> {
        let account = owner.account();
        let mut tx = self.core.database.begin().await?;
        let identities = identity::of_account(&mut tx, account).await?;
        let gone = identities.iter().find(|one| one.id == id).ok_or(IdentityError::NotFound)?;
        let has_password = passwords::of(&mut tx, account).await?.is_some();
        if !self.leaves_a_way_in(&identities, id, has_password) {
            return Err(IdentityError::LastWayIn);
        }
        identity::remove(&mut tx, account, id).await?;
        // What the source gave ends with it.
        group::forget_source(&mut tx, account, gone.source.key()).await?;
        directory_attribute::clear(&mut tx, &gone.source, account).await?;
        let detail = serde_json::json!({ "identity": id, "source": gone.source });
        ctx.record(&mut tx, Event::about(Act::IdentityUnlinked, account).with(detail)).await?;
        let known = self.core.policy.sources.get(&gone.source);
        let source = known.map_or_else(|| gone.source.slug().to_owned(), |rules| rules.name.clone());
        self.tell(ctx, &mut tx, account, AccessNews::IdentityRemoved { source }).await?;
        tx.announce(Notice::Account(account), ctx.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn tell(&self, ctx: &Context, tx: &mut Tx, whom: AccountId, news: AccessNews) -> Result<(), Trouble> {
        outbox::order(&self.core, ctx, tx, Some(whom), &Order::Factor { news, at: ctx.now() }).await
    }

    /// Whether the account can be entered once this identity is gone: by another one in use, or by a password that counts.
    fn leaves_a_way_in(&self, identities: &[Identity], gone: IdentityId, has_password: bool) -> bool {
        let mut others = identities.iter().filter(|one| one.id != gone);
        let in_use = |one: &Identity| self.core.policy.sources.contains_key(&one.source);
        let password_counts = match self.core.policy.password_login {
            PasswordLogin::All => true,
            PasswordLogin::ExceptSso { .. } => others.clone().all(|one| one.source.kind() != SourceKind::Provider),
            PasswordLogin::Nobody { .. } => false,
        };
        others.any(in_use) || (has_password && password_counts)
    }
}

/// Whether a yes links what waits: it can be added, and no address alone brings it to an administrator's account (whoever
/// has become one since the question was put is one).
async fn linkable(link: &mut Link, waiting: &Waiting) -> Result<(), IdentityError> {
    if waiting.begun == Begun::ByAddress {
        let owner = account::by_id(link, waiting.account).await?;
        if owner.is_none_or(|owner| owner.administrator) {
            return Err(IdentityError::Refused(Refusal::Administrator, waiting.arrival.source.clone()));
        }
    }
    addable(link, waiting.account, &waiting.arrival).await
}

/// Whether an identity can be added to an account.
async fn addable(link: &mut Link, account: AccountId, arrival: &Vouched) -> Result<(), IdentityError> {
    let Vouched { source, issuer, subject, .. } = arrival;
    let refused = |refusal| Err(IdentityError::Refused(refusal, source.clone()));
    if let Some(known) = identity::by_subject(link, source, issuer, subject).await? {
        return refused(if known.account == account { Refusal::OtherIdentity } else { Refusal::LinkedElsewhere });
    }
    if identity::of_account(link, account).await?.iter().any(|one| one.source == *source) {
        return refused(Refusal::OtherIdentity);
    }
    Ok(())
}
