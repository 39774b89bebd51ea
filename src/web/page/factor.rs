//! Views of the second factor: proving it in a sign-in, binding one, the codes on paper, and the room of the account where
//! people look after theirs.

use askama::Template;

use crate::domain::authenticator::{FactorWay, Kind};
use crate::service::factor::passkey::Challenge;
use crate::service::texts::Texts;
use crate::web::page::account::Room;
use crate::web::page::provider::ProviderButton;
use crate::web::page::{Field, Moment, Shell, paths};

/// The step of a sign-in that asks for the second factor. Sends `way`, `code`, `keep` (`1` when ticked), `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "factor.html")]
pub struct FactorPage {
    /// What is around the page.
    pub shell: Shell,
    /// The way that is shown.
    pub way: FactorWay,
    /// The question for a key, when that is the way.
    pub key: Option<Challenge>,
    /// The other ways that are open.
    pub others: Vec<FactorWay>,
    /// Why the last try failed.
    pub problem: Option<String>,
    /// What is wrong with the code.
    pub code_error: Option<String>,
    /// Days that the device may be spared this, when that is offered.
    pub keep_days: Option<u32>,
}

impl FactorPage {
    fn text(&self) -> String {
        self.shell.t.msg(match self.way {
            FactorWay::Totp => "factor-text-totp",
            FactorWay::Backup => "factor-text-backup",
            FactorWay::Passkey => "factor-text-passkey",
        })
    }

    fn is_paper(&self) -> bool {
        self.way == FactorWay::Backup
    }

    fn other_ways(&self) -> Vec<(&'static str, String)> {
        self.others.iter().map(|way| (way.as_str(), way_text(*way, self.shell.t))).collect()
    }
}

/// The words of a link to another way.
fn way_text(way: FactorWay, t: &Texts) -> String {
    t.msg(match way {
        FactorWay::Totp => "factor-use-totp",
        FactorWay::Backup => "factor-use-backup",
        FactorWay::Passkey => "factor-use-passkey",
    })
}

/// A drawing for cameras: dark squares as one path, without any style.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// Squares in a row, with the margin that cameras need.
    pub size: usize,
    /// Data of the path.
    pub path: String,
}

impl Drawing {
    const MARGIN: usize = 4;

    /// The QR code of a text; empty for one that is too long.
    #[must_use]
    pub fn of(text: &str) -> Self {
        use std::fmt::Write as _;
        let Ok(code) = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M) else {
            return Self::default();
        };
        let width = code.width();
        let mut path = String::new();
        for (place, colour) in code.to_colors().into_iter().enumerate() {
            if colour == qrcode::Color::Dark {
                let (x, y) = (place % width + Self::MARGIN, place / width + Self::MARGIN);
                // Writing to a String cannot fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        Self { size: width + 2 * Self::MARGIN, path }
    }
}

/// What both pages that bind an app have in common. Sends `name`, `code`, `csrf`.
#[derive(Debug, Clone)]
pub struct AppForm {
    /// Where it is sent.
    pub action: &'static str,
    /// For cameras.
    pub drawing: Drawing,
    /// For opening the app on this very device.
    pub uri: String,
    /// For typing.
    pub key: String,
    /// The account's name in the app.
    pub account: String,
    /// What the person calls it.
    pub name: Field,
    /// What is wrong with the code.
    pub code_error: Option<String>,
    /// Our time, when the code was wrong: the person's clock may be.
    pub server_time: Option<String>,
}

/// What both pages that bind a key have in common. Sends `name`, `ceremony`, `credential`, `csrf`.
#[derive(Debug, Clone)]
pub struct KeyForm {
    /// Where it is sent.
    pub action: &'static str,
    /// The question.
    pub challenge: Challenge,
    /// What the person calls it.
    pub name: Field,
    /// What went wrong.
    pub problem: Option<String>,
}

/// The step of a sign-in that binds a second factor.
#[derive(Debug, Clone, Template)]
#[template(path = "enrol.html")]
pub struct EnrolPage {
    /// What is around the page.
    pub shell: Shell,
    /// The app, when that can be bound.
    pub app: Option<AppForm>,
    /// A key, when that can be bound.
    pub key: Option<KeyForm>,
}

/// Binds a key while signed in.
#[derive(Debug, Clone, Template)]
#[template(path = "account/passkey.html")]
pub struct PasskeyPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The key.
    pub key: KeyForm,
}

impl PasskeyPage {
    const ROOM: Room = Room::Security;
}

/// Binds an app while signed in.
#[derive(Debug, Clone, Template)]
#[template(path = "account/totp.html")]
pub struct TotpPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The app.
    pub app: AppForm,
}

impl TotpPage {
    const ROOM: Room = Room::Security;
}

/// Backup codes, shown once; right after signing in or in the account.
#[derive(Debug, Clone, Template)]
#[template(path = "backup_codes.html")]
pub struct BackupCodesPage {
    /// What is around the page.
    pub shell: Shell,
    /// The username, for whoever has several.
    pub username: String,
    /// The codes.
    pub codes: Vec<String>,
    /// Where to go on to.
    pub next: String,
}

impl BackupCodesPage {
    /// The codes as a file.
    fn file(&self) -> String {
        let heading = format!("{} · {}\n\n{}\n", self.shell.product, self.username, self.codes.join("\n"));
        let encoded: String = url::form_urlencoded::byte_serialize(heading.as_bytes()).collect();
        format!("data:text/plain;charset=utf-8,{}", encoded.replace('+', "%20"))
    }
}

/// Asks somebody signed in to prove anew who they are. Sends `password`, `return_to`, `factor`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    /// What is around the page.
    pub shell: Shell,
    /// The username, for password managers.
    pub username: String,
    /// Whether the account has a password to prove it with.
    pub password: bool,
    /// What is wrong with the password.
    pub password_error: Option<String>,
    /// The provider to prove it at, for whoever has no password.
    pub provider: Option<ProviderButton>,
    /// Where to go on to.
    pub return_to: String,
    /// Whether a second factor is asked for as well.
    pub factor: bool,
}

/// The room of second factors.
#[derive(Debug, Clone, Template)]
#[template(path = "account/security.html")]
pub struct SecurityPage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// What is bound.
    pub factors: Vec<FactorRow>,
    /// What can be bound.
    pub kinds: Vec<Kind>,
    /// Backup codes left.
    pub backup_codes: u32,
    /// Devices that are spared the factor.
    pub devices: Vec<SparedRow>,
    /// Whether the account has to have one.
    pub required: bool,
    /// Why the last act was refused.
    pub problem: Option<String>,
}

impl SecurityPage {
    const ROOM: Room = Room::Security;

    fn offers(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    fn is_last(&self) -> bool {
        self.required && self.factors.len() == 1
    }
}

/// One authenticator.
#[derive(Debug, Clone)]
pub struct FactorRow {
    /// What forms send; no secret.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it is, in words.
    pub kind: String,
    /// Whether it is asked for first.
    pub preferred: bool,
    /// Since when.
    pub added: Moment,
    /// When it last proved something.
    pub last_used: Option<Moment>,
}

/// One device that is spared the factor.
#[derive(Debug, Clone)]
pub struct SparedRow {
    /// What the form sends; never the token.
    pub id: String,
    /// Browser and system, in words.
    pub device: String,
    /// When it last was.
    pub last_used: Moment,
    /// Until when.
    pub until: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_the_squares_of_the_code_and_a_margin() {
        let drawing = Drawing::of("otpauth://totp/a:b?secret=AAAA");
        let code = qrcode::QrCode::with_error_correction_level("otpauth://totp/a:b?secret=AAAA", qrcode::EcLevel::M);
        let code = code.unwrap();
        let dark = code.to_colors().into_iter().filter(|colour| *colour == qrcode::Color::Dark).count();
        assert_eq!(drawing.path.matches('M').count(), dark);
        assert_eq!(drawing.size, code.width() + 8);
        assert!(drawing.path.starts_with("M4 4h1v1h-1z"), "the corner is dark");
        assert_eq!(Drawing::of(&"x".repeat(5000)).size, 0);
    }
}
