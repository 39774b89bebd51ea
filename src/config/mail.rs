//! `[mail]`: how mails leave this machine.

use std::{net::IpAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, span::Span};
use crate::domain::secret::Secret;

/// The section `[mail]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Name of the SMTP server. When not set, mails are written as files.
    #[schemars(example = &"smtp.example.org")]
    pub host: Option<String>,

    /// Port of the SMTP server. When not set: 587 for `starttls`, 465 for `tls`, 25 for `danger_plain`.
    #[schemars(range(min = 1), example = 587)]
    pub port: Option<u16>,

    /// How the connection is protected.
    pub security: MailSecurity,

    /// User name for the SMTP server; when not set, nothing is presented.
    #[schemars(example = &"vestibule")]
    pub username: Option<String>,

    /// Password for the SMTP server. Better in a file or in the environment than here.
    #[schemars(example = &"the password of the mail account")]
    pub password: Option<Secret<String>>,

    /// File with the password for the SMTP server, instead of `password`.
    #[schemars(example = &"/run/secrets/smtp_password")]
    pub password_file: Option<PathBuf>,

    /// Sender of all mails. When not set: `vestibule@` and the host of `public_url`.
    #[schemars(
        example = &"Vestibule <login@example.org>",
        extend("x-allowed" = "a mail address, or a name with the address in angle brackets")
    )]
    pub from: Option<String>,

    /// File with the certificates (PEM) that the SMTP server's certificate is checked against, instead of the system's.
    #[schemars(example = &"/etc/vestibule/smtp-ca.pem")]
    pub ca_file: Option<PathBuf>,

    /// How long the delivery of one mail to the SMTP server may take.
    pub timeout: Span,

    /// Whether people get a mail when somebody signs in to their account from a browser and network that it was not used
    /// from in the last 180 days. Needs a hash of both to be kept that long.
    pub new_device_notice: bool,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            security: MailSecurity::Starttls,
            username: None,
            password: None,
            password_file: None,
            from: None,
            ca_file: None,
            timeout: Span::seconds(20),
            new_device_notice: true,
        }
    }
}

impl Mail {
    /// The port to connect to.
    #[must_use]
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::Starttls => 587,
            MailSecurity::Tls => 465,
            MailSecurity::DangerPlain => 25,
        })
    }

    /// The sender, given the host of `public_url`.
    #[must_use]
    pub fn sender(&self, public_host: &str) -> String {
        self.from.clone().unwrap_or_else(|| format!("vestibule@{public_host}"))
    }

    pub(super) fn check(&self, secrets_read: bool, found: &mut Findings) {
        found.bounds("mail.timeout", self.timeout, Span::seconds(1), Span::minutes(10));
        if self.from.as_ref().is_some_and(|from| from.parse::<lettre::message::Mailbox>().is_err()) {
            found.wrong("mail.from", "is no mail address");
        }
        if self.username.is_none() && self.password.is_some() {
            found.wrong("mail.password", "needs mail.username as well");
        }
        let given = self.password.is_some() || (self.password_file.is_some() && !secrets_read);
        if self.username.is_some() && !given {
            found.wrong("mail.username", "needs mail.password or mail.password_file as well");
        }
        let Some(host) = &self.host else {
            return found.warn(
                "mail.host is not set: mails are written as files to \"outbox\" in data_dir and reach nobody"
                    .to_owned(),
            );
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/' || c == '@') {
            found.wrong("mail.host", "is no host name");
        }
        let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if self.security == MailSecurity::DangerPlain && !near {
            if self.password.is_some() {
                found
                    .wrong("mail.security", "\"danger_plain\" would send the password of the mail account unencrypted");
            }
            found.warn(format!(
                "mail.security = \"danger_plain\": recovery links travel to {host} unencrypted, \
                 and who reads them can take over accounts"
            ));
        }
    }
}

/// How the connection to the SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS is asked for after connecting; without it nothing is sent.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// No encryption. Only for a server on this machine or on a network you trust entirely.
    DangerPlain,
}
