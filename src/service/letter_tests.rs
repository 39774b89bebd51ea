//! Letters in all languages, with friendly and with hostile values.

use super::*;
use crate::domain::language::Language;

const LINK: &str = "https://login.example.org/login/reset-password?token=abc";

fn every_letter<'a>(value: &'a str, link: &'a str) -> [Letter<'a>; 19] {
    [
        Letter::PasswordRecovery { link, minutes: 30 },
        Letter::PasswordElsewhere { directory: value, link: Some(link) },
        Letter::PasswordElsewhere { directory: value, link: None },
        Letter::Invitation { link, days: 7, ends: Some(value) },
        Letter::Registration { link, hours: 24 },
        Letter::AlreadyRegistered { link },
        Letter::RegistrationWaits { username: value },
        Letter::Approved { link },
        Letter::ConfirmEmail { link, hours: 24, new_address: value },
        Letter::EmailChanged { masked_address: value },
        Letter::PasswordChanged { when: value },
        Letter::Unlinked { directory: value, when: value },
        Letter::NewDevice { device: value, network: value, when: value },
        Letter::AutologinTheft { device: value, when: value },
        Letter::Factor { news: &AccessNews::BackupCodesMade, when: value },
        Letter::Factor { news: &AccessNews::BackupCodeUsed { left: 3 }, when: value },
        Letter::Factor { news: &AccessNews::BackupCodeUsed { left: 0 }, when: value },
        Letter::Factor { news: &AccessNews::Reset, when: value },
        Letter::Factor { news: &AccessNews::BackupCodeUsed { left: 1 }, when: value },
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
        Letter::PasswordElsewhere { link, .. } => Letter::PasswordElsewhere { directory: "x", link: link.map(|_| "x") },
        Letter::Registration { hours, .. } => Letter::Registration { link: "x", hours: *hours },
        Letter::AlreadyRegistered { .. } => Letter::AlreadyRegistered { link: "x" },
        Letter::RegistrationWaits { .. } => Letter::RegistrationWaits { username: "x" },
        Letter::Approved { .. } => Letter::Approved { link: "x" },
        Letter::Invitation { days, .. } => Letter::Invitation { link: "x", days: *days, ends: Some("x") },
        Letter::ConfirmEmail { hours, .. } => Letter::ConfirmEmail { link: "x", hours: *hours, new_address: "x" },
        Letter::EmailChanged { .. } => Letter::EmailChanged { masked_address: "x" },
        Letter::Unlinked { .. } => Letter::Unlinked { directory: "x", when: "x" },
        Letter::PasswordChanged { .. } => Letter::PasswordChanged { when: "x" },
        Letter::NewDevice { .. } => Letter::NewDevice { device: "x", network: "x", when: "x" },
        Letter::AutologinTheft { .. } => Letter::AutologinTheft { device: "x", when: "x" },
        Letter::Factor { news: AccessNews::Reset, .. } => Letter::Factor { news: &AccessNews::Reset, when: "x" },
        Letter::Factor { news: AccessNews::BackupCodeUsed { left: 0 }, .. } => {
            Letter::Factor { news: &AccessNews::BackupCodeUsed { left: 0 }, when: "x" }
        }
        Letter::Factor { news: AccessNews::BackupCodeUsed { .. }, .. } => {
            Letter::Factor { news: &AccessNews::BackupCodeUsed { left: 3 }, when: "x" }
        }
        Letter::Factor { .. } => Letter::Factor { news: &AccessNews::BackupCodesMade, when: "x" },
    }
}

#[test]
fn a_name_that_could_be_a_message_or_a_link_is_not_repeated() {
    let texts = Texts::for_language(Language::English);
    let greeted =
        |name: &str| Letter::PasswordChanged { when: "now" }.render(texts, "Hall", name).body.starts_with("Hello,\n");
    for name in ["Anna", "Anna B.", "Dr. Åsa Öberg-Nuñez", "李 小龍", "O'Neill"] {
        assert!(!greeted(name), "{name}");
    }
    let long = "win ".repeat(40);
    for name in ["", "  ", "evil.example", "https://evil", "a@b", "//evil", long.as_str()] {
        assert!(greeted(name), "{name}");
    }
}
