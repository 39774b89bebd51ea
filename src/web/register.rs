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
use crate::service::texts::Texts;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /register`
pub async fn get(State(site): State<Arc<Site>>, visit: Visit) -> Result<Response, PageError> {
    offered(&site)?;
    if site.registration.is_automatic() {
        return Form::at_once().page(&site, &visit, StatusCode::OK);
    }
    let page = RegisterPage { shell: visit.shell(&site), email: Field::default() };
    Ok(Reply::page(&site, &visit, &page)?.done())
}

/// `POST /register`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    offered(&site)?;
    if site.registration.is_automatic() {
        return post_at_once(&site, &visit, &fields).await;
    }
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

/// Names, address and password in one form; the account is there afterwards, its address is not.
async fn post_at_once(site: &Site, visit: &Visit, fields: &Fields) -> Result<Response, PageError> {
    let (t, refused) = (visit.texts(), StatusCode::UNPROCESSABLE_ENTITY);
    let mut form = Form::at_once().filled(fields);
    let names = form.names(t);
    let email = form.email.as_mut().map(|field| noted(field, EmailAddress::parse, FieldProblem::InvalidEmail, t));
    let password = new_password::read(fields, t).map_err(|said| form.said = said);
    let (Some(names), Some(Some(email)), Ok(password)) = (names, email, password) else {
        return form.page(site, visit, refused);
    };
    match site.registration.at_once(&visit.ctx, names, &email, &password).await {
        Ok(()) => Ok(Reply::see_other(&SafeRedirect::to(paths::LOGIN)).notice(site, Notice::RegisteredAtOnce).done()),
        Err(error) => form.refused(site, visit, error),
    }
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
    let mut form = Form::new(fields.text("token")).filled(&fields);
    let names = form.names(visit.texts());
    let password = new_password::read(&fields, visit.texts()).map_err(|said| form.said = said);
    let (Some(names), Ok(password)) = (names, password) else {
        return form.page(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY);
    };
    match site.registration.complete(&visit.ctx, fields.text("token"), names, &password).await {
        Ok(status) => {
            let active = status == AccountStatus::Active;
            let notice = if active { Notice::InvitationAccepted } else { Notice::RegistrationWaits };
            Ok(Reply::see_other(&SafeRedirect::to(paths::LOGIN)).notice(&site, notice).done())
        }
        Err(RegistrationError::Link) => invalid(&site, &visit),
        Err(error) => form.refused(&site, &visit, error),
    }
}

struct Form {
    action: &'static str,
    token: String,
    username: Field,
    name: Field,
    email: Option<Field>,
    said: Complaints,
}

impl Form {
    /// Behind a link, which stands for the address.
    fn new(token: &str) -> Self {
        Self {
            action: paths::REGISTER_CONFIRM,
            token: token.to_owned(),
            username: Field::default(),
            name: Field::default(),
            email: None,
            said: Complaints::default(),
        }
    }

    /// Without a link, so that the address is asked for.
    fn at_once() -> Self {
        Self { action: paths::REGISTER, email: Some(Field::default()), ..Self::new("") }
    }

    fn filled(self, fields: &Fields) -> Self {
        let typed = |name: &str| Field::new(fields.text(name));
        Self { username: typed("username"), name: typed("name"), email: self.email.map(|_| typed("email")), ..self }
    }

    /// The checked names; what is wrong is noted at its field.
    fn names(&mut self, t: &Texts) -> Option<(Username, DisplayName)> {
        let username = noted(&mut self.username, Username::parse, FieldProblem::InvalidUsername, t);
        let name = noted(&mut self.name, DisplayName::parse, FieldProblem::InvalidName, t);
        Some((username?, name?))
    }

    /// The form again, with what the service did not take; or the page of an error that no field can mend.
    fn refused(mut self, site: &Site, visit: &Visit, error: RegistrationError) -> Result<Response, PageError> {
        let t = visit.texts();
        match error {
            RegistrationError::Password(ChangeError::Rules(faults)) => self.said = Complaints::of(&faults, t),
            RegistrationError::UsernameTaken => self.username.error = Some(FieldProblem::UsernameTaken.text(t)),
            RegistrationError::AddressAsUsername => {
                self.username.error = Some(FieldProblem::AddressAsUsername.text(t));
            }
            other => return Err(other.into()),
        }
        self.page(site, visit, StatusCode::UNPROCESSABLE_ENTITY)
    }

    fn page(self, site: &Site, visit: &Visit, status: StatusCode) -> Result<Response, PageError> {
        let page = InvitationPage {
            shell: visit.shell(site),
            action: self.action,
            token: self.token,
            fixed_username: String::new(),
            username: Some(self.username),
            name: Some(self.name),
            email: self.email,
            rules: new_password::rules(&site.core.policy, visit.texts()),
            problems: self.said.problems,
            repeat_error: self.said.repeat_error,
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
