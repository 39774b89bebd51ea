//! The `claims` parameter (OpenID Connect Core 1.0 section 5.5), as far as we insist on it: claims that were asked for as
//! essential must come, with a value that was asked for.

use serde_json::{Map, Value};

/// Where a claim was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// In the ID token.
    IdToken,
    /// From the userinfo endpoint.
    Userinfo,
}

/// The claims that were asked for as essential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EssentialClaims {
    id_token: Vec<Essential>,
    userinfo: Vec<Essential>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Essential {
    name: String,
    /// Empty: any value.
    values: Vec<Value>,
}

impl EssentialClaims {
    /// From the parameter's JSON; what is not understood is not insisted on (the configuration was checked before).
    #[must_use]
    pub fn of(parameter: &str) -> Self {
        let request: Value = serde_json::from_str(parameter).unwrap_or_default();
        let list = |document: &str| {
            let wishes = request.get(document).and_then(Value::as_object).into_iter().flatten();
            wishes.filter_map(|(name, wish)| Essential::of(name, wish)).collect()
        };
        Self { id_token: list("id_token"), userinfo: list("userinfo") }
    }

    /// Whether anything is insisted on in this document.
    #[must_use]
    pub const fn are_wanted(&self, document: Document) -> bool {
        match document {
            Document::IdToken => !self.id_token.is_empty(),
            Document::Userinfo => !self.userinfo.is_empty(),
        }
    }

    /// Whether the document has them all.
    #[must_use]
    pub fn are_met(&self, document: Document, claims: &Map<String, Value>) -> bool {
        let list = match document {
            Document::IdToken => &self.id_token,
            Document::Userinfo => &self.userinfo,
        };
        list.iter().all(|one| claims.get(&one.name).is_some_and(|stated| one.accepts(stated)))
    }
}

impl Essential {
    fn of(name: &str, wish: &Value) -> Option<Self> {
        if wish.get("essential").and_then(Value::as_bool) != Some(true) {
            return None;
        }
        let one = wish.get("value").into_iter().cloned();
        let several = wish.get("values").and_then(Value::as_array).into_iter().flatten().cloned();
        Some(Self { name: name.to_owned(), values: one.chain(several).collect() })
    }

    fn accepts(&self, stated: &Value) -> bool {
        !stated.is_null() && (self.values.is_empty() || self.values.contains(stated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn met(document: Document, claims: &Value) -> bool {
        let wanted = EssentialClaims::of(
            r#"{"id_token": {"acr": {"essential": true, "values": ["mfa", "phr"]}, "name": null, "amr": {"essential": false}},
                "userinfo": {"email": {"essential": true}, "tier": {"essential": true, "value": "gold"}}}"#,
        );
        wanted.are_met(document, claims.as_object().unwrap())
    }

    #[test]
    fn essential_claims_must_be_there_with_a_wanted_value() {
        assert!(met(Document::IdToken, &json!({"acr": "phr"})));
        for claims in [json!({}), json!({"acr": "pwd"}), json!({"acr": null}), json!({"acr": ["mfa"]})] {
            assert!(!met(Document::IdToken, &claims), "{claims}");
        }
        assert!(met(Document::Userinfo, &json!({"email": "x", "tier": "gold"})));
        assert!(!met(Document::Userinfo, &json!({"email": "x", "tier": "silver"})));
        assert!(!met(Document::Userinfo, &json!({"tier": "gold"})));
        assert!(EssentialClaims::of("nonsense").are_met(Document::IdToken, &Map::new()));
    }
}
