//! Makes connections, and looks at who is at the other end before anything is trusted to them: a master, of a version that
//! can tell us of changes, that throws nothing away.
//!
//! Which address is the right one is `servers`.

use super::keys::Keys;
use super::link::{Ear, Link};
use super::memory::Memory;
use super::options::{Address, RedisError, RedisOptions};
use super::pulse::Pulse;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo,
    RedisConnectionInfo, RedisResult, TlsCertificates, Value,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// The oldest version that does what is needed (`GETDEL`, `HRANDFIELD`).
const OLDEST: (u32, u32) = (6, 2);

/// Makes connections.
pub(super) struct Connector {
    options: Arc<RedisOptions>,
    memory: Arc<Memory>,
    keys: Keys,
    lost: Arc<Notify>,
}

/// What a server says of itself.
struct About {
    version: String,
    policy: String,
    /// Neither the file of appended commands nor snapshots.
    keeps_nothing: bool,
}

impl Connector {
    /// Connections that fill and empty this memory; `lost` is told when one ends.
    pub(super) fn new(options: Arc<RedisOptions>, memory: Arc<Memory>, keys: Keys, lost: Arc<Notify>) -> Self {
        Self { options, memory, keys, lost }
    }

    /// A connection to a master, listening for changes of sessions.
    pub(super) async fn master(&self, address: &Address) -> Result<Link, RedisError> {
        let failed = |why: redis::RedisError| RedisError::Server { address: address.clone(), why: in_words(&why) };
        let ear = Arc::new(Ear {
            pulse: Arc::new(Pulse::new(self.options.trust)),
            memory: Arc::clone(&self.memory),
            keys: self.keys.clone(),
            lost: Arc::clone(&self.lost),
        });
        let hearing = Arc::clone(&ear);
        let config = self.patience().set_push_sender(move |push: PushInfo| {
            hearing.hear(&push);
            Ok::<(), std::convert::Infallible>(())
        });
        let client = self.client(address, self.login().set_protocol(ProtocolVersion::RESP3)).map_err(failed)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?;
        self.examine(address, &mut connection).await?;
        // Told of every change under the prefix, whoever read it: Redis remembers nothing per session for this. Not told of
        // its own changes: what it opened stays in memory, and what it ended it forgets by itself.
        let tracking = redis::cmd("CLIENT")
            .arg(&["TRACKING", "ON", "BCAST", "PREFIX"])
            .arg(self.keys.sessions())
            .arg("NOLOOP")
            .to_owned();
        connection.send_packed_command(&tracking).await.and_then(Value::extract_error).map_err(failed)?;
        Ok(Link::new(address.clone(), connection, ear))
    }

    /// A connection for a few questions about where the masters are.
    pub(super) async fn guide(&self, address: &Address, sentinel: bool) -> RedisResult<MultiplexedConnection> {
        let login = match (&self.options.sentinel_password, sentinel) {
            (_, false) => self.login(),
            (Some(password), true) => RedisConnectionInfo::default().set_password(password.expose()),
            (None, true) => RedisConnectionInfo::default(),
        };
        self.client(address, login)?.get_multiplexed_async_connection_with_config(&self.patience()).await
    }

    fn patience(&self) -> AsyncConnectionConfig {
        let timeout = Some(self.options.timeout);
        AsyncConnectionConfig::new().set_connection_timeout(timeout).set_response_timeout(timeout)
    }

    fn login(&self) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default().set_db(self.options.database).set_skip_set_lib_name();
        if let Some(name) = &self.options.login.username {
            login = login.set_username(name);
        }
        if let Some(password) = &self.options.login.password {
            login = login.set_password(password.expose());
        }
        login
    }

    fn client(&self, address: &Address, login: RedisConnectionInfo) -> RedisResult<Client> {
        let (host, port) = (address.host.clone(), address.port);
        let Some(tls) = &self.options.tls else {
            return Client::open(info(ConnectionAddr::Tcp(host, port), login)?);
        };
        let to = info(ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }, login)?;
        Client::build_with_tls(to, TlsCertificates { client_tls: None, root_cert: tls.authorities.clone() })
    }

    async fn examine(&self, address: &Address, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        let failed = |why: redis::RedisError| RedisError::Server { address: address.clone(), why: in_words(&why) };
        let mut ask = async |command: &redis::Cmd| {
            connection.send_packed_command(command).await.and_then(Value::extract_error).map_err(failed)
        };
        let role = ask(&redis::cmd("ROLE")).await?;
        if !is_master(&role) {
            return Err(RedisError::Replica(address.clone()));
        }
        let about =
            About::read(&redis::from_redis_value::<String>(ask(&redis::cmd("INFO")).await?).unwrap_or_default());
        if about.version_number() < OLDEST {
            return Err(RedisError::TooOld { address: address.clone(), found: about.version });
        }
        if about.policy != "noeviction" {
            let policy = about.policy;
            tracing::warn!(%address, policy, "Redis throws sessions, counters and replay marks away when its memory is full: set maxmemory-policy to noeviction");
        }
        if about.keeps_nothing {
            tracing::warn!(%address, "Redis keeps nothing on disk: when it restarts, everybody has to sign in again");
        }
        Ok(())
    }
}

fn info(address: ConnectionAddr, login: RedisConnectionInfo) -> RedisResult<ConnectionInfo> {
    Ok(address.into_connection_info()?.set_redis_settings(login))
}

/// `ROLE` begins with the role.
pub(super) fn is_master(role: &Value) -> bool {
    let Value::Array(parts) = role else { return false };
    matches!(parts.first(), Some(Value::BulkString(role)) if role == b"master")
}

impl About {
    /// From the answer to `INFO`.
    fn read(text: &str) -> Self {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        Self {
            version: field("redis_version"),
            policy: field("maxmemory_policy"),
            keeps_nothing: field("aof_enabled") == "0"
                && field("rdb_saves") == "0"
                && field("rdb_last_save_time") == "0",
        }
    }

    fn version_number(&self) -> (u32, u32) {
        let mut parts = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }
}

/// What went wrong, without the value of anything that was sent.
pub(super) fn in_words(error: &redis::RedisError) -> String {
    use redis::ErrorKind::{AuthenticationFailed, RESP3NotSupported, Server};
    let refused = matches!(error.code(), Some("WRONGPASS" | "NOAUTH"));
    match error.kind() {
        _ if refused => "user or password is refused".to_owned(),
        AuthenticationFailed => "user or password is refused".to_owned(),
        RESP3NotSupported => "it does not speak RESP3: 6.2 or newer is needed".to_owned(),
        Server(redis::ServerErrorKind::NoPerm) => {
            format!("its user may not do what is needed ({})", error.detail().unwrap_or_default())
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_by_number() {
        let about = About::read("# Server\r\nredis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n");
        assert_eq!((about.version_number(), about.policy.as_str(), about.keeps_nothing), ((7, 0), "noeviction", false));
        assert!(About::read("redis_version:6.0.16").version_number() < OLDEST);
        assert!(About::read("redis_version:10.1.0").version_number() > OLDEST);
        assert!(About::read("").version_number() < OLDEST, "what does not say so is not new enough");
    }

    #[test]
    fn roles_are_told_apart() {
        let role = |name: &[u8]| Value::Array(vec![Value::BulkString(name.to_vec()), Value::Int(0)]);
        assert!(is_master(&role(b"master")) && !is_master(&role(b"slave")) && !is_master(&Value::Nil));
    }
}
