//! Verifier: an OpenID provider, by the authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE, nonce and
//! a state that only the browser which left can bring back.

use super::answer::Answer;
use super::departure::{Brings, Departure, Errand};
use super::{AttemptHandle, Outcome, SignIn, SignInError};
use crate::connect::oidc::jws::Verified;
use crate::connect::oidc::{Known, OidcError, Question, Tokens};
use crate::domain::audit::{Act, Event};
use crate::domain::claims::Claims;
use crate::domain::claims_request::Document;
use crate::domain::id_token::{self, Expected, Fault};
use crate::domain::identity::{AccessToken, Source, Upstream, Vouched};
use crate::domain::sign_in::Way;
use crate::domain::time::Timestamp;
use crate::domain::trace::Facts;
use crate::service::context::Context;
use crate::service::core::Trouble;
use crate::service::metrics::SignInOutcome;
use crate::service::provider::{Oidc, Provider};
use crate::service::trace::MAPPED;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// What must be remembered while a browser is away.
#[derive(Clone, Serialize, Deserialize)]
struct Secrets {
    nonce: String,
    verifier: String,
}

/// What somebody wants to go to a provider for.
#[derive(Clone, Debug)]
pub struct Going {
    /// What for.
    pub errand: Errand,
    /// Where to go afterwards; checked before.
    pub return_to: Option<String>,
    /// Stay logged in.
    pub stay: bool,
    /// The secret of the invitation that the browser came with.
    pub invitation: Option<String>,
}

/// A browser that is about to leave.
pub struct Leaving {
    /// Where to.
    pub address: String,
    /// Goes into its attempt cookie.
    pub browser: AttemptHandle,
}

/// Where an answer leads.
pub enum Arrived {
    /// Along the corridor.
    SignedIn(Outcome),
    /// To the question whether this identity shall be added to the account.
    ToAdd(Box<Vouched>),
}

/// Why an answer leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The answer belongs to no question of this browser's, or comes too late or twice.
    #[error("this answer belongs to no open question of this browser")]
    Outdated,
    /// The person, or the provider for them, said no.
    #[error("the provider refuses: {0}")]
    Declined(String),
    /// The provider is not there, or not in order.
    #[error("the provider cannot be asked")]
    Away,
    /// What the provider said is not believed. The code is for the administrator.
    #[error("the answer is not believed: {0}")]
    NotBelieved(&'static str),
    /// Somebody is vouched for, and goes no further.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl ProviderError {
    /// For the trace.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Outdated => "outdated",
            Self::Declined(_) => "declined",
            Self::Away => "away",
            Self::NotBelieved(code) => code,
            Self::SignIn(error) => error.code(),
        }
    }
}

impl From<Trouble> for ProviderError {
    fn from(trouble: Trouble) -> Self {
        Self::SignIn(trouble.into())
    }
}

impl SignIn {
    /// Sends a browser to an OpenID provider.
    ///
    /// # Errors
    /// [`ProviderError::Away`] when its metadata is not known and cannot be read.
    pub async fn leave_for_oidc(
        &self,
        ctx: &Context,
        (provider, oidc): (&Provider, &Oidc),
        browser: Option<AttemptHandle>,
        going: Going,
    ) -> Result<Leaving, ProviderError> {
        let known = match oidc.client.known(ctx.now()).await {
            Ok(known) => known,
            Err(error) => return Err(self.failed_there(ctx, &provider.source, &error).await?),
        };
        let random = || URL_SAFE_NO_PAD.encode(ctx.bytes::<32>());
        let secrets = Secrets { nonce: random(), verifier: random() };
        let state = self.state(ctx, &provider.source)?;
        let anew = matches!(going.errand, Errand::Confirm(..));
        let question = Question { state: &state, nonce: &secrets.nonce, verifier: &secrets.verifier, anew };
        let address = match oidc.client.authorization(&known, &question) {
            Ok(address) => address,
            Err(error) => return Err(self.failed_there(ctx, &provider.source, &error).await?),
        };
        let departure = Departure {
            source: provider.source.clone(),
            errand: going.errand,
            return_to: going.return_to,
            stay: going.stay,
            invitation: going.invitation,
            left_at: ctx.now(),
            protocol: secrets,
        };
        let browser = self.depart(ctx, browser, &state, &departure).await?;
        Ok(Leaving { address, browser })
    }

    /// Takes up what a browser brings back from an OpenID provider.
    ///
    /// # Errors
    /// [`ProviderError`]; audited.
    pub async fn return_from_oidc(
        &self,
        ctx: &Context,
        (provider, oidc): (&Provider, &Oidc),
        browser: Option<&AttemptHandle>,
        answer: Answer,
        brings: Brings,
    ) -> Result<Arrived, ProviderError> {
        let source = &provider.source;
        let departure = match self.arrive::<Secrets>(ctx, browser, &answer.state, source).await {
            Ok(departure) => departure,
            Err(SignInError::Outdated) => return Err(ProviderError::Outdated),
            Err(other) => return Err(other.into()),
        };
        departure.note(ctx);
        let known = match oidc.client.known(ctx.now()).await {
            Ok(known) => known,
            Err(error) => return Err(self.failed_there(ctx, source, &error).await?),
        };
        // RFC 9207: whoever answers must be whom we asked, for refusals too.
        let settings = oidc.client.settings();
        let named = answer.iss.as_ref().map_or(!known.metadata.names_issuer, |iss| *iss == settings.issuer);
        if !named {
            return Err(self.not_believed(ctx, source, "response_iss").await?);
        }
        if let Some(error) = answer.error {
            ctx.note("declined", Facts::new().code("error", &error));
            self.note(ctx, source, "declined").await?;
            return Err(ProviderError::Declined(error));
        }
        let code = answer.code.unwrap_or_default();
        let proved_since = matches!(departure.errand, Errand::Confirm(..)).then_some(departure.left_at);
        let round = Round { provider, oidc, known: &known, secrets: &departure.protocol, proved_since };
        let mut arrival = match tokio::time::timeout(settings.fetch.timeout, round.arrival(ctx, &code)).await {
            Ok(Ok(arrival)) => arrival,
            Ok(Err(Doubt::Provider(error))) => return Err(self.failed_there(ctx, source, &error).await?),
            Ok(Err(Doubt::Claims(fault))) => return Err(self.not_believed(ctx, source, fault.code()).await?),
            Err(_) => {
                self.note(ctx, source, "fetch_too_slow").await?;
                return Err(ProviderError::Away);
            }
        };
        departure.dates(&mut arrival);
        match departure.errand {
            Errand::SignIn => Ok(Arrived::SignedIn(self.enter(ctx, arrival, departure.wishes(brings)).await?)),
            Errand::Confirm(account, factor) => {
                let owner = brings.person.filter(|person| person.account() == account);
                let owner = owner.ok_or(ProviderError::Outdated)?;
                let outcome = self.step_up_by_source(ctx, &owner, arrival, (departure.return_to, factor)).await?;
                Ok(Arrived::SignedIn(outcome))
            }
            Errand::AddTo(account) if ctx.actor.account() == Some(account) => Ok(Arrived::ToAdd(Box::new(arrival))),
            Errand::AddTo(_) => Err(ProviderError::Outdated),
        }
    }

    async fn failed_there(&self, ctx: &Context, source: &Source, error: &OidcError) -> Result<ProviderError, Trouble> {
        tracing::warn!(%source, %error, "a sign-in with an identity provider failed");
        ctx.note("provider_failed", Facts::new().code("reason", error.code()).sentence("detail", &error.to_string()));
        if error.is_outage() {
            self.note(ctx, source, error.code()).await?;
            return Ok(ProviderError::Away);
        }
        self.not_believed(ctx, source, error.code()).await
    }

    async fn not_believed(&self, ctx: &Context, source: &Source, code: &'static str) -> Result<ProviderError, Trouble> {
        ctx.note("not_believed", Facts::new().code("reason", code));
        self.note(ctx, source, code).await?;
        Ok(ProviderError::NotBelieved(code))
    }

    /// Writes a failure down, under the id of the request, which the page shows.
    async fn note(&self, ctx: &Context, source: &Source, code: &'static str) -> Result<(), Trouble> {
        self.core.metrics.sign_in(super::open::counted(Way::Provider), SignInOutcome::Failed);
        let mut tx = self.core.database.begin().await?;
        let detail = serde_json::json!({ "reason": code, "source": source });
        ctx.record(&mut tx, Event { act: Act::SignInFailed, subject: None, detail }).await?;
        Ok(tx.commit().await?)
    }
}

/// Why an answer is not believed.
enum Doubt {
    Provider(OidcError),
    Claims(Fault),
}

impl From<OidcError> for Doubt {
    fn from(error: OidcError) -> Self {
        Self::Provider(error)
    }
}

impl From<Fault> for Doubt {
    fn from(fault: Fault) -> Self {
        Self::Claims(fault)
    }
}

/// One round trip that has come back.
struct Round<'a> {
    provider: &'a Provider,
    oidc: &'a Oidc,
    known: &'a Known,
    secrets: &'a Secrets,
    /// Since when the person must have signed in there.
    proved_since: Option<Timestamp>,
}

impl Round<'_> {
    /// From a code to somebody who is vouched for.
    async fn arrival(&self, ctx: &Context, code: &str) -> Result<Vouched, Doubt> {
        let (client, now) = (&self.oidc.client, ctx.now());
        let settings = client.settings();
        let assertion = ctx.uuid().to_string();
        let tokens = client.redeem(self.known, code, &self.secrets.verifier, (&assertion, now)).await?;
        let token = client.verified(&tokens.id_token, now).await?;
        self.note_token(ctx, &token);
        // Tokens of other kinds are signed with the same keys (RFC 8725 section 3.11).
        if token.kind.as_ref().is_some_and(|kind| kind.to_ascii_lowercase().contains("+jwt")) {
            return Err(Fault::Kind.into());
        }
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            nonce: Some(&self.secrets.nonce),
            now,
            max_age: match self.proved_since {
                Some(since) => Some(u32::try_from(now.since(since).as_secs()).unwrap_or(u32::MAX)),
                None => settings.max_age,
            },
            access_token: Some((tokens.access.expose(), &token.algorithm)),
            essential: &self.oidc.essential,
        };
        id_token::check(&token.claims, &expected)?;
        let subject = token.claims.get("sub").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let userinfo = client.userinfo(self.known, &tokens.access, &subject, now).await?;
        self.note_userinfo(ctx, userinfo.as_ref());
        let essential = &self.oidc.essential;
        let met = userinfo
            .as_ref()
            .map_or(!essential.are_wanted(Document::Userinfo), |claims| essential.are_met(Document::Userinfo, claims));
        if !met {
            return Err(Fault::Essential.into());
        }
        let claims = Claims { userinfo, id_token: token.claims };
        let arrival = self.vouch(&claims, subject, &tokens, now);
        ctx.note(MAPPED, arrival.noted());
        Ok(arrival)
    }

    fn note_token(&self, ctx: &Context, token: &Verified) {
        let facts = Facts::new().code("algorithm", &token.algorithm);
        let issued = token.claims.get("iat").and_then(serde_json::Value::as_f64);
        #[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest number")]
        let facts = match issued {
            Some(issued) => facts.number("clock_ahead", (issued as i64).saturating_sub(ctx.now().seconds())),
            None => facts,
        };
        ctx.note("id_token", facts.claims(&token.claims, &self.provider.attributes, ctx.now()));
    }

    fn note_userinfo(&self, ctx: &Context, userinfo: Option<&serde_json::Map<String, serde_json::Value>>) {
        if let Some(claims) = userinfo {
            ctx.note("userinfo", Facts::new().claims(claims, &self.provider.attributes, ctx.now()));
        }
    }

    fn vouch(&self, claims: &Claims, subject: String, tokens: &Tokens, now: Timestamp) -> Vouched {
        let mapped = claims.mapped(&self.provider.attributes, self.provider.trust_email);
        let keeps = self.provider.revalidates;
        let (refresh_token, access_token) = if keeps { kept(tokens, now) } else { (None, None) };
        let stated = id_token::stated(&claims.id_token);
        Vouched {
            source: self.provider.source.clone(),
            issuer: self.oidc.client.settings().issuer.clone(),
            subject,
            attributes: mapped.attributes,
            groups: mapped.groups,
            administrator: mapped.administrator,
            methods: self.provider.trust.proves(&stated),
            authenticated_at: id_token::authenticated_at(&claims.id_token).map_or(now, |at| at.min(now)),
            upstream: Some(Upstream {
                session: claims.id_token.get("sid").and_then(serde_json::Value::as_str).map(str::to_owned),
                id_token: Some(tokens.id_token.clone()),
                name_id: None,
                refresh_token,
                access_token,
                stated,
                ends_at: None,
                since: None,
            }),
        }
    }
}

/// What is kept to ask again with: the refresh token, or else the access token while it is good.
pub(in crate::service) fn kept(tokens: &Tokens, now: Timestamp) -> (Option<String>, Option<AccessToken>) {
    if let Some(refresh) = &tokens.refresh {
        return (Some(refresh.expose().clone()), None);
    }
    let access = |lifetime| AccessToken { token: tokens.access.expose().clone(), until: now.after(lifetime) };
    (None, tokens.lifetime.map(access))
}
