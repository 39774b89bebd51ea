//! Journeys of people in a real browser: Chromium, steered through `WebDriver`, against the program itself.
//!
//! What a page answers to which request is tested in `tests/it/web`; here it matters what people see and browsers keep.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper that does not get what it needs fails its test"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "what is waited for has a deadline of the wall clock, as browsers have; and the environment names axe-core"
)]

#[expect(dead_code, reason = "shared with the integration tests, which use more of it")]
#[path = "../it/support/gateway.rs"]
mod gateway;
#[expect(dead_code, reason = "shared with the integration tests, which use more of it")]
#[path = "../it/support/letters.rs"]
mod letters;
#[expect(dead_code, reason = "shared with the integration tests, which use more of it")]
#[path = "../it/support/openid_peer.rs"]
mod openid_peer;
#[expect(dead_code, reason = "shared with the integration tests, which use more of it")]
#[path = "../it/support/program.rs"]
mod program;
#[expect(dead_code, reason = "shared with the tests of the proxies, which start all of them")]
#[path = "../it/proxies/servers.rs"]
mod servers;
#[path = "../it/support/simplesamlphp.rs"]
mod simplesamlphp;

mod axe;
mod cookies;
mod entering;
mod factors;
mod main_app;
mod nowhere;
mod onward;
mod pages;
mod phone;
mod provider;
mod provider_logout;
mod provider_pages;
mod reading;
mod recovery;
mod saml;
mod sessions;
mod stage;
mod text_messages;
mod webdriver;
mod whole;

/// A password that keeps every default rule.
const PASSWORD: &str = "correct horse battery";
/// Another one.
const OTHER_PASSWORD: &str = "seven purple umbrellas";
