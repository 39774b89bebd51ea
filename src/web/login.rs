//! `/login`, `/login/internal`: the sign-in page. A remembered browser is restored here and nowhere else.

use super::account::identities::add_address;
use super::attempt::minutes;
use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::page::outcome::Failure;
use super::page::sign_in::LoginPage;
use super::page::words::{FieldProblem, SignInProblem};
use super::page::{Field, paths};
use super::respond::Reply;
use super::site::Site;
use super::step_factor::reply;
use super::verify::Query;
use crate::domain::account::LoginName;
use crate::domain::directory::Standing;
use crate::domain::password::PlainPassword;
use crate::domain::redirect::SafeRedirect;
use crate::domain::resolve::Refusal;
use crate::domain::sign_in::Step;
use crate::service::core::Trouble;
use crate::service::sign_in::autologin::Restored;
use crate::service::sign_in::password::Claim;
use crate::service::sign_in::{AttemptHandle, Opened, Outcome, SignInError, Wishes};
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
    let Some(token) = jar.autologin(&headers) else {
        return entrance(&site, &visit, &wanted, query.as_deref());
    };
    let return_to = target.map(|target| target.as_str().to_owned());
    let wishes = Wishes { return_to, device: jar.device(&headers), ..Wishes::default() };
    match site.sign_in.with_autologin(&visit.ctx, &token, wishes).await {
        Ok(Restored::Open(opened)) => Ok(opened_reply(&site, &opened)),
        Ok(Restored::Owes(step, handle, token)) => {
            let mut response = step_reply(&site, step, &handle);
            if let Some(next) = token.and_then(|token| jar.set_autologin(&site.surroundings, &token)) {
                response.headers_mut().append(http::header::SET_COOKIE, next);
            }
            Ok(response)
        }
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

/// The sign-in page, or straight to the provider that the operator chose.
fn entrance(site: &Site, visit: &Visit, wanted: &str, query: Option<&str>) -> Result<Response, PageError> {
    let chooses = Query::of(query).text("choose") == "1";
    let Some(direct) = site.providers.direct().filter(|_| !chooses) else {
        return login_page(site, visit, &Form::new(wanted));
    };
    let target = super::provider::start(direct.source.slug(), &[("return_to", wanted)]);
    Ok(Reply::see_other(&SafeRedirect::parse(&target, &[]).ok_or(Failure::Internal)?).done())
}

/// `POST /login`
pub async fn post(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    visit: Visit,
    fields: Fields,
) -> Result<Response, PageError> {
    submit(&site, &visit, (&headers, &fields), Door::Front).await
}

/// `POST /login/passkey`: a passkey alone.
pub async fn post_passkey(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    visit: Visit,
    fields: Fields,
) -> Result<Response, PageError> {
    let wanted = fields.text("return_to");
    let target = safe_target(&site, wanted)?;
    let wishes = Wishes {
        return_to: target.map(|target| target.as_str().to_owned()),
        replaces: visit.person.as_ref().map(|person| *person.handle()),
        device: Jar::new(&site.cookies, &site.core.cookie_keys).device(&headers),
        ..Wishes::default()
    };
    match site.sign_in.with_passkey(&visit.ctx, &visit.seat(), reply(&fields), wishes).await {
        Ok(outcome) => Ok(outcome_reply(&site, outcome)),
        Err(SignInError::Refused) => {
            let mut form = Form::new(wanted);
            (form.problem, form.status) = (Some(SignInProblem::Passkey), StatusCode::UNPROCESSABLE_ENTITY);
            login_page(&site, &visit, &form)
        }
        Err(error) => refused(&site, &visit, Form::new(wanted), &error).or(Err(error.into())),
    }
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
pub async fn post_internal(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    visit: Visit,
    fields: Fields,
) -> Result<Response, PageError> {
    submit(&site, &visit, (&headers, &fields), Door::Internal).await
}

async fn submit(
    site: &Arc<Site>,
    visit: &Visit,
    (headers, fields): (&HeaderMap, &Fields),
    door: Door,
) -> Result<Response, PageError> {
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
            device: Jar::new(&site.cookies, &site.core.cookie_keys).device(headers),
            ..Wishes::default()
        },
    };
    match site.sign_in.with_password(&visit.ctx, claim).await {
        Ok(outcome) => Ok(outcome_reply(site, outcome)),
        Err(SignInError::LinkFirst(question)) => {
            let there = add_address(visit, &question);
            let problem = Some(SignInProblem::LinkFirst);
            login_page(site, visit, &Form { problem, status: StatusCode::CONFLICT, door, ..Form::new(&there) })
        }
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
    site.redirect(wanted).map(Some).ok_or_else(|| Failure::ForeignTarget.into())
}

/// The same page with what went wrong; an error for what this page cannot explain.
fn refused(site: &Site, visit: &Visit, mut form: Form<'_>, error: &SignInError) -> Result<Response, PageError> {
    (form.problem, form.status, form.retry_after) = match error {
        SignInError::TooManyFailures { retry_after } => {
            let problem = SignInProblem::TooManyAttempts { minutes: minutes(*retry_after) };
            (Some(problem), StatusCode::TOO_MANY_REQUESTS, Some(*retry_after))
        }
        SignInError::Trouble(Trouble::Busy { retry_after }) => {
            (Some(SignInProblem::Busy), StatusCode::SERVICE_UNAVAILABLE, Some(*retry_after))
        }
        SignInError::Refused => (Some(SignInProblem::WrongCredentials), StatusCode::UNPROCESSABLE_ENTITY, None),
        SignInError::DirectoryAway { retry_after } => {
            (Some(SignInProblem::DirectoryAway), StatusCode::SERVICE_UNAVAILABLE, Some(*retry_after))
        }
        SignInError::Directory(standing) => (Some(of_standing(*standing)), StatusCode::FORBIDDEN, None),
        SignInError::Unresolved(Refusal::Waiting) => (Some(SignInProblem::Waiting), StatusCode::FORBIDDEN, None),
        SignInError::Unresolved(Refusal::Locked | Refusal::Ended) => {
            (Some(SignInProblem::Locked), StatusCode::FORBIDDEN, None)
        }
        SignInError::Unresolved(Refusal::UsernameTaken | Refusal::EmailTaken | Refusal::OtherIdentity) => {
            (Some(SignInProblem::Conflict), StatusCode::CONFLICT, None)
        }
        SignInError::Unresolved(_) => (Some(SignInProblem::NoAccount), StatusCode::FORBIDDEN, None),
        SignInError::Outdated => (Some(SignInProblem::AttemptExpired), StatusCode::UNPROCESSABLE_ENTITY, None),
        _ => return Err(Failure::Internal.into()),
    };
    login_page(site, visit, &form)
}

const fn of_standing(standing: Standing) -> SignInProblem {
    match standing {
        Standing::MustChange | Standing::PasswordExpired => SignInProblem::DirectoryPassword,
        Standing::Disabled | Standing::Expired | Standing::NotNow => SignInProblem::DirectoryShut,
    }
}

fn login_page(site: &Site, visit: &Visit, form: &Form<'_>) -> Result<Response, PageError> {
    let t = visit.texts();
    let policy = &site.core.policy;
    let missing = |is_missing: bool| is_missing.then(|| FieldProblem::Missing.text(t));
    let buttons = |parameters: &[(&str, &str)]| match form.door {
        Door::Front => super::provider::buttons(site, parameters),
        Door::Internal => Vec::new(),
    };
    let asks = form.return_to.split_once('?').is_some_and(|(path, _)| path == paths::ACCOUNT_IDENTITIES_ADD);
    let (problem, asked) = match form.problem {
        // Nothing went wrong: they are on their way to a question.
        Some(SignInProblem::LinkFirst) => (None, Some(SignInProblem::LinkFirst.text(t))),
        None if asks => (None, Some(t.msg("login-asked"))),
        problem => (problem.map(|problem| problem.text(t)), None),
    };
    let page = LoginPage {
        shell: visit.shell(site),
        action: if form.door == Door::Internal { paths::LOGIN_INTERNAL } else { paths::LOGIN },
        passwords: form.door == Door::Internal || site.accounts.passwords_are_used(),
        problem,
        asked,
        username: Field { value: form.username.to_owned(), error: missing(form.missing.0) },
        password_error: missing(form.missing.1),
        stay_days: (policy.autologin_days > 0).then_some(policy.autologin_days),
        stay: form.stay,
        recovery: policy.recovery,
        register: site.registration.is_open(),
        passkey: site.sign_in.passkey_challenge(&visit.ctx, &visit.seat())?,
        return_to: form.return_to.to_owned(),
        providers: buttons(&[("return_to", form.return_to)]),
        staying: if policy.autologin_days > 0 {
            buttons(&[("return_to", form.return_to), ("stay", "1")])
        } else {
            Vec::new()
        },
    };
    let scripted = page.passkey.is_some();
    let target = site.redirect(form.return_to);
    let reply = Reply::page_with(site, visit, form.status, &page)?.scripted(scripted);
    let reply = reply.leading_to(target.as_ref().map(SafeRedirect::as_str));
    Ok(reply.retry_after(form.retry_after).done())
}

/// The response to a request along the corridor.
pub(super) fn outcome_reply(site: &Site, outcome: Outcome) -> Response {
    match outcome {
        Outcome::Open(opened) => opened_reply(site, &opened),
        Outcome::Owes(step, handle) => step_reply(site, step, &handle),
    }
}

/// On to the page of a step, with the attempt's cookie.
pub(super) fn step_reply(site: &Site, step: Step, handle: &AttemptHandle) -> Response {
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let reply = Reply::see_other(&SafeRedirect::to(step_path(step)));
    reply.cookie(jar.set_attempt(&site.surroundings, handle)).done()
}

/// The page of a step.
pub(super) const fn step_path(step: Step) -> &'static str {
    match step {
        Step::SecondFactor => paths::LOGIN_STEP_FACTOR,
        Step::NewPassword => paths::LOGIN_STEP_PASSWORD,
        Step::EnrolFactor => paths::LOGIN_STEP_ENROL,
    }
}

fn opened_reply(site: &Site, opened: &Opened) -> Response {
    let target = opened.return_to.as_deref().and_then(|text| site.redirect(text));
    let reply = Reply::see_other(&target.unwrap_or(SafeRedirect::to(paths::ACCOUNT)));
    opened_cookies(site, reply, opened).done()
}

/// What a browser keeps of a session that opened.
pub(super) fn opened_cookies(site: &Site, reply: Reply, opened: &Opened) -> Reply {
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let mut reply = reply.cookie(jar.set_session(&site.surroundings, &opened.handle)).cookie(jar.drop_attempt());
    if let Some(token) = &opened.autologin {
        reply = reply.cookie(jar.set_autologin(&site.surroundings, token));
    }
    if let Some(token) = &opened.device {
        reply = reply.cookie(jar.set_device(&site.surroundings, token));
    }
    reply.by(opened.account)
}
