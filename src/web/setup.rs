//! `/setup`: the first administrator, with the link that the start printed.

use super::error::PageError;
use super::extract::{Fields, Visit};
use super::new_password::{self, Complaints};
use super::page::setup::{SetupLinkInvalidPage, SetupPage};
use super::page::words::{FieldProblem, Notice};
use super::page::{Field, paths};
use super::respond::Reply;
use super::site::Site;
use super::verify::Query;
use crate::domain::account::{DisplayName, EmailAddress, InvalidName, MAX_NAME, Username};
use crate::domain::redirect::SafeRedirect;
use crate::service::account::{AccountError, Newcomer};
use crate::service::password::ChangeError;
use crate::service::setup::SetUpError;
use crate::service::texts::Texts;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /setup?token=…`
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let token = Query::of(query.as_deref()).text("token");
    match site.set_up.look(&visit.ctx, &token).await {
        Ok(()) => Form::new(&token).page(&site, &visit, StatusCode::OK),
        Err(SetUpError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

/// `POST /setup`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    let t = visit.texts();
    let mut form = Form::filled(&fields);
    let names = form.names(t);
    let password = new_password::read(&fields, t).map_err(|said| form.said = said);
    let (Some(newcomer), Ok(password)) = (names, password) else {
        return form.page(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY);
    };
    match site.set_up.complete(&visit.ctx, fields.text("token"), newcomer, &password).await {
        Ok(_) => Ok(Reply::see_other(&SafeRedirect::to(paths::LOGIN)).notice(&site, Notice::SetupDone).done()),
        Err(SetUpError::Link) => invalid(&site, &visit),
        Err(SetUpError::Account(AccountError::Password(ChangeError::Rules(faults)))) => {
            form.said = Complaints::of(&faults, t);
            form.page(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(SetUpError::Account(AccountError::Taken(taken))) => {
            form.username.error = taken.username.then(|| FieldProblem::UsernameTaken.text(t));
            form.email.error = taken.email.then(|| FieldProblem::EmailTaken.text(t));
            form.page(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(other) => Err(other.into()),
    }
}

struct Form {
    token: String,
    username: Field,
    name: Field,
    email: Field,
    said: Complaints,
}

impl Form {
    fn new(token: &str) -> Self {
        let (username, name, email) = (Field::default(), Field::default(), Field::default());
        Self { token: token.to_owned(), username, name, email, said: Complaints::default() }
    }

    fn filled(fields: &Fields) -> Self {
        let field = |name: &str| Field::new(fields.text(name));
        let (username, name, email) = (field("username"), field("name"), field("email"));
        Self { token: fields.text("token").to_owned(), username, name, email, said: Complaints::default() }
    }

    /// The checked names; what is wrong is noted at its field.
    fn names(&mut self, t: &Texts) -> Option<Newcomer> {
        let username = noted(&mut self.username, Username::parse, FieldProblem::InvalidUsername, t);
        let name = noted(&mut self.name, DisplayName::parse, FieldProblem::InvalidName, t);
        let email = noted(&mut self.email, EmailAddress::parse, FieldProblem::InvalidEmail, t);
        Some(Newcomer { username: username?, name: name?, email: email?, administrator: true })
    }

    fn page(self, site: &Site, visit: &Visit, status: StatusCode) -> Result<Response, PageError> {
        let page = SetupPage {
            shell: visit.shell(site),
            token: self.token,
            username: self.username,
            name: self.name,
            email: self.email,
            rules: new_password::rules(&site.core.policy, visit.texts()),
            problems: self.said.problems,
            repeat_error: self.said.repeat_error,
        };
        Ok(Reply::page_with(site, visit, status, &page)?.done())
    }
}

/// Parses a field, and notes at it what is wrong.
pub(super) fn noted<T>(
    field: &mut Field,
    parse: impl Fn(&str) -> Result<T, InvalidName>,
    otherwise: FieldProblem,
    t: &Texts,
) -> Option<T> {
    match parse(&field.value) {
        Ok(value) => Some(value),
        Err(why) => {
            let problem = match why {
                InvalidName::Empty => FieldProblem::Missing,
                InvalidName::TooLong => FieldProblem::TooLong(u32::try_from(MAX_NAME).unwrap_or(u32::MAX)),
                _ => otherwise,
            };
            field.error = Some(problem.text(t));
            None
        }
    }
}

fn invalid(site: &Site, visit: &Visit) -> Result<Response, PageError> {
    let page = SetupLinkInvalidPage { shell: visit.shell(site) };
    Ok(Reply::page_with(site, visit, StatusCode::NOT_FOUND, &page)?.done())
}
