//! Values and rules. No I/O, no async, no framework.

pub mod forwarded;
pub mod host;
pub mod original_request;
pub mod redact;
pub mod request_path;
