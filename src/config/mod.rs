//! The typed configuration: one file per section of vestibule.toml. This file holds the whole and the top-level keys.
//!
//! Reading it: `load` (layers and search order) uses `tree` (TOML with lines), `environment` (variables), `spec` (which
//! keys exist), `shape` (do the values fit), `findings` (what is wrong and where). `layers` puts what is stored in the
//! database (`setting`) below both, `survey` says what holds and where it comes from. `reference` writes the documents.
//! Not here: anything that happens with a value.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

pub mod application;
pub mod autologin;
pub mod branding;
pub mod database;
mod database_url;
pub mod directory;
pub mod directory_values;
mod environment;
mod findings;
pub mod identity_provider;
mod layers;
mod load;
pub mod log;
pub mod mail;
pub mod password;
pub mod privacy;
mod public_url;
pub mod redis;
pub mod reference;
pub mod registration;
pub mod second_factor;
pub mod server;
pub mod sessions;
mod setting;
mod shape;
pub mod sms;
mod span;
mod spec;
mod survey;
pub mod throttle;
mod tree;
mod under;
pub mod values;

pub use findings::{ConfigError, Place, Problem};
pub use layers::{Layers, LeftOut, Merged};
pub use load::{Loaded, SEARCHED, Source};
pub use public_url::PublicUrl;
pub use setting::{KeyFault, Marks, Setting, SettingKey};
pub use span::Span;
pub use survey::{Line, of_toml, to_toml};

use findings::Findings;
use values::RootKey;

/// Everything an operator can set. `Default` is what runs without any file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address under which browsers reach this service: scheme, host and port, no path. Links in mails, redirects,
    /// cookie attributes and the audience of tokens follow from it. `http` is accepted for localhost only.
    #[schemars(example = &"https://login.example.org")]
    pub public_url: PublicUrl,

    /// Directory for everything this service writes: the database file, the generated key, the outbox. It is made at
    /// the first start, readable for the service's user only. A relative path counts from the working directory.
    ///
    /// Danger: who can read it can read the data and the key. Back it up as a whole.
    pub data_dir: PathBuf,

    /// Root key: wraps the keys that seal cookies and columns. When neither this nor `secret_key_file` is set, one is
    /// generated at the first start and kept in `secret.key` in `data_dir` (mode 0600). Set it to keep the key apart
    /// from the data.
    ///
    /// Danger: without it sealed data is lost; with it and the data everything can be opened. Better in a file or in
    /// the environment than here.
    #[schemars(example = &"paste the output of: openssl rand -base64 32")]
    pub secret_key: Option<RootKey>,

    /// File with the root key, instead of `secret_key`. Make one with `openssl rand -base64 32`.
    #[schemars(example = &"/run/secrets/vestibule_key")]
    pub secret_key_file: Option<PathBuf>,

    /// Where the service listens, its certificate, the proxies it trusts, and its limits.
    pub server: server::Server,
    /// Where accounts, groups, audit events and everything else that lasts are kept.
    pub database: database::Database,
    /// The session cookie, how long a session lives, and how many there may be.
    pub sessions: sessions::Sessions,
    /// "Stay signed in": a long-lived cookie that opens a new session without a password.
    pub autologin: autologin::Autologin,
    /// Who may sign in with a password, what a password must be like, and how it is kept.
    pub password: password::Password,
    /// The second factor: an app, a key or a code to a phone besides the password.
    pub second_factor: second_factor::SecondFactor,
    /// Codes to phones, as a second factor: the gateway that sends them as text messages (`[sms]`), the one that reads them
    /// out (`[sms.voice]`), and how many may be sent. They are offered where `second_factor.methods` names them.
    pub sms: sms::Sms,
    /// How many failed tries are borne before further ones have to wait. All secrets count: password, second factor,
    /// backup code, recovery. The counters of a person start again when a session opens. 0 turns one limit off.
    pub throttle: throttle::Throttle,
    /// How accounts come to be besides being made by an administrator.
    pub registration: registration::Registration,
    /// How mails leave this machine. Without `host` they are written as files to `outbox` in `data_dir`, and the start
    /// says so.
    pub mail: mail::Mail,
    /// What is written about requests and events, where to, and for how long. Secrets are never written.
    pub log: log::Log,
    /// Whom people can ask about their data; shown at the foot of every page.
    pub privacy: privacy::Privacy,
    /// The name people see.
    pub branding: branding::Branding,
    /// A system that people sign in with: an OpenID provider. Repeat the block for each. Its
    /// button stands on the sign-in page.
    #[serde(rename = "identity_provider")]
    pub identity_providers: Vec<identity_provider::IdentityProvider>,
    /// A site this service guards: its hosts, who may enter, and what it is told about people. Repeat the block for
    /// each application. A request is the business of the application with its host (one with the port before one
    /// without); what the application says holds for all its paths, and `[[application.rule]]` refines it.
    #[serde(rename = "application")]
    pub applications: Vec<application::Application>,
    /// LDAP servers that people sign in against, and that people and groups are synchronised from. Repeat the block for
    /// each directory. Somebody who is unknown here is looked for in one after the other, in this order.
    #[serde(rename = "directory")]
    pub directories: Vec<directory::Directory>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: PublicUrl::local(),
            data_dir: PathBuf::from("./data"),
            secret_key: None,
            secret_key_file: None,
            server: server::Server::default(),
            database: database::Database::default(),
            sessions: sessions::Sessions::default(),
            autologin: autologin::Autologin::default(),
            password: password::Password::default(),
            second_factor: second_factor::SecondFactor::default(),
            sms: sms::Sms::default(),
            throttle: throttle::Throttle::default(),
            registration: registration::Registration::default(),
            mail: mail::Mail::default(),
            log: log::Log::default(),
            privacy: privacy::Privacy::default(),
            branding: branding::Branding::default(),
            identity_providers: Vec::new(),
            applications: Vec::new(),
            directories: Vec::new(),
        }
    }
}

impl Config {
    /// The SQLite file that accounts and everything else that lasts are kept in; `None` when a server keeps them.
    #[must_use]
    pub fn database_file(&self) -> Option<PathBuf> {
        self.database.file(&self.data_dir)
    }

    /// The file that holds the generated root key when none is configured.
    #[must_use]
    pub fn generated_key_file(&self) -> PathBuf {
        self.data_dir.join("secret.key")
    }

    /// The directory that mails are written to when no SMTP server is configured.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.data_dir.join("outbox")
    }

    /// The sender of all mails.
    #[must_use]
    pub fn mail_sender(&self) -> String {
        self.mail.sender(&self.public_url.host())
    }

    /// The name of a cookie as browsers see it: with `__Host-` where that prefix is possible (https, no shared domain;
    /// RFC 6265bis section 4.1.3.2).
    #[must_use]
    pub fn cookie_name(&self, configured: &sessions::CookieName) -> String {
        let host_only = self.public_url.is_https() && self.sessions.cookie_domain.is_none();
        format!("{}{}", if host_only { "__Host-" } else { "" }, configured.as_str())
    }

    fn check(&self, found: &mut Findings) {
        if self.data_dir == Path::new("") {
            found.wrong("data_dir", "is empty");
        }
        if !self.public_url.is_https() {
            found.warn(format!("public_url = \"{}\": only browsers on this machine can sign in", self.public_url));
        } else if self.server.tls().is_none() && self.server.trusted_proxies.is_empty() {
            found.warn(
                "public_url is https, but neither server.tls_certificate nor server.trusted_proxies is set: behind a \
                 proxy, everybody seems to come from the proxy's address"
                    .to_owned(),
            );
        }
    }

    fn check_keys(&self, found: &mut Findings) {
        if self.database.server().is_some() && self.secret_key.is_none() && self.secret_key_file.is_none() {
            found.warn(
                "secret_key and secret_key_file are not set: the root key of this data_dir belongs to the database, and every \
                 other node needs the same one"
                    .to_owned(),
            );
        }
    }

    /// Codes to phones: never offered where nothing could send them, and never alone.
    fn check_codes(&self, found: &mut Findings) {
        use second_factor::FactorMethod;
        let methods = &self.second_factor.methods;
        let key = "second_factor.methods";
        if methods.contains(&FactorMethod::Sms) && !self.sms.gateway.is_set() {
            found.wrong(key, "has \"sms\", and sms.url is not set: nothing could send a code");
        }
        if methods.contains(&FactorMethod::Voice) && !self.sms.voice.is_set() {
            found.wrong(key, "has \"voice\", and sms.voice.url is not set: nothing could send a code");
        }
        let phones = |method: &FactorMethod| matches!(method, FactorMethod::Sms | FactorMethod::Voice);
        if !methods.is_empty() && methods.iter().all(phones) {
            found.wrong(
                key,
                "has codes to phones only: offer \"totp\" or \"passkey\" as well (NIST SP 800-63B-4 section 3.2.9)",
            );
        }
    }

    fn check_cookies(&self, found: &mut Findings) {
        if self.sessions.cookie_name == self.autologin.cookie_name {
            found.wrong("autologin.cookie_name", "must differ from sessions.cookie_name");
        }
        if [&self.sessions.cookie_name, &self.autologin.cookie_name].contains(&&self.second_factor.cookie_name) {
            found.wrong("second_factor.cookie_name", "must differ from those of sessions and autologin");
        }
    }
}

#[cfg(test)]
mod tests;
