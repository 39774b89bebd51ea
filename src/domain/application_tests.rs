//! Tests of `application.rs`, apart for its length.

use super::*;

fn app() -> Application {
    let rule = |prefix: &str, groups: &[&str], anonymous| Rule {
        prefix: prefix.into(),
        groups: groups.iter().map(|name| GroupKey::of(name)).collect(),
        anonymous,
        ..Rule::default()
    };
    Application {
        slug: "tasks".into(),
        name: "Tasks".into(),
        hosts: vec!["tasks.example.org".into()],
        rules: vec![
            rule("/", &["staff"], Anonymous::None),
            rule("/public", &[], Anonymous::ReadOnly),
            rule("/public/admin", &["admins"], Anonymous::None),
            rule("/public/staff", &["staff"], Anonymous::ReadOnly),
        ],
        signed_identity: false,
        audience: "tasks".into(),
    }
}

fn decide(path: &str, method: &str, groups: Option<&[&str]>) -> Decision {
    let app = app();
    let names: Vec<_> = groups.unwrap_or_default().iter().map(|name| GroupKey::of(name)).collect();
    let visitor = groups.map(|_| Visitor { groups: &names, methods: Methods::PASSWORD, proved_ago: Duration::ZERO });
    let asked = Asked { method, path, address: "192.0.2.1".parse().unwrap() };
    app.rule_for(path).unwrap().decide(&asked, visitor.as_ref())
}

#[test]
fn the_longest_matching_path_decides() {
    assert_eq!(decide("/", "GET", Some(&["staff"])), Decision::Allow);
    assert_eq!(decide("/", "GET", Some(&["guests"])), Decision::Refuse(Refusal::Group));
    assert_eq!(decide("/", "GET", None), Decision::SignIn);
    assert_eq!(decide("/public/x", "GET", None), Decision::AllowAnonymous);
    assert_eq!(decide("/public/x", "POST", None), Decision::SignIn);
    assert_eq!(decide("/public/x", "POST", Some(&[])), Decision::Allow);
    assert_eq!(
        decide("/public/staff/x", "GET", Some(&[])),
        Decision::AllowAnonymous,
        "open to strangers is open to all"
    );
    assert_eq!(decide("/public/staff/x", "POST", Some(&[])), Decision::Refuse(Refusal::Group));
    assert_eq!(decide("/public/admin", "GET", None), Decision::SignIn);
    assert_eq!(decide("/public/admin/x", "GET", Some(&["staff"])), Decision::Refuse(Refusal::Group));
    assert_eq!(decide("/publicity", "GET", None), Decision::SignIn, "a prefix ends at a slash");
}

#[test]
fn networks_bind_before_anything_else() {
    let rule = Rule { networks: vec!["10.0.0.0/8".parse().unwrap()], second_factor: true, ..Rule::default() };
    let visitor = Visitor { groups: &[], methods: Methods::PASSWORD, proved_ago: Duration::ZERO };
    let from = |address: &str| Asked { method: "GET", path: "/", address: address.parse().unwrap() };
    assert_eq!(rule.decide(&from("192.0.2.1"), Some(&visitor)), Decision::Refuse(Refusal::Network));
    assert_eq!(rule.decide(&from("10.1.1.1"), Some(&visitor)), Decision::StepUp(Refusal::SecondFactor));
}

#[test]
fn a_second_factor_and_a_fresh_proof_can_be_asked_for() {
    let hour = Duration::from_hours(1);
    let asked = Asked { method: "GET", path: "/", address: "192.0.2.1".parse().unwrap() };
    let decide = |second_factor, max_age, methods, proved_ago| {
        let rule = Rule { second_factor, max_age, ..Rule::default() };
        rule.decide(&asked, Some(&Visitor { groups: &[], methods, proved_ago }))
    };
    let (one, two) = (Methods::PASSWORD, Methods::PASSWORD.and(Methods::CODE).and(Methods::MULTI_FACTOR));
    let spared = one.and(Methods::REMEMBERED_DEVICE);
    assert_eq!(decide(true, None, one, hour), Decision::StepUp(Refusal::SecondFactor));
    assert_eq!(decide(true, None, two, hour), Decision::Allow);
    assert_eq!(decide(true, None, spared, hour), Decision::Allow);
    assert_eq!(decide(true, Some(hour), spared, Duration::ZERO), Decision::StepUp(Refusal::SecondFactor));
    assert_eq!(decide(true, Some(hour), two, hour), Decision::Allow);
    assert_eq!(decide(true, Some(hour), two, hour + Duration::from_secs(1)), Decision::StepUp(Refusal::Stale));
    assert_eq!(decide(false, Some(hour), one, hour + hour), Decision::StepUp(Refusal::Stale));
    assert_eq!(decide(false, Some(hour), one, Duration::ZERO), Decision::Allow);
}
