//! What may be written into a log: addresses cut to their network, paths and queries without secrets, one line per line.

use std::{
    borrow::Cow,
    fmt::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Stands where something was left out.
pub const FILTERED: &str = "[filtered]";

/// Query keys whose values may be logged. Everything else may be somebody's secret: token, code, state, `return_to` …
pub const LOGGABLE_QUERY_KEYS: &[&str] = &["lang", "order", "page", "per_page", "sort"];

/// Route parameters whose values may be logged; others (`{token}`, `{code}`) may be secrets.
const LOGGABLE_PATH_PARAMETERS: &[&str] = &["{id}", "{slug}"];

const LONGEST_KEY: usize = 32;
const LONGEST_VALUE: usize = 64;
/// A longer segment of a path that no route knows may be a mistyped address with a secret in it.
const LONGEST_UNKNOWN_SEGMENT: usize = 24;
const LONGEST_PATH: usize = 512;

/// A client's address, cut to its network on display: IPv4 to /24, IPv6 to /48. Tells which provider, not who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientNetwork(pub IpAddr);

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                write!(f, "{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                write!(f, "{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }
    }
}

/// The query of an address, fit for a log: values of keys outside `allowed` are replaced, and so are values that look
/// like more than a plain word, keys that look like more than a name, and pieces without a key.
#[must_use]
pub fn query(raw: &str, allowed: &[&str]) -> String {
    let mut output = String::with_capacity(raw.len().min(256));
    for (position, piece) in raw.split('&').enumerate() {
        if position > 0 {
            output.push('&');
        }
        let Some((key, value)) = piece.split_once('=') else {
            output.push_str(if piece.is_empty() { "" } else { FILTERED });
            continue;
        };
        output.push_str(if is_plain(key, LONGEST_KEY) { key } else { FILTERED });
        output.push('=');
        let shown = value.is_empty() || (allowed.contains(&key) && is_plain(value, LONGEST_VALUE));
        output.push_str(if shown { value } else { FILTERED });
    }
    output
}

/// The path of an address, fit for a log. With the route's `template` (`/reset/{token}`) the values of its parameters
/// are replaced, except slugs and ids; without one, long segments are.
#[must_use]
pub fn path(raw: &str, template: Option<&str>) -> String {
    let mut output = String::with_capacity(raw.len().min(LONGEST_PATH));
    let mut names = template.map(|template| template.split('/'));
    for (position, segment) in raw.split('/').enumerate() {
        if position > 0 {
            output.push('/');
        }
        let shown = match &mut names {
            Some(names) => {
                // Behind the end of the template a wildcard parameter goes on.
                let name = names.next().unwrap_or("{*}");
                !name.starts_with('{') || LOGGABLE_PATH_PARAMETERS.contains(&name)
            }
            None => segment.len() <= LONGEST_UNKNOWN_SEGMENT,
        };
        if output.len() + segment.len() > LONGEST_PATH {
            output.push('…');
            break;
        }
        output.push_str(&if shown { escaped(segment) } else { Cow::Borrowed(FILTERED) });
    }
    output
}

/// A request's method, fit for a log: a made-up one may be anything, so only those we know are shown.
#[must_use]
pub fn method(raw: &str) -> &str {
    const KNOWN: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    if KNOWN.contains(&raw) { raw } else { "other" }
}

/// Text from outside on one line: control characters, line separators and marks that turn the writing direction are
/// written as escapes.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    let unfit = |char: char| char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(unfit) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if unfit(char) {
            // Writing to a String cannot fail.
            let _ = write!(output, "{}", char.escape_unicode());
        } else {
            output.push(char);
        }
    }
    Cow::Owned(output)
}

fn is_plain(text: &str, longest: usize) -> bool {
    text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_cut_to_their_network() {
        let cases = [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1234:5678:9abc::1", "2001:db8:1234::/48"),
            ("::1", "::/48"),
        ];
        for (address, network) in cases {
            assert_eq!(ClientNetwork(address.parse().unwrap()).to_string(), network);
        }
    }

    #[test]
    fn values_are_filtered_unless_their_key_is_allowed() {
        let cases = [
            ("page=2&sort=name", "page=2&sort=name"),
            ("token=abc&page=2", "token=[filtered]&page=2"),
            ("return_to=https%3A%2F%2Fa", "return_to=[filtered]"),
            ("state=&code=x", "state=&code=[filtered]"),
            ("TOKEN=abc", "TOKEN=[filtered]"),
            ("Page=2", "Page=[filtered]"),
            ("", ""),
            ("&&", "&&"),
        ];
        for (raw, shown) in cases {
            assert_eq!(query(raw, LOGGABLE_QUERY_KEYS), shown);
        }
    }

    #[test]
    fn secrets_cannot_hide_behind_an_allowed_key_or_in_a_key() {
        let cases = [
            ("page=1;token=abc", "page=[filtered]"),
            ("page=1%26token=abc", "page=[filtered]"),
            ("page=a=b", "page=[filtered]"),
            ("eyJhbGciOiJub25lIn0", "[filtered]"),
            ("%74oken=abc", "[filtered]=[filtered]"),
            ("abcdefghijklmnopqrstuvwxyz0123456789=1", "[filtered]=[filtered]"),
            ("page\r\nGET=1", "[filtered]=[filtered]"),
        ];
        for (raw, shown) in cases {
            assert_eq!(query(raw, LOGGABLE_QUERY_KEYS), shown);
        }
        assert_eq!(query(&format!("page={}", "1".repeat(65)), LOGGABLE_QUERY_KEYS), "page=[filtered]");
    }

    #[test]
    fn parameters_of_a_path_are_filtered_except_slugs_and_ids() {
        assert_eq!(path("/login/corp/callback", Some("/login/{slug}/callback")), "/login/corp/callback");
        assert_eq!(path("/password/reset/s3cret", Some("/password/reset/{token}")), "/password/reset/[filtered]");
        assert_eq!(path("/assets/a/b.css", Some("/assets/{*path}")), "/assets/[filtered]/[filtered]");
        assert_eq!(path("/", Some("/")), "/");
    }

    #[test]
    fn unknown_paths_show_short_segments_only() {
        let long = "x".repeat(25);
        assert_eq!(path(&format!("/wp-admin/{long}/a"), None), "/wp-admin/[filtered]/a");
        assert_eq!(path("/a\n/b\u{1b}[31m", None), "/a\\u{a}/b\\u{1b}[31m");
        assert!(path(&"/x".repeat(10_000), None).len() < 600);
    }

    proptest! {
        #[test]
        fn nothing_that_is_logged_breaks_the_line(raw in any::<String>()) {
            for shown in [query(&raw, LOGGABLE_QUERY_KEYS), path(&raw, None), path(&raw, Some("/a/{id}")), escaped(&raw).into_owned()] {
                prop_assert!(!shown.contains(|char: char| char.is_control()), "{shown:?}");
            }
        }

        #[test]
        fn a_secret_is_never_shown(secret in "[A-Za-z0-9_-]{20,60}", key in "[a-z_]{1,12}") {
            prop_assume!(!LOGGABLE_QUERY_KEYS.contains(&key.as_str()));
            let address = format!("{key}={secret}&page=1&{secret}");
            prop_assert!(!query(&address, LOGGABLE_QUERY_KEYS).contains(&secret));
        }
    }
}
