//! Points in time as people read them: in their zone and language.

use crate::domain::language::Language;
use crate::domain::time::Timestamp;
use jiff::tz::TimeZone;

/// Such as "21 November 2026, 18:05 (UTC)" in words that need no translation: ISO date for machines aside, both
/// languages read day, month, year.
#[must_use]
pub fn shown(at: Timestamp, zone: Option<&str>, language: Language) -> String {
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let zoned = instant(at).to_zoned(zone);
    let pattern = match language {
        Language::English => "%-d %b %Y, %H:%M %Z",
        Language::German => "%d.%m.%Y, %H:%M %Z",
    };
    zoned.strftime(pattern).to_string()
}

/// The same point as the calendar library has it; the epoch for what lies outside of its range.
#[must_use]
pub fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default()
}

/// Names of all time zones, for a list to choose from.
#[must_use]
pub fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

/// RFC 3339 in UTC, for `datetime` attributes and JSON.
#[must_use]
pub fn machine(at: Timestamp) -> String {
    instant(at).to_string()
}

/// The end of a day written `YYYY-MM-DD`, in UTC: the first moment of the next. `None` when there is no such day.
#[must_use]
pub fn end_of_day(text: &str) -> Option<Timestamp> {
    let next = text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
    let midnight = next.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(midnight.timestamp().as_millisecond()))
}

/// The IANA name of a time zone as the database spells it, whatever the case it was typed in; `None` when there is none.
#[must_use]
pub fn zone(name: &str) -> Option<String> {
    zones().into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_readers_zone_and_order() {
        let at = Timestamp::from_millis(1_795_284_300_000);
        assert_eq!(machine(at), "2026-11-21T18:05:00Z");
        assert_eq!(shown(at, None, Language::English), "21 Nov 2026, 18:05 UTC");
        assert_eq!(shown(at, Some("Europe/Berlin"), Language::German), "21.11.2026, 19:05 CET");
        assert_eq!(end_of_day("2026-11-21").map(machine).as_deref(), Some("2026-11-22T00:00:00Z"));
        assert_eq!(end_of_day("2026-02-30"), None);
        assert_eq!(zone("europe/BERLIN").as_deref(), Some("Europe/Berlin"));
        assert_eq!(zone("Nowhere/Land"), None);
        assert_eq!(shown(at, Some("Nowhere/Land"), Language::German), "21.11.2026, 18:05 UTC");
    }
}
