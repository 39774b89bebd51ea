//! The message catalogues: every word that a person reads, by language and key. The words are in `locales/`, one
//! Fluent file per language; this file only looks them up. How a language is chosen is in `domain/language.rs`.
//!
//! A new language is a file in `locales/`, a variant of [`Language`] and its line in [`Texts::for_language`].
//! The tests below refuse a key that is missing, unused, or has other placeholders in one language than in another.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::domain::language::Language;

static ENGLISH: LazyLock<Texts> =
    LazyLock::new(|| Texts::compile(Language::English, include_str!("../locales/en.ftl")));
static GERMAN: LazyLock<Texts> = LazyLock::new(|| Texts::compile(Language::German, include_str!("../locales/de.ftl")));

/// The catalogue of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// The catalogue of a language; compiled at first use and kept.
    #[must_use]
    pub fn for_language(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }

    /// The language of this catalogue.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The text of a message without placeholders. It is plain text: whoever puts it into HTML escapes it.
    #[must_use]
    pub fn msg(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of a message with its placeholders filled in; numbers choose the plural form.
    #[must_use]
    pub fn msg_with(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        let arguments: FluentArgs<'_> = values
            .iter()
            .map(|(name, value)| match *value {
                Value::Text(text) => (*name, FluentValue::from(text)),
                Value::Number(number) => (*name, FluentValue::from(number)),
            })
            .collect();
        self.format(key, Some(&arguments))
    }

    /// A missing message shows its key, so that a page never fails over a word; the tests keep that from happening.
    fn format(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, arguments, &mut errors).into_owned()
    }

    fn compile(language: Language, source: &str) -> Self {
        // A line that does not parse is left out here and found by the tests; the rest stays readable.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
        let locale = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // The marks that isolate placeholders would show up in mails, in copied text and in comparisons.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { language, bundle }
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Texts").field(&self.language).finish()
    }
}

/// What fills a placeholder of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, taken as it is.
    Text(&'a str),
    /// A count, which also chooses between singular and plural.
    Number(u32),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&u32> for Value<'_> {
    fn from(number: &u32) -> Self {
        Self::Number(*number)
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
