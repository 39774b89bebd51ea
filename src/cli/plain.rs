//! What goes to a terminal, as plain text: providers, directories and people have a say in much of it, and nothing of theirs
//! moves the operator's cursor, clears the screen, or makes a line look like another. All that commands print passes here.

use std::borrow::Cow;

/// Text of one line or several: ours, with what others wrote in it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    shown(text, |one| one != '\n' && one != '\t' && is_active(one))
}

/// Text that must stay on its line.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    shown(text, is_active)
}

/// As in JSON, which stays JSON by it: all of these have four digits.
fn shown(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for one in text.chars() {
        if hidden(one) {
            plain.extend(format!("\\u{:04x}", u32::from(one)).chars());
        } else {
            plain.push(one);
        }
    }
    Cow::Owned(plain)
}

/// Control characters, separators of lines, and what turns the direction of writing.
fn is_active(one: char) -> bool {
    one.is_control()
        || matches!(one, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_active_reaches_a_terminal() {
        let hostile = "a\u{1b}[31m\u{9b}2J\r\u{7}\u{202e}b\u{2066}\u{2028}\u{0}";
        let plain = text(hostile);
        assert_eq!(plain, "a\\u001b[31m\\u009b2J\\u000d\\u0007\\u202eb\\u2066\\u2028\\u0000");
        assert_eq!(text("one\n\ttwo ä ß 漢"), "one\n\ttwo ä ß 漢");
        assert_eq!(line("ok\nWRONG"), "ok\\u000aWRONG");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "name": "a\u{1b}\u{9b}\u{202e}\n" });
        let printed = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text(&printed)).unwrap(), value);
    }
}
