//! Hands mails to an SMTP server, or writes them into the outbox directory where none is set up.
//! What a mail says, and whether a failed one is tried again, is decided by services.

use std::{
    fmt, fs, io,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};
use uuid::Uuid;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Plain at first, then STARTTLS; a server that does not offer it is refused. Usual on port 587.
    StartTls,
    /// TLS from the first byte. Usual on port 465.
    Tls,
    /// Nothing at all: mails, with the links in them, and the password can be read on the way.
    DangerPlain,
}

/// How to reach the mail server.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Name (as in its certificate) or address.
    pub host: String,
    /// Usually 587 with STARTTLS and 465 with TLS.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// PEM file of the authorities that may have signed the server's certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// User name and password.
    pub login: Option<(String, String)>,
    /// How we call ourselves (EHLO); without it the machine's name.
    pub hello_name: Option<String>,
    /// For each step of the conversation.
    pub timeout: Duration,
}

impl fmt::Debug for SmtpSettings {
    /// Shows neither user name nor password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// A mail to one person: text, and the same as HTML for programs that show it (RFC 2046 section 5.1.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address, without name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The body; lines end with `\n`.
    pub text: String,
    /// The body as an HTML document; empty for a mail that is text alone.
    pub html: String,
}

impl fmt::Debug for Mail {
    /// Shows that there is a mail, not to whom or about what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

/// Why a mail was not handed over, or why mailing cannot be set up. No variant holds an address or a part of a mail.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The mail (or the sender's address) is not one that could be sent; trying again is useless.
    #[error("not a mail that can be sent: {0}")]
    Invalid(&'static str),
    /// The server cannot be reached or cannot take the mail now; it may succeed later.
    #[error("the mail server does not take mails now: {0}")]
    Transient(String),
    /// The server refuses this mail for good.
    #[error("the mail server refuses the mail: {0}")]
    Permanent(String),
    /// The server refuses our user name and password, or wants some.
    #[error("the mail server refuses our login: {0}")]
    Login(String),
    /// The connection cannot be protected as demanded: wrong certificate, or no STARTTLS. Nothing was sent.
    #[error("no protected connection to the mail server: {0}")]
    Insecure(String),
    /// The set-up is unusable.
    #[error("mail set-up: {0}")]
    SetUp(String),
    /// The outbox cannot be written.
    #[error("cannot write to the outbox {path}: {source}")]
    Outbox {
        /// The outbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl MailError {
    /// Whether the same mail may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_) | Self::Outbox { .. })
    }
}

/// Hands mails over, from one sender's address.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Outbox(PathBuf),
}

impl Mailer {
    /// Through an SMTP server. `from` is an address, with or without name (`Vestibule <login@example.org>`). Reads the CA
    /// file; does not connect yet.
    pub fn smtp(from: &str, settings: &SmtpSettings) -> Result<Self, MailError> {
        let tls = match settings.security {
            SmtpSecurity::StartTls => Tls::Required(tls_parameters(settings)?),
            SmtpSecurity::Tls => Tls::Wrapper(tls_parameters(settings)?),
            SmtpSecurity::DangerPlain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.as_str())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout));
        if let Some(name) = &settings.hello_name {
            builder = builder.hello_name(hello(name)?);
        }
        if let Some((user, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { from: sender(from)?, way: Way::Smtp(Box::new(builder.build())) })
    }

    /// Into files `{id}.eml` in `directory`, which is made (mode 0700) if it is missing.
    pub fn outbox(from: &str, directory: PathBuf) -> Result<Self, MailError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|source| MailError::Outbox { path: directory.clone(), source })?;
        Ok(Self { from: sender(from)?, way: Way::Outbox(directory) })
    }

    /// Hands one mail over. `at` becomes its date; `id`, which must be random, its Message-ID.
    pub async fn send(&self, mail: &Mail, at: Timestamp, id: Uuid) -> Result<(), MailError> {
        let message = self.compose(mail, at, id)?;
        match &self.way {
            Way::Smtp(server) => server.send(message).await.map(drop).map_err(|error| from_smtp(&error)),
            Way::Outbox(directory) => {
                let directory = directory.clone();
                let written = tokio::task::spawn_blocking(move || {
                    deposit(&directory, id, &message.formatted())
                        .map_err(|source| MailError::Outbox { path: directory, source })
                });
                written.await.map_err(|error| MailError::Transient(error.to_string()))?
            }
        }
    }

    fn compose(&self, mail: &Mail, at: Timestamp, id: Uuid) -> Result<Message, MailError> {
        // The headers are encoded by lettre; a control character is still a sign that somebody tries something.
        if mail.subject.is_empty() || mail.subject.contains(char::is_control) {
            return Err(MailError::Invalid("the subject is empty or more than one line"));
        }
        let strange = |char: char| char.is_control() && char != '\n' && char != '\t';
        if mail.text.contains(strange) || mail.html.contains(strange) {
            return Err(MailError::Invalid("the text holds control characters"));
        }
        let to = address(&mail.to)?;
        let builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.as_str())
            .date(SystemTime::from(at))
            .message_id(Some(format!("<{}@{}>", id.simple(), self.from.email.domain())))
            .header(AutoSubmitted);
        let text = SinglePart::plain(mail.text.clone());
        let composed = if mail.html.is_empty() {
            builder.singlepart(text)
        } else {
            // The better form comes last. The boundary is random as the identifier is, so no text can hold it.
            let boundary = format!("part-{}", id.simple());
            let parts = MultiPart::alternative().boundary(boundary).singlepart(text);
            builder.multipart(parts.singlepart(SinglePart::html(mail.html.clone())))
        };
        composed.map_err(|_| MailError::Invalid("it cannot be put together"))
    }
}

/// Whether a mail can be sent to this address, as far as its form tells.
#[must_use]
pub fn is_address(text: &str) -> bool {
    address(text).is_ok()
}

/// RFC 3834 section 5: keeps out-of-office replies away.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// RFC 5321 section 4.5.3.1.3: a path has at most 256 octets with its angle brackets.
const LONGEST_ADDRESS: usize = 254;

fn address(text: &str) -> Result<Address, MailError> {
    const INVALID: MailError = MailError::Invalid("the recipient is not an e-mail address");
    // A quoted local part may hold nearly anything; nobody's real address does.
    let suspicious = |char: char| char.is_control() || char.is_whitespace() || "\"<>(),;:\\[]".contains(char);
    if text.len() > LONGEST_ADDRESS || text.contains(suspicious) {
        return Err(INVALID);
    }
    text.parse().map_err(|_| INVALID)
}

fn sender(text: &str) -> Result<Mailbox, MailError> {
    const INVALID: MailError = MailError::Invalid("the sender is not an e-mail address");
    let mailbox: Mailbox =
        if text.contains(char::is_control) { Err(INVALID) } else { text.parse().map_err(|_| INVALID) }?;
    address(mailbox.email.as_ref()).map_err(|_| INVALID)?;
    Ok(mailbox)
}

fn hello(name: &str) -> Result<ClientId, MailError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(match address {
            IpAddr::V4(address) => ClientId::Ipv4(address),
            IpAddr::V6(address) => ClientId::Ipv6(address),
        });
    }
    let well_formed =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let unusable = || MailError::SetUp("the name for EHLO is neither a host name nor an address".into());
    well_formed.then(|| ClientId::Domain(name.to_owned())).ok_or_else(unusable)
}

fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, MailError> {
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let told = |what: &dyn fmt::Display| MailError::SetUp(format!("CA file {}: {what}", path.display()));
        let pem = fs::read(path).map_err(|error| told(&error))?;
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(told(&"it holds no PEM certificate"));
        }
        let authorities = Certificate::from_pem(&pem).map_err(|_| told(&"it holds a damaged certificate"))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(authorities);
    }
    parameters.build().map_err(|error| MailError::SetUp(format!("TLS: {error}")))
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Whole or not at all: whoever watches the outbox never sees half a mail.
fn deposit(directory: &Path, id: Uuid, message: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(format!(".{}.tmp", id.simple()));
    let written = write_new(&unfinished, message)
        .and_then(|()| fs::rename(&unfinished, directory.join(format!("{}.eml", id.simple()))));
    if written.is_err() {
        // Half a mail helps nobody; the first error is the one worth telling.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()
}

/// RFC 4954 section 6 and RFC 5321 section 4.2.3.
const LOGIN_CODES: [&str; 4] = ["530", "534", "535", "538"];

fn from_smtp(error: &smtp::Error) -> MailError {
    let text = without_addresses(error);
    if error.status().is_some_and(|code| LOGIN_CODES.contains(&code.to_string().as_str())) {
        MailError::Login(text)
    } else if error.is_permanent() {
        MailError::Permanent(text)
    } else if error.is_tls() || is_certificate_error(error) {
        MailError::Insecure(text)
    } else if error.is_client() {
        // lettre gives up by itself when the server lacks something; what, is told in words only.
        if text.contains("STARTTLS") {
            MailError::Insecure(text)
        } else if text.contains("authentication") {
            MailError::Login(text)
        } else {
            MailError::Permanent(text)
        }
    } else {
        MailError::Transient(text)
    }
}

/// A refused certificate comes as an I/O error of the connection.
fn is_certificate_error(error: &smtp::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if cause.is::<rustls::Error>() || inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Servers like to repeat the recipient in their answers.
fn without_addresses(error: &smtp::Error) -> String {
    let text = error.to_string();
    let words = text.split_whitespace().map(|word| if word.contains('@') { "[address]" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
