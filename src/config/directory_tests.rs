//! The section `[[directory]]`: what is careful by itself, and which contradictions are told.

use super::*;
use crate::config::tests::{config, problems};

const LDAP: &str = "[[directory]]\nslug = \"ldap\"\nhosts = [\"ldap.example.org\"]\nbase_dn = \"dc=example,dc=org\"\n";

#[test]
fn three_keys_are_enough_and_the_rest_is_careful() {
    let directory = &config(LDAP).directories[0];
    assert_eq!(directory.security, Security::Starttls);
    assert_eq!((directory.gone, directory.sync_status, directory.create_accounts), (Gone::Keep, false, false));
    assert_eq!((directory.max_removals, directory.max_removals_percent), (25, 20));
    assert_eq!(directory.attributes.subject[0].as_str(), "objectGUID");
    assert_eq!(filter().as_str().parse(), Ok(filter()));
    let Attributes { username, name, email, subject } = Attributes::default();
    for constant in [username, name, email, subject, vec![name_attribute()]].iter().flatten() {
        assert_eq!(constant.as_str().parse().as_ref(), Ok(constant));
    }
    assert_eq!(directory.display_name(), "ldap");
}

#[test]
fn contradictions_are_told_with_their_line() {
    for (more, told) in [
        ("security = \"none\"", "5: directory[0].security: \"none\" sends passwords unencrypted"),
        ("danger_plain = true", "5: directory[0].danger_plain: is meant for security = \"none\" only"),
        ("bind_dn = \"cn=a,dc=b\"", "5: directory[0].bind_dn: needs bind_password"),
        ("bind_dn = \"cn=a\"\nbind_password = \"\"", "directory[0].bind_dn: needs bind_password"),
        ("bind_password = \"x\"", "5: directory[0].bind_password: needs bind_dn"),
        ("filter = \"(a=b\"", "5: directory[0].filter: is no search filter: at character 5, \")\" is missing"),
        ("interval = \"5s\"", "5: directory[0].interval"),
        ("attributes.username = []", "5: directory[0].attributes.username: must name"),
        ("filtre = \"(a=b)\"", "did you mean \"directory[0].filter\"?"),
        ("[[directory.group_sync]]", "directory[0].group_sync[0]: needs dn or filter"),
        (
            "[[directory.group_sync]]\ndn = \"cn=a,dc=b\"\nfilter = \"(a=b)\"",
            "7: directory[0].group_sync[0].filter: is set together with dn",
        ),
        ("[[directory.group_sync]]\nfilter = \"(a=b)\"\nmembers = \"memberof\"", "did you mean \"member_of\"?"),
        (
            "[[directory.group_sync]]\nfilter = \"(a=b)\"\nmembers = \"member_uid\"\nnested_depth = 2",
            "nested_depth: must be 0",
        ),
        ("password_url = \"javascript:alert(1)\"", "5: directory[0].password_url"),
        (
            "[[directory.custom_attribute]]\nname = \"room\"\nfrom = []",
            "custom_attribute[0].from: must name at least one",
        ),
        (
            "[[directory.custom_attribute]]\nname = \"room\"\nfrom = [\"a\"]\n\
             [[directory.custom_attribute]]\nname = \"room\"\nfrom = [\"b\"]",
            "custom_attribute[1].name: \"room\" is taken already",
        ),
        ("[[directory.custom_attribute]]\nname = \"A Room\"\nfrom = [\"a\"]", "custom_attribute[0].name"),
        (LDAP, "directory[1].slug: \"ldap\" is taken already"),
    ] {
        let text = problems(&format!("{LDAP}{more}\n"));
        assert!(text.contains(told), "wanted: {told}\ngot: {text}");
    }
}

#[test]
fn a_password_is_set_by_the_environment_and_never_shown() {
    let variables = [("VESTIBULE__DIRECTORY__LDAP__BIND_PASSWORD".to_owned(), "hunter2".to_owned())].into();
    let read = crate::config::Config::parse(&format!("{LDAP}bind_dn = \"cn=a,dc=b\""), &variables).unwrap();
    assert_eq!(read.directories[0].bind_password.as_ref().unwrap().expose(), "hunter2");
    assert!(!format!("{read:?}").contains("hunter2"));
}
