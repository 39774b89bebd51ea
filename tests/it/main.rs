//! Integration tests: one binary, one module a room; mirrors `src/`.

mod listener;
mod mail;
mod personal_data;
mod store_volatile;
mod support;
mod web;
