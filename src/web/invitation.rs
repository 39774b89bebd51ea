//! `/invitation`: somebody invited chooses names and a password.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{Fields, Visit};
use super::new_password::{self, Complaints};
use super::page::invitation::{InvitationLinkInvalidPage, InvitationPage};
use super::page::words::{FieldProblem, Notice};
use super::page::{Field, paths};
use super::respond::Reply;
use super::setup::noted;
use super::site::Site;
use super::verify::Query;
use crate::domain::account::{DisplayName, Username};
use crate::domain::redirect::SafeRedirect;
use crate::service::invitation::{Choice, InvitationError, Offer};
use crate::service::password::ChangeError;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /invitation?token=…`
pub async fn get(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let token = Query::of(query.as_deref()).text("token");
    match site.invitations.look(&visit.ctx, &token).await {
        Ok(offer) => Form::offered(&token, &offer).page(&site, &visit, StatusCode::OK),
        Err(InvitationError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

/// `POST /invitation`
pub async fn post(State(site): State<Arc<Site>>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    let (t, refused) = (visit.texts(), StatusCode::UNPROCESSABLE_ENTITY);
    let token = fields.text("token");
    let mut form = match site.invitations.look(&visit.ctx, token).await {
        Ok(offer) => Form::offered(token, &offer).filled(&fields),
        Err(InvitationError::Link) => return invalid(&site, &visit),
        Err(other) => return Err(other.into()),
    };
    let username = form.username.as_mut().map(|field| noted(field, Username::parse, FieldProblem::InvalidUsername, t));
    let name = form.name.as_mut().map(|field| noted(field, DisplayName::parse, FieldProblem::InvalidName, t));
    let password = new_password::read(&fields, t).map_err(|said| form.said = said);
    // A field that is there must hold something usable; one that is not there is decided already.
    let wrong = matches!(username, Some(None)) || matches!(name, Some(None));
    let (false, Ok(password)) = (wrong, password) else { return form.page(&site, &visit, refused) };
    let choice = Choice { username: username.flatten(), name: name.flatten() };
    match site.invitations.accept(&visit.ctx, token, choice, &password).await {
        Ok(()) => {
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let reply = Reply::see_other(&SafeRedirect::to(paths::LOGIN)).notice(&site, Notice::InvitationAccepted);
            Ok(reply.cookie(jar.drop_session()).cookie(jar.drop_autologin()).done())
        }
        Err(InvitationError::Password(ChangeError::Rules(faults))) => {
            form.said = Complaints::of(&faults, t);
            form.page(&site, &visit, refused)
        }
        Err(InvitationError::UsernameTaken) => {
            if let Some(field) = &mut form.username {
                field.error = Some(FieldProblem::UsernameTaken.text(t));
            }
            form.page(&site, &visit, refused)
        }
        Err(InvitationError::Link) => invalid(&site, &visit),
        Err(other) => Err(other.into()),
    }
}

struct Form {
    token: String,
    fixed_username: String,
    username: Option<Field>,
    name: Option<Field>,
    said: Complaints,
}

impl Form {
    fn offered(token: &str, offer: &Offer) -> Self {
        let open = |value: &str, fixed: bool| (!fixed).then(|| Field::new(value));
        Self {
            token: token.to_owned(),
            fixed_username: if offer.fixed.username { offer.username.clone() } else { String::new() },
            username: open(&offer.username, offer.fixed.username),
            name: open(&offer.name, offer.fixed.name),
            said: Complaints::default(),
        }
    }

    /// With what was typed in the place of what was offered.
    fn filled(self, fields: &Fields) -> Self {
        let typed = |field: Option<Field>, name: &str| field.map(|_| Field::new(fields.text(name)));
        Self { username: typed(self.username, "username"), name: typed(self.name, "name"), ..self }
    }

    fn page(self, site: &Site, visit: &Visit, status: StatusCode) -> Result<Response, PageError> {
        let page = InvitationPage {
            shell: visit.shell(site),
            action: paths::INVITATION,
            token: self.token,
            fixed_username: self.fixed_username,
            username: self.username,
            name: self.name,
            email: None,
            rules: new_password::rules(&site.core.policy, visit.texts()),
            problems: self.said.problems,
            repeat_error: self.said.repeat_error,
        };
        Ok(Reply::page_with(site, visit, status, &page)?.done())
    }
}

fn invalid(site: &Site, visit: &Visit) -> Result<Response, PageError> {
    let page = InvitationLinkInvalidPage { shell: visit.shell(site) };
    Ok(Reply::page_with(site, visit, StatusCode::NOT_FOUND, &page)?.done())
}
