//! What is outside: mail servers, log files, SAML providers.

pub mod fetch;
pub mod log;
pub mod log_file;
pub mod mail;
pub mod saml;
