//! What the tests speak with: a house of its own for each test, its clock in the test's hand, and people with browsers.

mod browser;
pub(crate) mod cable;
pub(crate) mod dump;
pub(crate) mod engine;
pub(crate) mod factors;
pub(crate) mod fake_ad;
pub(crate) mod gateway;
mod house;
mod invited;
mod letters;
pub(crate) mod openid;
pub(crate) mod openid_peer;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod redis;
pub(crate) mod saml;
pub(crate) mod saml_site;
pub(crate) mod security_key;
pub(crate) mod settings;
pub(crate) mod simplesamlphp;
pub(crate) mod slapd;
pub(crate) mod told;
pub(crate) mod wire;

pub(crate) use browser::{Answer, Browser};
pub(crate) use house::{House, TestClock};
pub(crate) use invited::invitee;
pub(crate) use openid::OpenId;

/// A password that keeps every default rule.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "seven purple umbrellas";

/// The link in a letter.
pub(crate) fn link_of(letter: &letters::Received) -> String {
    letter.link()
}
