//! The mails that people get, as plain text and as HTML with the same words: what each one says, in the language of the
//! reader. Sending them is in `connect/`; who gets one and when is decided by the use cases.

use crate::service::factor_news::FactorNews;
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
    /// Somebody signed in from a browser and network that the account was not seen with.
    NewDevice {
        /// Browser and system, in words.
        device: &'a str,
        /// The network, cut.
        network: &'a str,
        /// When, in the language and time zone of the reader.
        when: &'a str,
    },
    /// Something happened to the account's second factors.
    Factor {
        /// What.
        news: &'a FactorNews,
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
            Self::RegistrationWaits { .. }
            | Self::EmailChanged { .. }
            | Self::PasswordChanged { .. }
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
mod tests {
    use super::*;
    use crate::domain::language::Language;

    const LINK: &str = "https://login.example.org/login/reset-password?token=abc";

    fn every_letter<'a>(value: &'a str, link: &'a str) -> [Letter<'a>; 16] {
        [
            Letter::PasswordRecovery { link, minutes: 30 },
            Letter::Invitation { link, days: 7, ends: Some(value) },
            Letter::Registration { link, hours: 24 },
            Letter::AlreadyRegistered { link },
            Letter::RegistrationWaits { username: value },
            Letter::Approved { link },
            Letter::ConfirmEmail { link, hours: 24, new_address: value },
            Letter::EmailChanged { masked_address: value },
            Letter::PasswordChanged { when: value },
            Letter::NewDevice { device: value, network: value, when: value },
            Letter::AutologinTheft { device: value, when: value },
            Letter::Factor { news: &FactorNews::BackupCodesMade, when: value },
            Letter::Factor { news: &FactorNews::BackupCodeUsed { left: 3 }, when: value },
            Letter::Factor { news: &FactorNews::BackupCodeUsed { left: 0 }, when: value },
            Letter::Factor { news: &FactorNews::Reset, when: value },
            Letter::Factor { news: &FactorNews::BackupCodeUsed { left: 1 }, when: value },
        ]
    }

    #[test]
    fn a_recovery_mail_says_whose_what_and_how_long() {
        let letter = Letter::PasswordRecovery { link: LINK, minutes: 30 };
        let mail = letter.render(Texts::for_language(Language::English), "Example Hall", "Anna B.");
        assert_eq!(mail.subject, "Example Hall: choose a new password");
        assert_eq!(
            mail.body,
            format!(
                "Hello Anna B.,\n\nsomeone, probably you, asked for a new password for your account at Example Hall. \
                 Open this link within 30 minutes to choose one:\n\n{LINK}\n\nIf it was not you, you need not do \
                 anything. Your password stays as it is.\n\n-- \nThis mail was sent by Example Hall. Please do not \
                 reply to it.\n"
            )
        );
    }

    #[test]
    fn every_letter_is_filled_in_and_its_link_stands_alone_on_a_line() {
        for language in Language::ALL {
            for letter in every_letter("Wert", LINK) {
                let mail = letter.render(Texts::for_language(language), "Halle", "Anna");
                assert!(mail.subject.starts_with("Halle: "), "{mail:?}");
                assert!(!mail.body.contains(['{', '}', '$', '\u{2068}']), "{mail:?}");
                assert!(!mail.body.contains("\n\n\n") && !mail.body.contains("\n "), "{mail:?}");
                if mail.body.contains("https:") {
                    assert!(mail.body.lines().any(|line| line == LINK), "{mail:?}");
                } else {
                    assert!(mail.body.contains("Wert"), "{mail:?}");
                }
            }
        }
    }

    #[test]
    fn no_value_adds_a_header_or_a_line() {
        let hostile = "x\r\nBcc: all@example.org\n\n\u{2028}{ $product }";
        for letter in every_letter(hostile, hostile) {
            let texts = Texts::for_language(Language::English);
            let mail = letter.render(texts, hostile, hostile);
            let harmless = letter_like(&letter).render(texts, "x", "x");
            assert!(!mail.subject.contains(|character: char| character.is_control()), "{mail:?}");
            assert!(!mail.body.contains(['\r', '\u{2028}']), "{mail:?}");
            assert_eq!(mail.body.lines().count(), harmless.body.lines().count(), "{mail:?}");
            assert!(!mail.body.lines().any(|line| line.starts_with("Bcc")), "{mail:?}");
        }
    }

    #[test]
    fn html_says_the_same_words_and_links_only_to_the_link() {
        for language in Language::ALL {
            for letter in every_letter("Wert", LINK) {
                let mail = letter.render(Texts::for_language(language), "Halle", "Anna");
                for line in mail.body.lines().filter(|line| !line.is_empty() && *line != "-- ") {
                    assert!(mail.html.contains(&format!(">{line}<")), "{line} is not in {}", mail.html);
                }
                let links: Vec<_> = mail.html.split("href=\"").skip(1).map(|rest| rest.split('"').next()).collect();
                assert_eq!(links, vec![Some(LINK); usize::from(letter.link().is_some())], "{}", mail.html);
                assert!(mail.html.starts_with(&format!("<!doctype html>\n<html lang=\"{}\"", language.tag())));
                for foreign in ["<img", "<link", "<script", "src=", "url(", "@import"] {
                    assert!(!mail.html.contains(foreign), "{foreign} in {}", mail.html);
                }
            }
        }
    }

    #[test]
    fn no_value_becomes_markup() {
        let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;</title>";
        for letter in every_letter(hostile, hostile) {
            let mail = letter.render(Texts::for_language(Language::English), hostile, hostile);
            let harmless = letter_like(&letter).render(Texts::for_language(Language::English), "x", "x");
            assert_eq!(mail.html.matches('<').count(), harmless.html.matches('<').count(), "{}", mail.html);
            assert_eq!(mail.html.matches('"').count(), harmless.html.matches('"').count(), "{}", mail.html);
            assert!(mail.html.contains("&#38;amp;"), "what looks escaped is escaped as well: {}", mail.html);
        }
        let script = Letter::PasswordRecovery { link: "javascript:alert(1)", minutes: 30 };
        let mail = script.render(Texts::for_language(Language::English), "Hall", "Anna");
        assert!(!mail.html.contains("href"), "{}", mail.html);
    }

    #[test]
    fn a_name_with_markup_is_escaped_in_the_greeting() {
        let mail = Letter::PasswordChanged { when: "now" }.render(
            Texts::for_language(Language::English),
            "Hall",
            "<b>Anna<b> & \"Co\"",
        );
        assert!(mail.body.starts_with("Hello <b>Anna<b> & \"Co\","), "{}", mail.body);
        assert!(mail.html.contains(">Hello &#60;b&#62;Anna&#60;b&#62; &#38; &#34;Co&#34;,<"), "{}", mail.html);
    }

    /// The same kind of letter with values of one word.
    fn letter_like(letter: &Letter<'_>) -> Letter<'static> {
        match letter {
            Letter::PasswordRecovery { minutes, .. } => Letter::PasswordRecovery { link: "x", minutes: *minutes },
            Letter::Registration { hours, .. } => Letter::Registration { link: "x", hours: *hours },
            Letter::AlreadyRegistered { .. } => Letter::AlreadyRegistered { link: "x" },
            Letter::RegistrationWaits { .. } => Letter::RegistrationWaits { username: "x" },
            Letter::Approved { .. } => Letter::Approved { link: "x" },
            Letter::Invitation { days, .. } => Letter::Invitation { link: "x", days: *days, ends: Some("x") },
            Letter::ConfirmEmail { hours, .. } => Letter::ConfirmEmail { link: "x", hours: *hours, new_address: "x" },
            Letter::EmailChanged { .. } => Letter::EmailChanged { masked_address: "x" },
            Letter::PasswordChanged { .. } => Letter::PasswordChanged { when: "x" },
            Letter::NewDevice { .. } => Letter::NewDevice { device: "x", network: "x", when: "x" },
            Letter::AutologinTheft { .. } => Letter::AutologinTheft { device: "x", when: "x" },
            Letter::Factor { news: FactorNews::Reset, .. } => Letter::Factor { news: &FactorNews::Reset, when: "x" },
            Letter::Factor { news: FactorNews::BackupCodeUsed { left: 0 }, .. } => {
                Letter::Factor { news: &FactorNews::BackupCodeUsed { left: 0 }, when: "x" }
            }
            Letter::Factor { news: FactorNews::BackupCodeUsed { .. }, .. } => {
                Letter::Factor { news: &FactorNews::BackupCodeUsed { left: 3 }, when: "x" }
            }
            Letter::Factor { .. } => Letter::Factor { news: &FactorNews::BackupCodesMade, when: "x" },
        }
    }

    #[test]
    fn a_name_that_could_be_a_message_or_a_link_is_not_repeated() {
        let texts = Texts::for_language(Language::English);
        let greeted = |name: &str| {
            Letter::PasswordChanged { when: "now" }.render(texts, "Hall", name).body.starts_with("Hello,\n")
        };
        for name in ["Anna", "Anna B.", "Dr. Åsa Öberg-Nuñez", "李 小龍", "O'Neill"] {
            assert!(!greeted(name), "{name}");
        }
        let long = "win ".repeat(40);
        for name in ["", "  ", "evil.example", "https://evil", "a@b", "//evil", long.as_str()] {
            assert!(greeted(name), "{name}");
        }
    }
}
