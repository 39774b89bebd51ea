//! HTTP: pages and main-app endpoints. A handler extracts, asks one service, responds.

pub mod header_values;
pub mod internal;
pub mod listener;
pub mod listener_io;
pub mod signals;
pub mod tls;
pub mod trace;
