//! The mails that people get, as plain text and as HTML with the same words: what each one says, in the language of the
//! reader. Sending them is in `connect/`; who gets one and when is decided by the use cases.

use crate::service::access_news::AccessNews;
use crate::service::texts::{Texts, Value};
use askama::Template;

/// The longest name that a greeting repeats; longer ones carry messages.
const LONGEST_GREETED_NAME: usize = 64;

/// A mail, with what its text needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter<'a> {
    /// The way to a new password for someone who lost the old one.
    PasswordRecovery {
        /// The address of the page that takes the new password, with its token.
        link: &'a str,
        /// How long the link works.
        minutes: u32,
    },
    /// To someone who lost a password that a directory keeps.
    PasswordElsewhere {
        /// The directory's name.
        directory: &'a str,
        /// The page on which it is changed, if there is one.
        link: Option<&'a str>,
    },
    /// To somebody for whom an account was made: it waits for its owner.
    Invitation {
        /// The address of the page that takes the password, with its token.
        link: &'a str,
        /// How long the link works.
        days: u32,
        /// Until when the account is there, in the language of the reader; `None` is for ever.
        ends: Option<&'a str>,
    },
    /// To an address that somebody wants to register.
    Registration {
        /// The address of the page that takes names and password, with its token.
        link: &'a str,
        /// How long the link works.
        hours: u32,
    },
    /// To an address that somebody wants to register, and that has an account.
    AlreadyRegistered {
        /// The address of the sign-in page.
        link: &'a str,
    },
    /// To an administrator: somebody has registered and waits.
    RegistrationWaits {
        /// Their username.
        username: &'a str,
    },
    /// To somebody who waited: the account can be used now.
    Approved {
        /// The address of the sign-in page.
        link: &'a str,
    },
    /// To a new address: does it belong to the account?
    ConfirmEmail {
        /// The address of the page that confirms, with its token.
        link: &'a str,
        /// How long the link works.
        hours: u32,
        /// The address to be confirmed.
        new_address: &'a str,
    },
    /// To the old address: another one counts now.
    EmailChanged {
        /// The new address, with most of it hidden.
        masked_address: &'a str,
    },
    /// The password is another one now.
    PasswordChanged {
        /// When, in the language and time zone of the reader.
        when: &'a str,
    },
    /// A directory checks the password no more.
    Unlinked {
        /// Which, as people read it.
        directory: &'a str,
        /// When, in the language and time zone of the reader.
        when: &'a str,
    },
    /// Somebody signed in from a browser and network that the account was not seen with.
    NewDevice {
        /// Browser and system, in words.
        device: &'a str,
        /// The network, cut.
        network: &'a str,
        /// When, in the language and time zone of the reader.
        when: &'a str,
    },
    /// Something happened to what the account is entered with.
    Factor {
        /// What.
        news: &'a AccessNews,
        /// When, in the language and time zone of the reader.
        when: &'a str,
    },
    /// An old autologin token came back, so somebody has a copy; its sessions were ended.
    AutologinTheft {
        /// The device that was remembered, in words.
        device: &'a str,
        /// When, in the language and time zone of the reader.
        when: &'a str,
    },
}

/// A mail as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject: one line without control characters, not yet encoded for a header.
    pub subject: String,
    /// The text, lines ended by `\n`, paragraphs not wrapped.
    pub body: String,
    /// The same words as a whole HTML document. Everything in it is escaped; it loads nothing from anywhere, so that
    /// nobody learns whether and when it was read.
    pub html: String,
}

/// The look of all letters. Mail programs have no stylesheets of ours, so the styles are inline here and only here.
#[derive(Template)]
#[template(path = "letter.html")]
struct Sheet<'a> {
    language: &'static str,
    direction: &'static str,
    subject: &'a str,
    product: &'a str,
    greeting: &'a str,
    paragraphs: Vec<Paragraph<'a>>,
    closing: &'a str,
}

/// A part of the main text.
struct Paragraph<'a> {
    text: &'a str,
    /// Whether it is the letter's own link and nothing else.
    is_link: bool,
}

impl Letter<'_> {
    /// Writes the mail. `product` is the name of the service as its visitors know it, `name` the reader's own.
    ///
    /// Line ends and other control characters in any of the values become spaces, so that a value can neither add a
    /// header nor a paragraph. A name that could be a message or turn into a link is left out of the greeting,
    /// because whoever chooses a name may choose the address that the mail goes to as well.
    #[must_use]
    pub fn render(&self, texts: &Texts, product: &str, name: &str) -> Rendered {
        let product = one_line(product);
        let (subject, paragraphs) = self.words(texts, &product);
        let name = one_line(name);
        let greeting = if is_plain_name(&name) {
            texts.msg_with("letter-greeting", &[("name", (&name).into())])
        } else {
            texts.msg("letter-greeting-nameless")
        };
        let closing = texts.msg_with("letter-closing", &[("product", (&product).into())]);
        let (subject, paragraphs, closing) = (one_line(&subject), paragraphs.trim_end(), closing.trim_end());
        let link = self.link().map(one_line).filter(|link| is_web_address(link));
        let paragraph = |text| Paragraph { text, is_link: link.as_deref() == Some(text) };
        let sheet = Sheet {
            language: texts.language().tag(),
            direction: texts.language().direction(),
            subject: &subject,
            product: &product,
            greeting: &greeting,
            paragraphs: paragraphs.split("\n\n").map(paragraph).collect(),
            closing,
        };
        // Writing into memory does not fail; if it did, the text alone would be sent.
        let html = sheet.render().unwrap_or_default();
        Rendered { body: format!("{greeting}\n\n{paragraphs}\n\n-- \n{closing}\n"), subject, html }
    }

    /// The link that the letter is about.
    const fn link(&self) -> Option<&str> {
        match self {
            Self::PasswordRecovery { link, .. }
            | Self::Invitation { link, .. }
            | Self::Registration { link, .. }
            | Self::AlreadyRegistered { link }
            | Self::Approved { link }
            | Self::ConfirmEmail { link, .. } => Some(link),
            Self::PasswordElsewhere { link, .. } => *link,
            Self::RegistrationWaits { .. }
            | Self::EmailChanged { .. }
            | Self::PasswordChanged { .. }
            | Self::Unlinked { .. }
            | Self::NewDevice { .. }
            | Self::Factor { .. }
            | Self::AutologinTheft { .. } => None,
        }
    }

    /// Subject and main text.
    fn words(&self, texts: &Texts, product: &str) -> (String, String) {
        let name = product;
        let product = ("product", Value::Text(product));
        match *self {
            Self::PasswordRecovery { link, minutes } => (
                texts.msg_with("letter-password-recovery-subject", &[product]),
                texts.msg_with(
                    "letter-password-recovery-body",
                    &[product, ("link", (&one_line(link)).into()), ("minutes", minutes.into())],
                ),
            ),
            Self::PasswordElsewhere { directory, link } => {
                let directory = one_line(directory);
                let values = [product, ("directory", (&directory).into())];
                let body = match link.map(one_line) {
                    Some(link) => {
                        let [product, directory] = values;
                        let values = [product, directory, ("link", (&link).into())];
                        texts.msg_with("letter-password-elsewhere-body-with-page", &values)
                    }
                    None => texts.msg_with("letter-password-elsewhere-body", &values),
                };
                (texts.msg_with("letter-password-elsewhere-subject", &[product]), body)
            }
            Self::Invitation { link, days, ends } => {
                let link = one_line(link);
                let values = [product, ("link", (&link).into()), ("days", days.into())];
                let mut body = texts.msg_with("letter-invitation-body", &values);
                if let Some(ends) = ends {
                    let when = texts.msg_with("letter-invitation-ends", &[("when", (&one_line(ends)).into())]);
                    body = format!("{}\n\n{when}", body.trim_end());
                }
                (texts.msg_with("letter-invitation-subject", &[product]), body)
            }
            Self::Registration { .. }
            | Self::AlreadyRegistered { .. }
            | Self::RegistrationWaits { .. }
            | Self::Approved { .. } => self.words_of_registration(texts, product),
            Self::ConfirmEmail { link, hours, new_address } => (
                texts.msg_with("letter-confirm-email-subject", &[product]),
                texts.msg_with(
                    "letter-confirm-email-body",
                    &[
                        product,
                        ("link", (&one_line(link)).into()),
                        ("hours", hours.into()),
                        ("address", (&one_line(new_address)).into()),
                    ],
                ),
            ),
            Self::EmailChanged { masked_address } => (
                texts.msg_with("letter-email-changed-subject", &[product]),
                texts
                    .msg_with("letter-email-changed-body", &[product, ("address", (&one_line(masked_address)).into())]),
            ),
            Self::PasswordChanged { when } => (
                texts.msg_with("letter-password-changed-subject", &[product]),
                texts.msg_with("letter-password-changed-body", &[product, ("when", (&one_line(when)).into())]),
            ),
            Self::Unlinked { directory, when } => unlinked(texts, product, (directory, when)),
            Self::NewDevice { device, network, when } => (
                texts.msg_with("letter-new-device-subject", &[product]),
                texts.msg_with(
                    "letter-new-device-body",
                    &[
                        product,
                        ("device", (&one_line(device)).into()),
                        ("network", (&one_line(network)).into()),
                        ("when", (&one_line(when)).into()),
                    ],
                ),
            ),
            Self::Factor { news, when } => news.words(texts, name, &one_line(when)),
            Self::AutologinTheft { device, when } => (
                texts.msg_with("letter-autologin-theft-subject", &[product]),
                texts.msg_with(
                    "letter-autologin-theft-body",
                    &[product, ("device", (&one_line(device)).into()), ("when", (&one_line(when)).into())],
                ),
            ),
        }
    }

    /// The same for the letters about registrations.
    fn words_of_registration(&self, texts: &Texts, product: (&str, Value<'_>)) -> (String, String) {
        let (subject, body, value, hours) = match *self {
            Self::Registration { link, hours } => {
                ("letter-registration-subject", "letter-registration-body", ("link", link), hours)
            }
            Self::AlreadyRegistered { link } => {
                ("letter-already-registered-subject", "letter-already-registered-body", ("link", link), 0)
            }
            Self::RegistrationWaits { username } => {
                ("letter-registration-waits-subject", "letter-registration-waits-body", ("username", username), 0)
            }
            Self::Approved { link } => ("letter-approved-subject", "letter-approved-body", ("link", link), 0),
            _ => return (String::new(), String::new()),
        };
        let line = one_line(value.1);
        let values = [product, (value.0, (&line).into()), ("hours", hours.into())];
        let values = if hours == 0 { values.get(..2).unwrap_or_default() } else { &values };
        (texts.msg_with(subject, &[product]), texts.msg_with(body, values))
    }
}

fn unlinked(texts: &Texts, product: (&str, Value<'_>), (directory, when): (&str, &str)) -> (String, String) {
    let (directory, when) = (one_line(directory), one_line(when));
    let values = [product, ("directory", (&directory).into()), ("when", (&when).into())];
    (texts.msg_with("letter-unlinked-subject", &[product]), texts.msg_with("letter-unlinked-body", &values))
}

/// The text with every control character and Unicode line end as a space.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() || "\u{2028}\u{2029}".contains(character) { ' ' } else { character })
        .collect()
}

/// Whether it may become a link: nothing that a mail program would run.
fn is_web_address(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

/// Whether a greeting can repeat the name: mail programs turn `evil.example` and `//…` into links.
fn is_plain_name(name: &str) -> bool {
    let joins_words = name.split('.').skip(1).any(|after| after.starts_with(char::is_alphanumeric));
    !name.trim().is_empty()
        && name.chars().count() <= LONGEST_GREETED_NAME
        && !joins_words
        && !name.contains(['/', '@', ':', '\\'])
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
