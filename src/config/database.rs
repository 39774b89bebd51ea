//! `[database]`: where accounts and everything else that lasts are kept. The address itself is in `database_url`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, span::Span, values::text_value};
use crate::domain::secret::Secret;

pub use super::database_url::{DatabaseUrl, ServerUrl};

/// The section `[database]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Address of the database. A SQLite file: `sqlite:///var/lib/vestibule/vestibule.db` (three slashes) is an absolute
    /// path; `sqlite://vestibule.db` lies in `data_dir`. A PostgreSQL server (13 or newer):
    /// `postgres://user@host:5432/database`; by unix socket `postgres://user@localhost/database?host=/run/postgresql`. When
    /// not set: `vestibule.db` in `data_dir`.
    ///
    /// Danger: a SQLite file must be on a local disk; network file systems break SQLite's locks.
    #[schemars(example = &"postgres://vestibule@db.example.org/vestibule")]
    pub url: Option<DatabaseUrl>,

    /// Password for PostgreSQL. Better in a file or in the environment than here.
    #[schemars(example = &"the password of the database role")]
    pub password: Option<Secret<String>>,

    /// File with the password for PostgreSQL, instead of `password`.
    #[schemars(example = &"/run/secrets/database_password")]
    pub password_file: Option<PathBuf>,

    /// PostgreSQL schema that holds the tables. It is made where it is missing and the role may do so. Several installations
    /// can share a database, each with a schema of its own; they do not see each other.
    pub schema: SchemaName,

    /// How the connection to PostgreSQL is protected. When not set: `verified`, except for a unix socket and addresses of this
    /// machine, which are spoken to without encryption.
    #[schemars(example = &"verified")]
    pub tls: Option<DatabaseTls>,

    /// File with the certificates (PEM) that PostgreSQL's certificate may be signed by, besides the public ones.
    #[schemars(example = &"/etc/vestibule/database-ca.pem")]
    pub ca_file: Option<PathBuf>,

    /// File with the certificate (PEM) by which PostgreSQL knows this service, for servers that ask for one. Read anew with each
    /// connection, so a renewed one is taken without a restart.
    #[schemars(example = &"/etc/vestibule/database-client.pem")]
    pub certificate_file: Option<PathBuf>,

    /// File with the key (PEM, PKCS #8) to `certificate_file`.
    #[schemars(example = &"/etc/vestibule/database-client.key")]
    pub key_file: Option<PathBuf>,

    /// Most connections to PostgreSQL that this process holds. One half writes, the other half reads. The sum over all nodes
    /// must stay below the server's `max_connections`.
    #[schemars(range(min = 2, max = 1000))]
    pub max_connections: u32,

    /// How long a request waits for a connection to PostgreSQL, the making of one included. After that: 503.
    pub acquire_timeout: Span,

    /// How long one statement on PostgreSQL may take.
    pub statement_timeout: Span,

    /// How long a change waits on PostgreSQL for other changes to end.
    pub lock_timeout: Span,

    /// How long PostgreSQL keeps the transaction of a node that stopped in the midst of it; others wait behind it.
    pub idle_transaction_timeout: Span,

    /// Whether the start brings the tables on PostgreSQL up to date. When `false`, it only looks whether they are, and
    /// `vestibule migrate` does it; the service's role then needs no right to change tables.
    pub migrate_at_start: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            password: None,
            password_file: None,
            schema: SchemaName("vestibule".to_owned()),
            tls: None,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            max_connections: 16,
            acquire_timeout: Span::seconds(3),
            statement_timeout: Span::seconds(5),
            lock_timeout: Span::seconds(4),
            idle_transaction_timeout: Span::seconds(3),
            migrate_at_start: true,
        }
    }
}

impl Database {
    /// The SQLite file, given the data directory; `None` when the data is on a server.
    #[must_use]
    pub fn file(&self, data_dir: &Path) -> Option<PathBuf> {
        match &self.url {
            // `join` takes an absolute path as it is.
            Some(DatabaseUrl::File(path)) => Some(data_dir.join(path)),
            Some(DatabaseUrl::Server(_)) => None,
            None => Some(data_dir.join("vestibule.db")),
        }
    }

    /// The server's address, when the data is on one.
    #[must_use]
    pub fn server(&self) -> Option<&ServerUrl> {
        match &self.url {
            Some(DatabaseUrl::Server(server)) => Some(server),
            _ => None,
        }
    }

    /// How the connection to this server is protected.
    #[must_use]
    pub fn protection(&self, server: &ServerUrl) -> DatabaseTls {
        let usual = if server.is_near() { DatabaseTls::DangerPlain } else { DatabaseTls::Verified };
        self.tls.unwrap_or(usual)
    }

    pub(super) fn check(&self, found: &mut Findings) {
        let (least, most) = (Span::seconds(1), Span::minutes(5));
        for (key, span) in [
            ("database.acquire_timeout", self.acquire_timeout),
            ("database.statement_timeout", self.statement_timeout),
            ("database.lock_timeout", self.lock_timeout),
            ("database.idle_transaction_timeout", self.idle_transaction_timeout),
        ] {
            found.bounds(key, span, least, most);
        }
        let Some(server) = self.server() else {
            let unused = [
                ("database.password", self.password.is_some()),
                ("database.password_file", self.password_file.is_some()),
                ("database.tls", self.tls.is_some()),
                ("database.ca_file", self.ca_file.is_some()),
                ("database.certificate_file", self.certificate_file.is_some()),
                ("database.key_file", self.key_file.is_some()),
            ];
            for (key, _) in unused.iter().filter(|(_, set)| *set) {
                found.wrong(key, "is for PostgreSQL, but database.url names none");
            }
            return;
        };
        match self.protection(server) {
            DatabaseTls::Verified => {}
            DatabaseTls::DangerUnverified => found.warn(
                "database.tls = \"danger_unverified\": whoever answers in the database's place can read and change \
                 everything"
                    .to_owned(),
            ),
            DatabaseTls::DangerPlain if server.is_near() => {}
            DatabaseTls::DangerPlain => found.warn(
                "database.tls = \"danger_plain\": everything travels to the database unencrypted, and whoever is on the \
                 way can read and change it"
                    .to_owned(),
            ),
        }
        if self.ca_file.is_some() && self.protection(server) != DatabaseTls::Verified {
            found.wrong("database.ca_file", "is not looked at without database.tls = \"verified\"");
        }
        self.check_client_certificate(server, found);
    }

    fn check_client_certificate(&self, server: &ServerUrl, found: &mut Findings) {
        match (&self.certificate_file, &self.key_file) {
            (Some(_), None) => found.wrong("database.certificate_file", "needs its key: set database.key_file"),
            (None, Some(_)) => found.wrong("database.key_file", "needs its certificate: set database.certificate_file"),
            (Some(_), Some(_)) if self.protection(server) == DatabaseTls::DangerPlain => {
                found.wrong("database.certificate_file", "is shown to nobody without encryption (database.tls)");
            }
            _ => {}
        }
    }
}

/// How the connection to PostgreSQL is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseTls {
    /// Encrypted; the certificate must be good and name the host (`sslmode=verify-full`).
    Verified,
    /// Encrypted, but whoever answers is believed (`sslmode=require`).
    DangerUnverified,
    /// No encryption (`sslmode=disable`). Only for a server on this machine or on a network you trust entirely.
    DangerPlain,
}

/// The name of a schema; such that it never needs quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaName(String);

text_value!(
    SchemaName,
    "1 to 63 lower-case letters, digits and underscores, beginning with a letter, not with \"pg_\""
);

impl SchemaName {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SchemaName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.starts_with("pg_");
        if !begins || text.len() > 63 || !text.chars().all(good) || text == "information_schema" {
            return Err(format!("{text:?} is no name for a schema"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for SchemaName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: Option<&str>) -> Option<PathBuf> {
        Database { url: url.map(|url| url.parse().unwrap()), ..Database::default() }.file(Path::new("/data"))
    }

    #[test]
    fn the_file_lies_in_the_data_directory_unless_told_otherwise() {
        assert_eq!(file(None).unwrap(), Path::new("/data/vestibule.db"));
        assert_eq!(file(Some("sqlite://other.db")).unwrap(), Path::new("/data/other.db"));
        assert_eq!(file(Some("sqlite:///srv/v.db")).unwrap(), Path::new("/srv/v.db"));
        assert_eq!(file(Some("postgres://v@db/v")), None);
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear_unless_the_operator_says_so() {
        let protection = |url: &str, tls| {
            let database = Database { tls, ..Database::default() };
            let Ok(DatabaseUrl::Server(server)) = url.parse() else { panic!("{url}") };
            database.protection(&server)
        };
        assert_eq!(protection("postgres://v@db.example.org/v", None), DatabaseTls::Verified);
        assert_eq!(protection("postgres://v@10.0.0.1/v", None), DatabaseTls::Verified);
        assert_eq!(protection("postgres://v@localhost/v", None), DatabaseTls::DangerPlain);
        assert_eq!(protection("postgres://v@[::1]/v", None), DatabaseTls::DangerPlain);
        assert_eq!(protection("postgres://v@x/v?host=/run/postgresql", None), DatabaseTls::DangerPlain);
        assert_eq!(protection("postgres://v@localhost/v", Some(DatabaseTls::Verified)), DatabaseTls::Verified);
        let plain = Some(DatabaseTls::DangerPlain);
        assert_eq!(protection("postgres://v@db.example.org/v", plain), DatabaseTls::DangerPlain);
    }

    #[test]
    fn schema_names_never_need_quotes() {
        assert!("vestibule_2".parse::<SchemaName>().is_ok());
        for bad in ["", "Vestibule", "2v", "pg_x", "a-b", "a\"b", "a b", "information_schema", &"x".repeat(64)] {
            assert!(bad.parse::<SchemaName>().is_err(), "{bad}");
        }
    }
}
