//! What people and main apps see, by path; mirrors `src/web`.

mod account;
mod autologin;
mod bad_input;
mod brand;
mod caching;
mod invitation;
mod login;
mod lost_password;
mod new_device;
mod operators;
mod registration;
mod revocation;
mod saml;
mod setup;
mod steps;
mod verify;
