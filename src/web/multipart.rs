//! The parts of a body of `multipart/form-data` (RFC 7578, RFC 2046 §5.1) as browsers write it. Strict: what a browser
//! would not send is no form. The whole body is in memory, and the parts point into it.

use std::ops::Range;

/// Parts of one form at the most.
const MAX_PARTS: usize = 16;
/// Most bytes of the headers of one part.
const MAX_HEADERS: usize = 2048;

/// The line between parts, with the line end before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(Vec<u8>);

impl Boundary {
    /// Of a `Content-Type`; `None` when that is not `multipart/form-data` with a boundary of 1 to 70 characters.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let (media, parameters) = content_type.split_once(';')?;
        if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let parameter = |text: &str| {
            let (name, value) = text.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().to_owned())
        };
        let value = parameters.split(';').find_map(parameter)?;
        let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&value);
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
        let is_one = (1..=70).contains(&bare.len()) && bare.bytes().all(fine);
        is_one.then(|| Self([b"\r\n--", bare.as_bytes()].concat()))
    }
}

/// One field of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// Whether it is a file: it has a file name, if an empty one.
    pub is_file: bool,
    /// Where in the body its value lies.
    pub body: Range<usize>,
}

/// The parts of a body, in their order; `None` when it is not well formed, has a name twice, or more than one file.
#[must_use]
pub fn parse(body: &[u8], boundary: &Boundary) -> Option<Vec<Part>> {
    let line = boundary.0.as_slice();
    // The first boundary has no line end before it.
    let first = line.get(2..)?;
    let mut rest = body.strip_prefix(first)?;
    let mut parts: Vec<Part> = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return matches!(end, b"" | b"\r\n").then_some(parts);
        }
        let after = rest.strip_prefix(b"\r\n")?;
        let headers_end = find(after.get(..after.len().min(MAX_HEADERS))?, b"\r\n\r\n")?;
        let (headers, value) = (after.get(..headers_end)?, after.get(headers_end + 4..)?);
        let length = find(value, line)?;
        let start = body.len() - value.len();
        let (name, is_file) = disposition(headers)?;
        let twice = parts.iter().any(|part| part.name == name || part.is_file && is_file);
        if twice || parts.len() == MAX_PARTS {
            return None;
        }
        parts.push(Part { name, is_file, body: start..start + length });
        rest = value.get(length + line.len()..)?;
    }
}

/// Name, and whether there is a file name, of `Content-Disposition: form-data; name="…"; filename="…"`.
fn disposition(headers: &[u8]) -> Option<(String, bool)> {
    let headers = std::str::from_utf8(headers).ok()?;
    let mut lines = headers.split("\r\n").filter_map(|line| line.split_once(':'));
    let value = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?.1;
    let mut rest = value.trim().strip_prefix("form-data")?;
    let (mut name, mut is_file) = (None, false);
    while let Some(parameter) = rest.trim_start().strip_prefix(';') {
        let (key, quoted) = parameter.split_once("=\"")?;
        // Browsers write a quotation mark in a name as %22 (HTML, "multipart form data"), so the next one ends it.
        let (text, after) = quoted.split_once('"')?;
        match key.trim() {
            "name" if name.is_none() => name = Some(text.to_owned()),
            "filename" if !is_file => is_file = true,
            _ => return None,
        }
        rest = after;
    }
    if rest.trim().is_empty() { Some((name?, is_file)) } else { None }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=----WebKitFormBoundaryAb1";

    fn body(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (headers, value) in parts {
            body.extend(b"------WebKitFormBoundaryAb1\r\n");
            body.extend(headers.as_bytes());
            body.extend(b"\r\n\r\n");
            body.extend(*value);
            body.extend(b"\r\n");
        }
        body.extend(b"------WebKitFormBoundaryAb1--\r\n");
        body
    }

    fn read(body: &[u8]) -> Option<Vec<(String, bool, Vec<u8>)>> {
        let parts = parse(body, &Boundary::of(TYPE)?)?;
        Some(parts.into_iter().map(|part| (part.name, part.is_file, body[part.body].to_vec())).collect())
    }

    #[test]
    fn what_a_browser_sends_is_read() {
        let sent = body(&[
            ("Content-Disposition: form-data; name=\"csrf\"", b"token"),
            (
                "Content-Disposition: form-data; name=\"picture\"; filename=\"a;b \u{e9}.png\"\r\nContent-Type: image/png",
                b"\x89PNG\r\n--\r\n\r\n------WebKit\0",
            ),
        ]);
        let file = b"\x89PNG\r\n--\r\n\r\n------WebKit\0".to_vec();
        assert_eq!(read(&sent), Some(vec![("csrf".into(), false, b"token".to_vec()), ("picture".into(), true, file)]));
        assert_eq!(read(&body(&[])), Some(vec![]));
    }

    #[test]
    fn what_no_browser_sends_is_no_form() {
        let named = "Content-Disposition: form-data; name=\"a\"";
        let file = "Content-Disposition: form-data; name=\"b\"; filename=\"\"";
        let other = "Content-Disposition: form-data; name=\"c\"; filename=\"\"";
        let many: Vec<String> = (0..17).map(|n| format!("Content-Disposition: form-data; name=\"{n}\"")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|line| (line.as_str(), b"".as_slice())).collect();
        let whole = body(&[(named, b"x")]);
        let long = format!("{named}\r\nX: {}", "x".repeat(3000));
        for bad in [
            body(&[(named, b"x"), (named, b"y")]),
            body(&[(file, b"x"), (other, b"y")]),
            body(&many),
            body(&[("Content-Type: text/plain", b"x")]),
            body(&[("Content-Disposition: attachment; name=\"a\"", b"x")]),
            body(&[("Content-Disposition: form-data; filename=\"a\"", b"x")]),
            body(&[("Content-Disposition: form-data; name=a", b"x")]),
            body(&[("Content-Disposition: form-data; name=\"a\"; name=\"b\"", b"x")]),
            body(&[("Content-Disposition: form-data; name=\"a\" x", b"x")]),
            body(&[(&long, b"x")]),
            whole[..whole.len() - 4].to_vec(),
            [&b"preamble\r\n"[..], &whole].concat(),
            [&whole, &b"epilogue"[..]].concat(),
            Vec::new(),
        ] {
            assert_eq!(read(&bad), None, "{}", String::from_utf8_lossy(&bad));
        }
    }

    #[test]
    fn a_boundary_is_read_from_the_media_type() {
        for good in ["multipart/form-data; boundary=x", "Multipart/Form-Data; charset=utf-8; Boundary=\"x\""] {
            assert_eq!(Boundary::of(good), Some(Boundary(b"\r\n--x".to_vec())), "{good}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"",
            "multipart/mixed; boundary=x",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=a b",
            &long,
        ] {
            assert_eq!(Boundary::of(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parts_lie_in_the_body_one_after_the_other(noise in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
            let sent = body(&[("Content-Disposition: form-data; name=\"a\"", b"x"), ("Content-Disposition: form-data; name=\"f\"; filename=\"f\"", &noise)]);
            let part = sent.get(..cut.min(sent.len())).unwrap_or_default();
            for bytes in [sent.as_slice(), part, noise.as_slice()] {
                let mut end = 0;
                for part in parse(bytes, &Boundary::of(TYPE).expect("a boundary")).unwrap_or_default() {
                    prop_assert!(end <= part.body.start && part.body.start <= part.body.end && part.body.end <= bytes.len());
                    end = part.body.end;
                }
            }
        }
    }
}
