//! The decision whose account it is that a source vouches for. Pure: facts in, a plan out. Carrying it out is
//! `service/resolve.rs`.
//!
//! An equal name never gives an account away. An address only does where both sides have verified it, and then whoever can
//! enter the account is asked first.

use super::account::{AccountStatus, DisplayName, EmailAddress, Username};
use super::id::{AccountId, IdentityId};
use super::identity::{Attributes, OnFirstSignIn};

/// What the stores know about somebody who is vouched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The identity that is known already.
    pub known: Option<Known>,
    /// The account whose invitation the browser carries.
    pub invited: Option<AccountId>,
    /// An account has the username, or one that looks the same.
    pub username_taken: bool,
    /// The account that has the address.
    pub email: Option<EmailHolder>,
}

/// A known identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The link.
    pub identity: IdentityId,
    /// Whose it is.
    pub account: AccountId,
}

/// The account that has the address which the source names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailHolder {
    /// Which account.
    pub account: AccountId,
    /// Whether its owner has shown that the address is theirs, or the operator wrote it down.
    pub verified: bool,
    /// Its state.
    pub status: AccountStatus,
    /// Whether it has an identity of this very source, which is somebody else.
    pub linked_here: bool,
    /// What the address alone is worth.
    pub worth: Worth,
}

/// What the word of a source is worth that somebody has the verified address of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Nothing: the account administers this service, and no source is believed that much.
    Nothing,
    /// A question to its owner, who can enter the account in another way.
    Question,
    /// The account: nobody could be asked.
    Account,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The identity is known: its account.
    Enter(Known),
    /// Both sides verified the address, and the account can be entered: its owner is asked to sign in to it and to say yes.
    Ask(AccountId),
    /// Both sides verified the address, and nobody could be asked: link the identity to this account.
    Link(AccountId),
    /// Whoever was invited has come: link, and open the account.
    Accept(AccountId),
    /// Make an account.
    Create(Newcomer),
}

impl Plan {
    /// For the trace.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Enter(_) => "enter",
            Self::Ask(_) => "ask",
            Self::Link(_) => "link",
            Self::Accept(_) => "accept",
            Self::Create(_) => "create",
        }
    }
}

/// Who an account is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// The name to sign in with.
    pub username: Username,
    /// The address.
    pub email: EmailAddress,
    /// Whether the source says that the address is theirs.
    pub email_verified: bool,
    /// The name others see.
    pub name: DisplayName,
}

/// Why somebody who is vouched for does not get in. Told to them: they have proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nobody gets in whose identity was not added before.
    #[error("no account is linked to this identity, and this source does not make any")]
    Unknown,
    /// Only who was invited gets in.
    #[error("no account is linked to this identity, and there is no invitation")]
    NotInvited,
    /// Another account has the username.
    #[error("another account has this username, or one that looks the same")]
    UsernameTaken,
    /// Another account has the address, and it is not known to be the same person.
    #[error("another account has this e-mail address")]
    EmailTaken,
    /// Somebody with this address was invited, and has not accepted.
    #[error("an invitation for this e-mail address is open")]
    InvitationOpen,
    /// The source named no usable username.
    #[error("the source named no username that can be used")]
    UsernameMissing,
    /// The source named no usable address.
    #[error("the source named no e-mail address that can be used")]
    EmailMissing,
    /// The invitation was used, is too old, or was never ours.
    #[error("the invitation is no longer good")]
    InvitationGone,
    /// The identity belongs to another account already.
    #[error("this identity belongs to another account")]
    LinkedElsewhere,
    /// The account has another identity of this source.
    #[error("the account has another identity of this source")]
    OtherIdentity,
    /// The account administers this service by now, and an address alone brought the identity to it.
    #[error("the account administers this service, and its address links nothing to it")]
    Administrator,
    /// The account is locked.
    #[error("the account is locked")]
    Locked,
    /// The account waits for an administrator or for its owner.
    #[error("the account waits to be opened")]
    Waiting,
    /// The account's time is over.
    #[error("the account has ended")]
    Ended,
    /// The operator switched the source off, or took it away.
    #[error("this source is not in use")]
    SourceOff,
}

impl Refusal {
    /// As written to the audit trail and to logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "identity_unknown",
            Self::NotInvited => "not_invited",
            Self::UsernameTaken => "username_taken",
            Self::EmailTaken => "email_taken",
            Self::InvitationOpen => "invitation_open",
            Self::UsernameMissing => "username_missing",
            Self::EmailMissing => "email_missing",
            Self::InvitationGone => "invitation_gone",
            Self::LinkedElsewhere => "linked_elsewhere",
            Self::OtherIdentity => "other_identity",
            Self::Administrator => "administrator",
            Self::Locked => "locked",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
            Self::SourceOff => "source_off",
        }
    }
}

/// Decides.
///
/// # Errors
/// [`Refusal`] says what is in the way.
pub fn decide(facts: &Facts, said: &Attributes, policy: OnFirstSignIn) -> Result<Plan, Refusal> {
    if let Some(known) = facts.known {
        // An invitation of another account must not be spent by somebody who has one.
        return match facts.invited {
            Some(invited) if invited != known.account => Err(Refusal::LinkedElsewhere),
            _ => Ok(Plan::Enter(known)),
        };
    }
    if let Some(invited) = facts.invited {
        return Ok(Plan::Accept(invited));
    }
    match policy {
        OnFirstSignIn::Deny => Err(Refusal::Unknown),
        OnFirstSignIn::InvitedOnly => Err(Refusal::NotInvited),
        OnFirstSignIn::LinkVerifiedEmail => match facts.email {
            Some(holder) => linked(holder, said),
            None => create(facts, said),
        },
        OnFirstSignIn::Create => create(facts, said),
    }
}

fn linked(holder: EmailHolder, said: &Attributes) -> Result<Plan, Refusal> {
    if holder.status == AccountStatus::Invited {
        return Err(Refusal::InvitationOpen);
    }
    if holder.linked_here {
        return Err(Refusal::OtherIdentity);
    }
    match holder.worth {
        Worth::Question if said.email_verified && holder.verified => Ok(Plan::Ask(holder.account)),
        Worth::Account if said.email_verified && holder.verified => Ok(Plan::Link(holder.account)),
        _ => Err(Refusal::EmailTaken),
    }
}

fn create(facts: &Facts, said: &Attributes) -> Result<Plan, Refusal> {
    let newcomer = newcomer(said)?;
    match facts.email {
        Some(EmailHolder { status: AccountStatus::Invited, .. }) => return Err(Refusal::InvitationOpen),
        Some(_) => return Err(Refusal::EmailTaken),
        None => {}
    }
    if facts.username_taken {
        return Err(Refusal::UsernameTaken);
    }
    Ok(Plan::Create(newcomer))
}

/// What an account can be made of.
///
/// # Errors
/// [`Refusal::EmailMissing`], [`Refusal::UsernameMissing`].
pub fn newcomer(said: &Attributes) -> Result<Newcomer, Refusal> {
    let email = said.email.as_deref().and_then(|text| EmailAddress::parse(text).ok()).ok_or(Refusal::EmailMissing)?;
    let username = username(said).ok_or(Refusal::UsernameMissing)?;
    let name = said.name.as_deref().and_then(|text| DisplayName::parse(text).ok());
    let name = name.or_else(|| DisplayName::parse(username.as_str()).ok()).ok_or(Refusal::UsernameMissing)?;
    Ok(Newcomer { username, email, email_verified: said.email_verified, name })
}

/// The username that the source names: the mapped one, or else the address.
#[must_use]
pub fn username(said: &Attributes) -> Option<Username> {
    let parsed = |text: &Option<String>| text.as_deref().and_then(|text| Username::parse(text).ok());
    match said.username {
        Some(_) => parsed(&said.username),
        None => parsed(&said.email),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
