//! Sessions that a provider ends: by a logout token that it sends itself (OpenID Connect Back-Channel Logout 1.0), or by a
//! frame in the browser (Front-Channel Logout 1.0).

use super::SignOut;
use crate::connect::oidc::OidcError;
use crate::domain::audit::{Act, Event};
use crate::domain::identity::Source;
use crate::domain::logout_token::{self, Asked, Fault};
use crate::service::caller::SignedIn;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::service::provider::{Oidc, Provider};
use crate::service::provider_session::end;
use crate::service::sign_in::parked;
use crate::store::provider_session::{self, Meant};
use crate::store::volatile::Shelf;

/// Why a logout token ends nothing.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The provider's keys cannot be read, or the signature is none of its.
    #[error(transparent)]
    Provider(#[from] OidcError),
    /// It is the provider's, and does not say what it must.
    #[error(transparent)]
    Claims(#[from] Fault),
    /// It was used before.
    #[error("this logout token was used before")]
    Replayed,
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl SignOut {
    /// Ends what a logout token of this provider means. Sessions that are over already are no error.
    ///
    /// # Errors
    /// [`LogoutError`]; nothing has ended then. Tokens that the provider has signed are audited, others only logged:
    /// strangers could fill the trail with them.
    pub async fn by_token(
        &self,
        ctx: &Context,
        (provider, oidc): (&Provider, &Oidc),
        token: &str,
    ) -> Result<(), LogoutError> {
        let source = &provider.source;
        let settings = oidc.client.settings();
        let verified = oidc.client.verified(token, ctx.now()).await?;
        let us = (settings.issuer.as_str(), settings.client_id.as_str());
        let asked = match logout_token::read(&verified.claims, verified.kind.as_deref(), us, ctx.now()) {
            Ok(asked) => asked,
            Err(fault) => {
                self.refuse(ctx, source, fault.code()).await?;
                return Err(fault.into());
            }
        };
        let key = fingerprint(format!("logout token {source} {}", asked.id).as_bytes());
        let fresh = self.core.volatile.put(Shelf::Replay, key, Vec::new(), asked.until, ctx.now()).await;
        if !fresh.map_err(Trouble::from)? {
            self.refuse(ctx, source, "logout_token_replayed").await?;
            return Err(LogoutError::Replayed);
        }
        let done = self.end_asked(ctx, source, us.0, &asked).await;
        if done.is_err() {
            // The provider may send it again.
            self.core.volatile.take(Shelf::Replay, &key, ctx.now()).await.map_err(Trouble::from)?;
        }
        Ok(done?)
    }

    async fn end_asked(&self, ctx: &Context, source: &Source, issuer: &str, asked: &Asked) -> Result<(), Trouble> {
        let (session, subject) = (asked.session.as_deref(), asked.subject.as_deref());
        let meant = match (session, subject) {
            (Some(session), Some(subject)) => Meant::Both { session, subject },
            (Some(session), None) => Meant::Session(session),
            (None, subject) => Meant::Subject(subject.unwrap_or_default()),
        };
        // First, so that what is on its way now does not arrive after this.
        parked::provider_ended(&self.core, ctx, source, meant).await?;
        let rows = {
            let mut link = self.core.database.read().await?;
            provider_session::meant(&mut link, source, issuer, meant).await?
        };
        let why = serde_json::json!({ "source": source, "how": "back_channel" });
        let ended = end(&self.core, ctx, rows, Act::SessionsEndedByProvider, &why).await?;
        tracing::info!(%source, ended, by_session = session.is_some(), "a provider ended sessions");
        Ok(())
    }

    /// Ends the session of this browser, if it is the one that the provider names. The provider's page shows ours in a frame
    /// for that; nothing proves who else could know the name of a session, so no other session ever ends this way.
    ///
    /// # Errors
    /// [`Trouble`]; nothing has ended then.
    pub async fn by_frame(
        &self,
        ctx: &Context,
        (provider, oidc): (&Provider, &Oidc),
        (issuer, session): (&str, &str),
        owner: &SignedIn,
    ) -> Result<bool, Trouble> {
        if issuer != oidc.client.settings().issuer || session.is_empty() {
            return Ok(false);
        }
        let mut rows = {
            let mut link = self.core.database.read().await?;
            provider_session::meant(&mut link, &provider.source, issuer, Meant::Session(session)).await?
        };
        rows.retain(|row| row.session == owner.session_id());
        if rows.is_empty() {
            return Ok(false);
        }
        let why = serde_json::json!({ "source": provider.source, "how": "front_channel" });
        end(&self.core, ctx, rows, Act::SessionsEndedByProvider, &why).await?;
        Ok(true)
    }

    async fn refuse(&self, ctx: &Context, source: &Source, code: &'static str) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        let detail = serde_json::json!({ "source": source, "reason": code });
        ctx.record(&mut tx, Event::of(Act::ProviderLogoutRefused).with(detail)).await?;
        Ok(tx.commit().await?)
    }
}
