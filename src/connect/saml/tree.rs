//! A small, strict reader of XML: what it does not understand it refuses. No document type, comment, processing instruction,
//! CDATA or entity of one's own (SAML needs none of them, and each has been part of an attack); tight limits.
//!
//! What a message must look like is in `gate.rs`; signatures are checked by the verifiers, never here.

use super::refusal::{Reason, Refusal};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;
use std::collections::HashSet;
use std::ops::Range;

/// Limits of one document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Elements within elements.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
}

/// What a message from a browser may measure. A thousand groups fit.
pub(super) const MESSAGE: Limits = Limits { bytes: 256 * 1024, depth: 24, elements: 2_500 };
/// What the metadata of one provider, or of a federation, may measure.
pub(super) const METADATA: Limits = Limits { bytes: 8 * 1024 * 1024, depth: 40, elements: 200_000 };

const MAX_ATTRIBUTES: usize = 32;
const MAX_ATTRIBUTE_VALUE: usize = 8 * 1024;
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// An element with its names resolved.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// Its namespace; empty for none.
    pub ns: String,
    /// Its local name.
    pub name: String,
    /// Its attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// Elements in it.
    pub children: Vec<Element>,
    /// The text directly in it, line ends normalised (XML 1.0 §2.11).
    pub text: String,
    /// Where it stands in the document, tags included.
    pub span: Range<usize>,
}

/// An attribute with its name resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// Its namespace; empty for none.
    pub ns: String,
    /// Its local name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Element {
    /// Whether it is this element.
    pub(super) fn is(&self, ns: &str, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    /// The value of an attribute without namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|one| one.ns.is_empty() && one.name == name).map(|one| one.value.as_str())
    }

    /// Children of this name.
    pub(super) fn all<'a>(&'a self, ns: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(ns, name))
    }

    /// The first child of this name.
    pub(super) fn child(&self, ns: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(ns, name))
    }

    /// Its text, if it has no elements in it.
    pub(super) fn plain_text(&self) -> Option<&str> {
        self.children.is_empty().then_some(self.text.as_str())
    }

    /// This element and all below it, in the order of the document.
    pub(super) fn walk(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(element) = found.get(next).copied() {
            found.extend(element.children.iter());
            next += 1;
        }
        found
    }

    /// Whether both say the same: names, attributes in any order, text, children. An element that `skipped` names counts as
    /// not there, on both sides.
    pub(super) fn says_the_same(&self, other: &Self, skipped: &dyn Fn(&Self) -> bool) -> bool {
        let sorted = |element: &Self| {
            let mut all: Vec<_> =
                element.attributes.iter().map(|one| (one.ns.clone(), one.name.clone(), one.value.clone())).collect();
            all.sort_unstable();
            all
        };
        let mine: Vec<_> = self.children.iter().filter(|child| !skipped(child)).collect();
        let theirs: Vec<_> = other.children.iter().filter(|child| !skipped(child)).collect();
        self.ns == other.ns
            && self.name == other.name
            && sorted(self) == sorted(other)
            && self.text.trim() == other.text.trim()
            && mine.len() == theirs.len()
            && mine.iter().zip(theirs).all(|(one, two)| one.says_the_same(two, skipped))
    }
}

/// Reads a document.
///
/// # Errors
/// [`Reason::TooLarge`], [`Reason::Malformed`] or [`Reason::Forbidden`].
pub(super) fn parse(xml: &str, limits: Limits) -> Result<Element, Refusal> {
    if xml.len() > limits.bytes {
        return Err(Reason::TooLarge.because("more bytes than a message needs"));
    }
    if let Some(bad) = xml.chars().find(|c| !is_xml_char(*c)) {
        return Err(Reason::Malformed.because(format!("the character U+{:04X} is none of XML", u32::from(bad))));
    }
    Parser { xml, limits, open: Vec::new(), root: None, elements: 0 }.run()
}

struct Parser<'a> {
    xml: &'a str,
    limits: Limits,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Parser<'_> {
    fn run(mut self) -> Result<Element, Refusal> {
        let mut reader = NsReader::from_str(self.xml);
        reader.config_mut().check_end_names = true;
        reader.config_mut().allow_unmatched_ends = false;
        loop {
            let before = position(&reader);
            let event = reader.read_event().map_err(|error| malformed(&error))?;
            match event {
                Event::Start(start) => {
                    let element = self.element(&reader, &start, before)?;
                    self.open.push(element);
                }
                Event::Empty(start) => {
                    let mut element = self.element(&reader, &start, before)?;
                    element.span.end = position(&reader);
                    self.close(element)?;
                }
                Event::End(_) => {
                    let mut element =
                        self.open.pop().ok_or_else(|| Reason::Malformed.because("an end without a start"))?;
                    element.span.end = position(&reader);
                    self.close(element)?;
                }
                Event::Text(text) => self.text(&text.decode().map_err(|error| malformed(&error))?)?,
                Event::GeneralRef(reference) => {
                    let name = reference.decode().map_err(|error| malformed(&error))?;
                    let c = character(&name)?;
                    self.push(c)?;
                }
                Event::Decl(declaration) if before == 0 => {
                    let version = declaration.version().map_err(|error| malformed(&error))?;
                    let encoding = declaration.encoding().transpose().map_err(|error| malformed(&error))?;
                    if version.as_ref() != b"1.0" || encoding.is_some_and(|one| !one.eq_ignore_ascii_case(b"utf-8")) {
                        return Err(Reason::Forbidden.because("not XML 1.0 in UTF-8"));
                    }
                }
                Event::Decl(_) => return Err(Reason::Malformed.because("a declaration in the middle")),
                Event::DocType(_) => return Err(Reason::Forbidden.because("a document type")),
                Event::Comment(_) => return Err(Reason::Forbidden.because("a comment")),
                Event::PI(_) => return Err(Reason::Forbidden.because("a processing instruction")),
                Event::CData(_) => return Err(Reason::Forbidden.because("a CDATA section")),
                Event::Eof => break,
            }
        }
        if !self.open.is_empty() {
            return Err(Reason::Malformed.because("an element does not end"));
        }
        self.root.ok_or_else(|| Reason::Malformed.because("there is no element"))
    }

    fn element(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>, at: usize) -> Result<Element, Refusal> {
        self.elements += 1;
        if self.elements > self.limits.elements || self.open.len() >= self.limits.depth {
            return Err(Reason::TooLarge.because("more elements, or deeper ones, than a message needs"));
        }
        if self.root.is_some() {
            return Err(Reason::Malformed.because("more than one root"));
        }
        let qname = start.name();
        let (namespace, local) = reader.resolve_element(qname);
        let ns = resolved(&namespace)?;
        if [XML_NAMESPACE, XMLNS_NAMESPACE].contains(&ns.as_str()) {
            return Err(Reason::Forbidden.because("an element in a reserved namespace"));
        }
        let name = checked_name(qname, local.as_ref())?;
        let attributes = attributes(reader, start)?;
        Ok(Element { ns, name, attributes, children: Vec::new(), text: String::new(), span: at..at })
    }

    fn close(&mut self, element: Element) -> Result<(), Refusal> {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None if self.root.is_none() => self.root = Some(element),
            None => return Err(Reason::Malformed.because("more than one root")),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        if text.contains("]]>") {
            return Err(Reason::Malformed.because("]]> in text"));
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(&text.replace("\r\n", "\n").replace('\r', "\n")),
            None if text.trim().is_empty() => {}
            None => return Err(Reason::Malformed.because("text outside of the root")),
        }
        Ok(())
    }

    fn push(&mut self, c: char) -> Result<(), Refusal> {
        let element = self.open.last_mut().ok_or_else(|| Reason::Malformed.because("text outside of the root"))?;
        element.text.push(c);
        Ok(())
    }
}

fn attributes(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Vec<Attribute>, Refusal> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (count, attribute) in start.attributes().enumerate() {
        let attribute = attribute.map_err(|error| malformed(&error))?;
        if count >= MAX_ATTRIBUTES || attribute.value.len() > MAX_ATTRIBUTE_VALUE {
            return Err(Reason::TooLarge.because("more attributes, or longer ones, than a message needs"));
        }
        if attribute.value.contains(&b'<') {
            return Err(Reason::Malformed.because("< in an attribute"));
        }
        let value = value(&attribute.value)?;
        if attribute.key.as_namespace_binding().is_some() {
            check_namespace(attribute.key, &value)?;
            continue;
        }
        let (namespace, local) = reader.resolve_attribute(attribute.key);
        let ns = resolved(&namespace)?;
        let name = checked_name(attribute.key, local.as_ref())?;
        if ns == XML_NAMESPACE && !["lang", "space"].contains(&name.as_str()) {
            return Err(Reason::Forbidden.because("xml:id or xml:base"));
        }
        if !seen.insert((ns.clone(), name.clone())) {
            return Err(Reason::Malformed.because("an attribute twice"));
        }
        found.push(Attribute { ns, name, value });
    }
    Ok(found)
}

/// A namespace name is an absolute URI. A relative one makes some canonicalisers fail and sign nothing ("void
/// canonicalisation"); undeclaring a prefix is XML 1.1.
fn check_namespace(key: QName<'_>, value: &str) -> Result<(), Refusal> {
    let absolute = ["http://", "https://", "urn:"].iter().any(|scheme| value.starts_with(scheme));
    let undeclares_default = key.prefix().is_none() && value.is_empty();
    if undeclares_default || (absolute && value != XMLNS_NAMESPACE && value.is_ascii() && !value.contains(' ')) {
        return Ok(());
    }
    Err(Reason::Forbidden.because("a namespace that is no absolute URI"))
}

/// The value of an attribute, references resolved and white space normalised (XML 1.0 §3.3.3).
fn value(raw: &[u8]) -> Result<String, Refusal> {
    let raw = std::str::from_utf8(raw).map_err(|error| malformed(&error))?;
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, reference)) = rest.split_once('&') {
        out.push_str(&before.replace("\r\n", " ").replace(['\r', '\n', '\t'], " "));
        let (name, after) =
            reference.split_once(';').ok_or_else(|| Reason::Malformed.because("a reference without an end"))?;
        out.push(character(name)?);
        rest = after;
    }
    out.push_str(&rest.replace("\r\n", " ").replace(['\r', '\n', '\t'], " "));
    Ok(out)
}

/// The character of a reference: one of the five names of XML, or a number.
fn character(name: &str) -> Result<char, Refusal> {
    let number = |digits: &str, radix| {
        let plain = (1..=8).contains(&digits.len()) && digits.chars().all(|c| c.is_digit(radix));
        u32::from_str_radix(digits, radix).ok().filter(|_| plain).and_then(char::from_u32)
    };
    let found = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => match name.strip_prefix('#') {
            Some(digits) => digits.strip_prefix('x').map_or_else(|| number(digits, 10), |hex| number(hex, 16)),
            None => return Err(Reason::Forbidden.because("an entity of one's own")),
        },
    };
    found.filter(|c| is_xml_char(*c)).ok_or_else(|| Reason::Malformed.because("a reference to no character"))
}

fn resolved(namespace: &ResolveResult<'_>) -> Result<String, Refusal> {
    match namespace {
        ResolveResult::Bound(namespace) => {
            let text = std::str::from_utf8(namespace.into_inner()).map_err(|error| malformed(&error))?;
            Ok(text.to_owned())
        }
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => Err(Reason::Malformed.because("a prefix without a namespace")),
    }
}

/// Names of SAML, XML Signature and XML Encryption are ASCII; so are sane prefixes.
fn checked_name(whole: QName<'_>, local: &[u8]) -> Result<String, Refusal> {
    let plain = |name: &[u8]| {
        name.first().is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_')
            && name.iter().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(c))
    };
    let prefix_is_plain = whole.prefix().is_none_or(|prefix| plain(prefix.as_ref()));
    match std::str::from_utf8(local) {
        Ok(name) if plain(local) && prefix_is_plain => Ok(name.to_owned()),
        _ => Err(Reason::Malformed.because("a name that SAML does not have")),
    }
}

/// XML 1.0 §2.2.
const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn malformed(error: &dyn std::fmt::Display) -> Refusal {
    Reason::Malformed.because(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(xml: &str) -> Reason {
        parse(xml, MESSAGE).expect_err(xml).reason
    }

    #[test]
    fn names_attributes_and_text_are_read() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:r xmlns:a=\"urn:a\" I=\"1&#x41;&lt;\"><b>x&amp;\r\ny</b></a:r>\n";
        let root = parse(xml, MESSAGE).expect("good");
        assert!(root.is("urn:a", "r"));
        assert_eq!(root.attribute("I"), Some("1A<"));
        let child = root.child("", "b").expect("child");
        assert_eq!(child.plain_text(), Some("x&\ny"));
        assert_eq!(&xml[child.span.clone()], "<b>x&amp;\r\ny</b>");
    }

    #[test]
    fn what_saml_does_not_need_is_refused() {
        for xml in [
            "<!DOCTYPE a><a/>",
            "<a><!-- c --></a>",
            "<a><?pi?></a>",
            "<a><![CDATA[x]]></a>",
            "<a>&own;</a>",
            "<a b=\"&own;\"/>",
            "<a xmlns:x=\"relative\"/>",
            "<a xml:id=\"x\"/>",
            "<?xml version=\"1.1\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>",
        ] {
            assert_eq!(refused(xml), Reason::Forbidden, "{xml}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for xml in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "<x:a/>",
            "<a b=\"1\" b=\"2\"/>",
            "<a xmlns:x=\"urn:x\" xmlns:y=\"urn:x\" x:b=\"1\" y:b=\"2\"/>",
            "<a b=\"<\"/>",
            "<a>]]></a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>\u{0}</a>",
            "<a b='&amp'/>",
            " <?xml version=\"1.0\"?><a/>",
            "<\u{e4}/>",
        ] {
            assert_eq!(refused(xml), Reason::Malformed, "{xml}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let deep = "<a>".repeat(60) + &"</a>".repeat(60);
        let wide = format!("<a>{}</a>", "<b/>".repeat(3_000));
        let attributes: Vec<String> = (0..40).map(|i| format!(" a{i}=\"\"")).collect();
        let attributes = attributes.concat();
        let long = format!("<a>{}</a>", "x".repeat(300_000));
        for xml in [deep, wide, format!("<a{attributes}/>"), long] {
            assert_eq!(refused(&xml), Reason::TooLarge);
        }
    }
}
