//! `/login/{slug}` and what is below it, for SAML providers: off to the provider, its answer, signing out there and from
//! there, our metadata.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::Visit;
use super::foreign_form::ForeignFields;
use super::login::outcome_reply;
use super::page::going::GoingPage;
use super::page::outcome::Failure;
use super::page::paths;
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::redirect::SafeRedirect;
use crate::service::saml::{Carried, Field, Going, LogoutOutcome, SignedOut};
use crate::service::sign_in::Wishes;
use crate::service::sign_in::departure::Errand;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

/// `GET /login/{slug}`: off to the provider.
pub async fn get(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, PageError> {
    let query = Query::of(query.as_deref());
    let wanted = query.text("return_to");
    let target = match wanted.as_str() {
        "" => None,
        text => Some(site.redirect(text).ok_or(Failure::BadRequest)?),
    };
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let wishes = Wishes {
        return_to: target.map(|target| target.as_str().to_owned()),
        stay: query.text("stay") == "1",
        ..Wishes::default()
    };
    let departed = site.saml.depart(&visit.ctx, &slug, jar.attempt(&headers), Errand::SignIn, wishes).await?;
    let cookie = jar.set_attempt(&site.surroundings, &departed.browser);
    Ok(going_reply(&site, &visit, departed.going)?.cookie(cookie).done())
}

/// `POST /login/{slug}/acs`: the provider's answer, brought from another site and so without our cookies.
pub async fn post_answer(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    visit: Visit,
    mut fields: ForeignFields,
) -> Result<Response, PageError> {
    if !site.saml.knows(&slug) {
        return Err(Failure::NotFound.into());
    }
    let message = fields.take("SAMLResponse").ok_or(Failure::BadRequest)?;
    let handle = site.saml.accept(&visit.ctx, &slug, message).await?;
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
    let handle = Query::of(query.as_deref()).text("outcome");
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let replaces = visit.person.as_ref().map(|person| *person.handle());
    let outcome = site.saml.arrive(&visit.ctx, &slug, &handle, jar.attempt(&headers).as_ref(), replaces).await?;
    Ok(outcome_reply(&site, outcome))
}

/// `GET /login/{slug}/metadata`: who we are, for the provider.
pub async fn get_metadata(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, PageError> {
    let xml = site.saml.metadata(&visit.ctx, &slug).await?;
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
    mut fields: ForeignFields,
) -> Result<Response, PageError> {
    let carried = match (fields.take("SAMLRequest"), fields.take("SAMLResponse")) {
        (Some(message), None) => Carried::Post(Field::Request, message),
        (None, Some(message)) => Carried::Post(Field::Response, message),
        _ => return Err(Failure::BadRequest.into()),
    };
    logout(&site, &visit, &slug, carried).await
}

async fn logout(site: &Arc<Site>, visit: &Visit, slug: &str, carried: Carried) -> Result<Response, PageError> {
    match site.saml.logout(&visit.ctx, slug, carried).await? {
        LogoutOutcome::Answer(going) => Ok(going_reply(site, visit, going)?.done()),
        LogoutOutcome::Over(SignedOut::Everywhere) => Ok(Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)).done()),
        LogoutOutcome::Over(SignedOut::HereOnly) => {
            Ok(Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT_HERE)).done())
        }
    }
}

/// Sends the browser to a provider: at once, or by a page with a button, because nothing here runs scripts.
pub(super) fn going_reply(site: &Site, visit: &Visit, going: Going) -> Result<Reply, PageError> {
    match going {
        Going::Redirect(address) => Ok(Reply::see_other(&SafeRedirect::to_provider(address))),
        Going::Form(form) => {
            let action = form.action.clone();
            let page = GoingPage { shell: visit.shell(site), form };
            Ok(Reply::page(site, visit, &page)?.leading_to(Some(&action)))
        }
    }
}
