//! Two nodes on one PostgreSQL and one Redis: equal, side by side, with clocks that differ, one of them ending, the engines
//! failing. What one engine does by itself is in `postgres/` and `store_volatile/redis/`.

mod cluster;
mod directory;
mod equal;
mod faults;
mod lease;
mod processes;
mod revalidation;
mod saml;
mod settings;
mod skew;
mod upgrade;

use crate::support::postgres::Postgres;
use crate::support::redis::RedisServer;
use crate::support::{Browser, House, TestClock};
use http::StatusCode;
use std::net::SocketAddr;
use std::time::Duration;
use vestibule::service::context::Context;

/// The root key that nodes share.
const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How far the clocks of nodes may be apart.
const APART: Duration = Duration::from_secs(30);

/// Where the stores of a pair are.
struct Stores {
    redis: String,
    database: String,
    schema: &'static str,
}

impl Stores {
    fn of(postgres: &Postgres, redis: &RedisServer, schema: &'static str) -> Self {
        Self::at(postgres.url(), redis.port(), schema)
    }

    fn at(database: String, redis: u16, schema: &'static str) -> Self {
        Self { redis: format!("redis_url = \"redis://127.0.0.1:{redis}\""), database, schema }
    }

    /// Tables for a node on them; `more` comes before.
    fn tables(&self, more: &str) -> String {
        format!(
            "{more}\n[sessions]\nstore = \"redis\"\n{}\n[autologin]\ndays = 30\n[database]\nurl = {:?}\nschema = {:?}\n\
             max_connections = 6\nacquire_timeout = \"1s\"\nstatement_timeout = \"2s\"\nlock_timeout = \"1s\"\n",
            self.redis, self.database, self.schema
        )
    }

    /// A node in this process whose clock is this far ahead.
    async fn node(&self, ahead: Duration) -> House {
        House::node(TestClock::ahead(ahead), &self.tables(&format!("secret_key = {ROOT_KEY:?}"))).await
    }

    /// Two nodes, started at once; the clock of the first is this far ahead.
    async fn nodes(&self, ahead: Duration) -> (House, House) {
        tokio::join!(self.node(ahead), self.node(Duration::ZERO))
    }
}

/// The same browser, led to another node by the balancer.
fn on(house: &House, browser: &Browser) -> Browser {
    let mut led = house.browser();
    led.cookies.clone_from(&browser.cookies);
    led
}

async fn verifies(house: &House, browser: &Browser) -> StatusCode {
    on(house, browser).get("/verify").await.status
}

/// What each node does five times a second.
async fn both_look_around(one: &House, two: &House) {
    for house in [one, two] {
        let ctx = Context::system(house.app.surroundings.clone());
        house.housekeeping.notice(&ctx).await.expect("stores");
    }
}

/// What the program answers to a proxy about a session.
async fn answers(address: SocketAddr, session: &str) -> u16 {
    let head = format!("GET /verify HTTP/1.1\r\nCookie: {session}");
    crate::support::program::asks(address, &head, "").await.map_or(0, |(status, _, _)| status)
}
