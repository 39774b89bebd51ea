//! Which volatile store the operator wants, and opening it.

use super::StartError;
use crate::config::Config;
use crate::config::redis::RedisTopology;
use crate::config::sessions::SessionStore;
use crate::domain::session::SharedLifetimes;
use crate::store::volatile::Volatile;
use crate::store::volatile::embedded::{Embedded, EmbeddedOptions};
use crate::store::volatile::redis::{Address, Login, Redis, RedisOptions, Tls, Topology};
use std::sync::Arc;

/// Opens the store as configured. The seed is drawn at random.
///
/// # Errors
/// [`StartError::Volatile`].
pub async fn open(config: &Config, lifetimes: SharedLifetimes, seed: u64) -> Result<Arc<dyn Volatile>, StartError> {
    if config.sessions.store == SessionStore::Redis {
        let store = Redis::open(seeded(config, lifetimes, seed)?).await;
        return Ok(Arc::new(store.map_err(|error| StartError::Volatile(error.to_string()))?));
    }
    let file = config.data_dir.join("volatile.db");
    let store = Embedded::open(&file, EmbeddedOptions::new(lifetimes)).await;
    Ok(Arc::new(store.map_err(|error| StartError::Volatile(error.to_string()))?))
}

/// The same for a command: an account can be locked though Redis is away, since what that ends is over durably.
///
/// # Errors
/// [`StartError::Volatile`].
pub(super) async fn open_for_a_command(
    config: &Config,
    lifetimes: SharedLifetimes,
    seed: u64,
) -> Result<Arc<dyn Volatile>, StartError> {
    if config.sessions.store == SessionStore::Redis {
        return Ok(Arc::new(Redis::open_anyway(seeded(config, lifetimes, seed)?).await));
    }
    open(config, lifetimes, seed).await
}

fn seeded(config: &Config, lifetimes: SharedLifetimes, seed: u64) -> Result<RedisOptions, StartError> {
    Ok(RedisOptions { seed, ..redis(config, lifetimes).map_err(StartError::Volatile)? })
}

/// What the Redis store has to know.
///
/// # Errors
/// In words for the operator: a file cannot be read.
pub(super) fn redis(config: &Config, lifetimes: SharedLifetimes) -> Result<RedisOptions, String> {
    let sessions = &config.sessions;
    let url = sessions.redis_url.as_ref().ok_or("sessions.redis_url is not set")?;
    let addresses = url.hosts().iter().map(|(host, port)| Address { host: host.clone(), port: *port }).collect();
    let authorities = sessions
        .redis_ca_file
        .as_ref()
        .map(|file| std::fs::read(file).map_err(|error| format!("sessions.redis_ca_file {}: {error}", file.display())));
    let authorities = authorities.transpose()?;
    Ok(RedisOptions {
        topology: match (sessions.redis_topology, &sessions.redis_sentinel_master) {
            (RedisTopology::Sentinel, Some(master)) => Topology::Sentinel { master: master.clone() },
            (RedisTopology::Cluster, _) => Topology::Cluster,
            _ => Topology::Single,
        },
        tls: url.encrypted().then_some(Tls { authorities }),
        database: url.database().into(),
        login: Login { username: sessions.redis_username.clone(), password: sessions.redis_password.clone() },
        sentinel_password: sessions.redis_sentinel_password.clone(),
        prefix: sessions.redis_prefix.as_str().to_owned(),
        timeout: sessions.redis_timeout.duration(),
        replicas: sessions.redis_replicas,
        ..RedisOptions::new(lifetimes, addresses)
    })
}
