//! HTTP: pages and main-app endpoints. A handler extracts, asks one service, responds; no SQL, no decision here.

pub mod account;
pub mod assets;
pub mod cookies;
pub mod error;
pub mod extract;
pub mod frame;
pub mod header_values;
pub mod internal;
pub mod invitation;
pub mod listener;
pub mod listener_io;
pub mod login;
pub mod logout;
pub mod lost_password;
mod new_password;
pub mod page;
pub mod register;
pub mod respond;
pub mod router;
pub mod setup;
pub mod signals;
pub mod site;
pub mod step;
pub mod tls;
pub mod trace;
pub mod verify;
