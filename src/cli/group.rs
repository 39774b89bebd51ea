//! `vestibule group …`

use super::{Desk, Failure, say};
use crate::service::account::Accounts;
use crate::service::caller::Operator;
use crate::service::group::Groups;
use clap::{Args, Subcommand};
use std::sync::Arc;

#[derive(Subcommand)]
pub enum Command {
    /// Make a group.
    Create {
        /// Its name.
        name: String,
    },
    /// Add somebody to a group.
    Add(Membership),
    /// Remove somebody from a group.
    Remove(Membership),
}

#[derive(Args)]
pub struct Membership {
    /// The group's name.
    group: String,
    /// Username or e-mail address.
    account: String,
}

pub(super) async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let groups = Groups::new(Arc::clone(&desk.core));
    let accounts = Accounts::new(Arc::clone(&desk.core));
    let (ctx, by) = (&desk.ctx, Operator::vouched());
    match command {
        Command::Create { name } => {
            let id = groups.create(ctx, by, &name).await?;
            say(&format!("Made the group {name} ({id})."));
        }
        Command::Add(Membership { group, account }) => {
            let member = accounts.named(by, &account).await?;
            let added = groups.add(ctx, by, &group, &member).await?;
            let said = if added { "belongs to" } else { "belongs already to" };
            say(&format!("{} {said} {group}.", member.username));
        }
        Command::Remove(Membership { group, account }) => {
            let member = accounts.named(by, &account).await?;
            groups.remove(ctx, by, &group, &member).await?;
            say(&format!("{} was removed from {group}.", member.username));
        }
    }
    Ok(())
}
