//! From the operator's words to the services' terms.

use super::{gateways, sources};
use crate::config::Config;
use crate::config::application::{self as site, AccessRule};
use crate::config::database::{DatabaseTls, ServerUrl};
use crate::config::log::LogFormat as Format;
use crate::config::mail::MailSecurity;
use crate::config::password::{CharacterClass, PasswordLogin as Login};
use crate::config::registration::RegistrationMode;
use crate::config::second_factor::{FactorMethod, Required};
use crate::config::values::Network;
use crate::connect::log::{LogFormat, LogSettings, LogStream};
use crate::connect::log_file::LogFileSettings;
use crate::connect::mail::{MailError, Mailer, SmtpSecurity, SmtpSettings};
use crate::domain::account::fold;
use crate::domain::application::{Anonymous, Application, Applications, Rule};
use crate::domain::authenticator::{Kind, Requirement};
use crate::domain::forwarded::TrustedNetworks;
use crate::domain::group::GroupKey;
use crate::domain::password::{Class, Rules, Strength};
use crate::domain::redirect::{AllowedOrigin, Ports};
use crate::domain::secret::Secret;
use crate::domain::session::Lifetimes;
use crate::domain::throttle::Limit;
use crate::domain::time::days;
use crate::service::core::{PasswordLogin, Policy, RegistrationPolicy, SelfRegistration};
use crate::service::factor::FactorPolicy;
use crate::service::hasher;
use crate::service::limiter::Limits;
use crate::store::{ClientFiles, Place, Protection, Server, ServerPlace};
use crate::web::cookies::Cookies;
use crate::web::listener::ListenerSettings;
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;

/// The policy.
#[must_use]
pub fn policy(config: &Config) -> Policy {
    let applications: Vec<_> = config.applications.iter().map(application).collect();
    Policy {
        public_url: config.public_url.origin().to_owned(),
        product: config.branding.name.clone(),
        lifetimes: Lifetimes {
            idle: config.sessions.idle_timeout.duration(),
            absolute: config.sessions.absolute_timeout.duration(),
        },
        max_sessions: config.sessions.max_per_account,
        drop_old_on_login: config.sessions.drop_old_on_login,
        drop_all_on_logout: config.sessions.drop_all_on_logout,
        trace_days: config.log.trace_days,
        autologin_days: config.autologin.days,
        password_login: password_login(config),
        rules: rules(config),
        password_history: config.password.history,
        password_max_age: days(config.password.expire_after_days),
        recovery: config.password.recovery,
        invitation_days: config.registration.invitation_days,
        new_device_notice: config.mail.new_device_notice,
        registration: registration(config),
        email_change: config.password.email_change,
        factor: factor(config),
        redirect_origins: Arc::new(redirect_origins(config)),
        sources: Arc::new(sources::rules(config)),
        applications: Arc::new(Applications::new(applications)),
    }
}

fn factor(config: &Config) -> FactorPolicy {
    let section = &config.second_factor;
    let kind = |method: &FactorMethod| match method {
        FactorMethod::Totp => Kind::Totp,
        FactorMethod::Passkey => Kind::Passkey,
        FactorMethod::Sms | FactorMethod::Voice => Kind::Phone,
    };
    let mut kinds: Vec<_> = section.methods.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    FactorPolicy {
        requirement: Requirement {
            all: section.required == Required::All,
            administrators: section.required == Required::Admins,
            groups: section.required_groups.iter().map(|group| GroupKey::of(group.as_str())).collect(),
        },
        kinds,
        channels: gateways::channels(config),
        countries: config.sms.countries.clone(),
        passkey_sign_in: section.passkey_sign_in,
        remember_days: section.remember_days,
        totp_skew: u16::try_from(section.totp_skew).unwrap_or(1),
        fresh_for: section.fresh_for.duration(),
    }
}

fn registration(config: &Config) -> RegistrationPolicy {
    let mode = match config.registration.mode {
        RegistrationMode::Off => SelfRegistration::Off,
        RegistrationMode::Mail => SelfRegistration::Mail,
        RegistrationMode::Manual => SelfRegistration::Manual,
        RegistrationMode::Automatic => SelfRegistration::Automatic,
    };
    RegistrationPolicy { mode, domains: config.registration.domains.iter().map(|domain| fold(domain)).collect() }
}

fn password_login(config: &Config) -> PasswordLogin {
    let internal = || config.password.internal.iter().map(|name| fold(name.trim())).collect();
    match config.password.login {
        Login::All => PasswordLogin::All,
        Login::ExceptSso => PasswordLogin::ExceptSso { internal: internal() },
        Login::None => PasswordLogin::Nobody { except: internal() },
    }
}

fn rules(config: &Config) -> Rules {
    let class = |class: &CharacterClass| match class {
        CharacterClass::Lowercase => Class::Lowercase,
        CharacterClass::Uppercase => Class::Uppercase,
        CharacterClass::Digit => Class::Digit,
        CharacterClass::Special => Class::Special,
    };
    Rules {
        min_length: usize::try_from(config.password.min_length).unwrap_or(usize::MAX),
        required_classes: config.password.required_classes.iter().map(class).collect(),
        min_strength: Strength::from_level(config.password.min_strength).unwrap_or(Strength::Strong),
        refuse_common: config.password.refuse_common,
    }
}

fn application(app: &site::Application) -> Application {
    Application {
        slug: app.slug.as_str().to_owned(),
        name: app.display_name().to_owned(),
        hosts: app.hosts.iter().map(ToString::to_string).collect(),
        rules: app.access_rules().iter().map(rule).collect(),
        signed_identity: app.jwt,
        audience: app.token_audience().to_owned(),
    }
}

fn rule(rule: &AccessRule) -> Rule {
    Rule {
        prefix: rule.prefix.as_str().to_owned(),
        groups: rule.groups.iter().map(|group| GroupKey::of(group.as_str())).collect(),
        second_factor: rule.second_factor,
        max_age: rule.max_age.map(Into::into),
        networks: rule.networks.iter().map(Network::net).collect(),
        anonymous: match rule.anonymous {
            site::Anonymous::None => Anonymous::None,
            site::Anonymous::ReadOnly => Anonymous::ReadOnly,
        },
    }
}

/// The applications' secrets by slug.
#[must_use]
pub fn application_secrets(config: &Config) -> HashMap<String, Secret<String>> {
    let with_secret =
        config.applications.iter().filter_map(|app| Some((app.slug.as_str().to_owned(), app.secret.clone()?)));
    with_secret.collect()
}

/// Where people may be sent: ourselves, and every host of an application by https; by http only what is on this very
/// machine, since a session must not be carried to a place that others on the wire can read.
fn redirect_origins(config: &Config) -> Vec<AllowedOrigin> {
    let mut origins: Vec<_> =
        url::Url::parse(config.public_url.origin()).ok().iter().filter_map(AllowedOrigin::of).collect();
    for host in config.applications.iter().flat_map(|app| &app.hosts) {
        let name = host.name().to_owned();
        let local = matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]") || name.ends_with(".localhost");
        let ports = host.port().map_or(Ports::Any, |port| Ports::One(Some(port)));
        let origin = |scheme: &str| AllowedOrigin { scheme: scheme.to_owned(), host: name.clone(), ports };
        if local {
            origins.push(origin("http"));
        }
        origins.push(origin("https"));
    }
    origins
}

/// Where the durable database is.
#[must_use]
pub fn database(config: &Config) -> Place {
    match (config.database.server(), config.database_file()) {
        (Some(url), _) => Place::Server(Box::new(server(config, url))),
        (None, file) => Place::File(file.unwrap_or_else(|| config.data_dir.join("vestibule.db"))),
    }
}

fn server(config: &Config, url: &ServerUrl) -> Server {
    let database = &config.database;
    let place = match &url.socket {
        Some(folder) => ServerPlace::Socket(folder.clone()),
        None => ServerPlace::Host(url.host.clone()),
    };
    Server {
        place,
        port: url.port,
        user: url.user.clone(),
        password: database.password.clone(),
        database: url.database.clone(),
        schema: database.schema.as_str().to_owned(),
        protection: match database.protection(url) {
            DatabaseTls::Verified => Protection::Verified,
            DatabaseTls::DangerUnverified => Protection::Unverified,
            DatabaseTls::DangerPlain => Protection::Plain,
        },
        ca_file: database.ca_file.clone(),
        client: client_files(database),
        max_connections: database.max_connections,
        acquire_timeout: database.acquire_timeout.duration(),
        statement_timeout: database.statement_timeout.duration(),
        lock_timeout: database.lock_timeout.duration(),
        idle_transaction_timeout: database.idle_transaction_timeout.duration(),
        migrate: database.migrate_at_start,
    }
}

/// Both or none: the configuration was checked.
fn client_files(database: &crate::config::database::Database) -> Option<ClientFiles> {
    let (certificate, key) = (database.certificate_file.clone()?, database.key_file.clone()?);
    Some(ClientFiles { certificate, key })
}

/// How passwords are hashed.
#[must_use]
pub fn hashing(config: &Config) -> hasher::Settings {
    let hashing = &config.password.hashing;
    hasher::Settings {
        memory_kib: hashing.memory_kib,
        iterations: hashing.iterations,
        parallelism: hashing.parallelism,
        workers: usize::try_from(hashing.workers).ok().and_then(NonZero::new),
        queue: usize::try_from(hashing.queue).unwrap_or(usize::MAX),
        ..hasher::Settings::default()
    }
}

/// How many failures are borne.
#[must_use]
pub fn limits(config: &Config) -> Limits {
    let throttle = &config.throttle;
    let limit = |failures: u32, window: &crate::config::Span| Limit { failures, window: window.duration() };
    Limits {
        account: limit(throttle.account_failures, &throttle.account_window),
        address: limit(throttle.address_failures, &throttle.address_window),
        network: limit(throttle.network_failures, &throttle.network_window),
        recovery_account: limit(throttle.recovery_per_account, &throttle.recovery_window),
        codes: gateways::limits(config),
        recovery_address: limit(throttle.recovery_per_address, &throttle.recovery_window),
    }
}

/// The cookies' names.
#[must_use]
pub fn cookies(config: &Config) -> Cookies {
    let host_only = config.public_url.is_https() && config.sessions.cookie_domain.is_none();
    let own = |name: &str| format!("{}{name}", if host_only { "__Host-" } else { "" });
    Cookies {
        session: config.cookie_name(&config.sessions.cookie_name),
        autologin: config.cookie_name(&config.autologin.cookie_name),
        device: config.cookie_name(&config.second_factor.cookie_name),
        attempt: own("_vestibule_attempt"),
        csrf: own("_vestibule_csrf"),
        flash: own("_vestibule_flash"),
        domain: config.sessions.cookie_domain.as_ref().map(|domain| domain.as_str().to_owned()),
    }
}

/// Whose forwarding headers count.
#[must_use]
pub fn trusted_proxies(config: &Config) -> TrustedNetworks {
    TrustedNetworks::new(config.server.trusted_proxies.iter().map(Network::net).collect())
}

/// The main listener.
#[must_use]
pub fn listener(config: &Config) -> ListenerSettings {
    let server = &config.server;
    ListenerSettings {
        listen: server.listen,
        header_timeout: server.header_timeout.duration(),
        max_header_bytes: usize::try_from(server.max_header_bytes).unwrap_or(usize::MAX),
        drain_timeout: server.drain_timeout.duration(),
        ..ListenerSettings::default()
    }
}

/// The mail server, or the outbox folder.
///
/// # Errors
/// [`MailError`] when the set-up is unusable.
pub fn mailer(config: &Config) -> Result<Mailer, MailError> {
    let mail = &config.mail;
    let from = config.mail_sender();
    let Some(host) = &mail.host else { return Mailer::outbox(&from, config.outbox()) };
    let settings = SmtpSettings {
        host: host.clone(),
        port: mail.effective_port(),
        security: match mail.security {
            MailSecurity::Starttls => SmtpSecurity::StartTls,
            MailSecurity::Tls => SmtpSecurity::Tls,
            MailSecurity::DangerPlain => SmtpSecurity::DangerPlain,
        },
        ca_file: mail.ca_file.clone(),
        login: mail.username.clone().zip(mail.password.as_ref().map(|password| password.expose().clone())),
        hello_name: Some(config.public_url.host()),
        timeout: mail.timeout.duration(),
    };
    Mailer::smtp(&from, &settings)
}

/// The log.
#[must_use]
pub fn log(config: &Config) -> LogSettings {
    let log = &config.log;
    let file = log.file.clone().map(|path| LogFileSettings {
        path,
        max_bytes: log.max_bytes,
        // The file being written counts as well.
        max_files: log.keep_files.saturating_add(1),
        max_age_days: log.max_age_days,
    });
    let format = match log.format {
        Format::Pretty => LogFormat::Pretty,
        Format::Json => LogFormat::Json,
    };
    let stream = if file.is_some() { LogStream::Off } else { LogStream::Stderr };
    LogSettings { level: log.level.as_str().to_owned(), format, stream, file }
}
