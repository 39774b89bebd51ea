//! Values that several sections share: slugs, host names, path prefixes, networks, keys.
//! Each one is checked while it is read, so the rest of the program never sees a bad one.

use std::{fmt, net::IpAddr, str::FromStr};

use base64::{Engine, alphabet, engine::DecodePaddingMode, engine::GeneralPurpose, engine::GeneralPurposeConfig};
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

use crate::domain::secret::Secret;

/// Lets a type with `FromStr` and `Display` stand in the configuration as a string; the literal says what is allowed.
macro_rules! text_value {
    ($type:ident, $allowed:literal) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "x-allowed": $allowed })
            }
        }
    };
}
pub(super) use text_value;

/// The short name of something configured, used in addresses and logs: `tasks`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

text_value!(Slug, "1 to 40 lower-case letters, digits and hyphens, beginning with a letter or digit");

impl Slug {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 40 || text.starts_with('-') || !text.chars().all(good) {
            return Err(format!("{text:?} is no slug"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a group. Without commas and control characters, because groups travel in a comma-separated header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(String);

text_value!(GroupName, "the name of a group: 1 to 100 characters, no comma, no control character");

impl GroupName {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |c: char| c == ',' || c.is_control();
        if text.trim() != text || text.is_empty() || text.chars().count() > 100 || text.contains(bad) {
            return Err(format!("{text:?} is no group name"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host under which an application is reached: a name or address, and optionally a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteHost {
    name: String,
    port: Option<u16>,
}

text_value!(
    SiteHost,
    "a host name or address, with or without a port, such as \"tasks.example.org\" or \"localhost:3000\""
);

impl SiteHost {
    /// The host in lower case and ASCII form (IDNA); an IPv6 address in brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, when only this one is meant; nothing means any port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl FromStr for SiteHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_host = || format!("{text:?} is no host");
        if text.contains(['/', '?', '#', '@', '\\', '*']) || text.chars().any(char::is_whitespace) {
            return Err(no_host());
        }
        let in_brackets = text.ends_with(']') || !text.contains(':');
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !in_brackets => (name, Some(port.parse::<u16>().map_err(|_| no_host())?)),
            _ => (text, None),
        };
        let name = url::Host::parse(name).map_err(|_| no_host())?.to_string();
        if port == Some(0) || name.is_empty() {
            return Err(no_host());
        }
        Ok(Self { name, port })
    }
}

impl fmt::Display for SiteHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The beginning of a path, in whole segments: `/admin` covers `/admin` and `/admin/x`, not `/administrator`.
/// Kept without a slash at the end, except for the root `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix(String);

text_value!(
    PathPrefix,
    "a decoded path that begins with \"/\", without \"..\", \"//\", \"?\", \"#\", \"%\" and \"\\\""
);

impl PathPrefix {
    /// The prefix that covers every path.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a path (decoded, without dot segments) lies under this prefix.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        if self.0 == "/" {
            return path.starts_with('/');
        }
        path.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for PathPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dots = text.split('/').any(|segment| segment == "." || segment == "..");
        let bad = |c: char| matches!(c, '?' | '#' | '%' | '\\') || c.is_control();
        if !text.starts_with('/') || text.contains("//") || dots || text.contains(bad) {
            return Err(format!("{text:?} is no path prefix"));
        }
        let trimmed = text.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(text);
        Ok(Self(trimmed.to_owned()))
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A network of client addresses in CIDR notation; one address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

text_value!(Network, "a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address");

impl Network {
    /// Whether the address lies in this network. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The network as the `ipnet` type.
    #[must_use]
    pub fn net(&self) -> IpNet {
        self.0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse::<IpNet>().map_err(|_| format!("{text:?} is no network"))?,
        };
        if net.trunc() != net {
            return Err(format!("{text:?} is an address inside a network; the network is \"{}\"", net.trunc()));
        }
        Ok(Self(net))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The key that wraps the key ring: at least 32 bytes, written as base64 (either alphabet, padding optional).
#[derive(Debug, Clone)]
pub struct RootKey(Secret<Vec<u8>>);

impl RootKey {
    /// The decoded bytes, 32 or more.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl FromStr for RootKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let standard = Zeroizing::new(text.trim().replace('-', "+").replace('_', "/"));
        let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient)
            .decode(standard.as_bytes())
            .map(Secret::new)
            .map_err(|_| "the key is not base64".to_owned())?;
        match bytes.expose().len() {
            32.. => Ok(Self(bytes)),
            short => Err(format!("the key has {short} bytes; make one with: openssl rand -base64 32")),
        }
    }
}

impl<'de> Deserialize<'de> for RootKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for RootKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RootKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-secret": true, "x-allowed": "at least 32 random bytes in base64" })
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

impl<T: Zeroize> JsonSchema for Secret<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-secret": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_and_group_names_have_no_surprises() {
        for good in ["tasks", "a", "0-1", &"x".repeat(40)] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "Tasks", "a_b", "ä", "a b", &"x".repeat(41)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
        assert!("Team Süd".parse::<GroupName>().is_ok());
        for bad in ["", " a", "a,b", "a\nb", &"x".repeat(101)] {
            assert!(bad.parse::<GroupName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_kept_the_way_browsers_send_them() {
        for (text, shown) in [
            ("Tasks.Example.org", "tasks.example.org"),
            ("bücher.example:8443", "xn--bcher-kva.example:8443"),
            ("[2001:DB8::1]:3000", "[2001:db8::1]:3000"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:80", "127.0.0.1:80"),
        ] {
            assert_eq!(text.parse::<SiteHost>().unwrap().to_string(), shown);
        }
        for bad in ["", "https://a", "a/b", "a:0", "a:99999", "a:", "*.example.org", "a b", ":80", "me@a", "::1"] {
            assert!(bad.parse::<SiteHost>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_prefix_covers_whole_segments() {
        let admin: PathPrefix = "/admin/".parse().unwrap();
        assert_eq!(admin.as_str(), "/admin");
        assert!(admin.covers("/admin") && admin.covers("/admin/") && admin.covers("/admin/x"));
        assert!(!admin.covers("/administrator") && !admin.covers("/") && !admin.covers("/x/admin"));
        assert!(PathPrefix::root().covers("/") && PathPrefix::root().covers("/x") && !PathPrefix::root().covers("x"));
        for bad in ["", "admin", "//a", "/a//b", "/a/../b", "/./a", "/a?b", "/a#b", "/%61", "/a\\b", "/a\nb"] {
            assert!(bad.parse::<PathPrefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn networks_hold_their_addresses_only() {
        let ten: Network = "10.0.0.0/8".parse().unwrap();
        assert!(ten.contains("10.1.2.3".parse().unwrap()) && ten.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!ten.contains("11.0.0.1".parse().unwrap()));
        let one: Network = "::1".parse().unwrap();
        assert!(one.contains("::1".parse().unwrap()) && !one.contains("::2".parse().unwrap()));
        let refused = "10.0.0.1/8".parse::<Network>().unwrap_err();
        assert!(refused.contains("\"10.0.0.0/8\""), "{refused}");
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn a_root_key_needs_32_bytes_and_is_never_quoted() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert_eq!(key.parse::<RootKey>().unwrap().expose(), (0..32).collect::<Vec<u8>>());
        assert_eq!("_-8".repeat(16).parse::<RootKey>().unwrap().expose().len(), 36);
        for bad in ["", "c2hvcnQ=", "not base64 at all, but long enough to be one key"] {
            let refused = bad.parse::<RootKey>().unwrap_err();
            assert!(bad.is_empty() || !refused.contains(bad), "{refused}");
        }
    }
}
