//! Integration tests: one binary, one module a room; mirrors `src/`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper that does not get what it needs fails its test"
)]

mod connect_saml;
mod directory;
mod hostile;
mod listener;
mod mail;
mod main_app;
mod nodes;
mod on_postgres;
mod personal_data;
mod postgres;
mod process;
mod proxies;
mod resolve;
mod routes;
mod settings;
mod store_durable;
mod store_file;
mod store_volatile;
mod support;
mod web;
