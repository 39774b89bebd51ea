//! `/login/{slug}`, `/login/{slug}/callback`: off to an identity provider, and back. The answer of a provider may come as a
//! cross-site POST, without any cookie of ours; then it is put aside, and the browser is sent to fetch it by a GET of our
//! own site, where the cookie must fit (`SameSite` stays `Lax`).

use super::account::identities::add_address;
use super::cookies::Jar;
use super::error::PageError;
use super::extract::{self, Visit};
use super::login::outcome_reply;
use super::page::outcome::Failure;
use super::page::paths;
use super::page::provider::{ProviderButton, ProviderProblem, ProviderProblemPage};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::redirect::SafeRedirect;
use crate::domain::resolve::Refusal;
use crate::service::provider::{Oidc, Protocol, Provider};
use crate::service::saml::Onward;
use crate::service::sign_in::SignInError;
use crate::service::sign_in::answer::Answer;
use crate::service::sign_in::departure::{Brings, Errand};
use crate::service::sign_in::oidc::{Arrived, Going, ProviderError};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use std::collections::HashMap;
use std::sync::Arc;

/// `GET /login/{slug}`
pub async fn get(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, PageError> {
    let provider = site.providers.named(&slug).ok_or(Failure::NotFound)?;
    let query = Query::of(query.as_deref());
    let wanted = query.text("return_to");
    let target = match wanted.as_str() {
        "" => None,
        text => Some(site.redirect(text).ok_or(Failure::ForeignTarget)?),
    };
    let (adds, confirms) = (query.text("add") == "1", query.text("confirm") == "1");
    let errand = match &visit.person {
        Some(person) if adds => {
            if !site.factors.is_fresh(&visit.ctx, person).await? {
                return Err(PageError::Confirm);
            }
            Errand::AddTo(person.account())
        }
        Some(person) if confirms => Errand::Confirm(person.account(), query.text("factor") == "1"),
        None if adds || confirms => return Err(PageError::SignIn),
        Some(_) => {
            return Ok(Reply::see_other(&target.unwrap_or(SafeRedirect::to(paths::ACCOUNT))).of(&visit).done());
        }
        None => Errand::SignIn,
    };
    let going = Going {
        errand,
        return_to: target.map(|target| target.as_str().to_owned()),
        stay: query.text("stay") == "1",
        invitation: Some(query.text("invitation")).filter(|token| !token.is_empty()),
    };
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let browser = jar.attempt(&headers);
    let left = match &provider.protocol {
        Protocol::Oidc(oidc) => site
            .sign_in
            .leave_for_oidc(&visit.ctx, (provider, oidc.as_ref()), browser, going)
            .await
            .map(|leaving| (Onward::Redirect(leaving.address), leaving.browser)),
        Protocol::Saml => match site.saml.depart(&visit.ctx, &slug, browser, going).await {
            Ok(departed) => Ok((departed.onward, departed.browser)),
            Err(error) => Err(error.into()),
        },
    };
    match left {
        Ok((onward, browser)) => {
            let cookie = jar.set_attempt(&site.surroundings, &browser);
            Ok(super::saml::onward_reply(&site, &visit, onward)?.cookie(cookie).done())
        }
        Err(error) => problem(&site, &visit, provider, error),
    }
}

/// `GET /login/{slug}/callback`
pub async fn get_callback(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, PageError> {
    let (provider, oidc) = spoken(&site, &slug)?;
    let fields = extract::parse(query.unwrap_or_default().as_bytes()).ok_or(Failure::BadRequest)?;
    let posted = fields.get("outcome");
    let answer = match posted {
        Some(name) => match site.sign_in.fetch_aside(&visit.ctx, &provider.source, name).await? {
            Some(answer) => answer,
            None => return problem(&site, &visit, provider, ProviderError::Outdated),
        },
        None => answer(&fields),
    };
    // A code that should have come by POST stands in logs and histories now.
    let in_the_open = posted.is_none() && oidc.client.settings().form_post && answer.code.is_some();
    if in_the_open || !answer.is_plausible() {
        return problem(&site, &visit, provider, ProviderError::Outdated);
    }
    arrive(&site, &visit, &headers, (provider, oidc), answer).await
}

/// `POST /login/{slug}/callback`: from the provider's page, so without our cookies. Only what can be said without them is
/// checked here.
pub async fn post_callback(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    visit: Visit,
    extract::ForeignFields(fields): extract::ForeignFields,
) -> Result<Response, PageError> {
    let (provider, oidc) = spoken(&site, &slug)?;
    let answer = answer(&fields);
    let ours = || site.sign_in.knows_state(&provider.source, &answer.state, visit.ctx.now());
    if !oidc.client.settings().form_post || !answer.is_plausible() || !ours() {
        return problem(&site, &visit, provider, ProviderError::Outdated);
    }
    let name = site.sign_in.put_aside(&visit.ctx, &provider.source, &answer).await?;
    let here = format!("/login/{}/callback?outcome={name}", provider.source.slug());
    let target = SafeRedirect::parse(&here, &[]).ok_or(Failure::Internal)?;
    Ok(Reply::see_other(&target).done())
}

/// The provider of this slug, if it speaks OpenID Connect.
fn spoken<'a>(site: &'a Site, slug: &str) -> Result<(&'a Provider, &'a Oidc), PageError> {
    let provider = site.providers.named(slug).ok_or(Failure::NotFound)?;
    match &provider.protocol {
        Protocol::Oidc(oidc) => Ok((provider, oidc)),
        Protocol::Saml => Err(Failure::NotFound.into()),
    }
}

/// The answer in a query or a posted form; `None` when it is malformed.
#[must_use]
pub fn read_answer(bytes: &[u8]) -> Option<Answer> {
    extract::parse(bytes).map(|fields| answer(&fields))
}

fn answer(fields: &HashMap<String, String>) -> Answer {
    let some = |name: &str| fields.get(name).filter(|value| !value.is_empty()).cloned();
    Answer { state: some("state").unwrap_or_default(), code: some("code"), iss: some("iss"), error: some("error") }
}

async fn arrive(
    site: &Arc<Site>,
    visit: &Visit,
    headers: &HeaderMap,
    there: (&Provider, &Oidc),
    answer: Answer,
) -> Result<Response, PageError> {
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let browser = jar.attempt(headers);
    let brings = Brings { person: visit.person.clone(), device: jar.device(headers) };
    let arrived = site.sign_in.return_from_oidc(&visit.ctx, there, browser.as_ref(), answer, brings).await;
    arrived_reply(site, visit, there.0, arrived).await
}

/// Wherever an answer leads, whatever protocol brought it.
pub(super) async fn arrived_reply(
    site: &Arc<Site>,
    visit: &Visit,
    provider: &Provider,
    arrived: Result<Arrived, ProviderError>,
) -> Result<Response, PageError> {
    match arrived {
        Ok(Arrived::SignedIn(outcome)) => {
            site.traces.keep(&visit.ctx, &provider.source, outcome.code());
            Ok(outcome_reply(site, outcome))
        }
        Ok(Arrived::ToAdd(arrival)) => {
            let person = visit.person.as_ref().ok_or(PageError::SignIn)?;
            super::account::identities::asked(site, visit, person, *arrival).await
        }
        // A second tab, or the back button: they are in already.
        Err(ProviderError::Outdated) if visit.person.is_some() => {
            Ok(Reply::see_other(&SafeRedirect::to(paths::ACCOUNT)).of(visit).done())
        }
        Err(error) => problem(site, visit, provider, error),
    }
}

/// The page when it did not work.
pub(super) fn problem(
    site: &Site,
    visit: &Visit,
    provider: &Provider,
    error: ProviderError,
) -> Result<Response, PageError> {
    site.traces.keep(&visit.ctx, &provider.source, error.code());
    let mut onward = None;
    let problem = match error {
        ProviderError::SignIn(SignInError::LinkFirst(question)) => {
            let there = add_address(visit, &question);
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", &there).finish();
            onward = Some(format!("{}&{query}", paths::LOGIN_WAYS));
            ProviderProblem::LinkFirst
        }
        ProviderError::Outdated | ProviderError::SignIn(SignInError::Outdated) => ProviderProblem::Outdated,
        ProviderError::Declined(_) => ProviderProblem::Declined,
        ProviderError::Away => ProviderProblem::Away,
        ProviderError::NotBelieved(_) => ProviderProblem::NotBelieved,
        ProviderError::SignIn(SignInError::Unresolved(refusal)) => ProviderProblem::Refused(refusal),
        // The account was shut between finding it and opening the session.
        ProviderError::SignIn(SignInError::Refused) => ProviderProblem::Refused(Refusal::Locked),
        ProviderError::SignIn(other) => return Err(other.into()),
    };
    problem_page(site, visit, (provider.source.slug(), &provider.name), (problem, onward))
}

/// The page for a problem with the source of this slug and name; where it leads on to, if not to trying again there.
pub(super) fn problem_page(
    site: &Site,
    visit: &Visit,
    (slug, name): (&str, &str),
    (problem, onward): (ProviderProblem, Option<String>),
) -> Result<Response, PageError> {
    let trace = visit.ctx.request.map(|id| id.to_string()).unwrap_or_default();
    tracing::info!(provider = slug, ?problem, trace, "a sign-in with an identity provider ended");
    let page = ProviderProblemPage {
        shell: visit.shell(site),
        provider: name.to_owned(),
        problem,
        again: onward.unwrap_or_else(|| format!("/login/{slug}")),
        inside: visit.person.is_some(),
        trace,
    };
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::FORBIDDEN);
    Ok(Reply::page_with(site, visit, status, &page)?.done())
}

/// Where signing in with the provider of this slug begins; blank parameters are left out.
pub(super) fn start(slug: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    if query.is_empty() { format!("/login/{slug}") } else { format!("/login/{slug}?{query}") }
}

/// The buttons of a page, with what they take along.
pub(super) fn buttons(site: &Site, parameters: &[(&str, &str)]) -> Vec<ProviderButton> {
    let button = |provider: &Provider| {
        let slug = provider.source.slug();
        ProviderButton::new(&site.brand, (slug, &provider.name), start(slug, parameters))
    };
    site.providers.all().iter().map(button).collect()
}
