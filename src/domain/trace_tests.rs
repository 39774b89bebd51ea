use super::*;
use proptest::prelude::*;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_795_284_300_000);

fn of(claims: &Value) -> Value {
    let map = AttributeMap {
        groups: vec!["groups".to_owned()],
        administrator: vec!["is_admin".to_owned()],
        ..AttributeMap::default()
    };
    let facts = Facts::new().claims(claims.as_object().unwrap(), &map, NOW).into_map();
    facts.get("claims").unwrap().clone()
}

#[test]
fn claims_are_shown_by_name_and_values_as_far_as_needed() {
    let shown = of(&json!({
        "iss": "https://idp.example.org", "aud": ["vestibule", 7, {"a": 1}], "sub": "0fe1-4711-subject", "nonce": "n-0S6",
        "exp": 1_795_284_600, "iat": 1_795_284_540, "auth_time": 1_795_284_295, "email": "anna@corp.example",
        "email_verified": true, "groups": ["staff", "vpn"], "is_admin": "yes", "phone_number": 49_301_234,
        "address": {"street": "x"}, "picture": null, "roles": [1, 2], "at_hash": "x", "My_Secret": "y", "refresh_token": "z",
    }));
    let wanted = json!({
        "iss": "https://idp.example.org", "aud": ["vestibule", "7", "…"], "sub": "0f… (17 characters)", "nonce": FILTERED,
        "exp": "in 5 min", "iat": "in 4 min", "auth_time": "5 s ago", "email": "a…@corp.example",
        "email_verified": true, "groups": ["staff", "vpn"], "is_admin": "yes", "phone_number": "a number",
        "address": "an object of 1", "picture": null, "roles": "a list of 2", "at_hash": FILTERED, "My_Secret": FILTERED,
        "refresh_token": FILTERED,
    });
    assert_eq!(shown, wanted);
}

#[test]
fn what_is_short_is_hidden_altogether() {
    for (text, shown) in [
        ("", "empty"),
        ("x", "… (1 character)"),
        ("abc", "… (3 characters)"),
        ("anna", "a… (4 characters)"),
        ("a@b.c", "…@b.c"),
        ("\u{202e}annannanna", "\\u{202e}a… (11 characters)"),
    ] {
        assert_eq!(masked(text), shown, "{text:?}");
    }
}

#[test]
fn lists_texts_and_codes_are_bounded() {
    let many: Vec<String> = (0..100).map(|number| format!("group-{number}-{}", "x".repeat(100))).collect();
    let facts = Facts::new()
        .names("groups", &many)
        .code("error", "<script>alert(1)</script>")
        .code("plain", "access_denied")
        .sentence("text", &"y\n".repeat(1000))
        .address("where", "https://user:secret@idp.example.org:8443/a/b?code=secret#secret")
        .address("nowhere", "secret");
    let text = serde_json::to_string(&facts.into_map()).unwrap();
    assert!(text.len() < 3000 && !text.contains("secret") && !text.contains("script"), "{text}");
    assert!(text.contains("… 80 more") && text.contains("access_denied"), "{text}");
    assert!(text.contains("https://idp.example.org:8443/a/b\""), "{text}");
    let claims: Map<String, Value> = (0..1000).map(|number| (format!("claim-{number}"), json!("v"))).collect();
    let shown = of(&Value::Object(claims));
    assert_eq!(shown.as_object().unwrap().len(), MOST_CLAIMS + 1);
}

#[test]
fn notes_of_other_versions_are_read() {
    let read: Note = serde_json::from_str(r#"{"at": 5, "step": "new", "facts": {"x": [1]}, "more": true}"#).unwrap();
    assert_eq!((read.at.millis(), read.step.as_ref()), (5, "new"));
}

proptest! {
    /// Nobody's value can be read off, whatever claim it stands in.
    #[test]
    fn values_cannot_be_read_off(name in "[a-z_]{1,12}", value in "[a-zA-Z0-9]{8,60}") {
        prop_assume!(!AS_THEY_ARE.contains(&name.as_str()) && name != "groups" && name != "is_admin");
        let text = of(&json!({ name: value.clone() })).to_string();
        prop_assert!(!text.contains(&value[..4]) || "characters".contains(&value[..4]) || FILTERED.contains(&value[..4]));
    }

    #[test]
    fn nothing_breaks_a_line_or_panics(name in "\\PC{0,80}|[\\x00-\\x1f]{0,9}", value in any::<String>(), number in any::<f64>()) {
        let shown = of(&json!({ name: value, "exp": number, "iat": i64::MIN, "nbf": u64::MAX }));
        for (name, value) in shown.as_object().unwrap() {
            prop_assert!(!name.contains(char::is_control));
            prop_assert!(!value.as_str().unwrap_or_default().contains(char::is_control));
        }
    }
}
