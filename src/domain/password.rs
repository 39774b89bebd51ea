//! Passwords as typed, and what a new one must be like. Not here: hashing (service/hasher), history and expiry (service).

use unicode_normalization::UnicodeNormalization;
use zxcvbn::matching::Match;
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::{Score, zxcvbn};

use super::account::fold;
use super::secret::Secret;

/// Most characters of a password, counted after normalisation. ASVS 5.0 6.2.9 asks for at least 64.
pub const MAX_LENGTH: usize = 128;

/// Most bytes that are looked at: 128 characters have at most 512, and decomposed ones seldom twice as many.
const MAX_BYTES: usize = 1024;

/// Shortest name that counts when it is found inside a password.
const MIN_NAME: usize = 4;

/// Most characters beside a common password that still leave it common, as in `password2024`.
const MAX_ORNAMENT: usize = 4;

/// A password in the form that somebody typed it; wiped on drop, never shown.
///
/// Two texts that look alike but were put together differently by two keyboards are one password: RFC 8265 §4.2
/// (`OpaqueString`) maps all blanks to U+0020 and normalises to NFC. NIST SP 800-63B-4 §3.1.1.2 leaves the choice between NFC
/// and NFKC; NFC keeps apart what people can tell apart (`²` and `2`). Nothing is trimmed, folded or cut off.
#[derive(Clone, Debug)]
pub struct PlainPassword {
    typed: Secret<String>,
    normal: Secret<String>,
}

impl PlainPassword {
    /// Takes what was typed. The empty text is a password too, one that no account has.
    ///
    /// # Errors
    /// [`Fault::TooLong`] for more than [`MAX_LENGTH`] characters; huge input is refused before any work.
    pub fn typed(text: &str) -> Result<Self, Fault> {
        let too_long = Fault::TooLong { max: MAX_LENGTH };
        if text.len() > MAX_BYTES {
            return Err(too_long);
        }
        // NFC makes UTF-8 text at most three times as long (UAX #15 §4): no growth leaves an unwiped copy behind.
        let mut normal = String::with_capacity(text.len() * 3);
        normal.extend(text.chars().map(|c| if is_blank(c) { ' ' } else { c }).nfc());
        let password = Self { typed: Secret::new(text.to_owned()), normal: Secret::new(normal) };
        if password.length() > MAX_LENGTH { Err(too_long) } else { Ok(password) }
    }

    /// The form that is hashed.
    #[must_use]
    pub fn normalised(&self) -> &str {
        self.normal.expose()
    }

    /// Exactly what was typed: imported hashes were made of this by systems that did not normalise.
    #[must_use]
    pub fn as_typed(&self) -> &str {
        self.typed.expose()
    }

    fn length(&self) -> usize {
        self.normalised().chars().count()
    }
}

/// A kind of characters that a rule can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Small letters of any script.
    Lowercase,
    /// Capital letters of any script.
    Uppercase,
    /// Digits of any script.
    Digit,
    /// Everything else that is no letter, blanks included.
    Special,
}

impl Class {
    fn holds(self, c: char) -> bool {
        match self {
            Self::Lowercase => c.is_lowercase(),
            Self::Uppercase => c.is_uppercase(),
            Self::Digit => c.is_numeric(),
            Self::Special => !c.is_alphanumeric(),
        }
    }
}

/// How many guesses a password stands, on the scale of zxcvbn; for rules and for the meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Less than 10³ guesses.
    VeryWeak,
    /// Less than 10⁶ guesses.
    Weak,
    /// Less than 10⁸ guesses: holds while sign-ins are throttled.
    Fair,
    /// Less than 10¹⁰ guesses: holds for a while even when the hash is stolen.
    Good,
    /// 10¹⁰ guesses and more.
    Strong,
}

impl Strength {
    /// Estimates a password. `context` are words that an attacker of this account would try first.
    ///
    /// Only the first 100 characters count, so that the work is bounded.
    #[must_use]
    pub fn of(password: &PlainPassword, context: &[&str]) -> Self {
        zxcvbn(password.normalised(), context).score().into()
    }

    /// From its place on the scale 0 to 4; `None` for anything else.
    #[must_use]
    pub const fn from_level(level: u32) -> Option<Self> {
        match level {
            0 => Some(Self::VeryWeak),
            1 => Some(Self::Weak),
            2 => Some(Self::Fair),
            3 => Some(Self::Good),
            4 => Some(Self::Strong),
            _ => None,
        }
    }

    /// Its place on the scale 0 to 4.
    #[must_use]
    pub const fn level(self) -> u32 {
        self as u32
    }
}

impl From<Score> for Strength {
    fn from(score: Score) -> Self {
        match score {
            Score::Zero => Self::VeryWeak,
            Score::One => Self::Weak,
            Score::Two => Self::Fair,
            Score::Three => Self::Good,
            // Four is the top of the scale; the crate's enum may only grow above it.
            _ => Self::Strong,
        }
    }
}

/// What is wrong with a password. The person sees a sentence from the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer characters than asked for.
    #[error("is shorter than {min} characters")]
    TooShort {
        /// Fewest characters.
        min: usize,
    },
    /// More characters than allowed.
    #[error("is longer than {max} characters")]
    TooLong {
        /// Most characters.
        max: usize,
    },
    /// No character of a required kind.
    #[error("lacks a character of a required kind")]
    MissingClass(Class),
    /// A control character, which no keyboard types and RFC 8265 §4.2 forbids: something went wrong on the way.
    #[error("contains a control character")]
    ControlCharacter,
    /// A word, sequence or password that many people use, perhaps with a few digits around it.
    #[error("is a common password")]
    Common,
    /// Mostly the person's own name or address, or the name of the service.
    #[error("is mostly a name of the account or the service")]
    ContainsName,
    /// Too easy to guess for some other reason.
    #[error("is too easy to guess")]
    TooWeak,
    /// The present password, or a former one that the history still refuses. Found by the service, which has the hashes.
    #[error("was used before")]
    Reused,
}

/// What a new password must be like. Existing ones are not measured by it: people would be locked out.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Fewest characters, counted after normalisation.
    pub min_length: usize,
    /// Kinds of characters that must occur. NIST SP 800-63B-4 §3.1.1.2 advises against any.
    pub required_classes: Vec<Class>,
    /// Least estimated strength.
    pub min_strength: Strength,
    /// Whether common passwords are refused (ASVS 5.0 6.2.4).
    pub refuse_common: bool,
}

impl Rules {
    /// Everything that is wrong with a new password; empty when it is fine.
    ///
    /// `context` are the account's names and addresses and the names of the service and its owner. They are always refused
    /// as passwords (ASVS 5.0 6.2.11), whatever else is allowed.
    #[must_use]
    pub fn check(&self, password: &PlainPassword, context: &[&str]) -> Vec<Fault> {
        let text = password.normalised();
        let mut faults = Vec::new();
        if password.length() < self.min_length {
            faults.push(Fault::TooShort { min: self.min_length });
        }
        if text.contains(char::is_control) {
            faults.push(Fault::ControlCharacter);
        }
        let missing = self.required_classes.iter().filter(|class| !text.contains(|c| class.holds(c)));
        faults.extend(missing.copied().map(Fault::MissingClass));

        let estimate = zxcvbn(text, context);
        if is_mostly_names(text, context) {
            faults.push(Fault::ContainsName);
        } else if self.refuse_common && is_common(estimate.sequence(), password.length()) {
            faults.push(Fault::Common);
        } else if Strength::from(estimate.score()) < self.min_strength {
            faults.push(Fault::TooWeak);
        }
        faults
    }
}

/// The blanks of RFC 8265 §4.2.2 (general category Zs) other than U+0020 itself.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Whether one well-known word, sequence or row of keys makes up the whole password but for a few ornaments.
fn is_common(parts: &[Match], length: usize) -> bool {
    let (known, rest): (Vec<&Match>, Vec<&Match>) = parts.iter().partition(|part| is_known(part));
    // Digits such as `123` are on the lists themselves: beside a word they are its ornament.
    let letters = |part: &&Match| part.token.contains(char::is_alphabetic);
    let (words, digits): (Vec<&Match>, Vec<&Match>) = known.into_iter().partition(letters);
    let size = |parts: &[&Match]| parts.iter().map(|part| part.token.chars().count()).sum::<usize>();
    let core = match words.as_slice() {
        [] => size(&digits),
        [word] => size(&[word]) + size(&digits),
        _ => return false,
    };
    core > 0 && !rest.iter().any(letters) && length.saturating_sub(core) <= MAX_ORNAMENT
}

fn is_known(part: &Match) -> bool {
    match &part.pattern {
        MatchPattern::Dictionary(_) | MatchPattern::Sequence(_) | MatchPattern::Spatial(_) => true,
        MatchPattern::Repeat(repeat) => {
            repeat.base_token.chars().count() <= 2 || repeat.base_matches.iter().all(is_known)
        }
        MatchPattern::Regex(_) | MatchPattern::Date(_) | MatchPattern::BruteForce => false,
    }
}

/// Whether names make up more than half of the password, in any spelling of case and width.
fn is_mostly_names(password: &str, context: &[&str]) -> bool {
    let password = fold(password);
    let total = password.chars().count();
    let mut names: Vec<String> = context.iter().flat_map(|text| spellings(&fold(text.trim()))).collect();
    if total > 0 && names.contains(&password) {
        return true;
    }
    names.retain(|name| name.chars().count() >= MIN_NAME);
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let rest = names.iter().fold(password, |rest, name| rest.replace(name, ""));
    rest.chars().count() * 2 < total
}

/// A name, the local part if it is an address, and its words.
fn spellings(name: &str) -> Vec<String> {
    let local = name.rsplit_once('@').map(|(local, _)| local);
    let words = name.split(|c: char| !c.is_alphanumeric());
    std::iter::once(name).chain(local).chain(words).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(text: &str) -> PlainPassword {
        PlainPassword::typed(text).unwrap()
    }

    fn rules() -> Rules {
        Rules { min_length: 10, required_classes: Vec::new(), min_strength: Strength::Fair, refuse_common: true }
    }

    fn faults(text: &str) -> Vec<Fault> {
        rules().check(&typed(text), &["anna", "anna.schmidt@example.org", "Vestibule"])
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        assert_eq!(typed("\u{c5}ngstr\u{f6}m").normalised(), typed("A\u{30a}ngstro\u{308}m").normalised());
        assert_eq!(typed("\u{212b}").normalised(), "\u{c5}");
        assert_eq!(typed("a\u{a0}b\u{3000}c").normalised(), "a b c");
    }

    #[test]
    fn what_people_can_tell_apart_stays_apart() {
        for (one, other) in [("a", "A"), ("x²", "x2"), (" a", "a"), ("a ", "a"), ("ß", "ss"), ("ａ", "a")] {
            assert_ne!(typed(one).normalised(), typed(other).normalised(), "{one} {other}");
        }
    }

    #[test]
    fn the_typed_form_is_kept_for_imported_hashes() {
        assert_eq!(typed("A\u{30a} \u{a0}").as_typed(), "A\u{30a} \u{a0}");
    }

    #[test]
    fn length_is_counted_in_characters_after_normalising_and_nothing_is_cut_off() {
        assert_eq!(typed(&"😀".repeat(128)).normalised(), "😀".repeat(128));
        assert_eq!(typed(&"A\u{30a}".repeat(128)).normalised(), "\u{c5}".repeat(128));
        for long in ["x".repeat(129), "😀".repeat(129), "x".repeat(1_000_000), "a\u{301}\u{327}".repeat(129)] {
            assert_eq!(PlainPassword::typed(&long).unwrap_err(), Fault::TooLong { max: 128 });
        }
        assert_eq!(faults(""), [Fault::TooShort { min: 10 }, Fault::TooWeak]);
        assert_eq!(faults("kv9 wzqpt"), [Fault::TooShort { min: 10 }]);
        assert!(!faults("kv9 wzqptr").contains(&Fault::TooShort { min: 10 }));
    }

    #[test]
    fn nothing_of_a_password_is_shown() {
        let shown = format!("{:?}", typed("correct horse"));
        assert!(!shown.contains("correct"), "{shown}");
    }

    #[test]
    fn common_passwords_are_refused_in_all_their_simple_variations() {
        for text in [
            "1234567890",
            "12345678901",
            "qwertyuiop",
            "Password123!",
            "p@ssw0rd2024",
            "drowssap12",
            "passwordpassword",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "basketball",
            "Basketball1",
            "!!sunshine99",
            "abcdefghijkl",
            "dragon123456",
        ] {
            assert_eq!(faults(text), [Fault::Common], "{text}");
        }
        let lenient = Rules { refuse_common: false, min_strength: Strength::VeryWeak, ..rules() };
        assert_eq!(lenient.check(&typed("Password123!"), &[]), []);
    }

    #[test]
    fn good_passwords_pass() {
        for text in [
            "correct horse battery",
            "kv9 wzqptr",
            "Überraschung im Käsefondue",
            "пароль от старого замка",
            "今日は天気がいいですね散歩",
            "my sunshine sings at dawn",
            "anna reads twelve books",
        ] {
            assert_eq!(faults(text), [], "{text}");
        }
    }

    #[test]
    fn names_are_refused_when_they_are_most_of_it() {
        for text in [
            "vestibule2024",
            "VESTIBULE-12",
            "annaschmidt",
            "Anna.Schmidt1",
            "schmidt-anna-99",
            "xx-vestibule",
            "annaanna1234",
        ] {
            assert_eq!(faults(text), [Fault::ContainsName], "{text}");
        }
        assert!(rules().check(&typed("li"), &["li"]).contains(&Fault::ContainsName));
        assert!(!rules().check(&typed(""), &["", "@"]).contains(&Fault::ContainsName));
    }

    #[test]
    fn guessable_passwords_that_are_no_single_word_are_too_weak() {
        assert_eq!(faults("loveyoudad"), [Fault::TooWeak]);
        let strict = Rules { min_strength: Strength::Strong, ..rules() };
        assert_eq!(strict.check(&typed("kv9wz 1999"), &[]), [Fault::TooWeak]);
    }

    #[test]
    fn each_missing_class_is_named() {
        let classes = vec![Class::Lowercase, Class::Uppercase, Class::Digit, Class::Special];
        let rules = Rules { required_classes: classes.clone(), ..rules() };
        let missing: Vec<Fault> = classes.into_iter().map(Fault::MissingClass).collect();
        assert_eq!(rules.check(&typed("今日は天気がいいですね散歩"), &[]), missing);
        assert_eq!(rules.check(&typed("жЩ٣ kvwzqptr"), &[]), []);
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["kv9 wzqptr\n", "kv9\u{0}wzqptr", "kv9\twzqptrx"] {
            assert_eq!(faults(text), [Fault::ControlCharacter], "{text:?}");
        }
    }

    #[test]
    fn strength_levels_are_a_scale() {
        for level in 0..=4 {
            assert_eq!(Strength::from_level(level).map(Strength::level), Some(level));
        }
        assert_eq!(Strength::from_level(5), None);
        assert!(Strength::of(&typed("password"), &[]) < Strength::Weak);
        assert_eq!(Strength::of(&typed("correct horse battery staple"), &[]), Strength::Strong);
        assert!(Strength::of(&typed("zvonimir"), &["Zvonimir"]) < Strength::of(&typed("zvonimir"), &[]));
    }

    proptest! {
        #[test]
        fn no_text_is_a_surprise(text in any::<String>(), name in any::<String>()) {
            if let Ok(password) = PlainPassword::typed(&text) {
                prop_assert!(password.normalised().chars().count() <= MAX_LENGTH);
                let again = PlainPassword::typed(password.normalised()).unwrap();
                prop_assert_eq!(again.normalised(), password.normalised());
                let _ = rules().check(&password, &[&name]);
            }
        }
    }
}
