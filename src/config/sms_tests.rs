//! What an operator meets in `[sms]`.

use super::super::tests::{config, problems};

const GOOD: &str =
    "[sms]\nurl = \"https://gateway.example.org/send\"\nbody = '{\"to\": \"{to}\", \"text\": \"{text}\"}'\n";

fn wrong(more: &str) -> String {
    let url = if more.contains("url =") { "" } else { "url = \"https://gateway.example.org/send\"\n" };
    let body = if more.contains("body =") { "" } else { "body = '{\"to\": \"{to}\", \"text\": \"{text}\"}'\n" };
    problems(&format!("[sms]\n{url}{body}{more}\n"))
}

#[test]
fn a_gateway_is_an_address_and_a_body() {
    let sms = config(GOOD).sms;
    assert!(sms.gateway.is_set() && !sms.voice.is_set());
    assert!(!config("").sms.gateway.is_set());
    let with_voice =
        format!("{GOOD}[sms.voice]\nurl = \"https://g.example.org/?to={{to}}&t={{text}}\"\nmethod = \"get\"\n");
    assert!(config(&with_voice).sms.voice.is_set());
}

#[test]
fn what_cannot_work_stops_the_start() {
    for (more, told) in [
        ("url = \"http://gateway.example.org/\"", "sms.url: is no https address"),
        ("url = \"https://gateway.example.org/{to}\"", "sms.url: has a gap in front of its \"?\""),
        ("body = '{\"to\": {to}, \"text\": \"{text}\"}'", "sms.body: is no JSON"),
        ("body = '{\"to\": \"{to}\"}'", "nobody would learn the code"),
        ("body = '{\"text\": \"{text}\"}'", "would not know the number"),
        (
            "body = '{\"to\": \"{number}\", \"text\": \"{text}\"}'",
            "sms.body: has the gap {number}, which nothing fills",
        ),
        ("headers = [\"X-Key: {secret}\"]", "sms.secret: is missing"),
        ("headers = [\"Authorization: Basic {basic}\"]\nsecret = \"x\"", "sms.username: is missing"),
        ("headers = [\"no header\"]", "sms.headers: has a line that is no \"Name: value\""),
        ("method = \"get\"", "sms.body: is not sent with method \"get\""),
        ("success_field = \"/status\"", "sms.success_values: and success_field belong together"),
        ("success_field = \"status\"\nsuccess_values = [\"0\"]", "sms.success_field: is no JSON pointer"),
        ("timeout = \"2m\"", "sms.timeout: \"2m\" is not between"),
    ] {
        let text = wrong(more);
        assert!(text.contains(told), "{more}: {text}");
    }
    assert!(problems("[sms]\nbody = \"x\"\n").contains("sms.url: is missing"));
}

#[test]
fn codes_are_offered_only_where_something_sends_them_and_never_alone() {
    let methods = |list: &str| format!("[second_factor]\nmethods = [{list}]\n");
    let text = problems(&methods("\"totp\", \"sms\""));
    assert!(text.contains("has \"sms\", and sms.url is not set"), "{text}");
    let text = problems(&format!("{}{GOOD}", methods("\"totp\", \"voice\"")));
    assert!(text.contains("has \"voice\", and sms.voice.url is not set"), "{text}");
    let text = problems(&format!("{}{GOOD}", methods("\"sms\"")));
    assert!(text.contains("offer \"totp\" or \"passkey\" as well"), "{text}");
    let _ = config(&format!("{}{GOOD}", methods("\"passkey\", \"sms\"")));
}

/// The recipes, as they stand in the documentation, with their secrets in a file that is not read here.
#[test]
fn the_recipes_can_be_read() {
    let page = include_str!("../../docs/integrate/text-messages.md");
    let recipes: Vec<_> = page.split("```toml\n").skip(2).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(recipes.len(), 4);
    for recipe in recipes {
        assert!(config(recipe).sms.gateway.is_set(), "{recipe}");
    }
}
