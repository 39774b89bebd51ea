//! Integration tests: one binary, one module a room.

mod listener;
mod mail;
mod store_volatile;
