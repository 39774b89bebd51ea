//! Phone numbers that codes are sent to, and the two ways of sending. Sending itself is `connect/gateway.rs`.

use super::secret::Secret;
use super::session::Methods;
use serde::{Deserialize, Serialize};

/// Fewest and most digits of a number in international form: E.164 knows no more, and real ones are not shorter.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Digits at the end that a masked number shows.
const SHOWN: usize = 2;

/// A phone number in international form (E.164). It has no `Debug` that tells it and is never logged.
#[derive(Clone, Debug)]
pub struct PhoneNumber(Secret<String>);

impl PhoneNumber {
    /// Reads a number as people write it: `+`, the country, 8 to 15 digits in all; blanks, hyphens, dots, slashes and
    /// brackets between them are left out, and so is a zero in brackets: `+49 (0) 170 …`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace("(0)", "");
        let text = text.trim_start_matches('(');
        let rest = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
        let mut number = String::from("+");
        for one in rest.chars() {
            match one {
                '0'..='9' => number.push(one),
                '-' | '.' | '/' | '(' | ')' | '\u{2010}' | '\u{2011}' => {}
                blank if blank.is_whitespace() => {}
                _ => return None,
            }
        }
        let digits = number.get(1..).unwrap_or_default();
        let fits = DIGITS.contains(&digits.len()) && !digits.starts_with('0');
        fits.then(|| Self(Secret::new(number)))
    }

    /// The number with its `+`; each call is a place to look at in a review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// As pages show it: the country and the end, `+49 ••• 42`.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits = self.expose().trim_start_matches('+');
        let country = digits.get(..country_code(digits)).unwrap_or_default();
        let end = digits.get(digits.len().saturating_sub(SHOWN)..).unwrap_or_default();
        format!("+{country} ••• {end}")
    }
}

/// Digits of the country code (ITU-T E.164, list of assigned codes): zones 1 and 7 have one, the codes below two, and all
/// others three.
fn country_code(digits: &str) -> usize {
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    match digits.get(..1) {
        Some("1" | "7") => 1,
        _ if digits.get(..2).is_some_and(|two| TWO.contains(&two)) => 2,
        _ => 3,
    }
}

/// How a code gets to a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// As a text message.
    Sms,
    /// Read out in a call.
    Voice,
}

impl Channel {
    /// Every channel, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Sms, Self::Voice];

    /// As it stands in forms, in the audit trail and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }

    /// From a form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }

    /// What a code that came this way proves (RFC 8176 section 2).
    #[must_use]
    pub const fn proves(self) -> Methods {
        match self {
            Self::Sms => Methods::TEXT_MESSAGE,
            Self::Voice => Methods::CALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for text in [
            "+4917012345642",
            " +49 170 123456-42 ",
            "+49 (0) 170 / 123 456 42",
            "0049 170.123.456.42",
            "+49(170)12345642",
            "(+49) 170 12345642",
        ] {
            assert_eq!(PhoneNumber::parse(text).unwrap().expose(), "+4917012345642", "{text}");
        }
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        for text in [
            "",
            "+",
            "017012345642",
            "+0170123456",
            "+1234567",
            "+1234567890123456",
            "+49170abc456",
            "+49 170 ,123456",
            "+٤٩١٧٠١٢٣٤٥٦",
        ] {
            assert!(PhoneNumber::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_page_shows_the_country_and_the_end() {
        for (number, shown) in [
            ("+4917012345642", "+49 ••• 42"),
            ("+12025550123", "+1 ••• 23"),
            ("+74951234567", "+7 ••• 67"),
            ("+35312345678", "+353 ••• 78"),
        ] {
            assert_eq!(PhoneNumber::parse(number).unwrap().masked(), shown);
        }
    }

    #[test]
    fn a_number_does_not_get_into_a_log() {
        let number = PhoneNumber::parse("+4917012345642").unwrap();
        assert!(!format!("{number:?}").contains("170"));
    }

    #[test]
    fn channels_come_back_from_forms() {
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
        assert_eq!(Channel::parse("pigeon"), None);
    }
}
