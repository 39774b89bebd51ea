//! `[[application]]`: the sites this service guards, and who may enter.
//! Not here: the decision about one request; this is only what was configured, checked and with inheritance applied.

use std::{collections::BTreeSet, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    findings::Findings,
    span::Span,
    values::{GroupName, Network, PathPrefix, SiteHost, Slug},
};
use crate::domain::secret::Secret;

/// The section `[[application]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Short name, used in addresses, logs and environment variables; it cannot change later.
    #[schemars(example = &"tasks")]
    pub slug: Slug,

    /// Name that people see. When not set: the slug.
    #[serde(default)]
    #[schemars(example = &"Tasks")]
    pub name: Option<String>,

    /// Hosts of the application. With a port only that port is meant, without one every port.
    #[schemars(example = ["tasks.example.org"])]
    pub hosts: Vec<SiteHost>,

    /// Groups of which a person must be in at least one. Empty: everybody who is signed in.
    #[serde(default)]
    #[schemars(example = ["staff"])]
    pub groups: Vec<GroupName>,

    /// Whether a session must have been opened with a second factor. Whoever comes with another one is led to a page that
    /// asks for it, or sets one up, and back.
    #[serde(default)]
    pub second_factor: bool,

    /// How long ago a person may have proved at most who they are; after that they are led to a page that asks again, and
    /// back. With `second_factor` a device that is spared it does not count. When not set: as long as the session lives.
    #[serde(default)]
    #[schemars(example = &"8h")]
    pub max_age: Option<Span>,

    /// Networks that requests must come from; for everybody, signed in or not. Empty: from anywhere.
    #[serde(default)]
    #[schemars(example = ["10.0.0.0/8"])]
    pub networks: Vec<Network>,

    /// Path prefixes that anybody may read without signing in (GET, HEAD and OPTIONS); the same as a rule for these
    /// paths with `anonymous = "read_only"`.
    #[serde(default)]
    #[schemars(example = ["/public"])]
    pub anonymous_paths: Vec<PathPrefix>,

    /// Whether `/verify` hands the application a signed token about the person in the header `X-Vestibule-Jwt`, for
    /// applications that do not want to trust plain headers.
    #[serde(default)]
    pub jwt: bool,

    /// Audience (`aud`) of that token. When not set: the slug.
    #[serde(default)]
    #[schemars(example = &"https://tasks.example.org")]
    pub audience: Option<String>,

    /// Secret with which the application itself may ask about sessions (server to server). At least 32 characters; make
    /// one with `openssl rand -base64 32`. When not set, the application may not ask.
    #[serde(default)]
    #[schemars(example = &"paste the output of: openssl rand -base64 32", extend("x-allowed" = "at least 32 characters"))]
    pub secret: Option<Secret<String>>,

    /// File with the secret, instead of `secret`.
    #[serde(default)]
    #[schemars(example = &"/run/secrets/tasks")]
    pub secret_file: Option<PathBuf>,

    /// An exception for parts of an application. For each path the rule with the longest matching prefix counts, and
    /// that one alone; what it does not set is as the application says.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// The section `[[application.rule]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Path prefixes that the rule is about, in whole segments: `/admin` covers `/admin/x`, not `/administrator`.
    #[schemars(example = ["/admin"])]
    pub paths: Vec<PathPrefix>,

    /// Groups of which a person must be in at least one; replaces those of the application. `[]`: everybody signed in.
    #[serde(default)]
    #[schemars(example = ["admins"])]
    pub groups: Option<Vec<GroupName>>,

    /// Whether the session must have been opened with a second factor.
    #[serde(default)]
    #[schemars(example = true)]
    pub second_factor: Option<bool>,

    /// How long ago a person may have proved at most who they are.
    #[serde(default)]
    #[schemars(example = &"15m")]
    pub max_age: Option<Span>,

    /// Networks that requests must come from; replaces those of the application. `[]`: from anywhere.
    #[serde(default)]
    #[schemars(example = ["10.1.0.0/16"])]
    pub networks: Option<Vec<Network>>,

    /// What is possible without signing in. When not set: nothing, except under `anonymous_paths`.
    #[serde(default)]
    #[schemars(example = &"none")]
    pub anonymous: Option<Anonymous>,
}

/// What is possible without signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anonymous {
    /// Nothing.
    None,
    /// GET, HEAD and OPTIONS.
    ReadOnly,
}

/// Who may enter the paths under one prefix; inheritance is applied already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRule {
    /// The paths this is about.
    pub prefix: PathPrefix,
    /// A person must be in one of them; empty is everybody signed in.
    pub groups: Vec<GroupName>,
    /// Whether the session needs a second factor.
    pub second_factor: bool,
    /// How long ago the person may have proved who they are.
    pub max_age: Option<Span>,
    /// Where requests must come from, anonymous ones too; empty is anywhere.
    pub networks: Vec<Network>,
    /// What is possible without a session.
    pub anonymous: Anonymous,
}

impl Application {
    /// The name that people see.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.slug.as_str())
    }

    /// The `aud` of its identity token.
    #[must_use]
    pub fn token_audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(self.slug.as_str())
    }

    /// All rules, the longest prefix first and the root last: the first whose prefix covers the path is the one that
    /// counts. There always is one, since the root is there.
    #[must_use]
    pub fn access_rules(&self) -> Vec<AccessRule> {
        let base = |prefix: PathPrefix, anonymous| AccessRule {
            prefix,
            groups: self.groups.clone(),
            second_factor: self.second_factor,
            max_age: self.max_age,
            networks: self.networks.clone(),
            anonymous,
        };
        let open: BTreeSet<&PathPrefix> = self.anonymous_paths.iter().collect();
        let mut rules = Vec::new();
        for rule in &self.rules {
            for prefix in &rule.paths {
                let inherited = if open.contains(prefix) { Anonymous::ReadOnly } else { Anonymous::None };
                let mut access = base(prefix.clone(), rule.anonymous.unwrap_or(inherited));
                access.groups = rule.groups.clone().unwrap_or(access.groups);
                access.second_factor = rule.second_factor.unwrap_or(access.second_factor);
                access.max_age = rule.max_age.or(access.max_age);
                access.networks = rule.networks.clone().unwrap_or(access.networks);
                rules.push(access);
            }
        }
        let root = PathPrefix::root();
        let mut plain: Vec<_> = open.iter().map(|prefix| ((*prefix).clone(), Anonymous::ReadOnly)).collect();
        if !open.contains(&root) {
            plain.push((root, Anonymous::None));
        }
        for (prefix, anonymous) in plain {
            if !rules.iter().any(|rule| rule.prefix == prefix) {
                rules.push(base(prefix, anonymous));
            }
        }
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.prefix.as_str().len()));
        rules
    }

    fn check(&self, index: usize, found: &mut Findings) {
        let key = |name: &str| format!("application[{index}].{name}");
        if self.hosts.is_empty() {
            found.wrong(&key("hosts"), "must name at least one host");
        }
        if self.secret.as_ref().is_some_and(|secret| secret.expose().chars().count() < 32) {
            found.wrong(&key("secret"), "is too short: at least 32 characters; make one with: openssl rand -base64 32");
        }
        // The example file stands in public: what it shows must not become anybody's secret.
        if self.secret.as_ref().is_some_and(|secret| secret.expose().contains("openssl rand")) {
            found.wrong(&key("secret"), "is the text of the example; make a secret with: openssl rand -base64 32");
        }
        for (name, text) in [("name", &self.name), ("audience", &self.audience)] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty() || text.contains(char::is_control)) {
                found.wrong(&key(name), "is empty or has control characters");
            }
        }
        let ages = self.rules.iter().map(|rule| rule.max_age).chain([self.max_age]);
        if ages.flatten().any(|age| age < Span::minutes(1)) {
            found.wrong(&key("max_age"), "is shorter than a minute: people could not even get there");
        }
        let mut seen = BTreeSet::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let place = key(&format!("rule[{number}].paths"));
            if rule.paths.is_empty() {
                found.wrong(&place, "must name at least one path prefix");
            }
            for prefix in rule.paths.iter().filter(|prefix| !seen.insert(*prefix)) {
                found.wrong(&place, &format!("\"{prefix}\" has a rule already"));
            }
            if rule.anonymous == Some(Anonymous::None) {
                for prefix in rule.paths.iter().filter(|prefix| self.anonymous_paths.contains(prefix)) {
                    found.wrong(&place, &format!("\"{prefix}\" is in anonymous_paths, and the rule says the opposite"));
                }
            }
        }
    }
}

/// Checks all applications, and that no two want the same.
pub(super) fn check(applications: &[Application], found: &mut Findings) {
    let (mut slugs, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    for (index, application) in applications.iter().enumerate() {
        application.check(index, found);
        if !slugs.insert(&application.slug) {
            found.wrong(&format!("application[{index}].slug"), &format!("\"{}\" is taken already", application.slug));
        }
        for host in application.hosts.iter().filter(|host| !hosts.insert(*host)) {
            found.wrong(
                &format!("application[{index}].hosts"),
                &format!("\"{host}\" belongs to an application already"),
            );
        }
    }
}

#[cfg(test)]
#[path = "application_tests.rs"]
mod tests;
