//! Everything that a house has stored, as whoever steals it would see it.

use super::{House, postgres};
use sqlx::Row;
use std::fmt::Write;
use vestibule::store::Place;

/// What was found where: the name of a file or table, and its content.
pub(crate) struct Dump(Vec<(String, Vec<u8>)>);

impl Dump {
    /// The files of the house, and the tables of its schema on PostgreSQL.
    pub(crate) async fn of(house: &House) -> Self {
        let mut found = Vec::new();
        if let Place::Server(server) = house.place() {
            let mut conn = postgres::shared().by_hand(&server.schema).await;
            let tables = sqlx::query("SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1");
            for table in tables.bind(&server.schema).fetch_all(&mut conn).await.expect("tables") {
                let name: String = table.get(0);
                let all =
                    format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{}\".\"{name}\" t", server.schema);
                let text: String =
                    sqlx::query(sqlx::AssertSqlSafe(all)).fetch_one(&mut conn).await.expect("rows").get(0);
                found.push((name, text.into_bytes()));
            }
        }
        let mut folders = vec![house.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    found.push((entry.display().to_string(), std::fs::read(&entry).expect("readable")));
                }
            }
        }
        Self(found)
    }

    /// With what somebody else keeps for the house.
    pub(crate) fn and(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.0.push((name.to_owned(), bytes));
        self
    }

    /// Where these bytes stand, as they are or as PostgreSQL writes them.
    pub(crate) fn places_of(&self, needle: &[u8]) -> Vec<&str> {
        let mut hex = String::new();
        for byte in needle {
            write!(hex, "{byte:02x}").expect("a string takes everything");
        }
        let holds = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        let found = self.0.iter().filter(|(_, bytes)| holds(bytes, needle) || holds(bytes, hex.as_bytes()));
        found.map(|(name, _)| name.as_str()).collect()
    }
}
