//! `[[directory]]`: LDAP servers that people sign in against, and that people and groups are synchronised from.
//! Not here: talking to them (`connect/ldap`), and what a synchronisation does (`domain/directory`).

use std::{collections::BTreeSet, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    directory_values::{AttributeName, EntryName, Filter},
    findings::Findings,
    privacy::WebAddress,
    span::Span,
    values::{GroupName, SiteHost, Slug},
};
use crate::domain::directory::custom;
use crate::domain::secret::Secret;

/// The section `[[directory]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Short name, used in commands, logs and environment variables; it cannot change later.
    #[schemars(example = &"ldap")]
    pub slug: Slug,

    /// Name that people see. When not set: the slug.
    #[serde(default)]
    #[schemars(example = &"Company directory")]
    pub name: Option<String>,

    /// Servers with the same content, the preferred one first; the next is asked when one does not answer. Names as in
    /// their certificates. Without a port: 389, and 636 for `security = "ldaps"`.
    #[schemars(example = ["ldap1.example.org", "ldap2.example.org"])]
    pub hosts: Vec<SiteHost>,

    /// How connections are protected. Certificates are always checked.
    #[serde(default)]
    pub security: Security,

    /// Set to true together with `security = "none"`, so that nobody does it by mistake.
    ///
    /// Danger: every password that people sign in with travels unencrypted.
    #[serde(default)]
    pub danger_plain: bool,

    /// File with the certificates (PEM) that the servers' certificates are checked against, instead of the system's.
    #[serde(default)]
    #[schemars(example = &"/etc/vestibule/ldap-ca.pem")]
    pub ca_file: Option<PathBuf>,

    /// How long connecting to one server may take, TLS included.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: Span,

    /// How long a server may stay silent in the middle of anything it is asked.
    #[serde(default = "operation_timeout")]
    pub operation_timeout: Span,

    /// Passwords that are checked at the same time at most; each takes a connection of its own.
    #[serde(default = "max_sign_ins")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_sign_ins: u32,

    /// The entry that searches. When not set, searches are anonymous.
    #[serde(default)]
    #[schemars(example = &"cn=vestibule,ou=services,dc=example,dc=org")]
    pub bind_dn: Option<String>,

    /// Password of `bind_dn`. Better in a file or in the environment than here.
    #[serde(default)]
    #[schemars(example = &"the password of that entry")]
    pub bind_password: Option<Secret<String>>,

    /// File with the password of `bind_dn`, instead of `bind_password`.
    #[serde(default)]
    #[schemars(example = &"/run/secrets/ldap_password")]
    pub bind_password_file: Option<PathBuf>,

    /// People are looked for here and below.
    #[schemars(example = &"ou=people,dc=example,dc=org")]
    pub base_dn: EntryName,

    /// Which entries are people, and which people may sign in: the filter is a rule of access. Whoever does not match
    /// it cannot sign in, and counts as gone.
    #[serde(default = "filter")]
    pub filter: Filter,

    /// What happens at the first sign-in of somebody who has no account here.
    ///
    /// Danger: with `"link_verified_email"` whoever can write an address into their entry takes over the account with that
    /// address. Accounts of administrators are never linked in this way.
    #[serde(default)]
    pub on_first_sign_in: OnFirstSignIn,

    /// How often people and groups are synchronised while the service runs: from a minute to a week. `"0s"`: only with
    /// `vestibule sync`.
    #[serde(default = "interval")]
    pub interval: Span,

    /// Entries that are asked for at once. 0: without paging, for servers that do not want it; those that do not know
    /// it are asked without it in any case.
    #[serde(default = "page_size")]
    #[schemars(range(min = 0, max = 10_000))]
    pub page_size: u32,

    /// Whether the synchronisation makes an account for everybody whom the filter lets in. Otherwise accounts come with
    /// the first sign-in, and with groups that say so.
    #[serde(default)]
    pub create_accounts: bool,

    /// Whether accounts are locked while the directory has the entry disabled or expired, and unlocked afterwards. Read
    /// from `userAccountControl`, `accountExpires`, `nsAccountLock`, `loginDisabled`, `pwdAccountLockedTime` and
    /// `shadowExpire`. What an administrator locked here stays locked.
    #[serde(default)]
    pub sync_status: bool,

    /// What happens to the account of somebody who is not in the directory any more. Nothing is ever deleted.
    #[serde(default)]
    pub gone: Gone,

    /// How many people a synchronisation may lock, or remove from one group, without being asked. More is refused until
    /// `vestibule sync --confirm`: it looks like a fault of the directory.
    #[serde(default = "max_removals")]
    pub max_removals: u32,

    /// The same as a share of those there are, in per cent. One person at a time may always leave, unless nobody would
    /// be left.
    #[serde(default = "max_removals_percent")]
    #[schemars(range(min = 0, max = 100))]
    pub max_removals_percent: u32,

    /// Which attributes say what about people.
    #[serde(default)]
    pub attributes: Attributes,

    /// Page on which people change the password that the directory keeps. Shown where they would look for it here, and in
    /// the letter to who has forgotten it.
    #[serde(default)]
    #[schemars(example = &"https://password.example.org")]
    pub password_url: Option<WebAddress>,

    /// Further attributes of people that are kept and shown to them, at most 20.
    #[serde(default, rename = "custom_attribute")]
    pub custom_attributes: Vec<CustomAttribute>,

    /// Groups that follow the directory: one by its name, or all that match a filter. Memberships given by hand stay.
    #[serde(default, rename = "group_sync")]
    pub group_syncs: Vec<GroupSync>,
}

/// The section `[directory.attributes]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// What people sign in with; all of these are searched, and the first that an entry has is the username here. With
    /// Active Directory: `["sAMAccountName", "userPrincipalName"]`.
    pub username: Vec<AttributeName>,
    /// The name that others see; the first that an entry has.
    pub name: Vec<AttributeName>,
    /// The e-mail address; the first that an entry has.
    pub email: Vec<AttributeName>,
    /// What stays the same when an entry is renamed or moved; the first that an entry has, or else its distinguished
    /// name.
    ///
    /// Danger: changing this later makes strangers of everybody.
    pub subject: Vec<AttributeName>,
}

/// The section `[[directory.custom_attribute]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomAttribute {
    /// Its name here, by which it is kept; people read the label.
    #[schemars(example = &"department")]
    pub name: Slug,

    /// How people read it. When not set: the name.
    #[serde(default)]
    #[schemars(example = &"Department")]
    pub label: Option<String>,

    /// The attributes of the directory that it comes from; the first that an entry has. What has no text is left out, and
    /// what is longer than 200 characters is cut.
    #[schemars(example = ["departmentNumber"])]
    pub from: Vec<AttributeName>,
}

/// The section `[[directory.group_sync]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupSync {
    /// One group of the directory. Either this or `filter`.
    #[serde(default)]
    #[schemars(example = &"cn=staff,ou=groups,dc=example,dc=org")]
    pub dn: Option<EntryName>,

    /// The group here that follows `dn`; it is made if it is not there. When not set: what `name_attribute` says.
    #[serde(default)]
    #[schemars(example = &"staff")]
    pub group: Option<GroupName>,

    /// All groups of the directory that match, each followed by the group of its name.
    #[serde(default)]
    #[schemars(example = &"(objectClass=groupOfNames)")]
    pub filter: Option<Filter>,

    /// Groups are looked for here and below. When not set: `base_dn` of the directory.
    #[serde(default)]
    #[schemars(example = &"ou=groups,dc=example,dc=org")]
    pub base_dn: Option<EntryName>,

    /// The attribute that holds a group's name.
    #[serde(default = "name_attribute")]
    pub name_attribute: AttributeName,

    /// How it is found out who belongs to a group. The filter of the directory holds in every way.
    #[serde(default)]
    pub members: MemberStrategy,

    /// How deep groups inside groups are followed. 0: only direct members. On Active Directory `member_of` follows them
    /// to any depth with its own rule as soon as this is not 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 50))]
    pub nested_depth: u32,

    /// Whether members who have no account get one.
    #[serde(default)]
    pub create_accounts: bool,
}

/// How connections are protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS is asked for after connecting; without it nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Ldaps,
    /// No encryption; only together with `danger_plain = true`.
    None,
}

/// What happens at the first sign-in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFirstSignIn {
    /// An account is made. An account that has the username or address already is never taken over.
    #[default]
    Create,
    /// Where an account has the same address, and it is verified here, they sign in to that account once as before and
    /// are asked whether the two belong together. An account that nobody can enter any more in a way that is in use is
    /// theirs at once, unless it is an administrator's. Where no account has the address, one is made.
    LinkVerifiedEmail,
    /// Only people who were invited, or whom the synchronisation made an account for.
    InvitedOnly,
    /// Nobody new.
    Deny,
}

/// What happens to the account of somebody who is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// Nothing; it cannot sign in with the directory any more.
    #[default]
    Keep,
    /// It is locked, and its sessions end. It is unlocked when the person is back.
    Lock,
    /// The same, and the time until it may be erased begins.
    LockAndRetain,
}

/// How it is found out who belongs to a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberStrategy {
    /// People's entries name their groups (`memberOf`): Active Directory, IPA, 389 Directory Server, slapd with the
    /// memberof overlay.
    #[default]
    MemberOf,
    /// The group's entry names its members (`member`).
    Member,
    /// The group's entry names its members (`uniqueMember`).
    UniqueMember,
    /// The group's entry has the usernames of its members (`memberUid`).
    MemberUid,
}

const fn connect_timeout() -> Span {
    Span::seconds(5)
}

const fn operation_timeout() -> Span {
    Span::seconds(10)
}

const fn interval() -> Span {
    Span::hours(1)
}

const fn max_sign_ins() -> u32 {
    32
}

const fn page_size() -> u32 {
    1000
}

const fn max_removals() -> u32 {
    25
}

const fn max_removals_percent() -> u32 {
    20
}

fn filter() -> Filter {
    Filter::known("(|(objectClass=person)(objectClass=posixAccount))")
}

fn name_attribute() -> AttributeName {
    AttributeName::known("cn")
}

impl Default for Attributes {
    fn default() -> Self {
        let list = |names: &[&'static str]| names.iter().map(|name| AttributeName::known(name)).collect();
        Self {
            username: list(&["uid"]),
            name: list(&["displayName", "cn"]),
            email: list(&["mail"]),
            subject: list(&["objectGUID", "entryUUID", "nsUniqueId", "ipaUniqueID"]),
        }
    }
}

impl Directory {
    /// The name that people see.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.slug.as_str())
    }

    fn check(&self, place: &str, secrets_read: bool, found: &mut Findings) {
        let key = |name: &str| format!("{place}.{name}");
        if self.hosts.is_empty() {
            found.wrong(&key("hosts"), "must name at least one server");
        }
        match (self.security, self.danger_plain) {
            (Security::None, false) => {
                found.wrong(
                    &key("security"),
                    "\"none\" sends passwords unencrypted; it needs danger_plain = true as well",
                );
            }
            (Security::None, true) => found.warn(format!(
                "{}: every password that people of the directory \"{}\" sign in with travels unencrypted",
                key("danger_plain"),
                self.slug
            )),
            (_, true) => found.wrong(&key("danger_plain"), "is meant for security = \"none\" only; remove it"),
            _ => {}
        }
        found.bounds(&key("connect_timeout"), self.connect_timeout, Span::seconds(1), Span::minutes(1));
        found.bounds(&key("operation_timeout"), self.operation_timeout, Span::seconds(1), Span::minutes(5));
        if self.interval != Span::seconds(0) {
            found.bounds(&key("interval"), self.interval, Span::minutes(1), Span::hours(24 * 7));
        }
        let given = self.bind_password.is_some() || (self.bind_password_file.is_some() && !secrets_read);
        let empty = self.bind_password.as_ref().is_some_and(|password| password.expose().is_empty());
        match &self.bind_dn {
            // RFC 4513 section 5.1.2: a name without a password is an unauthenticated bind, which looks like success.
            Some(_) if !given || empty => {
                found.wrong(&key("bind_dn"), "needs bind_password or bind_password_file as well");
            }
            Some(name) if name.trim().is_empty() => {
                found.wrong(&key("bind_dn"), "is empty; leave it out to search anonymously");
            }
            None if self.bind_password.is_some() => found.wrong(&key("bind_password"), "needs bind_dn as well"),
            _ => {}
        }
        for (name, list) in [
            ("username", &self.attributes.username),
            ("name", &self.attributes.name),
            ("email", &self.attributes.email),
        ] {
            if list.is_empty() {
                found.wrong(&key(&format!("attributes.{name}")), "must name at least one attribute");
            }
        }
        if self.attributes.subject.is_empty() {
            found.warn(format!(
                "{}: without an attribute that stays, whoever is renamed or moved in the directory becomes a stranger",
                key("attributes.subject")
            ));
        }
        check_custom(place, &self.custom_attributes, found);
        for (index, sync) in self.group_syncs.iter().enumerate() {
            sync.check(&format!("{place}.group_sync[{index}]"), found);
        }
    }
}

fn check_custom(place: &str, attributes: &[CustomAttribute], found: &mut Findings) {
    if attributes.len() > custom::MOST {
        found.wrong(&format!("{place}.custom_attribute"), &format!("has more than {} entries", custom::MOST));
    }
    let mut names = BTreeSet::new();
    for (index, one) in attributes.iter().enumerate() {
        let place = format!("{place}.custom_attribute[{index}]");
        if one.from.is_empty() {
            found.wrong(&format!("{place}.from"), "must name at least one attribute");
        }
        if !names.insert(&one.name) {
            found.wrong(&format!("{place}.name"), &format!("\"{}\" is taken already", one.name));
        }
    }
}

impl GroupSync {
    fn check(&self, place: &str, found: &mut Findings) {
        match (&self.dn, &self.filter) {
            (None, None) => found.wrong(place, "needs dn or filter"),
            (Some(_), Some(_)) => found.wrong(&format!("{place}.filter"), "is set together with dn; keep one of them"),
            (None, Some(_)) if self.group.is_some() => {
                found.wrong(&format!("{place}.group"), "goes with dn; with filter each group has its own name");
            }
            _ => {}
        }
        if self.members == MemberStrategy::MemberUid && self.nested_depth > 0 {
            found.wrong(
                &format!("{place}.nested_depth"),
                "must be 0 with members = \"member_uid\": usernames are people",
            );
        }
    }
}

/// Checks all directories, and that no two have the same name.
pub(super) fn check(directories: &[Directory], secrets_read: bool, found: &mut Findings) {
    let mut slugs = BTreeSet::new();
    for (index, directory) in directories.iter().enumerate() {
        directory.check(&format!("directory[{index}]"), secrets_read, found);
        if !slugs.insert(&directory.slug) {
            found.wrong(&format!("directory[{index}].slug"), &format!("\"{}\" is taken already", directory.slug));
        }
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
