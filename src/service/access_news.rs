//! What people are told by mail about what they sign in with: second factors, and identities elsewhere.

use super::texts::Texts;
use crate::domain::authenticator::Kind;
use crate::domain::identity::{Source, SourceKind};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessNews {
    /// A second factor was bound.
    Added {
        /// What it is.
        kind: Kind,
        /// What its owner calls it.
        name: String,
    },
    /// One was removed.
    Removed {
        /// What it is.
        kind: Kind,
        /// What its owner called it.
        name: String,
    },
    /// Backup codes were made anew.
    BackupCodesMade,
    /// One was used.
    BackupCodeUsed {
        /// How many are left.
        left: u32,
    },
    /// A key answered as if there were two of it.
    Copied {
        /// What its owner calls it.
        name: String,
    },
    /// An administrator took all second factors away.
    Reset,
    /// An identity elsewhere opens the account from now on.
    IdentityAdded {
        /// The name of the provider or directory.
        source: String,
        /// It is a directory: its password is the only one that counts from now on.
        #[serde(default)]
        directory: bool,
    },
    /// It does not any more.
    IdentityRemoved {
        /// The name of the provider or directory.
        source: String,
    },
}

impl AccessNews {
    /// An identity of this source, which people know by this name, opens the account from now on.
    pub(super) fn identity_added(source: &Source, name: &str) -> Self {
        Self::IdentityAdded { source: name.to_owned(), directory: source.kind() == SourceKind::Directory }
    }

    /// Subject and main text; `when` and the names are on one line already.
    pub(super) fn words(&self, t: &Texts, product: &str, when: &str) -> (String, String) {
        let product = ("product", product.into());
        let when = ("when", when.into());
        match self {
            Self::Added { kind, name } => {
                let (what, name) = (kind_text(*kind, t), one_line(name));
                (
                    t.msg_with("letter-factor-added-subject", &[product]),
                    t.msg_with(
                        "letter-factor-added-body",
                        &[product, when, ("what", (&what).into()), ("name", (&name).into())],
                    ),
                )
            }
            Self::Removed { kind, name } => {
                let (what, name) = (kind_text(*kind, t), one_line(name));
                (
                    t.msg_with("letter-factor-removed-subject", &[product]),
                    t.msg_with(
                        "letter-factor-removed-body",
                        &[product, when, ("what", (&what).into()), ("name", (&name).into())],
                    ),
                )
            }
            Self::BackupCodesMade => (
                t.msg_with("letter-backup-codes-made-subject", &[product]),
                t.msg_with("letter-backup-codes-made-body", &[product, when]),
            ),
            Self::BackupCodeUsed { left } => (
                t.msg_with("letter-backup-code-used-subject", &[product]),
                t.msg_with("letter-backup-code-used-body", &[product, when, ("left", (*left).into())]),
            ),
            Self::Copied { name } => (
                t.msg_with("letter-factor-copied-subject", &[product]),
                t.msg_with("letter-factor-copied-body", &[product, when, ("name", (&one_line(name)).into())]),
            ),
            Self::Reset => (
                t.msg_with("letter-factors-reset-subject", &[product]),
                t.msg_with("letter-factors-reset-body", &[product, when]),
            ),
            Self::IdentityAdded { source, directory } => {
                let body = if *directory { "letter-directory-added-body" } else { "letter-identity-added-body" };
                (
                    t.msg_with("letter-identity-added-subject", &[product]),
                    t.msg_with(body, &[product, when, ("source", (&one_line(source)).into())]),
                )
            }
            Self::IdentityRemoved { source } => (
                t.msg_with("letter-identity-removed-subject", &[product]),
                t.msg_with("letter-identity-removed-body", &[product, when, ("source", (&one_line(source)).into())]),
            ),
        }
    }
}

/// A kind in words, as part of a sentence.
#[must_use]
pub fn kind_text(kind: Kind, t: &Texts) -> String {
    match kind {
        Kind::Passkey => t.msg("factor-kind-passkey"),
        Kind::Totp => t.msg("factor-kind-totp"),
        Kind::Phone => t.msg("factor-kind-phone"),
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() || matches!(one, '\u{2028}' | '\u{2029}') { ' ' } else { one }).collect()
}
