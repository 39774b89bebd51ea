//! `vestibule account …`

use super::{Desk, Failure, complain, plain, say};
use crate::domain::account::{AccountStatus, DisplayName, EmailAddress, Username};
use crate::domain::password::PlainPassword;
use crate::service::account::{AccountError, Accounts, Newcomer};
use crate::service::caller::Operator;
use crate::service::directory::{Directories, Names};
use crate::service::factor::Factors;
use crate::service::moment;
use crate::service::password::{ChangeError, Passwords};
use crate::service::registration::Registration;
use clap::{Args, Subcommand};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum Command {
    /// Make an account.
    Create(Create),
    /// Make an account for somebody and send them a letter; they choose the password.
    Invite(super::invite::Invite),
    /// Let in somebody who registered and waits; they get a letter.
    Approve(Whose),
    /// Show an account: names, status, groups, where it signs in, what directories say about it.
    Show(Whose),
    /// Lock an account: its sessions end, and it cannot sign in. Nothing is deleted.
    Lock(Whose),
    /// Unlock an account, and forget its failed sign-ins.
    Unlock(Whose),
    /// Set a password, typed or from standard input; its owner has to choose another at the next sign-in.
    SetPassword(SetPassword),
    /// Link an account to a person in a directory, which checks its password from then on.
    Link(Link),
    /// Take the link to a directory away: it checks the password no more. Sessions end, and the owner is told by mail.
    Unlink(Unlink),
    /// Take all second factors and backup codes away from somebody who lost them. Their sessions end, and they are told.
    ResetFactors(Whose),
    /// Make an account an administrator. Its sessions end.
    MakeAdmin(Whose),
    /// Set the last day of a guest, or let the account stay.
    SetEnd(SetEnd),
}

#[derive(Args)]
pub struct Create {
    /// The name to sign in with.
    #[arg(long)]
    username: String,
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// The name that others see; without it the username.
    #[arg(long)]
    name: Option<String>,
    /// Make it an administrator.
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Args)]
pub struct Whose {
    /// Username or e-mail address.
    account: String,
}

#[derive(Args)]
pub struct Link {
    /// Username or e-mail address.
    account: String,
    /// Which directory.
    #[arg(long)]
    directory: String,
    /// The person's name there; without it the account's username.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Names and address follow the entry from then on, as those of accounts that the directory brought; else they stay.
    #[arg(long)]
    follow: bool,
}

#[derive(Args)]
pub struct Unlink {
    /// Username or e-mail address.
    account: String,
    /// Which directory.
    #[arg(long)]
    directory: String,
}

#[derive(Args)]
pub struct SetPassword {
    /// Username or e-mail address.
    account: String,
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
    /// Do not ask for another one at the next sign-in.
    #[arg(long)]
    permanent: bool,
}

#[derive(Args)]
pub struct SetEnd {
    /// Username or e-mail address.
    account: String,
    /// The last day (UTC): afterwards sessions end and nobody can sign in. Nothing is deleted.
    #[arg(long, value_name = "YYYY-MM-DD", required_unless_present = "never")]
    on: Option<String>,
    /// The account does not end by itself.
    #[arg(long, conflicts_with = "on")]
    never: bool,
}

pub(super) async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let accounts = Accounts::new(Arc::clone(&desk.core));
    let by = Operator::vouched();
    let ctx = &desk.ctx;
    match command {
        Command::Create(options) => create(desk, &accounts, options).await?,
        Command::Invite(options) => super::invite::run(desk, &accounts, options).await?,
        Command::Approve(whose) => {
            let account = accounts.named(by, &whose.account).await?;
            Registration::new(Arc::clone(&desk.core)).approve(ctx, by, &account).await?;
            say(&format!("{} can sign in; a letter says so.", account.username));
        }
        Command::Show(whose) => {
            let account = accounts.named(by, &whose.account).await?;
            super::show::run(desk, &account).await?;
        }
        Command::Lock(whose) => {
            let account = accounts.named(by, &whose.account).await?;
            accounts.lock(ctx, by, account.id).await?;
            say(&format!("{} is locked. Open sessions end within a second.", account.username));
        }
        Command::Unlock(whose) => {
            let account = accounts.named(by, &whose.account).await?;
            match accounts.unlock(ctx, by, account.id).await? {
                AccountStatus::Active => say(&format!("{} can sign in again.", account.username)),
                AccountStatus::Registered => {
                    say(&format!("{0} waits to be let in: `vestibule account approve {0}`.", account.username));
                }
                _ => say(&format!(
                    "{0} is not locked any more, but has to accept the invitation: `vestibule account invite --again {0}` sends another.",
                    account.username
                )),
            }
        }
        Command::SetPassword(options) => set_password(desk, &accounts, options).await?,
        Command::ResetFactors(whose) => {
            let account = accounts.named(by, &whose.account).await?;
            let count = Factors::new(Arc::clone(&desk.core)).reset(ctx, by, &account).await?;
            say(&format!("Took {count} second factors away from {}; a letter says so.", account.username));
        }
        Command::SetEnd(options) => set_end(desk, &accounts, options).await?,
        Command::Link(options) => link(desk, &accounts, options).await?,
        Command::Unlink(options) => unlink(desk, &accounts, options).await?,
        Command::MakeAdmin(whose) => {
            let account = accounts.named(by, &whose.account).await?;
            accounts.make_administrator(ctx, by, account.id).await?;
            say(&format!("{} is an administrator from the next sign-in on.", account.username));
        }
    }
    Ok(())
}

async fn link(desk: &Desk, accounts: &Accounts, link: Link) -> Result<(), Failure> {
    let account = accounts.named(Operator::vouched(), &link.account).await?;
    let user = link.user.as_deref().unwrap_or(&account.username);
    let names = if link.follow { Names::Follow } else { Names::Stay };
    let directories = Directories::new(Arc::clone(&desk.core));
    let dn = directories.link(&desk.ctx, Operator::vouched(), &account, (&link.directory, user, names)).await?;
    let names = if link.follow { "Names and address follow it." } else { "Names and address stay as they are here." };
    say(&format!(
        "{} is linked to {}: the directory checks the password from now on, and one of its own counts no more. {names}",
        account.username,
        plain::line(&dn)
    ));
    Ok(())
}

async fn unlink(desk: &Desk, accounts: &Accounts, unlink: Unlink) -> Result<(), Failure> {
    let account = accounts.named(Operator::vouched(), &unlink.account).await?;
    let directories = Directories::new(Arc::clone(&desk.core));
    let names = directories.unlink(&desk.ctx, Operator::vouched(), &account, &unlink.directory).await?;
    let again = if names == Names::Follow { " (with --follow, names and address follow that one again)" } else { "" };
    say(&format!(
        "{} is no longer linked to {}. `vestibule account link` links it to another entry{again}; without one its owner \
         needs a password here.",
        account.username, unlink.directory
    ));
    Ok(())
}

async fn create(desk: &Desk, accounts: &Accounts, options: Create) -> Result<(), Failure> {
    let wrong = |what: &str, why: &dyn std::fmt::Display| format!("the {what} {why}");
    let newcomer = Newcomer {
        username: Username::parse(&options.username).map_err(|why| wrong("username", &why))?,
        email: EmailAddress::parse(&options.email).map_err(|why| wrong("e-mail address", &why))?,
        name: DisplayName::parse(options.name.as_deref().unwrap_or(&options.username))
            .map_err(|why| wrong("name", &why))?,
        administrator: options.admin,
    };
    let password = if options.password_stdin { Some(from_stdin()?) } else { None };
    let username = newcomer.username.as_str().to_owned();
    let made = accounts.create(&desk.ctx, Operator::vouched(), newcomer, password.as_ref()).await;
    let id = made.map_err(explained_account)?;
    say(&format!("Made the account {username} ({id})."));
    if password.is_none() {
        say(
            "It has no password yet: set one with `vestibule account set-password`, or let its owner ask for a letter on the sign-in page.",
        );
    }
    Ok(())
}

async fn set_end(desk: &Desk, accounts: &Accounts, options: SetEnd) -> Result<(), Failure> {
    let account = accounts.named(Operator::vouched(), &options.account).await?;
    let ends_at = match options.on.as_deref() {
        Some(day) => Some(moment::end_of_day(day).ok_or_else(|| format!("there is no day {day:?}; write YYYY-MM-DD"))?),
        None => None,
    };
    accounts.set_end(&desk.ctx, Operator::vouched(), &account, ends_at).await?;
    match options.on {
        Some(day) => say(&format!("The last day of {} is {day} (UTC).", account.username)),
        None => say(&format!("{} does not end by itself.", account.username)),
    }
    Ok(())
}

async fn set_password(desk: &Desk, accounts: &Accounts, options: SetPassword) -> Result<(), Failure> {
    let account = accounts.named(Operator::vouched(), &options.account).await?;
    let password = if options.password_stdin || !io::stdin().is_terminal() { from_stdin()? } else { asked()? };
    let passwords = Passwords::new(Arc::clone(&desk.core));
    let must_change = !options.permanent;
    let done = passwords.set(&desk.ctx, Operator::vouched(), &account, &password, must_change).await;
    done.map_err(explained)?;
    let next = if must_change { " At the next sign-in another one has to be chosen." } else { "" };
    say(&format!("The password of {} is set.{next}", account.username));
    Ok(())
}

/// The first line of standard input, without its end.
fn from_stdin() -> Result<PlainPassword, Failure> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().read_line(&mut line)?;
    typed(line.trim_end_matches(['\r', '\n']))
}

fn asked() -> Result<PlainPassword, Failure> {
    let first = Zeroizing::new(rpassword::prompt_password("New password: ")?);
    let second = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
    if *first != *second {
        return Err("the two differ".into());
    }
    typed(&first)
}

fn typed(text: &str) -> Result<PlainPassword, Failure> {
    if text.is_empty() {
        return Err("the password is empty".into());
    }
    PlainPassword::typed(text).map_err(|fault| format!("the password {fault}").into())
}

fn explained_account(error: AccountError) -> Failure {
    match error {
        AccountError::Password(error) => explained(error),
        other => other.into(),
    }
}

/// Says every rule that a password breaks, a line each.
fn explained(error: ChangeError) -> Failure {
    if let ChangeError::Rules(faults) = &error {
        for fault in faults {
            complain(&format!("the password {fault}"));
        }
    }
    error.into()
}
