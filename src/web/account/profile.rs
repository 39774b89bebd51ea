//! `/account/profile`: name, language, time zone, contrast. The picture on the same page is `avatar.rs`.

use crate::domain::account::{Account, DisplayName};
use crate::domain::face::Contrast;
use crate::domain::language::Language;
use crate::domain::redirect::SafeRedirect;
use crate::service::account::AccountError;
use crate::service::account::Profile;
use crate::service::directory::Directories;
use crate::service::texts::Texts;
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

/// What stands in the form.
struct Entries {
    name: Field,
    language: Option<Language>,
    time_zone: Field,
    contrast: Contrast,
    picture_error: Option<String>,
}

impl Entries {
    fn stored(account: &Account) -> Self {
        Self {
            name: Field::new(account.name.clone()),
            language: account.language,
            time_zone: Field::new(account.time_zone.clone().unwrap_or_default()),
            contrast: account.contrast,
            picture_error: None,
        }
    }

    fn sent(fields: &Fields) -> Self {
        Self {
            name: Field::new(fields.text("name")),
            language: Language::parse(fields.text("language")),
            time_zone: Field::new(fields.text("time_zone").trim()),
            contrast: Contrast::of(fields.text("contrast")),
            picture_error: None,
        }
    }
}

/// `GET /account/profile`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    let entries = Entries::stored(&person.who.card().account);
    page(&site, &person, StatusCode::OK, entries).await
}

/// `POST /account/profile`
pub async fn post(State(site): State<Arc<Site>>, person: Person, fields: Fields) -> Result<Response, PageError> {
    let t = person.visit.texts();
    let mut entries = Entries::sent(&fields);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(name) = noted(&mut entries.name, DisplayName::parse, FieldProblem::InvalidName, t) else {
        return page(&site, &person, refused, entries).await;
    };
    let time_zone = Some(entries.time_zone.value.clone()).filter(|zone| !zone.is_empty());
    let profile = Profile { name, language: entries.language, time_zone, contrast: entries.contrast };
    match site.accounts.set_profile(&person.visit.ctx, &person.who, profile).await {
        Ok(()) => {
            let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_PROFILE)).of(&person.visit);
            Ok(reply.notice(&site, Notice::ProfileSaved).done())
        }
        Err(AccountError::TimeZone(_)) => {
            entries.time_zone.error = Some(FieldProblem::UnknownTimeZone.text(t));
            page(&site, &person, refused, entries).await
        }
        Err(other) => Err(other.into()),
    }
}

/// The page again, with what was wrong with the picture that was sent.
pub(super) async fn with_picture_problem(
    site: &Site,
    person: &Person,
    problem: FieldProblem,
) -> Result<Response, PageError> {
    let picture_error = Some(problem.text(person.visit.texts()));
    let entries = Entries { picture_error, ..Entries::stored(&person.who.card().account) };
    let status = match problem {
        FieldProblem::PictureTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    page(site, person, status, entries).await
}

async fn page(site: &Site, person: &Person, status: StatusCode, entries: Entries) -> Result<Response, PageError> {
    let account = &person.who.card().account;
    let t = person.visit.texts();
    let directories = Directories::new(Arc::clone(&site.core)).own_attributes(&person.who).await?;
    let language = |one: Language| Choice {
        value: one.tag().to_owned(),
        label: one.own_name().to_owned(),
        selected: entries.language == Some(one),
    };
    let contrast = |one: Contrast| Choice {
        value: one.as_str().to_owned(),
        label: contrast_text(one, t),
        selected: entries.contrast == one,
    };
    let page = ProfilePage {
        shell: person.visit.shell(site),
        person: account.name.clone(),
        username: account.username.clone(),
        email: account.address().map(ToOwned::to_owned),
        email_change: site.core.policy.email_change || account.address().is_none(),
        languages: Language::ALL.into_iter().map(language).collect(),
        time_zones: crate::service::moment::zones(),
        contrasts: Contrast::ALL.into_iter().map(contrast).collect(),
        name: entries.name,
        time_zone: entries.time_zone,
        picture_error: entries.picture_error,
        directories: directories.into_iter().map(|said| (said.directory, said.values)).collect(),
    };
    Ok(Reply::page_with(site, &person.visit, status, &page)?.done())
}

fn contrast_text(contrast: Contrast, t: &Texts) -> String {
    match contrast {
        Contrast::System => t.msg("profile-contrast-system"),
        Contrast::More => t.msg("profile-contrast-more"),
    }
}
