//! What providers say about signing out: `/login/{slug}/backchannel-logout` (from the provider itself),
//! `/login/{slug}/frontchannel-logout` (in a frame of its page) and `/login/{slug}/logout` (the way back from it). Where
//! signing out begins is `logout.rs`.

use super::cookies::Jar;
use super::error::PageError;
use super::extract::{self, Visit};
use super::logout::signed_out;
use super::page::outcome::Failure;
use super::page::paths;
use super::page::sign_in::There;
use super::respond::{Framed, Reply};
use super::site::Site;
use super::verify::Query;
use crate::domain::redirect::SafeRedirect;
use crate::service::provider::{Oidc, Protocol, Provider};
use crate::service::sign_out::LogoutError;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use std::sync::Arc;

/// `POST /login/{slug}/backchannel-logout`: a logout token. Needs no cookie, and pays no heed to any.
pub async fn post_backchannel(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let Some((provider, oidc)) = openid(&site, &slug) else {
        return Ok(told(StatusCode::NOT_FOUND, Some(("invalid_request", "there is no such provider"))));
    };
    let (parts, body) = request.into_parts();
    let ctx = extract::stranger(&parts, &site);
    let Ok(fields) = extract::foreign_fields(&parts.headers, body, &site).await else {
        return Ok(refused("the request is no form, or too large"));
    };
    let Some(token) = fields.get("logout_token") else { return Ok(refused("logout_token is missing")) };
    Ok(match site.sign_out.by_token(&ctx, (provider, oidc), token).await {
        Ok(()) => told(StatusCode::OK, None),
        Err(error) => {
            tracing::warn!(provider = slug, %error, "a provider's logout was refused");
            match error {
                LogoutError::Trouble(_) => {
                    told(StatusCode::BAD_REQUEST, Some(("temporarily_unavailable", "try again")))
                }
                LogoutError::Claims(fault) => refused(&fault.to_string()),
                LogoutError::Replayed => refused("the logout token was used before"),
                LogoutError::Provider(_) => refused("the logout token is not believed"),
            }
        }
    })
}

/// `GET /login/{slug}/frontchannel-logout?iss=…&sid=…`: in a frame of the provider's page. Ends the session of this very
/// browser, if its cookie came along and it is the one that is named.
pub async fn get_frontchannel(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let (provider, oidc) = openid(&site, &slug).ok_or(Failure::NotFound)?;
    let query = Query::of(query.as_deref());
    let (issuer, session) = (query.text("iss"), query.text("sid"));
    if issuer.is_empty() || session.is_empty() {
        return Err(Failure::BadRequest.into());
    }
    let ended = match &visit.person {
        Some(who) => site.sign_out.by_frame(&visit.ctx, (provider, oidc), (&issuer, &session), who).await?,
        None => false,
    };
    let policy = format!("default-src 'none'; frame-ancestors {}", oidc.client.page_origins().join(" "));
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).map_err(|_| Failure::Internal)?);
    response.extensions_mut().insert(Framed);
    let jar = Jar::new(&site.cookies, &site.core.cookie_keys);
    let reply = Reply::of_response(response);
    let reply = if ended { reply.cookie(jar.drop_session()).cookie(jar.drop_autologin()) } else { reply };
    Ok(reply.done())
}

/// `GET /login/{slug}/logout?state=…`: back from signing out at the provider. Signs nobody out itself, and leads nowhere.
pub async fn get_back(
    State(site): State<Arc<Site>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let (provider, _) = openid(&site, &slug).ok_or(Failure::NotFound)?;
    if visit.person.is_some() {
        return Ok(Reply::see_other(&SafeRedirect::to(paths::ACCOUNT)).of(&visit).done());
    }
    let state = Query::of(query.as_deref()).text("state");
    let known = site.sign_out.is_back(&visit.ctx, provider, &state).await?;
    let (status, there) =
        if known { (StatusCode::OK, There::SignedOut) } else { (StatusCode::BAD_REQUEST, There::Unsure) };
    signed_out(&site, &visit, status, Some((there, provider.name.clone())))
}

fn openid<'s>(site: &'s Site, slug: &str) -> Option<(&'s Provider, &'s Oidc)> {
    let provider = site.providers.named(slug)?;
    let Protocol::Oidc(oidc) = &provider.protocol else { return None };
    Some((provider, oidc))
}

fn refused(why: &str) -> Response {
    told(StatusCode::BAD_REQUEST, Some(("invalid_request", why)))
}

/// The answer to a provider (Back-Channel Logout section 2.8).
fn told(status: StatusCode, error: Option<(&str, &str)>) -> Response {
    let body = match error {
        Some((code, why)) => serde_json::json!({ "error": code, "error_description": why }),
        None => serde_json::json!({}),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
