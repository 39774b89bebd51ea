//! SAML 2.0 as a service provider: XML comes in and goes out here, and nowhere else. What leaves this room are plain values.
//!
//! A response passes the gate (`tree.rs`, `gate.rs`, `signature_shape.rs`), our own judgement (`judge.rs`), the first verifier
//! (`first.rs`) and the second (`second.rs`); it is believed only where both read what we read (`reading.rs`). Replays are
//! remembered by the service, and which browser may use an answer is decided there, too.

pub mod certificate;
mod first;
mod gate;
mod glance;
mod judge;
pub mod logout;
pub mod metadata;
pub mod outgoing;
mod party;
mod reading;
mod refusal;
mod second;
mod signature_shape;
mod tree;
mod verifier;

pub use glance::{Glance, glance};
pub use judge::{Asked, Expected, SKEW};
pub use party::{Peer, Service, ServiceKey};
pub use reading::{Attribute, NameId};
pub use refusal::{Judge, Reason, Refusal};
pub use verifier::{Asserted, Verifier, receive};
