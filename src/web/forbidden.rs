//! `/forbidden`: who is signed in and does not get into an application is told so, and what to do. Proxies lead here with
//! the address that `/verify` gives them; the page decides nothing.

use super::error::PageError;
use super::extract::Visit;
use super::page::outcome::{ForbiddenPage, Shut};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /forbidden?reason=…&return_to=…`: of the reason nothing but a code that we know is believed, of the way back nothing
/// but the host of an application.
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let query = Query::of(query.as_deref());
    let back = site.redirect(&query.text("return_to")).map(|target| target.as_str().to_owned());
    let page = ForbiddenPage {
        shell: visit.shell(&site),
        person: visit.person.as_ref().map(|who| who.card().account.name.clone()),
        shut: Shut::of(&query.text("reason")),
        application: back.as_deref().and_then(host),
        back,
    };
    Ok(Reply::page_with(&site, &visit, StatusCode::FORBIDDEN, &page)?.done())
}

/// The host of an absolute address, with its port.
fn host(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let name = url.host_str()?;
    Some(url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}")))
}
