//! `/login`, `/login/internal`: the sign-in page. A remembered browser is restored here and nowhere else.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::page::outcome::Failure;
use super::page::sign_in::LoginPage;
use super::page::words::{FieldProblem, SignInProblem};
use super::page::{Field, paths};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::account::LoginName;
use crate::domain::password::PlainPassword;
use crate::domain::redirect::SafeRedirect;
use crate::service::core::Trouble;
use crate::service::sign_in::autologin::Restored;
use crate::service::sign_in::password::Claim;
use crate::service::sign_in::{Opened, Outcome, SignInError, Wishes};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// Which of the two sign-in pages it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Front,
    Internal,
}

/// `GET /login`
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, PageError> {
    let wanted = Query::of(query.as_deref()).text("return_to");
    let target = safe_target(&site, &wanted)?;
    if visit.person.is_some() {
        return Ok(Reply::see_other(&target.unwrap_or(SafeRedirect::to(paths::ACCOUNT))).of(&visit).done());
    }
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let Some(token) = jar.autologin(&headers) else { return login_page(&site, &visit, &Form::new(&wanted)) };
    let wishes = Wishes { return_to: target.map(|target| target.as_str().to_owned()), ..Wishes::default() };
    match site.sign_in.with_autologin(&visit.ctx, &token, wishes).await {
        Ok(Restored::Open(opened)) => Ok(opened_reply(&site, &opened)),
        Ok(Restored::Forget) => {
            let mut page = login_page(&site, &visit, &Form::new(&wanted))?;
            if let Some(gone) = jar.drop_autologin() {
                page.headers_mut().append(http::header::SET_COOKIE, gone);
            }
            Ok(page)
        }
        Err(SignInError::FreshProofNeeded | SignInError::Outdated | SignInError::Refused) => {
            login_page(&site, &visit, &Form::new(&wanted))
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /login`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    submit(&site, &visit, &fields, Door::Front).await
}

/// `GET /login/internal`: for break-glass accounts, when people sign in elsewhere.
pub async fn get_internal(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let wanted = Query::of(query.as_deref()).text("return_to");
    safe_target(&site, &wanted)?;
    login_page(&site, &visit, &Form { door: Door::Internal, ..Form::new(&wanted) })
}

/// `POST /login/internal`
pub async fn post_internal(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    submit(&site, &visit, &fields, Door::Internal).await
}

async fn submit(site: &Arc<Site>, visit: &Visit, fields: &Fields, door: Door) -> Result<Response, PageError> {
    let wanted = fields.text("return_to");
    let target = safe_target(site, wanted)?;
    let username = fields.text("username");
    let mut form = Form { door, username, stay: fields.ticked("stay"), ..Form::new(wanted) };
    if username.trim().is_empty() || fields.text("password").is_empty() {
        form.missing = (username.trim().is_empty(), fields.text("password").is_empty());
        form.status = StatusCode::UNPROCESSABLE_ENTITY;
        return login_page(site, visit, &form);
    }
    let Ok(password) = PlainPassword::typed(fields.text("password")) else {
        return refused(site, visit, form, &SignInError::Refused);
    };
    let claim = Claim {
        login: LoginName::of(username),
        password,
        internal: door == Door::Internal,
        wishes: Wishes {
            return_to: target.map(|target| target.as_str().to_owned()),
            stay: form.stay,
            replaces: visit.person.as_ref().map(|person| *person.handle()),
            invitation: None,
        },
    };
    match site.sign_in.with_password(&visit.ctx, claim).await {
        Ok(outcome) => Ok(outcome_reply(site, outcome)),
        Err(error) => refused(site, visit, form, &error).or(Err(error.into())),
    }
}

/// What is shown in the form.
#[derive(Clone)]
struct Form<'a> {
    door: Door,
    username: &'a str,
    return_to: &'a str,
    stay: bool,
    missing: (bool, bool),
    problem: Option<SignInProblem>,
    status: StatusCode,
    retry_after: Option<Duration>,
}

impl<'a> Form<'a> {
    const fn new(return_to: &'a str) -> Self {
        Self {
            door: Door::Front,
            username: "",
            return_to,
            stay: false,
            missing: (false, false),
            problem: None,
            status: StatusCode::OK,
            retry_after: None,
        }
    }
}

/// A target that somebody wrote: none is fine, a bad one is refused before anybody types a password.
fn safe_target(site: &Site, wanted: &str) -> Result<Option<SafeRedirect>, PageError> {
    if wanted.is_empty() {
        return Ok(None);
    }
    site.redirect(wanted).map(Some).ok_or_else(|| Failure::BadRequest.into())
}

/// The same page with what went wrong; an error for what this page cannot explain.
fn refused(site: &Site, visit: &Visit, mut form: Form<'_>, error: &SignInError) -> Result<Response, PageError> {
    (form.problem, form.status, form.retry_after) = match error {
        SignInError::TooManyFailures { retry_after } => {
            let minutes = u32::try_from(retry_after.as_secs().div_ceil(60)).unwrap_or(u32::MAX).max(1);
            let problem = SignInProblem::TooManyAttempts { minutes };
            (Some(problem), StatusCode::TOO_MANY_REQUESTS, Some(*retry_after))
        }
        SignInError::Trouble(Trouble::Busy { retry_after }) => {
            (Some(SignInProblem::Busy), StatusCode::SERVICE_UNAVAILABLE, Some(*retry_after))
        }
        SignInError::Refused => (Some(SignInProblem::WrongCredentials), StatusCode::UNPROCESSABLE_ENTITY, None),
        SignInError::Outdated => (Some(SignInProblem::AttemptExpired), StatusCode::UNPROCESSABLE_ENTITY, None),
        _ => return Err(Failure::Internal.into()),
    };
    login_page(site, visit, &form)
}

fn login_page(site: &Site, visit: &Visit, form: &Form<'_>) -> Result<Response, PageError> {
    let t = visit.texts();
    let policy = &site.core.policy;
    let missing = |is_missing: bool| is_missing.then(|| FieldProblem::Missing.text(t));
    let page = LoginPage {
        shell: visit.shell(site),
        action: if form.door == Door::Internal { paths::LOGIN_INTERNAL } else { paths::LOGIN },
        passwords: form.door == Door::Internal || site.accounts.passwords_are_used(),
        problem: form.problem.map(|problem| problem.text(t)),
        username: Field { value: form.username.to_owned(), error: missing(form.missing.0) },
        password_error: missing(form.missing.1),
        stay_days: (policy.autologin_days > 0).then_some(policy.autologin_days),
        stay: form.stay,
        recovery: policy.recovery,
        register: site.registration.is_open(),
        return_to: form.return_to.to_owned(),
    };
    let target = site.redirect(form.return_to);
    let reply = Reply::page_with(site, visit, form.status, &page)?;
    let mut response = reply.leading_to(target.as_ref().map(SafeRedirect::as_str)).done();
    if let Some(wait) = form.retry_after {
        response.headers_mut().insert(http::header::RETRY_AFTER, wait.as_secs().max(1).into());
    }
    Ok(response)
}

/// The response to a request along the corridor.
pub(super) fn outcome_reply(site: &Site, outcome: Outcome) -> Response {
    match outcome {
        Outcome::Open(opened) => opened_reply(site, &opened),
        Outcome::Owes(crate::domain::sign_in::Step::NewPassword, handle) => {
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let reply = Reply::see_other(&SafeRedirect::to(paths::LOGIN_STEP_PASSWORD));
            reply.cookie(jar.set_attempt(&site.surroundings, &handle)).done()
        }
    }
}

fn opened_reply(site: &Site, opened: &Opened) -> Response {
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let target = opened.return_to.as_deref().and_then(|text| site.redirect(text));
    let reply = Reply::see_other(&target.unwrap_or(SafeRedirect::to(paths::ACCOUNT)));
    let mut reply = reply.cookie(jar.set_session(&site.surroundings, &opened.handle)).cookie(jar.drop_attempt());
    if let Some(token) = &opened.autologin {
        reply = reply.cookie(jar.set_autologin(&site.surroundings, token));
    }
    let mut response = reply.done();
    response.extensions_mut().insert(super::trace::LoggedAccount(opened.account.uuid()));
    response
}
