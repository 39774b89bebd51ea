//! Values and rules. No I/O, no async, no framework.

pub mod accent;
pub mod account;
pub mod application;
pub mod attribute_map;
pub mod audit;
pub mod autologin;
pub mod device;
pub mod forwarded;
pub mod host;
pub mod id;
pub mod identity;
pub mod language;
pub mod logo;
pub mod notice;
pub mod original_request;
pub mod password;
pub mod personal_data;
pub mod redact;
pub mod redirect;
pub mod request_path;
pub mod resolve;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod time;
