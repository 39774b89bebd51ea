//! `[sessions]`: the session cookie, how long a session lives, and how many there may be.

use std::{fmt, path::PathBuf, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    findings::Findings,
    public_url::PublicUrl,
    redis::{self, RedisPrefix, RedisTopology, RedisUrl},
    span::Span,
    values::text_value,
};
use crate::domain::secret::Secret;

/// The section `[sessions]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Where sessions are kept, and all else that does not last: sign-ins under way, failure counters. `embedded` holds
    /// them in memory in front of a file; they survive a restart. `redis` is for several nodes.
    pub store: SessionStore,

    /// Where Redis is (6.2 or newer), for `store = "redis"`: `redis://` or, encrypted, `rediss://`, then hosts with ports.
    /// See docs/operate/redis.md.
    #[schemars(example = &"rediss://redis.example.org:6379")]
    pub redis_url: Option<RedisUrl>,

    /// What the hosts of `redis_url` are.
    pub redis_topology: RedisTopology,

    /// The name that Sentinels know the master by.
    #[schemars(example = &"vestibule")]
    pub redis_sentinel_master: Option<String>,

    /// Password of the Sentinels, if they ask for one. Better in a file or in the environment than here.
    #[schemars(example = &"the password of the sentinels")]
    pub redis_sentinel_password: Option<Secret<String>>,

    /// File with the password of the Sentinels, instead of `redis_sentinel_password`.
    #[schemars(example = &"/run/secrets/sentinel_password")]
    pub redis_sentinel_password_file: Option<PathBuf>,

    /// User that Redis knows us by. When not set: its user `default`.
    #[schemars(example = &"vestibule")]
    pub redis_username: Option<String>,

    /// Password for Redis. Better in a file or in the environment than here.
    #[schemars(example = &"the password of the user in Redis")]
    pub redis_password: Option<Secret<String>>,

    /// File with the password for Redis, instead of `redis_password`.
    #[schemars(example = &"/run/secrets/redis_password")]
    pub redis_password_file: Option<PathBuf>,

    /// File with the certificates (PEM) that the certificates of Redis are checked against, instead of the system's.
    #[schemars(example = &"/etc/vestibule/redis-ca.pem")]
    pub redis_ca_file: Option<PathBuf>,

    /// What all keys in Redis begin with; different for each installation that shares one Redis.
    pub redis_prefix: RedisPrefix,

    /// How long Redis may take to answer. After that it counts as away: people get 503 until it is back, and nobody is
    /// signed out.
    pub redis_timeout: Span,

    /// How many replicas must have a change before it counts as made. 0 waits for none: when the master is lost, what it
    /// did last may be lost with it, such as the end of a session.
    ///
    /// Danger: when fewer replicas are there, nobody can sign in or out.
    #[schemars(range(min = 0, max = 10))]
    pub redis_replicas: u32,

    /// Name of the session cookie. With https and without `cookie_domain` browsers see it with the prefix `__Host-`,
    /// which keeps other hosts of the same domain from setting it.
    pub cookie_name: CookieName,

    /// Domain that the cookies are valid for, to share one sign-in with applications on sibling hosts:
    /// `example.org` for `login.example.org` and `tasks.example.org`. When not set, the cookies stay on the host of
    /// `public_url`.
    ///
    /// Danger: every host under this domain receives the cookies. Set it only where you run all of them.
    #[schemars(example = &"example.org")]
    pub cookie_domain: Option<CookieDomain>,

    /// A session ends when it was not used for this long. The default is what NIST SP 800-63B-4 section 2.2.3
    /// recommends for two-factor assurance (AAL2), and the documented limit that OWASP ASVS 5.0 7.3.1 asks for.
    pub idle_timeout: Span,

    /// A session ends this long after the sign-in, used or not. The default is the limit of NIST SP 800-63B-4 section
    /// 2.2.3 (AAL2, once a day); AAL1 allows up to 30 days (`"720h"`).
    pub absolute_timeout: Span,

    /// How many sessions one account may have at a time; the oldest one ends when another begins. 0 is unlimited.
    #[schemars(range(min = 0, max = 10_000))]
    pub max_per_account: u32,

    /// Whether a sign-in ends all other sessions of the account.
    pub drop_old_on_login: bool,

    /// Whether signing out ends all sessions of the account on every device, instead of this one only.
    pub drop_all_on_logout: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            store: SessionStore::Embedded,
            redis_url: None,
            redis_topology: RedisTopology::Single,
            redis_sentinel_master: None,
            redis_sentinel_password: None,
            redis_sentinel_password_file: None,
            redis_username: None,
            redis_password: None,
            redis_password_file: None,
            redis_ca_file: None,
            redis_prefix: RedisPrefix::fixed("vestibule:"),
            redis_timeout: Span::seconds(1),
            redis_replicas: 0,
            cookie_name: CookieName("_vestibule_session".to_owned()),
            cookie_domain: None,
            idle_timeout: Span::hours(1),
            absolute_timeout: Span::hours(24),
            max_per_account: 0,
            drop_old_on_login: false,
            drop_all_on_logout: false,
        }
    }
}

impl Sessions {
    pub(super) fn check(&self, public_url: &PublicUrl, found: &mut Findings) {
        found.bounds("sessions.idle_timeout", self.idle_timeout, Span::minutes(1), Span::hours(24 * 365));
        found.bounds("sessions.absolute_timeout", self.absolute_timeout, Span::minutes(1), Span::hours(24 * 365));
        if self.idle_timeout > self.absolute_timeout {
            found.wrong("sessions.idle_timeout", "is longer than sessions.absolute_timeout");
        }
        redis::check(self, found);
        if let Some(domain) = &self.cookie_domain {
            if public_url.has_name() && domain.covers(&public_url.host()) {
                found.warn(format!(
                    "sessions.cookie_domain = \"{domain}\": every host under {domain} receives the session cookie"
                ));
            } else {
                let text = format!("\"{}\" of public_url is not in \"{domain}\"", public_url.host());
                found.wrong("sessions.cookie_domain", &text);
            }
        }
    }
}

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStore {
    /// In memory, in front of a file.
    Embedded,
    /// In Redis, which several nodes share.
    Redis,
}

/// The configured name of a cookie, without a `__Host-` prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CookieName(String);

text_value!(CookieName, "1 to 64 letters, digits, \"_\", \"-\" and \".\"; not beginning with \"__\"");

impl CookieName {
    pub(super) fn fixed(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CookieName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The prefixes `__Host-`, `__Secure-` mean something to browsers (RFC 6265bis section 4.1.3); we add them.
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || text.len() > 64 || text.starts_with("__") || !text.chars().all(good) {
            return Err(format!("{text:?} is no cookie name"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The domain that cookies are shared in, without a leading dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieDomain(String);

text_value!(
    CookieDomain,
    "a domain of at least two parts that the host of public_url lies in, such as \"example.org\""
);

impl CookieDomain {
    /// The domain itself, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a host is this domain or lies in it.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        host.strip_suffix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl FromStr for CookieDomain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('.').unwrap_or(text);
        match url::Host::parse(bare) {
            Ok(url::Host::Domain(name)) if name.contains('.') && !name.starts_with('.') && !name.ends_with('.') => {
                Ok(Self(name))
            }
            _ => Err(format!("{text:?} is no domain that cookies can be shared in")),
        }
    }
}

impl fmt::Display for CookieDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_names_are_plain_tokens() {
        for good in ["_vestibule_session", "sid", "a.b-c"] {
            assert!(good.parse::<CookieName>().is_ok(), "{good}");
        }
        for bad in ["", "__Host-a", "a b", "a=b", "a;b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<CookieName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cookie_domain_covers_itself_and_what_is_below() {
        let domain: CookieDomain = ".Example.org".parse().unwrap();
        assert_eq!(domain.as_str(), "example.org");
        assert!(domain.covers("example.org") && domain.covers("login.example.org"));
        assert!(!domain.covers("badexample.org") && !domain.covers("org"));
        for bad in ["", "org", "localhost", "10.0.0.1", "a b.org", "..org", "example.org."] {
            assert!(bad.parse::<CookieDomain>().is_err(), "{bad}");
        }
    }
}
