//! `/login/lost-password`, `/login/reset-password`: a new password by mail.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::new_password::{self, Complaints};
use super::page::outcome::Failure;
use super::page::recovery::{LostPasswordPage, LostPasswordSentPage, ResetLinkInvalidPage, ResetPasswordPage};
use super::page::words::{FieldProblem, Notice};
use super::page::{Field, paths};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::account::LoginName;
use crate::domain::redirect::SafeRedirect;
use crate::service::outbox::RECOVERY_LIFETIME;
use crate::service::password::ChangeError;
use crate::service::recovery::RecoveryError;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /login/lost-password`
pub async fn get(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    offered(&site)?;
    let page = LostPasswordPage { shell: visit.shell(&site), problem: None, username: Field::default() };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// `POST /login/lost-password`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    offered(&site)?;
    let typed = fields.text("username").trim();
    if typed.is_empty() {
        let username = Field::default().with_error(FieldProblem::Missing.text(visit.texts()));
        let page = LostPasswordPage { shell: visit.shell(&site), problem: None, username };
        return Ok(Reply::page_with(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY, &page)?.done());
    }
    site.recovery.request(&visit.ctx, &LoginName::of(typed)).await?;
    let minutes = u32::try_from(RECOVERY_LIFETIME.as_secs() / 60).unwrap_or(u32::MAX);
    let page = LostPasswordSentPage { shell: visit.shell(&site), minutes };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// `GET /login/reset-password?token=…`
pub async fn get_reset(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let token = Query::of(query.as_deref()).text("token");
    match site.recovery.look(&visit.ctx, &token).await {
        Ok(()) => reset_page(&site, &visit, &token, StatusCode::OK, Complaints::default()),
        Err(RecoveryError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

/// `POST /login/reset-password`
pub async fn post_reset(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    let token = fields.text("token");
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let new = match new_password::read(&fields, visit.texts()) {
        Ok(new) => new,
        Err(said) => return reset_page(&site, &visit, token, refused, said),
    };
    match site.recovery.complete(&visit.ctx, token, &new).await {
        Ok(()) => {
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let reply = Reply::see_other(&SafeRedirect::to(paths::LOGIN)).notice(&site, Notice::PasswordReset);
            Ok(reply.cookie(jar.drop_session()).cookie(jar.drop_autologin()).done())
        }
        Err(RecoveryError::Password(ChangeError::Rules(faults))) => {
            reset_page(&site, &visit, token, refused, Complaints::of(&faults, visit.texts()))
        }
        Err(RecoveryError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

fn reset_page(
    site: &Site,
    visit: &Visit,
    token: &str,
    status: StatusCode,
    said: Complaints,
) -> Result<Response, PageError> {
    let page = ResetPasswordPage {
        shell: visit.shell(site),
        // The name is not told to whoever holds a link.
        username: String::new(),
        token: token.to_owned(),
        rules: new_password::rules(&site.core.policy, visit.texts()),
        problems: said.problems,
        repeat_error: said.repeat_error,
    };
    Ok(Reply::page_with(site, visit, status, &page)?.done())
}

fn invalid(site: &Site, visit: &Visit) -> Result<Response, PageError> {
    let page = ResetLinkInvalidPage { shell: visit.shell(site) };
    Ok(Reply::page_with(site, visit, StatusCode::NOT_FOUND, &page)?.done())
}

fn offered(site: &Site) -> Result<(), PageError> {
    if site.core.policy.recovery { Ok(()) } else { Err(Failure::NotFound.into()) }
}
