//! The part of `vestibule idp check` that looks at more than metadata and keys, in words with remedies.

use super::context::Context;
use super::moment;
use super::provider::{Oidc, Report, advice};
use super::trace_words::declined;
use crate::connect::oidc::probe::{Probe, Said};
use crate::connect::oidc::{Known, OidcError, Question, Stage};
use crate::domain::id_token::SKEW;
use crate::domain::time::days;
use crate::domain::trace::span;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long before its end a certificate is a problem.
const RENEW_DAYS: u32 = 14;
/// A difference between clocks that a request explains.
const USUAL: i64 = 2;

/// Adds what can be seen of an OpenID provider that is reached.
///
/// # Errors
/// [`OidcError`] when the metadata has addresses that are none.
pub(super) async fn look(ctx: &Context, oidc: &Oidc, known: &Known, report: &mut Report) -> Result<(), OidcError> {
    let random = || URL_SAFE_NO_PAD.encode(ctx.bytes::<32>());
    let (state, nonce, verifier) = (random(), random(), random());
    let question = Question { state: &state, nonce: &nonce, verifier: &verifier, anew: false };
    let probe = oidc.client.probe(known, &question, ctx.now()).await?;
    promises(oidc, known, report);
    clock(&probe, report);
    certificate(ctx, &probe, report);
    said(&probe.said, &oidc.client.settings().redirect_uri, report);
    Ok(())
}

/// What the metadata says that cannot go together with us.
fn promises(oidc: &Oidc, known: &Known, report: &mut Report) {
    let (metadata, settings) = (&known.metadata, oidc.client.settings());
    endpoints(oidc, known, report);
    if metadata.answers_with.as_ref().is_some_and(|offered| !offered.iter().any(|one| one == "code")) {
        report.problems.push(
            "the provider offers no authorization code (response_types_supported lacks \"code\"): nobody can sign in\n  \
             Switch the authorization code flow on for this client; tokens in addresses are not taken here."
                .to_owned(),
        );
    }
    if metadata.pkce.as_ref().is_some_and(|offered| !offered.iter().any(|one| one == "S256")) {
        report.problems.push(
            "the provider offers PKCE, and not with S256, which is always used here\n  Switch S256 on at the provider."
                .to_owned(),
        );
    }
    let counts = |name: &String| settings.algorithms.iter().any(|one| format!("{one:?}") == *name);
    if metadata.signs_with.as_ref().is_some_and(|offered| !offered.iter().any(counts)) {
        report.problems.push(
            "the provider signs ID tokens in no way that counts here\n  Have it sign with RS256 or ES256, or see algorithms; \
             a shared secret (HS256) never counts."
                .to_owned(),
        );
    }
    if let Some(address) = &metadata.end_session_endpoint
        && !oidc.client.sends_browsers_to(address)
    {
        report.problems.push(format!(
            "the provider's address for signing out cannot be used: {}\n  People sign out here only, and are told so.",
            address.escape_debug()
        ));
    }
}

/// Addresses that this service asks itself, and would not.
fn endpoints(oidc: &Oidc, known: &Known, report: &mut Report) {
    let metadata = &known.metadata;
    let userinfo = metadata.userinfo_endpoint.as_ref().filter(|_| oidc.client.settings().userinfo);
    let asked = [("token", Some(&metadata.token_endpoint)), ("userinfo", userinfo)];
    for (name, address) in asked {
        if let Some(error) = address.and_then(|address| oidc.client.never_asks(address)) {
            report.problems.push(format!(
                "the provider's {name} endpoint is of no use: {error}\n  Nobody can sign in. {} Or set endpoints.{name}.",
                advice(&OidcError::Away { stage: Stage::Metadata, error: error.clone() })
            ));
        }
    }
}

fn clock(probe: &Probe, report: &mut Report) {
    let Some(ahead) = probe.clock_ahead else {
        report.facts.push("clock              not told by the provider".to_owned());
        return;
    };
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    if ahead.abs() <= USUAL {
        report.facts.push("clock              as here".to_owned());
    } else {
        report.facts.push(format!("clock              {} {side} this machine's", span(ahead)));
    }
    if ahead.abs() > SKEW {
        let wrong = format!("the provider's clock is {} {side} this machine's; up to {SKEW} s are borne", span(ahead));
        report.problems.push(format!("{wrong}\n  Set both clocks by NTP; look at this machine's first."));
    }
}

fn certificate(ctx: &Context, probe: &Probe, report: &mut Report) {
    let Some(ends) = probe.certificate_ends else {
        report.facts.push("certificate        none: the connection is not encrypted".to_owned());
        return;
    };
    let ends_on = moment::machine(ends);
    report.facts.push(format!("certificate        good until {ends_on}"));
    if ends <= ctx.now().after(days(RENEW_DAYS)) {
        report.problems.push(format!(
            "the provider's certificate ends on {ends_on}\n  Have it renewed at the provider before; nobody can sign in then."
        ));
    }
}

fn said(said: &Said, redirect_uri: &str, report: &mut Report) {
    const UNKNOWN: &str = "redirect address   not told by the provider whether it knows it";
    match said {
        Said::Back(error) => {
            report.facts.push("redirect address   known to the provider".to_owned());
            let silent = ["login_required", "interaction_required", "consent_required", "account_selection_required"];
            if let Some(error) = error.as_deref().filter(|error| !silent.contains(error)) {
                let shown: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
                report.problems.push(format!("the provider refuses the question: {shown}\n  {}", declined(error)));
            }
        }
        Said::Refuses(status) => report.problems.push(format!(
            "the provider refuses the question (status {status}): it does not know client_id, or not the redirect address\n  \
             Register {redirect_uri} there, exactly so, and compare client_id."
        )),
        Said::Nothing => report.facts.push(UNKNOWN.to_owned()),
        Said::Away(error) => {
            report.facts.push(UNKNOWN.to_owned());
            report.problems.push(format!(
                "the authorization endpoint: {error}\n  Browsers go there; if only this machine does not reach it, that does no harm."
            ));
        }
    }
}
