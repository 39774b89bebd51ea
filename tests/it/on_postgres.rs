//! The same tests on PostgreSQL: what people and operators see must not depend on the database.
//!
//! `support/engine.rs` sees by the test's name that it stands in here.

#[path = "directory/on_postgres.rs"]
mod directory;
#[expect(clippy::duplicate_mod, reason = "the same tests on another database")]
#[path = "personal_data.rs"]
mod personal_data;
#[expect(clippy::duplicate_mod, reason = "the same tests on another database")]
#[path = "settings.rs"]
mod settings;
#[expect(clippy::duplicate_mod, reason = "the same tests on another database")]
#[path = "store_durable.rs"]
mod store_durable;
#[expect(clippy::duplicate_mod, reason = "the same tests on another database")]
#[path = "web/mod.rs"]
mod web;
