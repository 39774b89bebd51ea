//! From the operator's words about directories to the services' terms.

use crate::config::Config;
use crate::config::directory::{
    CustomAttribute, Directory, Gone, GroupSync, MemberStrategy, OnFirstSignIn as Configured, Security as Protection,
};
use crate::config::directory_values::AttributeName;
use crate::connect::ldap::{self, Host, LdapError, LdapSettings, Security};
use crate::domain::directory::plan::Guard;
use crate::domain::directory::{Mapping, Settings, custom};
use crate::domain::identity::{GroupRules, OnFirstSignIn, Source, SourceRules};
use crate::service::directory::{Connected, DirectoryPolicy, GroupRule, Strategy, Wanted};
use std::sync::Arc;

/// What the operator decided about directories as sources of identities.
pub(super) fn rules(config: &Config) -> impl Iterator<Item = (Source, SourceRules)> {
    config.directories.iter().map(|one| {
        let rules = SourceRules {
            name: one.display_name().to_owned(),
            on_first_sign_in: match one.on_first_sign_in {
                Configured::Create => OnFirstSignIn::Create,
                Configured::LinkVerifiedEmail => OnFirstSignIn::LinkVerifiedEmail,
                Configured::InvitedOnly => OnFirstSignIn::InvitedOnly,
                Configured::Deny => OnFirstSignIn::Deny,
            },
            approval: false,
            refresh: true,
            // Somebody new gets their groups at once; who leaves one, the synchronisation says.
            groups: GroupRules { exclusive: false, create: true },
            revalidate: None,
        };
        (Source::directory(one.slug.as_str()), rules)
    })
}

/// All directories, ready to be asked.
///
/// # Errors
/// [`LdapError::SetUp`], with the directory's name.
pub(super) fn connected(config: &Config) -> Result<Vec<Arc<Connected>>, LdapError> {
    let directory = |one: &Directory| {
        let server = ldap::Directory::new(settings(one)).map_err(|error| match error {
            LdapError::SetUp(why) => LdapError::SetUp(format!("{}: {why}", one.slug)),
            other => other,
        })?;
        Ok(Arc::new(Connected::new(policy(one), server)))
    };
    config.directories.iter().map(directory).collect()
}

fn settings(one: &Directory) -> LdapSettings {
    let security = match one.security {
        Protection::Starttls => Security::StartTls,
        Protection::Ldaps => Security::Ldaps,
        Protection::None => Security::DangerPlain,
    };
    let port = if security == Security::Ldaps { 636 } else { 389 };
    let host = |host: &crate::config::values::SiteHost| Host {
        name: host.name().to_owned(),
        port: host.port().unwrap_or(port),
    };
    LdapSettings {
        slug: one.slug.as_str().to_owned(),
        hosts: one.hosts.iter().map(host).collect(),
        security,
        ca_file: one.ca_file.clone(),
        connect_timeout: one.connect_timeout.duration(),
        operation_timeout: one.operation_timeout.duration(),
        login: one.bind_dn.clone().zip(one.bind_password.clone()),
        page_size: one.page_size,
        max_binds: usize::try_from(one.max_sign_ins).unwrap_or(usize::MAX),
    }
}

fn policy(one: &Directory) -> DirectoryPolicy {
    let names = |list: &[AttributeName]| list.iter().map(|name| name.as_str().to_owned()).collect();
    DirectoryPolicy {
        slug: one.slug.as_str().to_owned(),
        name: one.display_name().to_owned(),
        base: one.base_dn.as_str().to_owned(),
        filter: one.filter.as_str().to_owned(),
        mapping: Mapping {
            username: names(&one.attributes.username),
            name: names(&one.attributes.name),
            email: names(&one.attributes.email),
            subject: names(&one.attributes.subject),
            custom: one.custom_attributes.iter().map(custom_attribute).collect(),
        },
        password_url: one.password_url.as_ref().map(|address| address.as_str().to_owned()),
        interval: one.interval.duration(),
        settings: Settings {
            status: one.sync_status,
            lock_gone: one.gone != Gone::Keep,
            create_accounts: one.create_accounts,
            guard: Guard { people: one.max_removals, percent: one.max_removals_percent },
            confirmed: false,
        },
        retain: one.gone == Gone::LockAndRetain,
        groups: one.group_syncs.iter().filter_map(|sync| group(one, sync)).collect(),
    }
}

fn custom_attribute(one: &CustomAttribute) -> custom::Wanted {
    custom::Wanted {
        name: one.name.as_str().to_owned(),
        label: one.label.clone().unwrap_or_else(|| one.name.as_str().to_owned()),
        from: one.from.iter().map(|name| name.as_str().to_owned()).collect(),
    }
}

fn group(directory: &Directory, sync: &GroupSync) -> Option<GroupRule> {
    let wanted = match (&sync.dn, &sync.filter) {
        (Some(dn), _) => {
            Wanted::One { dn: dn.as_str().to_owned(), group: sync.group.as_ref().map(|name| name.as_str().to_owned()) }
        }
        (None, Some(filter)) => Wanted::Matching(filter.as_str().to_owned()),
        (None, None) => return None,
    };
    Some(GroupRule {
        wanted,
        base: sync.base_dn.as_ref().unwrap_or(&directory.base_dn).as_str().to_owned(),
        name_attribute: sync.name_attribute.as_str().to_owned(),
        members: match sync.members {
            MemberStrategy::MemberOf => Strategy::MemberOf,
            MemberStrategy::Member => Strategy::Names("member"),
            MemberStrategy::UniqueMember => Strategy::Names("uniqueMember"),
            MemberStrategy::MemberUid => Strategy::Usernames("memberUid"),
        },
        depth: sync.nested_depth,
        creates_accounts: sync.create_accounts,
    })
}
