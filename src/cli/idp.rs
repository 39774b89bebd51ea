//! `vestibule idp`

use super::{Desk, Failure, idp_saml};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Read a provider's metadata, look at its certificates and addresses, and say what it must know of this service.
    Check {
        /// The provider's short name.
        slug: String,
    },
}

pub(super) async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let Command::Check { slug } = command;
    idp_saml::check(desk, &slug).await
}
