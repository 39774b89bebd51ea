//! What `[sessions]` says about Redis: where it is, and what its addresses stand for. The keys themselves are in
//! `sessions`.

use std::{fmt, net::IpAddr, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    findings::Findings,
    sessions::{SessionStore, Sessions},
    span::Span,
    values::text_value,
};

/// The port that Redis listens on when none is given.
const PORT: u16 = 6379;

/// Where Redis is: a scheme, one or more hosts with ports, and perhaps the number of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisUrl {
    encrypted: bool,
    hosts: Vec<(String, u16)>,
    database: u32,
}

text_value!(
    RedisUrl,
    "\"redis://\" or, encrypted, \"rediss://\", then one or more hosts with ports, and a database number if it is not 0: \
     \"rediss://redis1.example.org:6379,redis2.example.org:6379\""
);

impl RedisUrl {
    /// Whether connections are encrypted.
    #[must_use]
    pub const fn encrypted(&self) -> bool {
        self.encrypted
    }

    /// Hosts (without brackets) and ports.
    #[must_use]
    pub fn hosts(&self) -> &[(String, u16)] {
        &self.hosts
    }

    /// The number of the database.
    #[must_use]
    pub const fn database(&self) -> u32 {
        self.database
    }

    /// Whether every host is this machine.
    fn near(&self) -> bool {
        let loopback = |host: &str| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.hosts.iter().all(|(host, _)| loopback(host))
    }
}

impl FromStr for RedisUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The address may hold a password: nothing of it is repeated.
        let (encrypted, rest) = match text.split_once("://") {
            Some(("redis", rest)) => (false, rest),
            Some(("rediss", rest)) => (true, rest),
            _ => return Err("is no redis:// or rediss:// address".to_owned()),
        };
        if rest.contains('@') {
            return Err("has a user or password in it: they have keys of their own, redis_username and redis_password"
                .to_owned());
        }
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = match database {
            "" => 0,
            number => number.parse().map_err(|_| "does not end with the number of a database".to_owned())?,
        };
        let hosts = hosts.split(',').map(|host| host_and_port(host.trim())).collect::<Option<Vec<_>>>();
        let hosts = hosts.ok_or_else(|| "has something that is no host with a port".to_owned())?;
        Ok(Self { encrypted, hosts, database })
    }
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => PORT,
    };
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '[' | ']');
    (!host.is_empty() && !host.contains(bad)).then(|| (host.to_owned(), port))
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.encrypted { "rediss://" } else { "redis://" })?;
        for (number, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            if host.contains(':') { write!(f, "{comma}[{host}]:{port}")? } else { write!(f, "{comma}{host}:{port}")? }
        }
        if self.database > 0 { write!(f, "/{}", self.database) } else { Ok(()) }
    }
}

/// What the addresses of Redis stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedisTopology {
    /// One server. Of several addresses the first that is a master.
    Single,
    /// Sentinels, which know where the master is.
    Sentinel,
    /// Nodes of a Redis Cluster; some of them are enough.
    Cluster,
}

/// What all keys in Redis begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisPrefix(String);

text_value!(RedisPrefix, "1 to 40 letters, digits, \"_\", \"-\", \".\" and \":\"");

impl RedisPrefix {
    pub(super) fn fixed(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The prefix itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedisPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // No braces: they would put all keys into one slot of a Cluster. No wildcards: access rules name the prefix.
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if text.is_empty() || text.len() > 40 || !text.chars().all(good) {
            return Err(format!("{text:?} is no prefix"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RedisPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong or doubtful about the keys that concern Redis.
pub(super) fn check(sessions: &Sessions, found: &mut Findings) {
    if sessions.store != SessionStore::Redis {
        if sessions.redis_url.is_some() {
            found.warn("sessions.redis_url has no effect: sessions.store is \"embedded\"".to_owned());
        }
        return;
    }
    let Some(url) = &sessions.redis_url else {
        return found.wrong("sessions.store", "is \"redis\" and needs sessions.redis_url as well");
    };
    found.bounds("sessions.redis_timeout", sessions.redis_timeout, Span::seconds(1), Span::seconds(30));
    if sessions.idle_timeout < Span::minutes(5) {
        found.wrong(
            "sessions.idle_timeout",
            "is shorter than 5m: nodes tell each other of a session's last request once a minute only",
        );
    }
    match (sessions.redis_topology, &sessions.redis_sentinel_master) {
        (RedisTopology::Sentinel, None) => {
            found.wrong("sessions.redis_topology", "is \"sentinel\" and needs sessions.redis_sentinel_master as well");
        }
        (RedisTopology::Single | RedisTopology::Cluster, Some(_)) => {
            found.wrong("sessions.redis_sentinel_master", "is for sessions.redis_topology = \"sentinel\" only");
        }
        _ => {}
    }
    if sessions.redis_topology == RedisTopology::Cluster && url.database > 0 {
        found.wrong("sessions.redis_url", "names a database; a Redis Cluster has number 0 only");
    }
    if sessions.redis_topology != RedisTopology::Single && sessions.redis_replicas == 0 {
        found.warn(
            "sessions.redis_replicas = 0: a fail-over may bring back a session that somebody has just ended".to_owned(),
        );
    }
    if !url.encrypted {
        if sessions.redis_ca_file.is_some() {
            found.wrong("sessions.redis_ca_file", "needs a rediss:// address: redis:// is not encrypted");
        }
        if !url.near() {
            found.warn(
                "sessions.redis_url is not encrypted (rediss://): who can read or change what is on that wire can take \
                 over sessions"
                    .to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, problems};
    use super::*;

    #[test]
    fn addresses_of_redis_are_read_and_told_again() {
        for (text, told) in [
            ("redis://localhost", "redis://localhost:6379"),
            ("rediss://a.example.org:1, b.example.org/3", "rediss://a.example.org:1,b.example.org:6379/3"),
            ("redis://[::1]:7,10.0.0.1:8", "redis://[::1]:7,10.0.0.1:8"),
        ] {
            assert_eq!(text.parse::<RedisUrl>().unwrap().to_string(), told);
        }
        for bad in [
            "localhost",
            "http://a",
            "redis://",
            "redis://a:0",
            "redis://a:x",
            "redis://a/x",
            "redis://a,,b",
            "redis://[a]",
        ] {
            assert!(bad.parse::<RedisUrl>().is_err(), "{bad}");
        }
        let told = "redis://anna:hunter2@localhost".parse::<RedisUrl>().unwrap_err();
        assert!(told.contains("redis_password") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn a_prefix_has_nothing_that_redis_reads_otherwise() {
        assert!("vestibule:".parse::<RedisPrefix>().is_ok());
        for bad in ["", "a{b}", "a*", "a b", &"x".repeat(41)] {
            assert!(bad.parse::<RedisPrefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_that_need_each_other_are_told() {
        let with = |more: &str| format!("[sessions]\nstore = \"redis\"\n{more}");
        for (more, told) in [
            ("", "needs sessions.redis_url as well"),
            ("redis_url = \"redis://a\"\nredis_topology = \"sentinel\"", "needs sessions.redis_sentinel_master"),
            (
                "redis_url = \"redis://a\"\nredis_sentinel_master = \"m\"",
                "is for sessions.redis_topology = \"sentinel\"",
            ),
            ("redis_url = \"redis://a/1\"\nredis_topology = \"cluster\"", "a Redis Cluster has number 0 only"),
            ("redis_url = \"redis://a\"\nredis_ca_file = \"ca.pem\"", "needs a rediss:// address"),
            ("redis_url = \"redis://a\"\nidle_timeout = \"2m\"", "is shorter than 5m"),
            ("redis_url = \"redis://a\"\nredis_timeout = \"5m\"", "sessions.redis_timeout"),
        ] {
            let text = problems(&with(more));
            assert!(text.contains(told), "{more}: {text}");
        }
        let good =
            config(&with("redis_url = \"rediss://a,b\"\nredis_topology = \"sentinel\"\nredis_sentinel_master = \"m\""));
        assert_eq!(good.sessions.redis_url.map(|url| url.hosts().len()), Some(2));
    }
}
