//! Whether a source's word about a second factor counts: `acr` and `amr` of OpenID Connect, `AuthnContextClassRef` of SAML.
//! What a source says is recorded as it says it; what it proves here is the operator's decision alone. Pure.

use super::session::Methods;
use serde::{Deserialize, Serialize};

/// Longest value that is kept, in bytes.
const LONGEST: usize = 200;
/// Most methods that are kept.
const MOST: usize = 16;

/// What a source says about how somebody proved who they are, cut to what can be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The level or class: `acr`, or `AuthnContextClassRef`.
    #[serde(default)]
    pub context: Option<String>,
    /// The methods: `amr` (RFC 8176). SAML has none.
    #[serde(default)]
    pub methods: Vec<String>,
}

impl Stated {
    /// From a source's words. What is too long, or is no plain ASCII, is passed over.
    #[must_use]
    pub fn of<'a>(context: Option<&str>, methods: impl IntoIterator<Item = &'a str>) -> Self {
        let methods = methods.into_iter().filter(|text| is_plain(text)).take(MOST).map(str::to_owned);
        Self { context: context.filter(|text| is_plain(text)).map(str::to_owned), methods: methods.collect() }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Which words of a source the operator believes to mean a second factor. By default none does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactorTrust {
    /// Levels or classes: any one of them is enough.
    pub contexts: Vec<String>,
    /// Methods: any one of them is enough.
    pub methods: Vec<String>,
}

impl FactorTrust {
    /// What the source's word proves here: that it vouched, and more than one factor only where that is believed. Values
    /// are compared exactly.
    #[must_use]
    pub fn proves(&self, stated: &Stated) -> Methods {
        let context = stated.context.as_ref().is_some_and(|context| self.contexts.contains(context));
        let method = stated.methods.iter().any(|method| self.methods.contains(method));
        if context || method { Methods::FEDERATED.and(Methods::MULTI_FACTOR) } else { Methods::FEDERATED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust() -> FactorTrust {
        FactorTrust { contexts: vec!["https://refeds.org/profile/mfa".to_owned()], methods: vec!["mfa".to_owned()] }
    }

    #[test]
    fn nothing_is_believed_that_the_operator_did_not_name() {
        let said = Stated::of(Some("https://refeds.org/profile/mfa"), ["pwd", "otp", "mfa"]);
        assert_eq!(FactorTrust::default().proves(&said), Methods::FEDERATED);
        for (context, methods) in [
            (None, vec![]),
            (Some("https://refeds.org/profile/MFA"), vec![]),
            (Some("https://refeds.org/profile/mfa/"), vec!["pwd"]),
            (Some("mfa"), vec!["https://refeds.org/profile/mfa"]),
            (Some(""), vec!["", "MFA", "mfa "]),
        ] {
            assert_eq!(
                trust().proves(&Stated::of(context, methods.clone())),
                Methods::FEDERATED,
                "{context:?} {methods:?}"
            );
        }
    }

    #[test]
    fn either_word_is_enough_where_it_is_believed() {
        let both = Methods::FEDERATED.and(Methods::MULTI_FACTOR);
        assert_eq!(trust().proves(&Stated::of(Some("https://refeds.org/profile/mfa"), [])), both);
        assert_eq!(trust().proves(&Stated::of(Some("0"), ["pwd", "mfa"])), both);
    }

    #[test]
    fn what_is_kept_is_short_and_plain() {
        let long = "x".repeat(LONGEST + 1);
        let many = std::iter::repeat_n("otp", MOST + 1);
        assert_eq!(Stated::of(Some(&long), [long.as_str(), "a b", "\u{e4}", "\n"]), Stated::default());
        assert_eq!(Stated::of(None, many).methods.len(), MOST);
    }
}
