//! What is below `/login/{slug}` for SAML providers only: the provider's answer, signing out there and from there, our metadata.
//! Going there is `provider.rs`, as for every provider.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::Visit;
use super::foreign_form::ForeignMessage;
use super::logout::signed_out;
use super::page::Shell;
use super::page::going::GoingPage;
use super::page::outcome::Failure;
use super::page::provider::ProviderProblem;
use super::page::sign_in::There;
use super::provider::{arrived_reply, problem, problem_page};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::redirect::SafeRedirect;
use crate::service::provider::{Protocol, Provider};
use crate::service::saml::{Carried, Field, GoingForm, LogoutOutcome, Onward, SamlError, SignedOut};
use crate::service::sign_in::departure::Brings;
use crate::service::sign_in::oidc::ProviderError;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::Arc;

/// The provider of this slug, if it speaks SAML.
fn spoken<'a>(site: &'a Site, slug: &str) -> Result<&'a Provider, PageError> {
    let known = site.providers.named(slug).filter(|one| matches!(one.protocol, Protocol::Saml));
    Ok(known.ok_or(Failure::NotFound)?)
}

/// `POST /login/{slug}/acs`: the provider's answer, brought from another site and so without our cookies.
pub async fn post_answer(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    visit: Visit,
    mut fields: ForeignMessage,
) -> Result<Response, PageError> {
    let provider = spoken(&site, &slug)?;
    let message = fields.take("SAMLResponse").ok_or(Failure::BadRequest)?;
    let handle = match site.saml.accept(&visit.ctx, &slug, message).await {
        Ok(handle) => handle,
        Err(error) => return problem(&site, &visit, provider, error.into()),
    };
    let here = SafeRedirect::parse(&format!("/login/{slug}/acs?outcome={handle}"), &[]).ok_or(Failure::Internal)?;
    Ok(Reply::see_other(&here).done())
}

/// `GET /login/{slug}/acs`: the browser itself, with the cookie that shows that it is the one that left.
pub async fn get_answer(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, PageError> {
    let provider = spoken(&site, &slug)?;
    let handle = Query::of(query.as_deref()).text("outcome");
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let brings = Brings { person: visit.person.clone(), device: jar.device(&headers) };
    let arrived = site.saml.arrive(&visit.ctx, &slug, &handle, jar.attempt(&headers).as_ref(), brings).await;
    arrived_reply(&site, &visit, provider, arrived.map_err(ProviderError::from)).await
}

/// `GET /login/{slug}/metadata`: who we are, for the provider.
pub async fn get_metadata(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, PageError> {
    let provider = spoken(&site, &slug)?;
    let xml = match site.saml.metadata(&visit.ctx, &slug).await {
        Ok(xml) => xml,
        Err(error) => return problem(&site, &visit, provider, error.into()),
    };
    let mut response = Response::new(Body::from(xml));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/samlmetadata+xml"));
    Ok(response)
}

/// `GET /login/{slug}/slo`: a logout message by redirect.
pub async fn get_logout(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let carried = Carried::Redirect(query.unwrap_or_default());
    logout(&site, &visit, &slug, carried).await
}

/// `POST /login/{slug}/slo`: a logout message by form, from another site.
pub async fn post_logout(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    visit: Visit,
    mut fields: ForeignMessage,
) -> Result<Response, PageError> {
    spoken(&site, &slug)?;
    let (field, message) = match (fields.take("SAMLRequest"), fields.take("SAMLResponse")) {
        (Some(message), None) => (Field::Request, message),
        (None, Some(message)) => (Field::Response, message),
        _ => return Err(Failure::BadRequest.into()),
    };
    let carried = Carried::Post { field, message, relay_state: fields.take("RelayState") };
    logout(&site, &visit, &slug, carried).await
}

async fn logout(site: &Arc<Site>, visit: &Visit, slug: &str, carried: Carried) -> Result<Response, PageError> {
    let provider = spoken(site, slug)?;
    match site.saml.logout(&visit.ctx, slug, carried).await {
        Ok(LogoutOutcome::Answer(Onward::Redirect(address))) => Ok(Reply::away_to(&address).done()),
        Ok(LogoutOutcome::Answer(Onward::Form(form))) => Ok(form_reply(site, visit, form, true)?.done()),
        Ok(LogoutOutcome::Over(how)) => {
            let there = match how {
                SignedOut::Everywhere => There::SignedOut,
                SignedOut::HereOnly => There::Partly,
            };
            signed_out(site, visit, StatusCode::OK, Some((there, provider.name.clone())))
        }
        Err(SamlError::Refused(_)) => {
            let named = (slug, provider.name.as_str());
            problem_page(site, visit, named, (ProviderProblem::SignOutNotBelieved, None))
        }
        Err(error) => problem(site, visit, provider, error.into()),
    }
}

/// Sends the browser to a provider to sign in.
pub(super) fn onward_reply(site: &Site, visit: &Visit, onward: Onward) -> Result<Reply, PageError> {
    match onward {
        Onward::Redirect(address) => Ok(Reply::away_to(&address)),
        Onward::Form(form) => form_reply(site, visit, form, false),
    }
}

/// The page that brings a message by a form, to somebody who is signed out here or not.
pub(super) fn form_reply(site: &Site, visit: &Visit, form: GoingForm, signed_out: bool) -> Result<Reply, PageError> {
    let action = form.action.clone();
    let shell = visit.shell(site);
    let shell = if signed_out { Shell { face: None, ..shell } } else { shell };
    let page = GoingPage { shell, form, signed_out };
    Ok(Reply::page(site, visit, &page)?.scripted(true).leading_to(Some(&action)).leading_on())
}
