//! What a trace says of clocks, failures and steps of other versions.

use super::*;
use crate::domain::id::RequestId;
use crate::domain::identity::Source;
use crate::domain::time::Timestamp;
use crate::domain::trace::Facts;
use std::borrow::Cow;

fn trace(outcome: &str, notes: Vec<(&'static str, Facts)>) -> Trace {
    let at = Timestamp::from_millis(1_795_284_300_000);
    let id = RequestId::new(uuid::Uuid::nil());
    let notes = notes.into_iter().map(|(step, facts)| Note { at, step: Cow::Borrowed(step), facts: facts.into_map() });
    let source = Source::provider("corp");
    Trace { id, at, source, outcome: outcome.to_owned(), believed: false, account: None, notes: notes.collect() }
}

#[test]
fn a_clock_that_is_off_is_told_with_its_difference() {
    let ahead = trace("id_token_iat", vec![("id_token", Facts::new().number("clock_ahead", 245))]);
    assert!(remedy(&ahead).unwrap().starts_with("The provider's clock is 4 min ahead of"), "{:?}", remedy(&ahead));
    assert!(told(&ahead).iter().any(|line| line.contains("the provider's clock is 4 min ahead of this one")));
    let fine = trace("id_token_exp", vec![("id_token", Facts::new().number("clock_ahead", -10))]);
    assert!(remedy(&fine).unwrap().contains("lifetime"), "{:?}", remedy(&fine));
}

#[test]
fn every_failure_has_a_remedy_and_success_has_none() {
    assert_eq!(remedy(&trace("signed_in", Vec::new())), None);
    for code in ["outdated", "declined", "away", "code_refused", "locked", "something_new"] {
        assert!(remedy(&trace(code, Vec::new())).is_some_and(|text| text.ends_with('.')), "{code}");
    }
}

#[test]
fn steps_of_other_versions_are_shown_as_they_stand() {
    let lines = told(&trace("new_outcome", vec![("new_step", Facts::new().code("fact", "value"))]));
    assert!(
        lines.iter().any(|line| line.ends_with("new_step")) && lines.iter().any(|line| line.contains("fact: value"))
    );
}
