//! Security keys and passkeys (Web Authentication Level 3). The key always checks its user (PIN, finger, face), so that
//! one answer is two factors, and so that a passkey may be the only proof.
//!
//! What a page begins travels sealed in its form and comes back with the key's answer: bound to whom it was made for, good
//! for some minutes, and once. A page that is only looked at writes nothing.

use super::ceremony::{opened, sealed};
use super::check::by_owner;
use super::{Added, Bound, COLUMN, FactorError, Factors, NewFactor, bind_in};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Event};
use crate::domain::authenticator::{AuthenticatorName, FactorWay, Kind};
use crate::domain::id::AccountId;
use crate::domain::session::Methods;
use crate::service::access_news::AccessNews;
use crate::service::caller::SteppedUp;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::service::outbox::{self, Order};
use crate::store::authenticator::Stored;
use crate::store::{Tx, authenticator};
use std::time::Duration;
use webauthn_rs::prelude::{
    AuthenticationResult, CredentialID, DiscoverableAuthentication, Passkey, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Webauthn, WebauthnBuilder,
    WebauthnError,
};

/// How long a page may wait for a key.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);
pub(super) const UNUSABLE: Trouble = Trouble::Sealing("a passkey cannot be read or written");
/// What a key proves: that it is there, and that it checked its user.
pub(in crate::service) const PROVES: Methods = Methods::KEY.and(Methods::USER_VERIFIED);

/// What a page needs to ask a key.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The options for the browser, as JSON.
    pub options: String,
    /// Comes back with the answer.
    pub ceremony: String,
}

/// What comes back from a page.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    /// As it was handed out.
    pub ceremony: &'a str,
    /// The key's answer, as JSON.
    pub credential: &'a str,
}

/// Who we are to keys; `None` where browsers allow none (an address without a name).
#[must_use]
pub fn relying_party(public_url: &str, product: &str) -> Option<Webauthn> {
    let origin = Url::parse(public_url).ok()?;
    let name = origin.domain()?.to_owned();
    WebauthnBuilder::new(&name, &origin).ok()?.rp_name(product).timeout(PATIENCE).build().ok()
}

impl Factors {
    /// Whether keys can be used here at all.
    #[must_use]
    pub fn knows_keys(&self) -> bool {
        self.core.webauthn.is_some()
    }

    /// Asks for a key of this person's.
    ///
    /// # Errors
    /// [`FactorError::Off`] when keys are not offered.
    pub async fn offer_passkey(&self, ctx: &Context, who: &SteppedUp) -> Result<Challenge, FactorError> {
        offer(&self.core, ctx, &who.card().account, who.handle()).await
    }

    /// Binds the key that answered. Other sessions end when it is the first factor.
    ///
    /// # Errors
    /// [`FactorError::WrongCode`] when the answer is none to what was asked.
    pub async fn bind_passkey(
        &self,
        ctx: &Context,
        who: &SteppedUp,
        name: &AuthenticatorName,
        reply: Reply<'_>,
    ) -> Result<Added, FactorError> {
        let key = confirm(&self.core, ctx, who.handle(), reply).await?;
        let mut tx = self.core.database.begin_for(who.account()).await?;
        let bound = bind_key(&self.core, ctx, &mut tx, who.account(), name, &key).await?;
        tx.commit().await?;
        self.added(ctx, who, bound, PROVES).await
    }
}

/// Asks for a new key, for whoever has this seat: a session or an attempt.
pub(in crate::service) async fn offer(
    core: &Core,
    ctx: &Context,
    account: &Account,
    seat: &[u8; 32],
) -> Result<Challenge, FactorError> {
    let webauthn = core.webauthn.as_ref().ok_or(FactorError::Off)?;
    if !core.policy.factor.kinds.contains(&Kind::Passkey) {
        return Err(FactorError::Off);
    }
    let present: Vec<CredentialID> =
        keys_of(core, account.id).await?.iter().map(|(_, key)| key.cred_id().clone()).collect();
    let (options, state) = webauthn
        .start_passkey_registration(account.id.uuid(), &account.username, &account.name, Some(present))
        .map_err(|_| UNUSABLE)?;
    let mut options = serde_json::to_value(options).map_err(|_| UNUSABLE)?;
    if let Some(selection) = options.pointer_mut("/publicKey/authenticatorSelection") {
        // Kept by the key where it can, so that it may sign in alone.
        if let Some(selection) = selection.as_object_mut() {
            selection.insert("residentKey".to_owned(), "preferred".into());
        }
    }
    Ok(Challenge { options: options.to_string(), ceremony: sealed(core, ctx, "bind", seat, state)? })
}

/// Checks the answer of a new key.
pub(in crate::service) async fn confirm(
    core: &Core,
    ctx: &Context,
    seat: &[u8; 32],
    reply: Reply<'_>,
) -> Result<Passkey, FactorError> {
    let webauthn = core.webauthn.as_ref().ok_or(FactorError::Off)?;
    let state: PasskeyRegistration =
        opened(core, ctx, "bind", seat, reply.ceremony).await?.ok_or(FactorError::Outdated)?;
    let answer: RegisterPublicKeyCredential =
        serde_json::from_str(reply.credential).map_err(|_| FactorError::WrongCode)?;
    webauthn.finish_passkey_registration(&answer, &state).map_err(|error| refused(&error))
}

/// Writes a confirmed key.
pub(in crate::service) async fn bind_key(
    core: &Core,
    ctx: &Context,
    tx: &mut Tx,
    account: AccountId,
    name: &AuthenticatorName,
    key: &Passkey,
) -> Result<Bound, FactorError> {
    let secret = serde_json::to_vec(key).map_err(|_| UNUSABLE)?;
    let credential = Some(fingerprint(key.cred_id()));
    let new = NewFactor { kind: Kind::Passkey, name, secret: &secret, last_step: None, credential };
    bind_in(core, ctx, tx, account, new).await
}

/// Asks for one of an account's keys.
pub(in crate::service) async fn ask(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    seat: &[u8; 32],
) -> Result<Option<Challenge>, Trouble> {
    let Some(webauthn) = &core.webauthn else { return Ok(None) };
    let keys: Vec<_> = keys_of(core, account).await?.into_iter().map(|(_, key)| key).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let (options, state) = webauthn.start_passkey_authentication(&keys).map_err(|_| UNUSABLE)?;
    let options = serde_json::to_string(&options).map_err(|_| UNUSABLE)?;
    Ok(Some(Challenge { options, ceremony: sealed(core, ctx, "show", seat, state)? }))
}

/// Checks the answer of one of an account's keys.
pub(in crate::service) async fn prove(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    seat: &[u8; 32],
    reply: Reply<'_>,
) -> Result<Option<Methods>, Trouble> {
    let Some(webauthn) = &core.webauthn else { return Ok(None) };
    let state: Option<PasskeyAuthentication> = opened(core, ctx, "show", seat, reply.ceremony).await?;
    let (Some(state), Ok(answer)) = (state, serde_json::from_str::<PublicKeyCredential>(reply.credential)) else {
        return Ok(None);
    };
    let keys = keys_of(core, account).await?;
    // A key that was removed while the page was open is no longer one.
    let Some((stored, key)) = keys.into_iter().find(|(_, key)| key.cred_id().as_slice() == answer.get_credential_id())
    else {
        return Ok(None);
    };
    let outcome = webauthn.finish_passkey_authentication(&answer, &state);
    used(core, ctx, stored, key, outcome).await
}

/// Asks for any passkey of anybody's, for signing in with it alone.
pub(in crate::service) fn ask_anybody(
    core: &Core,
    ctx: &Context,
    seat: &[u8; 32],
) -> Result<Option<Challenge>, Trouble> {
    let Some(webauthn) = core.webauthn.as_ref().filter(|_| core.policy.factor.passkey_sign_in) else { return Ok(None) };
    let (options, state) = webauthn.start_discoverable_authentication().map_err(|_| UNUSABLE)?;
    let options = serde_json::to_string(&options).map_err(|_| UNUSABLE)?;
    Ok(Some(Challenge { options, ceremony: sealed(core, ctx, "sign-in", seat, state)? }))
}

/// Whose passkey it says it is; nothing is proved yet.
pub(in crate::service) async fn claimed(core: &Core, reply: Reply<'_>) -> Result<Option<Stored>, Trouble> {
    let Some(webauthn) = &core.webauthn else { return Ok(None) };
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(reply.credential) else { return Ok(None) };
    let Ok((owner, id)) = webauthn.identify_discoverable_authentication(&answer) else { return Ok(None) };
    let mut link = core.database.read().await?;
    let stored = authenticator::by_credential(&mut link, &fingerprint(id)).await?;
    Ok(stored.filter(|stored| stored.about.account.uuid() == owner))
}

/// Checks the answer of a passkey that signs in alone.
pub(in crate::service) async fn prove_alone(
    core: &Core,
    ctx: &Context,
    stored: Stored,
    seat: &[u8; 32],
    reply: Reply<'_>,
) -> Result<Option<Methods>, Trouble> {
    let Some(webauthn) = &core.webauthn else { return Ok(None) };
    let state: Option<DiscoverableAuthentication> = opened(core, ctx, "sign-in", seat, reply.ceremony).await?;
    let (Some(state), Ok(answer)) = (state, serde_json::from_str::<PublicKeyCredential>(reply.credential)) else {
        return Ok(None);
    };
    let key: Passkey = serde_json::from_slice(&core.open_column(COLUMN, &stored.sealed)?).map_err(|_| UNUSABLE)?;
    let outcome = webauthn.finish_discoverable_authentication_v2(&answer, state, &key);
    used(core, ctx, stored, key, outcome).await
}

/// What follows from a key's answer: its counter is written, or its owner is told that there may be two of it.
async fn used(
    core: &Core,
    ctx: &Context,
    stored: Stored,
    mut key: Passkey,
    outcome: Result<AuthenticationResult, WebauthnError>,
) -> Result<Option<Methods>, Trouble> {
    let (id, account) = (stored.about.id, stored.about.account);
    let detail = serde_json::json!({ "way": FactorWay::Passkey, "authenticator": id });
    let mut tx = core.database.begin_for(account).await?;
    match outcome {
        Ok(result) if result.user_verified() => {
            if key.update_credential(&result) == Some(true) {
                let plain = serde_json::to_vec(&key).map_err(|_| UNUSABLE)?;
                let new = core.seal_column(ctx, COLUMN, &plain)?;
                if !authenticator::reseal(&mut tx, id, &stored.sealed, &new).await? {
                    // Another answer of the same key came between: this one's counter is not known to be good.
                    return Ok(None);
                }
            }
            if !authenticator::touch(&mut tx, id, ctx.now()).await? {
                return Ok(None);
            }
            by_owner(ctx, account).record(&mut tx, Event::about(Act::FactorProved, account).with(detail)).await?;
            tx.commit().await?;
            Ok(Some(PROVES))
        }
        Err(WebauthnError::CredentialPossibleCompromise) => {
            ctx.record(&mut tx, Event::about(Act::FactorCloned, account).with(detail)).await?;
            let order = Order::Factor { news: AccessNews::Copied { name: stored.about.name }, at: ctx.now() };
            outbox::order(core, ctx, &mut tx, Some(account), &order).await?;
            tx.commit().await?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// The keys of an account.
async fn keys_of(core: &Core, account: AccountId) -> Result<Vec<(Stored, Passkey)>, Trouble> {
    let stored = {
        let mut link = core.database.read().await?;
        authenticator::of_account(&mut link, account).await?
    };
    let keys = stored.into_iter().filter(|one| one.about.kind == Kind::Passkey);
    keys.map(|one| {
        let plain = core.open_column(COLUMN, &one.sealed)?;
        Ok((one, serde_json::from_slice(&plain).map_err(|_| UNUSABLE)?))
    })
    .collect()
}

fn refused(error: &WebauthnError) -> FactorError {
    tracing::info!(%error, "a key's answer was refused");
    FactorError::WrongCode
}
