//! `/account/identities`: who one is at identity providers and in directories; adding one, taking one away.

use super::when;
use crate::domain::identity::Vouched;
use crate::domain::password::PlainPassword;
use crate::domain::redirect::SafeRedirect;
use crate::service::caller::SignedIn;
use crate::service::identity::IdentityError;
use crate::service::password::ChangeError;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Guarded, Person, Visit};
use crate::web::page::outcome::Failure;
use crate::web::page::paths;
use crate::web::page::provider::{IdentitiesPage, IdentityAddPage, IdentityRow, ProviderButton, ProviderProblem};
use crate::web::page::words::{FieldProblem, Notice};
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
pub async fn remove(
    State(site): State<Arc<Site>>,
    Guarded(person): Guarded,
    fields: Fields,
) -> Result<Response, PageError> {
    let id = fields.text("identity").parse().map_err(|_| Failure::NotFound)?;
    let t = person.visit.texts();
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let problem = match site.identities.remove(&person.visit.ctx, &person.who, id, typed(&fields).as_ref()).await {
        Ok(()) => {
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_IDENTITIES)).of(&person.visit);
            return Ok(reply.notice(&site, Notice::IdentityRemoved).done());
        }
        Err(IdentityError::Password(ChangeError::WrongPassword)) => FieldProblem::WrongPassword.text(t),
        Err(IdentityError::LastWayIn) => t.msg("identities-last-way"),
        Err(IdentityError::FreshProofNeeded) => return Err(PageError::Confirm),
        Err(other) => return Err(other.into()),
    };
    page(&site, &person, refused, Some(problem)).await
}

/// `GET /account/identities/add?question=…`: shows who would be added. Nothing is added by following a link.
pub async fn get_add(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    Guarded(person): Guarded,
) -> Result<Response, PageError> {
    let question = Query::of(query.as_deref()).text("question");
    add_page(&site, &person, StatusCode::OK, &question, None).await
}

/// `POST /account/identities/add`
pub async fn post_add(
    State(site): State<Arc<Site>>,
    Guarded(person): Guarded,
    fields: Fields,
) -> Result<Response, PageError> {
    let question = fields.text("question");
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    match site.identities.add(&person.visit.ctx, &person.who, question, typed(&fields).as_ref()).await {
        Ok(()) => {
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_IDENTITIES)).of(&person.visit);
            Ok(reply.notice(&site, Notice::IdentityAdded).done())
        }
        Err(IdentityError::Password(ChangeError::WrongPassword)) => {
            let wrong = FieldProblem::WrongPassword.text(person.visit.texts());
            add_page(&site, &person, refused, question, Some(wrong)).await
        }
        Err(IdentityError::FreshProofNeeded) => Err(PageError::Confirm),
        Err(other) => Err(other.into()),
    }
}

/// Somebody came back from a provider to add an identity: keeps it, and asks.
pub(in crate::web) async fn asked(
    site: &Site,
    visit: &Visit,
    who: &SignedIn,
    arrival: Vouched,
) -> Result<Response, PageError> {
    let slug = arrival.source.slug().to_owned();
    let name = site.core.policy.sources.get(&arrival.source).map_or_else(|| slug.clone(), |rules| rules.name.clone());
    let source = arrival.source.clone();
    match site.identities.ask(&visit.ctx, who, arrival).await {
        Ok(question) => {
            site.traces.keep(&visit.ctx, &source, "asked_to_add");
            let here = format!("{}?question={question}", paths::ACCOUNT_IDENTITIES_ADD);
            let target = SafeRedirect::parse(&here, &[]).ok_or(Failure::Internal)?;
            Ok(Reply::see_other(&target).of(visit).done())
        }
        Err(IdentityError::Refused(refusal)) => {
            site.traces.keep(&visit.ctx, &source, refusal.code());
            problem_page(site, visit, (&slug, &name), ProviderProblem::Refused(refusal))
        }
        Err(other) => Err(other.into()),
    }
}

fn typed(fields: &Fields) -> Option<PlainPassword> {
    PlainPassword::typed(fields.text("password")).ok()
}

async fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let Person { visit, who } = person;
    let overview = site.identities.overview(&visit.ctx, who).await?;
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
        username: account.username.clone(),
        identities: rows.collect(),
        addable: overview
            .addable
            .into_iter()
            .filter(|(slug, _)| site.providers.named(slug).is_some())
            .map(|(slug, name)| ProviderButton::new(&site.brand, (&slug, &name), format!("/login/{slug}?add=1")))
            .collect(),
        password_needed: overview.password_needed,
        problem,
    };
    Ok(Reply::page_with(site, visit, status, &page)?.done())
}

async fn add_page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    question: &str,
    password_error: Option<String>,
) -> Result<Response, PageError> {
    let Person { visit, who } = person;
    let offer = site.identities.offer(&visit.ctx, who, question).await?;
    if offer.proof_needed {
        return Err(PageError::Confirm);
    }
    let said = offer.attributes;
    let known = [said.name, said.email, said.username].into_iter().flatten().next();
    let account = &who.card().account;
    let page = IdentityAddPage {
        shell: visit.shell(site),
        person: account.name.clone(),
        username: account.username.clone(),
        provider: offer.source,
        who: known.unwrap_or(offer.subject),
        question: question.to_owned(),
        password_needed: offer.password_needed,
        password_error,
    };
    Ok(Reply::page_with(site, visit, status, &page)?.done())
}
