//! `vestibule idp …`

use super::{Desk, Failure, idp_saml, say};
use crate::service::caller::Operator;
use crate::service::provider::Protocol;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Look whether people could sign in with an identity provider, and say what to fix.
    Check {
        /// Its slug, as in the configuration.
        slug: String,
    },
}

pub(super) async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let Command::Check { slug } = command;
    if desk.providers.named(&slug).is_some_and(|one| matches!(one.protocol, Protocol::Saml)) {
        return idp_saml::check(desk, &slug).await;
    }
    let Some(report) = desk.providers.check(&desk.ctx, Operator::vouched(), &slug).await else {
        return Err(format!("there is no identity provider {slug:?} in use; see [[identity_provider]]").into());
    };
    for fact in &report.facts {
        say(fact);
    }
    if report.problems.is_empty() {
        say("Everything that can be checked without signing in is in order.");
        return Ok(());
    }
    Err(report.problems.join("\n").into())
}
