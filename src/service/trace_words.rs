//! Traces in words for administrators: what happened in which order, what came of it, and what to do about it. What is in
//! a trace is `domain/trace.rs`; a step or fact that is unknown here is shown as it stands.

use super::directory::traced;
use super::trace::LEFT_OUT;
use super::{moment, trace_words_saml};
use crate::domain::id_token::SKEW;
use crate::domain::identity::SourceKind;
use crate::domain::trace::{Note, Trace, span};
use serde_json::{Map, Value};

/// One line: when, where, what came of it.
#[must_use]
pub fn line(trace: &Trace) -> String {
    let at = moment::machine(trace.at);
    let more = if trace.notes.iter().any(|note| note.step == LEFT_OUT) {
        "; there were too many in this minute: others may have left no trace"
    } else {
        ""
    };
    format!("{}  {at}  {:<24} {}{more}", trace.id, trace.source.key(), outcome(&trace.outcome))
}

/// The whole, in lines.
#[must_use]
pub fn told(trace: &Trace) -> Vec<String> {
    let mut lines = vec![
        format!("reference  {}", trace.id),
        format!("ended      {}", moment::machine(trace.at)),
        format!("with       {}", trace.source.key()),
        format!("account    {}", trace.account.map_or_else(|| "none was found".to_owned(), |id| id.to_string())),
        String::new(),
    ];
    let begun = trace.notes.first().map_or(trace.at, |note| note.at);
    for note in &trace.notes {
        let after = note.at.since(begun);
        lines.push(format!("{:>7.3} s  {}", after.as_secs_f64(), sentence(note)));
        lines.extend(details(note).into_iter().map(|detail| format!("             {detail}")));
    }
    lines.push(String::new());
    lines.push(format!("outcome    {}", outcome(&trace.outcome)));
    if let Some(remedy) = remedy(trace) {
        lines.push(format!("what to do {remedy}"));
    }
    lines
}

fn sentence(note: &Note) -> String {
    let fact = |name: &str| note.facts.get(name);
    let text = |name: &str| fact(name).and_then(Value::as_str).unwrap_or_default();
    let yes = |name: &str| fact(name).and_then(Value::as_bool).unwrap_or_default();
    match note.step.as_ref() {
        "came_back" => {
            let away = fact("seconds_away").and_then(Value::as_i64).unwrap_or_default();
            let mut said = format!("the browser came back from the provider after {}", span(away));
            for (name, more) in
                [("invited", ", with an invitation"), ("stay", ", to stay signed in"), ("adds", ", to add an identity")]
            {
                said.push_str(if yes(name) { more } else { "" });
            }
            said
        }
        "declined" => format!("the provider sent it back with the error {}", text("error")),
        "provider_failed" => format!("the provider could not be asked, or refused: {}", text("detail")),
        "not_believed" => match text("judge") {
            "" => format!("its answer was not believed: {}", text("reason")),
            judge => format!("its answer was not believed: {} ({})", text("reason"), judge.replace('_', " ")),
        },
        "saml_response" => "an answer came, to be proved yet".to_owned(),
        "saml_assertion" => "both verifiers confirm what it asserts".to_owned(),
        "id_token" => {
            format!("the ID token came, with a right signature ({}){}", text("algorithm"), clock(&note.facts))
        }
        "userinfo" => "the userinfo endpoint answered".to_owned(),
        "mapped" => "of that this service understood".to_owned(),
        "facts" => "what is known here".to_owned(),
        "decided" => match text("plan") {
            "enter" => "decided: the identity is known, its account is entered".to_owned(),
            "link" => "decided: the identity is linked to the account with the same verified address".to_owned(),
            "ask" => "decided: the owner of the account with the same verified address is asked".to_owned(),
            "accept" => "decided: the invitation is accepted".to_owned(),
            "create" => "decided: an account is made".to_owned(),
            other => format!("decided: {other}"),
        },
        "groups" => "groups followed the provider".to_owned(),
        "profile" if yes("follows") => "names and address followed the provider".to_owned(),
        "profile" => {
            "names and address were left alone (the account was not made through it, or update_profile is off)"
                .to_owned()
        }
        "directory" => format!("the directory {} says: {}", text("slug"), text("standing")),
        LEFT_OUT => {
            "there were too many in this minute: others may have left no trace; the log has their reasons".to_owned()
        }
        other => other.to_owned(),
    }
}

/// What the sentence has not said.
fn details(note: &Note) -> Vec<String> {
    let told: &[&str] = match note.step.as_ref() {
        "came_back" => &["seconds_away", "invited", "stay", "adds"],
        "declined" => &["error"],
        "provider_failed" => &["reason", "detail"],
        "not_believed" => &["reason", "judge"],
        "id_token" => &["algorithm", "clock_ahead"],
        "decided" => &["plan"],
        "profile" => &["follows"],
        "directory" => &["slug", "standing"],
        _ => &[],
    };
    let mut lines = Vec::new();
    for (name, value) in note.facts.iter().filter(|(name, _)| !told.contains(&name.as_str())) {
        match value {
            Value::Object(fields) => lines.extend(fields.iter().map(|(name, value)| pair(name, value))),
            Value::Array(several) if several.is_empty() => {}
            value => lines.push(pair(name, value)),
        }
    }
    lines
}

fn pair(name: &str, value: &Value) -> String {
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(several) => {
            let words = several.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
            words.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    format!("{name}: {value}")
}

/// A clock that is further off than a token takes on its way.
fn clock(facts: &Map<String, Value>) -> String {
    match facts.get("clock_ahead").and_then(Value::as_i64) {
        Some(ahead) if ahead > 2 => format!("; the provider's clock is {} ahead of this one", span(ahead)),
        Some(ahead) if ahead < -SKEW => format!("; the provider's clock is {} behind this one", span(ahead)),
        _ => String::new(),
    }
}

fn outcome(code: &str) -> String {
    let words = match code {
        "signed_in" => "signed in",
        "second_factor_owed" => "believed; the second factor was asked for",
        "new_password_owed" => "believed; a new password was asked for",
        "enrolment_owed" => "believed; a second factor had to be set up",
        "asked_to_add" => "believed; asked whether to add the identity",
        "outdated" => "refused: the answer belonged to no open sign-in of that browser",
        "declined" => "refused by the provider, or cancelled there",
        "away" => "the provider did not answer, or not in order",
        "trouble" => "a store of this service did not answer",
        code => return format!("refused: {code}"),
    };
    words.to_owned()
}

/// What to do about it; `None` when nothing went wrong.
#[must_use]
pub fn remedy(trace: &Trace) -> Option<String> {
    let slug = trace.source.slug();
    let check = || format!("Run `vestibule idp check {slug}`.");
    let noted = |step: &str, name: &str| {
        let of_step = trace.notes.iter().rev().find(|note| note.step == step)?;
        of_step.facts.get(name)
    };
    let text = |step: &str, name: &str| noted(step, name).and_then(Value::as_str).unwrap_or_default();
    let clock = noted("id_token", "clock_ahead").and_then(Value::as_i64).unwrap_or_default();
    if let (SourceKind::Directory, Some(remedy)) = (trace.source.kind(), traced::remedy(&trace.outcome)) {
        return Some(remedy.to_owned());
    }
    Some(match trace.outcome.as_str() {
        "signed_in" | "second_factor_owed" | "new_password_owed" | "enrolment_owed" | "asked_to_add" => return None,
        "outdated" => "Nothing, if it happens now and then: the page was left open too long, opened in another browser, or \
                       reloaded. If it happens always, look whether people reach this service under public_url and under no \
                       other name, whether a proxy drops cookies, and whether response_mode fits the provider."
            .to_owned(),
        "declined" => declined(text("declined", "error")),
        "away" => format!("{} Other ways to sign in work meanwhile.", check()),
        "id_token_iat" | "id_token_exp" | "id_token_nbf" | "id_token_auth_time" if clock.abs() > SKEW => {
            let side = if clock > 0 { "ahead of" } else { "behind" };
            format!(
                "The provider's clock is {} {side} this machine's; up to {SKEW} s are borne. Set both by NTP.",
                span(clock)
            )
        }
        "code_refused" => format!(
            "The provider refused the code or this service: look at client_id, client_secret and client_authentication. {}",
            check()
        ),
        code => known(code).or_else(|| trace_words_saml::known(code)).map_or_else(check, str::to_owned),
    })
}

/// What an error code of the authorization endpoint asks for (RFC 6749 section 4.1.2.1, Core section 3.1.2.6).
pub(super) fn declined(error: &str) -> String {
    if let Some(words) = trace_words_saml::declined(error) {
        return words.to_owned();
    }
    match error {
        "access_denied" => "The person cancelled, or may not use this service by the provider's own rules: look there.",
        "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
            "The provider may show no page to the person: look at prompt in the configuration."
        }
        "invalid_scope" => "The provider does not know one of the scopes: look at scopes in the configuration.",
        "unauthorized_client" | "unsupported_response_type" | "invalid_request" => {
            "The provider does not take this kind of question from this client: it must allow the authorization code flow."
        }
        "server_error" | "temporarily_unavailable" => "The provider had a trouble of its own; look into its log.",
        _ => "Look the error up in the provider's documentation.",
    }
    .to_owned()
}

fn known(code: &str) -> Option<&'static str> {
    Some(match code {
        "response_iss" => {
            "The answer came from another issuer than the one that was asked (RFC 9207), or did not say from whom. If it \
             happens always, issuer in the configuration is not what the provider calls itself."
        }
        "id_token_iss" => "Set issuer to exactly what the token says, including a slash at the end.",
        "id_token_aud" | "id_token_azp" => "The token is for another client: look at client_id.",
        "id_token_nonce" => {
            "The answer belongs to another sign-in. If it happens always, the provider does not give nonce back."
        }
        "id_token_exp" => {
            "The token was over when it came: look at the provider's lifetime of ID tokens, and at both clocks."
        }
        "id_token_auth_time" => {
            "The person signed in there longer ago than max_age allows, or the provider does not say when."
        }
        "essential_claim" => "A claim that claims asks for as essential did not come, or with another value.",
        "token_algorithm" => {
            "The token is signed in a way that algorithms does not list; have the provider sign with one of those."
        }
        "token_key_unknown" | "token_signature" => {
            "No key that the provider publishes made this signature. If it happens always, its jwks_uri is out of date."
        }
        "userinfo_sub" => "The userinfo endpoint spoke of somebody else. Tell whoever runs the provider.",
        "identity_unknown" => {
            "on_first_sign_in is \"deny\": the person has to add the provider to an account, or you change it."
        }
        "not_invited" => "on_first_sign_in is \"invited_only\": invite the person.",
        "username_taken" => {
            "An account has this username. If it is the same person, they sign in to it in another way and add the provider \
             under \"Sign-in providers\"; or map another claim to attributes.username."
        }
        "email_taken" => {
            "An account has this address. If it is the same person, they sign in to it in another way and add the provider; or \
             set on_first_sign_in = \"link_verified_email\", which asks them where both sides verified the address."
        }
        "link_first" => {
            "An account has this address, verified on both sides. The person signs in to it once as before and says yes there; \
             they were told so."
        }
        "invitation_open" => {
            "An invitation for this address is open: the person follows its link, or you send a new one."
        }
        "username_missing" => "No claim that attributes.username names had a value that can be a username.",
        "email_missing" => {
            "No claim that attributes.email names had a value: ask for the scope email, or map another claim."
        }
        "invitation_gone" => "Send a new invitation.",
        "linked_elsewhere" => "This identity belongs to another account: remove it there first.",
        "other_identity" => "The account has another identity of this provider: remove that one first.",
        "locked" => "The account is locked: `vestibule account unlock`.",
        "waiting" => "The account waits for approval (approval = true).",
        "ended" => "The account's time is over: `vestibule account set-end`.",
        "source_off" => "The provider is switched off (enabled = false).",
        "trouble" => "Look into the log under this reference.",
        _ => return None,
    })
}

#[cfg(test)]
#[path = "trace_words_tests.rs"]
mod tests;
