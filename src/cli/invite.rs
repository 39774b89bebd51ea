//! `vestibule account invite …`

use super::{Desk, Failure, say};
use crate::domain::account::{DisplayName, EmailAddress, Username};
use crate::domain::language::Language;
use crate::service::account::Accounts;
use crate::service::caller::Operator;
use crate::service::invitation::{Invitations, Invitee};
use crate::service::moment;
use clap::Args;
use std::sync::Arc;

#[derive(Args)]
pub struct Invite {
    /// Where the letter goes; the address of the account.
    #[arg(long, required_unless_present = "again")]
    email: Option<String>,
    /// The name to sign in with; without it the invited choose one.
    #[arg(long)]
    username: Option<String>,
    /// The name that others see; without it the invited choose one.
    #[arg(long)]
    name: Option<String>,
    /// Make the account a member of this group; may be given more than once.
    #[arg(long)]
    group: Vec<String>,
    /// Language of the letter and of the account, such as `de`.
    #[arg(long)]
    language: Option<String>,
    /// Make the account an administrator.
    #[arg(long, conflicts_with = "ends")]
    admin: bool,
    /// The last day (UTC) of a guest: afterwards sessions end and nobody can sign in. Nothing is deleted.
    #[arg(long, value_name = "YYYY-MM-DD")]
    ends: Option<String>,
    /// Send another letter to somebody who was invited and has not accepted: username or e-mail address.
    #[arg(long, value_name = "ACCOUNT", exclusive = true)]
    again: Option<String>,
}

pub(super) async fn run(desk: &Desk, accounts: &Accounts, options: Invite) -> Result<(), Failure> {
    let invitations = Invitations::new(Arc::clone(&desk.core));
    let by = Operator::vouched();
    if let Some(whose) = &options.again {
        let account = accounts.named(by, whose).await?;
        invitations.repeat(&desk.ctx, by, &account).await?;
        say(&format!("Another letter to {} is on its way; the link before it stops working.", account.email));
        return Ok(());
    }
    let invitee = read(options)?;
    let email = invitee.email.as_str().to_owned();
    let username = invitations.invite(&desk.ctx, by, invitee).await?;
    let days = desk.core.policy.invitation_days;
    say(&format!("Invited {email} as {username}. The service sends the letter; its link is good for {days} days."));
    Ok(())
}

fn read(options: Invite) -> Result<Invitee, Failure> {
    let wrong = |what: &str, why: &dyn std::fmt::Display| format!("the {what} {why}");
    let email = EmailAddress::parse(options.email.as_deref().unwrap_or_default());
    let username = options.username.as_deref().map(Username::parse).transpose();
    let name = options.name.as_deref().map(DisplayName::parse).transpose();
    let ends_at = match options.ends.as_deref() {
        Some(day) => Some(moment::end_of_day(day).ok_or_else(|| format!("there is no day {day:?}; write YYYY-MM-DD"))?),
        None => None,
    };
    let language = match options.language.as_deref() {
        Some(tag) => Some(Language::parse(tag).ok_or_else(|| format!("there are no texts in {tag:?}"))?),
        None => None,
    };
    Ok(Invitee {
        email: email.map_err(|why| wrong("e-mail address", &why))?,
        username: username.map_err(|why| wrong("username", &why))?,
        name: name.map_err(|why| wrong("name", &why))?,
        language,
        groups: options.group,
        administrator: options.admin,
        ends_at,
    })
}
