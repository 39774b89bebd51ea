//! An operator's logo: what it may be, so that showing it runs nothing and asks nobody. Reading the file is in `config/`.

/// Most bytes of a logo.
pub const LARGEST: usize = 64 * 1024;

/// Most pixels of a PNG in each direction.
const LARGEST_SIDE: u32 = 2048;
const DEEPEST: usize = 64;
const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// Elements that draw, or say what is drawn. Whatever could run, load, link or animate is not among them.
const ELEMENTS: [&str; 22] = [
    "circle",
    "clipPath",
    "defs",
    "desc",
    "ellipse",
    "g",
    "line",
    "linearGradient",
    "mask",
    "path",
    "pattern",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "stop",
    "style",
    "svg",
    "symbol",
    "text",
    "title",
    "tspan",
];

/// What styles and attributes must not hold, in lower case and without spaces: ways to something outside.
const OUTSIDE: [&str; 10] =
    ["://", "javascript:", "data:", "@", "\\", "expression(", "image(", "image-set(", "src(", "/*"];

/// A logo that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    format: Format,
    bytes: Vec<u8>,
}

/// What kind of picture it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Network Graphics.
    Png,
}

impl Format {
    /// As in `Content-Type`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }

    /// As files are named.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// Why a file cannot be the logo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is larger than [`LARGEST`].
    #[error("is larger than 64 KiB")]
    TooLarge,
    /// It is neither of the two.
    #[error("is neither an SVG nor a PNG")]
    Unknown,
    /// A PNG that is cut off, damaged or has something behind its end.
    #[error("is a damaged PNG")]
    DamagedPng,
    /// A PNG with too many pixels, or none.
    #[error("has more than 2048 pixels in a direction, or none")]
    Pixels,
    /// The grammar of XML is broken, or uses what a logo needs not: declarations, entities, sections.
    #[error("is not plain SVG: {0}")]
    Grammar(&'static str),
    /// An element that does not draw.
    #[error("holds the element <{0}>, which a logo may not (save it as plain or optimised SVG)")]
    Element(String),
    /// An attribute that a logo needs not.
    #[error("holds the attribute {0}, which a logo may not (save it as plain or optimised SVG)")]
    Attribute(String),
    /// Something refers to a place outside of the file.
    #[error("refers to something outside of itself ({0})")]
    Outside(String),
}

impl Logo {
    /// Checks the content of a file.
    ///
    /// # Errors
    /// [`Fault`]; the text of each continues "the logo …".
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        if bytes.len() > LARGEST {
            return Err(Fault::TooLarge);
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            png(&bytes)?;
            return Ok(Self { format: Format::Png, bytes });
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| Fault::Unknown)?;
        if !text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
            return Err(Fault::Unknown);
        }
        Svg { rest: text.trim_start_matches('\u{feff}'), open: Vec::new(), seen: false }.check()?;
        Ok(Self { format: Format::Svg, bytes })
    }

    /// What kind of picture it is.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The file as it was.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// PNG (W3C, third edition) section 5: chunks from `IHDR` to `IEND` and nothing behind.
fn png(bytes: &[u8]) -> Result<(), Fault> {
    let mut rest = bytes.get(8..).ok_or(Fault::DamagedPng)?;
    let mut first = true;
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(Fault::DamagedPng)?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or(Fault::DamagedPng)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Fault::DamagedPng)?;
        let (data, after) = after.split_at_checked(length).ok_or(Fault::DamagedPng)?;
        let (_checksum, after) = after.split_first_chunk::<4>().ok_or(Fault::DamagedPng)?;
        if first != (kind == b"IHDR") {
            return Err(Fault::DamagedPng);
        }
        if first {
            let (width, data) = data.split_first_chunk::<4>().ok_or(Fault::DamagedPng)?;
            let (height, _) = data.split_first_chunk::<4>().ok_or(Fault::DamagedPng)?;
            let good = |side: &[u8; 4]| (1..=LARGEST_SIDE).contains(&u32::from_be_bytes(*side));
            if !good(width) || !good(height) {
                return Err(Fault::Pixels);
            }
        }
        first = false;
        if kind == b"IEND" {
            return if after.is_empty() { Ok(()) } else { Err(Fault::DamagedPng) };
        }
        rest = after;
    }
}

/// A reader of the small part of XML that drawings need; what it does not know it refuses.
struct Svg<'a> {
    rest: &'a str,
    open: Vec<&'a str>,
    seen: bool,
}

impl<'a> Svg<'a> {
    fn check(mut self) -> Result<(), Fault> {
        if self.rest.starts_with("<?xml ") {
            self.skip_past("?>")?;
        }
        loop {
            let at = self.rest.find('<').unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(at);
            self.text(text)?;
            self.rest = rest;
            if rest.is_empty() {
                let whole = self.seen && self.open.is_empty();
                return if whole { Ok(()) } else { Err(Fault::Grammar("it is cut off")) };
            }
            if rest.starts_with("<!--") {
                self.skip_past("-->")?;
            } else if rest.starts_with("<!") || rest.starts_with("<?") {
                return Err(Fault::Grammar("it holds a declaration, section or instruction"));
            } else if let Some(after) = rest.strip_prefix("</") {
                let (name, after) = after.split_once('>').ok_or(Fault::Grammar("it is cut off"))?;
                if self.open.pop() != Some(name.trim_end()) {
                    return Err(Fault::Grammar("its elements are not nested"));
                }
                self.rest = after;
            } else {
                self.element(rest.strip_prefix('<').unwrap_or_default())?;
            }
        }
    }

    fn skip_past(&mut self, end: &str) -> Result<(), Fault> {
        self.rest = self.rest.split_once(end).ok_or(Fault::Grammar("it is cut off"))?.1;
        Ok(())
    }

    fn text(&self, text: &str) -> Result<(), Fault> {
        match self.open.last() {
            None if !text.trim().is_empty() => Err(Fault::Grammar("there is text outside of it")),
            Some(&"style") => stays_inside(text).and_then(|()| entities(text)),
            _ => entities(text),
        }
    }

    fn element(&mut self, after: &'a str) -> Result<(), Fault> {
        let end = after.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(after.len());
        let (name, mut rest) = after.split_at(end);
        if !ELEMENTS.contains(&name) {
            return Err(Fault::Element(name.chars().take(40).collect()));
        }
        if self.open.is_empty() && (self.seen || name != "svg") {
            return Err(Fault::Grammar("it must be one <svg> element"));
        }
        let is_root = !std::mem::replace(&mut self.seen, true);
        let mut names = Vec::new();
        loop {
            let trimmed = rest.trim_ascii_start();
            if let Some(after) = trimmed.strip_prefix("/>") {
                self.rest = after;
                break;
            }
            if let Some(after) = trimmed.strip_prefix('>') {
                self.rest = after;
                self.open.push(name);
                break;
            }
            if trimmed.len() == rest.len() {
                return Err(Fault::Grammar("an attribute is not separated"));
            }
            let (attribute, value, after) = attribute(trimmed)?;
            if names.contains(&attribute) {
                return Err(Fault::Grammar("an attribute is there twice"));
            }
            allowed(attribute, value)?;
            names.push(attribute);
            rest = after;
        }
        if self.open.len() > DEEPEST {
            return Err(Fault::Grammar("it is nested too deeply"));
        }
        if is_root && !names.contains(&"xmlns") {
            return Err(Fault::Grammar("xmlns is missing, without which browsers do not show it"));
        }
        Ok(())
    }
}

/// Name, value, and what follows.
fn attribute(text: &str) -> Result<(&str, &str, &str), Fault> {
    const BROKEN: Fault = Fault::Grammar("an attribute is broken");
    let (name, after) = text.split_once('=').ok_or(BROKEN)?;
    let name = name.trim_ascii_end();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c)) {
        return Err(BROKEN);
    }
    let after = after.trim_ascii_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(BROKEN)?;
    let (value, rest) = after.get(1..).and_then(|after| after.split_once(quote)).ok_or(BROKEN)?;
    if value.contains('<') {
        return Err(BROKEN);
    }
    Ok((name, value, rest))
}

fn allowed(name: &str, value: &str) -> Result<(), Fault> {
    let unwanted = || Fault::Attribute(name.to_owned());
    entities(value)?;
    match name {
        "xmlns" | "xmlns:svg" => return if value == SVG { Ok(()) } else { Err(unwanted()) },
        "xmlns:xlink" => return if value == XLINK { Ok(()) } else { Err(unwanted()) },
        "href" | "xlink:href" if !value.starts_with('#') => return Err(Fault::Outside(name.to_owned())),
        "href" | "xlink:href" | "xml:space" | "xml:lang" => {}
        _ if name.contains(':') || name.to_ascii_lowercase().starts_with("on") || name == "src" => {
            return Err(unwanted());
        }
        _ => {}
    }
    stays_inside(value)
}

/// Only the five entities that XML itself has: others could spell what is looked for here.
fn entities(text: &str) -> Result<(), Fault> {
    let plain = |after: &str| ["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|name| after.starts_with(name));
    let strange = text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace());
    if strange || !text.split('&').skip(1).all(plain) {
        return Err(Fault::Grammar("it holds an entity or a control character"));
    }
    Ok(())
}

/// Styles and values may point to parts of the same file (`url(#a)`), nowhere else.
fn stays_inside(text: &str) -> Result<(), Fault> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    if let Some(found) = OUTSIDE.iter().find(|mark| plain.contains(**mark)) {
        return Err(Fault::Outside((*found).to_owned()));
    }
    let local = |after: &str| after.trim_start_matches(['"', '\'']).starts_with('#');
    if plain.split("url(").skip(1).all(local) { Ok(()) } else { Err(Fault::Outside("url(".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> Result<Logo, Fault> {
        Logo::parse(format!("<svg xmlns=\"{SVG}\" viewBox=\"0 0 9 9\">{inside}</svg>").into_bytes())
    }

    #[test]
    fn drawings_are_taken_as_they_are() {
        for inside in [
            "",
            "<rect width='1' height=\"2\" fill=\"url(#a)\" style=\"fill: url('#b')\"/>",
            "<!-- drawn by hand --><g ><title>A &amp; B</title>\n<path d=\"M0 0\"/></g >",
            "<style>.a { fill: #0c6b5e }</style><linearGradient id=\"a\" href=\"#b\"><stop offset=\"1\"/></linearGradient>",
        ] {
            assert_eq!(svg(inside).map(|logo| logo.format()), Ok(Format::Svg), "{inside}");
        }
        let declared = format!("<?xml version=\"1.0\"?>\n<svg xmlns=\"{SVG}\"/>\n");
        assert_eq!(Logo::parse(declared.clone().into_bytes()).map(Logo::into_bytes), Ok(declared.into_bytes()));
    }

    #[test]
    fn what_runs_or_loads_is_refused() {
        for inside in [
            "<script>alert(1)</script>",
            "<SCRIPT/>",
            "<svg:script/>",
            "<foreignObject/>",
            "<image href=\"#a\"/>",
            "<a href=\"#x\"/>",
            "<animate attributeName=\"href\"/>",
            "<use href=\"#a\"/>",
            "<g onload=\"alert(1)\"/>",
            "<g ONCLICK='1'/>",
            "<g xlink:href=\"https://evil.example\"/>",
            "<linearGradient href=\"//evil.example/x#a\"/>",
            "<g xml:base=\"https://evil.example\"/>",
            "<rect fill=\"url(https://evil.example/#a)\"/>",
            "<rect fill=\"URL( //evil.example )\"/>",
            "<rect style=\"fill:u\\72l(//evil.example)\"/>",
            "<rect style=\"fill:u/**/rl(//evil.example)\"/>",
            "<style>@import 'x.css';</style>",
            "<style>g { fill: url(x) }</style>",
            "<style><![CDATA[ g {} ]]></style>",
            "<rect fill=\"&#117;rl(//evil.example)\"/>",
            "<text>&evil;</text>",
        ] {
            assert!(svg(inside).is_err(), "{inside}");
        }
    }

    #[test]
    fn what_is_not_strictly_one_drawing_is_refused() {
        let root = format!("<svg xmlns=\"{SVG}\"");
        for text in [
            String::new(),
            "GIF89a".to_owned(),
            "<html/>".to_owned(),
            "<svg/>".to_owned(),
            "<svg xmlns=\"http://www.w3.org/1999/xhtml\"/>".to_owned(),
            format!("<!DOCTYPE svg [<!ENTITY x \"y\">]>{root}/>"),
            format!("{root}/>{root}/>"),
            format!("{root}>"),
            format!("{root}><g></svg></g>"),
            format!("{root}></svg>text"),
            format!("{root} a=1/>"),
            format!("{root} a='1'b='2'/>"),
            format!("{root} a='1' a='2'/>"),
            format!("{root} a='<'/>"),
            format!("{root}>{}", "<g>".repeat(70)),
            format!("{root}>{}</svg>", " ".repeat(LARGEST)),
        ] {
            assert!(Logo::parse(text.clone().into_bytes()).is_err(), "{text:.80}");
        }
    }

    fn picture(width: u32, height: u32, behind: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x06\0\0\0CRC!\0\0\0\x03IDATabcCRC!\0\0\0\0IENDCRC!");
        bytes.extend(behind);
        bytes
    }

    #[test]
    fn pictures_are_whole_and_of_a_sensible_size() {
        assert_eq!(Logo::parse(picture(64, 32, b"")).map(|logo| logo.format()), Ok(Format::Png));
        assert_eq!(Logo::parse(picture(0, 32, b"")), Err(Fault::Pixels));
        assert_eq!(Logo::parse(picture(64, 100_000, b"")), Err(Fault::Pixels));
        assert_eq!(Logo::parse(picture(64, 32, b"<script>")), Err(Fault::DamagedPng));
        let whole = picture(64, 32, b"");
        for length in 8..whole.len() {
            assert_eq!(Logo::parse(whole[..length].to_vec()), Err(Fault::DamagedPng), "{length}");
        }
    }
}
