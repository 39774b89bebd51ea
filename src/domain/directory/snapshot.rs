//! The two sides that a plan compares: what was read from the directory, and what is kept here.

use super::{Custom, Person, Subject};
use crate::domain::account::AccountStatus;
use crate::domain::id::{AccountId, GroupId};
use std::collections::{HashMap, HashSet};

/// What was read from the directory in one run.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Everybody that the access filter lets in.
    pub people: Vec<Person>,
    /// Why people may be missing from the list; `None` when it is whole.
    pub partial: Option<String>,
    /// The groups that are synchronised.
    pub groups: Vec<GroupReading>,
    /// Why groups may be missing from the list; `None` when it is whole.
    pub groups_partial: Option<String>,
    /// What was odd while reading, in words.
    pub remarks: Vec<String>,
}

/// One group as read.
#[derive(Clone, Debug)]
pub struct GroupReading {
    /// The entry.
    pub dn: String,
    /// What stays the same when the entry is renamed; `None` when it could not be read.
    pub subject: Option<Subject>,
    /// The name of the group here.
    pub name: String,
    /// The operator chose that name: it does not follow the directory.
    pub named_by_operator: bool,
    /// Members without an account get one.
    pub creates_accounts: bool,
    /// Who belongs to it, or why that is not known.
    pub members: Result<Members, String>,
}

/// Who belongs to a group.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// Places in [`Snapshot::people`].
    pub people: Vec<usize>,
    /// Why members may be missing; `None` when these are all.
    pub partial: Option<String>,
    /// Members that are nobody the access filter lets in: other kinds of entries, entries elsewhere.
    pub strangers: usize,
}

/// An account that is linked to this directory.
#[derive(Clone, Debug)]
pub struct KnownAccount {
    /// Its identifier.
    pub id: AccountId,
    /// The name it signs in with.
    pub username: String,
    /// Its address.
    pub email: String,
    /// The name others see.
    pub name: String,
    /// Whether it may sign in.
    pub status: AccountStatus,
    /// Whom in the directory it stands for.
    pub subject: Subject,
    /// Names and address of the account follow this directory, not another source.
    pub leads: bool,
    /// The lock on it is the synchronisation's own, for this reason.
    pub held: Option<Hold>,
    /// What is kept of the further attributes that this directory says.
    pub custom: Custom,
}

/// Why the synchronisation locked an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// The person is not in the directory any more.
    Gone,
    /// The directory has shut the entry.
    Disabled,
}

impl Hold {
    /// As stored and in plans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Disabled => "disabled",
        }
    }

    /// From its stored form; unknown reasons count as gone.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        if text == "disabled" { Self::Disabled } else { Self::Gone }
    }
}

/// A group here that the directory has, or had, something to do with, or could have.
#[derive(Clone, Debug)]
pub struct KnownGroup {
    /// Its identifier.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The entry it was made for, when it follows one of this directory.
    pub subject: Option<Subject>,
    /// Memberships that this directory's synchronisation made. Others are none of its business and are not here.
    pub members: HashSet<AccountId>,
}

/// What is kept here, as far as this directory is concerned.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Accounts linked to this directory.
    pub accounts: Vec<KnownAccount>,
    /// Folded usernames and addresses of all accounts, linked or not, and whose they are.
    pub names: HashMap<String, AccountId>,
    /// What look-alikes of usernames have in common, and whose they are.
    pub skeletons: HashMap<String, AccountId>,
    /// All groups.
    pub groups: Vec<KnownGroup>,
}
