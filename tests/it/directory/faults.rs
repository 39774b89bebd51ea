//! What goes wrong with directories. After each fault nobody is wrongly removed, locked or made, and it is told.

use super::{STAFF, confirms, runs, state, syncs};
use crate::support::House;
use crate::support::cable::{Cable, Then};
use crate::support::slapd::{BASE, Slapd, group, person};
use vestibule::domain::account::AccountStatus;
use vestibule::service::directory::{Directories, Options, SyncError};

const NAMES: [&str; 10] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];

fn ten() -> String {
    NAMES.map(person).concat() + &group("staff", &NAMES)
}

async fn fails(house: &House) -> String {
    match runs(house, Options::default()).await {
        Err(error @ SyncError::Directory { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A directory of ten and a service that knows them, through a wire.
async fn through_a_wire(then: Then) -> (Slapd, Cable, House) {
    let slapd = Slapd::with(&ten());
    let wire = Cable::to(slapd.port, then).await;
    let settings = slapd.directory_at(wire.port, &format!("page_size = 3\n{STAFF}"));
    let house = House::with(&settings.replace("operation_timeout = \"5s\"", "operation_timeout = \"1s\"")).await;
    assert_eq!(syncs(&house).await.1.created, 10);
    (slapd, wire, house)
}

#[tokio::test]
async fn a_server_that_dies_or_falls_silent_in_the_middle_of_a_page_changes_nothing() {
    for (then, told) in [(Then::Break, "does not answer"), (Then::Silence, "silent for 1 s")] {
        let (_slapd, wire, house) = through_a_wire(then).await;
        let (acts, before) = (house.acts().await, state(&house).await);
        let directories = Directories::new(std::sync::Arc::clone(&house.app.core));
        // The first page is read; then nothing comes any more.
        let mut cut = |read: usize| wire.passes_only(if read < 3 { u64::MAX } else { 0 });
        let failed = directories.sync(&house.operator(), "ldap", Options::default(), &mut cut).await;
        let error = failed.expect_err("half a directory").to_string();
        assert!(error.contains(told) && error.contains("nothing was changed"), "{error}");
        assert_eq!((house.acts().await, state(&house).await), (acts, before));
        wire.passes_only(u64::MAX);
        assert!(syncs(&house).await.0.is_idle(), "it goes on when the server does");
    }
}

#[tokio::test]
async fn a_restart_and_a_dead_server_change_nothing() {
    let mut slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let before = state(&house).await;
    slapd.is_killed();
    assert!(fails(&house).await.contains("does not answer"));
    assert_eq!(state(&house).await, before);
    slapd.starts();
    assert!(syncs(&house).await.0.is_idle());
}

#[tokio::test]
async fn a_size_limit_adds_and_never_takes_away() {
    let mut slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(&format!("page_size = 0\n{STAFF}"))).await;
    syncs(&house).await;
    let before = state(&house).await;
    slapd.writes_configuration("limits users size=4\n");
    slapd.restarts();
    let (plan, done) = syncs(&house).await;
    assert!(plan.partial.as_ref().is_some_and(|why| why.contains("result 4")), "{:?}", plan.partial);
    assert_eq!((done.locked, done.removed), (0, 0));
    let confirmed = confirms(&house).await.1;
    assert_eq!((confirmed.locked, confirmed.removed), (0, 0), "not even when confirmed");
    assert_eq!(state(&house).await, before);
}

#[tokio::test]
async fn a_swapped_certificate_is_refused() {
    let mut slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let before = state(&house).await;
    slapd.new_certificate(false);
    slapd.restarts();
    assert!(fails(&house).await.contains("no protected connection"));
    assert_eq!(state(&house).await, before);
}

#[tokio::test]
async fn an_emptied_base_is_refused_until_confirmed() {
    let slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let before = state(&house).await;
    for name in NAMES {
        slapd.deletes(&format!("uid={name},ou=people,{BASE}"));
    }
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.locked, done.removed), (0, 0));
    assert!(plan.refusals().iter().any(|refusal| refusal.contains("locking 10 of 10")), "{:?}", plan.refusals());
    assert_eq!(state(&house).await, before);
    slapd.empties(&format!("ou=people,{BASE}"));
    assert!(fails(&house).await.contains("result 32"), "a base that is not there says nothing about anybody");
    assert_eq!(state(&house).await, before);
}

#[tokio::test]
async fn an_emptied_group_and_one_that_is_not_there_keep_their_people() {
    let slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let before = state(&house).await;
    slapd.modifies(&format!(
        "dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nreplace: member\nmember: cn=nobody\n\n"
    ));
    let (plan, _) = syncs(&house).await;
    assert!(plan.refusals().iter().any(|refusal| refusal.contains("removing 10 of 10")), "{:?}", plan.refusals());
    assert_eq!(state(&house).await, before);
    slapd.deletes(&format!("cn=staff,ou=groups,{BASE}"));
    let (plan, done) = confirms(&house).await;
    assert_eq!(done.removed, 0, "not even when confirmed");
    assert!(plan.remarks.iter().any(|remark| remark.contains("left as it is")), "{:?}", plan.remarks);
    assert_eq!(state(&house).await, before);
}

#[tokio::test]
async fn one_broken_group_does_not_stop_the_others() {
    let slapd = Slapd::with(&(ten() + &group("good", &["p1"])));
    let more = format!(
        "{STAFF}[[directory.group_sync]]\ndn = \"cn=missing,ou=groups,{BASE}\"\n[[directory.group_sync]]\n\
         dn = \"cn=good,ou=groups,{BASE}\"\ngroup = \"Good people\"\n"
    );
    let house = House::with(&slapd.directory(&more)).await;
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.created, done.groups_created, done.added), (10, 2, 11));
    assert!(plan.remarks.iter().any(|remark| remark.contains("cn=missing")), "{:?}", plan.remarks);
}

#[tokio::test]
async fn odd_entries_are_told_and_do_no_harm() {
    let slapd = Slapd::with(&ten());
    let twin = person("twin").replace("mail: twin@example.org", "mail: p1@example.org");
    let many: Vec<String> = (0..1000).map(|number| format!("mail: x{number}@example.org\n")).collect();
    let many = person("many").replace("mail: many@example.org\n", &many.concat());
    let bare = person("bare").replace("mail: bare@example.org\n", "");
    let bytes = person("bytes").replace("sn: Example\n", "sn: Example\njpegPhoto:: /9j/4AAQ////AAD+\n");
    slapd.adds(&format!("{twin}{many}{bare}{bytes}"));
    let house =
        House::with(&slapd.directory("create_accounts = true\nattributes.name = [\"jpegPhoto\", \"cn\"]\n")).await;
    let (plan, done) = syncs(&house).await;
    assert_eq!(done.created, 12, "ten, one with many addresses, one with bytes for a name");
    for told in ["uid=twin", "uid=bare"] {
        assert!(plan.remarks.iter().any(|remark| remark.contains(told)), "{told}: {:?}", plan.remarks);
    }
    assert_eq!(house.named("many").await.email, "x0@example.org");
    assert_eq!(house.named("bytes").await.name, "bytes Example");
    assert_eq!(house.named("p1").await.status, AccountStatus::Active);
}
