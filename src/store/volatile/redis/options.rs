//! What the Redis store has to know, and why it cannot be opened. Where the operator says it is the configuration's business.

use crate::domain::secret::Secret;
use crate::domain::session::SharedLifetimes;
use std::fmt;
use std::time::Duration;

/// What the Redis store has to know.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// How long sessions live: for lists, and for how long Redis keeps them.
    pub lifetimes: SharedLifetimes,
    /// The servers, the Sentinels, or some of the Cluster's nodes.
    pub addresses: Vec<Address>,
    /// What the addresses are.
    pub topology: Topology,
    /// Connections are encrypted, and who may be at the other end; None is unencrypted.
    pub tls: Option<Tls>,
    /// The database's number; a Cluster has 0 only.
    pub database: i64,
    /// Who connects.
    pub login: Login,
    /// The Sentinels' own password, if they ask for one.
    pub sentinel_password: Option<Secret<String>>,
    /// What all keys begin with.
    pub prefix: String,
    /// How long a connection and an answer may take; after that the connection counts as lost.
    pub timeout: Duration,
    /// How many replicas must have a change before it counts as made; 0 asks for none.
    pub replicas: u32,
    /// How long what is in memory is believed after Redis answered. The greatest delay of a revocation.
    pub trust: Duration,
    /// How often last requests that are due are written; not zero.
    pub flush_every: Duration,
    /// Drawn at random: nodes that lost the same server do not come back in step.
    pub seed: u64,
}

impl RedisOptions {
    /// One server, without a password, and patience as by default.
    #[must_use]
    pub fn new(lifetimes: impl Into<SharedLifetimes>, addresses: Vec<Address>) -> Self {
        Self {
            lifetimes: lifetimes.into(),
            addresses,
            topology: Topology::Single,
            tls: None,
            database: 0,
            login: Login::default(),
            sentinel_password: None,
            prefix: "vestibule:".to_owned(),
            timeout: Duration::from_secs(1),
            replicas: 0,
            trust: Duration::from_millis(100),
            flush_every: Duration::from_secs(5),
            seed: 0,
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What the addresses are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server; of several addresses the first that is a master.
    Single,
    /// Sentinels, which know where the master of this name is.
    Sentinel {
        /// The master's name.
        master: String,
    },
    /// Nodes of a Cluster.
    Cluster,
}

/// Who may be at the other end of an encrypted connection.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Certificates (PEM) that vouch for the servers; None is the system's.
    pub authorities: Option<Vec<u8>>,
}

/// Who connects.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The user; None is Redis' `default`.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret<String>>,
}

/// Why the store cannot be opened; in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// Nobody answered, or not as they should.
    #[error("Redis at {address}: {why}")]
    Server {
        /// Who was asked.
        address: Address,
        /// What went wrong.
        why: String,
    },
    /// The server is too old.
    #[error("Redis at {address} is version {found}; 6.2 or newer is needed")]
    TooOld {
        /// Who was asked.
        address: Address,
        /// What it is.
        found: String,
    },
    /// It is a replica.
    #[error("Redis at {0} is a replica; the master is needed")]
    Replica(Address),
    /// No Sentinel knows the master.
    #[error("no Sentinel told where the master \"{master}\" is: {why}")]
    NoMaster {
        /// Its name.
        master: String,
        /// What the last one said.
        why: String,
    },
    /// No node told which servers have which slots.
    #[error("no node told how the Cluster is laid out: {0}")]
    NoLayout(String),
    /// No address was given.
    #[error("no address of Redis is given")]
    NoAddress,
}
