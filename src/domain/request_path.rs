//! A path in a form that access rules can be matched against without being fooled.
//!
//! Applications differ in what they make of a path: some merge `//`, some decode `%2F` or `%252F`, some cut `;…` off a
//! segment. A rule that looks at one reading only can be walked around by whoever knows the other. So a path has one or
//! two readings, and access is right only if **every** reading allows it:
//! - *literal*: as asked for, with unreserved characters decoded (RFC 3986 section 6.2.2.2);
//! - *lenient*: everything decoded that could separate, parameters cut off, slashes merged. Absent where it is the same.
//!
//! Refused outright, because no browser sends them: dot segments (in any encoding and in any reading), backslashes,
//! control characters, bytes outside ASCII, incomplete escapes.

use std::borrow::Cow;

/// Escapes within escapes: what is wrapped more often than this is an attack.
const DEEPEST_ESCAPE: usize = 4;

/// The path cannot be judged safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// A character that has no place in a path, raw or escaped.
    #[error("the path holds a control character, a backslash or a byte outside ASCII")]
    ForbiddenCharacter,
    /// `%` without two hexadecimal digits, or escapes nested too deeply.
    #[error("the path holds an incomplete or too deeply nested escape")]
    BadEscape,
    /// `.` or `..` as a segment, in any encoding.
    #[error("the path holds a dot segment")]
    DotSegment,
}

/// A path with its readings. Case matters in it; a trailing slash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath<'a> {
    literal: Cow<'a, str>,
    lenient: Option<String>,
}

impl<'a> RequestPath<'a> {
    /// Reads a path without query.
    pub fn parse(raw: &'a str) -> Result<Self, PathError> {
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        let literal = unescaped(raw, false)?;
        if has_dot_segment(&literal) {
            return Err(PathError::DotSegment);
        }
        let lenient = is_ambiguous(&literal).then(|| lenient(&literal)).transpose()?;
        let lenient = lenient.filter(|reading| **reading != *literal);
        Ok(Self { literal, lenient })
    }

    /// The path as asked for.
    #[must_use]
    pub fn literal(&self) -> &str {
        &self.literal
    }

    /// Every way in which an application could understand the path. A rule must hold for all of them.
    pub fn readings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.literal).chain(self.lenient.as_deref())
    }
}

/// Whether `path` is `prefix` or lies below it. Segments are compared whole: `/public` covers `/public/x`, not `/publicity`.
#[must_use]
pub fn is_within(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Decodes unreserved characters and writes other escapes in upper case. The `lenient` way also decodes what could divide
/// (`%2F`, `%3B` and the escape of an escape), and leaves alone what is no escape.
fn unescaped(text: &str, lenient: bool) -> Result<Cow<'_, str>, PathError> {
    let clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'?'));
    if !clean {
        return Err(PathError::ForbiddenCharacter);
    }
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut output = String::with_capacity(text.len());
    let mut pieces = text.split('%');
    output.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let escape = piece.split_at_checked(2).and_then(|(digits, rest)| Some((hexadecimal(digits)?, digits, rest)));
        let Some((byte, digits, rest)) = escape else {
            if !lenient {
                return Err(PathError::BadEscape);
            }
            output.push('%');
            output.push_str(piece);
            continue;
        };
        let decode = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (lenient && matches!(byte, b'/' | b';' | b'%'));
        if byte.is_ascii_control() || byte == b'\\' {
            return Err(PathError::ForbiddenCharacter);
        } else if decode {
            output.push(char::from(byte));
        } else {
            output.push('%');
            output.push_str(&digits.to_ascii_uppercase());
        }
        output.push_str(rest);
    }
    Ok(Cow::Owned(output))
}

/// `u8::from_str_radix` would take a sign.
fn hexadecimal(digits: &str) -> Option<u8> {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| segment == "." || segment == "..")
}

/// Escapes are in upper case here.
fn is_ambiguous(literal: &str) -> bool {
    literal.contains(';') || ["//", "%2F", "%3B", "%25"].iter().any(|trap| literal.contains(trap))
}

fn lenient(literal: &str) -> Result<String, PathError> {
    let mut reading = literal.to_owned();
    for depth in 0.. {
        let decoded = unescaped(&reading, true)?.into_owned();
        if decoded == reading {
            break;
        }
        if depth == DEEPEST_ESCAPE {
            return Err(PathError::BadEscape);
        }
        reading = decoded;
    }
    let mut merged = String::with_capacity(reading.len());
    for segment in reading.split('/') {
        let name = segment.split(';').next().unwrap_or_default();
        if name == "." || name == ".." {
            return Err(PathError::DotSegment);
        }
        if !name.is_empty() {
            merged.push('/');
            merged.push_str(name);
        }
    }
    if reading.ends_with('/') || merged.is_empty() {
        merged.push('/');
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn readings(raw: &str) -> Vec<String> {
        RequestPath::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}")).readings().map(str::to_owned).collect()
    }

    #[test]
    fn an_ordinary_path_has_one_reading_and_costs_no_copy() {
        for path in ["/", "/tasks", "/tasks/", "/a/b.html", "/~anna/x-y_z", "/caf%C3%A9/a%20b", "/a:b@c!$&'()*+,="] {
            assert_eq!(readings(path), [path]);
        }
        assert!(matches!(RequestPath::parse("/tasks").unwrap().literal, Cow::Borrowed(_)));
    }

    #[test]
    fn unreserved_characters_are_decoded_and_escapes_are_upper_case() {
        assert_eq!(readings("/%61dmin/%7euser/%c3%a9"), ["/admin/~user/%C3%A9"]);
    }

    #[test]
    fn what_applications_may_read_in_two_ways_has_two_readings() {
        let cases = [
            ("//admin", "//admin", "/admin"),
            ("/a//b/", "/a//b/", "/a/b/"),
            ("/admin;x=1/users", "/admin;x=1/users", "/admin/users"),
            ("/;/admin", "/;/admin", "/admin"),
            ("/admin%2Fusers", "/admin%2Fusers", "/admin/users"),
            ("/admin%252fusers", "/admin%252fusers", "/admin/users"),
            ("/%2561dmin", "/%2561dmin", "/admin"),
            ("/admin%3bx", "/admin%3Bx", "/admin"),
            ("/sale/100%25", "/sale/100%25", "/sale/100%"),
            ("//", "//", "/"),
        ];
        for (raw, literal, lenient) in cases {
            assert_eq!(readings(raw), [literal, lenient], "{raw}");
        }
    }

    #[test]
    fn paths_that_climb_are_refused_in_every_encoding() {
        let cases = [
            "/public/../admin",
            "/.",
            "/..",
            "/a/./b",
            "/public/%2e%2e/admin",
            "/public/.%2E/admin",
            "/public%2f..%2fadmin",
            "/public/..;/admin",
            "/public/..;x=1/admin",
            "/public/%252e%252e/admin",
            "/public/..%2fadmin",
            "/public/%25zz%252f..%252fadmin",
        ];
        for raw in cases {
            assert_eq!(RequestPath::parse(raw), Err(PathError::DotSegment), "{raw}");
        }
        assert_eq!(readings("/a/...//..b"), ["/a/...//..b", "/a/.../..b"]);
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for raw in
            ["/a\\b", "/a%5cb", "/a%255Cb", "/a%00", "/a%0d%0a", "/a b", "/a\u{7f}", "/caf\u{e9}", "/a#b", "/a?b"]
        {
            assert_eq!(RequestPath::parse(raw), Err(PathError::ForbiddenCharacter), "{raw}");
        }
        for raw in ["/%", "/%4", "/%zz", "/%+1", "/%2525252525252561"] {
            assert_eq!(RequestPath::parse(raw), Err(PathError::BadEscape), "{raw}");
        }
        for raw in ["", "*", "admin", "http://example.org/"] {
            assert_eq!(RequestPath::parse(raw), Err(PathError::NotAbsolute), "{raw}");
        }
    }

    #[test]
    fn prefixes_match_whole_segments() {
        for (path, prefix, within) in [
            ("/public", "/public", true),
            ("/public/x", "/public", true),
            ("/public/x", "/public/", true),
            ("/public", "/public/", true),
            ("/publicity", "/public", false),
            ("/Public", "/public", false),
            ("/anything", "/", true),
            ("/", "/", true),
        ] {
            assert_eq!(is_within(path, prefix), within, "{path} {prefix}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(raw in "\\PC{0,60}") {
            let _ = RequestPath::parse(&raw);
        }

        #[test]
        fn no_reading_holds_a_dot_segment_or_what_was_refused(raw in "/([a./;\\\\]|%2[fFeE5]|%5[cC]|%3[bB]|%0[0a]|25){0,16}") {
            if let Ok(path) = RequestPath::parse(&raw) {
                for reading in path.readings() {
                    prop_assert!(reading.starts_with('/'));
                    prop_assert!(!has_dot_segment(reading));
                    prop_assert!(reading.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
                }
            }
        }

        #[test]
        fn the_literal_reading_is_stable(raw in "/[a-z%0-9/.]{0,30}") {
            if let Ok(path) = RequestPath::parse(&raw) {
                prop_assert_eq!(RequestPath::parse(path.literal()).unwrap(), path.clone());
            }
        }
    }
}
