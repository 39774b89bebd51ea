//! Back from the provider, in two parts. The provider's answer comes as a POST from another site, without our cookies: it is
//! verified, and its outcome waits under a one-time handle. Then the browser itself comes, with the cookie that shows that
//! it is the one that left.

use super::depart::{Memory, Question, question_key};
use super::noted::{answers, note_refusal, noted};
use super::provider::{Known, Provider};
use super::settings::ProviderSettings;
use super::{Saml, SamlError, request};
use crate::connect::saml::{Asked, Asserted, Expected, Glance, NameId, Reason, Refusal};
use crate::domain::audit::{Act, Event};
use crate::domain::factor_trust::Stated;
use crate::domain::identity::{Source, Upstream, Vouched};
use crate::domain::trace::{Facts, Note};
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::service::metrics::{SignInOutcome, SignInWay};
use crate::service::sign_in::departure::{Brings, Departure, Errand};
use crate::service::sign_in::oidc::Arrived;
use crate::service::sign_in::{AttemptHandle, SignInError, Wishes};
use crate::service::trace::MAPPED;
use crate::store::volatile::Shelf;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long an outcome waits for its browser.
const WAIT: Duration = Duration::from_mins(2);
const COLUMN: &str = "entry.saml_outcome";

/// A verified answer that waits for its browser.
#[derive(Serialize, Deserialize)]
struct Waiting {
    slug: String,
    question: Option<String>,
    arrival: Vouched,
    /// What was noted when it came: the trace is that of the request in which the browser fetches it.
    notes: Vec<Note>,
}

/// A name as it is kept to be written again.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptName {
    pub(super) value: String,
    pub(super) format: Option<String>,
    pub(super) name_qualifier: Option<String>,
    pub(super) sp_name_qualifier: Option<String>,
}

impl Saml {
    /// Takes the provider's answer: verifies it, and keeps the outcome under the handle that is returned.
    ///
    /// # Errors
    /// [`SamlError::Refused`] for every message that is not believed; it is audited.
    pub async fn accept(&self, ctx: &Context, slug: &str, message: String) -> Result<String, SamlError> {
        self.provider(slug)?;
        match self.accepted(ctx, slug, message).await {
            Err(SamlError::Refused(refusal)) => {
                self.refused(ctx, slug, &refusal).await?;
                Err(SamlError::Refused(refusal))
            }
            done => done,
        }
    }

    async fn accepted(&self, ctx: &Context, slug: &str, message: String) -> Result<String, SamlError> {
        let provider = self.provider(slug)?;
        let settings = &provider.settings;
        let known = self.reached(ctx, provider).await?;
        let looked = self.verifier.glance(message, settings.allow_cbc, ctx.now()).await;
        let (Glance { question, facts }, message) = looked?;
        let asked = match &question {
            Some(id) => self.asked(ctx, slug, id).await?,
            None => None,
        };
        ctx.note("saml_response", facts.code("answers", answers(question.as_deref(), asked.as_ref())));
        if asked.is_none() && (question.is_some() || !settings.allow_unsolicited) {
            let why = match question {
                Some(_) => "the answer to a question that was not asked, or long ago",
                None => "an answer that nobody asked for",
            };
            return Err(refuse(Reason::InResponseTo, why).into());
        }
        let service = self.service(ctx, provider).await?;
        let expected = Expected { now: ctx.now(), request: asked };
        let asserted = self.verifier.response(service, Arc::clone(&known.peer), message, expected).await?;
        ctx.note("saml_assertion", noted(&asserted, (settings, known.metadata.certificates.len()), ctx.now()));
        self.only_once(ctx, &asserted).await?;
        let mut arrival = arrival(settings, &asserted, &self.addresses(slug).entity_id)?;
        // The provider's clock may be ahead of ours.
        arrival.authenticated_at = arrival.authenticated_at.min(ctx.now());
        if let (None, Some(upstream)) = (&question, &mut arrival.upstream) {
            upstream.since = Some(ctx.now());
        }
        ctx.note(MAPPED, arrival.noted());
        let waiting = Waiting { slug: slug.to_owned(), question, arrival, notes: ctx.notes() };
        let plain = serde_json::to_vec(&waiting).map_err(|_| Trouble::Sealing("an outcome could not be written"))?;
        let sealed = self.core.seal_column(ctx, COLUMN, &plain)?;
        let handle: [u8; 32] = ctx.bytes();
        self.core.volatile.put(Shelf::Outcome, fingerprint(&handle), sealed, ctx.now().after(WAIT), ctx.now()).await?;
        Ok(URL_SAFE_NO_PAD.encode(handle))
    }

    /// Takes the browser in whose answer waits under this handle, if it is the browser that left; somebody who came to add
    /// an identity is not signed in by that.
    ///
    /// # Errors
    /// [`SignInError::Outdated`] when it is not, or comes too late, or for the second time.
    pub async fn arrive(
        &self,
        ctx: &Context,
        slug: &str,
        handle: &str,
        browser: Option<&AttemptHandle>,
        brings: Brings,
    ) -> Result<Arrived, SamlError> {
        let provider = self.provider(slug)?;
        let handle = URL_SAFE_NO_PAD.decode(handle).map_err(|_| SignInError::Outdated)?;
        let found = self.core.volatile.take(Shelf::Outcome, &fingerprint(&handle), ctx.now()).await?;
        let sealed = found.ok_or(SignInError::Outdated)?;
        let plain = self.core.open_column(COLUMN, &sealed).map_err(|_| SignInError::Outdated)?;
        let mut waiting: Waiting = serde_json::from_slice(&plain).map_err(|_| SignInError::Outdated)?;
        if waiting.slug != slug {
            return Err(SignInError::Outdated.into());
        }
        ctx.note_again(waiting.notes);
        let wishes = match &waiting.question {
            None => Wishes {
                replaces: brings.person.map(|person| *person.handle()),
                device: brings.device,
                ..Wishes::default()
            },
            Some(id) => {
                let source = provider.settings.source();
                let departure: Departure<Memory> = self.sign_in.arrive(ctx, browser, id, &source).await?;
                departure.dates(&mut waiting.arrival);
                departure.note(ctx);
                match departure.errand {
                    Errand::SignIn => departure.wishes(brings),
                    Errand::Confirm(account, factor) => {
                        let owner = brings.person.filter(|person| person.account() == account);
                        let owner = owner.ok_or(SignInError::Outdated)?;
                        let wanted = (departure.return_to, factor);
                        let outcome = self.sign_in.step_up_by_source(ctx, &owner, waiting.arrival, wanted).await?;
                        return Ok(Arrived::SignedIn(outcome));
                    }
                    Errand::AddTo(account) if ctx.actor.account() == Some(account) => {
                        return Ok(Arrived::ToAdd(Box::new(waiting.arrival)));
                    }
                    Errand::AddTo(_) => return Err(SignInError::Outdated.into()),
                }
            }
        };
        Ok(Arrived::SignedIn(self.sign_in.enter(ctx, waiting.arrival, wishes).await?))
    }

    /// What is remembered of a request, if it was asked here and not too long ago.
    async fn asked(&self, ctx: &Context, slug: &str, id: &str) -> Result<Option<Asked>, SamlError> {
        let found = self.core.volatile.peek(Shelf::Outcome, &question_key(slug, id), ctx.now()).await?;
        let question: Option<Question> = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(question.map(|Question { at, force_authn, contexts }| Asked {
            id: id.to_owned(),
            at,
            force_authn,
            contexts,
        }))
    }

    /// An assertion counts once, on all nodes.
    async fn only_once(&self, ctx: &Context, asserted: &Asserted) -> Result<(), SamlError> {
        let key = fingerprint(format!("saml assertion {} {}", asserted.issuer, asserted.assertion).as_bytes());
        let until = asserted.usable_until;
        if self.core.volatile.put(Shelf::Replay, key, Vec::new(), until, ctx.now()).await? {
            return Ok(());
        }
        Err(refuse(Reason::Replay, "this assertion was used before").into())
    }

    /// One line for the log, one event for the audit trail; never what the message said.
    pub(super) async fn refused(&self, ctx: &Context, slug: &str, refusal: &Refusal) -> Result<(), Trouble> {
        tracing::warn!(provider = slug, request = request(ctx), %refusal, "a SAML message is not believed");
        note_refusal(ctx, refusal);
        self.note(ctx, slug, &format!("saml_{}", refusal.reason.as_str())).await
    }

    /// What is known of a provider; that it cannot be reached is audited.
    pub(super) async fn reached(&self, ctx: &Context, provider: &Provider) -> Result<Arc<Known>, SamlError> {
        match provider.known(&self.core.database, ctx.now()).await {
            Err(error @ SamlError::Unavailable { .. }) => {
                if let SamlError::Unavailable { code, why, .. } = &error {
                    ctx.note("provider_failed", Facts::new().code("reason", code).sentence("detail", why));
                }
                tracing::warn!(%error, "a sign-in with an identity provider failed");
                self.note(ctx, &provider.settings.slug, "saml_unavailable").await?;
                Err(error)
            }
            known => known,
        }
    }

    /// Writes a failure down, under the id of the request, which the page shows.
    async fn note(&self, ctx: &Context, slug: &str, code: &str) -> Result<(), Trouble> {
        self.core.metrics.sign_in(SignInWay::Provider, SignInOutcome::Failed);
        let mut tx = self.core.database.begin().await?;
        let detail = serde_json::json!({ "reason": code, "source": Source::provider(slug) });
        ctx.record(&mut tx, Event { act: Act::SignInFailed, subject: None, detail }).await?;
        Ok(tx.commit().await?)
    }
}

fn refuse(reason: Reason, detail: &str) -> Refusal {
    Refusal::from_memory(reason, detail)
}

/// What the corridor is told.
fn arrival(settings: &ProviderSettings, one: &Asserted, us: &str) -> Result<Vouched, Refusal> {
    let values = |name: &str| {
        let named = |attribute: &&crate::connect::saml::Attribute| {
            attribute.name == name || attribute.friendly_name.as_deref() == Some(name)
        };
        one.attributes.iter().find(named).map(|attribute| attribute.values.clone())
    };
    let subject = match &settings.subject_attribute {
        Some(name) => match values(name).as_deref() {
            Some([only]) if !only.trim().is_empty() => only.trim().to_owned(),
            _ => return Err(refuse(Reason::Subject, "the attribute that names the person is missing, or is several")),
        },
        None if one.subject.format.as_deref() == Some(TRANSIENT) => {
            return Err(refuse(Reason::Subject, "a transient name, and no subject_attribute"));
        }
        None => lasting_name(&one.subject, &one.issuer, us),
    };
    let mapped = settings.map.read(values);
    let mut attributes = mapped.attributes;
    attributes.email_verified = settings.trust_email && attributes.email.is_some();
    let stated = Stated::of(one.context.as_deref(), []);
    let methods = settings.trust.proves(&stated);
    let NameId { value, format, name_qualifier, sp_name_qualifier } = one.subject.clone();
    let kept = KeptName { value, format, name_qualifier, sp_name_qualifier };
    let upstream = Upstream {
        session: one.session_index.clone(),
        name_id: serde_json::to_string(&kept).ok(),
        stated,
        ends_at: one.session_ends,
        ..Upstream::default()
    };
    Ok(Vouched {
        source: settings.source(),
        issuer: one.issuer.clone(),
        subject,
        attributes,
        groups: mapped.groups,
        administrator: mapped.administrator,
        methods,
        authenticated_at: one.authenticated_at,
        upstream: Some(upstream),
    })
}

const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// A name is unique within its qualifiers (core §2.2.2); those that are anybody's default are left out, so that a provider
/// that begins to write them names nobody anew.
pub(super) fn lasting_name(name: &NameId, issuer: &str, us: &str) -> String {
    let own = |qualifier: &Option<String>, default: &str| {
        qualifier.as_deref().filter(|one| !one.is_empty() && *one != default).map(str::to_owned)
    };
    match (own(&name.name_qualifier, issuer), own(&name.sp_name_qualifier, us)) {
        (None, None) => name.value.clone(),
        (first, second) => {
            serde_json::json!([name.value, first.unwrap_or_default(), second.unwrap_or_default()]).to_string()
        }
    }
}
