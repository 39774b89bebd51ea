//! Signing out with whoever vouched for the session: what the provider behind it offers, and the way back. What a provider
//! itself ends is `by_provider.rs`. Ending a session of ours is `service/session.rs`.

mod by_provider;

pub use by_provider::LogoutError;

use super::caller::SignedIn;
use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::provider::{Oidc, Protocol, Provider, Providers};
use super::saml::{Onward, Saml};
use super::session::Sessions;
use super::sign_in::enter;
use crate::connect::oidc::Farewell;
use crate::domain::identity::{Source, Upstream};
use crate::store::volatile::Shelf;
use crate::store::vouched_session;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use std::time::Duration;

/// How long signing out at the provider may take; people may have to confirm there.
const WAIT: Duration = Duration::from_mins(15);

/// Signing out, over a core.
#[derive(Clone)]
pub struct SignOut {
    core: Arc<Core>,
    sessions: Sessions,
    providers: Providers,
    saml: Saml,
}

/// What there is to be done about whoever vouched for a session that has ended here. Each protocol decides it in
/// `SignOut::way_out` and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOut {
    /// Nothing: nobody outside vouched, or nobody who has sessions.
    Here,
    /// The provider goes on knowing the person: it has no way to be told, cannot be asked, or the operator wants it so.
    StaysThere(Place),
    /// The browser goes on to the provider.
    Onward(Place, Onward),
}

/// A provider, as pages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its slug.
    pub slug: String,
    /// The name that people see.
    pub name: String,
}

impl SignOut {
    /// Signing out over a core, with these providers.
    #[must_use]
    pub fn new(core: Arc<Core>, providers: Providers, saml: Saml) -> Self {
        Self { sessions: Sessions::new(Arc::clone(&core)), core, providers, saml }
    }

    /// Signs out here, and says what is left to be done elsewhere.
    ///
    /// # Errors
    /// [`Trouble`]; the person is still signed in then.
    pub async fn sign_out(&self, ctx: &Context, owner: &SignedIn) -> Result<WayOut, Trouble> {
        let upstream = self.upstream(owner).await?;
        self.sessions.sign_out(ctx, owner).await?;
        // From here on nothing keeps the person from being signed out here.
        let source = owner.session().session.source.as_ref();
        let Some(provider) = source.and_then(|source| self.providers.of(source)) else { return Ok(WayOut::Here) };
        Ok(self.way_out(ctx, provider, upstream.unwrap_or_default()).await)
    }

    /// What the provider behind a session offers for signing out there.
    async fn way_out(&self, ctx: &Context, provider: &Provider, upstream: Upstream) -> WayOut {
        let place = Place { slug: provider.source.slug().to_owned(), name: provider.name.clone() };
        if !provider.single_logout {
            return WayOut::StaysThere(place);
        }
        let onward = match &provider.protocol {
            Protocol::Oidc(oidc) => self.farewell(ctx, oidc, &provider.source, &upstream).await.map(Onward::Redirect),
            Protocol::Saml => self.saml.farewell(ctx, &place.slug, &upstream).await,
        };
        match onward {
            Some(onward) => WayOut::Onward(place, onward),
            None => WayOut::StaysThere(place),
        }
    }

    async fn farewell(&self, ctx: &Context, oidc: &Oidc, source: &Source, upstream: &Upstream) -> Option<String> {
        let known = oidc.client.known(ctx.now()).await.ok()?;
        let state = URL_SAFE_NO_PAD.encode(ctx.bytes::<32>());
        let return_to = format!("{}/login/{}/logout", self.core.policy.public_url, source.slug());
        let farewell = Farewell {
            id_token: upstream.id_token.as_deref(),
            state: &state,
            return_to: &return_to,
            language: ctx.language.tag(),
        };
        let address = oidc.client.end_session(&known, &farewell)?;
        let until = ctx.now().after(WAIT);
        let kept = self.core.volatile.put(Shelf::Outcome, key(source, &state), Vec::new(), until, ctx.now()).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "the way back from a provider's sign-out will not be recognised");
        }
        Some(address)
    }

    /// Whether a browser that comes back from a provider's sign-out brings what it was sent with. It signs nobody out.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn is_back(&self, ctx: &Context, provider: &Provider, state: &str) -> Result<bool, Trouble> {
        // Not taken away: reloading the page must not make it doubt.
        let found = self.core.volatile.peek(Shelf::Outcome, &key(&provider.source, state), ctx.now()).await?;
        Ok(found.is_some())
    }

    /// What is kept of the provider's session. What cannot be opened any more is as good as nothing: nobody is kept from
    /// signing out by it.
    async fn upstream(&self, owner: &SignedIn) -> Result<Option<Upstream>, Trouble> {
        let mut link = self.core.database.read().await?;
        let row = vouched_session::of_session(&mut link, owner.session_id()).await?;
        Ok(row.and_then(|row| enter::opened(&self.core, row.sealed.as_deref()?).ok()))
    }
}

fn key(source: &Source, state: &str) -> [u8; 32] {
    fingerprint(format!("sign-out {source} {state}").as_bytes())
}
