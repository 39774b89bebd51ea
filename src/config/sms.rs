//! `[sms]` and `[sms.voice]`: the gateways that carry codes to phones, and how many codes may be sent.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, span::Span};
use crate::domain::message_template::{Escape, Filling, Gap, MessageTemplate};
use crate::domain::secret::Secret;

/// The section `[sms]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sms {
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a comment here would stand on the keys of the section; see the struct")]
    pub gateway: Gateway,

    /// How numbers that can be set up begin: country codes, or longer ones. When empty, numbers of all countries, also those
    /// that are dear to call.
    #[schemars(example = &["+49", "+43"], extend("x-one-or-many" = true))]
    pub countries: Vec<String>,

    /// Codes that may be sent in one sign-in, or while one number is set up.
    #[schemars(range(min = 0, max = 100))]
    pub per_attempt: u32,

    /// Codes that may be sent for one account in an hour.
    #[schemars(range(min = 0, max = 1000))]
    pub per_account_hour: u32,

    /// Codes that may be sent to one number in a day, whoever asks for them.
    #[schemars(range(min = 0, max = 1000))]
    pub per_number_day: u32,

    /// Codes that may be asked for from one network (IPv4 /24, IPv6 /48) in an hour.
    #[schemars(range(min = 0, max = 100_000))]
    pub per_network_hour: u32,

    /// Codes that this service sends in an hour, by text message and call together: a bound for the bill when somebody
    /// has codes sent to numbers that they earn from. What is refused for it stands in the log and in the metric
    /// `vestibule_codes_total`.
    ///
    /// Danger: with 0 there is no bound.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub per_hour: u32,

    /// How many codes this service sends within a day at most.
    ///
    /// Danger: with 0 there is no bound.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub per_day: u32,

    /// The gateway that calls and reads codes out, for numbers that get no text messages.
    pub voice: Gateway,
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            gateway: Gateway::default(),
            countries: Vec::new(),
            per_attempt: 3,
            per_account_hour: 6,
            per_number_day: 12,
            per_network_hour: 60,
            per_hour: 200,
            per_day: 1000,
            voice: Gateway::default(),
        }
    }
}

fn is_beginning(country: &str) -> bool {
    let digits = country.strip_prefix('+').unwrap_or_default();
    (1..=7).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|one| one.is_ascii_digit())
}

/// One gateway: a web address that takes a message. In `url`, `headers` and `body` these gaps are filled, each escaped for
/// where it stands: `{to}` (the number with `+`), `{digits}` (without it), `{text}` (the sentence), `{text_xml}` (escaped
/// for XML), `{code}`, `{language}` (`en`, `de`), `{username}`, `{secret}`, `{basic}` (both for HTTP Basic).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Gateway {
    /// Address of the gateway; nothing is sent without it. It may have gaps behind the `?`. `https`, or `http` on this very
    /// machine. Gaps, here and in `headers` and `body`: `{to}` (the number with `+`), `{digits}` (without it), `{text}`
    /// (the sentence), `{text_xml}` (escaped for XML), `{code}`, `{language}`, `{username}`, `{secret}`, `{basic}` (user and
    /// secret for HTTP Basic).
    #[schemars(example = &"https://gateway.example.org/messages")]
    pub url: Option<String>,

    /// How it is asked: with a body or without one.
    pub method: GatewayMethod,

    /// Headers, as `Name: value`, with gaps.
    #[schemars(example = &["Authorization: Bearer {secret}"])]
    pub headers: Vec<String>,

    /// What `body` is, and how its gaps are escaped.
    pub format: GatewayFormat,

    /// What is sent, with gaps; nothing with `get`.
    #[schemars(example = &r#"{"to": "{to}", "text": "{text}"}"#)]
    pub body: Option<String>,

    /// User name of this service at the gateway, for the gaps `{username}` and `{basic}`.
    #[schemars(example = &"vestibule")]
    pub username: Option<String>,

    /// Secret of this service at the gateway, for the gaps `{secret}` and `{basic}`. Better in a file or in the environment
    /// than here.
    #[schemars(example = &"the secret that the gateway shows")]
    pub secret: Option<Secret<String>>,

    /// File with the secret, instead of `secret`.
    #[schemars(example = &"/run/secrets/sms_gateway")]
    pub secret_file: Option<PathBuf>,

    /// The status with which the gateway says that it took the message. When not set: any from 200 to 299.
    #[schemars(range(min = 200, max = 299), example = 202)]
    pub success_status: Option<u16>,

    /// Where in the gateway's answer (JSON) it says so, as a JSON pointer (RFC 6901). When not set, the status alone counts.
    #[schemars(example = &"/messages/0/status")]
    pub success_field: Option<String>,

    /// What stands there when it took the message.
    #[schemars(example = &["0"], extend("x-one-or-many" = true))]
    pub success_values: Vec<String>,

    /// Whether the gateway may have a private address (loopback, `10.0.0.0/8`, `192.168.0.0/16`, `fc00::/7` and the like).
    pub allow_private_network: bool,

    /// File with the certificates (PEM) that the gateway's certificate is checked against, besides the system's.
    #[schemars(example = &"/etc/vestibule/sms-ca.pem")]
    pub ca_file: Option<PathBuf>,

    /// How long the gateway may take. People wait for it.
    pub timeout: Span,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            url: None,
            method: GatewayMethod::Post,
            headers: Vec::new(),
            format: GatewayFormat::Json,
            body: None,
            username: None,
            secret: None,
            secret_file: None,
            success_status: None,
            success_field: None,
            success_values: Vec::new(),
            allow_private_network: false,
            ca_file: None,
            timeout: Span::seconds(10),
        }
    }
}

/// How a gateway is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GatewayMethod {
    /// POST, with `body`.
    Post,
    /// PUT, with `body`.
    Put,
    /// GET; all stands in `url`.
    Get,
}

/// What is sent to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GatewayFormat {
    /// JSON (`application/json`).
    Json,
    /// A form (`application/x-www-form-urlencoded`).
    Form,
}

impl GatewayFormat {
    /// How gaps are escaped.
    #[must_use]
    pub const fn escape(self) -> Escape {
        match self {
            Self::Json => Escape::Json,
            Self::Form => Escape::Form,
        }
    }
}

impl Sms {
    pub(super) fn check(&self, secrets_read: bool, found: &mut Findings) {
        self.gateway.check("sms", secrets_read, found);
        self.voice.check("sms.voice", secrets_read, found);
        if !self.countries.iter().all(|country| is_beginning(country)) {
            found.wrong("sms.countries", "has something that is no beginning of a number, such as \"+49\"");
        }
        if self.gateway.is_set() || self.voice.is_set() {
            for (key, limit) in [("sms.per_hour", self.per_hour), ("sms.per_day", self.per_day)] {
                if limit == 0 {
                    found.warn(format!("{key} = 0: nothing bounds what codes to phones cost"));
                }
            }
        }
    }
}

impl Gateway {
    /// Whether there is one.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.url.is_some()
    }

    fn check(&self, section: &str, secrets_read: bool, found: &mut Findings) {
        let key = |name: &str| format!("{section}.{name}");
        found.bounds(&key("timeout"), self.timeout, Span::seconds(1), Span::seconds(30));
        let Some(address) = &self.url else {
            if self.body.is_some() || !self.headers.is_empty() || self.secret.is_some() {
                found.wrong(&key("url"), "is missing: nothing can be sent without it");
            }
            return;
        };
        let mut templates = Vec::new();
        let mut read =
            |name: &str, text: &str, escape: Escape, found: &mut Findings| match MessageTemplate::parse(text, escape) {
                Ok(template) => templates.push(template),
                Err(unknown) => found.wrong(&key(name), &format!("has the gap {{{unknown}}}, which nothing fills")),
            };
        read("url", address, Escape::Form, found);
        for header in &self.headers {
            match header.split_once(':') {
                Some((name, value)) if http::HeaderName::from_bytes(name.trim().as_bytes()).is_ok() => {
                    read("headers", value.trim(), Escape::Header, found);
                }
                _ => found.wrong(&key("headers"), "has a line that is no \"Name: value\""),
            }
        }
        if let Some(body) = &self.body {
            read("body", body, self.format.escape(), found);
        }
        Self::check_address(&key("url"), address, found);
        self.check_body(&key("body"), found);
        let named = |gaps: &[Gap]| templates.iter().any(|template| template.has(gaps));
        if !named(&[Gap::To, Gap::Digits]) {
            found.wrong(&key("body"), "has no {to} or {digits}: the gateway would not know the number");
        }
        if !named(&[Gap::Text, Gap::TextXml, Gap::Code]) {
            found.wrong(&key("body"), "has no {text}, {text_xml} or {code}: nobody would learn the code");
        }
        let secret = self.secret.is_some() || (self.secret_file.is_some() && !secrets_read);
        if named(&[Gap::Secret, Gap::Basic]) && !secret {
            found.wrong(&key("secret"), "is missing, and a gap stands for it");
        }
        if named(&[Gap::Username, Gap::Basic]) && self.username.is_none() {
            found.wrong(&key("username"), "is missing, and a gap stands for it");
        }
        if self.success_field.is_some() == self.success_values.is_empty() {
            found.wrong(&key("success_values"), "and success_field belong together: set both or none");
        }
        if self.success_field.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
            found.wrong(&key("success_field"), "is no JSON pointer: it begins with \"/\"");
        }
    }

    fn check_address(key: &str, address: &str, found: &mut Findings) {
        let (place, _) = address.split_once('?').unwrap_or((address, ""));
        if place.contains('{') {
            found.wrong(key, "has a gap in front of its \"?\": which place is asked must not depend on a message");
        }
        let url = url::Url::parse(place).ok();
        let local = url.as_ref().is_some_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        });
        match url.as_ref().map(url::Url::scheme) {
            Some("https") => {}
            Some("http") if local => {}
            _ => found.wrong(key, "is no https address (http is possible on this very machine only)"),
        }
    }

    fn check_body(&self, key: &str, found: &mut Findings) {
        let body = match (self.method, &self.body) {
            (GatewayMethod::Get, Some(_)) => return found.wrong(key, "is not sent with method \"get\""),
            (GatewayMethod::Get, None) => return,
            (_, None) => return found.wrong(key, "is missing"),
            (_, Some(body)) => body,
        };
        let Ok(template) = MessageTemplate::parse(body, self.format.escape()) else { return };
        let filled = template.fill(&Filling::SAMPLE);
        if self.format == GatewayFormat::Json && serde_json::from_str::<serde_json::Value>(&filled).is_err() {
            found.wrong(key, "is no JSON once its gaps are filled; a gap stands inside quotation marks");
        }
        if self.format == GatewayFormat::Form && filled.contains(['\n', '\r']) {
            found.wrong(key, "has a line break: a form is one line");
        }
    }
}

#[cfg(test)]
#[path = "sms_tests.rs"]
mod tests;
