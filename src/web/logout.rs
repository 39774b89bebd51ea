//! `/logout`: asks (GET), signs out (POST), says so.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::page::sign_in::{LogoutPage, OnwardPage, SignedOutPage, There};
use super::page::{Shell, paths};
use super::respond::Reply;
use super::saml::form_reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::redirect::SafeRedirect;
use crate::service::saml::Onward;
use crate::service::sign_out::WayOut;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /logout`: a question, because a link on any page could lead here.
pub async fn get(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    let Some(person) = &visit.person else { return Ok(Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)).done()) };
    let page = LogoutPage { shell: visit.shell(&site), person: person.card().account.name.clone() };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// `POST /logout`: here first, and then at the provider that the session came from.
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, _fields: Fields) -> Result<Response, PageError> {
    let way = match &visit.person {
        Some(person) => site.sign_out.sign_out(&visit.ctx, person).await?,
        None => WayOut::Here,
    };
    let reply = match way {
        WayOut::Here => Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)),
        WayOut::StaysThere(place) => {
            let here = format!("{}?at={}", paths::SIGNED_OUT, place.slug);
            Reply::see_other(&SafeRedirect::parse(&here, &[]).unwrap_or(SafeRedirect::to(paths::SIGNED_OUT)))
        }
        WayOut::Onward(_, Onward::Form(form)) => form_reply(&site, &visit, form, true)?,
        WayOut::Onward(place, Onward::Redirect(address)) => {
            let shell = Shell { face: None, ..visit.shell(&site) };
            let page = OnwardPage { shell, provider: place.name, address };
            Reply::page(&site, &visit, &page)?.going_on_to(&page.address)
        }
    };
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let reply = reply.of(&visit).cookie(jar.drop_session()).cookie(jar.drop_autologin()).cookie(jar.drop_attempt());
    // Pages of the account must not come back with the back button.
    Ok(reply.header("clear-site-data", "\"cache\", \"storage\"").done())
}

/// `GET /logout/done`: with `at`, the provider that was not told.
pub async fn done(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let slug = Query::of(query.as_deref()).text("at");
    let there = site.providers.named(&slug).map(|provider| (There::SignedIn, provider.name.clone()));
    signed_out(&site, &visit, StatusCode::OK, there)
}

/// The page that leads nowhere by itself.
pub(super) fn signed_out(
    site: &Site,
    visit: &Visit,
    status: StatusCode,
    there: Option<(There, String)>,
) -> Result<Response, PageError> {
    let page = SignedOutPage { shell: visit.shell(site), there };
    Ok(Reply::page_with(site, visit, status, &page)?.done())
}
