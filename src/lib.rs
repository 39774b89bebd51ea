//! The map of the crate. The folders are the architecture; imports go only downward (docs/architecture.md).
//!
//! `domain` values and rules · `config` one file per section of vestibule.toml · `store` what is kept ·
//! `connect` what is outside · `service` use cases · `web`, `jobs`, `cli` the ways to ask for one · `app` the wiring.

pub mod app;
pub mod cli;
pub mod config;
pub mod connect;
pub mod domain;
pub mod jobs;
pub mod service;
pub mod store;
pub mod web;
