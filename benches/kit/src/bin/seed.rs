//! Opens many sessions in the stores of a configuration, through the library's own code, while no service runs:
//! `seed CONFIGURATION SESSIONS ACCOUNTS`. Prints the sealed cookie of each session on a line. The service must have been
//! started on that directory once, and `secret_key` must stand in the configuration.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule::app::volatile;
use vestibule::config::Config;
use vestibule::domain::account::{AccountStatus, DisplayName, EmailAddress, Username};
use vestibule::domain::id::{AccountId, SessionId};
use vestibule::domain::session::{Lifetimes, Methods, Session};
use vestibule::service::context::Surroundings;
use vestibule::service::core::fingerprint;
use vestibule::service::key_ring::{KeyRing, SealingKey, Wrapping};
use vestibule::store::account::{self, NewAccount};
use vestibule::store::{Database, key};

type Failure = Box<dyn Error + Send + Sync>;

/// Sessions opened at once: the store writes what waits together.
const AT_ONCE: usize = 512;
const DAY: Duration = Duration::from_hours(24);
const DEVICES: [&str; 4] = ["Firefox on Linux", "Chrome on Windows", "Safari on iPhone", "Edge on Windows"];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: seed CONFIGURATION SESSIONS ACCOUNTS")?;
    let sessions: usize = arguments.next().ok_or("how many sessions?")?.parse()?;
    let accounts: usize = arguments.next().ok_or("how many accounts?")?.parse()?;
    let config = Config::load(Some(Path::new(&file)), &BTreeMap::new())?.config;
    let surroundings = Surroundings::machine();

    let database = Database::at(&vestibule::app::mapping::database(&config)).await?;
    let ring = ring(&config, &database).await?;
    let people = people(&surroundings, &database, accounts).await?;
    database.close().await;

    let lifetimes = Lifetimes { idle: DAY, absolute: DAY };
    let store = volatile::open(&config, lifetimes.into(), 0).await?;
    let mut opening = JoinSet::new();
    for (place, account) in people.iter().cycle().take(sessions).enumerate() {
        let now = surroundings.now();
        let session = Session {
            id: SessionId::new(surroundings.uuid()),
            account: *account,
            created_at: now,
            authenticated_at: now,
            ends_at: now.after(DAY),
            last_seen_at: now,
            methods: Methods::PASSWORD,
            device: DEVICES[place % DEVICES.len()].into(),
            network: format!("198.51.{}.0/24", place % 256).into(),
            remembered: None,
            source: None,
        };
        let handle: [u8; 32] = surroundings.bytes();
        let sealed =
            ring.seal(config.sessions.cookie_name.as_str(), &handle, surroundings.bytes()).ok_or("an empty ring")?;
        println!("{sealed}");
        if opening.len() >= AT_ONCE {
            opening.join_next().await.ok_or("nothing was opened")???;
        }
        let store = Arc::clone(&store);
        opening.spawn(async move { store.open_session(fingerprint(&handle), session).await });
    }
    while let Some(opened) = opening.join_next().await {
        opened??;
    }
    store.close().await;
    Ok(())
}

/// The ring of cookie keys as the service made it at its first start.
async fn ring(config: &Config, database: &Database) -> Result<KeyRing, Failure> {
    let root = config.secret_key.as_ref().ok_or("secret_key is not set")?;
    let wrapping = Wrapping::derive(root.expose()).ok_or("the root key is of no use")?;
    let mut link = database.read().await?;
    let stored = key::all(&mut link).await?;
    let cookies = stored.iter().filter(|key| key.purpose == "cookies");
    let opened = cookies.map(|key| SealingKey::new(key.id, wrapping.unwrap(key.id, "cookies", &key.wrapped)?.expose()));
    let keys: Option<Vec<SealingKey>> = opened.collect();
    let keys = keys.filter(|keys| !keys.is_empty()).ok_or("no key: was the service started here before?")?;
    Ok(KeyRing::new(keys))
}

async fn people(surroundings: &Surroundings, database: &Database, count: usize) -> Result<Vec<AccountId>, Failure> {
    let mut tx = database.begin().await?;
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        let id = AccountId::new(surroundings.uuid());
        let person = NewAccount {
            id,
            username: Username::parse(&format!("person{number}"))?,
            email: EmailAddress::parse(&format!("person{number}@example.org"))?,
            name: DisplayName::parse(&format!("Person Number {number}"))?,
            administrator: false,
            status: AccountStatus::Active,
            ends_at: None,
        };
        account::insert(&mut tx, &person, surroundings.now()).await?;
        ids.push(id);
    }
    tx.commit().await?;
    Ok(ids)
}
