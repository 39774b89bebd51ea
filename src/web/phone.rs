//! `/account/security/phone` and `/login/step/enrol/phone`: binding a phone number. A code goes out when somebody asks for
//! it by a form, never because a page was opened.

use super::account::security::added_reply;
use super::attempt::{StepForm, UnderWay, minutes};
use super::error::PageError;
use super::extract::{Fields, Fresh, Visit};
use super::page::phone::{PhoneForm, PhonePage, PhoneStepPage};
use super::page::words::{FactorProblem, SignInProblem};
use super::page::{Field, paths};
use super::respond::Reply;
use super::site::Site;
use super::step_factor::finished;
use super::verify::Query;
use crate::domain::authenticator::AuthenticatorName;
use crate::domain::phone::{Channel, PhoneNumber};
use crate::domain::redirect::SafeRedirect;
use crate::service::factor::FactorError;
use crate::service::factor::phone::{NewPhone, Sent};
use crate::service::sign_in::AttemptHandle;
use crate::service::texts::Texts;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// What the page says about the last try.
#[derive(Default)]
struct Tried {
    status: StatusCode,
    number: Field,
    name: Option<Field>,
    code_error: Option<String>,
    problem: Option<String>,
    retry_after: Option<Duration>,
}

/// What a form asks for.
enum Wish {
    /// A code to this number.
    First(NewPhone),
    /// Another one to the same.
    Again(Channel),
}

/// `GET /account/security/phone`
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    fresh: Fresh,
) -> Result<Response, PageError> {
    let anew = Query::of(query.as_deref()).text("anew") == "1";
    page(&site, &fresh, anew, Tried::default()).await
}

/// `POST /account/security/phone`: sends a code to a number.
pub async fn post(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let t = fresh.visit.texts();
    let (ctx, who) = (&fresh.visit.ctx, &fresh.who);
    let done = match read(&fields, t) {
        Ok(Wish::First(new)) => site.factors.send_code(ctx, who, &new).await,
        Ok(Wish::Again(channel)) => site.factors.send_code_again(ctx, who, channel).await,
        Err(tried) => return page(&site, &fresh, true, *tried).await,
    };
    match done.map_err(|error| told(error, &fields, t)) {
        Ok(()) | Err(Err(FactorError::Outdated)) => {
            Ok(Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_SECURITY_PHONE)).of(&fresh.visit).done())
        }
        Err(Ok(tried)) => page(&site, &fresh, false, tried).await,
        Err(Err(other)) => Err(other.into()),
    }
}

/// `POST /account/security/phone/code`: binds the number.
pub async fn post_code(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    match site.factors.bind_phone(&fresh.visit.ctx, &fresh.who, fields.text("code")).await {
        Ok(added) => added_reply(&site, &fresh, &added),
        Err(FactorError::WrongCode) => page(&site, &fresh, false, wrong_code(fresh.visit.texts())).await,
        Err(FactorError::Outdated) => page(&site, &fresh, false, too_late(fresh.visit.texts())).await,
        Err(other) => Err(other.into()),
    }
}

async fn page(site: &Site, fresh: &Fresh, anew: bool, tried: Tried) -> Result<Response, PageError> {
    let channels = site.factors.phone_channels();
    if channels.is_empty() {
        return Err(FactorError::Off.into());
    }
    let sent = if anew { None } else { site.factors.new_phone(&fresh.visit.ctx, &fresh.who).await? };
    let (status, wait) = (tried.status, tried.retry_after);
    let page = PhonePage {
        shell: fresh.visit.shell(site),
        person: fresh.who.card().account.name.clone(),
        form: form(&fresh.visit, paths::ACCOUNT_SECURITY_PHONE, channels, sent, tried),
    };
    Ok(Reply::page_with(site, &fresh.visit, status, &page)?.retry_after(wait).done())
}

/// `GET /login/step/enrol/phone`
pub async fn get_step(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    UnderWay { visit, handle }: UnderWay,
) -> Result<Response, PageError> {
    let anew = Query::of(query.as_deref()).text("anew") == "1";
    step_page(&site, &visit, &handle, anew, Tried::default()).await
}

/// `POST /login/step/enrol/phone`: sends a code to a number.
pub async fn post_step(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    let t = visit.texts();
    let done = match read(&fields, t) {
        Ok(Wish::First(new)) => site.sign_in.send_code(&visit.ctx, &handle, &new).await,
        Ok(Wish::Again(channel)) => site.sign_in.send_code_again(&visit.ctx, &handle, channel).await,
        Err(tried) => return step_page(&site, &visit, &handle, true, *tried).await,
    };
    match done.map_err(|error| told(error, &fields, t)) {
        Ok(()) | Err(Err(FactorError::Outdated)) => {
            Ok(Reply::see_other(&SafeRedirect::to(paths::LOGIN_STEP_ENROL_PHONE)).done())
        }
        Err(Ok(tried)) => step_page(&site, &visit, &handle, false, tried).await,
        Err(Err(other)) => Err(other.into()),
    }
}

/// `POST /login/step/enrol/phone/code`: binds the number, and the sign-in goes on.
pub async fn post_step_code(
    State(site): State<Arc<Site>>,
    StepForm { visit, handle, fields }: StepForm,
) -> Result<Response, PageError> {
    match site.sign_in.enrol_phone(&visit.ctx, &handle, fields.text("code")).await {
        Ok(enrolled) => finished(&site, &visit, enrolled),
        Err(FactorError::WrongCode) => step_page(&site, &visit, &handle, false, wrong_code(visit.texts())).await,
        // An attempt that is over sends the page away itself.
        Err(FactorError::Outdated) => step_page(&site, &visit, &handle, false, too_late(visit.texts())).await,
        Err(other) => Err(other.into()),
    }
}

async fn step_page(
    site: &Site,
    visit: &Visit,
    handle: &AttemptHandle,
    anew: bool,
    tried: Tried,
) -> Result<Response, PageError> {
    let sent = match site.sign_in.new_phone(&visit.ctx, handle).await {
        Ok(sent) => sent.filter(|_| !anew),
        Err(FactorError::Outdated) => return Err(PageError::BeginAgain),
        Err(other) => return Err(other.into()),
    };
    let channels = site.factors.phone_channels();
    if channels.is_empty() {
        return Err(FactorError::Off.into());
    }
    let (status, wait) = (tried.status, tried.retry_after);
    let form = form(visit, paths::LOGIN_STEP_ENROL_PHONE, channels, sent, tried);
    let page = PhoneStepPage { shell: visit.shell(site), form };
    Ok(Reply::page_with(site, visit, status, &page)?.retry_after(wait).done())
}

fn form(visit: &Visit, action: &'static str, channels: &[Channel], sent: Option<Sent>, tried: Tried) -> PhoneForm {
    let name = tried.name.unwrap_or_else(|| Field::new(visit.texts().msg("phone-name-default")));
    PhoneForm {
        action,
        code_action: if action == paths::LOGIN_STEP_ENROL_PHONE {
            paths::LOGIN_STEP_ENROL_PHONE_CODE
        } else {
            paths::ACCOUNT_SECURITY_PHONE_CODE
        },
        channels: channels.to_vec(),
        number: tried.number,
        name,
        sent: sent.map(|sent| (sent.to, sent.channel)),
        code_error: tried.code_error,
        problem: tried.problem,
    }
}

/// Reads a form; an error is the page that says what is wrong with it.
fn read(fields: &Fields, t: &Texts) -> Result<Wish, Box<Tried>> {
    let channel = Channel::parse(fields.text("channel")).unwrap_or(Channel::Sms);
    if fields.ticked("again") {
        return Ok(Wish::Again(channel));
    }
    let (number, name) = (PhoneNumber::parse(fields.text("number")), AuthenticatorName::parse(fields.text("name")));
    if let (Some(number), Some(name)) = (&number, &name) {
        return Ok(Wish::First(NewPhone { number: number.clone(), name: name.clone(), channel }));
    }
    let field = |key: &str, is_bad: bool, problem: FactorProblem| {
        let field = Field::new(fields.text(key));
        if is_bad { field.with_error(problem.text(t)) } else { field }
    };
    Err(Box::new(Tried {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        number: field("number", number.is_none(), FactorProblem::Number),
        name: Some(field("name", name.is_none(), FactorProblem::Name)),
        ..Tried::default()
    }))
}

/// What the page says when no code was sent; what it cannot say comes back.
fn told(error: FactorError, fields: &Fields, t: &Texts) -> Result<Tried, FactorError> {
    let number = Field::new(fields.text("number"));
    let name = AuthenticatorName::parse(fields.text("name")).map(|name| Field::new(name.as_str()));
    let (status, problem, retry_after) = match error {
        FactorError::Abroad => (StatusCode::UNPROCESSABLE_ENTITY, FactorProblem::Abroad.text(t), None),
        FactorError::NotSent => (StatusCode::SERVICE_UNAVAILABLE, FactorProblem::NotSent.text(t), None),
        FactorError::TooManyCodes { retry_after } => {
            let problem = FactorProblem::TooManyCodes { minutes: minutes(retry_after) };
            (StatusCode::TOO_MANY_REQUESTS, problem.text(t), Some(retry_after))
        }
        FactorError::TooManyFailures { retry_after } => {
            let problem = SignInProblem::TooManyAttempts { minutes: minutes(retry_after) };
            (StatusCode::TOO_MANY_REQUESTS, problem.text(t), Some(retry_after))
        }
        other => return Err(other),
    };
    Ok(Tried { status, number, name, problem: Some(problem), retry_after, code_error: None })
}

fn wrong_code(t: &Texts) -> Tried {
    let code_error = Some(FactorProblem::Phone.text(t));
    Tried { status: StatusCode::UNPROCESSABLE_ENTITY, code_error, ..Tried::default() }
}

fn too_late(t: &Texts) -> Tried {
    let problem = Some(FactorProblem::CodeTooOld.text(t));
    Tried { status: StatusCode::UNPROCESSABLE_ENTITY, problem, ..Tried::default() }
}
