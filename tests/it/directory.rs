//! Directories: against a real slapd of each test's own, and against what no server should do.

mod active_directory;
mod away;
mod commands;
mod connector;
mod cut;
mod faults;
mod first_sign_in;
mod sign_in;
mod spelling;
mod successor;
mod sync;
mod trace;
mod turns;

use crate::support::House;
use vestibule::domain::directory::plan::Plan;
use vestibule::service::directory::{Directories, Done, Options, Outcome, SyncError};
use vestibule::store::{directory, group};

/// Everybody in the directory gets an account, and one group is followed.
pub(crate) const STAFF: &str = "gone = \"lock\"\n[[directory.group_sync]]\ndn = \"cn=staff,ou=groups,dc=example,dc=org\"\n\
                                create_accounts = true\n";

pub(crate) async fn runs(house: &House, options: Options) -> Result<Outcome, SyncError> {
    let directories = Directories::new(std::sync::Arc::clone(&house.app.core));
    directories.sync(&house.operator(), "ldap", options, &mut |_| {}).await
}

pub(crate) async fn syncs(house: &House) -> (Plan, Done) {
    let outcome = runs(house, Options::default()).await.unwrap_or_else(|error| panic!("{error}"));
    (outcome.plan, outcome.done.expect("no dry run"))
}

pub(crate) async fn confirms(house: &House) -> (Plan, Done) {
    let outcome = runs(house, Options { confirm: true, dry_run: false }).await.expect("a run");
    (outcome.plan, outcome.done.expect("no dry run"))
}

pub(crate) async fn groups_of(house: &House, username: &str) -> Vec<String> {
    let account = house.named(username).await;
    let mut link = house.app.core.database.read().await.expect("a database");
    group::names_of(&mut link, account.id).await.expect("groups")
}

/// Everything that a synchronisation could change, in words.
pub(crate) async fn state(house: &House) -> Vec<String> {
    let source = vestibule::domain::identity::Source::directory("ldap");
    let mut link = house.app.core.database.read().await.expect("a database");
    let known = directory::known(&mut link, &source).await.expect("accounts");
    let mut lines: Vec<String> = known
        .accounts
        .iter()
        .map(|one| format!("{} {} {} {:?} {:?}", one.username, one.email, one.name, one.status, one.held))
        .collect();
    for group in known.groups {
        let mut members: Vec<_> = group.members.iter().map(ToString::to_string).collect();
        members.sort();
        lines.push(format!("{}: {}", group.name, members.join(" ")));
    }
    lines.sort();
    lines
}
