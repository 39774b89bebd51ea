//! Directories: reading them, planning and carrying out what follows, and saying what is wrong with one.

mod apply;
mod apply_groups;
pub(in crate::service) mod arrival;
pub mod attributes;
pub mod check;
mod check_entries;
mod check_groups;
mod check_person;
pub mod link;
mod own_groups;
pub mod policy;
mod read;
mod read_groups;
mod sync;
pub mod traced;

pub use apply::Done;
pub use link::Names;
pub use policy::{DirectoryPolicy, GroupRule, Strategy, Wanted};
pub use sync::{Options, Outcome, SyncError};

use super::core::Core;
use crate::connect::ldap::Directory;
use crate::domain::identity::Source;
use std::sync::Arc;

/// A directory as the operator set it up, and the way to it.
#[derive(Debug)]
pub struct Connected {
    /// What the operator decided.
    pub policy: DirectoryPolicy,
    /// The servers.
    pub server: Directory,
    /// Whoever in this process synchronises it; other processes are kept away by a lease.
    turn: tokio::sync::Mutex<()>,
}

impl Connected {
    /// A directory that nobody synchronises yet.
    #[must_use]
    pub fn new(policy: DirectoryPolicy, server: Directory) -> Self {
        Self { policy, server, turn: tokio::sync::Mutex::default() }
    }

    /// The attributes that say who somebody is, and whether they are let in.
    #[must_use]
    pub fn wanted_attributes(&self) -> Vec<String> {
        self.policy.mapping.attributes()
    }

    /// As identities and memberships name it.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::directory(&self.policy.slug)
    }
}

/// Directories over a core.
#[derive(Clone)]
pub struct Directories {
    core: Arc<Core>,
}

impl Directories {
    /// Directories over a core.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The slugs, in the operator's order.
    #[must_use]
    pub fn slugs(&self) -> Vec<String> {
        self.core.directories.iter().map(|one| one.policy.slug.clone()).collect()
    }

    fn named(&self, slug: &str) -> Option<Arc<Connected>> {
        self.core.directories.iter().find(|one| one.policy.slug == slug).cloned()
    }
}
