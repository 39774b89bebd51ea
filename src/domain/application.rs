//! Access rules of the applications behind us: who may pass to which host and path.

use super::group::GroupKey;
use super::session::Methods;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// What people who are not signed in may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anonymous {
    /// Nothing.
    #[default]
    None,
    /// Read: `GET`, `HEAD` and `OPTIONS` pass without an identity.
    ReadOnly,
}

/// What one part of an application asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The path it covers, with everything below it; `/` covers all. No slash at the end otherwise.
    pub prefix: String,
    /// Any one of these groups is enough; empty asks for none.
    pub groups: Vec<GroupKey>,
    /// A second factor must have been used in this session.
    pub second_factor: bool,
    /// The person must have proved who they are within this time; `None` asks for no more than the session.
    pub max_age: Option<Duration>,
    /// The client must come from one of these networks; empty asks for none.
    pub networks: Vec<IpNet>,
    /// What strangers may do.
    pub anonymous: Anonymous,
}

/// An application as forward-auth sees it.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its short name, in configuration and tokens.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its hosts, lower case, without ports unless they matter.
    pub hosts: Vec<String>,
    /// What it asks for; of several rules that cover a path, the one with the longest prefix decides alone.
    pub rules: Vec<Rule>,
    /// Whether a signed identity token accompanies the headers.
    pub signed_identity: bool,
    /// The `aud` of that token.
    pub audience: String,
}

/// Who asks, as far as rules care.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The groups.
    pub groups: &'a [GroupKey],
    /// How they signed in.
    pub methods: Methods,
    /// How long ago they proved who they are.
    pub proved_ago: Duration,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Upper-case method.
    pub method: &'a str,
    /// Normalised path.
    pub path: &'a str,
    /// Where the client is.
    pub address: IpAddr,
}

/// What a rule says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pass with the identity.
    Allow,
    /// Pass without one.
    AllowAnonymous,
    /// Sign in first.
    SignIn,
    /// The person has to prove something more, or anew.
    StepUp(Refusal),
    /// No, and signing in again would not help.
    Refuse(Refusal),
}

impl Decision {
    /// Of several decisions about one request, the strictest counts.
    #[must_use]
    pub const fn strictness(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::AllowAnonymous => 1,
            Self::StepUp(_) => 2,
            Self::SignIn => 3,
            Self::Refuse(_) => 4,
        }
    }
}

/// Reason codes of a 403, stable: proxies and apps may show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the groups asked for.
    Group,
    /// The session has no second factor.
    SecondFactor,
    /// The last proof is too old.
    Stale,
    /// Not from here.
    Network,
    /// No application has this host.
    UnknownApplication,
    /// The question does not come from one of `server.trusted_proxies`, so that nobody knows what was asked for.
    UntrustedProxy,
    /// What was asked for can be read in more than one way, or in none: no browser asks like that.
    MalformedRequest,
}

impl Refusal {
    /// The code in the header and the body.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Group => "group_required",
            Self::SecondFactor => "second_factor_required",
            Self::Stale => "fresh_proof_required",
            Self::Network => "network_not_allowed",
            Self::UnknownApplication => "unknown_application",
            Self::UntrustedProxy => "untrusted_proxy",
            Self::MalformedRequest => "malformed_request",
        }
    }
}

impl Rule {
    fn covers(&self, path: &str) -> bool {
        let prefix = self.prefix.trim_end_matches('/');
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Applies this rule alone.
    #[must_use]
    pub fn decide(&self, asked: &Asked<'_>, visitor: Option<&Visitor<'_>>) -> Decision {
        if !self.networks.is_empty() && !self.networks.iter().any(|n| n.contains(&asked.address)) {
            return Decision::Refuse(Refusal::Network);
        }
        let reads = matches!(asked.method, "GET" | "HEAD" | "OPTIONS");
        let open = self.anonymous == Anonymous::ReadOnly && reads;
        let Some(visitor) = visitor else {
            return if open { Decision::AllowAnonymous } else { Decision::SignIn };
        };
        match self.missing(visitor) {
            None => Decision::Allow,
            // What strangers may read is not closed to people for being signed in.
            Some(_) if open => Decision::AllowAnonymous,
            Some(why @ (Refusal::SecondFactor | Refusal::Stale)) => Decision::StepUp(why),
            Some(why) => Decision::Refuse(why),
        }
    }

    /// Whether members of these groups are meant.
    #[must_use]
    pub fn admits(&self, groups: &[GroupKey]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| groups.contains(group))
    }

    /// What a visitor lacks.
    fn missing(&self, visitor: &Visitor<'_>) -> Option<Refusal> {
        if !self.admits(visitor.groups) {
            return Some(Refusal::Group);
        }
        // A device that is spared the factor is good for what asks for one, not for what asks for a fresh one.
        let spared = self.max_age.is_none() && visitor.methods.has(Methods::REMEMBERED_DEVICE);
        if self.second_factor && !visitor.methods.has(Methods::MULTI_FACTOR) && !spared {
            return Some(Refusal::SecondFactor);
        }
        self.max_age.is_some_and(|age| visitor.proved_ago > age).then_some(Refusal::Stale)
    }
}

impl Application {
    /// The rule for a path: the one with the longest prefix that covers it. `None` when none does: then nobody passes.
    #[must_use]
    pub fn rule_for(&self, path: &str) -> Option<&Rule> {
        self.rules.iter().filter(|rule| rule.covers(path)).max_by_key(|rule| rule.prefix.len())
    }
}

/// All applications, found by host.
#[derive(Clone, Debug, Default)]
pub struct Applications {
    list: Vec<Application>,
    by_host: HashMap<String, usize>,
}

impl Applications {
    /// Indexes a list; of two applications with one host the first wins (configuration refuses that earlier).
    #[must_use]
    pub fn new(list: Vec<Application>) -> Self {
        let mut by_host = HashMap::new();
        for (index, app) in list.iter().enumerate() {
            for host in &app.hosts {
                by_host.entry(host.clone()).or_insert(index);
            }
        }
        Self { list, by_host }
    }

    /// Whether none is configured: then every signed-in person may pass everywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Application> {
        self.list.iter()
    }

    /// The application of a host, tried with its port first.
    #[must_use]
    pub fn of_host(&self, host: &str, port: Option<u16>) -> Option<&Application> {
        let with_port = port.and_then(|port| self.by_host.get(&format!("{host}:{port}")));
        let index = with_port.or_else(|| self.by_host.get(host))?;
        self.list.get(*index)
    }
}

#[cfg(test)]
#[path = "application_tests.rs"]
mod tests;
