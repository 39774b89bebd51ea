//! What all handlers share: the services, and the few settings that shape responses.

use super::brand::Brand;
use super::cookies::Cookies;
use super::upload::Places;
use crate::domain::forwarded::TrustedNetworks;
use crate::domain::original_request::OriginalRequest;
use crate::domain::redirect::{AllowedOrigin, MAX_TARGET, SafeRedirect};
use crate::service::account::Accounts;
use crate::service::avatar::Avatars;
use crate::service::context::Surroundings;
use crate::service::core::Core;
use crate::service::email::Emails;
use crate::service::factor::Factors;
use crate::service::identity::Identities;
use crate::service::invitation::Invitations;
use crate::service::password::Passwords;
use crate::service::provider::Providers;
use crate::service::recovery::Recovery;
use crate::service::registration::Registration;
use crate::service::saml::Saml;
use crate::service::session::Sessions;
use crate::service::setup::SetUp;
use crate::service::sign_in::SignIn;
use crate::service::sign_out::SignOut;
use crate::service::trace::Traces;
use crate::service::verify::Verify;
use http::HeaderValue;
use std::sync::Arc;

/// What all handlers share.
pub struct Site {
    /// Clock and generator.
    pub surroundings: Surroundings,
    /// What all use cases share; handlers read its policy and keys and call none of its stores.
    pub core: Arc<Core>,
    /// Signing in.
    pub sign_in: SignIn,
    /// What came of sign-ins, for administrators.
    pub traces: Traces,
    /// Sessions.
    pub sessions: Sessions,
    /// Signing out, also at providers and by them.
    pub sign_out: SignOut,
    /// Second factors.
    pub factors: Factors,
    /// Passwords.
    pub passwords: Passwords,
    /// Lost passwords.
    pub recovery: Recovery,
    /// Addresses.
    pub emails: Emails,
    /// Accounts.
    pub accounts: Accounts,
    /// Pictures.
    pub avatars: Avatars,
    /// Places for uploads.
    pub uploads: Arc<Places>,
    /// The first administrator.
    pub set_up: SetUp,
    /// Invitations.
    pub invitations: Invitations,
    /// One's own identities.
    pub identities: Identities,
    /// Identity providers.
    pub providers: Providers,
    /// Making an account for oneself.
    pub registration: Registration,
    /// SAML providers.
    pub saml: Saml,
    /// Forward-auth and whoami.
    pub verify: Verify,
    /// Whom to tell about a weakness: a `mailto:` or `https:` address.
    pub security_contact: Option<String>,
    /// Logo and colours.
    pub brand: Arc<Brand>,
    /// Cookies by name.
    pub cookies: Cookies,
    /// Whose forwarding headers count.
    pub trusted_proxies: TrustedNetworks,
    /// The address of the sign-in page, ready to be sent.
    pub login_location: HeaderValue,
    /// Writes client addresses in full instead of cutting them to their network.
    pub full_addresses: bool,
    /// Sent with every response when the site is https.
    pub strict_transport: bool,
    /// Most bytes of a form.
    pub max_body: usize,
}

impl Site {
    /// Reads a redirect target that a stranger may have written.
    #[must_use]
    pub fn redirect(&self, text: &str) -> Option<SafeRedirect> {
        SafeRedirect::parse(text, &self.core.policy.redirect_origins)
    }

    /// Whether the sign-in page would lead back to what a proxy was asked for.
    #[must_use]
    pub fn leads_back_to(&self, original: &OriginalRequest<'_>) -> bool {
        let (scheme, host, port) = (original.scheme.as_str(), original.host.name(), original.host.port());
        let length = host.len() + original.path.literal().len() + original.query.unwrap_or_default().len();
        let mut origins = self.core.policy.redirect_origins.iter();
        // The sign-in page refuses a backslash anywhere: browsers take it for a slash.
        let plain = !original.query.unwrap_or_default().contains('\\');
        plain && length < MAX_TARGET - 32 && origins.any(|origin| origin.is(scheme, host, port))
    }

    /// Our own origin, as browsers write it into `Origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.core.policy.public_url
    }
}

/// The policy: nothing but our own stylesheet and images, and a script of ours on pages that have something to do for one; forms go to us, and may be
/// redirected on to where this one leads (browsers apply `form-action` to redirects as well), or from there to anywhere.
#[must_use]
pub fn content_security_policy(leads_to: Option<(&AllowedOrigin, bool)>, scripted: bool) -> HeaderValue {
    let mut policy = String::from(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    if scripted {
        policy = policy.replacen("style-src", "script-src 'self'; style-src", 1);
    }
    if let Some((origin, on)) = leads_to {
        policy.push(' ');
        policy.push_str(&origin.text());
        policy.push_str(if on { " https:" } else { "" });
    }
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}
