//! `[[identity_provider]]` with `kind = "oidc"`: the keys that only OpenID Connect has.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::config::findings::Findings;
use crate::config::span::Span;
use crate::domain::secret::Secret;

/// What the example shows.
const EXAMPLE_SECRET: &str = "the secret that the provider shows";

/// The keys of an OpenID provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Oidc {
    /// OpenID Connect: the issuer, exactly as the provider writes it. Its metadata is read from
    /// `ISSUER/.well-known/openid-configuration`. `http` is possible for this very machine only.
    #[schemars(example = &"https://idp.example.org")]
    pub issuer: Option<String>,

    /// OpenID Connect: name of this service at the provider. Register `PUBLIC_URL/login/SLUG/callback` there as
    /// redirect address.
    #[schemars(example = &"vestibule")]
    pub client_id: Option<String>,

    /// OpenID Connect: secret of this service at the provider. Better in a file or in the environment than here.
    #[schemars(example = &EXAMPLE_SECRET)]
    pub client_secret: Option<Secret<String>>,

    /// OpenID Connect: file with the secret, instead of `client_secret`.
    #[schemars(example = &"/run/secrets/corp_client")]
    pub client_secret_file: Option<PathBuf>,

    /// OpenID Connect: how this service proves who it is at the provider's token endpoint.
    pub client_authentication: ClientAuthentication,

    /// OpenID Connect: file with the private key (PEM, PKCS#8) for `private_key_jwt`: RSA with 2048 bits or more, EC on
    /// P-256 or P-384, or Ed25519.
    #[schemars(example = &"/etc/vestibule/corp-client.pem")]
    pub private_key_file: Option<PathBuf>,

    /// OpenID Connect: name (`kid`) of that key, if the provider wants one.
    #[schemars(example = &"2026-11")]
    pub private_key_id: Option<String>,

    /// OpenID Connect: what is asked for. `openid` is always among it.
    pub scopes: Vec<String>,

    /// OpenID Connect: how the browser brings the answer.
    pub response_mode: ResponseMode,

    /// OpenID Connect: levels of authentication that are asked for (`acr_values`), the preferred one first. To insist on
    /// one, ask for it in `claims` as essential.
    #[schemars(example = &["urn:example:mfa"])]
    pub acr_values: Vec<String>,

    /// OpenID Connect: levels of authentication (`acr` of the ID token) that count as a second factor here. Whoever comes
    /// with one of them is not asked for a factor of this service, and may use what asks for one. Compared exactly; ask
    /// for the level with `acr_values`, or insist on it with `claims`. Empty is none: whoever has a factor here shows it,
    /// whatever they showed there.
    ///
    /// Danger: the provider's word then opens what asks for two factors.
    #[schemars(example = &["urn:example:mfa"])]
    pub second_factor_acr: Vec<String>,

    /// OpenID Connect: methods (`amr` of the ID token, RFC 8176) of which one is enough to count as a second factor here,
    /// as with `second_factor_acr`.
    ///
    /// Danger: the provider's word then opens what asks for two factors; `otp` alone may have been the only factor.
    #[schemars(example = &["mfa"])]
    pub second_factor_amr: Vec<String>,

    /// OpenID Connect: how often the provider is asked whether a session that it vouched for may go on, so that whoever is
    /// shut out there does not stay in here. Asked with the refresh token, and for userinfo; what is said about groups and
    /// profile is followed as at a sign-in. A definite no ends the session and the browser's staying signed in; a
    /// provider that does not answer ends nothing. Some providers give a refresh token only with the scope
    /// `offline_access`; without one, a session is looked at until its access token has run out. When not set: never.
    #[schemars(example = &"15m")]
    pub revalidate: Option<Span>,

    /// OpenID Connect: the `claims` parameter, as JSON with the objects `id_token` and `userinfo`. A claim that is asked
    /// for as essential must be there, with one of its values where any are named, or nobody gets in.
    #[schemars(
        example = &r#"{"id_token": {"acr": {"essential": true, "values": ["urn:example:mfa"]}}}"#,
        extend("x-allowed" = "a JSON object with \"id_token\" or \"userinfo\"")
    )]
    pub claims: Option<String>,

    /// OpenID Connect: what the provider shall do although the person is signed in there (`prompt`).
    #[schemars(example = &"select_account", extend("x-allowed" = "login, consent, select_account, or several with a space between"))]
    pub prompt: Option<String>,

    /// OpenID Connect: how many seconds ago the person may have signed in at the provider at most. When not set, any
    /// time.
    #[schemars(range(min = 0, max = 2_592_000), example = 3600)]
    pub max_age: Option<u32>,

    /// OpenID Connect: whether the userinfo endpoint is asked, where the provider has one.
    pub userinfo: bool,

    /// OpenID Connect: signatures that are believed, whatever the provider says it uses.
    pub algorithms: Vec<Algorithm>,

    /// OpenID Connect: whether the provider's metadata is read. If not, the endpoints below must be set.
    pub discovery: bool,

    /// OpenID Connect: where browsers sign in; over what discovery says.
    #[schemars(example = &"https://idp.example.org/authorize")]
    pub authorization_endpoint: Option<String>,

    /// OpenID Connect: where codes are redeemed; over what discovery says.
    #[schemars(example = &"https://idp.example.org/token")]
    pub token_endpoint: Option<String>,

    /// OpenID Connect: where more is said about people; over what discovery says.
    #[schemars(example = &"https://idp.example.org/userinfo")]
    pub userinfo_endpoint: Option<String>,

    /// OpenID Connect: where the provider's keys are; over what discovery says.
    #[schemars(example = &"https://idp.example.org/jwks.json")]
    pub jwks_uri: Option<String>,

    /// OpenID Connect: where browsers sign out; over what discovery says.
    #[schemars(example = &"https://idp.example.org/logout")]
    pub end_session_endpoint: Option<String>,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: None,
            client_secret: None,
            client_secret_file: None,
            client_authentication: ClientAuthentication::ClientSecretBasic,
            private_key_file: None,
            private_key_id: None,
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            response_mode: ResponseMode::Query,
            acr_values: Vec::new(),
            second_factor_acr: Vec::new(),
            second_factor_amr: Vec::new(),
            revalidate: None,
            claims: None,
            prompt: None,
            max_age: None,
            userinfo: true,
            algorithms: Algorithm::ALL.to_vec(),
            discovery: true,
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            jwks_uri: None,
            end_session_endpoint: None,
        }
    }
}

/// How this service proves who it is (OpenID Connect Core section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// The secret in the `Authorization` header.
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
    /// A token signed with `private_key_file`.
    PrivateKeyJwt,
}

/// How the browser brings the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the address.
    Query,
    /// In a form that it posts, so that the answer is in no log.
    FormPost,
}

/// A signature that can be believed: asymmetric ones only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the registered names of RFC 7518 section 3.1 and RFC 8037")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];
}

impl Oidc {
    /// How often the provider is asked about a session again; `None` is never.
    #[must_use]
    pub fn revalidation(&self) -> Option<Duration> {
        self.revalidate.map(Span::duration)
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String, secrets_read: bool, found: &mut Findings) {
        if self.issuer.is_none() {
            found.wrong(&key("issuer"), "is missing");
        }
        if self.client_id.as_ref().is_none_or(|id| id.trim().is_empty()) {
            found.wrong(&key("client_id"), "is missing");
        }
        for (name, text) in self.addresses() {
            if let Some(text) = text
                && let Err(why) = endpoint(text, name == "issuer")
            {
                found.wrong(&key(name), &why);
            }
        }
        if !self.discovery {
            for (name, text) in self.addresses().into_iter().filter(|(name, _)| NEEDED.contains(name)) {
                if text.is_none() {
                    found.wrong(&key(name), "is missing, and discovery = false");
                }
            }
        }
        self.check_credential(key, secrets_read, found);
        self.check_trust(key, found);
        if self.algorithms.is_empty() {
            found.wrong(&key("algorithms"), "must hold at least one");
        }
        if let Some(claims) = &self.claims
            && !is_claims_request(claims)
        {
            found.wrong(&key("claims"), "is no JSON object with \"id_token\" or \"userinfo\" and nothing else");
        }
        let prompts = self.prompt.iter().flat_map(|prompt| prompt.split(' '));
        if prompts.into_iter().any(|one| !["login", "consent", "select_account"].contains(&one)) {
            found.wrong(&key("prompt"), "holds something else than login, consent and select_account");
        }
        if self.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            found.wrong(&key("scopes"), "has an empty scope, or one with a space");
        }
    }

    fn check_trust(&self, key: &dyn Fn(&str) -> String, found: &mut Findings) {
        for (name, values) in
            [("second_factor_acr", &self.second_factor_acr), ("second_factor_amr", &self.second_factor_amr)]
        {
            if values.iter().any(|value| value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic())) {
                found.wrong(&key(name), "has a value that is empty, or has spaces or characters beyond ASCII");
            }
        }
        if let Some(span) = self.revalidate {
            found.bounds(&key("revalidate"), span, Span::minutes(1), Span::hours(24 * 30));
        }
    }

    fn check_credential(&self, key: &dyn Fn(&str) -> String, secrets_read: bool, found: &mut Findings) {
        let secret = self.client_secret.is_some() || (self.client_secret_file.is_some() && !secrets_read);
        // The example file stands in public: what it shows must not become anybody's secret.
        if self.client_secret.as_ref().is_some_and(|secret| secret.expose() == EXAMPLE_SECRET) {
            found.wrong(&key("client_secret"), "is the text of the example; take the one that the provider shows");
        }
        match self.client_authentication {
            ClientAuthentication::PrivateKeyJwt if self.private_key_file.is_none() => {
                found.wrong(&key("private_key_file"), "is missing");
            }
            ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost if !secret => {
                found.wrong(&key("client_secret"), "is missing, and so is client_secret_file");
            }
            _ => {}
        }
    }

    fn addresses(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("issuer", self.issuer.as_deref()),
            ("authorization_endpoint", self.authorization_endpoint.as_deref()),
            ("token_endpoint", self.token_endpoint.as_deref()),
            ("userinfo_endpoint", self.userinfo_endpoint.as_deref()),
            ("jwks_uri", self.jwks_uri.as_deref()),
            ("end_session_endpoint", self.end_session_endpoint.as_deref()),
        ]
    }
}

/// Without these there is no sign-in.
const NEEDED: [&str; 3] = ["authorization_endpoint", "token_endpoint", "jwks_uri"];

/// An address that can be asked: https, or http on this very machine. An issuer has no query (OpenID Connect Discovery
/// section 4.3).
fn endpoint(text: &str, is_issuer: bool) -> Result<(), String> {
    let url = Url::parse(text).map_err(|why| format!("{text:?} is no web address ({why})"))?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(format!("{text:?} has no host")),
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err(format!("{text:?} must be https (http is for this very machine only)"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(format!("{text:?} has a user name, a password or a fragment"));
    }
    if is_issuer && url.query().is_some() {
        return Err(format!("{text:?} has a query"));
    }
    Ok(())
}

fn is_claims_request(text: &str) -> bool {
    let Ok(serde_json::Value::Object(request)) = serde_json::from_str(text) else { return false };
    let member = |(name, value): (&String, &serde_json::Value)| {
        let wishes = value.as_object().map(|claims| claims.values().all(|wish| wish.is_null() || wish.is_object()));
        ["id_token", "userinfo"].contains(&name.as_str()) && wishes == Some(true)
    };
    !request.is_empty() && request.iter().all(member)
}
