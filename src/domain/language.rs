//! The languages that Vestibule speaks and how one is chosen. The words themselves are in `service/texts.rs`.

/// How many language ranges of one `Accept-Language` header are looked at; browsers send fewer than ten.
const RANGES_READ: usize = 32;

/// A language that has a message catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English, the language of last resort.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language, in the order in which people are offered them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The BCP 47 tag, as stored with an account and written into `<html lang>`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What the language calls itself, for the list that people choose from.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The writing direction, as the value of `<html dir>`.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
        }
    }

    /// Finds the language of a BCP 47 tag by its primary subtag: `de-AT` and `DE` are German.
    /// None for a language without a catalogue.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Chooses by an `Accept-Language` header (RFC 9110 section 12.5.4): the highest weight wins, among equals the
    /// first; a weight of zero rules a language out. `fallback` answers when nothing fits or the header is malformed.
    #[must_use]
    pub fn negotiate(accept_language: &str, fallback: Self) -> Self {
        let ranges: Vec<(&str, u16)> =
            accept_language.split(',').take(RANGES_READ).filter_map(weighted_range).collect();
        let refused = |language: Self| ranges.iter().any(|(tag, q)| *q == 0 && is_whole_language(tag, language));
        let mut best: Option<(Self, u16)> = None;
        for (tag, weight) in ranges.iter().copied().filter(|(_, weight)| *weight > 0) {
            let candidate = if tag == "*" { Some(fallback) } else { Self::parse(tag) };
            let Some(language) = candidate.filter(|language| !refused(*language)) else { continue };
            if best.is_none_or(|(_, so_far)| weight > so_far) {
                best = Some((language, weight));
            }
        }
        best.map_or(fallback, |(language, _)| language)
    }
}

/// Whether a range names the language without a region: `de;q=0` refuses German, `de-CH;q=0` does not.
fn is_whole_language(tag: &str, language: Language) -> bool {
    tag.eq_ignore_ascii_case(language.tag())
}

/// Reads `de-AT;q=0.7` as the range and its weight in thousandths. None when malformed.
fn weighted_range(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    match parts.next() {
        None => Some((tag, 1000)),
        Some(weight) => {
            let (name, value) = weight.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then_some(())?;
            Some((tag, thousandths(value.trim())?))
        }
    }
}

/// Reads a weight (RFC 9110 section 12.4.2): `0` to `1` with at most three decimals.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_its_primary_subtag() {
        for tag in ["de", "DE", "de-AT", "de_CH", " de "] {
            assert_eq!(Language::parse(tag), Some(Language::German), "{tag}");
        }
        for tag in ["", "-", "d", "deu", "fr", "x-de", "<script>"] {
            assert_eq!(Language::parse(tag), None, "{tag}");
        }
    }

    #[test]
    fn every_language_finds_itself_by_its_tag() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
        }
    }

    #[test]
    fn the_highest_weight_wins_and_among_equals_the_first() {
        let chosen = |header| Language::negotiate(header, Language::English);
        assert_eq!(chosen("de"), Language::German);
        assert_eq!(chosen("de-AT,de;q=0.9,en;q=0.8"), Language::German);
        assert_eq!(chosen("en;q=0.5, de ; q=0.75"), Language::German);
        assert_eq!(chosen("fr, de;q=0.1"), Language::German);
        assert_eq!(chosen("en, de"), Language::English);
        assert_eq!(chosen("de, en"), Language::German);
        assert_eq!(Language::negotiate("*", Language::German), Language::German);
    }

    #[test]
    fn a_weight_of_zero_rules_a_language_out() {
        assert_eq!(Language::negotiate("de;q=0, *", Language::English), Language::English);
        assert_eq!(Language::negotiate("de;q=0, de-AT, en;q=0.1", Language::German), Language::English);
        assert_eq!(Language::negotiate("de-CH;q=0, de;q=0.5, en;q=0.1", Language::English), Language::German);
    }

    #[test]
    fn a_malformed_header_gives_the_fallback() {
        for header in
            ["", ",", ";", "de;q=2", "de;q=1.001", "de;q=0.1234", "de;q=-1", "de;q=", "de;x=1", "de;q", "*;q=0"]
        {
            assert_eq!(Language::negotiate(header, Language::English), Language::English, "{header}");
        }
        let endless = "fr,".repeat(100_000) + "de";
        assert_eq!(Language::negotiate(&endless, Language::English), Language::English);
    }
}
