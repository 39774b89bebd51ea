//! `/account/identities`: who one is at identity providers and in directories; adding one, taking one away.

use super::when;
use crate::domain::identity::Vouched;
use crate::domain::redirect::SafeRedirect;
use crate::service::caller::SignedIn;
use crate::service::core::fingerprint;
use crate::service::identity::IdentityError;
use crate::web::cookies::Jar;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Fresh, Person, Visit, form_token, form_token_is_ours};
use crate::web::page::outcome::Failure;
use crate::web::page::paths;
use crate::web::page::provider::{IdentitiesPage, IdentityAddPage, IdentityRow, ProviderButton, ProviderProblem};
use crate::web::page::words::Notice;
use crate::web::provider::problem_page;
use crate::web::respond::Reply;
use crate::web::site::Site;
use crate::web::verify::Query;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /account/identities`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    page(&site, &person, StatusCode::OK, None).await
}

/// `POST /account/identities/remove`
pub async fn remove(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let id = fields.text("identity").parse().map_err(|_| Failure::NotFound)?;
    match site.identities.remove(&fresh.visit.ctx, &fresh.who, id).await {
        Ok(()) => {
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_IDENTITIES)).of(&fresh.visit);
            Ok(reply.notice(&site, Notice::IdentityRemoved).done())
        }
        Err(IdentityError::LastWayIn) => {
            let problem = fresh.visit.texts().msg("identities-last-way");
            page(&site, &fresh.into(), StatusCode::UNPROCESSABLE_ENTITY, Some(problem)).await
        }
        Err(other) => Err(other.into()),
    }
}

/// `GET /account/identities/add?question=…`: shows who would be added. Nothing is added by following a link.
pub async fn get_add(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    Fresh { visit, who }: Fresh,
) -> Result<Response, PageError> {
    let question = Query::of(query.as_deref()).text("question");
    let name = asked_here(&visit, &question)?;
    let offer = match site.identities.offer(&visit.ctx, &who, name).await {
        Ok(offer) => offer,
        Err(error) => return not_added(&site, &visit, error),
    };
    let said = offer.attributes;
    let known = [said.name, said.email, said.username].into_iter().flatten().next();
    let page = IdentityAddPage {
        shell: visit.shell(&site),
        person: who.card().account.name.clone(),
        provider: offer.source,
        directory: offer.directory,
        who: known.unwrap_or(offer.subject),
        question,
    };
    let target = offer.return_to.as_deref().and_then(|text| site.redirect(text));
    let reply = Reply::page(&site, &visit, &page)?;
    Ok(reply.leading_to(target.as_ref().map(SafeRedirect::as_str)).done())
}

/// `POST /account/identities/add`
pub async fn post_add(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let name = asked_here(&fresh.visit, fields.text("question"))?;
    let wanted = match site.identities.add(&fresh.visit.ctx, &fresh.who, name).await {
        Ok(wanted) => wanted,
        Err(error) => return not_added(&site, &fresh.visit, error),
    };
    if let Some(target) = wanted.and_then(|text| site.redirect(&text)) {
        return Ok(Reply::see_other(&target).of(&fresh.visit).done());
    }
    let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_IDENTITIES)).of(&fresh.visit);
    Ok(reply.notice(&site, Notice::IdentityAdded).done())
}

/// Where the question of this name is asked: in this browser alone, or whoever comes from a provider with somebody else's
/// address could send them the link.
pub(in crate::web) fn add_address(visit: &Visit, name: &str) -> String {
    let seal = form_token(&visit.csrf, Some(&fingerprint(name.as_bytes())));
    format!("{}?question={name}.{seal}", paths::ACCOUNT_IDENTITIES_ADD)
}

/// The name of a question that was put to this browser.
fn asked_here<'a>(visit: &Visit, question: &'a str) -> Result<&'a str, PageError> {
    let (name, seal) = question.split_once('.').ok_or(Failure::NotFound)?;
    let is_ours = form_token_is_ours(&visit.csrf, Some(&fingerprint(name.as_bytes())), seal);
    if is_ours { Ok(name) } else { Err(Failure::NotFound.into()) }
}

/// Somebody came back from a provider to add an identity: keeps it, and asks.
pub(in crate::web) async fn asked(
    site: &Site,
    visit: &Visit,
    who: &SignedIn,
    arrival: Vouched,
) -> Result<Response, PageError> {
    let source = arrival.source.clone();
    match site.identities.ask(&visit.ctx, who, arrival).await {
        Ok(question) => {
            site.traces.keep(&visit.ctx, &source, "asked_to_add");
            let target = SafeRedirect::parse(&add_address(visit, &question), &[]).ok_or(Failure::Internal)?;
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let known = jar.set_csrf(&site.surroundings, &visit.csrf);
            Ok(Reply::see_other(&target).of(visit).cookie(known).done())
        }
        Err(error) => {
            if let IdentityError::Refused(refusal, _) = &error {
                site.traces.keep(&visit.ctx, &source, refusal.code());
            }
            not_added(site, visit, error)
        }
    }
}

/// The page that says what is in the way of an identity.
fn not_added(site: &Site, visit: &Visit, error: IdentityError) -> Result<Response, PageError> {
    let IdentityError::Refused(refusal, source) = error else { return Err(error.into()) };
    let slug = source.slug();
    let name = site.core.policy.sources.get(&source).map_or(slug, |rules| &rules.name);
    problem_page(site, visit, (slug, name), (ProviderProblem::Refused(refusal), None))
}

async fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let Person { visit, who } = person;
    let overview = site.identities.overview(who).await?;
    let rows = overview.identities.into_iter().map(|listed| IdentityRow {
        id: listed.identity.id.to_string(),
        source: listed.name.unwrap_or_else(|| listed.identity.source.slug().to_owned()),
        subject: listed.identity.subject,
        since: when(visit, who, listed.identity.created_at),
        last_used: listed.identity.last_used_at.map(|at| when(visit, who, at)),
        removable: listed.removable,
    });
    let account = &who.card().account;
    let page = IdentitiesPage {
        shell: visit.shell(site),
        person: account.name.clone(),
        identities: rows.collect(),
        addable: overview
            .addable
            .into_iter()
            .filter(|(slug, _)| site.providers.named(slug).is_some())
            .map(|(slug, name)| ProviderButton::new(&site.brand, (&slug, &name), format!("/login/{slug}?add=1")))
            .collect(),
        problem,
    };
    Ok(Reply::page_with(site, visit, status, &page)?.done())
}
