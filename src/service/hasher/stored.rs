//! Password hashes as they are kept: PHC strings of argon2, and bcrypt from imports. Reading, writing, checking one.

use std::str::FromStr;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::pool::Memory;
use crate::domain::password::PlainPassword;

/// What new hashes are (RFC 9106 §4, the recommended kind).
const KIND: Algorithm = Algorithm::Argon2id;
const VERSION: Version = Version::V0x13;
/// Bytes of salt of a new hash (RFC 9106 §4).
pub(super) const SALT: usize = 16;
/// Bytes of tag of a new hash (RFC 9106 §4).
pub(super) const TAG: usize = 32;

/// Most memory of a hash that is computed: 256 MiB.
pub(super) const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Most passes times memory that is computed: 2 GiB written, a second or two.
const MAX_WORK_KIB: u64 = 2 * 1024 * 1024;
/// Most lanes of a hash that is computed.
const MAX_LANES: u32 = 64;
/// Highest bcrypt cost that is computed: about a second. A cost of 31 would keep a core for two days.
const MAX_BCRYPT_COST: u32 = 14;
/// Longest text that is looked at.
const MAX_STORED: usize = 512;
/// Shortest tag that counts (bytes); shorter ones could be hit by chance.
const MIN_TAG: usize = 16;

/// Why a stored hash cannot be checked. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// Neither argon2 nor bcrypt, or damaged.
    #[error("its form is not known")]
    Form,
    /// It would take too much memory or time.
    #[error("its cost is beyond the limit")]
    Cost,
}

/// A computation did not come to an end: no memory left, or the library refused.
#[derive(Debug)]
pub(super) struct Failed;

/// A stored hash that can be checked.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    /// RFC 9106, any of its three kinds; ours are argon2id version 19.
    Argon2 {
        /// Which of the three.
        algorithm: Algorithm,
        /// Of the algorithm.
        version: Version,
        /// Costs and length of the tag.
        params: Params,
        /// As stored.
        salt: Vec<u8>,
        /// As stored.
        tag: Vec<u8>,
    },
    /// The 60 characters of `$2a$`, `$2b$` or `$2y$`.
    Bcrypt(String),
}

impl Stored {
    /// Reads a hash and sees to it that checking it stays within the limits.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        // The libraries slice by bytes: what is not ASCII is damaged anyway.
        if text.len() > MAX_STORED || !text.is_ascii() {
            return Err(Unreadable::Form);
        }
        match text.get(..4) {
            Some("$2a$" | "$2b$" | "$2y$") => read_bcrypt(text),
            _ => read_argon2(text),
        }
    }

    /// Whether it was made the way that new ones are.
    pub(super) fn is_current(&self, present: &Params) -> bool {
        match self {
            Self::Bcrypt(_) => false,
            Self::Argon2 { algorithm, version, params, salt, .. } => {
                (*algorithm, *version) == (KIND, VERSION) && params == present && salt.len() == SALT
            }
        }
    }

    /// Computes the hash of a password and compares, in a time that does not depend on where they differ.
    pub(super) fn check(&self, password: &PlainPassword, memory: &mut Memory) -> Result<bool, Failed> {
        match self {
            // Imported hashes were made of what was typed, of which bcrypt reads the first 72 bytes: that much must be right,
            // as it was where they come from. The new hash that follows a right answer covers all that was typed then.
            Self::Bcrypt(text) => bcrypt::verify(password.as_typed(), text).map_err(|_| Failed),
            Self::Argon2 { algorithm, version, params, salt, tag } => {
                let mut computed = vec![0; tag.len()];
                let argon2 = Argon2::new(*algorithm, *version, params.clone());
                compute(&argon2, password, salt, &mut computed, memory)?;
                Ok(verify_slices_are_equal(&computed, tag).is_ok())
            }
        }
    }
}

/// Makes the PHC string of a password.
pub(super) fn make(
    params: &Params,
    password: &PlainPassword,
    salt: &[u8; SALT],
    memory: &mut Memory,
) -> Result<String, Failed> {
    let mut tag = [0; TAG];
    compute(&Argon2::new(KIND, VERSION, params.clone()), password, salt, &mut tag, memory)?;
    let hash = PasswordHash {
        algorithm: KIND.ident(),
        version: Some(VERSION.into()),
        params: ParamsString::try_from(params).map_err(|_| Failed)?,
        salt: Some(Salt::new(salt).map_err(|_| Failed)?),
        hash: Some(Output::new(&tag).map_err(|_| Failed)?),
    };
    Ok(hash.to_string())
}

/// A hash of the present costs that no password has: checking it is the work for accounts that do not exist.
pub(super) fn decoy(params: &Params) -> Stored {
    Stored::Argon2 { algorithm: KIND, version: VERSION, params: params.clone(), salt: vec![0; SALT], tag: vec![0; TAG] }
}

/// Whether hashes of these costs are computed at all, new ones and stored ones alike.
pub(super) fn is_bearable(params: &Params) -> bool {
    params.m_cost() <= MAX_MEMORY_KIB
        && u64::from(params.m_cost()) * u64::from(params.t_cost()) <= MAX_WORK_KIB
        && params.p_cost() <= MAX_LANES
}

fn compute(
    argon2: &Argon2<'_>,
    password: &PlainPassword,
    salt: &[u8],
    tag: &mut [u8],
    memory: &mut Memory,
) -> Result<(), Failed> {
    let blocks = memory.blocks(argon2.params().block_count()).ok_or(Failed)?;
    argon2.hash_password_into_with_memory(password.normalised().as_bytes(), salt, tag, blocks).map_err(|_| Failed)
}

fn read_bcrypt(text: &str) -> Result<Stored, Unreadable> {
    let parts = bcrypt::HashParts::from_str(text).map_err(|_| Unreadable::Form)?;
    match parts.get_cost() {
        ..4 => Err(Unreadable::Form),
        4..=MAX_BCRYPT_COST => Ok(Stored::Bcrypt(text.to_owned())),
        _ => Err(Unreadable::Cost),
    }
}

fn read_argon2(text: &str) -> Result<Stored, Unreadable> {
    let hash = PasswordHash::new(text).map_err(|_| Unreadable::Form)?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| Unreadable::Form)?;
    // Without a version it is the first one: the field came with the second.
    let version = Version::try_from(hash.version.unwrap_or(0x10)).map_err(|_| Unreadable::Form)?;
    let params = Params::try_from(&hash).map_err(|_| Unreadable::Form)?;
    let (Some(salt), Some(tag)) = (hash.salt, hash.hash) else {
        return Err(Unreadable::Form);
    };
    // The library would fill in its own defaults for what is missing.
    let is_complete = ["m", "t", "p"].iter().all(|name| hash.params.get(*name).is_some());
    if !is_complete || tag.len() < MIN_TAG {
        return Err(Unreadable::Form);
    }
    if !is_bearable(&params) {
        return Err(Unreadable::Cost);
    }
    Ok(Stored::Argon2 { algorithm, version, params, salt: salt.to_vec(), tag: tag.as_bytes().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, password: &str) -> bool {
        let password = PlainPassword::typed(password).unwrap();
        Stored::read(text).unwrap().check(&password, &mut Memory::default()).unwrap()
    }

    /// From the test suite of the reference implementation (phc-winner-argon2, test.c).
    const REFERENCE: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    #[test]
    fn hashes_of_the_reference_implementation_are_understood() {
        for text in [
            REFERENCE,
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        ] {
            assert!(check(text, "password"), "{text}");
            assert!(!check(text, "Password"), "{text}");
        }
    }

    #[test]
    fn bcrypt_is_made_of_the_text_as_typed_and_reads_72_bytes() {
        // From the test vectors of crypt_blowfish.
        for prefix in ["$2a$", "$2b$", "$2y$"] {
            let text = format!("{prefix}05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
            assert!(check(&text, "U*U"));
            assert!(!check(&text, "U*V"));
        }
        let of = |text: &str| bcrypt::hash_with_salt(text, 4, [7; 16]).unwrap().to_string();
        assert!(check(&of("A\u{30a}"), "A\u{30a}"));
        assert!(!check(&of("A\u{30a}"), "\u{c5}"), "the other system did not normalise");
        let long = "x".repeat(72);
        assert!(check(&of(&format!("{long}one")), &format!("{long}two")), "as in the system it came from");
        assert!(!check(&of(&format!("{long}one")), &"x".repeat(71)));
    }

    #[test]
    fn ours_covers_all_of_a_long_password() {
        let params = Params::new(64, 1, 1, Some(TAG)).unwrap();
        let long = "x".repeat(127);
        let password = PlainPassword::typed(&format!("{long}1")).unwrap();
        let text = make(&params, &password, &[9; SALT], &mut Memory::default()).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{text}");
        assert!(check(&text, &format!("{long}1")));
        assert!(!check(&text, &format!("{long}2")));
        assert!(Stored::read(&text).unwrap().is_current(&params));
    }

    #[test]
    fn a_hash_made_otherwise_is_not_current() {
        let present = Params::new(256, 2, 1, Some(TAG)).unwrap();
        let salted = REFERENCE.replace("c29tZXNhbHQ", "c29tZXNhbHRzb21lc2FsdA");
        assert!(Stored::read(&salted).unwrap().is_current(&present));
        for other in [
            REFERENCE.to_owned(),
            salted.replace("argon2id", "argon2i"),
            salted.replace("v=19", "v=16"),
            salted.replace("m=256", "m=257"),
            salted.replace("t=2", "t=3"),
            salted.replace("p=1", "p=2"),
            salted.replace("/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "/uIPnA4rEsF5"),
        ] {
            assert!(!Stored::read(&other).unwrap().is_current(&present), "{other}");
        }
    }

    #[test]
    fn absurd_costs_are_not_computed() {
        for text in [
            REFERENCE.replace("m=256", "m=262145"),
            REFERENCE.replace("m=256", "m=4294967295"),
            REFERENCE.replace("m=256,t=2", "m=262144,t=9"),
            REFERENCE.replace("t=2", "t=4294967295"),
            REFERENCE.replace("m=256,t=2,p=1", "m=8192,t=2,p=65"),
            "$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned(),
            "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned(),
        ] {
            assert_eq!(Stored::read(&text).unwrap_err(), Unreadable::Cost, "{text}");
        }
        assert!(Stored::read(&REFERENCE.replace("m=256,t=2", "m=262144,t=8")).is_ok());
    }

    #[test]
    fn damaged_hashes_are_refused() {
        let long = format!("{REFERENCE}{}", "A".repeat(600));
        for text in [
            "",
            "$",
            "$$$$$",
            "!",
            "plain text",
            "$1$abc$def",
            "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$",
            "$2b$05$",
            "$2b$xx$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$05$CCCCCCCCCCCCCCCCCCCCCÄE5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=256,t=2,p=1",
            "$argon2id$v=19$t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4",
            "$argon2x$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
            &long,
        ] {
            assert_eq!(Stored::read(text).unwrap_err(), Unreadable::Form, "{text}");
        }
    }
}
