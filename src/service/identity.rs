//! One's own identities: seeing them, adding one, taking one away. What providers vouch for at a sign-in is `resolve/`.

use super::caller::SignedIn;
use super::context::Context;
use super::core::{Core, PasswordLogin, Trouble, fingerprint};
use super::password::{ChangeError, Passwords};
use crate::domain::audit::{Act, Event};
use crate::domain::id::{AccountId, IdentityId};
use crate::domain::identity::{Attributes, Identity, Source, SourceKind, Vouched};
use crate::domain::notice::Notice;
use crate::domain::password::PlainPassword;
use crate::domain::resolve::Refusal;
use crate::store::volatile::{Shelf, Unavailable};
use crate::store::{Link, StoreError, directory_attribute, group, identity, password as passwords};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long ago somebody may have proved who they are to change ways in without proving it again.
const FRESH: Duration = Duration::from_mins(10);
/// How long the question whether to add an identity stays open.
const OPEN: Duration = Duration::from_mins(10);
const COLUMN: &str = "entry.identity";

/// One's own identities over a core.
#[derive(Clone)]
pub struct Identities {
    core: Arc<Core>,
    passwords: Passwords,
}

/// What a person sees of their identities.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What there is.
    pub identities: Vec<Listed>,
    /// Whether the person has to give the password for a change.
    pub password_needed: bool,
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
    /// What the source says about the person.
    pub attributes: Attributes,
    /// Who it is there.
    pub subject: String,
    /// Whether the person has to give the password.
    pub password_needed: bool,
    /// Whether the person has to prove anew who they are, and has no password to do it with.
    pub proof_needed: bool,
}

/// An identity that waits for its owner's yes.
#[derive(Serialize, Deserialize)]
struct Waiting {
    account: AccountId,
    arrival: Vouched,
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
    /// The proof of who they are is too old, and there is no password to renew it with.
    #[error("sign in again first")]
    FreshProofNeeded,
    /// The password is wrong, or was tried too often.
    #[error(transparent)]
    Password(#[from] ChangeError),
    /// The identity cannot be added.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
    pub fn new(core: Arc<Core>) -> Self {
        Self { passwords: Passwords::new(Arc::clone(&core)), core }
    }

    /// What the person's identities are.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn overview(&self, ctx: &Context, owner: &SignedIn) -> Result<Overview, Trouble> {
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
        Ok(Overview {
            password_needed: has_password && !is_fresh(ctx, owner),
            addable,
            identities: identities.iter().map(listed).collect(),
        })
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
        let name = ctx.bytes::<32>();
        let plain = serde_json::to_vec(&Waiting { account, arrival });
        let plain = plain.map_err(|_| Trouble::Sealing("an identity could not be written"))?;
        let sealed = self.core.seal_column(ctx, COLUMN, &plain)?;
        let until = ctx.now().after(OPEN);
        self.core.volatile.put(Shelf::Outcome, fingerprint(&name), sealed, until, ctx.now()).await?;
        Ok(URL_SAFE_NO_PAD.encode(name))
    }

    /// The question of this name; it stays open.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when there is none, or it is not for this account.
    pub async fn offer(&self, ctx: &Context, owner: &SignedIn, name: &str) -> Result<Offer, IdentityError> {
        let waiting = self.waiting(ctx, owner, name).await?;
        let rules = self.core.policy.sources.get(&waiting.arrival.source).ok_or(IdentityError::NotFound)?;
        let mut link = self.core.database.read().await?;
        let has_password = passwords::of(&mut link, owner.account()).await?.is_some();
        Ok(Offer {
            source: rules.name.clone(),
            attributes: waiting.arrival.attributes,
            subject: waiting.arrival.subject,
            password_needed: has_password && !is_fresh(ctx, owner),
            proof_needed: !has_password && !is_fresh(ctx, owner),
        })
    }

    /// Adds the identity that was asked about.
    ///
    /// # Errors
    /// [`IdentityError`]; nothing has changed then, and the question stays open after a wrong password.
    pub async fn add(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        name: &str,
        password: Option<&PlainPassword>,
    ) -> Result<(), IdentityError> {
        let waiting = self.waiting(ctx, owner, name).await?;
        self.prove(ctx, owner, password).await?;
        let key = key_of(name).ok_or(IdentityError::NotFound)?;
        // Of two answers to one question, one counts.
        if self.core.volatile.take(Shelf::Outcome, &key, ctx.now()).await?.is_none() {
            return Err(IdentityError::NotFound);
        }
        let account = owner.account();
        let Vouched { source, issuer, subject, .. } = &waiting.arrival;
        let mut tx = self.core.database.begin().await?;
        addable(&mut tx, account, &waiting.arrival).await?;
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
        tx.announce(Notice::Account(account), ctx.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Takes an identity away. Sessions that were opened with it go on.
    ///
    /// # Errors
    /// [`IdentityError`]; nothing has changed then.
    pub async fn remove(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        id: IdentityId,
        password: Option<&PlainPassword>,
    ) -> Result<(), IdentityError> {
        self.prove(ctx, owner, password).await?;
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
        tx.announce(Notice::Account(account), ctx.now()).await?;
        Ok(tx.commit().await?)
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

    async fn waiting(&self, ctx: &Context, owner: &SignedIn, name: &str) -> Result<Waiting, IdentityError> {
        let key = key_of(name).ok_or(IdentityError::NotFound)?;
        let found = self.core.volatile.peek(Shelf::Outcome, &key, ctx.now()).await?;
        let sealed = found.ok_or(IdentityError::NotFound)?;
        let plain = self.core.open_column(COLUMN, &sealed).map_err(|_| IdentityError::NotFound)?;
        let waiting: Waiting = serde_json::from_slice(&plain).map_err(|_| IdentityError::NotFound)?;
        if waiting.account == owner.account() { Ok(waiting) } else { Err(IdentityError::NotFound) }
    }

    /// A fresh session proves enough; otherwise the password does.
    async fn prove(
        &self,
        ctx: &Context,
        owner: &SignedIn,
        password: Option<&PlainPassword>,
    ) -> Result<(), IdentityError> {
        if is_fresh(ctx, owner) {
            return Ok(());
        }
        let mut link = self.core.database.read().await?;
        let has_password = passwords::of(&mut link, owner.account()).await?.is_some();
        drop(link);
        match password {
            _ if !has_password => Err(IdentityError::FreshProofNeeded),
            Some(password) => Ok(self.passwords.confirm(ctx, owner, password).await?),
            None => Err(ChangeError::WrongPassword.into()),
        }
    }
}

fn is_fresh(ctx: &Context, owner: &SignedIn) -> bool {
    ctx.now().since(owner.session().session.authenticated_at) < FRESH
}

fn key_of(name: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(name).ok().filter(|bytes| bytes.len() == 32).map(|bytes| fingerprint(&bytes))
}

/// Whether an identity can be added to an account.
async fn addable(link: &mut Link, account: AccountId, arrival: &Vouched) -> Result<(), IdentityError> {
    let Vouched { source, issuer, subject, .. } = arrival;
    if let Some(known) = identity::by_subject(link, source, issuer, subject).await? {
        let refusal = if known.account == account { Refusal::OtherIdentity } else { Refusal::LinkedElsewhere };
        return Err(refusal.into());
    }
    if identity::of_account(link, account).await?.iter().any(|one| one.source == *source) {
        return Err(Refusal::OtherIdentity.into());
    }
    Ok(())
}
