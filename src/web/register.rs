//! `/register`, `/register/confirm`: making an account for oneself, where the operator lets people.

use super::error::PageError;
use super::extract::{Fields, Visit};
use super::new_password::{self, Complaints};
use super::page::invitation::InvitationPage;
use super::page::outcome::Failure;
use super::page::register::{RegisterLinkInvalidPage, RegisterPage, RegisterSentPage};
use super::page::words::{FieldProblem, Notice};
use super::page::{Field, paths};
use super::respond::Reply;
use super::setup::noted;
use super::site::Site;
use super::verify::Query;
use crate::domain::account::{AccountStatus, DisplayName, EmailAddress, Username};
use crate::domain::redirect::SafeRedirect;
use crate::service::outbox::EMAIL_LIFETIME;
use crate::service::password::ChangeError;
use crate::service::registration::RegistrationError;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /register`
pub async fn get(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    offered(&site)?;
    let page = RegisterPage { shell: visit.shell(&site), email: Field::default() };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// `POST /register`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    offered(&site)?;
    let t = visit.texts();
    let mut email = Field::new(fields.text("email"));
    if let Some(address) = noted(&mut email, EmailAddress::parse, FieldProblem::InvalidEmail, t) {
        match site.registration.request(&visit.ctx, &address).await {
            Ok(()) => {
                let hours = u32::try_from(EMAIL_LIFETIME.as_secs() / 3600).unwrap_or(u32::MAX);
                let page = RegisterSentPage { shell: visit.shell(&site), hours };
                return Ok(Reply::page(&site, &visit, &page)?.done());
            }
            Err(RegistrationError::Domain) => email.error = Some(FieldProblem::ForeignDomain.text(t)),
            Err(other) => return Err(other.into()),
        }
    }
    let page = RegisterPage { shell: visit.shell(&site), email };
    Ok(Reply::page_with(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY, &page)?.done())
}

/// `GET /register/confirm?token=…`
pub async fn get_confirm(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    offered(&site)?;
    let token = Query::of(query.as_deref()).text("token");
    match site.registration.look(&visit.ctx, &token).await {
        Ok(_) => Form::new(&token).page(&site, &visit, StatusCode::OK),
        Err(RegistrationError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

/// `POST /register/confirm`
pub async fn post_confirm(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    offered(&site)?;
    let (t, refused) = (visit.texts(), StatusCode::UNPROCESSABLE_ENTITY);
    let mut form = Form::new(fields.text("token"));
    form.username = Field::new(fields.text("username"));
    form.name = Field::new(fields.text("name"));
    let username = noted(&mut form.username, Username::parse, FieldProblem::InvalidUsername, t);
    let name = noted(&mut form.name, DisplayName::parse, FieldProblem::InvalidName, t);
    let password = new_password::read(&fields, t).map_err(|said| form.said = said);
    let (Some(username), Some(name), Ok(password)) = (username, name, password) else {
        return form.page(&site, &visit, refused);
    };
    match site.registration.complete(&visit.ctx, fields.text("token"), (username, name), &password).await {
        Ok(status) => {
            let active = status == AccountStatus::Active;
            let notice = if active { Notice::InvitationAccepted } else { Notice::RegistrationWaits };
            Ok(Reply::see_other(&SafeRedirect::to(paths::LOGIN)).notice(&site, notice).done())
        }
        Err(RegistrationError::Password(ChangeError::Rules(faults))) => {
            form.said = Complaints::of(&faults, t);
            form.page(&site, &visit, refused)
        }
        Err(RegistrationError::UsernameTaken) => {
            form.username.error = Some(FieldProblem::UsernameTaken.text(t));
            form.page(&site, &visit, refused)
        }
        Err(RegistrationError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

struct Form {
    token: String,
    username: Field,
    name: Field,
    said: Complaints,
}

impl Form {
    fn new(token: &str) -> Self {
        let (username, name) = (Field::default(), Field::default());
        Self { token: token.to_owned(), username, name, said: Complaints::default() }
    }

    fn page(self, site: &Site, visit: &Visit, status: StatusCode) -> Result<Response, PageError> {
        let page = InvitationPage {
            shell: visit.shell(site),
            action: paths::REGISTER_CONFIRM,
            token: self.token,
            fixed_username: String::new(),
            username: Some(self.username),
            name: Some(self.name),
            rules: new_password::rules(&site.core.policy, visit.texts()),
            problems: self.said.problems,
            repeat_error: self.said.repeat_error,
            providers: Vec::new(),
        };
        Ok(Reply::page_with(site, visit, status, &page)?.done())
    }
}

fn invalid(site: &Site, visit: &Visit) -> Result<Response, PageError> {
    let page = RegisterLinkInvalidPage { shell: visit.shell(site) };
    Ok(Reply::page_with(site, visit, StatusCode::NOT_FOUND, &page)?.done())
}

fn offered(site: &Site) -> Result<(), PageError> {
    if site.registration.is_open() { Ok(()) } else { Err(Failure::NotFound.into()) }
}
