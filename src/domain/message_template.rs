//! What is sent to a gateway, with gaps: `To={to}&Body={text}`. What stands in a gap is escaped for the place it stands in,
//! so that no number, code or name can become something else there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How what fills a gap is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As a value of a query or form (`application/x-www-form-urlencoded`).
    Form,
    /// As part of a JSON string.
    Json,
    /// As it is: the value of a header, whose type refuses line breaks.
    Header,
}

/// What a gap can be filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The number with its `+`.
    To,
    /// The number without it.
    Digits,
    /// The sentence for the person.
    Text,
    /// The same, escaped for XML first.
    TextXml,
    /// The code alone.
    Code,
    /// The language of the sentence.
    Language,
    /// The user of this service at the gateway.
    Username,
    /// The secret of this service at the gateway.
    Secret,
    /// Both for HTTP Basic (RFC 7617).
    Basic,
}

impl Gap {
    /// Every gap.
    pub const ALL: [Self; 9] = [
        Self::To,
        Self::Digits,
        Self::Text,
        Self::TextXml,
        Self::Code,
        Self::Language,
        Self::Username,
        Self::Secret,
        Self::Basic,
    ];

    /// As it stands between the braces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Digits => "digits",
            Self::Text => "text",
            Self::TextXml => "text_xml",
            Self::Code => "code",
            Self::Language => "language",
            Self::Username => "username",
            Self::Secret => "secret",
            Self::Basic => "basic",
        }
    }
}

/// What fills the gaps.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    /// The number with its `+`.
    pub to: &'a str,
    /// The sentence.
    pub text: &'a str,
    /// The code.
    pub code: &'a str,
    /// The language tag of the sentence.
    pub language: &'a str,
    /// The user at the gateway.
    pub username: &'a str,
    /// The secret at the gateway.
    pub secret: &'a str,
}

impl Filling<'_> {
    /// Stands for any message when a template is tried.
    pub const SAMPLE: Filling<'static> = Filling {
        to: "+15555550100",
        text: "Your code is \"123456\" & so on",
        code: "123456",
        language: "en",
        username: "user",
        secret: "secret",
    };

    fn of(&self, gap: Gap) -> String {
        match gap {
            Gap::To => self.to.to_owned(),
            Gap::Digits => self.to.trim_start_matches('+').to_owned(),
            Gap::Text => self.text.to_owned(),
            Gap::TextXml => xml(self.text),
            Gap::Code => self.code.to_owned(),
            Gap::Language => self.language.to_owned(),
            Gap::Username => self.username.to_owned(),
            Gap::Secret => self.secret.to_owned(),
            Gap::Basic => STANDARD.encode(format!("{}:{}", self.username, self.secret)),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Gap(Gap),
}

/// A text with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTemplate {
    pieces: Vec<Piece>,
    escape: Escape,
}

impl MessageTemplate {
    /// Reads a template. A name in braces is a gap; braces around anything else stay as they are.
    ///
    /// # Errors
    /// The name in braces that is none of [`Gap::ALL`].
    pub fn parse(text: &str, escape: Escape) -> Result<Self, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            plain.push_str(before);
            let name = behind.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
            let Some(name) = name else {
                plain.push('{');
                rest = behind;
                continue;
            };
            let gap = Gap::ALL.into_iter().find(|gap| gap.as_str() == name).ok_or_else(|| name.to_owned())?;
            pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            pieces.push(Piece::Gap(gap));
            rest = behind.get(name.len() + 1..).unwrap_or_default();
        }
        plain.push_str(rest);
        pieces.push(Piece::Plain(plain));
        Ok(Self { pieces, escape })
    }

    /// The text with its gaps filled.
    #[must_use]
    pub fn fill(&self, filling: &Filling<'_>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Gap(gap) => text.push_str(&escaped(&filling.of(*gap), self.escape)),
            }
        }
        text
    }

    /// Whether it has any of these gaps.
    #[must_use]
    pub fn has(&self, gaps: &[Gap]) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Gap(gap) if gaps.contains(gap)))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn escaped(value: &str, escape: Escape) -> String {
    match escape {
        Escape::Form => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
        }
        Escape::Header => value.to_owned(),
    }
}

fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: Filling<'static> = Filling { text: "a&b=\"c\"\\ {code}\n<é>", ..Filling::SAMPLE };

    fn filled(text: &str, escape: Escape, filling: &Filling<'_>) -> String {
        MessageTemplate::parse(text, escape).unwrap().fill(filling)
    }

    #[test]
    fn what_fills_a_form_stays_one_value() {
        let body = filled("To={to}&Body={text}&x=1", Escape::Form, &HOSTILE);
        let pairs: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let expected = [("To", "+15555550100"), ("Body", HOSTILE.text), ("x", "1")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_fills_json_stays_one_string() {
        let body = filled("{\"to\": \"{digits}\", \"m\": {\"text\": \"- {text} -\"}}", Escape::Json, &HOSTILE);
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["to"], "15555550100");
        assert_eq!(read["m"]["text"], format!("- {} -", HOSTILE.text));
    }

    #[test]
    fn what_fills_markup_in_a_form_is_escaped_twice() {
        let body = filled("Twiml=<Say>{text_xml}</Say>", Escape::Form, &HOSTILE);
        let (_, value) = url::form_urlencoded::parse(body.as_bytes()).next().unwrap();
        assert_eq!(value, "<Say>a&amp;b=&quot;c&quot;\\ {code}\n&lt;é&gt;</Say>");
    }

    #[test]
    fn user_and_secret_go_into_a_header() {
        assert_eq!(filled("Basic {basic}", Escape::Header, &HOSTILE), "Basic dXNlcjpzZWNyZXQ=");
        assert_eq!(filled("Bearer {secret}", Escape::Header, &HOSTILE), "Bearer secret");
    }

    #[test]
    fn a_gap_that_nothing_fills_is_told() {
        assert_eq!(MessageTemplate::parse("{to} {number}", Escape::Form), Err("number".to_owned()));
        for plain in ["{", "}", "{}", "{ }", "{\"a\":1}", "{To}"] {
            assert_eq!(filled(plain, Escape::Json, &HOSTILE), plain);
        }
    }
}
