//! Addresses of databases: `sqlite://…` and `postgres://…`. Never a password: that has keys of its own.

use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use url::Url;

use super::values::text_value;

/// The port that PostgreSQL listens on where nothing else is said.
const POSTGRES_PORT: u16 = 5432;

/// Address of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file, as written.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(ServerUrl),
}

text_value!(
    DatabaseUrl,
    "\"sqlite://\" and a file name, such as \"sqlite:///var/lib/vestibule/vestibule.db\", or \"postgres://user@host/database\""
);

/// Address of a database on a PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// The role.
    pub user: String,
    /// Name or address; where `socket` is set it says nothing.
    pub host: String,
    /// Folder of the unix socket.
    pub socket: Option<PathBuf>,
    /// The port; names the unix socket as well.
    pub port: u16,
    /// The database.
    pub database: String,
}

impl ServerUrl {
    /// Whether nothing on the way to it leaves this machine.
    #[must_use]
    pub fn is_near(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.socket.is_some()
            || self.host == "localhost"
            || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    fn parse(text: &str) -> Result<Self, String> {
        // Whatever is wrong, the text is not repeated: it may hold a password.
        let no_address = |_| "is no postgres:// address".to_owned();
        let url = Url::parse(text).map_err(no_address)?;
        if url.password().is_some() {
            return Err("holds a password: give it as database.password_file, or in the environment".to_owned());
        }
        let mut socket = None;
        for (key, value) in url.query_pairs() {
            if key != "host" || !value.starts_with('/') {
                return Err(
                    "has options: only \"?host=\" and the folder of a unix socket is possible, the rest has keys \
                            of its own in [database]"
                        .to_owned(),
                );
            }
            socket = Some(PathBuf::from(value.as_ref()));
        }
        let host = decoded(url.host_str().unwrap_or_default());
        if host.starts_with('/') {
            socket = Some(PathBuf::from(&host));
        }
        let user = decoded(url.username());
        let database = decoded(url.path().trim_start_matches('/'));
        if user.is_empty() {
            return Err("names no user, as in postgres://user@host/database".to_owned());
        }
        if database.is_empty() || database.contains('/') {
            return Err("names no database, as in postgres://user@host/database".to_owned());
        }
        if socket.is_none() && host.is_empty() {
            return Err("names no host, as in postgres://user@host/database".to_owned());
        }
        if url.fragment().is_some() || [&user, &database, &host].iter().any(|part| part.contains('\0')) {
            return Err("is no postgres:// address".to_owned());
        }
        Ok(Self { user, host, socket, port: url.port().unwrap_or(POSTGRES_PORT), database })
    }
}

/// Percent-decoded.
fn decoded(text: &str) -> String {
    let plain = text.replace('+', "%2B");
    let pairs = format!("v={plain}");
    url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return ServerUrl::parse(text).map(Self::Server);
        }
        let Some(path) = text.strip_prefix("sqlite://") else {
            return Err("is no sqlite:// and no postgres:// address".to_owned());
        };
        if path.is_empty() || path.ends_with('/') || path.starts_with(':') || path.contains(['?', '#', '\0']) {
            return Err("does not name a file after sqlite:// (options with \"?\" are not possible)".to_owned());
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "sqlite://{}", path.display()),
            Self::Server(server) => {
                write!(f, "postgres://{}@{}:{}/{}", server.user, server.host, server.port, server.database)?;
                server.socket.as_deref().map(Path::display).map_or(Ok(()), |folder| write!(f, "?host={folder}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_host_or_by_socket() {
        let Ok(DatabaseUrl::Server(server)) = "postgres://me@db.example.org/v".parse() else { panic!() };
        assert_eq!((server.user.as_str(), server.host.as_str(), server.port), ("me", "db.example.org", 5432));
        assert!(server.socket.is_none() && !server.is_near());
        for text in ["postgresql://a%2Bb@x:6000/v?host=/run/postgresql", "postgres://a+b@%2Frun%2Fpostgresql:6000/v"] {
            let Ok(DatabaseUrl::Server(server)) = text.parse() else { panic!("{text}") };
            assert_eq!(server.socket.as_deref(), Some(Path::new("/run/postgresql")), "{text}");
            assert_eq!((server.user.as_str(), server.port, server.is_near()), ("a+b", 6000, true));
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let refused = "postgres://me:hunter2@db/v".parse::<DatabaseUrl>().unwrap_err();
        assert!(refused.contains("password_file") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "sqlite:",
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://a?mode=ro",
            "sqlite:///srv/",
            "mysql://a",
            "postgres://",
            "postgres://db/v",
            "postgres://me@db",
            "postgres://me@db/",
            "postgres://me@/v",
            "postgres://me@db/v?sslmode=disable",
            "postgres://me@db/v?host=elsewhere",
            "postgres://me@db/a/b",
        ] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
    }
}
