//! What people and main apps see, by path; mirrors `src/web`.

mod account;
mod autologin;
mod avatar;
mod avatar_limits;
mod bad_input;
mod brand;
mod caching;
mod factors;
mod forbidden;
mod invitation;
mod login;
mod lost_password;
mod new_device;
mod openid_conformance;
mod openid_outage;
mod openid_peer;
mod operators;
mod patience;
mod provider;
mod redis;
mod registration;
mod revocation;
mod setup;
mod step_up;
mod steps;
mod verify;
