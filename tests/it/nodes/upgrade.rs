//! Two versions beside each other: what a newer one adds to the schema does not trouble the older one.

use super::{ROOT_KEY, Stores};
use crate::support::postgres::shared;
use crate::support::redis::RedisServer;
use crate::support::{House, PASSWORD, TestClock};
use http::StatusCode;
use sqlx::Executor;
use std::time::Duration;
use vestibule::app::mapping;
use vestibule::config::Config;
use vestibule::store::{Database, OpenError};

/// What a later version would do to the schema.
const LATER: &str = "ALTER TABLE account ADD COLUMN shoe_size BIGINT NOT NULL DEFAULT 0; \
    ALTER TABLE letter ADD COLUMN urgency BIGINT; CREATE TABLE later (id BIGINT PRIMARY KEY); \
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
    SELECT 9999, 'later', TRUE, checksum, 0 FROM _sqlx_migrations WHERE version = 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_goes_on_when_a_newer_one_adds_to_the_schema_and_starts_again_if_that_one_says_it_may() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "upgrade");
    let running = stores.node(Duration::ZERO).await;
    running.account("anna").await;
    let mut before = running.browser();
    before.signs_in("anna", PASSWORD).await;
    let mut conn = shared().by_hand("upgrade").await;
    conn.execute(LATER).await.expect("migrated");

    assert!(before.is_signed_in().await);
    let mut after = running.browser();
    assert_eq!(after.signs_in("anna", PASSWORD).await.location(), "/account");
    running.account("berta").await;
    running.sweep().await;
    assert_eq!(running.letters().await.len(), 0);
    after.submit("/logout", "/logout", &[]).await;
    assert_eq!(running.browser().get("/ready").await.status, StatusCode::OK);

    let text = stores.tables(&format!("secret_key = {ROOT_KEY:?}"));
    let config = Config::parse(&text, &std::collections::BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"));
    let place = mapping::database(&config);
    let newest: i64 = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE version < 9999")
        .fetch_one(&mut conn)
        .await
        .expect("a number");
    let refused = Database::at(&place).await.map(drop).expect_err("nothing was said about it");
    assert!(matches!(refused, OpenError::Newer { version: 9999, .. }), "{refused}");
    let says = "INSERT INTO migration_reach (migration, works_from) VALUES (9999, $1) \
        ON CONFLICT (migration) DO UPDATE SET works_from = excluded.works_from";
    sqlx::query(says).bind(newest + 1).execute(&mut conn).await.expect("said");
    let refused = Database::at(&place).await.map(drop).expect_err("only for those who know more");
    assert!(matches!(refused, OpenError::Newer { version: 9999, .. }), "{refused}");
    sqlx::query(says).bind(newest).execute(&mut conn).await.expect("said");
    let again = House::node(TestClock::ahead(Duration::ZERO), &text).await;
    let mut browser = again.browser();
    assert_eq!(browser.signs_in("anna", PASSWORD).await.location(), "/account");
    assert!(super::on(&running, &browser).is_signed_in().await);
}
