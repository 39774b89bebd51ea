//! Signing out there and from there (SAML profiles §4.4). A provider's request needs no cookie of ours: it names the person
//! and the session, and its signature says who it is from.

use super::arrive::{KeptName, lasting_name};
use super::provider::{Known, Provider};
use super::{How, Onward, Saml, SamlError, message_id};
use crate::connect::saml::logout::{Carried, LogoutAnswer, LogoutMessage, LogoutRequest};
use crate::connect::saml::metadata::Endpoints;
use crate::connect::saml::outgoing::{Ended, Head};
use crate::connect::saml::{NameId, Reason, Refusal};
use crate::domain::audit::{Act, Event};
use crate::domain::id::AccountId;
use crate::domain::identity::Upstream;
use crate::service::caller::SignedIn;
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::sign_in::enter;
use crate::store::saml::Named;
use crate::store::volatile::Shelf;
use crate::store::{autologin, identity, saml};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long a provider's answer may take; people may have to confirm there.
const WAIT: Duration = Duration::from_mins(15);
/// How long a message must be remembered so that it counts once: longer than it is accepted.
const REMEMBER: Duration = Duration::from_mins(10);
/// What the other side may want back with an answer (bindings §3.4.3).
const MAX_RELAY_STATE: usize = 80;

/// What a logout message leads to.
#[derive(Clone, Debug)]
pub enum LogoutOutcome {
    /// An answer of ours to bring to the provider.
    Answer(Onward),
    /// The end of a logout that began here.
    Over(SignedOut),
}

/// How a logout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// Here, there, and wherever the provider knows of.
    Everywhere,
    /// Here; the provider says that something lives on.
    HereOnly,
}

impl Saml {
    /// The provider's address that a sign-out of this person would lead to.
    pub async fn logout_origin(&self, ctx: &Context, owner: &SignedIn) -> Option<String> {
        let (_, known) = self.provider_of(ctx, owner).await?;
        let Endpoints { redirect, post } = known.metadata.logout.clone();
        redirect.or(post).map(|url| url.to_string())
    }

    /// The way on for somebody who signs out here: to their provider, where it signs out, too. To be asked for before the
    /// session ends. `None` where there is nothing to be done; a provider that cannot be used is no reason to stay.
    ///
    /// # Errors
    /// [`SamlError::Trouble`].
    pub async fn leave(&self, ctx: &Context, owner: &SignedIn) -> Result<Option<Onward>, SamlError> {
        let Some((provider, known)) = self.provider_of(ctx, owner).await else { return Ok(None) };
        let mut link = self.core.database.read().await?;
        let row = identity::of_session(&mut link, owner.session_id()).await?;
        drop(link);
        let Some(upstream) = row.and_then(|row| self.upstream(row.sealed.as_deref()?)) else { return Ok(None) };
        let Some(name) = upstream.name_id.as_deref().and_then(name_of) else { return Ok(None) };
        let Endpoints { redirect, post } = &known.metadata.logout;
        let Some(destination) = redirect.as_ref().or(post.as_ref()) else { return Ok(None) };
        let slug = provider.settings.slug.as_str();
        let (id, issuer) = (message_id(ctx), self.addresses(slug).entity_id);
        let head = Head { id: &id, at: ctx.now(), destination, issuer: &issuer };
        let message = head.logout_request(&name, upstream.session.as_deref());
        let until = ctx.now().after(WAIT);
        self.core.volatile.put(Shelf::Outcome, asked_key(slug, &id), Vec::new(), until, ctx.now()).await?;
        self.signed(ctx, provider, &message, (redirect.as_ref(), post.as_ref()), None).await
    }

    /// Takes a logout message that came to the address of this provider.
    ///
    /// # Errors
    /// [`SamlError::Refused`] for every message that is not believed; it is audited.
    pub async fn logout(&self, ctx: &Context, slug: &str, carried: Carried) -> Result<LogoutOutcome, SamlError> {
        self.provider(slug)?;
        match self.taken(ctx, slug, carried).await {
            Err(SamlError::Refused(refusal)) => {
                self.refused(ctx, slug, &refusal).await?;
                Err(SamlError::Refused(refusal))
            }
            done => done,
        }
    }

    async fn taken(&self, ctx: &Context, slug: &str, carried: Carried) -> Result<LogoutOutcome, SamlError> {
        let provider = self.provider(slug)?;
        let known = provider.known(ctx.now()).await?;
        let slo = self.addresses(slug).slo;
        match self.verifier.logout(Arc::clone(&known.peer), slo, carried, ctx.now()).await? {
            LogoutMessage::Request(request) => {
                self.only_once_ended(ctx, slug, &request.id).await?;
                self.end(ctx, provider, &known, &request).await?;
                let answer = self.answer(ctx, provider, &known, &request).await?;
                Ok(answer.map_or(LogoutOutcome::Over(SignedOut::Everywhere), LogoutOutcome::Answer))
            }
            LogoutMessage::Response(answer) => self.over(ctx, slug, &answer).await,
        }
    }

    async fn only_once_ended(&self, ctx: &Context, slug: &str, id: &str) -> Result<(), SamlError> {
        let key = fingerprint(format!("saml logout request {slug} {id}").as_bytes());
        let until = ctx.now().after(REMEMBER);
        if self.core.volatile.put(Shelf::Replay, key, Vec::new(), until, ctx.now()).await? {
            return Ok(());
        }
        Err(refuse(Reason::Replay, "this logout request was used before").into())
    }

    /// Ends the sessions that a provider means, with the browsers that would open them again.
    async fn end(
        &self,
        ctx: &Context,
        provider: &Provider,
        known: &Known,
        request: &LogoutRequest,
    ) -> Result<(), SamlError> {
        let mut by_account: BTreeMap<AccountId, Vec<Named>> = BTreeMap::new();
        for one in self.meant(provider, known, request).await? {
            by_account.entry(one.account).or_default().push(one);
        }
        for (account, named) in by_account {
            let alive = self.core.volatile.sessions_of(account, ctx.now()).await?;
            let mut tx = self.core.database.begin().await?;
            let mut ended = Vec::new();
            let mut families = Vec::new();
            for session in alive.iter().filter(|one| named.iter().any(|named| named.session == one.id)) {
                if let Some(family) = session.remembered {
                    // Or the browser would be back with its next request.
                    autologin::forget(&mut tx, account, family).await?;
                    families.push(family);
                }
                ended.push(session.id);
            }
            if ended.is_empty() {
                continue;
            }
            let detail = serde_json::json!({ "sessions": ended, "provider": provider.settings.slug });
            ctx.record(&mut tx, Event::about(Act::SessionsEnded, account).with(detail)).await?;
            for session in &ended {
                self.core.volatile.end_session(account, *session).await?;
            }
            for family in families {
                self.core.volatile.end_family(family).await?;
            }
            tx.commit().await?;
            self.core.metrics.sessions_ended(u64::try_from(ended.len()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Whose sessions are meant: those of the names of sessions in the request, or all of the person.
    async fn meant(
        &self,
        provider: &Provider,
        known: &Known,
        request: &LogoutRequest,
    ) -> Result<Vec<Named>, SamlError> {
        let source = provider.settings.source();
        let mut link = self.core.database.read().await?;
        if request.session_indexes.is_empty() {
            let us = self.addresses(&provider.settings.slug).entity_id;
            let subject = lasting_name(&request.subject, &known.metadata.entity_id, &us);
            return Ok(saml::by_subject(&mut link, &source, &known.metadata.entity_id, &subject).await?);
        }
        let mut found = Vec::new();
        for index in &request.session_indexes {
            found.extend(saml::by_upstream(&mut link, &source, index).await?);
        }
        // The name of a session alone is not enough: it must be this person's.
        found.retain(|one| {
            let upstream = one.sealed.as_deref().and_then(|sealed| self.upstream(sealed));
            let name = upstream.and_then(|upstream| name_of(upstream.name_id.as_deref()?));
            name.is_some_and(|name| name.value == request.subject.value)
        });
        Ok(found)
    }

    async fn answer(
        &self,
        ctx: &Context,
        provider: &Provider,
        known: &Known,
        request: &LogoutRequest,
    ) -> Result<Option<Onward>, SamlError> {
        let (there, elsewhere) = (&known.metadata.logout, &known.metadata.logout_answers);
        let to =
            (elsewhere.redirect.as_ref().or(there.redirect.as_ref()), elsewhere.post.as_ref().or(there.post.as_ref()));
        let Some(destination) = to.0.or(to.1) else { return Ok(None) };
        let (id, issuer) = (message_id(ctx), self.addresses(&provider.settings.slug).entity_id);
        let head = Head { id: &id, at: ctx.now(), destination, issuer: &issuer };
        let message = head.logout_response(&request.id, Ended::All);
        let relay_state = request.relay_state.as_deref().filter(|state| state.len() <= MAX_RELAY_STATE);
        self.signed(ctx, provider, &message, to, relay_state).await
    }

    async fn signed(
        &self,
        ctx: &Context,
        provider: &Provider,
        message: &crate::connect::saml::outgoing::Message,
        to: (Option<&Url>, Option<&Url>),
        relay_state: Option<&str>,
    ) -> Result<Option<Onward>, SamlError> {
        let signer = self.signer(ctx).await?;
        let provider = provider.settings.name.as_str();
        Self::onward(message, to, &How { signer: Some(&signer), relay_state, prefer_post: false, provider })
    }

    async fn over(&self, ctx: &Context, slug: &str, answer: &LogoutAnswer) -> Result<LogoutOutcome, SamlError> {
        let key = asked_key(slug, &answer.in_response_to);
        if self.core.volatile.take(Shelf::Outcome, &key, ctx.now()).await?.is_none() {
            return Err(refuse(Reason::InResponseTo, "the answer to a logout that did not begin here").into());
        }
        if !answer.complete {
            tracing::info!(provider = slug, status = answer.status, "a provider did not sign out everywhere");
        }
        let how = if answer.complete { SignedOut::Everywhere } else { SignedOut::HereOnly };
        Ok(LogoutOutcome::Over(how))
    }

    async fn provider_of(&self, ctx: &Context, owner: &SignedIn) -> Option<(&Provider, Arc<Known>)> {
        let source = owner.session().session.source.as_ref()?;
        let provider = self.providers.get(source.slug()).filter(|one| one.settings.source() == *source)?;
        if !provider.settings.single_logout {
            return None;
        }
        let known = provider.known(ctx.now()).await.ok()?;
        Some((provider, known))
    }

    fn upstream(&self, sealed: &[u8]) -> Option<Upstream> {
        enter::opened(&self.core, sealed).ok()
    }
}

fn name_of(kept: &str) -> Option<NameId> {
    let KeptName { value, format, name_qualifier, sp_name_qualifier } = serde_json::from_str(kept).ok()?;
    Some(NameId { value, format, name_qualifier, sp_name_qualifier })
}

fn asked_key(slug: &str, id: &str) -> [u8; 32] {
    fingerprint(format!("saml logout {slug} {id}").as_bytes())
}

fn refuse(reason: Reason, detail: &str) -> Refusal {
    Refusal { reason, detail: detail.to_owned() }
}
