//! `[[identity_provider]]`: systems that people sign in with. What all have in common; what only one kind has is in
//! `oidc` and `saml`.

pub mod oidc;
pub mod saml;

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{branding::read_logo, findings::Findings, span::Span, values::Slug};
use crate::domain::attribute_map::GroupPattern;
use crate::domain::logo::Logo;

/// The section `[[identity_provider]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the operator sets")]
pub struct IdentityProvider {
    /// Short name, used in addresses and stored with the people who come from there; it cannot change later.
    #[schemars(example = &"corp")]
    pub slug: Slug,

    /// Name on the button. When not set: the slug.
    #[serde(default)]
    #[schemars(example = &"Corp SSO")]
    pub name: Option<String>,

    /// File with the logo on the button: an SVG or PNG of at most 64 KiB, as for `branding.logo_file`, best a square one. It
    /// is shown on white, in the dark theme too. When not set: the first letter of the name.
    #[serde(default)]
    #[schemars(example = &"/etc/vestibule/corp.svg")]
    pub logo_file: Option<PathBuf>,

    /// The protocol it speaks.
    #[schemars(example = &"oidc")]
    pub kind: Kind,

    /// Whether people can sign in with it. Their accounts stay as they are when it is switched off.
    #[serde(default = "yes")]
    pub enabled: bool,

    /// Whether the sign-in page leads straight to this provider, without a choice. `/login?choose=1` shows the page all the
    /// same, and `/login/internal` the form for passwords. One provider at most.
    #[serde(default)]
    pub direct: bool,

    /// What happens when somebody comes whom no account is linked to. An equal username never gives an account away.
    #[serde(default)]
    pub on_first_sign_in: OnFirstSignIn,

    /// Whether an administrator has to approve accounts that are made through this provider.
    #[serde(default)]
    pub approval: bool,

    /// Whether username, name and address of an account that was made through this provider follow it at each sign-in.
    /// Blank values never overwrite, and neither does a value that another account has.
    #[serde(default = "yes")]
    pub update_profile: bool,

    /// Whether the addresses that this provider names count as verified although it does not say so.
    ///
    /// Danger: with `on_first_sign_in = "link_verified_email"` whoever can write any address into their profile there
    /// takes over the account with that address. Accounts of administrators are never linked in this way.
    #[serde(default)]
    pub danger_trust_email: bool,

    /// Whether signing out here signs out at the provider too, where it has a way for that. The person comes back to a page
    /// of this service that leads nowhere by itself. When off, only the session here ends, and the page says so.
    #[serde(default = "yes")]
    pub single_logout: bool,

    /// Whether this service may fetch from private addresses for this provider (loopback, `10.0.0.0/8`, `192.168.0.0/16`,
    /// `fc00::/7` and the like).
    ///
    /// Danger: who controls the provider's metadata can make this service ask systems inside your network.
    #[serde(default)]
    pub allow_private_network: bool,

    /// File with the certificates (PEM) that the certificate of the provider's web server is checked against, besides the
    /// system's.
    #[serde(default)]
    #[schemars(example = &"/etc/vestibule/corp-ca.pem")]
    pub ca_file: Option<PathBuf>,

    /// How long the provider may take with one answer, and with everything that a sign-in asks of it.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,

    #[serde(flatten)]
    #[expect(missing_docs, reason = "a comment here would stand on the keys of the section; see the struct")]
    pub oidc: oidc::Oidc,

    #[serde(flatten)]
    #[expect(missing_docs, reason = "a comment here would stand on the keys of the section; see the struct")]
    pub saml: saml::Saml,

    /// Where to find what about a person: names of claims (OpenID Connect; `a.b` looks into objects) or attributes
    /// (SAML; by name or friendly name). Of several names the first with a value counts.
    #[serde(default)]
    pub attributes: AttributeNames,

    /// Groups by the word of this provider. Memberships given by hand, or by another provider or directory, are never
    /// touched.
    #[serde(default)]
    pub groups: Groups,
}

const fn yes() -> bool {
    true
}

const fn ten_seconds() -> Span {
    Span::seconds(10)
}

/// The protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// OpenID Connect.
    Oidc,
    /// SAML 2.0.
    Saml,
}

/// What happens when somebody comes whom no account is linked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFirstSignIn {
    /// An account is made, unless another one has the username or address.
    #[default]
    Create,
    /// Where an account has the same address, and it is verified on both sides, they sign in to that account once as
    /// before and are asked whether the two belong together. An account that nobody can enter any more in a way that is
    /// in use is theirs at once, unless it is an administrator's. Where no account has the address, one is made.
    LinkVerifiedEmail,
    /// Only people who were invited get in, and keep the account they were invited to.
    InvitedOnly,
    /// Nobody gets in who has not added this identity to their account before.
    Deny,
}

/// The section `[identity_provider.attributes]`. Lists that are not set follow the kind of provider.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttributeNames {
    /// For the username. When not set: `preferred_username`, then `email`; for SAML `uid` and its like, then the address.
    #[schemars(example = &"preferred_username", extend("x-one-or-many" = true))]
    pub username: Option<Vec<String>>,

    /// For the mail address. When not set: `email`; for SAML `mail` and its like.
    #[schemars(example = &"email", extend("x-one-or-many" = true))]
    pub email: Option<Vec<String>>,

    /// For the full name. When not set: `name`; for SAML `displayName` and its like.
    #[schemars(example = &"name", extend("x-one-or-many" = true))]
    pub name: Option<Vec<String>>,

    /// For the first name, where there is no full name. When not set: `given_name`; for SAML `givenName` and its like.
    #[schemars(example = &"given_name", extend("x-one-or-many" = true))]
    pub first_name: Option<Vec<String>>,

    /// For the last name, where there is no full name. When not set: `family_name`; for SAML `sn` and its like.
    #[schemars(example = &"family_name", extend("x-one-or-many" = true))]
    pub last_name: Option<Vec<String>>,

    /// For the language of a new account. When not set: `locale`; for SAML `preferredLanguage`.
    #[schemars(example = &"locale", extend("x-one-or-many" = true))]
    pub language: Option<Vec<String>>,

    /// For whether the person administers this service: `true`, `1`, `yes` or `on`. Given and taken at each sign-in where
    /// the provider says something; the last administrator who can sign in always stays one. When not set, the provider
    /// has no say.
    ///
    /// Danger: who controls this value controls this service.
    #[schemars(example = &"vestibule_admin", extend("x-one-or-many" = true))]
    pub administrator: Option<Vec<String>>,
}

/// The section `[identity_provider.groups]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Groups {
    /// Claims or attributes that hold the names of groups. When not set, groups are left alone. Where the provider sends
    /// none of them, nothing changes.
    #[schemars(example = &"groups", extend("x-one-or-many" = true))]
    pub from: Vec<String>,

    /// Which groups count, and what they are called here: the first pattern that fits. `*` stands for anything; what
    /// `(*)` stands for is the name here, so `"app-(*)"` makes `staff` of `app-staff`. Empty is all, as they are.
    #[schemars(example = &"app-(*)", extend("x-one-or-many" = true))]
    pub patterns: Vec<String>,

    /// What becomes of memberships that this provider gave and does not name any more.
    pub mode: GroupMode,

    /// Whether groups that do not exist are made. Otherwise they are passed over.
    pub create: bool,

    /// Groups, as the provider names them, whose members administer this service; as `attributes.administrator`.
    ///
    /// Danger: who can put people into these groups controls this service.
    #[schemars(example = &"vestibule-admins", extend("x-one-or-many" = true))]
    pub administrators: Vec<String>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            from: Vec::new(),
            patterns: Vec::new(),
            mode: GroupMode::Additive,
            create: true,
            administrators: Vec::new(),
        }
    }
}

/// What becomes of memberships that are not named any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupMode {
    /// They stay.
    Additive,
    /// They end.
    Exclusive,
}

impl IdentityProvider {
    /// The name that people see.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.slug.as_str())
    }

    /// Reads and checks the logo.
    ///
    /// # Errors
    /// Why it cannot be shown, for the operator.
    pub fn logo(&self) -> Result<Option<Logo>, String> {
        self.logo_file.as_deref().map(read_logo).transpose()
    }

    fn check(&self, key: &dyn Fn(&str) -> String, files_read: bool, found: &mut Findings) {
        if let (true, true, Err(why)) = (files_read, self.enabled, self.logo()) {
            found.wrong(&key("logo_file"), &why);
        }
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty() || name.contains(char::is_control)) {
            found.wrong(&key("name"), "is empty or has control characters");
        }
        if RESERVED.contains(&self.slug.as_str()) {
            found.wrong(&key("slug"), "has a meaning of its own in addresses; choose another");
        }
        found.bounds(&key("timeout"), self.timeout, Span::seconds(1), Span::seconds(10));
        for pattern in &self.groups.patterns {
            if let Err(text) = pattern.parse::<GroupPattern>() {
                found.wrong(&key("groups.patterns"), &text);
            }
        }
        if self.groups.from.is_empty() && !self.groups.administrators.is_empty() {
            found.wrong(&key("groups.administrators"), "needs groups.from as well");
        }
        if self.danger_trust_email && self.on_first_sign_in == OnFirstSignIn::LinkVerifiedEmail {
            found.warn(format!(
                "identity_provider \"{}\": danger_trust_email with link_verified_email lets whoever can write any \
                 address into their profile there take over accounts here that have no other way in",
                self.slug
            ));
        }
    }
}

/// What stands at `/login/…` already.
const RESERVED: [&str; 7] = ["internal", "confirm", "passkey", "step", "lost-password", "reset-password", "direct"];

/// Checks all providers, and that no two want the same.
pub(super) fn check(providers: &[IdentityProvider], secrets_read: bool, found: &mut Findings) {
    let mut slugs = BTreeSet::new();
    for (index, _) in providers.iter().enumerate().filter(|(_, one)| one.direct && one.enabled).skip(1) {
        found.wrong(&format!("identity_provider[{index}].direct"), "another provider is the direct one already");
    }
    for (index, provider) in providers.iter().enumerate() {
        let key = |name: &str| format!("identity_provider[{index}].{name}");
        if !slugs.insert(&provider.slug) {
            found.wrong(&key("slug"), &format!("\"{}\" is taken already", provider.slug));
        }
        provider.check(&key, secrets_read, found);
        match provider.kind {
            Kind::Oidc => provider.oidc.check(&key, secrets_read, found),
            Kind::Saml => provider.saml.check(&key, found),
        }
        let (others, kind) = match provider.kind {
            Kind::Oidc => (provider.saml.marks(), "saml"),
            Kind::Saml => (provider.oidc.marks(), "oidc"),
        };
        for name in others {
            found.warn(format!("{} has no effect: it is for kind = \"{kind}\"", key(name)));
        }
    }
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
