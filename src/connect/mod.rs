//! What is outside: mail servers, log files.

pub mod ldap;
pub mod log;
pub mod log_file;
pub mod mail;
