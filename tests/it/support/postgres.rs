//! A real PostgreSQL for tests: made in a folder of its own, reached by a unix socket and a port of this machine, gone with the
//! test process. One for all tests that share, or one for a test that means to harm it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/postgres_peer.sh");

/// A running server. Dropped or not, it ends when this process does: it listens to our end of a pipe.
pub(crate) struct Postgres {
    pub(crate) socket: PathBuf,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
    peer: Mutex<Child>,
    /// Closed, it ends the server.
    _life: ChildStdin,
}

/// The server that tests share; each takes a schema of its own.
pub(crate) fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(|| Postgres::start("off"))
}

impl Postgres {
    /// A server of one's own that writes to the disk before it says so.
    pub(crate) fn own() -> Self {
        Self::start("on")
    }

    fn start(fsync: &str) -> Self {
        let mut peer = Command::new("bash")
            .args([PEER, fsync])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash");
        let life = peer.stdin.take().expect("an input");
        let mut lines = BufReader::new(peer.stdout.take().expect("an output")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let mut words = first.split(' ');
        let (Some("ready"), Some(folder), Some(port)) = (words.next(), words.next(), words.next()) else {
            panic!("PostgreSQL does not start (tests/run installs what it needs): {first}");
        };
        let folder = PathBuf::from(folder);
        let port = port.parse().expect("a port");
        Self { socket: folder.clone(), port, folder, peer: Mutex::new(peer), _life: life }
    }

    /// The address for `database.url`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://vestibule@localhost:{}/vestibule?host={}", self.port, self.socket.display())
    }

    /// The address by TCP, at a port of this machine.
    pub(crate) fn url_at(port: u16) -> String {
        format!("postgres://vestibule@127.0.0.1:{port}/vestibule")
    }

    /// Variables that configure a service with a schema on this server.
    pub(crate) fn environment(&self, schema: &str) -> BTreeMap<String, String> {
        let pairs = [
            ("VESTIBULE__DATABASE__URL", self.url()),
            ("VESTIBULE__DATABASE__SCHEMA", schema.to_owned()),
            ("VESTIBULE__DATABASE__MAX_CONNECTIONS", "6".to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// A connection by the tests' own hand.
    pub(crate) async fn by_hand(&self, schema: &str) -> sqlx::PgConnection {
        use sqlx::ConnectOptions;
        sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .host("localhost")
            .socket(&self.socket)
            .port(self.port)
            .username("vestibule")
            .database("vestibule")
            .ssl_mode(sqlx::postgres::PgSslMode::Disable)
            .options([("search_path", schema)])
            .connect()
            .await
            .expect("a connection")
    }

    /// Does something to the server: `kill`, `start`, `pause`, `go`, `restart`; back when it is done.
    pub(crate) fn does(&self, what: &str) {
        let folder = self.folder.to_str().expect("UTF-8");
        let done = Command::new("bash").args([PEER, what, folder]).stdin(Stdio::null()).status().expect("bash");
        assert!(done.success(), "{what}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.does("stop");
        if let Ok(peer) = self.peer.get_mut() {
            drop(peer.kill());
            drop(peer.wait());
        }
    }
}
