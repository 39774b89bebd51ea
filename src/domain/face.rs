//! The face of an account: the name of its picture, the initials that stand in for one, the contrast it likes. Pixels
//! are in `service/picture.rs`.

/// Characters of a [`PictureKey`]: 16 random bytes as unpadded base64url.
const KEY_LENGTH: usize = 22;

/// The name that one picture of an account is asked for by. Nobody can guess it, and each picture has another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureKey(String);

impl PictureKey {
    /// Reads what stands in an address or in the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (text.len() == KEY_LENGTH && text.bytes().all(fine)).then(|| Self(text.to_owned()))
    }

    /// As written in addresses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How strong someone wants the contrast of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Contrast {
    /// As the device asks (`prefers-contrast`).
    #[default]
    System,
    /// Strong, whatever the device asks.
    More,
}

impl Contrast {
    /// Every choice, in the order in which people are offered them.
    pub const ALL: [Self; 2] = [Self::System, Self::More];

    /// The value in a form; [`Contrast::System`] is not stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::More => "more",
        }
    }

    /// From a form or its stored form; anything unknown follows the device.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text == Self::More.as_str() { Self::More } else { Self::System }
    }
}

/// First letters of the first and the last word of a name, in capitals; letters and digits only, so that they can be
/// written into any document. A name without either is `?`.
#[must_use]
pub fn initials(name: &str) -> String {
    let first = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let mut letters = name.split_whitespace().filter_map(first);
    let begin = letters.next();
    let end = letters.next_back();
    let capitals = |c: char| c.to_uppercase().next().unwrap_or(c);
    let text: String = begin.into_iter().chain(end).map(capitals).collect();
    if text.is_empty() { "?".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Anna Berger", "AB"),
            ("anna", "A"),
            ("Anna Maria van der Berg", "AB"),
            ("Søren Ångström", "SÅ"),
            ("李 小龍", "李小"),
            ("\"Q\" & Co", "QC"),
            ("&", "?"),
            ("", "?"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn keys_are_of_one_form() {
        assert!(PictureKey::parse("AAAAAAAAAAAAAAAAAAAA-_").is_some());
        for bad in ["", "A", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA/.", "ÄAAAAAAAAAAAAAAAAAAAA"] {
            assert!(PictureKey::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn contrast_survives_being_stored() {
        for contrast in Contrast::ALL {
            assert_eq!(Contrast::of(contrast.as_str()), contrast);
        }
        assert_eq!(Contrast::of("less"), Contrast::System);
    }
}
