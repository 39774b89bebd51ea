//! `[[identity_provider]]`: systems that people sign in with. What all have in common; what only one kind has is in
//! `oidc` and `saml`.

pub mod oidc;
pub mod saml;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, values::Slug};
use crate::domain::attribute_map::GroupPattern;

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

    /// The protocol it speaks.
    #[schemars(example = &"oidc")]
    pub kind: Kind,

    /// Whether people can sign in with it. Their accounts stay as they are when it is switched off.
    #[serde(default = "yes")]
    pub enabled: bool,

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
    /// takes over the account with that address.
    #[serde(default)]
    pub danger_trust_email: bool,

    /// Whether this service may fetch from private addresses for this provider (loopback, `10.0.0.0/8`, `192.168.0.0/16`,
    /// `fc00::/7` and the like).
    ///
    /// Danger: who controls the provider's metadata can make this service ask systems inside your network.
    #[serde(default)]
    pub allow_private_network: bool,

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
    /// They get the account with the same address where the address is verified on both sides; where no account has it,
    /// one is made.
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

    fn check(&self, key: &dyn Fn(&str) -> String, found: &mut Findings) {
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty() || name.contains(char::is_control)) {
            found.wrong(&key("name"), "is empty or has control characters");
        }
        if RESERVED.contains(&self.slug.as_str()) {
            found.wrong(&key("slug"), "has a meaning of its own in addresses; choose another");
        }
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
                 address into their profile there take over accounts here",
                self.slug
            ));
        }
    }
}

/// What stands at `/login/…` already.
const RESERVED: [&str; 4] = ["internal", "step", "lost-password", "outcome"];

/// Checks all providers, and that no two want the same.
pub(super) fn check(providers: &[IdentityProvider], secrets_read: bool, found: &mut Findings) {
    let mut slugs = BTreeSet::new();
    for (index, provider) in providers.iter().enumerate() {
        let key = |name: &str| format!("identity_provider[{index}].{name}");
        if !slugs.insert(&provider.slug) {
            found.wrong(&key("slug"), &format!("\"{}\" is taken already", provider.slug));
        }
        provider.check(&key, found);
        match provider.kind {
            Kind::Oidc => provider.oidc.check(&key, secrets_read, found),
            Kind::Saml => provider.saml.check(&key, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, problems};

    const CORP: &str = r#"
        [[identity_provider]]
        slug = "corp"
        name = "Corp SSO"
        kind = "oidc"
        issuer = "https://idp.example.org"
        client_id = "vestibule"
        client_secret = "s3cr3t-of-corp"
        [identity_provider.attributes]
        username = "preferred_username"
        email = ["mail", "email"]
    "#;

    #[test]
    fn a_provider_needs_little_and_a_name_alone_is_a_list_of_one() {
        let provider = &config(CORP).identity_providers[0];
        assert_eq!((provider.display_name(), provider.kind), ("Corp SSO", Kind::Oidc));
        assert_eq!(provider.attributes.username.as_deref(), Some(&["preferred_username".to_owned()][..]));
        assert_eq!(provider.attributes.email.as_ref().map(Vec::len), Some(2));
        assert!(provider.enabled && provider.groups.from.is_empty() && !provider.allow_private_network);
        assert_eq!(provider.on_first_sign_in, OnFirstSignIn::Create);
        assert_eq!(provider.oidc.scopes, ["openid", "profile", "email"]);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (from, to, told) in [
            ("https://idp.example.org", "http://idp.example.org", "identity_provider[0].issuer: \"http://idp"),
            ("https://idp.example.org", "https://idp.example.org/?a=b", "identity_provider[0].issuer"),
            ("client_id", "client_ids", "did you mean \"identity_provider[0].client_id\"?"),
            ("\"oidc\"", "\"ldap\"", "identity_provider[0].kind"),
            ("\"corp\"", "\"internal\"", "identity_provider[0].slug: has a meaning of its own"),
            ("client_secret = \"s3cr3t-of-corp\"", "", "identity_provider[0].client_secret: is missing"),
            ("name = \"Corp SSO\"", "claims = \"{}\"", "identity_provider[0].claims"),
            ("name = \"Corp SSO\"", "algorithms = [\"HS256\"]", "identity_provider[0].algorithms"),
            ("name = \"Corp SSO\"", "discovery = false", "identity_provider[0].token_endpoint"),
            ("\"oidc\"", "\"saml\"", "identity_provider[0].metadata_url"),
        ] {
            assert!(CORP.contains(from), "{from}");
            let text = problems(&CORP.replace(from, to));
            assert!(text.contains(told), "{to}: {text}");
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        let twice = format!("{CORP}{CORP}");
        assert!(problems(&twice).contains("identity_provider[1].slug: \"corp\" is taken already"));
    }

    #[test]
    fn an_issuer_on_this_machine_may_be_http() {
        for local in ["http://127.0.0.1:4000", "http://localhost:4000", "http://[::1]:4000/realm"] {
            assert_eq!(config(&CORP.replace("https://idp.example.org", local)).identity_providers.len(), 1);
        }
    }
}
