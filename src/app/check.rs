//! What `check-config` looks at beyond the configuration's own text: the files that it names.

use super::{directories, mapping, saml, sources, volatile};
use crate::config::Config;
use crate::config::sessions::SessionStore;
use crate::web::tls::{TlsFiles, TlsIdentity};
use std::path::Path;

/// What would stop `serve`, a line each; nothing is made or changed by looking.
pub(super) fn obstacles(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if let Some((certificate, key)) = config.server.tls() {
        let files = TlsFiles { certificate: certificate.to_owned(), key: key.to_owned() };
        if let Err(error) = TlsIdentity::load(files) {
            found.push(format!("server.tls_certificate, server.tls_key: {error}"));
        }
    }
    if config.sessions.store == SessionStore::Redis
        && let Err(error) = volatile::redis(config, mapping::policy(config).lifetimes.into())
    {
        found.push(error);
    }
    for (key, file) in [
        ("ca_file", &config.database.ca_file),
        ("certificate_file", &config.database.certificate_file),
        ("key_file", &config.database.key_file),
    ] {
        if let Some(file) = file.as_ref().filter(|file| !file.is_file()) {
            found.push(format!("database.{key}: there is no file {}", file.display()));
        }
    }
    found.append(&mut unusable(config));
    if let Some(file) = &config.log.file
        && !folder_of(file).is_dir()
    {
        found.push(format!("log.file: there is no folder {}", folder_of(file).display()));
    }
    found
}

/// What of it would stop a running service from following this configuration, a line each.
pub(super) fn unusable(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    // Without a mail server there is only a folder to be made.
    if config.mail.host.is_some()
        && let Err(error) = mapping::mailer(config)
    {
        found.push(format!("mail: {error}"));
    }
    if let Err(error) = sources::providers(config) {
        found.push(error);
    }
    if let Err(error) = saml::settings(config) {
        found.push(error);
    }
    if let Err(error) = directories::connected(config) {
        found.push(error.to_string());
    }
    found
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}
