//! `/logout`: asks (GET), signs out (POST), says so.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::page::paths;
use super::page::sign_in::{LogoutPage, SignedOutPage};
use super::respond::Reply;
use super::site::Site;
use crate::domain::redirect::SafeRedirect;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// `GET /logout`: a question, because a link on any page could lead here.
pub async fn get(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    let Some(person) = &visit.person else { return Ok(Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)).done()) };
    let page = LogoutPage { shell: visit.shell(&site), person: person.card().account.name.clone() };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// `POST /logout`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, _fields: Fields) -> Result<Response, PageError> {
    if let Some(person) = &visit.person {
        site.sessions.sign_out(&visit.ctx, person).await?;
    }
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let reply = Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)).of(&visit);
    let reply = reply.cookie(jar.drop_session()).cookie(jar.drop_autologin()).cookie(jar.drop_attempt());
    // Pages of the account must not come back with the back button.
    Ok(reply.header("clear-site-data", "\"cache\", \"storage\"").done())
}

/// `GET /logout/done`
pub async fn done(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    let page = SignedOutPage { shell: visit.shell(&site) };
    Ok(Reply::page(&site, &visit, &page)?.done())
}
