//! Identities: what identity providers and directories vouch for, and how it is tied to accounts. What follows from it is
//! decided in [`crate::domain::resolve`]; asking and believing providers is the verifiers' business.

use super::factor_trust::Stated;
use super::id::{AccountId, IdentityId};
use super::session::Methods;
use super::time::Timestamp;
use super::trace::Facts;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What kind of system vouches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// An identity provider: the browser goes there.
    Provider,
    /// A directory: we bind there with what was typed here.
    Directory,
}

/// An identity provider or a directory, by its slug. A provider and a directory may share one.
///
/// Its key (`provider:corp`, `directory:ldap`) is what is stored: in identities, as the source of memberships, in
/// sessions (of which there are many in memory: one pointer each). It never equals the source of memberships given by hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Source(Arc<String>);

const PROVIDER: &str = "provider:";
const DIRECTORY: &str = "directory:";

impl Source {
    /// The identity provider with this slug.
    #[must_use]
    pub fn provider(slug: &str) -> Self {
        Self(Arc::new(format!("{PROVIDER}{slug}")))
    }

    /// The directory with this slug.
    #[must_use]
    pub fn directory(slug: &str) -> Self {
        Self(Arc::new(format!("{DIRECTORY}{slug}")))
    }

    /// From its stored form.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let slug = key.strip_prefix(PROVIDER).or_else(|| key.strip_prefix(DIRECTORY))?;
        (!slug.is_empty()).then(|| Self(Arc::new(key.to_owned())))
    }

    /// As stored.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }

    /// What kind of system it is.
    #[must_use]
    pub fn kind(&self) -> SourceKind {
        if self.0.starts_with(PROVIDER) { SourceKind::Provider } else { SourceKind::Directory }
    }

    /// The slug alone, as in addresses.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, slug)| slug)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody whom a verifier outside of this service has found, before it is known whose account that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// Who vouches.
    pub source: Source,
    /// The name that the subject is unique under: `iss` of OpenID Connect, the entity id of a SAML provider, a stable
    /// name of a directory.
    pub issuer: String,
    /// Who it is there; stable, never given to anybody else.
    pub subject: String,
    /// What is said about the person, mapped.
    pub attributes: Attributes,
    /// Names of groups, mapped; `None` when nothing was said about groups, which is not the same as "in none".
    pub groups: Option<Vec<String>>,
    /// Whether they shall administer this service; `None` when nothing was said, or nothing is mapped.
    pub administrator: Option<bool>,
    /// What they proved there, as far as the operator believes it.
    pub methods: Methods,
    /// When they proved it.
    pub authenticated_at: Timestamp,
    /// What is needed to sign them out there.
    pub upstream: Option<Upstream>,
}

impl Vouched {
    /// What is known of somebody who is vouched for, for the trace.
    pub fn noted(&self) -> Facts {
        let Attributes { username, email, email_verified, name, language } = &self.attributes;
        let facts = Facts::new().masked("subject", Some(&self.subject)).masked("username", username.as_deref());
        let facts = facts.masked("email", email.as_deref()).flag("email_verified", *email_verified);
        let facts = facts.flag("name", name.is_some()).flag("language", language.is_some());
        let facts = match &self.groups {
            Some(groups) => facts.names("groups", groups),
            None => facts,
        };
        match self.administrator {
            Some(administrator) => facts.flag("administrator", administrator),
            None => facts,
        }
    }
}

/// What is said about a person. Blank values are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The name to sign in with.
    pub username: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Whether the source says that the address is theirs.
    pub email_verified: bool,
    /// The name others see.
    pub name: Option<String>,
    /// A language tag.
    pub language: Option<String>,
}

/// The provider's own session, as it is needed to end it. Kept sealed: `id_token` holds personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// `sid` of OpenID Connect, `SessionIndex` of SAML.
    pub session: Option<String>,
    /// The ID token as it came, for `id_token_hint`.
    pub id_token: Option<String>,
    /// The SAML `NameID` with its qualifiers, in a form that its verifier reads again.
    pub name_id: Option<String>,
    /// The refresh token, where the provider gave one and the session is looked at again ([`SourceRules::revalidate`]).
    pub refresh_token: Option<String>,
    /// The access token, where there is no refresh token to look at the session again with.
    #[serde(default)]
    pub access_token: Option<AccessToken>,
    /// How the person proved there who they are, in the provider's words.
    #[serde(default)]
    pub stated: Stated,
    /// When what it vouched for ends, where it says so (`SessionNotOnOrAfter` of SAML, core section 2.7.2): no session of
    /// ours outlives that.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// From when on, by our clock, what the provider takes back is meant as well: when the browser left for it
    /// (`Departure::dates`), or when its word came that nobody had asked for. An answer may be held back on its way.
    #[serde(default, alias = "said_at")]
    pub since: Option<Timestamp>,
}

/// An access token of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// As it came.
    pub token: String,
    /// Until when it is good, by the provider's word.
    pub until: Timestamp,
}

/// The link between an account and somebody at a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its identifier.
    pub id: IdentityId,
    /// Whose it is.
    pub account: AccountId,
    /// Who vouches.
    pub source: Source,
    /// See [`Vouched::issuer`].
    pub issuer: String,
    /// See [`Vouched::subject`].
    pub subject: String,
    /// Whether names and address of the account follow this identity: the one that the account came with does, others
    /// that were added later do not, so that two sources never fight over one profile.
    pub leads: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// What happens when somebody comes whom no identity knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFirstSignIn {
    /// An account is made for them.
    #[default]
    Create,
    /// The account with the same address is theirs, if the address is verified on both sides; otherwise one is made.
    LinkVerifiedEmail,
    /// Only who was invited gets in.
    InvitedOnly,
    /// Nobody gets in whose identity was not added before.
    Deny,
}

impl OnFirstSignIn {
    /// As the operator writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::LinkVerifiedEmail => "link_verified_email",
            Self::InvitedOnly => "invited_only",
            Self::Deny => "deny",
        }
    }
}

/// What the operator decided about one source.
#[derive(Clone, Debug, Default)]
pub struct SourceRules {
    /// The name that people see.
    pub name: String,
    /// What happens when somebody comes whom no identity knows.
    pub on_first_sign_in: OnFirstSignIn,
    /// Accounts made through it wait for an administrator's approval.
    pub approval: bool,
    /// Names and address follow the source at each sign-in.
    pub refresh: bool,
    /// What becomes of the groups it names.
    pub groups: GroupRules,
    /// How often it is asked whether it still stands by a session that it vouched for; `None` is never.
    pub revalidate: Option<Duration>,
}

/// What becomes of the groups that a source names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRules {
    /// Memberships of this source that are no longer named end; otherwise they stay.
    pub exclusive: bool,
    /// Groups that do not exist are made.
    pub create: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_survives_being_stored_and_never_looks_like_something_else() {
        for source in [Source::provider("corp"), Source::directory("manual")] {
            assert_eq!(Source::from_key(source.key()), Some(source.clone()));
            assert_ne!(source.key(), "manual");
        }
        assert_eq!(Source::provider("a").kind(), SourceKind::Provider);
        assert_eq!(Source::directory("a").kind(), SourceKind::Directory);
        assert_eq!(Source::directory("a-b").slug(), "a-b");
        for strange in ["", "manual", "provider:", "corp"] {
            assert_eq!(Source::from_key(strange), None, "{strange}");
        }
    }
}
