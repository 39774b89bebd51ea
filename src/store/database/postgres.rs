//! PostgreSQL: its pools, its connections, its transactions and their locks. Making the schema is in `postgres_schema`.
//!
//! Every connection may be lost or may stop answering at any time. None is trusted after that: a statement has a limit of
//! its own on this side, and a connection whose state is not known is closed, never used again.

use super::postgres_schema as schema;
use super::{OpenError, StoreError};
use crate::domain::id::AccountId;
use crate::domain::secret::Secret;
use aws_lc_rs::digest::{SHA256, digest};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgPool, Postgres};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, error::Elapsed, timeout};

/// How much longer than the server's own limit a statement is waited for.
const GRACE: Duration = Duration::from_secs(1);
/// How long a connection that lay idle may take to show that it lives.
const PING: Duration = Duration::from_secs(1);
/// A connection that lay idle for longer is asked before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(2);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Encrypted, and the server's certificate must be good and name the host.
    Verified,
    /// Encrypted; whoever answers is believed.
    Unverified,
    /// Not encrypted.
    Plain,
}

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerPlace {
    /// A name or address.
    Host(String),
    /// The folder of its unix socket.
    Socket(PathBuf),
}

/// Files of a client's certificate and its key (PEM); read with each connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate, with those that vouch for it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A PostgreSQL server, and how to use it.
#[derive(Clone)]
pub struct Server {
    /// Where it is.
    pub place: ServerPlace,
    /// Its port; names the unix socket as well.
    pub port: u16,
    /// The role to sign in as.
    pub user: String,
    /// The role's password, where it needs one.
    pub password: Option<Secret<String>>,
    /// The database.
    pub database: String,
    /// The schema that holds this instance's tables: lower-case letters, digits and underscores.
    pub schema: String,
    /// How the connection is protected.
    pub protection: Protection,
    /// Certificates (PEM) to check the server's against.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key (PEM) by which the server knows us, where it wants to.
    pub client: Option<ClientFiles>,
    /// Most connections of this process, 2 or more.
    pub max_connections: u32,
    /// How long a use case waits for a connection, making one included.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long a transaction waits for its turn or for a row.
    pub lock_timeout: Duration,
    /// How long the server keeps a transaction whose owner says nothing.
    pub idle_transaction_timeout: Duration,
    /// Whether opening brings the schema up to date; otherwise it must be so already.
    pub migrate: bool,
}

impl Server {
    /// For the operator: where this is, without its password.
    #[must_use]
    pub fn describe(&self) -> String {
        let place = match &self.place {
            ServerPlace::Host(host) => format!("{host}:{}", self.port),
            ServerPlace::Socket(folder) => format!("{}:{}", folder.display(), self.port),
        };
        format!("postgres://{}@{place}/{} (schema {})", self.user, self.database, self.schema)
    }

    /// Everything is said here, so that no variable of the environment decides instead.
    pub(super) fn options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .password(self.password.as_ref().map_or("", |password| password.expose()))
            .database(&self.database)
            .application_name("vestibule")
            .ssl_mode(match self.protection {
                Protection::Verified => PgSslMode::VerifyFull,
                Protection::Unverified => PgSslMode::Require,
                Protection::Plain => PgSslMode::Disable,
            });
        let options = match &self.place {
            ServerPlace::Host(host) => options.host(host),
            ServerPlace::Socket(folder) => options.host("localhost").socket(folder),
        };
        let options = match &self.client {
            Some(files) => options.ssl_client_cert(&files.certificate).ssl_client_key(&files.key),
            None => options,
        };
        match &self.ca_file {
            Some(file) => options.ssl_root_cert(file),
            None => options,
        }
    }

    fn limited(&self, read_only: bool) -> PgConnectOptions {
        let millis = |span: Duration| span.as_millis().to_string();
        self.options().options([
            ("search_path", self.schema.clone()),
            ("statement_timeout", millis(self.statement_timeout)),
            ("lock_timeout", millis(self.lock_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.idle_transaction_timeout)),
            ("default_transaction_read_only", if read_only { "on" } else { "off" }.to_owned()),
            ("synchronous_commit", "on".to_owned()),
        ])
    }
}

/// Which transactions may run beside one another. Whoever takes the more modest turn must be right without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// No other transaction writes meanwhile: as with SQLite.
    Alone,
    /// Beside others; what it reads of other rows may change before it ends.
    Beside,
    /// Beside others, but none of the same account.
    Account(AccountId),
}

/// When a connection was last lost or silent: whatever lay idle since before that is asked before it is used.
#[derive(Default)]
struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    fn raise(&self) {
        if let Ok(mut since) = self.0.lock() {
            *since = Some(Instant::now());
        }
    }

    fn covers(&self, idle_for: Duration) -> bool {
        let raised = self.0.lock().ok().and_then(|since| *since);
        raised.is_some_and(|at| at.elapsed() <= idle_for)
    }
}

/// The pools over one schema. Writers may wait for their turn; readers never wait behind them.
#[derive(Clone)]
pub(in crate::store) struct Pools {
    writers: PgPool,
    readers: PgPool,
    limit: Duration,
    schema: Arc<str>,
    suspicion: Arc<Suspicion>,
}

/// Opens the pools on a schema that is up to date.
pub(super) async fn open(server: &Server) -> Result<Pools, OpenError> {
    schema::prepare(server, server.migrate).await?;
    let suspicion = Arc::new(Suspicion::default());
    let writers = (server.max_connections / 2).max(1);
    let readers = server.max_connections.saturating_sub(writers).max(1);
    Ok(Pools {
        writers: pool(server, writers, &suspicion).connect_lazy_with(server.limited(false)),
        readers: pool(server, readers, &suspicion).connect_lazy_with(server.limited(true)),
        limit: server.statement_timeout.saturating_add(GRACE),
        schema: server.schema.as_str().into(),
        suspicion,
    })
}

fn pool(server: &Server, most: u32, suspicion: &Arc<Suspicion>) -> PgPoolOptions {
    let suspicion = Arc::clone(suspicion);
    PgPoolOptions::new()
        .max_connections(most)
        .min_connections(0)
        .acquire_timeout(server.acquire_timeout)
        .idle_timeout(Duration::from_mins(5))
        .max_lifetime(Duration::from_mins(30))
        .test_before_acquire(false)
        .before_acquire(move |conn, about| {
            let doubtful = about.idle_for > TRUSTED_FOR || suspicion.covers(about.idle_for);
            Box::pin(async move {
                if !doubtful {
                    return Ok(true);
                }
                timeout(PING, conn.ping()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                Ok(true)
            })
        })
}

impl Pools {
    /// A connection outside of a transaction; the server lets it read only.
    pub(super) async fn read(&self) -> Result<Line, StoreError> {
        self.line(&self.readers).await
    }

    /// A transaction, with its turn. Where the connection turns out to be dead, another one is tried: nothing has happened
    /// on it yet.
    pub(super) async fn begin(&self, turn: Turn) -> Result<Line, StoreError> {
        let sql = self.opening(turn);
        let mut tries = 0;
        loop {
            let mut line = self.line(&self.writers).await?;
            let begun = line.simply(sql.clone()).await;
            // The transaction may have begun although its turn was refused.
            line.state = if begun.is_ok() { State::Open } else { State::Unknown };
            match begun {
                Ok(()) => return Ok(line),
                Err(Failure::Lost(_)) if tries < 2 => tries += 1,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn line(&self, pool: &PgPool) -> Result<Line, StoreError> {
        let conn = pool.acquire().await.inspect_err(|_| self.suspicion.raise())?;
        Ok(Line { conn: Some(conn), limit: self.limit, suspicion: Arc::clone(&self.suspicion), state: State::Idle })
    }

    fn opening(&self, turn: Turn) -> String {
        let shared = format!("BEGIN; SELECT pg_advisory_xact_lock_shared({})", self.key(b"writers"));
        match turn {
            Turn::Alone => format!("BEGIN; SELECT pg_advisory_xact_lock({})", self.key(b"writers")),
            Turn::Beside => shared,
            // Always in this order, so that no two wait for each other.
            Turn::Account(id) => format!("{shared}; SELECT pg_advisory_xact_lock({})", self.key(id.uuid().as_bytes())),
        }
    }

    /// Advisory locks belong to the whole database; instances beside each other must not meet.
    fn key(&self, what: &[u8]) -> i64 {
        lock_key(&self.schema, what)
    }

    pub(super) async fn close(&self) {
        // A server that does not answer must not keep the process from ending.
        drop(timeout(Duration::from_secs(5), async { tokio::join!(self.readers.close(), self.writers.close()) }).await);
    }
}

/// The number of a lock of one schema. Two things with one number would only wait for each other needlessly.
pub(super) fn lock_key(schema: &str, what: &[u8]) -> i64 {
    let whole = digest(&SHA256, &[schema.as_bytes(), b"\0", what].concat());
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(whole.as_ref()) {
        *to = *from;
    }
    i64::from_be_bytes(first)
}

/// What is known about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside of a transaction.
    Idle,
    /// Inside one.
    Open,
    /// Inside one that the server will not commit any more.
    Failed,
    /// A statement is under way, or was given up: nothing is known.
    Unknown,
}

/// One connection to PostgreSQL.
pub struct Line {
    conn: Option<PoolConnection<Postgres>>,
    limit: Duration,
    suspicion: Arc<Suspicion>,
    state: State,
}

/// Why a statement did not succeed.
enum Failure {
    /// The server said no.
    Said(sqlx::Error),
    /// The connection is gone, or silent.
    Lost(String),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Said(error) => error.into(),
            Failure::Lost(why) => Self::Unavailable(why),
        }
    }
}

/// A statement that has begun: until it is finished, nothing is known about the connection.
pub(in crate::store) struct Ticket {
    before: State,
}

impl Line {
    /// How long a statement may take, seen from here.
    pub(in crate::store) const fn limit(&self) -> Duration {
        self.limit
    }

    /// The connection for one statement. Hand the ticket back with the outcome.
    pub(in crate::store) fn start(&mut self) -> (Ticket, Option<&mut PgConnection>) {
        let ticket = Ticket { before: self.state };
        let usable = self.state != State::Unknown;
        self.state = State::Unknown;
        (ticket, self.conn.as_deref_mut().filter(|_| usable))
    }

    /// What has come of the statement.
    pub(in crate::store) fn finish<T>(
        &mut self,
        ticket: &Ticket,
        outcome: Result<Result<T, sqlx::Error>, Elapsed>,
    ) -> Result<T, StoreError> {
        Ok(self.judged(ticket, outcome)?)
    }

    /// The transaction has gone back to a savepoint: what failed after it is undone, and it may be committed again.
    pub(super) fn returned(&mut self) {
        if self.state == State::Failed {
            self.state = State::Open;
        }
    }

    fn judged<T>(&mut self, ticket: &Ticket, outcome: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, Failure> {
        match outcome {
            Ok(Ok(value)) => {
                self.state = ticket.before;
                Ok(value)
            }
            Ok(Err(sqlx::Error::Database(error))) if !ends_connection(error.code().as_deref()) => {
                self.state = if ticket.before == State::Idle { State::Idle } else { State::Failed };
                Err(Failure::Said(sqlx::Error::Database(error)))
            }
            // Rows may be left unread; the connection is not used again.
            Ok(Err(error @ (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)))) => Err(Failure::Said(error)),
            Ok(Err(error)) => {
                self.suspicion.raise();
                Err(Failure::Lost(error.to_string()))
            }
            Err(_) => {
                self.suspicion.raise();
                Err(Failure::Lost(format!("no answer within {} s", self.limit.as_secs())))
            }
        }
    }

    async fn simply(&mut self, sql: String) -> Result<(), Failure> {
        let limit = self.limit;
        let (ticket, conn) = self.start();
        let Some(conn) = conn else { return Err(Failure::Lost("the connection is gone".to_owned())) };
        let outcome = timeout(limit, sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn)).await;
        self.judged(&ticket, outcome.map(|done| done.map(drop)))
    }

    /// Commits. When the connection is lost meanwhile, nobody knows whether it has happened; it is told as a failure.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.state != State::Open {
            // PostgreSQL would answer a COMMIT here with a silent rollback.
            return Err(StoreError::Unavailable("a statement of this transaction failed before".to_owned()));
        }
        self.simply("COMMIT".to_owned()).await?;
        self.state = State::Idle;
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else { return };
        match (self.state, tokio::runtime::Handle::try_current()) {
            (State::Idle, _) => {}
            (State::Open | State::Failed, Ok(runtime)) => {
                runtime.spawn(async move {
                    let done = timeout(PING, sqlx::raw_sql("ROLLBACK").execute(&mut *conn)).await;
                    if !matches!(done, Ok(Ok(_))) {
                        conn.close_on_drop();
                    }
                });
            }
            _ => conn.close_on_drop(),
        }
    }
}

/// Whether the server ends the connection with this error (classes 08 and 57P, and the end of an idle transaction).
fn ends_connection(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03"))
}
