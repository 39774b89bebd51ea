//! `/account/password`: changing one's password.

use crate::domain::password::PlainPassword;
use crate::domain::redirect::SafeRedirect;
use crate::service::password::ChangeError;
use crate::web::cookies::Jar;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Guarded, Person};
use crate::web::new_password::{self, Complaints};
use crate::web::page::account::PasswordPage;
use crate::web::page::paths;
use crate::web::page::words::{FieldProblem, Notice};
use crate::web::respond::Reply;
use crate::web::site::Site;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /account/password`
pub async fn get(State(site): State<Arc<Site>>, Guarded(person): Guarded) -> Result<Response, PageError> {
    page(&site, &person, StatusCode::OK, None, Complaints::default()).await
}

/// `POST /account/password`
pub async fn post(
    State(site): State<Arc<Site>>,
    Guarded(person): Guarded,
    fields: Fields,
) -> Result<Response, PageError> {
    let t = person.visit.texts();
    if site.passwords.keeper(&person.who).await?.is_some() {
        return page(&site, &person, StatusCode::FORBIDDEN, None, Complaints::default()).await;
    }
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let wrong = || Some(FieldProblem::WrongPassword.text(t));
    let new = match new_password::read(&fields, t) {
        Ok(new) => new,
        Err(said) => return page(&site, &person, refused, None, said).await,
    };
    let Ok(present) = PlainPassword::typed(fields.text("password")) else {
        return page(&site, &person, refused, wrong(), Complaints::default()).await;
    };
    match site.passwords.change(&person.visit.ctx, &person.who, &present, &new).await {
        Ok(handle) => {
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_PASSWORD)).of(&person.visit);
            let reply = reply.cookie(jar.set_session(&site.surroundings, &handle)).cookie(jar.drop_autologin());
            Ok(reply.notice(&site, Notice::PasswordChanged).done())
        }
        Err(ChangeError::WrongPassword) => page(&site, &person, refused, wrong(), Complaints::default()).await,
        Err(ChangeError::Rules(faults)) => page(&site, &person, refused, None, Complaints::of(&faults, t)).await,
        Err(other) => Err(other.into()),
    }
}

async fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    password_error: Option<String>,
    said: Complaints,
) -> Result<Response, PageError> {
    let account = &person.who.card().account;
    let page = PasswordPage {
        shell: person.visit.shell(site),
        person: account.name.clone(),
        username: account.username.clone(),
        keeper: site.passwords.keeper(&person.who).await?.map(|keeper| (keeper.name, keeper.page)),
        problem: None,
        password_error,
        rules: new_password::rules(&site.core.policy, person.visit.texts()),
        problems: said.problems,
        repeat_error: said.repeat_error,
    };
    Ok(Reply::page_with(site, &person.visit, status, &page)?.done())
}
