//! `/login/step/…`: what a sign-in still owes. Only the browser that began has the attempt's cookie.

use super::attempt::{StepForm, UnderWay};
use super::error::PageError;
use super::extract::Visit;
use super::login::{outcome_reply, step_path};
use super::new_password::{self, Complaints};
use super::page::sign_in::{ChangePasswordPage, ChangeReason};
use super::respond::Reply;
use super::site::Site;
use crate::domain::redirect::SafeRedirect;
use crate::domain::sign_in::{PasswordDue, Step};
use crate::service::sign_in::{AttemptHandle, SignInError};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /login/step/password`
pub async fn get_password(
    State(site): State<Arc<Site>>,
    UnderWay { visit, handle }: UnderWay,
) -> Result<Response, PageError> {
    password_page(&site, &visit, &handle, StatusCode::OK, Complaints::default()).await
}

/// `POST /login/step/password`
pub async fn post_password(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let new = match new_password::read(&fields, visit.texts()) {
        Ok(new) => new,
        Err(complaints) => return password_page(&site, &visit, &handle, refused, complaints).await,
    };
    match site.sign_in.choose_password(&visit.ctx, &handle, &new).await {
        Ok(outcome) => Ok(outcome_reply(&site, outcome)),
        Err(SignInError::Password(faults)) => {
            let complaints = Complaints::of(&faults, visit.texts());
            password_page(&site, &visit, &handle, refused, complaints).await
        }
        Err(SignInError::Outdated | SignInError::Refused) => Err(PageError::BeginAgain),
        Err(other) => Err(other.into()),
    }
}

async fn password_page(
    site: &Site,
    visit: &Visit,
    handle: &AttemptHandle,
    status: StatusCode,
    said: Complaints,
) -> Result<Response, PageError> {
    let view = match site.sign_in.pending(&visit.ctx, handle).await {
        Ok(view) => view,
        Err(SignInError::Outdated) => return Err(PageError::BeginAgain),
        Err(other) => return Err(other.into()),
    };
    if view.step != Step::NewPassword {
        return Ok(Reply::see_other(&SafeRedirect::to(step_path(view.step))).done());
    }
    let page = ChangePasswordPage {
        shell: visit.shell(site),
        username: view.username,
        reason: match view.password {
            Some(PasswordDue::Demanded) => ChangeReason::Demanded,
            _ => ChangeReason::Expired,
        },
        rules: new_password::rules(&site.core.policy, visit.texts()),
        problems: said.problems,
        repeat_error: said.repeat_error,
    };
    let target = view.return_to.as_deref().and_then(|text| site.redirect(text));
    let reply = Reply::page_with(site, visit, status, &page)?;
    Ok(reply.leading_to(target.as_ref().map(SafeRedirect::as_str)).done())
}
