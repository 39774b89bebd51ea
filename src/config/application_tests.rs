//! Tests of `application.rs`, apart for its length.

use super::*;
use crate::config::tests::{config, problems};

const TASKS: &str = r#"
    [[application]]
    slug = "tasks"
    hosts = ["tasks.example.org"]
    groups = ["staff"]
    anonymous_paths = ["/public", "/help/"]
    [[application.rule]]
    paths = ["/admin", "/admin/audit"]
    groups = ["admins"]
    second_factor = true
    [[application.rule]]
    paths = ["/public/drafts"]
    networks = ["10.0.0.0/8"]
"#;

fn rule_for(application: &Application, path: &str) -> AccessRule {
    application.access_rules().into_iter().find(|rule| rule.prefix.covers(path)).unwrap()
}

#[test]
fn a_rule_refines_what_the_application_says() {
    let application = &config(TASKS).applications[0];
    let rule = rule_for(application, "/admin/users");
    assert_eq!(rule.groups, ["admins".parse().unwrap()]);
    assert!(rule.second_factor && rule.networks.is_empty() && rule.anonymous == Anonymous::None);
    let rule = rule_for(application, "/administrator");
    assert_eq!((rule.prefix, rule.groups), (PathPrefix::root(), vec!["staff".parse().unwrap()]));
    assert!(!rule.second_factor);
}

#[test]
fn only_the_longest_prefix_counts_also_against_anonymous_paths() {
    let application = &config(TASKS).applications[0];
    assert_eq!(rule_for(application, "/public/a").anonymous, Anonymous::ReadOnly);
    assert_eq!(rule_for(application, "/help").anonymous, Anonymous::ReadOnly);
    let drafts = rule_for(application, "/public/drafts/1");
    assert_eq!(drafts.anonymous, Anonymous::None);
    assert_eq!(drafts.groups, ["staff".parse().unwrap()]);
    assert_eq!(rule_for(application, "/").anonymous, Anonymous::None);
}

#[test]
fn a_whole_site_can_be_open_for_reading() {
    let text = "[[application]]\nslug = \"wiki\"\nhosts = [\"wiki.example.org\"]\nanonymous_paths = [\"/\"]";
    let rules = config(text).applications[0].access_rules();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].anonymous, Anonymous::ReadOnly);
}

#[test]
fn two_applications_cannot_want_the_same() {
    let two = format!("{TASKS}[[application]]\nslug = \"tasks\"\nhosts = [\"TASKS.example.org\"]");
    let text = problems(&two);
    assert!(text.contains("application[1].slug: \"tasks\" is taken already"), "{text}");
    assert!(text.contains("application[1].hosts: \"tasks.example.org\" belongs"), "{text}");
}

#[test]
fn contradictions_and_weak_secrets_are_refused() {
    let text = problems(&TASKS.replace("groups = [\"admins\"]", "anonymous = \"none\"").replace("/admin\"", "/help\""));
    assert!(text.contains("the opposite"), "{text}");
    let text = problems(&TASKS.replace("\"/admin/audit\"", "\"/admin\""));
    assert!(text.contains("has a rule already"), "{text}");
    let text = problems(&TASKS.replace("groups = [\"staff\"]", "secret = \"hunter2-hunter2\""));
    assert!(text.contains("at least 32 characters") && !text.contains("hunter2"), "{text}");
}
