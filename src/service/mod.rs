//! Use cases: one public function is one thing a person, an admin or an app can do. Each takes the context first, opens
//! the transaction, makes the change, and writes the audit event in that same transaction.

pub mod account;
pub mod autologin_token;
pub mod caller;
pub mod card;
pub mod context;
pub mod core;
pub mod email;
mod flights;
pub mod group;
pub mod hasher;
pub mod housekeeping;
pub mod identity_token;
pub mod invitation;
pub mod key_ring;
pub mod keys;
pub mod letter;
pub mod limiter;
pub mod metrics;
pub mod moment;
pub mod outbox;
pub mod password;
pub mod recovery;
pub mod registration;
pub mod resolve;
mod revocation;
pub mod saml;
pub mod session;
pub mod setup;
pub mod sign_in;
pub mod signing;
pub mod texts;
pub mod verify;
