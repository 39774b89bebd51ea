//! `[autologin]`: "Stay signed in" on a device.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sessions::CookieName;

/// The section `[autologin]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Autologin {
    /// For how many days a device may be remembered. 0 turns it off: the choice is not offered, and cookies that exist
    /// are not accepted.
    ///
    /// Danger: whoever holds the device is signed in for that long. A stolen cookie that is used twice ends the whole
    /// series.
    #[schemars(range(min = 0, max = 365))]
    pub days: u32,

    /// Name of the cookie. With https and without `sessions.cookie_domain` browsers see it with the prefix `__Host-`.
    pub cookie_name: CookieName,
}

impl Default for Autologin {
    fn default() -> Self {
        Self { days: 0, cookie_name: CookieName::fixed("autologin") }
    }
}
