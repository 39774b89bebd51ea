//! The entry that a password is tried on, and the right to try it: failures count against whoever is found, and not against
//! how the name was spelt. A directory may have many spellings of one name, and one person many names.

use super::{SignIn, SignInError};
use crate::connect::ldap::{LdapError, Search, Verdict};
use crate::domain::account::Account;
use crate::domain::directory::{Entry, Subject};
use crate::service::context::Context;
use crate::service::directory::Connected;
use crate::service::limiter::{Target, Ticket, Try};
use crate::store::{account, identity};

/// The right to try one password on one entry.
pub(super) struct Guess(Option<Ticket>);

/// The one entry that a search finds; `None` for nobody, for several, and where nobody can say which of the two it is.
///
/// # Errors
/// [`LdapError`] when the directory did not say.
pub(super) async fn only(connected: &Connected, search: &Search) -> Result<Option<Entry>, LdapError> {
    let directory = connected.policy.slug.as_str();
    match connected.server.find(search, 2).await {
        Ok(found) if found.len() > 1 => {
            tracing::warn!(directory, "more than one entry has the name that somebody signs in with: refused");
            Ok(None)
        }
        Ok(found) => Ok(found.into_iter().next().map(|one| one.entry)),
        Err(error @ LdapError::Cut(_)) => {
            tracing::warn!(directory, %error, "nobody knows whether others have the name that somebody signs in with: refused");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl SignIn {
    /// Asks to try a password on an entry. `named` is the account whose name was typed: its failures are counted already.
    /// `None` when no password must reach the entry; to the person that is the same as a wrong one.
    ///
    /// # Errors
    /// [`SignInError::Trouble`]; then nothing must be tried.
    pub(super) async fn guess(
        &self,
        ctx: &Context,
        (connected, subject): (&Connected, &Subject),
        (named, internal): (Option<&Account>, bool),
    ) -> Result<Option<Guess>, SignInError> {
        if named.is_some() {
            return Ok(Some(Guess(None)));
        }
        let source = connected.source();
        let owner = {
            let mut link = self.core.database.read().await?;
            match identity::by_subject(&mut link, &source, source.slug(), subject.as_str()).await? {
                Some(known) => account::by_id(&mut link, known.account).await?,
                None => None,
            }
        };
        let target = match &owner {
            Some(owner) if !self.may_use_password(owner, internal).await? => return Ok(None),
            Some(owner) => Target::Account(owner.id),
            None => Target::Entry(source.key(), subject.as_str()),
        };
        match self.core.limiter.ask_owner(target, ctx.now()).await? {
            Try::Granted(ticket) => Ok(Some(Guess(Some(ticket)))),
            Try::Refused { .. } => Ok(None),
        }
    }

    /// Gives back what a guess was charged, unless the password was wrong.
    ///
    /// # Errors
    /// [`SignInError::Trouble`].
    pub(super) async fn guessed(
        &self,
        Guess(ticket): Guess,
        verdict: &Result<Verdict, LdapError>,
    ) -> Result<(), SignInError> {
        match verdict {
            Err(_) | Ok(Verdict::Right | Verdict::RightBut(_)) => self.give_back(ticket).await,
            Ok(Verdict::Wrong) => Ok(()),
        }
    }
}
