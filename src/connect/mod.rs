//! What is outside: mail servers, gateways, identity providers, log files.

pub mod fetch;
pub mod gateway;
pub mod ldap;
pub mod log;
pub mod log_file;
pub mod mail;
pub mod oidc;
pub mod saml;
