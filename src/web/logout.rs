//! `/logout`: asks (GET), signs out (POST), says so.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::page::paths;
use super::page::sign_in::{LogoutPage, SignedOutPage};
use super::respond::Reply;
use super::saml::onward_reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::redirect::SafeRedirect;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

/// `GET /logout`: a question, because a link on any page could lead here.
pub async fn get(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    let Some(person) = &visit.person else { return Ok(Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)).done()) };
    let page = LogoutPage { shell: visit.shell(&site), person: person.card().account.name.clone() };
    // The sign-out goes on to the identity provider, and browsers apply the policy to that, too.
    let provider = site.saml.logout_origin(&visit.ctx, person).await;
    Ok(Reply::page(&site, &visit, &page)?.leading_to(provider.as_deref()).done())
}

/// `POST /logout`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, _fields: Fields) -> Result<Response, PageError> {
    let mut onward = None;
    if let Some(person) = &visit.person {
        // A provider that cannot be reached is no reason to stay signed in.
        onward = site.saml.leave(&visit.ctx, person).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "signing out does not go on to the provider");
            None
        });
        site.sessions.sign_out(&visit.ctx, person).await?;
    }
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let reply = match onward {
        Some(onward) => onward_reply(&site, &visit, onward)?,
        None => Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)),
    };
    let reply = reply.of(&visit);
    let reply = reply.cookie(jar.drop_session()).cookie(jar.drop_autologin()).cookie(jar.drop_attempt());
    // Pages of the account must not come back with the back button.
    Ok(reply.header("clear-site-data", "\"cache\", \"storage\"").done())
}

/// `GET /logout/done`
pub async fn done(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let here_only = Query::of(query.as_deref()).text("provider") == "open";
    let page = SignedOutPage { shell: visit.shell(&site), here_only };
    Ok(Reply::page(&site, &visit, &page)?.done())
}
