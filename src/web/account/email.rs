//! `/account/email`, `/account/email/confirm`: a new address, asked for with the password, confirmed by letter.

use crate::domain::account::{EmailAddress, InvalidName};
use crate::domain::password::PlainPassword;
use crate::domain::redirect::SafeRedirect;
use crate::service::email::EmailError;
use crate::service::outbox::EMAIL_LIFETIME;
use crate::service::password::ChangeError;
use crate::web::cookies::Jar;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Person, Visit};
use crate::web::page::account::{EmailConfirmPage, EmailLinkInvalidPage, EmailPage, EmailSentPage};
use crate::web::page::outcome::Failure;
use crate::web::page::words::{FieldProblem, Notice};
use crate::web::page::{Field, paths};
use crate::web::respond::Reply;
use crate::web::setup::noted;
use crate::web::site::Site;
use crate::web::verify::Query;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /account/email`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    if !site.core.policy.email_change && person.who.card().account.address().is_some() {
        return Err(Failure::NotFound.into());
    }
    page(&site, &person, StatusCode::OK, Field::default(), None)
}

/// `POST /account/email`
pub async fn post(State(site): State<Arc<Site>>, person: Person, fields: Fields) -> Result<Response, PageError> {
    let t = person.visit.texts();
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let mut email = Field::new(fields.text("email"));
    let Some(new) = noted(&mut email, parsed, FieldProblem::InvalidEmail, t) else {
        return page(&site, &person, refused, email, None);
    };
    let wrong = || Some(FieldProblem::WrongPassword.text(t));
    let Ok(password) = PlainPassword::typed(fields.text("password")) else {
        return page(&site, &person, refused, email, wrong());
    };
    match site.emails.request(&person.visit.ctx, &person.who, &new, &password).await {
        Ok(()) => {
            let page = EmailSentPage {
                shell: person.visit.shell(&site),
                person: person.who.card().account.name.clone(),
                email: new.as_str().to_owned(),
                hours: u32::try_from(EMAIL_LIFETIME.as_secs() / 3600).unwrap_or(u32::MAX),
            };
            Ok(Reply::page(&site, &person.visit, &page)?.done())
        }
        Err(EmailError::Same) => page(&site, &person, refused, email.with_error(FieldProblem::SameEmail.text(t)), None),
        Err(EmailError::Password(ChangeError::WrongPassword)) => page(&site, &person, refused, email, wrong()),
        Err(other) => Err(other.into()),
    }
}

/// `GET /account/email/confirm?token=…`: asks; mail scanners follow links. Only the account that wants the address can
/// confirm it: the letter may have gone to somebody else by mistake.
pub async fn get_confirm(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    person: Person,
) -> Result<Response, PageError> {
    let token = Query::of(query.as_deref()).text("token");
    match site.emails.look(&person.visit.ctx, &person.who, &token).await {
        Ok(new) => {
            let page = EmailConfirmPage { shell: person.visit.shell(&site), email: new.as_str().to_owned(), token };
            Ok(Reply::page(&site, &person.visit, &page)?.done())
        }
        Err(EmailError::Link) => invalid(&site, &person.visit),
        Err(other) => Err(other.into()),
    }
}

/// `POST /account/email/confirm`
pub async fn post_confirm(
    State(site): State<Arc<Site>>,
    person: Person,
    fields: Fields,
) -> Result<Response, PageError> {
    match site.emails.confirm(&person.visit.ctx, &person.who, fields.text("token")).await {
        Ok(handle) => {
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_PROFILE)).of(&person.visit);
            let reply = reply.cookie(jar.set_session(&site.surroundings, &handle));
            Ok(reply.notice(&site, Notice::EmailChanged).done())
        }
        Err(EmailError::Link) => invalid(&site, &person.visit),
        Err(other) => Err(other.into()),
    }
}

fn parsed(text: &str) -> Result<EmailAddress, InvalidName> {
    EmailAddress::parse(text)
}

fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    email: Field,
    password_error: Option<String>,
) -> Result<Response, PageError> {
    let account = &person.who.card().account;
    let page = EmailPage {
        shell: person.visit.shell(site),
        person: account.name.clone(),
        username: account.username.clone(),
        current: account.address().map(ToOwned::to_owned),
        email,
        password_error,
        problem: None,
    };
    Ok(Reply::page_with(site, &person.visit, status, &page)?.done())
}

fn invalid(site: &Site, visit: &Visit) -> Result<Response, PageError> {
    let page = EmailLinkInvalidPage { shell: visit.shell(site) };
    Ok(Reply::page_with(site, visit, StatusCode::NOT_FOUND, &page)?.done())
}
