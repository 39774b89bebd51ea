//! `/account/security`: one's second factors. What changes them asks for a fresh proof first.

use super::when;
use crate::domain::authenticator::{Authenticator, AuthenticatorName};
use crate::domain::autologin::Remembered;
use crate::domain::id::AuthenticatorId;
use crate::domain::redirect::SafeRedirect;
use crate::service::access_news::kind_text;
use crate::service::factor::backup::BackupCode;
use crate::service::factor::{Added, FactorError};
use crate::service::moment;
use crate::service::session::Handle;
use crate::web::cookies::Jar;
use crate::web::error::PageError;
use crate::web::extract::{Fields, Fresh, Person, Visit};
use crate::web::page::factor::{BackupCodesPage, FactorRow, KeyForm, PasskeyPage, SecurityPage, SparedRow, TotpPage};
use crate::web::page::outcome::Failure;
use crate::web::page::words::{FactorProblem, Notice};
use crate::web::page::{Field, paths};
use crate::web::respond::Reply;
use crate::web::site::Site;
use crate::web::step_factor::{app_form, reply};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// `GET /account/security`
pub async fn get(State(site): State<Arc<Site>>, person: Person) -> Result<Response, PageError> {
    page(&site, &person, StatusCode::OK, None).await
}

async fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let overview = site.factors.overview(&person.visit.ctx, &person.who).await?;
    let page = SecurityPage {
        shell: person.visit.shell(site),
        person: person.who.card().account.name.clone(),
        factors: overview.authenticators.iter().map(|one| factor_row(person, one, &overview.numbers)).collect(),
        kinds: overview.kinds,
        backup_codes: overview.backup_codes,
        devices: overview.devices.iter().map(|one| spared_row(person, one)).collect(),
        required: overview.required,
        problem,
    };
    Ok(Reply::page_with(site, &person.visit, status, &page)?.done())
}

fn factor_row(person: &Person, one: &Authenticator, numbers: &[(AuthenticatorId, String)]) -> FactorRow {
    FactorRow {
        id: one.id.to_string(),
        name: one.name.clone(),
        kind: kind_text(one.kind, person.visit.texts()),
        number: numbers.iter().find(|(id, _)| *id == one.id).map(|(_, number)| number.clone()),
        preferred: one.preferred,
        added: when(&person.visit, &person.who, one.created_at),
        last_used: one.last_used_at.map(|at| when(&person.visit, &person.who, at)),
    }
}

fn spared_row(person: &Person, one: &Remembered) -> SparedRow {
    SparedRow {
        id: one.id.to_string(),
        device: one.device.clone(),
        last_used: when(&person.visit, &person.who, one.rotated_at),
        until: when(&person.visit, &person.who, one.expires_at),
    }
}

/// `GET /account/security/totp`
pub async fn get_totp(State(site): State<Arc<Site>>, fresh: Fresh) -> Result<Response, PageError> {
    let name = Field::new(fresh.visit.texts().msg("totp-name-default"));
    totp_page(&site, &fresh, StatusCode::OK, name, None).await
}

/// `POST /account/security/totp`
pub async fn post_totp(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let t = fresh.visit.texts();
    let field = Field::new(fields.text("name"));
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(name) = AuthenticatorName::parse(fields.text("name")) else {
        return totp_page(&site, &fresh, refused, field.with_error(FactorProblem::Name.text(t)), None).await;
    };
    match site.factors.bind_totp(&fresh.visit.ctx, &fresh.who, &name, fields.text("code")).await {
        Ok(added) => added_reply(&site, &fresh, &added),
        Err(FactorError::WrongCode) => {
            totp_page(&site, &fresh, refused, field, Some(FactorProblem::Totp.text(t))).await
        }
        Err(FactorError::Outdated) => Ok(back(&fresh).done()),
        Err(other) => Err(other.into()),
    }
}

async fn totp_page(
    site: &Site,
    fresh: &Fresh,
    status: StatusCode,
    name: Field,
    code_error: Option<String>,
) -> Result<Response, PageError> {
    let offer = site.factors.offer_totp(&fresh.visit.ctx, &fresh.who).await?;
    let page = TotpPage {
        shell: fresh.visit.shell(site),
        person: fresh.who.card().account.name.clone(),
        app: app_form(&fresh.visit, paths::ACCOUNT_SECURITY_TOTP, offer, name, code_error),
    };
    Ok(Reply::page_with(site, &fresh.visit, status, &page)?.done())
}

/// `GET /account/security/passkey`
pub async fn get_passkey(State(site): State<Arc<Site>>, fresh: Fresh) -> Result<Response, PageError> {
    let name = Field::new(fresh.visit.texts().msg("passkey-name-default"));
    passkey_page(&site, &fresh, StatusCode::OK, name, None).await
}

/// `POST /account/security/passkey`
pub async fn post_passkey(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let t = fresh.visit.texts();
    let field = Field::new(fields.text("name"));
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(name) = AuthenticatorName::parse(fields.text("name")) else {
        return passkey_page(&site, &fresh, refused, field.with_error(FactorProblem::Name.text(t)), None).await;
    };
    match site.factors.bind_passkey(&fresh.visit.ctx, &fresh.who, &name, reply(&fields)).await {
        Ok(added) => added_reply(&site, &fresh, &added),
        Err(FactorError::WrongCode | FactorError::Outdated) => {
            passkey_page(&site, &fresh, refused, field, Some(FactorProblem::Passkey.text(t))).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn passkey_page(
    site: &Site,
    fresh: &Fresh,
    status: StatusCode,
    name: Field,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let challenge = site.factors.offer_passkey(&fresh.visit.ctx, &fresh.who).await?;
    let page = PasskeyPage {
        shell: fresh.visit.shell(site),
        person: fresh.who.card().account.name.clone(),
        key: KeyForm { action: paths::ACCOUNT_SECURITY_PASSKEY, challenge, name, problem },
    };
    Ok(Reply::page_with(site, &fresh.visit, status, &page)?.scripted(true).done())
}

/// After binding one: the codes once, if there are new ones.
pub(in crate::web) fn added_reply(site: &Site, fresh: &Fresh, added: &Added) -> Result<Response, PageError> {
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let renewed = jar.set_session(&site.surroundings, &added.handle);
    if added.codes.is_empty() {
        return Ok(back(fresh).cookie(renewed).notice(site, Notice::FactorAdded).done());
    }
    Ok(codes_page(site, fresh, &added.codes, Some(&added.handle))?.cookie(renewed).cookie(jar.drop_autologin()).done())
}

fn codes_page(site: &Site, fresh: &Fresh, codes: &[BackupCode], renewed: Option<&Handle>) -> Result<Reply, PageError> {
    let visit = &fresh.visit;
    let page = BackupCodesPage {
        shell: renewed.map_or_else(|| visit.shell(site), |handle| visit.shell_of(site, handle)),
        username: fresh.who.card().account.username.clone(),
        codes: codes.iter().map(|code| code.expose().clone()).collect(),
        next: paths::ACCOUNT_SECURITY.to_owned(),
    };
    Reply::page(site, visit, &page)
}

/// `POST /account/security/backup-codes`
pub async fn make_backup_codes(
    State(site): State<Arc<Site>>,
    fresh: Fresh,
    _fields: Fields,
) -> Result<Response, PageError> {
    let codes = site.factors.make_backup_codes(&fresh.visit.ctx, &fresh.who).await?;
    Ok(codes_page(&site, &fresh, &codes, None)?.done())
}

/// `POST /account/security/rename`
pub async fn rename(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let id = fields.text("factor").parse().map_err(|_| Failure::NotFound)?;
    let Some(name) = AuthenticatorName::parse(fields.text("name")) else {
        let problem = Some(FactorProblem::Name.text(fresh.visit.texts()));
        return page(&site, &fresh.into(), StatusCode::UNPROCESSABLE_ENTITY, problem).await;
    };
    site.factors.rename(&fresh.visit.ctx, &fresh.who, id, &name).await?;
    Ok(back(&fresh).notice(&site, Notice::FactorChanged).done())
}

/// `POST /account/security/prefer`
pub async fn prefer(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let id = fields.text("factor").parse().map_err(|_| Failure::NotFound)?;
    site.factors.prefer(&fresh.visit.ctx, &fresh.who, id).await?;
    Ok(back(&fresh).notice(&site, Notice::FactorChanged).done())
}

/// `POST /account/security/remove`
pub async fn remove(State(site): State<Arc<Site>>, fresh: Fresh, fields: Fields) -> Result<Response, PageError> {
    let id = fields.text("factor").parse().map_err(|_| Failure::NotFound)?;
    match site.factors.remove(&fresh.visit.ctx, &fresh.who, id).await {
        Ok(handle) => {
            let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
            let reply = back(&fresh).cookie(jar.set_session(&site.surroundings, &handle));
            Ok(reply.notice(&site, Notice::FactorRemoved).done())
        }
        Err(FactorError::Required) => {
            let problem = Some(FactorProblem::Last.text(fresh.visit.texts()));
            page(&site, &fresh.into(), StatusCode::UNPROCESSABLE_ENTITY, problem).await
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /account/security/devices/forget`
pub async fn forget_device(
    State(site): State<Arc<Site>>,
    person: Person,
    fields: Fields,
) -> Result<Response, PageError> {
    let id = fields.text("device").parse().map_err(|_| Failure::NotFound)?;
    site.factors.forget_device(&person.visit.ctx, &person.who, id).await?;
    let reply = Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_SECURITY)).of(&person.visit);
    Ok(reply.notice(&site, Notice::DeviceForgotten).done())
}

fn back(fresh: &Fresh) -> Reply {
    Reply::see_other(&SafeRedirect::to(paths::ACCOUNT_SECURITY)).of(&fresh.visit)
}

/// Our time, for people whose clock may be wrong.
pub(in crate::web) fn clock(visit: &Visit) -> String {
    let zone = visit.person.as_ref().and_then(|who| who.card().account.time_zone.clone());
    moment::shown(visit.ctx.now(), zone.as_deref(), visit.ctx.language)
}
