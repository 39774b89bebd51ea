//! Mails against a real SMTP server (`tests/support/smtp_peer.py`), and into the outbox.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test whose set-up fails has failed")]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use uuid::Uuid;
use vestibule::connect::mail::{Mail, MailError, Mailer, SmtpSecurity, SmtpSettings};

const FROM: &str = "Vestibule <login@example.org>";
const ID: Uuid = Uuid::from_u128(0xfeed);

fn at() -> Timestamp {
    "2026-03-01T12:30:00Z".parse().unwrap()
}

fn mail_to(to: &str) -> Mail {
    Mail {
        to: to.into(),
        subject: "Passwort zurücksetzen".into(),
        text: "Grüße,\nhttps://login.example.org/x\n".into(),
        html: "<!doctype html>\n<p>Gr&uuml;&szlig;e</p>\n".into(),
    }
}

/// The files of a certificate for 127.0.0.1 and of the authority that signed it.
struct Certificates {
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificates {
    fn make(directory: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        let files = Self {
            ca: directory.join("ca.pem"),
            certificate: directory.join("certificate.pem"),
            key: directory.join("key.pem"),
        };
        fs::write(&files.ca, ca.pem()).unwrap();
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

/// A running SMTP server.
struct Server {
    process: Child,
    port: u16,
    directory: TempDir,
    certificates: Certificates,
}

impl Server {
    fn start(arguments: &[&str], with_tls: bool) -> Self {
        let directory = TempDir::new().unwrap();
        let certificates = Certificates::make(directory.path());
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/smtp_peer.py"));
        command.arg("--directory").arg(directory.path()).args(arguments);
        if with_tls {
            command.arg("--certificate").arg(&certificates.certificate).arg("--key").arg(&certificates.key);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the SMTP peer starts; is aiosmtpd installed?");
        Self { process, port, directory, certificates }
    }

    fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: "127.0.0.1".into(),
            port: self.port,
            security: SmtpSecurity::StartTls,
            ca_file: Some(self.certificates.ca.clone()),
            login: None,
            hello_name: Some("login.example.org".into()),
            timeout: Duration::from_secs(20),
        }
    }

    /// What was said when the first mail came, and the mail itself; `None` if none came.
    fn received(&self) -> Option<(serde_json::Value, String)> {
        let said = fs::read(self.directory.path().join("1.json")).ok()?;
        let mail = fs::read_to_string(self.directory.path().join("1.eml")).unwrap();
        Some((serde_json::from_slice(&said).unwrap(), mail))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself now; this only collects it.
        let _ = self.process.wait();
    }
}

async fn send(settings: &SmtpSettings, mail: &Mail) -> Result<(), MailError> {
    Mailer::smtp(FROM, settings).unwrap().send(mail, at(), ID).await
}

#[tokio::test]
async fn a_mail_is_delivered_over_starttls_with_our_own_authority() {
    let server = Server::start(&[], true);
    send(&server.settings(), &mail_to("anna@example.org")).await.unwrap();
    let (said, mail) = server.received().unwrap();
    assert_eq!(said["from"], "login@example.org");
    assert_eq!(said["to"], serde_json::json!(["anna@example.org"]));
    assert_eq!(said["hello"], "login.example.org");
    assert_eq!(said["tls"], true);
    let (headers, body) = mail.split_once("\r\n\r\n").unwrap();
    for line in [
        "From: Vestibule <login@example.org>",
        "To: anna@example.org",
        "Date: Sun, 01 Mar 2026 12:30:00 +0000",
        "Message-ID: <0000000000000000000000000000feed@example.org>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(headers.lines().any(|header| header == line), "{line} is not in {headers}");
    }
    assert!(headers.is_ascii() && !headers.contains("zurücksetzen"), "{headers}");
    assert!(headers.contains("Content-Type: multipart/alternative;"), "{headers}");
    let (text, html) = body.split_once("Content-Type: text/html; charset=utf-8\r\n").expect("HTML comes last");
    assert!(text.contains("Content-Type: text/plain; charset=utf-8\r\n"), "{body}");
    assert!(text.contains("https://login.example.org/x"), "{body}");
    assert!(html.contains("<p>Gr&uuml;&szlig;e</p>"), "{body}");
}

#[tokio::test]
async fn a_mail_without_html_is_one_text() {
    let server = Server::start(&[], true);
    send(&server.settings(), &Mail { html: String::new(), ..mail_to("anna@example.org") }).await.unwrap();
    let (_, mail) = server.received().unwrap();
    assert!(mail.contains("Content-Type: text/plain; charset=utf-8\r\n") && !mail.contains("multipart"), "{mail}");
}

#[tokio::test]
async fn a_mail_is_delivered_over_implicit_tls_with_login() {
    let server = Server::start(&["--implicit-tls", "--login", "vestibule:s3cret"], true);
    let login = Some(("vestibule".to_owned(), "s3cret".to_owned()));
    let settings = SmtpSettings { security: SmtpSecurity::Tls, login, ..server.settings() };
    send(&settings, &mail_to("anna@example.org")).await.unwrap();
    assert_eq!(server.received().unwrap().0["login"], "vestibule");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let server = Server::start(&[], true);
    let elsewhere = TempDir::new().unwrap();
    let settings = SmtpSettings { ca_file: Some(Certificates::make(elsewhere.path()).ca), ..server.settings() };
    let error = send(&settings, &mail_to("anna@example.org")).await.unwrap_err();
    assert!(matches!(error, MailError::Insecure(_)), "{error}");
    assert!(!error.is_transient());
    let error =
        send(&SmtpSettings { ca_file: None, ..server.settings() }, &mail_to("anna@example.org")).await.unwrap_err();
    assert!(matches!(error, MailError::Insecure(_)), "{error}");
    assert!(server.received().is_none());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = Server::start(&[], true);
    let settings = SmtpSettings { host: "localhost".into(), ..server.settings() };
    let error = send(&settings, &mail_to("anna@example.org")).await.unwrap_err();
    assert!(matches!(error, MailError::Insecure(_)), "{error}");
    assert!(server.received().is_none());
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail_unless_it_is_allowed() {
    let server = Server::start(&[], false);
    let error = send(&server.settings(), &mail_to("anna@example.org")).await.unwrap_err();
    assert!(matches!(error, MailError::Insecure(_)), "{error}");
    assert!(server.received().is_none());
    let plain = SmtpSettings { security: SmtpSecurity::DangerPlain, ..server.settings() };
    send(&plain, &mail_to("anna@example.org")).await.unwrap();
    assert_eq!(server.received().unwrap().0["tls"], false);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_transient_error() {
    let server = Server::start(&[], true);
    let mailer = Mailer::smtp(FROM, &server.settings()).unwrap();
    drop(server);
    let error = mailer.send(&mail_to("anna@example.org"), at(), ID).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_refused_login_is_told_as_such() {
    let server = Server::start(&["--login", "vestibule:s3cret"], true);
    let wrong = SmtpSettings { login: Some(("vestibule".into(), "wr0ng".into())), ..server.settings() };
    for settings in [wrong, server.settings()] {
        let error = send(&settings, &mail_to("anna@example.org")).await.unwrap_err();
        assert!(matches!(error, MailError::Login(_)), "{error}");
        assert!(!error.to_string().contains("wr0ng") && !format!("{settings:?}").contains("wr0ng"), "{error}");
    }
    assert!(server.received().is_none());
}

#[tokio::test]
async fn refused_recipients_are_told_apart_and_never_named() {
    let server = Server::start(&[], true);
    for (to, transient) in [("unknown@example.org", false), ("busy@example.org", true)] {
        let error = send(&server.settings(), &mail_to(to)).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{error}");
        assert!(matches!(error, MailError::Permanent(_) | MailError::Transient(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("example.org"), "{error:?}");
    }
    assert!(server.received().is_none());
}

#[tokio::test]
async fn nothing_that_is_said_can_become_a_header() {
    let server = Server::start(&[], true);
    let fine = mail_to("anna@example.org");
    let attempts = [
        Mail { subject: "Hello\r\nBcc: eve@example.org".into(), ..fine.clone() },
        Mail { subject: "Hello\nBcc: eve@example.org".into(), ..fine.clone() },
        Mail { to: "anna@example.org\r\nBcc: eve@example.org".into(), ..fine.clone() },
        Mail { to: "anna@example.org,eve@example.org".into(), ..fine.clone() },
        Mail { to: "anna@example.org> RCPT TO:<eve@example.org".into(), ..fine.clone() },
        Mail { to: "\"a\r\nb\"@example.org".into(), ..fine.clone() },
        Mail { to: "anna".into(), ..fine.clone() },
        Mail { html: "<p>\r\n.\r\nMAIL FROM:<eve@example.org>\r\n".into(), ..fine.clone() },
        Mail { text: "Hello\r\n.\r\nMAIL FROM:<eve@example.org>\r\n".into(), ..fine.clone() },
    ];
    for mail in attempts {
        let error = send(&server.settings(), &mail).await.unwrap_err();
        assert!(matches!(error, MailError::Invalid(_)), "{error}");
    }
    assert!(server.received().is_none());
    let dots = Mail { text: ".\n.\nBcc: eve@example.org\n".into(), ..fine };
    send(&server.settings(), &dots).await.unwrap();
    let (said, mail) = server.received().unwrap();
    assert_eq!(said["to"], serde_json::json!(["anna@example.org"]));
    assert!(!mail.split_once("\r\n\r\n").unwrap().0.contains("eve"), "{mail}");
}

#[tokio::test]
async fn set_ups_that_cannot_work_are_refused_at_once() {
    let server = Server::start(&[], true);
    assert!(matches!(Mailer::smtp("nobody", &server.settings()), Err(MailError::Invalid(_))));
    assert!(matches!(Mailer::smtp("A\r\nB: c <a@example.org>", &server.settings()), Err(MailError::Invalid(_))));
    let no_file = SmtpSettings { ca_file: Some("/missing/ca.pem".into()), ..server.settings() };
    let told = Mailer::smtp(FROM, &no_file).unwrap_err().to_string();
    assert!(told.contains("/missing/ca.pem"), "{told}");
    let no_pem = SmtpSettings { ca_file: Some(server.certificates.key.clone()), ..server.settings() };
    assert!(matches!(Mailer::smtp(FROM, &no_pem), Err(MailError::SetUp(_))));
    let no_name = SmtpSettings { hello_name: Some("a b\r\n".into()), ..server.settings() };
    assert!(matches!(Mailer::smtp(FROM, &no_name), Err(MailError::SetUp(_))));
}

#[tokio::test]
async fn without_a_server_mails_become_whole_private_files() {
    let data = TempDir::new().unwrap();
    let outbox = data.path().join("outbox");
    let mailer = Mailer::outbox(FROM, outbox.clone()).unwrap();
    mailer.send(&mail_to("anna@example.org"), at(), ID).await.unwrap();
    let entries: Vec<_> = fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap()).collect();
    let names: Vec<_> = entries.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(names, ["0000000000000000000000000000feed.eml"]);
    for (path, mode) in [(outbox.clone(), 0o700), (outbox.join(&names[0]), 0o600)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let mail = fs::read_to_string(outbox.join(&names[0])).unwrap();
    assert!(mail.contains("To: anna@example.org\r\n") && mail.contains("https://login.example.org/x"), "{mail}");
    assert!(mail.contains("<p>Gr&uuml;&szlig;e</p>"), "both forms are kept: {mail}");
}
