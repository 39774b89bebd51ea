//! `[second_factor]`: who needs a second factor, which ones there are, and for how long a proof counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, sessions::CookieName, span::Span, values::GroupName};

/// The section `[second_factor]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecondFactor {
    /// Who has to have a second factor. Whoever has none is asked to set one up in the middle of the next sign-in, before
    /// anything else can be reached. Whoever has one is always asked for it, required or not. A single application can
    /// ask for it too (`application.second_factor`).
    pub required: Required,

    /// Groups whose members have to have one, besides those of `required`.
    #[schemars(example = ["finance"])]
    pub required_groups: Vec<GroupName>,

    /// Which ones people can set up. `sms` and `voice` need a gateway (`[sms]`) and one of the others beside them, because
    /// numbers can be taken over (NIST SP 800-63B-4 section 3.2.9). What somebody has already goes on working when its kind is taken off this list, so that
    /// nobody is left without the factor that protects the account.
    #[schemars(example = ["totp", "passkey"])]
    pub methods: Vec<FactorMethod>,

    /// Whether people can sign in with a passkey alone, without typing a name or a password. The passkey has to check its
    /// user (PIN, finger, face), which makes it two factors.
    pub passkey_sign_in: bool,

    /// For how many days a device may be spared the second factor, when its user wants that. 0 turns it off: the choice is
    /// not offered, and cookies that exist are not accepted.
    ///
    /// Danger: on such a device the password alone is enough. Applications that ask for a fresh proof still get one.
    #[schemars(range(min = 0, max = 365))]
    pub remember_days: u32,

    /// Name of that cookie. With https and without `sessions.cookie_domain` browsers see it with the prefix `__Host-`.
    pub cookie_name: CookieName,

    /// How many codes before and after the present one are taken from an authenticator app, for clocks that are wrong: 1 is
    /// half a minute each way (RFC 6238 section 5.2). Each code is taken once.
    #[schemars(range(min = 0, max = 3))]
    pub totp_skew: u32,

    /// For how long after a sign-in somebody may change what they sign in with; after that they are asked for a proof
    /// again. From a minute to a day.
    pub fresh_for: Span,
}

impl Default for SecondFactor {
    fn default() -> Self {
        Self {
            required: Required::None,
            required_groups: Vec::new(),
            methods: vec![FactorMethod::Totp, FactorMethod::Passkey],
            passkey_sign_in: true,
            remember_days: 0,
            cookie_name: CookieName::fixed("remember_2fa"),
            totp_skew: 1,
            fresh_for: Span::minutes(10),
        }
    }
}

impl SecondFactor {
    pub(super) fn check(&self, found: &mut Findings) {
        found.bounds("second_factor.fresh_for", self.fresh_for, Span::minutes(1), Span::hours(24));
        let required = self.required != Required::None || !self.required_groups.is_empty();
        if required && self.methods.is_empty() {
            found.wrong("second_factor.methods", "is empty, and a second factor is required: nobody could set one up");
        }
    }
}

/// Who has to have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// Nobody; everybody may.
    None,
    /// Administrators.
    Admins,
    /// Everybody.
    All,
}

/// A second factor that people can set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactorMethod {
    /// An authenticator app.
    Totp,
    /// A security key or passkey.
    Passkey,
    /// A code in a text message.
    Sms,
    /// A code read out in a call.
    Voice,
}
