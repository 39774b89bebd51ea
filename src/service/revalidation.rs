//! Asking providers whether they still stand by sessions that they vouched for: whoever is shut out there does not stay in
//! here. A definite no ends the session; a provider that does not answer ends nothing. By the clock, never in a request.

use super::context::Context;
use super::core::{Core, Trouble};
use super::lease::Leases;
use super::metrics::RevalidationOutcome;
use super::provider::{Oidc, Protocol, Provider, Providers};
use super::provider_session::end;
use super::resolve::{ResolveError, follow};
use super::sign_in::enter;
use crate::connect::oidc::{Known, OidcError};
use crate::domain::audit::Act;
use crate::domain::claims::Claims;
use crate::domain::claims_request::EssentialClaims;
use crate::domain::id_token::{self, Expected, Fault};
use crate::domain::identity::{Source, Upstream, Vouched};
use crate::domain::secret::Secret;
use crate::store::provider_session::{self, Meant, Vouching};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const LEASE: &str = "revalidation";
const TURN: Duration = Duration::from_mins(1);
/// Sessions that are read at once, and those that are asked about at the same time.
const BATCH: u32 = 100;
const AT_ONCE: usize = 8;
/// When a provider that did not answer is asked again, if not before by the operator's interval.
const AGAIN: Duration = Duration::from_mins(1);
/// An access token that is about to run out proves nothing by being refused.
const NEARLY_OVER: Duration = Duration::from_secs(30);

/// Asking again, over a core.
#[derive(Clone)]
pub struct Revalidation {
    core: Arc<Core>,
    providers: Providers,
}

/// What a provider says about a session.
enum Verdict {
    /// It stands by it. What it says about the person now, if it says anything.
    Stands(Option<Claims>),
    /// It does not.
    Refused(&'static str),
    /// It says nothing that could be understood as either.
    Unknown(String, bool),
    /// There is nothing (any more) to ask with.
    Mute,
}

impl From<OidcError> for Verdict {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::OtherSubject => Self::Refused("userinfo_sub"),
            OidcError::TokenRefused => Self::Refused("invalid_token"),
            OidcError::Refused(code) if code == "invalid_grant" => Self::Refused("invalid_grant"),
            other => Self::Unknown(other.to_string(), other.is_outage()),
        }
    }
}

impl From<Fault> for Verdict {
    fn from(fault: Fault) -> Self {
        match fault {
            // It is about somebody else, or by somebody else (Core section 12.2).
            Fault::Issuer | Fault::Subject | Fault::Audience | Fault::AuthorizedParty => Self::Refused(fault.code()),
            other => Self::Unknown(other.to_string(), false),
        }
    }
}

impl Revalidation {
    /// Asking again over a core, with these providers.
    #[must_use]
    pub const fn new(core: Arc<Core>, providers: Providers) -> Self {
        Self { core, providers }
    }

    /// Asks about every session whose time has come. One node at a time does.
    ///
    /// # Errors
    /// [`Trouble`]; the next round goes on.
    pub async fn round(&self, ctx: &Context) -> Result<(), Trouble> {
        if !self.providers.all().iter().any(|one| one.revalidates) {
            return Ok(());
        }
        let leases = Leases::new(Arc::clone(&self.core));
        leases.alone(ctx, LEASE, TURN, Box::pin(self.work(ctx))).await?.unwrap_or(Ok(()))
    }

    async fn work(&self, ctx: &Context) -> Result<(), Trouble> {
        let silent = Arc::new(Mutex::new(HashSet::new()));
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let due = {
                let mut link = self.core.database.read().await?;
                provider_session::due(&mut link, ctx.now(), BATCH).await?
            };
            let more = u32::try_from(due.len()).is_ok_and(|found| found >= BATCH);
            let mut running = JoinSet::new();
            for one in due {
                let (this, ctx) = (self.clone(), ctx.clone());
                let (silent, places) = (Arc::clone(&silent), Arc::clone(&places));
                // A task of its own: a token that was changed there must be kept here, whatever becomes of the lease.
                running.spawn(async move {
                    let _place = places.acquire().await;
                    this.one(&ctx, one, &silent).await
                });
            }
            while let Some(done) = running.join_next().await {
                match done {
                    Ok(done) => done?,
                    Err(error) => tracing::error!(%error, "asking a provider again did not end"),
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn one(&self, ctx: &Context, mut one: Vouching, silent: &Mutex<HashSet<Source>>) -> Result<(), Trouble> {
        let interval = self.core.policy.sources.get(&one.source).and_then(|rules| rules.revalidate);
        let (Some(provider), Some(interval)) = (self.providers.of(&one.source), interval) else {
            return self.claim(&one, None).await.map(drop);
        };
        let soon = ctx.now().after(interval.min(AGAIN));
        if !self.claim(&one, Some(soon)).await? {
            return Ok(());
        }
        let alive = self.core.volatile.sessions_of(one.account, ctx.now()).await?;
        if !alive.iter().any(|session| session.id == one.session) {
            // Nobody is in; a remembered browser that comes back is asked about then.
            return self.next(&one, Some(ctx.now().after(interval))).await;
        }
        if silent.lock().unwrap_or_else(PoisonError::into_inner).contains(&one.source) {
            return Ok(());
        }
        // SAML has nothing to ask with.
        let Protocol::Oidc(oidc) = &provider.protocol else { return self.next(&one, None).await };
        let inquiry = Inquiry { core: &self.core, oidc };
        match inquiry.ask(ctx, &mut one).await? {
            Verdict::Stands(news) => {
                self.core.metrics.revalidation(RevalidationOutcome::Stands);
                if let Some(claims) = news {
                    self.follow(ctx, &one, provider, &claims).await?;
                }
                self.next(&one, Some(ctx.now().after(interval))).await
            }
            Verdict::Refused(reason) => self.end(ctx, &one, reason).await,
            Verdict::Unknown(why, outage) => {
                self.core.metrics.revalidation(RevalidationOutcome::Unknown);
                tracing::warn!(source = %one.source, why, "a provider could not be asked whether a session may go on");
                if outage {
                    silent.lock().unwrap_or_else(PoisonError::into_inner).insert(one.source.clone());
                }
                Ok(())
            }
            Verdict::Mute => {
                self.core.metrics.revalidation(RevalidationOutcome::Unknown);
                tracing::warn!(
                    source = %one.source,
                    "the provider gave nothing to ask again with; perhaps it wants the scope offline_access"
                );
                self.next(&one, None).await
            }
        }
    }

    /// Ends the session under whatever name it has now.
    async fn end(&self, ctx: &Context, one: &Vouching, reason: &'static str) -> Result<(), Trouble> {
        self.core.metrics.revalidation(RevalidationOutcome::Ended);
        let mut rows = {
            let mut link = self.core.database.read().await?;
            provider_session::meant(&mut link, &one.source, &one.issuer, Meant::Subject(&one.subject)).await?
        };
        rows.retain(|row| row.sealed == one.sealed);
        let why = serde_json::json!({ "source": one.source, "reason": reason });
        tracing::info!(source = %one.source, reason, "a provider does not stand by a session any more");
        end(&self.core, ctx, rows, Act::SessionsRevoked, &why).await.map(drop)
    }

    async fn follow(&self, ctx: &Context, one: &Vouching, provider: &Provider, claims: &Claims) -> Result<(), Trouble> {
        let mapped = claims.mapped(&provider.attributes, provider.trust_email);
        let arrival = Vouched {
            source: one.source.clone(),
            issuer: one.issuer.clone(),
            subject: one.subject.clone(),
            attributes: mapped.attributes,
            groups: mapped.groups,
            administrator: mapped.administrator,
            methods: provider.trust.proves(&id_token::stated(&claims.id_token)),
            authenticated_at: ctx.now(),
            upstream: None,
        };
        match follow(&self.core, ctx, &arrival).await {
            Ok(()) | Err(ResolveError::Refused(_) | ResolveError::Ask(_)) => Ok(()),
            Err(ResolveError::Trouble(trouble)) => Err(trouble),
        }
    }

    async fn claim(&self, one: &Vouching, next: Option<crate::domain::time::Timestamp>) -> Result<bool, Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        let ours = provider_session::claim(&mut tx, one, next).await?;
        tx.commit().await?;
        Ok(ours)
    }

    async fn next(&self, one: &Vouching, next: Option<crate::domain::time::Timestamp>) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        provider_session::check_next(&mut tx, one, next).await?;
        Ok(tx.commit().await?)
    }
}

/// One question about one session.
struct Inquiry<'a> {
    core: &'a Core,
    oidc: &'a Oidc,
}

/// What an inquiry has in hand when it asks for userinfo.
struct Now<'a> {
    access: &'a Secret<String>,
    /// Claims of the ID token that came with a refresh.
    said: Option<Map<String, Value>>,
    /// Claims of the ID token of the sign-in.
    kept: Map<String, Value>,
    refreshed: bool,
}

impl Inquiry<'_> {
    async fn ask(&self, ctx: &Context, one: &mut Vouching) -> Result<Verdict, Trouble> {
        let Some(upstream) = one.sealed.as_deref().and_then(|sealed| enter::opened(self.core, sealed).ok()) else {
            return Ok(Verdict::Mute);
        };
        let known = match self.oidc.client.known(ctx.now()).await {
            Ok(known) => known,
            Err(error) => return Ok(error.into()),
        };
        let kept = upstream.id_token.as_deref().and_then(payload).unwrap_or_default();
        let (access, said) = match (&upstream.refresh_token, &upstream.access_token) {
            (Some(refresh), _) => {
                let assertion = ctx.uuid().to_string();
                let renewed = match self.oidc.client.renew(&known, refresh, (&assertion, ctx.now())).await {
                    Ok(renewed) => renewed,
                    Err(error) => return Ok(error.into()),
                };
                if let Some(next) = &renewed.refresh {
                    self.keep(ctx, one, upstream.clone(), next).await?;
                }
                let said = match &renewed.id_token {
                    None => None,
                    Some(token) => match self.renewed_claims(ctx, one, token, &renewed.access).await {
                        Ok(claims) => Some(claims),
                        Err(verdict) => return Ok(verdict),
                    },
                };
                (renewed.access, said)
            }
            (None, Some(access)) if ctx.now().after(NEARLY_OVER) < access.until => {
                (Secret::new(access.token.clone()), None)
            }
            _ => return Ok(Verdict::Mute),
        };
        let refreshed = upstream.refresh_token.is_some();
        let now = Now { access: &access, said, kept, refreshed };
        Ok(self.userinfo(ctx, one, &known, now).await)
    }

    /// What userinfo says now, over what the ID token says or said.
    async fn userinfo(&self, ctx: &Context, one: &Vouching, known: &Known, now: Now<'_>) -> Verdict {
        let Now { access, said, kept, refreshed } = now;
        match self.oidc.client.userinfo(known, access, &one.subject, ctx.now()).await {
            Ok(None) if !refreshed => Verdict::Mute,
            Ok(None) => Verdict::Stands(said.map(|id_token| Claims { userinfo: None, id_token })),
            Ok(userinfo) => Verdict::Stands(Some(Claims { userinfo, id_token: said.unwrap_or(kept) })),
            Err(error) => error.into(),
        }
    }

    /// The claims of an ID token that came with a refresh (Core section 12.2).
    async fn renewed_claims(
        &self,
        ctx: &Context,
        one: &Vouching,
        token: &str,
        access: &Secret<String>,
    ) -> Result<Map<String, Value>, Verdict> {
        let settings = self.oidc.client.settings();
        let verified = self.oidc.client.verified(token, ctx.now()).await?;
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            nonce: None,
            now: ctx.now(),
            max_age: None,
            access_token: Some((access.expose(), &verified.algorithm)),
            essential: &EssentialClaims::default(),
        };
        id_token::check(&verified.claims, &expected)?;
        if verified.claims.get("sub").and_then(Value::as_str) != Some(&one.subject) {
            return Err(Verdict::Refused(Fault::Subject.code()));
        }
        Ok(verified.claims)
    }

    /// Keeps the refresh token that takes the place of the one that was used, before anything else is asked.
    async fn keep(
        &self,
        ctx: &Context,
        one: &mut Vouching,
        upstream: Upstream,
        next: &Secret<String>,
    ) -> Result<(), Trouble> {
        let upstream = Upstream { refresh_token: Some(next.expose().clone()), ..upstream };
        let sealed = enter::sealed(self.core, ctx, &upstream)?;
        let mut tx = self.core.database.begin_beside().await?;
        provider_session::resealed(&mut tx, one, &sealed).await?;
        tx.commit().await?;
        one.sealed = Some(sealed);
        Ok(())
    }
}

/// The claims of a token that was believed when it came.
fn payload(token: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()
}
