//! Signing out there and from there (SAML profiles §4.4). A provider's request needs no cookie of ours: it names the person
//! and the session, and its signature says who it is from.

use super::arrive::{KeptName, lasting_name};
use super::provider::{Known, Provider};
use super::{How, Onward, Saml, SamlError, message_id, request};
use crate::connect::saml::logout::{Carried, LogoutAnswer, LogoutMessage, LogoutRequest};
use crate::connect::saml::metadata::Endpoints;
use crate::connect::saml::outgoing::{Ended, Head};
use crate::connect::saml::{NameId, Reason, Refusal};
use crate::domain::audit::{Act, Event};
use crate::domain::identity::{Source, Upstream};
use crate::service::context::Context;
use crate::service::core::fingerprint;
use crate::service::provider_session::end;
use crate::service::sign_in::{enter, parked};
use crate::store::provider_session::{self, Meant, Vouching};
use crate::store::volatile::Shelf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long a provider's answer may take; people may have to confirm there.
const WAIT: Duration = Duration::from_mins(15);
/// How long a message must be remembered so that it counts once: longer than it is accepted.
const REMEMBER: Duration = Duration::from_mins(10);
/// What the other side may want back with an answer (bindings §3.4.3).
const MAX_RELAY_STATE: usize = 80;

/// Sessions that are looked through at once.
const PAGE: u32 = 500;

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
    /// The way on to a provider for somebody who has signed out here, where it has one. A provider that cannot be used is no
    /// reason to stay, so whatever goes wrong is logged only.
    pub(in crate::service) async fn farewell(&self, ctx: &Context, slug: &str, upstream: &Upstream) -> Option<Onward> {
        let gone = self.asked_there(ctx, slug, upstream).await;
        gone.unwrap_or_else(|error| {
            tracing::warn!(provider = slug, %error, "signing out does not go on to the provider");
            None
        })
    }

    async fn asked_there(&self, ctx: &Context, slug: &str, upstream: &Upstream) -> Result<Option<Onward>, SamlError> {
        let provider = self.provider(slug)?;
        let known = provider.known(&self.core.database, ctx.now()).await?;
        let Some(name) = upstream.name_id.as_deref().and_then(name_of) else { return Ok(None) };
        let Endpoints { redirect, post } = &known.metadata.logout;
        let Some(destination) = redirect.as_ref().or(post.as_ref()) else { return Ok(None) };
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
    /// [`SamlError::Refused`] for every message that is not believed.
    pub async fn logout(&self, ctx: &Context, slug: &str, carried: Carried) -> Result<LogoutOutcome, SamlError> {
        self.provider(slug)?;
        match self.taken(ctx, slug, carried).await {
            Err(SamlError::Refused(refusal)) => {
                tracing::warn!(provider = slug, request = request(ctx), %refusal, "a SAML logout message is not believed");
                // Audited only where the provider has signed it: strangers could fill the trail with others.
                if matches!(refusal.reason, Reason::Replay | Reason::InResponseTo) {
                    let mut tx = self.core.database.begin_beside().await?;
                    let code = format!("saml_{}", refusal.reason.as_str());
                    let detail = serde_json::json!({ "source": Source::provider(slug), "reason": code });
                    ctx.record(&mut tx, Event::of(Act::ProviderLogoutRefused).with(detail)).await?;
                    tx.commit().await?;
                }
                Err(SamlError::Refused(refusal))
            }
            done => done,
        }
    }

    async fn taken(&self, ctx: &Context, slug: &str, carried: Carried) -> Result<LogoutOutcome, SamlError> {
        let provider = self.provider(slug)?;
        let known = provider.known(&self.core.database, ctx.now()).await?;
        let slo = self.addresses(slug).slo;
        match self.verifier.logout(Arc::clone(&known.peer), slo, carried, ctx.now()).await? {
            LogoutMessage::Request(request) => {
                let mark = self.only_once_ended(ctx, slug, &request.id).await?;
                let ended = match self.end(ctx, provider, &known, &request).await {
                    Ok(ended) => ended,
                    Err(error) => {
                        // The provider may send it again.
                        self.core.volatile.take(Shelf::Replay, &mark, ctx.now()).await?;
                        return Err(error);
                    }
                };
                let answer = self.answer(ctx, provider, &known, (&request, ended)).await?;
                Ok(answer.map_or(LogoutOutcome::Over(SignedOut::Everywhere), LogoutOutcome::Answer))
            }
            LogoutMessage::Response(answer) => self.over(ctx, slug, &answer).await,
        }
    }

    async fn only_once_ended(&self, ctx: &Context, slug: &str, id: &str) -> Result<[u8; 32], SamlError> {
        let key = fingerprint(format!("saml logout request {slug} {id}").as_bytes());
        let until = ctx.now().after(REMEMBER);
        if self.core.volatile.put(Shelf::Replay, key, Vec::new(), until, ctx.now()).await? {
            return Ok(key);
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
    ) -> Result<Ended, SamlError> {
        let source = provider.settings.source();
        let issuer = known.metadata.entity_id.as_str();
        let us = self.addresses(&provider.settings.slug).entity_id;
        // Where an attribute names people, the name in the request is not the one that identities are kept under.
        let named = provider.settings.subject_attribute.is_none();
        let subject = named.then(|| lasting_name(&request.subject, issuer, &us));
        let mut meant: Vec<Meant<'_>> = request.session_indexes.iter().map(|one| Meant::Session(one)).collect();
        if let (true, Some(subject)) = (meant.is_empty(), &subject) {
            meant.push(Meant::Subject(subject));
        }
        // First, so that what is on its way now does not arrive after this.
        for one in &meant {
            parked::provider_ended(&self.core, ctx, &source, *one).await?;
        }
        let rows = if meant.is_empty() {
            parked::name_ended(&self.core, ctx, &source, &request.subject.value).await?;
            self.of_name(&source, (issuer, &us), &request.subject).await?
        } else {
            self.rows(&source, issuer, (request, subject.as_deref()), &meant).await?
        };
        let why = serde_json::json!({ "source": source, "how": "single_logout" });
        let ended = end(&self.core, ctx, rows, Act::SessionsEndedByProvider, &why).await?;
        tracing::info!(%source, ended, "a provider ended sessions");
        Ok(Ended::All)
    }

    /// All sessions of a name, where people are kept under an attribute: which name each came with is sealed.
    async fn of_name(
        &self,
        source: &Source,
        (issuer, us): (&str, &str),
        name: &NameId,
    ) -> Result<Vec<Vouching>, SamlError> {
        let wanted = lasting_name(name, issuer, us);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let mut link = self.core.database.read().await?;
            let page = provider_session::of_source(&mut link, source, issuer, after, PAGE).await?;
            drop(link);
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.session);
            let came_so =
                |row: &Vouching| self.name_in(row).is_some_and(|name| lasting_name(&name, issuer, us) == wanted);
            found.extend(page.into_iter().filter(came_so));
        }
    }

    /// The sessions of the names in the request, or all of the person.
    async fn rows(
        &self,
        source: &Source,
        issuer: &str,
        (request, subject): (&LogoutRequest, Option<&str>),
        meant: &[Meant<'_>],
    ) -> Result<Vec<Vouching>, SamlError> {
        let mut link = self.core.database.read().await?;
        let mut found: Vec<Vouching> = Vec::new();
        for one in meant {
            let mut rows = provider_session::meant(&mut link, source, issuer, *one).await?;
            if let Meant::Session(session) = *one {
                // The name of a session alone is not enough: it must be this person's.
                rows.retain(|row| self.is_of(row, &request.subject));
                if let Some(subject) = subject {
                    // Sessions that got no name are found by the person.
                    let both = Meant::Both { session, subject };
                    rows.extend(provider_session::meant(&mut link, source, issuer, both).await?);
                }
            }
            for row in rows {
                if !found.iter().any(|known| known.session == row.session) {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }

    fn is_of(&self, row: &Vouching, subject: &NameId) -> bool {
        self.name_in(row).is_some_and(|name| name.value == subject.value)
    }

    /// The name that a session came with.
    fn name_in(&self, row: &Vouching) -> Option<NameId> {
        let upstream = enter::opened(&self.core, row.sealed.as_deref()?).ok()?;
        name_of(upstream.name_id.as_deref()?)
    }

    async fn answer(
        &self,
        ctx: &Context,
        provider: &Provider,
        known: &Known,
        (request, ended): (&LogoutRequest, Ended),
    ) -> Result<Option<Onward>, SamlError> {
        let (there, elsewhere) = (&known.metadata.logout, &known.metadata.logout_answers);
        let to =
            (elsewhere.redirect.as_ref().or(there.redirect.as_ref()), elsewhere.post.as_ref().or(there.post.as_ref()));
        let Some(destination) = to.0.or(to.1) else { return Ok(None) };
        let (id, issuer) = (message_id(ctx), self.addresses(&provider.settings.slug).entity_id);
        let head = Head { id: &id, at: ctx.now(), destination, issuer: &issuer };
        let message = head.logout_response(&request.id, ended);
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
        // Not taken away: reloading the page must not make it doubt. An answer ends nothing.
        if self.core.volatile.peek(Shelf::Outcome, &key, ctx.now()).await?.is_none() {
            return Err(refuse(Reason::InResponseTo, "the answer to a logout that did not begin here").into());
        }
        if !answer.complete {
            tracing::info!(provider = slug, status = answer.status, "a provider did not sign out everywhere");
        }
        let how = if answer.complete { SignedOut::Everywhere } else { SignedOut::HereOnly };
        Ok(LogoutOutcome::Over(how))
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
    Refusal::from_memory(reason, detail)
}
