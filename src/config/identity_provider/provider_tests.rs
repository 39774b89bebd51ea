//! Tests of `mod.rs`, apart for its length.

use super::*;
use crate::config::tests::{config, problems};

const CORP: &str = r#"
    [[identity_provider]]
    slug = "corp"
    name = "Corp SSO"
    kind = "oidc"
    issuer = "https://idp.example.org"
    client_id = "vestibule"
    client_secret = "s3cr3t-of-corp"
    [identity_provider.attributes]
    username = "preferred_username"
    email = ["mail", "email"]
"#;

#[test]
fn a_provider_needs_little_and_a_name_alone_is_a_list_of_one() {
    let provider = &config(CORP).identity_providers[0];
    assert_eq!((provider.display_name(), provider.kind), ("Corp SSO", Kind::Oidc));
    assert_eq!(provider.attributes.username.as_deref(), Some(&["preferred_username".to_owned()][..]));
    assert_eq!(provider.attributes.email.as_ref().map(Vec::len), Some(2));
    assert!(provider.enabled && provider.groups.from.is_empty() && !provider.allow_private_network);
    assert_eq!(provider.on_first_sign_in, OnFirstSignIn::Create);
    assert_eq!(provider.oidc.scopes, ["openid", "profile", "email"]);
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    for (from, to, told) in [
        ("https://idp.example.org", "http://idp.example.org", "identity_provider[0].issuer: \"http://idp"),
        ("https://idp.example.org", "https://idp.example.org/?a=b", "identity_provider[0].issuer"),
        ("client_id", "client_ids", "did you mean \"identity_provider[0].client_id\"?"),
        ("\"oidc\"", "\"ldap\"", "identity_provider[0].kind"),
        ("\"corp\"", "\"internal\"", "identity_provider[0].slug: has a meaning of its own"),
        ("client_secret = \"s3cr3t-of-corp\"", "", "identity_provider[0].client_secret: is missing"),
        ("name = \"Corp SSO\"", "claims = \"{}\"", "identity_provider[0].claims"),
        ("name = \"Corp SSO\"", "algorithms = [\"HS256\"]", "identity_provider[0].algorithms"),
        ("name = \"Corp SSO\"", "discovery = false", "identity_provider[0].token_endpoint"),
        ("\"oidc\"", "\"saml\"", "identity_provider[0].metadata_url: is missing"),
    ] {
        assert!(CORP.contains(from), "{from}");
        let text = problems(&CORP.replace(from, to));
        assert!(text.contains(told), "{to}: {text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    let twice = format!("{CORP}{CORP}");
    assert!(problems(&twice).contains("identity_provider[1].slug: \"corp\" is taken already"));
}

#[test]
fn an_issuer_on_this_machine_may_be_http() {
    for local in ["http://127.0.0.1:4000", "http://localhost:4000", "http://[::1]:4000/realm"] {
        assert_eq!(config(&CORP.replace("https://idp.example.org", local)).identity_providers.len(), 1);
    }
}
