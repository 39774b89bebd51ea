//! `/account/avatar`: the own picture.

use super::profile;
use crate::domain::face::initials;
use crate::domain::redirect::SafeRedirect;
use crate::service::avatar::AvatarError;
use crate::service::picture::Unusable;
use crate::web::avatar::shown;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Person};
use crate::web::page::paths;
use crate::web::page::words::{FieldProblem, Notice};
use crate::web::respond::Reply;
use crate::web::site::Site;
use crate::web::upload::Upload;
use axum::extract::State;
use axum::response::Response;
use http::header::HeaderMap;
use std::sync::Arc;

/// `GET /account/avatar`: the picture, or the initials of whoever has none.
pub async fn get(State(site): State<Arc<Site>>, person: Person, asked: HeaderMap) -> Result<Response, PageError> {
    let account = &person.who.card().account;
    let jpeg = site.avatars.own(&person.who).await.map_err(PageError::Trouble)?;
    if let (Some(jpeg), Some(key)) = (jpeg, &account.picture) {
        return Ok(shown(&asked, key.as_str(), "image/jpeg", jpeg));
    }
    let letters = initials(&account.name);
    let points: Vec<String> = letters.chars().map(|letter| format!("{:x}", u32::from(letter))).collect();
    Ok(shown(&asked, &points.join("-"), "image/svg+xml", drawn(&letters).into_bytes()))
}

/// Initials are letters and digits only, so nothing in them needs escaping.
fn drawn(letters: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"256\" height=\"256\" viewBox=\"0 0 256 256\">\
         <rect width=\"256\" height=\"256\" fill=\"#e2f0ec\"/>\
         <text x=\"128\" y=\"128\" dy=\".35em\" text-anchor=\"middle\" font-family=\"system-ui, sans-serif\" \
         font-size=\"104\" font-weight=\"600\" fill=\"#08534a\">{letters}</text></svg>"
    )
}

/// `POST /account/avatar`
pub async fn post(State(site): State<Arc<Site>>, person: Person, upload: Upload) -> Result<Response, PageError> {
    let problem = match &upload.file {
        None => FieldProblem::PictureTooLarge,
        Some(file) if file.is_empty() => FieldProblem::Missing,
        Some(file) => match site.avatars.set(&person.visit.ctx, &person.who, file.clone()).await {
            Ok(()) => return Ok(back(&person).notice(&site, Notice::PictureSaved).done()),
            Err(AvatarError::Unusable(Unusable::Kind)) => FieldProblem::PictureKind,
            Err(AvatarError::Unusable(Unusable::Pixels)) => FieldProblem::PicturePixels,
            Err(AvatarError::Unusable(Unusable::Damaged)) => FieldProblem::PictureDamaged,
            Err(AvatarError::Trouble(trouble)) => return Err(PageError::Trouble(trouble)),
        },
    };
    profile::with_picture_problem(&site, &person, problem).await
}

/// `POST /account/avatar/remove`
pub async fn remove(State(site): State<Arc<Site>>, person: Person, _fields: Fields) -> Result<Response, PageError> {
    match site.avatars.remove(&person.visit.ctx, &person.who).await {
        Ok(()) => Ok(back(&person).notice(&site, Notice::PictureRemoved).done()),
        Err(AvatarError::Trouble(trouble)) => Err(PageError::Trouble(trouble)),
        Err(AvatarError::Unusable(_)) => {
            profile::with_picture_problem(&site, &person, FieldProblem::PictureDamaged).await
        }
    }
}

fn back(person: &Person) -> Reply {
    Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_PROFILE)).of(&person.visit)
}
