//! Which directories answered in one try, and questions to them that are about nobody: what they would have been asked if
//! the name were somebody else's. And what those are told and charged who are not let in. So neither the time nor the answer
//! tells whose a name is, also while a directory is away.

use super::ldap::Tried;
use super::{SignIn, SignInError};
use crate::connect::ldap::LdapError;
use crate::domain::secret::Secret;
use crate::domain::throttle::Scope;
use crate::service::core::Core;
use crate::service::directory::Connected;
use crate::service::directory::link::by_name;
use crate::service::limiter::Ticket;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// When somebody may try again whose directory does not answer.
const AWAY: Duration = Duration::from_secs(30);

/// A name and a password that are nobody's.
const NOBODY: &str = "vestibule-nobody";

/// How many directories were asked, and how many of them gave no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    asked: usize,
    away: usize,
}

impl Reach {
    /// Notes what became of the questions to one directory.
    pub(super) fn note<T>(&mut self, connected: &Connected, answer: Result<T, LdapError>) -> Option<T> {
        self.asked += 1;
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                let directory = connected.policy.slug.as_str();
                tracing::warn!(directory, %error, "a sign-in could not be checked");
                self.away += 1;
                None
            }
        }
    }

    /// Whether a directory gave no answer: nobody is told then that a password is wrong.
    pub(super) const fn some_away(self) -> bool {
        self.away > 0
    }

    /// Whether no directory gave an answer at all.
    pub(super) const fn all_away(self) -> bool {
        self.away > 0 && self.away == self.asked
    }
}

impl SignIn {
    /// The answer to everybody who does not get in: while a directory is away it is the same for names that are ours,
    /// the directory's, and nobody's.
    pub(super) const fn not_in(reach: Reach) -> SignInError {
        if reach.some_away() { SignInError::DirectoryAway { retry_after: AWAY } } else { SignInError::Refused }
    }

    /// What a try that failed keeps of its charges. When no directory answered, an address is not blamed: a whole office
    /// behind it tries in vain, and people of ours there must get in. It is blamed for nobody then, or the blame would tell
    /// whose a name is. An account is blamed where a password was checked; what was typed is not blamed where that led to
    /// somebody who is.
    pub(super) async fn settle(
        &self,
        ticket: Option<Ticket>,
        (reach, tried): (Reach, Tried),
    ) -> Result<(), SignInError> {
        let Some(ticket) = ticket else { return Ok(()) };
        let limiter = &self.core.limiter;
        if reach.all_away() {
            limiter.give_back_only(&ticket, |scope| scope != Scope::Account).await?;
        }
        if tried.counted || (reach.some_away() && !tried.checked) {
            limiter.give_back_only(&ticket, |scope| scope == Scope::Account).await?;
        }
        Ok(())
    }
}

/// A bind that nobody can win: an entry that is not there, below a base that is. What somebody typed stays here.
///
/// # Errors
/// [`LdapError`] when the directory does not answer.
pub(super) async fn bind_of_nobody(connected: &Connected) -> Result<(), LdapError> {
    let dn = format!("cn={NOBODY},{}", connected.policy.base);
    connected.server.verify(&dn, &Secret::new(NOBODY.to_owned())).await.map(drop)
}

/// All that a directory is asked about somebody, for nobody.
///
/// # Errors
/// [`LdapError`] when the directory does not answer.
pub(super) async fn for_nobody(connected: &Connected) -> Result<(), LdapError> {
    connected.server.find(&by_name(connected, NOBODY), 2).await?;
    bind_of_nobody(connected).await
}

/// The questions for nobody to every directory, under way.
pub(super) struct Asking(Option<JoinHandle<Reach>>);

impl Asking {
    /// Begins to ask; nothing without directories.
    pub(super) fn begins(core: &Arc<Core>) -> Self {
        if core.directories.is_empty() {
            return Self(None);
        }
        let core = Arc::clone(core);
        let ask = async move {
            let mut reach = Reach::default();
            for connected in &core.directories {
                reach.note(connected, for_nobody(connected).await);
            }
            reach
        };
        Self(Some(tokio::spawn(ask)))
    }

    /// Waits for the answers.
    pub(super) async fn ends(self) -> Reach {
        match self.0 {
            Some(asking) => asking.await.unwrap_or_default(),
            None => Reach::default(),
        }
    }
}
