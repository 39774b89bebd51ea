//! The data inventory against the real schemas: every column is classified, and nothing is listed that is not there.

use crate::support::{House, postgres};
use sqlx::{Connection, SqliteConnection};
use std::collections::BTreeSet;
use std::path::Path;
use vestibule::domain::personal_data::{Column, DURABLE, VOLATILE};
use vestibule::store::Place;

async fn columns(file: &Path) -> BTreeSet<String> {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.expect("a database");
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '_sqlx_%'",
    )
    .fetch_all(&mut conn)
    .await
    .expect("a schema");
    rows.into_iter().map(|(table, column)| format!("{table}.{column}")).collect()
}

async fn columns_of_schema(schema: &str) -> BTreeSet<String> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = $1 AND table_name NOT LIKE '\\_sqlx\\_%'",
    )
    .bind(schema)
    .fetch_all(&mut postgres::shared().by_hand(schema).await)
    .await
    .expect("a schema");
    rows.into_iter().map(|(table, column)| format!("{table}.{column}")).collect()
}

async fn durable_columns(house: &House) -> BTreeSet<String> {
    match house.place() {
        Place::File(file) => columns(&file).await,
        Place::Server(server) => columns_of_schema(&server.schema).await,
    }
}

fn listed(inventory: &[Column]) -> BTreeSet<String> {
    inventory.iter().map(|column| column.name.to_owned()).collect()
}

#[tokio::test]
async fn every_stored_column_is_classified() {
    let house = House::open().await;
    assert_eq!(durable_columns(&house).await, listed(DURABLE));
    assert_eq!(columns(&house.folder.path().join("volatile.db")).await, listed(VOLATILE));
}

#[test]
fn every_column_says_what_it_is_for_once() {
    for inventory in [DURABLE, VOLATILE] {
        assert_eq!(listed(inventory).len(), inventory.len(), "no column is listed twice");
        assert!(inventory.iter().all(|column| !column.purpose.is_empty()));
    }
}
