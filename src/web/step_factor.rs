//! `/login/step/factor` and `/login/step/enrol`: proving the second factor in a sign-in, and binding one where it must be.

use super::account::security;
use super::attempt::{StepForm, UnderWay, minutes};
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::login::{opened_cookies, outcome_reply, step_path};
use super::page::factor::{AppForm, BackupCodesPage, Drawing, EnrolPage, FactorPage, KeyForm};
use super::page::outcome::Failure;
use super::page::phone::PhoneAsk;
use super::page::words::{FactorProblem, SignInProblem};
use super::page::{Field, paths};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::authenticator::{AuthenticatorName, FactorWay, Kind};
use crate::domain::phone::Channel;
use crate::domain::redirect::SafeRedirect;
use crate::domain::sign_in::Step;
use crate::service::factor::backup::BackupCode;
use crate::service::factor::check::Given;
use crate::service::factor::{FactorError, passkey, totp};
use crate::service::sign_in::enrol::Enrolled;
use crate::service::sign_in::{AttemptHandle, Opened, Outcome, SignInError};
use crate::service::texts::Texts;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// What a page of these says about the last try.
#[derive(Default)]
struct Said {
    status: StatusCode,
    problem: Option<String>,
    code_error: Option<String>,
    retry_after: Option<Duration>,
}

impl Said {
    fn later(problem: String, retry_after: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self { status, problem: Some(problem), retry_after: Some(retry_after), ..Self::default() }
    }

    fn too_many_failures(t: &Texts, retry_after: Duration) -> Self {
        Self::later(SignInProblem::TooManyAttempts { minutes: minutes(retry_after) }.text(t), retry_after)
    }
}

/// `GET /login/step/factor?way=…`
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    UnderWay { visit, handle }: UnderWay,
) -> Result<Response, PageError> {
    let way = FactorWay::parse(&Query::of(query.as_deref()).text("way"));
    factor_page(&site, &visit, &handle, way, Said::default()).await
}

/// `POST /login/step/factor`
pub async fn post(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    let (way, code) = (FactorWay::parse(fields.text("way")), fields.text("code"));
    let given = match way {
        Some(FactorWay::Backup) => Given::Backup(code),
        Some(FactorWay::Passkey) => Given::Passkey(reply(&fields)),
        Some(FactorWay::Phone) => Given::Phone(code),
        _ => Given::Totp(code),
    };
    let t = visit.texts();
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let said = match site.sign_in.show_factor(&visit.ctx, &handle, given, fields.ticked("keep")).await {
        Ok(outcome) => return Ok(outcome_reply(&site, outcome)),
        Err(SignInError::WrongCode) => {
            Said { status, code_error: Some(FactorProblem::of(given.way()).text(t)), ..Said::default() }
        }
        Err(SignInError::TooManyFailures { retry_after }) => Said::too_many_failures(t, retry_after),
        Err(SignInError::Outdated | SignInError::Refused) => return Err(PageError::BeginAgain),
        Err(other) => return Err(other.into()),
    };
    factor_page(&site, &visit, &handle, way, said).await
}

/// `POST /login/step/factor/send`: sends a code to a phone.
pub async fn post_send(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    let id = fields.text("factor").parse().map_err(|_| Failure::NotFound)?;
    let channel = Channel::parse(fields.text("channel")).ok_or(Failure::BadRequest)?;
    let t = visit.texts();
    let said = match site.sign_in.send_factor_code(&visit.ctx, &handle, id, channel).await {
        Ok(()) => return Ok(Reply::see_other(&SafeRedirect::to(paths::LOGIN_STEP_FACTOR_PHONE)).done()),
        Err(FactorError::NotSent) => {
            let problem = Some(FactorProblem::NotSent.text(t));
            Said { status: StatusCode::SERVICE_UNAVAILABLE, problem, ..Said::default() }
        }
        Err(FactorError::TooManyCodes { retry_after }) => {
            let problem = FactorProblem::TooManyCodes { minutes: minutes(retry_after) }.text(t);
            Said::later(problem, retry_after)
        }
        Err(FactorError::TooManyFailures { retry_after }) => Said::too_many_failures(t, retry_after),
        Err(FactorError::Outdated) => return Err(PageError::BeginAgain),
        Err(other) => return Err(other.into()),
    };
    factor_page(&site, &visit, &handle, Some(FactorWay::Phone), said).await
}

async fn factor_page(
    site: &Site,
    visit: &Visit,
    handle: &AttemptHandle,
    wanted: Option<FactorWay>,
    said: Said,
) -> Result<Response, PageError> {
    let view = match site.sign_in.factor_view(&visit.ctx, handle).await {
        Ok(view) => view,
        Err(SignInError::Outdated) => return Err(PageError::BeginAgain),
        Err(other) => return Err(other.into()),
    };
    if view.step != Step::SecondFactor {
        return Ok(Reply::see_other(&SafeRedirect::to(step_path(view.step))).done());
    }
    let first = view.ways.first().copied().unwrap_or(FactorWay::Totp);
    let way = wanted.filter(|way| view.ways.contains(way)).unwrap_or(first);
    let key = match way {
        FactorWay::Passkey => site.sign_in.factor_challenge(&visit.ctx, handle).await?,
        _ => None,
    };
    let scripted = key.is_some();
    let phones = view.phones;
    let page = FactorPage {
        shell: visit.shell(site),
        way,
        key,
        phone: PhoneAsk {
            numbers: phones.numbers.into_iter().map(|(id, number)| (id.to_string(), number)).collect(),
            channels: phones.channels,
            sent: phones.sent.map(|sent| (sent.to, sent.channel)),
        },
        others: view.ways.into_iter().filter(|other| *other != way).collect(),
        problem: said.problem,
        code_error: said.code_error,
        keep_days: view.remember_days,
    };
    let target = view.return_to.as_deref().and_then(|text| site.redirect(text));
    let reply = Reply::page_with(site, visit, said.status, &page)?;
    let reply = reply.scripted(scripted).retry_after(said.retry_after);
    Ok(reply.leading_to(target.as_ref().map(SafeRedirect::as_str)).done())
}

/// What the page of binding says about the last try.
#[derive(Default)]
struct Tried {
    status: StatusCode,
    app_name: Option<Field>,
    code_error: Option<String>,
    key_name: Option<Field>,
    problem: Option<String>,
}

/// `GET /login/step/enrol`
pub async fn get_enrol(
    State(site): State<Arc<Site>>,
    UnderWay { visit, handle }: UnderWay,
) -> Result<Response, PageError> {
    enrol_page(&site, &visit, &handle, Tried::default()).await
}

/// `POST /login/step/enrol`
pub async fn post_enrol(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    let field = Field::new(fields.text("name"));
    let tried = Tried { status: StatusCode::UNPROCESSABLE_ENTITY, ..Tried::default() };
    let Some(name) = AuthenticatorName::parse(fields.text("name")) else {
        let app_name = Some(field.with_error(FactorProblem::Name.text(visit.texts())));
        return enrol_page(&site, &visit, &handle, Tried { app_name, ..tried }).await;
    };
    match site.sign_in.enrol_totp(&visit.ctx, &handle, &name, fields.text("code")).await {
        Ok(enrolled) => finished(&site, &visit, enrolled),
        Err(FactorError::WrongCode) => {
            let code_error = Some(FactorProblem::Totp.text(visit.texts()));
            enrol_page(&site, &visit, &handle, Tried { app_name: Some(field), code_error, ..tried }).await
        }
        Err(FactorError::Outdated) => Err(PageError::BeginAgain),
        Err(other) => Err(other.into()),
    }
}

/// `POST /login/step/enrol/passkey`
pub async fn post_enrol_passkey(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    let field = Field::new(fields.text("name"));
    let tried = Tried { status: StatusCode::UNPROCESSABLE_ENTITY, ..Tried::default() };
    let Some(name) = AuthenticatorName::parse(fields.text("name")) else {
        let key_name = Some(field.with_error(FactorProblem::Name.text(visit.texts())));
        return enrol_page(&site, &visit, &handle, Tried { key_name, ..tried }).await;
    };
    match site.sign_in.enrol_passkey(&visit.ctx, &handle, &name, reply(&fields)).await {
        Ok(enrolled) => finished(&site, &visit, enrolled),
        // A question that is too old is asked again; an attempt that is over sends the page away itself.
        Err(FactorError::WrongCode | FactorError::Outdated) => {
            let problem = Some(FactorProblem::Passkey.text(visit.texts()));
            enrol_page(&site, &visit, &handle, Tried { key_name: Some(field), problem, ..tried }).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn enrol_page(site: &Site, visit: &Visit, handle: &AttemptHandle, tried: Tried) -> Result<Response, PageError> {
    let view = match site.sign_in.enrol_view(&visit.ctx, handle).await {
        Ok(view) => view,
        Err(SignInError::Outdated) => return Err(PageError::BeginAgain),
        Err(other) => return Err(other.into()),
    };
    if view.step != Step::EnrolFactor {
        return Ok(Reply::see_other(&SafeRedirect::to(step_path(view.step))).done());
    }
    let t = visit.texts();
    let app = if view.kinds.contains(&Kind::Totp) {
        let name = tried.app_name.unwrap_or_else(|| Field::new(t.msg("totp-name-default")));
        let offer = site.sign_in.offer_totp(&visit.ctx, handle).await?;
        Some(app_form(visit, paths::LOGIN_STEP_ENROL, offer, name, tried.code_error))
    } else {
        None
    };
    let key = if view.kinds.contains(&Kind::Passkey) {
        let name = tried.key_name.unwrap_or_else(|| Field::new(t.msg("passkey-name-default")));
        let challenge = site.sign_in.offer_passkey(&visit.ctx, handle).await?;
        Some(KeyForm { action: paths::LOGIN_STEP_ENROL_PASSKEY, challenge, name, problem: tried.problem })
    } else {
        None
    };
    let scripted = key.is_some();
    let page = EnrolPage { shell: visit.shell(site), app, key, phone: view.kinds.contains(&Kind::Phone) };
    let target = view.return_to.as_deref().and_then(|text| site.redirect(text));
    let reply = Reply::page_with(site, visit, tried.status, &page)?.scripted(scripted);
    Ok(reply.leading_to(target.as_ref().map(SafeRedirect::as_str)).done())
}

/// What a page with a question for a key brings back.
pub(super) fn reply(fields: &Fields) -> passkey::Reply<'_> {
    passkey::Reply { ceremony: fields.text("ceremony"), credential: fields.text("credential") }
}

/// The form of a page that binds an app.
pub(super) fn app_form(
    visit: &Visit,
    action: &'static str,
    offer: totp::Offer,
    name: Field,
    code_error: Option<String>,
) -> AppForm {
    let server_time = code_error.as_ref().map(|_| security::clock(visit));
    let drawing = Drawing::of(&offer.uri);
    AppForm { action, drawing, uri: offer.uri, key: offer.key, account: offer.account, name, code_error, server_time }
}

/// The session is open: the codes are shown once, and lead on to where the person wanted to go.
pub(super) fn finished(site: &Site, visit: &Visit, enrolled: Enrolled) -> Result<Response, PageError> {
    match enrolled.outcome {
        Outcome::Open(opened) if !enrolled.codes.is_empty() => opened_with_codes(site, visit, &opened, &enrolled.codes),
        outcome => Ok(outcome_reply(site, outcome)),
    }
}

fn opened_with_codes(site: &Site, visit: &Visit, opened: &Opened, codes: &[BackupCode]) -> Result<Response, PageError> {
    let target = opened.return_to.as_deref().and_then(|text| site.redirect(text));
    let page = BackupCodesPage {
        shell: visit.shell_of(site, &opened.handle),
        username: opened.username.clone(),
        codes: codes.iter().map(|code| code.expose().clone()).collect(),
        next: target.unwrap_or(SafeRedirect::to(paths::ACCOUNT)).as_str().to_owned(),
    };
    Ok(opened_cookies(site, Reply::page(site, visit, &page)?, opened).done())
}
