//! What a trace keeps of a SAML answer: how it looked before anybody believed it, what was asserted, and who refused it.

use super::settings::ProviderSettings;
use crate::connect::saml::{Asked, Asserted, Attribute, Reason, Refusal};
use crate::domain::attribute_map::AttributeMap;
use crate::domain::time::Timestamp;
use crate::domain::trace::Facts;
use crate::service::context::Context;
use serde_json::{Map, Value};

/// Whether a response answers a question of ours.
pub(super) fn answers(question: Option<&str>, asked: Option<&Asked>) -> &'static str {
    match (question, asked) {
        (Some(_), Some(_)) => "a_question_of_ours",
        (Some(_), None) => "an_unknown_question",
        (None, _) => "no_question",
    }
}

/// What both verifiers have read, as far as a trace may have it; `certificates` is how many the provider has.
pub(super) fn noted(one: &Asserted, (settings, certificates): (&ProviderSettings, usize), now: Timestamp) -> Facts {
    let facts = Facts::new()
        .system("issuer", &one.issuer)
        .names("signed", &one.signed)
        .sentence("certificate", &format!("number {} of {certificates} in the metadata", one.certificate))
        .masked("name", Some(&one.subject.value))
        .when("signed_in_there", one.authenticated_at, now)
        .flag("names_its_session", one.session_index.is_some());
    let facts = match &one.subject.format {
        Some(format) => facts.system("name_format", format),
        None => facts,
    };
    let facts = match &one.context {
        Some(context) => facts.system("authn_context", context),
        None => facts,
    };
    let facts = match one.session_ends {
        Some(ends) => facts.when("session_ends", ends, now),
        None => facts,
    };
    facts.claims(&attributes(&one.attributes, &settings.map), &settings.map, now)
}

/// Attributes by the name that people know, unless the operator knows them by the other one.
fn attributes(all: &[Attribute], map: &AttributeMap) -> Map<String, Value> {
    let mapped = |name: &String| map.groups.contains(name) || map.administrator.contains(name);
    let named = |one: &Attribute| match &one.friendly_name {
        Some(friendly) if !mapped(&one.name) => friendly.clone(),
        _ => one.name.clone(),
    };
    let value = |one: &Attribute| match one.values.as_slice() {
        [only] => Value::from(only.as_str()),
        several => Value::from(several),
    };
    all.iter().map(|one| (named(one), value(one))).collect()
}

/// Notes who refused a response, and why; where the provider says no, its own code.
pub(super) fn note_refusal(ctx: &Context, refusal: &Refusal) {
    if refusal.reason == Reason::Status {
        // The last code is the most exact one (core §3.2.2.2).
        let code = refusal.detail.rsplit(':').next().unwrap_or_default();
        ctx.note("declined", Facts::new().code("error", code));
        return;
    }
    let facts = Facts::new().code("reason", refusal.reason.as_str()).code("judge", refusal.judge.as_str());
    let facts = match refusal.own_words() {
        Some(detail) => facts.sentence("detail", detail),
        None => facts,
    };
    ctx.note("not_believed", facts);
}
