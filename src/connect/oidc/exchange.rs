//! The authorization request and the exchange of a code for tokens (OpenID Connect Core 1.0 sections 3.1.2 and 3.1.3), by
//! the `openidconnect` crate over our own fetcher.

use super::super::fetch::{FetchError, Fetcher};
use super::{Credential, Known, OidcClient, OidcError, Stage};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use jsonwebtoken::Header;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthUrl, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenUrl,
};
use serde_json::{Map, Value, json};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet>;

/// How long an assertion of ours is good.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The secrets of one authorization request.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Comes back with the browser.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
    /// Proves at the token endpoint that the code was asked for by us (PKCE, RFC 7636).
    pub verifier: &'a str,
    /// The person shall prove anew who they are, though they may be signed in there.
    pub anew: bool,
}

/// What came for a code.
pub struct Tokens {
    /// As it came; not looked at yet.
    pub id_token: String,
    /// For userinfo.
    pub access: Secret<String>,
    /// How long that is good.
    pub lifetime: Option<Duration>,
    /// For asking again later.
    pub refresh: Option<Secret<String>>,
}

/// What came for a refresh token.
pub struct Renewed {
    /// As it came; not looked at yet. Not every provider sends one again.
    pub id_token: Option<String>,
    /// For userinfo.
    pub access: Secret<String>,
    /// Takes the place of the refresh token, which may be worthless now.
    pub refresh: Option<Secret<String>>,
}

impl OidcClient {
    /// Where to send the browser.
    ///
    /// # Errors
    /// [`OidcError::Malformed`] when the metadata has addresses that are none.
    pub fn authorization(&self, known: &Known, question: &Question<'_>) -> Result<String, OidcError> {
        let settings = &self.settings;
        let client = self.client(known)?;
        let verifier = PkceCodeVerifier::new(question.verifier.to_owned());
        let (state, nonce) = (CsrfToken::new(question.state.to_owned()), Nonce::new(question.nonce.to_owned()));
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new));
        for level in &settings.acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(level.clone()));
        }
        let (prompt, max_age) =
            if question.anew { (Some("login"), Some(0)) } else { (settings.prompt.as_deref(), settings.max_age) };
        for prompt in prompt.iter().flat_map(|prompt| prompt.split(' ')) {
            request = request.add_prompt(prompt_named(prompt));
        }
        if let Some(seconds) = max_age {
            request = request.set_max_age(Duration::from_secs(seconds.into()));
        }
        if settings.form_post {
            request = request.add_extra_param("response_mode", "form_post");
        }
        if let Some(claims) = &settings.claims {
            request = request.add_extra_param("claims", claims.clone());
        }
        let (url, _, _) = request.url();
        Ok(url.into())
    }

    /// Redeems a code. `assertion` is an identifier that was never used before, for `private_key_jwt`.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn redeem(
        &self,
        known: &Known,
        code: &str,
        verifier: &str,
        assertion: (&str, Timestamp),
    ) -> Result<Tokens, OidcError> {
        let client = self.client(known)?;
        let courier = Courier::of(self.fetcher.clone());
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        if let Some(assertion) = self.assertion(known, assertion)? {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion);
        }
        let answer = request.request_async(&courier).await.map_err(|error| courier.explained(error))?;
        if !answer.token_type().as_ref().eq_ignore_ascii_case("bearer") {
            return Err(malformed("the access token is of a kind that is not used here"));
        }
        let id_token = courier.id_token.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Tokens {
            id_token: id_token.ok_or_else(|| malformed("there is no ID token"))?,
            access: Secret::new(answer.access_token().secret().clone()),
            lifetime: answer.expires_in(),
            refresh: answer.refresh_token().map(|token| Secret::new(token.secret().clone())),
        })
    }

    /// Asks for new tokens with a refresh token (Core section 12). `assertion` as for [`OidcClient::redeem`].
    ///
    /// # Errors
    /// [`OidcError::Refused`] with the provider's code; `invalid_grant` is its no.
    pub async fn renew(
        &self,
        known: &Known,
        refresh: &str,
        assertion: (&str, Timestamp),
    ) -> Result<Renewed, OidcError> {
        let client = self.client(known)?;
        let courier = Courier::of(self.fetcher.clone());
        let token = RefreshToken::new(refresh.to_owned());
        let mut request = client.exchange_refresh_token(&token);
        if let Some(assertion) = self.assertion(known, assertion)? {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion);
        }
        let answer = request.request_async(&courier).await.map_err(|error| courier.explained(error))?;
        let id_token = courier.id_token.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Renewed {
            id_token,
            access: Secret::new(answer.access_token().secret().clone()),
            refresh: answer.refresh_token().map(|token| Secret::new(token.secret().clone())),
        })
    }

    fn client(&self, known: &Known) -> Result<Client, OidcError> {
        let settings = &self.settings;
        let metadata = &known.metadata;
        let wrong = |error: openidconnect::url::ParseError| OidcError::Malformed {
            stage: Stage::Metadata,
            why: error.to_string(),
        };
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(wrong)?;
        let client = CoreClient::new(ClientId::new(settings.client_id.clone()), issuer, CoreJsonWebKeySet::default())
            .set_auth_uri(AuthUrl::new(metadata.authorization_endpoint.clone()).map_err(wrong)?)
            .set_token_uri(TokenUrl::new(metadata.token_endpoint.clone()).map_err(wrong)?)
            .set_redirect_uri(RedirectUrl::new(settings.redirect_uri.clone()).map_err(wrong)?);
        Ok(match &settings.credential {
            Credential::Basic(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose().clone())).set_auth_type(AuthType::BasicAuth)
            }
            Credential::Post(secret) => client
                .set_client_secret(ClientSecret::new(secret.expose().clone()))
                .set_auth_type(AuthType::RequestBody),
            Credential::PrivateKey { .. } => client.set_auth_type(AuthType::RequestBody),
        })
    }

    /// Who we are, signed (RFC 7523 section 3; the audience is the issuer, as FAPI 2.0 wants it).
    fn assertion(&self, known: &Known, (id, now): (&str, Timestamp)) -> Result<Option<String>, OidcError> {
        let Credential::PrivateKey { key, algorithm, id: key_id } = &self.settings.credential else { return Ok(None) };
        let client_id = &self.settings.client_id;
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": [&self.settings.issuer, &known.metadata.token_endpoint],
            "jti": id,
            "iat": now.seconds(),
            "exp": now.after(ASSERTION_LIFETIME).seconds(),
        });
        let mut header = Header::new(*algorithm);
        header.kid.clone_from(key_id);
        let signed = jsonwebtoken::encode(&header, &claims, key);
        signed.map(Some).map_err(|error| OidcError::Malformed { stage: Stage::Token, why: error.to_string() })
    }
}

/// Carries the crate's requests. It keeps the ID token back: the crate would read it with rules of its own (no text for yes
/// and no, no leeway, another clock), and refuse the whole answer.
struct Courier {
    fetcher: Fetcher,
    id_token: Arc<Mutex<Option<String>>>,
    /// Of the answer: a fault there is not a word about the code, whatever stands in it.
    status: Arc<Mutex<http::StatusCode>>,
}

impl Courier {
    fn of(fetcher: Fetcher) -> Self {
        Self { fetcher, id_token: Arc::default(), status: Arc::default() }
    }

    fn explained<T: openidconnect::ErrorResponse + HasCode>(
        &self,
        error: RequestTokenError<FetchError, T>,
    ) -> OidcError {
        let status = *self.status.lock().unwrap_or_else(PoisonError::into_inner);
        // Too many questions, and one that took too long, are no word about the code either (RFC 6585 section 4).
        let later = [http::StatusCode::TOO_MANY_REQUESTS, http::StatusCode::REQUEST_TIMEOUT].contains(&status);
        if status.is_server_error() || later {
            return OidcError::Status { stage: Stage::Token, status: status.as_u16() };
        }
        explained(error)
    }
}

impl<'c> AsyncHttpClient<'c> for Courier {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.fetcher.send(request).await?;
            *self.status.lock().unwrap_or_else(PoisonError::into_inner) = answer.status();
            if let Some(token) = taken(&mut answer) {
                *self.id_token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
            }
            Ok(answer)
        })
    }
}

/// Takes the ID token out of an answer of the token endpoint.
fn taken(answer: &mut http::Response<Vec<u8>>) -> Option<String> {
    if answer.status() != http::StatusCode::OK {
        return None;
    }
    let mut fields: Map<String, Value> = serde_json::from_slice(answer.body()).ok()?;
    let token = fields.remove("id_token")?.as_str()?.to_owned();
    *answer.body_mut() = serde_json::to_vec(&fields).ok()?;
    Some(token)
}

fn prompt_named(text: &str) -> CoreAuthPrompt {
    match text {
        "login" => CoreAuthPrompt::Login,
        "consent" => CoreAuthPrompt::Consent,
        _ => CoreAuthPrompt::SelectAccount,
    }
}

fn malformed(why: &str) -> OidcError {
    OidcError::Malformed { stage: Stage::Token, why: why.to_owned() }
}

/// The provider's own words are not kept: they may hold anything. Its error code is one of a registered list.
fn explained<T: openidconnect::ErrorResponse + HasCode>(error: RequestTokenError<FetchError, T>) -> OidcError {
    match error {
        RequestTokenError::ServerResponse(told) => OidcError::Refused(told.code()),
        RequestTokenError::Request(error) => OidcError::Away { stage: Stage::Token, error },
        RequestTokenError::Parse(error, _) => {
            OidcError::Malformed { stage: Stage::Token, why: format!("no sense at {}", error.path()) }
        }
        RequestTokenError::Other(why) => malformed(&why),
    }
}

/// An error answer with a code.
trait HasCode {
    fn code(&self) -> String;
}

impl<T: openidconnect::ErrorResponseType> HasCode for openidconnect::StandardErrorResponse<T> {
    fn code(&self) -> String {
        let code = format!("{:?}", self.error());
        code.chars().filter(char::is_ascii_graphic).take(60).collect()
    }
}
