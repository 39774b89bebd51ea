//! Views of codes to phones: binding a number, and asking for a code in a sign-in.

use askama::Template;

use crate::domain::phone::Channel;
use crate::service::texts::Texts;
use crate::web::page::account::Room;
use crate::web::page::{Field, Shell, paths};

/// What both pages that bind a number have in common. Sends `number`, `name`, `channel`, `csrf`; or `again` (`1`),
/// `channel`, `csrf`; or `code`, `csrf`.
#[derive(Debug, Clone)]
pub struct PhoneForm {
    /// Where number and channel are sent.
    pub action: &'static str,
    /// Where the code is sent.
    pub code_action: &'static str,
    /// How a code can get there.
    pub channels: Vec<Channel>,
    /// The number.
    pub number: Field,
    /// What the person calls it.
    pub name: Field,
    /// Where a code is on its way to (masked), and how.
    pub sent: Option<(String, Channel)>,
    /// What is wrong with the code.
    pub code_error: Option<String>,
    /// Why the last try failed.
    pub problem: Option<String>,
}

impl PhoneForm {
    fn failed(&self) -> bool {
        self.number.error.is_some() || self.name.error.is_some() || self.code_error.is_some() || self.problem.is_some()
    }

    /// Buttons: what the form sends, and what stands on it.
    fn buttons(&self, t: &Texts) -> Vec<(&'static str, String)> {
        let text = |channel: &Channel| match channel {
            Channel::Sms => t.msg("phone-send-sms"),
            Channel::Voice => t.msg("phone-send-voice"),
        };
        self.channels.iter().map(|channel| (channel.as_str(), text(channel))).collect()
    }
}

/// Binds a number while signed in.
#[derive(Debug, Clone, Template)]
#[template(path = "account/phone.html")]
pub struct PhonePage {
    /// What is around the page.
    pub shell: Shell,
    /// The person's name.
    pub person: String,
    /// The number.
    pub form: PhoneForm,
}

impl PhonePage {
    const ROOM: Room = Room::Security;
}

/// Binds a number in the middle of a sign-in.
#[derive(Debug, Clone, Template)]
#[template(path = "enrol_phone.html")]
pub struct PhoneStepPage {
    /// What is around the page.
    pub shell: Shell,
    /// The number.
    pub form: PhoneForm,
}

/// Codes to phones on the page of the second factor. Sends `factor`, `channel`, `csrf`.
#[derive(Debug, Clone, Default)]
pub struct PhoneAsk {
    /// The account's numbers: what the form sends, and the number, masked.
    pub numbers: Vec<(String, String)>,
    /// How a code can be sent.
    pub channels: Vec<Channel>,
    /// Where a code is on its way to, masked, and how.
    pub sent: Option<(String, Channel)>,
}

impl PhoneAsk {
    /// The words of a button.
    fn button(channel: Channel, number: &str, t: &Texts) -> String {
        let number = [("number", number.into())];
        match channel {
            Channel::Sms => t.msg_with("factor-send-sms", &number),
            Channel::Voice => t.msg_with("factor-send-voice", &number),
        }
    }

    /// Buttons for a number: what the form sends, and what stands on it.
    pub(super) fn buttons(&self, number: &str, t: &Texts) -> Vec<(&'static str, String)> {
        self.channels.iter().map(|channel| (channel.as_str(), Self::button(*channel, number, t))).collect()
    }
}

/// What is said of a code that is on its way.
pub(super) fn sent_text((to, channel): &(String, Channel), t: &Texts) -> String {
    let number = [("number", to.as_str().into())];
    match channel {
        Channel::Sms => t.msg_with("phone-sent-sms", &number),
        Channel::Voice => t.msg_with("phone-sent-voice", &number),
    }
}
