//! Off to the provider: an authentication request that only this browser can use the answer to.

use super::{How, Onward, Saml, SamlError, message_id};
use crate::connect::saml::outgoing::AuthnRequest;
use crate::domain::sign_in::ATTEMPT_LIFETIME;
use crate::domain::time::Timestamp;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::service::sign_in::AttemptHandle;
use crate::service::sign_in::departure::{Departure, Errand};
use crate::service::sign_in::oidc::Going;
use crate::store::volatile::Shelf;
use serde::{Deserialize, Serialize};

/// A browser on its way.
pub struct Departed {
    /// Goes into the attempt cookie.
    pub browser: AttemptHandle,
    /// How it goes there.
    pub onward: Onward,
}

/// What is remembered of a request, by its identifier: the answer comes without any cookie of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) at: Timestamp,
    pub(super) force_authn: bool,
    pub(super) contexts: Vec<String>,
}

/// What the browser's own departure remembers beyond what all have.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Memory {}

impl Saml {
    /// Sends somebody to a provider to sign in, or to prove themselves for the errand.
    ///
    /// # Errors
    /// [`SamlError::Unknown`], [`SamlError::Unavailable`]; the latter is audited.
    pub async fn depart(
        &self,
        ctx: &Context,
        slug: &str,
        browser: Option<AttemptHandle>,
        going: Going,
    ) -> Result<Departed, SamlError> {
        let provider = self.provider(slug)?;
        let known = self.reached(ctx, provider).await?;
        let Going { errand, return_to, stay, invitation } = going;
        let settings = &provider.settings;
        let address = self.addresses(slug);
        let id = message_id(ctx);
        // To add an identity or to prove oneself anew, the person at the keyboard is to be the one it belongs to.
        let force_authn = settings.force_authn || matches!(errand, Errand::AddTo(_) | Errand::Confirm(..));
        let endpoints = &known.metadata.sign_on;
        let by_post = endpoints.redirect.is_none() || (settings.request_by_post && endpoints.post.is_some());
        let destination = if by_post { endpoints.post.as_ref() } else { endpoints.redirect.as_ref() };
        let nowhere = || SamlError::Unavailable {
            slug: slug.to_owned(),
            code: "metadata_unusable",
            why: "its metadata names no address".to_owned(),
        };
        let destination = destination.ok_or_else(nowhere)?;
        let request = AuthnRequest {
            id: &id,
            at: ctx.now(),
            destination,
            issuer: &address.entity_id,
            acs: &address.acs,
            force_authn,
            name_id_format: settings.name_id_format.as_deref(),
            contexts: &settings.contexts,
        };
        let signs = settings.sign_requests || known.metadata.wants_signed_requests;
        let signer = if signs { Some(self.signer(ctx).await?) } else { None };
        let how = How { signer: signer.as_ref(), relay_state: None, prefer_post: by_post, provider: &settings.name };
        let to = if by_post { (None, Some(destination)) } else { (Some(destination), None) };
        let onward = Self::onward(&request.message(), to, &how)?.ok_or_else(nowhere)?;

        let question = Question { at: ctx.now(), force_authn, contexts: settings.contexts.clone() };
        self.remember(ctx, slug, &id, &question).await?;
        let departure = Departure {
            source: settings.source(),
            errand,
            return_to,
            stay,
            invitation,
            left_at: ctx.now(),
            protocol: Memory {},
        };
        let browser = self.sign_in.depart(ctx, browser, &id, &departure).await?;
        Ok(Departed { browser, onward })
    }

    async fn remember(&self, ctx: &Context, slug: &str, id: &str, question: &Question) -> Result<(), SamlError> {
        let value = serde_json::to_vec(question).map_err(|_| Trouble::Sealing("a request could not be written"))?;
        let until = ctx.now().after(ATTEMPT_LIFETIME);
        self.core.volatile.put(Shelf::Outcome, question_key(slug, id), value, until, ctx.now()).await?;
        Ok(())
    }
}

/// Under which a request is remembered.
pub(super) fn question_key(slug: &str, id: &str) -> [u8; 32] {
    fingerprint(format!("saml question {slug} {id}").as_bytes())
}
