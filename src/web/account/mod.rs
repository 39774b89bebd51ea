//! `/account/…`: what people see and change about themselves. The overview lives here.

pub mod email;
pub mod password;
pub mod profile;
pub mod sessions;

use super::error::PageError;
use super::extract::{Person, Visit};
use super::page::Moment;
use super::page::account::OverviewPage;
use super::page::words::SignInWay;
use super::respond::Reply;
use super::site::Site;
use crate::domain::session::{Methods, Session};
use crate::domain::time::Timestamp;
use crate::service::caller::SignedIn;
use crate::service::moment;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// `GET /account`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    let Person { visit, who } = person;
    let overview = site.sessions.overview(&visit.ctx, &who).await?;
    let changed = site.passwords.changed_at(&who).await?;
    let account = &who.card().account;
    let session = &who.session().session;
    let page = OverviewPage {
        shell: visit.shell(&site),
        person: account.name.clone(),
        username: account.username.clone(),
        email: account.address().map(ToOwned::to_owned),
        password_changed: changed.map(|at| when(&visit, &who, at)),
        signed_in: when(&visit, &who, session.created_at),
        way: way(session).text(visit.texts()),
        sessions: u32::try_from(overview.sessions.len()).unwrap_or(u32::MAX),
    };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// A point in time in the person's own zone and language.
fn when(visit: &Visit, who: &SignedIn, at: Timestamp) -> Moment {
    let zone = who.card().account.time_zone.as_deref();
    Moment { text: moment::shown(at, zone, visit.ctx.language), machine: moment::machine(at) }
}

fn way(session: &Session) -> SignInWay {
    if session.methods.has(Methods::REMEMBERED) { SignInWay::RememberedDevice } else { SignInWay::Password }
}
