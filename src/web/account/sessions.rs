//! `/account/sessions`: where one is signed in; ending one, ending all others, forgetting a browser.

use super::{way, when};
use crate::domain::autologin::Remembered;
use crate::domain::redirect::SafeRedirect;
use crate::domain::session::Session;
use crate::web::cookies::Jar;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Person};
use crate::web::page::account::{DeviceRow, SessionRow, SessionsPage};
use crate::web::page::outcome::Failure;
use crate::web::page::paths;
use crate::web::page::words::Notice;
use crate::web::respond::Reply;
use crate::web::site::Site;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// `GET /account/sessions`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    let overview = site.sessions.overview(&person.visit.ctx, &person.who).await?;
    let current = overview.current;
    let own_browser = person.who.session().session.remembered;
    let page = SessionsPage {
        shell: person.visit.shell(&site),
        person: person.who.card().account.name.clone(),
        sessions: overview.sessions.iter().map(|one| session_row(&site, &person, one, one.id == current)).collect(),
        devices: overview.remembered.iter().map(|one| device_row(&person, one, Some(one.id) == own_browser)).collect(),
    };
    Ok(Reply::page(&site, &person.visit, &page)?.done())
}

/// `POST /account/sessions/end`
pub async fn end(State(site): State<Arc<Site>>, person: Person, fields: Fields) -> Result<Response, PageError> {
    let id = fields.text("session").parse().map_err(|_| Failure::NotFound)?;
    site.sessions.end(&person.visit.ctx, &person.who, id).await?;
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    if id == person.who.session_id() {
        let reply = Reply::see_other(&SafeRedirect::to(paths::SIGNED_OUT)).of(&person.visit);
        return Ok(reply.cookie(jar.drop_session()).cookie(jar.drop_autologin()).done());
    }
    Ok(back(&person).notice(&site, Notice::SessionEnded).done())
}

/// `POST /account/sessions/end-others`
pub async fn end_others(State(site): State<Arc<Site>>, person: Person, _fields: Fields) -> Result<Response, PageError> {
    let handle = site.sessions.end_others(&person.visit.ctx, &person.who).await?;
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let reply = back(&person).cookie(jar.set_session(&site.surroundings, &handle)).cookie(jar.drop_autologin());
    Ok(reply.notice(&site, Notice::OtherSessionsEnded).done())
}

/// `POST /account/devices/forget`
pub async fn forget(State(site): State<Arc<Site>>, person: Person, fields: Fields) -> Result<Response, PageError> {
    let id = fields.text("device").parse().map_err(|_| Failure::NotFound)?;
    site.sessions.forget_browser(&person.visit.ctx, &person.who, id).await?;
    let mut reply = back(&person).notice(&site, Notice::DeviceForgotten);
    if person.who.session().session.remembered == Some(id) {
        reply = reply.cookie(Jar::new(&site.cookies, &site.core.cookie_keys).drop_autologin());
    }
    Ok(reply.done())
}

fn back(person: &Person) -> Reply {
    Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_SESSIONS)).of(&person.visit)
}

fn session_row(site: &Site, person: &Person, session: &Session, current: bool) -> SessionRow {
    SessionRow {
        id: session.id.to_string(),
        device: session.device.to_string(),
        started: when(&person.visit, &person.who, session.created_at),
        last_seen: when(&person.visit, &person.who, session.last_seen_at),
        way: way(site, session, person.visit.texts()),
        network: session.network.to_string(),
        current,
    }
}

fn device_row(person: &Person, one: &Remembered, current: bool) -> DeviceRow {
    DeviceRow {
        id: one.id.to_string(),
        device: one.device.clone(),
        remembered: when(&person.visit, &person.who, one.created_at),
        last_used: when(&person.visit, &person.who, one.rotated_at),
        until: when(&person.visit, &person.who, one.expires_at),
        current,
    }
}
