//! `[password]`: who may sign in with a password, and what a password must be like.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::Findings;

/// The section `[password]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Password {
    /// Who may sign in with a password.
    pub login: PasswordLogin,

    /// User names that may sign in with a password at `/login/internal` although `login` would not let them: for the
    /// day when the identity provider is down.
    #[schemars(example = ["admin"], extend("x-allowed" = "a list of user names"))]
    pub internal: Vec<String>,

    /// Fewest characters of a new password. NIST SP 800-63B-4 section 3.1.1.2 asks for 15 where the password is the
    /// only factor, and for 8 beside a second one.
    #[schemars(range(min = 8, max = 128))]
    pub min_length: u32,

    /// Kinds of characters that each new password must have. None by default: NIST SP 800-63B-4 section 3.1.1.2 forbids
    /// such rules, because they make people choose worse passwords. For organisations that still have to.
    #[schemars(example = ["lowercase", "digit"])]
    pub required_classes: Vec<CharacterClass>,

    /// How many former passwords of the account are refused. 0 refuses none.
    #[schemars(range(min = 0, max = 100))]
    pub history: u32,

    /// After how many days a new password is asked for at sign-in. 0 is never, as NIST SP 800-63B-4 section 3.1.1.2
    /// asks for.
    #[schemars(range(min = 0, max = 3650))]
    pub expire_after_days: u32,

    /// Whether passwords from the built-in list of common ones are refused. No request leaves this machine for it.
    pub refuse_common: bool,

    /// Least strength of a new password as estimated by zxcvbn: 0 is anything, 1 very weak, 2 weak against offline
    /// guessing, 3 good, 4 very good.
    #[schemars(range(min = 0, max = 4))]
    pub min_strength: u32,

    /// Whether people who lost their password can set a new one by mail.
    pub recovery: bool,

    /// Whether people can change their own mail address; the new one must be confirmed.
    pub email_change: bool,

    /// How passwords are hashed with argon2id. The defaults are those of the OWASP Password Storage Cheat Sheet.
    /// Changed values apply to new hashes; existing ones are renewed at the next sign-in.
    pub hashing: Hashing,
}

impl Default for Password {
    fn default() -> Self {
        Self {
            login: PasswordLogin::All,
            internal: Vec::new(),
            min_length: 10,
            required_classes: Vec::new(),
            history: 0,
            expire_after_days: 0,
            refuse_common: true,
            min_strength: 2,
            recovery: true,
            email_change: true,
            hashing: Hashing::default(),
        }
    }
}

impl Password {
    /// Most characters of a password. Fixed: long enough for every phrase, short enough to hash.
    pub const MAX_LENGTH: u32 = 128;

    pub(super) fn check(&self, found: &mut Findings) {
        if self.internal.iter().any(|name| name.trim().is_empty() || name.contains(char::is_control)) {
            found.wrong("password.internal", "has an empty name or one with control characters");
        }
        if self.login == PasswordLogin::None && self.internal.is_empty() {
            found.warn(
                "password.login = \"none\" and password.internal is empty: nobody can sign in with a password"
                    .to_owned(),
            );
        }
        // OWASP Password Storage: the five equivalent settings (47104·1, 19456·2, 12288·3, 9216·4, 7168·5) all
        // cost this or more.
        let work = u64::from(self.hashing.memory_kib) * u64::from(self.hashing.iterations);
        if work < 7168 * 5 {
            found.wrong(
                "password.hashing.memory_kib",
                "is too weak with this number of iterations: memory_kib times iterations must be at least 35840",
            );
        }
        if self.hashing.memory_kib < 8 * self.hashing.parallelism {
            found.wrong("password.hashing.parallelism", "is too high for this much memory");
        }
    }
}

/// Who may sign in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordLogin {
    /// Everybody who has one.
    All,
    /// Everybody except people linked to an identity provider.
    ExceptSso,
    /// Nobody except those in `internal`.
    None,
}

/// A kind of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CharacterClass {
    /// Small letters of any script.
    Lowercase,
    /// Capital letters of any script.
    Uppercase,
    /// Digits of any script.
    Digit,
    /// Everything else, blanks included.
    Special,
}

/// The section `[password.hashing]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hashing {
    /// Memory per hash in KiB.
    ///
    /// Danger: `workers` times this much memory is set aside.
    #[schemars(range(min = 7168, max = 1_048_576))]
    pub memory_kib: u32,

    /// Passes over the memory; each one makes a hash take that much longer, for us and for those who guess.
    #[schemars(range(min = 1, max = 64))]
    pub iterations: u32,

    /// Lanes per hash. More than one helps only where a single sign-in may use several cores.
    #[schemars(range(min = 1, max = 64))]
    pub parallelism: u32,

    /// How many hashes are computed at the same time. 0 is one per processor core.
    #[schemars(range(min = 0, max = 1024))]
    pub workers: u32,

    /// How many sign-ins may wait for a worker; the next one is answered 503 with `Retry-After`.
    #[schemars(range(min = 1, max = 65_536))]
    pub queue: u32,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, workers: 0, queue: 128 }
    }
}
