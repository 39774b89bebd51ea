//! Vestibule on PostgreSQL as a program: nodes beside each other, commands for databases, and a server that is harmed.

mod copying;
mod encryption;
mod faults;
mod nodes;

use crate::support::program::{Place, asks};
use std::net::SocketAddr;

/// A root key that several nodes share.
const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A place whose database is a schema at an address, with little patience.
fn place(url: &str, schema: &str) -> Place {
    place_with(url, schema, "")
}

fn place_with(url: &str, schema: &str, more: &str) -> Place {
    let patience = "acquire_timeout = \"1s\"\nstatement_timeout = \"2s\"\nlock_timeout = \"1s\"\n";
    let place = Place::with("", &format!("[database]\nurl = {url:?}\nschema = {schema:?}\n{patience}{more}\n"));
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(&file, format!("secret_key = {ROOT_KEY:?}\n{text}")).expect("written");
    place
}

async fn verifies(address: SocketAddr, session: &str) -> u16 {
    asks(address, &format!("GET /verify HTTP/1.1\r\nCookie: {session}"), "").await.map_or(0, |(status, _, _)| status)
}
