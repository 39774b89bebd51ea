//! The operator's colour, and the tones made of it that can be read in both themes.

use std::fmt;
use std::str::FromStr;

/// Contrast of text against what is behind it (WCAG 2.2, criterion 1.4.3).
const READABLE: f64 = 4.5;

const WHITE: Colour = Colour([255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0]);
/// The darkest ground of the light theme that text in the accent stands on, and the lightest of the dark theme.
const LIGHT_GROUND: Colour = Colour([0xe3, 0xec, 0xe7]);
const DARK_GROUND: Colour = Colour([0x1a, 0x21, 0x20]);

/// A colour of the sRGB space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The accent in one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tones {
    /// Links, buttons, the mark around what has the focus.
    pub accent: Colour,
    /// The same under the pointer, and text on `soft`.
    pub strong: Colour,
    /// Text on `accent` and `strong`.
    pub on: Colour,
    /// A ground with a hint of it.
    pub soft: Colour,
}

impl Colour {
    /// For the light theme; a colour too light to be read there is darkened.
    #[must_use]
    pub fn light(self) -> Tones {
        let accent = self.readable(LIGHT_GROUND, BLACK);
        Tones { accent, strong: accent.toward(BLACK, 24), on: WHITE, soft: accent.toward(WHITE, 88) }
    }

    /// For the dark theme; a colour too dark to be read there is lightened.
    #[must_use]
    pub fn dark(self) -> Tones {
        let accent = self.readable(DARK_GROUND, WHITE);
        Tones { accent, strong: accent.toward(WHITE, 30), on: BLACK, soft: accent.toward(DARK_GROUND, 86) }
    }

    /// Contrast to another colour, from 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    fn readable(self, ground: Self, end: Self) -> Self {
        let mut steps = (0..=100).step_by(2).map(|percent| self.toward(end, percent));
        steps.find(|colour| colour.contrast(ground) >= READABLE).unwrap_or(end)
    }

    /// This share, in percent, of the way to another colour.
    fn toward(self, end: Self, percent: u32) -> Self {
        let mut mixed = self.0;
        for (own, other) in mixed.iter_mut().zip(end.0) {
            let sum = u32::from(*own) * (100 - percent) + u32::from(other) * percent;
            *own = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        linear.iter().zip([0.2126, 0.7152, 0.0722]).map(|(part, weight)| part * weight).sum()
    }
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no colour");
        let digits = text.strip_prefix('#').ok_or_else(wrong)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Display for Tones {
    /// The custom properties of the stylesheet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accent, strong, on, soft } = self;
        write!(f, "--accent:{accent};--accent-strong:{strong};--on-accent:{on};--accent-soft:{soft}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!("#0C6b5e".parse::<Colour>().map(|colour| colour.to_string()), Ok("#0c6b5e".to_owned()));
        for text in ["", "#", "#fff", "0c6b5e", "#0c6b5", "#0c6b5e0", "#+c6b5e", "#0c6b5ü", "red;}"] {
            assert!(text.parse::<Colour>().is_err(), "{text}");
        }
    }

    #[test]
    fn black_on_white_has_the_contrast_that_the_standard_says() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        let grey = Colour([0x77, 0x77, 0x77]);
        assert!((grey.contrast(WHITE) - 4.48).abs() < 0.01, "{}", grey.contrast(WHITE));
    }

    #[test]
    fn whatever_the_operator_likes_can_be_read() {
        let parts = (0..=255).step_by(15);
        for (red, green, blue) in parts
            .clone()
            .flat_map(|r| parts.clone().map(move |g| (r, g)))
            .flat_map(|(r, g)| parts.clone().map(move |b| (r, g, b)))
        {
            let colour = Colour([red, green, blue]);
            for (tones, ground) in [(colour.light(), LIGHT_GROUND), (colour.dark(), DARK_GROUND)] {
                for (text, behind) in [
                    (tones.accent, ground),
                    (tones.on, tones.accent),
                    (tones.on, tones.strong),
                    (tones.strong, tones.soft),
                ] {
                    let contrast = text.contrast(behind);
                    assert!(contrast >= READABLE, "{colour}: {text} on {behind} has {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let colour = Colour([0x0b, 0x4f, 0x9e]);
        assert_eq!(colour.light().accent, colour);
        assert_ne!(colour.dark().accent, colour);
    }
}
