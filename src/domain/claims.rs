//! What an OpenID provider says about a person, in two documents: userinfo comes first, the ID token second. Mapping names
//! to values is [`AttributeMap`]'s; here is how a claim is found and read as text.

use super::attribute_map::{AttributeMap, Mapped};
use serde_json::{Map, Value};

/// The documents of one sign-in. What the protocol itself needs is taken from the ID token alone, elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// From the userinfo endpoint, if it was asked.
    pub userinfo: Option<Map<String, Value>>,
    /// From the ID token.
    pub id_token: Map<String, Value>,
}

impl Claims {
    /// What they say, mapped. With `trust_email` the address counts as verified whatever they say.
    #[must_use]
    pub fn mapped(&self, map: &AttributeMap, trust_email: bool) -> Mapped {
        let mut mapped = map.read(|name| self.documents().find_map(|claims| values(claims, name)));
        mapped.attributes.email_verified = match &mapped.attributes.email {
            Some(email) => trust_email || self.verifies(email),
            None => false,
        };
        mapped
    }

    fn documents(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.userinfo.iter().chain([&self.id_token])
    }

    /// Whether a document names exactly this address and says of it, in the same breath, that it is verified.
    fn verifies(&self, email: &str) -> bool {
        let says = |claims: &Map<String, Value>| {
            let verified = match claims.get("email_verified") {
                Some(Value::Bool(verified)) => *verified,
                // Some providers write their booleans as text.
                Some(Value::String(text)) => text == "true",
                _ => false,
            };
            verified && claims.get("email").and_then(Value::as_str).is_some_and(|stated| stated.trim() == email)
        };
        self.documents().find(|claims| claims.contains_key("email")).is_some_and(says)
    }
}

/// The values under a name: a claim of exactly this name, or a path with dots through objects. An empty text is as good as
/// nothing, an empty list is a statement.
fn values(claims: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let found = claims.get(name).or_else(|| {
        let mut steps = name.split('.');
        let first = claims.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.as_object()?.get(step))
    })?;
    match found {
        Value::Null | Value::Object(_) => None,
        Value::Array(several) => Some(several.iter().filter_map(text).collect()),
        Value::String(blank) if blank.trim().is_empty() => None,
        one => Some(text(one).into_iter().collect()),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map() -> AttributeMap {
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        AttributeMap {
            username: names(&["preferred_username", "email"]),
            email: names(&["email"]),
            name: names(&["name"]),
            groups: names(&["realm_access.roles", "groups"]),
            ..AttributeMap::default()
        }
    }

    fn mapped(userinfo: &Value, id_token: &Value) -> Mapped {
        let object = |value: &Value| value.as_object().cloned();
        let claims = Claims { userinfo: object(userinfo), id_token: object(id_token).unwrap() };
        claims.mapped(&map(), false)
    }

    #[test]
    fn userinfo_comes_first_and_the_id_token_fills_in() {
        let mapped = mapped(
            &json!({"email": "anna@example.org", "email_verified": "true", "name": " "}),
            &json!({"email": "old@example.org", "name": "Anna", "realm_access": {"roles": ["staff", 7, {}]}}),
        );
        let said = mapped.attributes;
        assert_eq!(said.email.as_deref(), Some("anna@example.org"));
        assert!(said.email_verified);
        assert_eq!(said.name.as_deref(), Some("Anna"));
        assert_eq!(said.username.as_deref(), Some("anna@example.org"));
        assert_eq!(mapped.groups.unwrap(), ["staff", "7"]);
    }

    #[test]
    fn an_address_is_verified_only_by_the_document_that_names_it() {
        let token = json!({"email": "anna@example.org", "email_verified": true});
        assert!(mapped(&Value::Null, &token).attributes.email_verified);
        // Userinfo names another address and says nothing of it; what the ID token says is about the old one.
        assert!(!mapped(&json!({"email": "boss@example.org"}), &token).attributes.email_verified);
        assert!(!mapped(&json!({"email": "anna@example.org"}), &token).attributes.email_verified);
        for odd in [json!("TRUE"), json!(1), json!("yes"), Value::Null, json!(["true"])] {
            let claims = json!({"email": "anna@example.org", "email_verified": odd});
            assert!(!mapped(&Value::Null, &claims).attributes.email_verified, "{odd}");
        }
    }

    #[test]
    fn nothing_said_about_groups_is_not_an_empty_list() {
        assert_eq!(mapped(&Value::Null, &json!({})).groups, None);
        assert_eq!(mapped(&Value::Null, &json!({"groups": null})).groups, None);
        assert_eq!(mapped(&Value::Null, &json!({"groups": []})).groups, Some(Vec::new()));
        assert_eq!(mapped(&Value::Null, &json!({"groups": "one"})).groups.unwrap(), ["one"]);
    }
}
