//! `/account/profile`: name, language, time zone.

use crate::domain::account::DisplayName;
use crate::domain::language::Language;
use crate::domain::redirect::SafeRedirect;
use crate::service::account::AccountError;
use crate::service::account::Profile;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Person};
use crate::web::page::account::ProfilePage;
use crate::web::page::words::{FieldProblem, Notice};
use crate::web::page::{Choice, Field, paths};
use crate::web::respond::Reply;
use crate::web::setup::noted;
use crate::web::site::Site;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /account/profile`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    let account = &person.who.card().account;
    let name = Field::new(account.name.clone());
    let zone = Field::new(account.time_zone.clone().unwrap_or_default());
    page(&site, &person, StatusCode::OK, name, account.language, zone)
}

/// `POST /account/profile`
pub async fn post(State(site): State<Arc<Site>>, person: Person, fields: Fields) -> Result<Response, PageError> {
    let t = person.visit.texts();
    let mut name = Field::new(fields.text("name"));
    let mut zone = Field::new(fields.text("time_zone").trim());
    let language = Language::parse(fields.text("language"));
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(parsed) = noted(&mut name, DisplayName::parse, FieldProblem::InvalidName, t) else {
        return page(&site, &person, refused, name, language, zone);
    };
    let time_zone = Some(zone.value.clone()).filter(|zone| !zone.is_empty());
    let profile = Profile { name: parsed, language, time_zone };
    match site.accounts.set_profile(&person.visit.ctx, &person.who, profile).await {
        Ok(()) => {
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_PROFILE)).of(&person.visit);
            Ok(reply.notice(&site, Notice::ProfileSaved).done())
        }
        Err(AccountError::TimeZone(_)) => {
            zone.error = Some(FieldProblem::UnknownTimeZone.text(t));
            page(&site, &person, refused, name, language, zone)
        }
        Err(other) => Err(other.into()),
    }
}

fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    name: Field,
    language: Option<Language>,
    time_zone: Field,
) -> Result<Response, PageError> {
    let account = &person.who.card().account;
    let choice = |one: Language| Choice {
        value: one.tag().to_owned(),
        label: one.own_name().to_owned(),
        selected: language == Some(one),
    };
    let page = ProfilePage {
        shell: person.visit.shell(site),
        person: account.name.clone(),
        name,
        username: account.username.clone(),
        email: account.address().map(ToOwned::to_owned),
        email_change: site.core.policy.email_change || account.address().is_none(),
        languages: Language::ALL.into_iter().map(choice).collect(),
        time_zone,
        time_zones: crate::service::moment::zones(),
    };
    Ok(Reply::page_with(site, &person.visit, status, &page)?.done())
}
