//! Durations as people write them: `"30m"`, `"12h"`, `"1h 30m"`.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{SpanRelativeTo, fmt::friendly::SpanParser};

use super::values::text_value;

/// A length of time in the configuration. A day is 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

text_value!(Span, "a duration with its unit, such as \"90s\", \"30m\", \"12h\" or \"1h 30m\"");

impl Span {
    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn minutes(count: u64) -> Self {
        Self::seconds(count * 60)
    }

    /// A span of whole hours.
    #[must_use]
    pub const fn hours(count: u64) -> Self {
        Self::minutes(count * 60)
    }

    /// The same as the standard library's duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().parse::<f64>().is_ok() {
            return Err(format!("{text:?} has no unit: write \"{0}s\", \"{0}m\" or \"{0}h\"", text.trim()));
        }
        let no_span = |_| format!("{text:?} is no duration");
        let span = SpanParser::new().parse_span(text.trim()).map_err(no_span)?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(no_span)?;
        Duration::try_from(length).map(Self).map_err(|_| format!("{text:?} is negative"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_secs();
        let mut separator = "";
        for (unit, length) in [("h", 3600), ("m", 60), ("s", 1)] {
            let count = rest / length;
            rest %= length;
            if count > 0 {
                write!(f, "{separator}{count}{unit}")?;
                separator = " ";
            }
        }
        match self.0.subsec_nanos() {
            0 if separator.is_empty() => f.write_str("0s"),
            0 => Ok(()),
            nanos => write!(f, "{separator}{nanos}ns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_write_it_in_several_ways() {
        for (text, seconds) in
            [("30m", 1800), ("12h", 43200), ("1h 30m", 5400), ("90 seconds", 90), ("2d", 172_800), ("0s", 0)]
        {
            assert_eq!(text.parse(), Ok(Span::seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_refused_with_the_units_to_choose_from() {
        let refused = "30".parse::<Span>().unwrap_err();
        assert!(refused.contains("\"30m\""), "{refused}");
    }

    #[test]
    fn what_has_no_fixed_or_no_positive_length_is_refused() {
        for text in ["1month", "1y", "-5m", "5m ago", "", "soon", "9999999999999999999h"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_back(seconds in 0_u64..10_000_000_000, nanos in 0_u32..1_000_000_000) {
            let span = Span(Duration::new(seconds, nanos));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
