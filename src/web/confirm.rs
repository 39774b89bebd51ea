//! `/login/confirm`: somebody signed in proves anew who they are. Pages that change what people sign in with lead here and
//! back, and so do applications that ask for a second factor or a fresh proof.

use super::error::PageError;
use super::extract::{Fields, Person};
use super::login::{outcome_reply, step_reply};
use super::page::factor::ConfirmPage;
use super::page::outcome::Failure;
use super::page::provider::ProviderButton;
use super::page::words::FieldProblem;
use super::provider::start;
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::password::PlainPassword;
use crate::domain::redirect::SafeRedirect;
use crate::service::sign_in::SignInError;
use crate::service::sign_in::step_up::StepUp;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /login/confirm?return_to=…&factor=1`
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    person: Person,
) -> Result<Response, PageError> {
    let query = Query::of(query.as_deref());
    let (wanted, factor) = (query.text("return_to"), query.text("factor") == "1");
    let target = safe_target(&site, &wanted)?;
    match site.sign_in.begin_step_up(&person.visit.ctx, &person.who, target, factor).await? {
        StepUp::Owes(step, handle) => Ok(step_reply(&site, step, &handle)),
        StepUp::Password => page(&site, &person, StatusCode::OK, (&wanted, factor), Ask::Password(None)),
        StepUp::Provider { slug, name } => {
            let marks = [("confirm", "1"), ("return_to", wanted.as_str()), ("factor", if factor { "1" } else { "" })];
            let button = ProviderButton::new(&site.brand, (&slug, &name), start(&slug, &marks));
            page(&site, &person, StatusCode::OK, (&wanted, factor), Ask::Provider(button))
        }
        StepUp::SignInAgain => page(&site, &person, StatusCode::OK, (&wanted, factor), Ask::SignOut),
    }
}

/// `POST /login/confirm`
pub async fn post(State(site): State<Arc<Site>>, person: Person, fields: Fields) -> Result<Response, PageError> {
    let (wanted, factor) = (fields.text("return_to"), fields.ticked("factor"));
    let target = safe_target(&site, wanted)?;
    let wrong = || {
        let said = FieldProblem::WrongPassword.text(person.visit.texts());
        page(&site, &person, StatusCode::UNPROCESSABLE_ENTITY, (wanted, factor), Ask::Password(Some(said)))
    };
    let Ok(password) = PlainPassword::typed(fields.text("password")) else { return wrong() };
    let (ctx, who) = (&person.visit.ctx, &person.who);
    match site.sign_in.step_up_with_password(ctx, who, &password, target, factor).await {
        Ok(outcome) => Ok(outcome_reply(&site, outcome)),
        Err(SignInError::Refused) => wrong(),
        Err(other) => Err(other.into()),
    }
}

/// A target that somebody wrote: none is fine, a bad one is refused.
fn safe_target(site: &Site, wanted: &str) -> Result<Option<String>, PageError> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let target = site.redirect(wanted).ok_or(Failure::ForeignTarget)?;
    Ok(Some(target.as_str().to_owned()))
}

/// What the page asks for.
enum Ask {
    /// The password, and what was wrong with it.
    Password(Option<String>),
    /// To sign in anew with a provider.
    Provider(ProviderButton),
    /// To sign out, for whoever has no password.
    SignOut,
}

fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    (return_to, factor): (&str, bool),
    ask: Ask,
) -> Result<Response, PageError> {
    let (password, password_error, provider) = match ask {
        Ask::Password(wrong) => (true, wrong, None),
        Ask::Provider(button) => (false, None, Some(button)),
        Ask::SignOut => (false, None, None),
    };
    let page = ConfirmPage {
        shell: person.visit.shell(site),
        username: person.who.card().account.username.clone(),
        password,
        password_error,
        provider,
        return_to: return_to.to_owned(),
        factor,
    };
    let target = site.redirect(return_to);
    let reply = Reply::page_with(site, &person.visit, status, &page)?;
    Ok(reply.leading_to(target.as_ref().map(SafeRedirect::as_str)).done())
}
