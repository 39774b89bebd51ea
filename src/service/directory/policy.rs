//! What the operator decided about a directory, in the terms of the use cases.

use crate::domain::directory::{Mapping, Settings};
use std::time::Duration;

/// One directory.
#[derive(Clone, Debug)]
pub struct DirectoryPolicy {
    /// Its short name.
    pub slug: String,
    /// The name that people see.
    pub name: String,
    /// People are here and below.
    pub base: String,
    /// Which entries are people who may sign in (RFC 4515).
    pub filter: String,
    /// Which attributes say what.
    pub mapping: Mapping,
    /// Where people change the password that it keeps.
    pub password_url: Option<String>,
    /// How often everything is synchronised; zero is never by itself.
    pub interval: Duration,
    /// What a synchronisation does about accounts, and how much it takes away unasked.
    pub settings: Settings,
    /// The clock of retention starts for people who are gone.
    pub retain: bool,
    /// Groups that follow the directory.
    pub groups: Vec<GroupRule>,
}

/// Groups that follow the directory.
#[derive(Clone, Debug)]
pub struct GroupRule {
    /// Which.
    pub wanted: Wanted,
    /// Looked for here and below.
    pub base: String,
    /// The attribute with a group's name.
    pub name_attribute: String,
    /// How members are found.
    pub members: Strategy,
    /// How deep groups in groups are followed.
    pub depth: u32,
    /// Members without an account get one.
    pub creates_accounts: bool,
}

/// Which groups.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One entry, and the group here that follows it.
    One {
        /// The entry.
        dn: String,
        /// The group, where the operator named it.
        group: Option<String>,
    },
    /// All that match.
    Matching(String),
}

/// How members are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// People name their groups.
    MemberOf,
    /// The group names entries, in this attribute.
    Names(&'static str),
    /// The group has usernames, in this attribute.
    Usernames(&'static str),
}
