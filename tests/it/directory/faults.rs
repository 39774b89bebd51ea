//! What goes wrong with directories. After each fault nobody is wrongly removed, locked, made or let in, and the log says
//! what happened.

use super::{STAFF, confirms, runs, state, syncs};
use crate::support::House;
use crate::support::cable::{Cable, Then};
use crate::support::slapd::{BASE, Slapd, group, person};
use crate::support::told::Told;
use http::StatusCode;
use std::fmt::Write;
use vestibule::domain::account::AccountStatus;
use vestibule::service::directory::{Directories, Options, SyncError};

const NAMES: [&str; 10] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];

fn ten() -> String {
    NAMES.map(person).concat() + &group("staff", &NAMES)
}

/// Everything is as it was, nobody gets in with what is no password of theirs, and the log says what happened.
async fn harmless(house: &House, before: &[String], told: (&Told, &[&str])) {
    let (log, says) = (told.0.text(), told.1);
    for text in says {
        assert!(log.contains(text), "{text} is not in the log: {log}");
    }
    assert_eq!(state(house).await, before);
    for (name, password) in [("p0", "wrong"), ("p1", ""), ("p2", "p1-password"), ("nobody", "nobody-password")] {
        let answer = house.browser().signs_in(name, password).await;
        assert_ne!(answer.status, StatusCode::SEE_OTHER, "{name}");
    }
    assert_eq!(state(house).await, before, "trying changes nothing either");
    told.0.forgets();
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
        let (acts, before, log) = (house.acts().await, state(&house).await, Told::listens());
        let directories = Directories::new(std::sync::Arc::clone(&house.app.core));
        // The first page is read; then nothing comes any more.
        let mut cut = |read: usize| wire.passes_only(if read < 3 { u64::MAX } else { 0 });
        let failed = directories.sync(&house.operator(), "ldap", Options::default(), &mut cut).await;
        let error = failed.expect_err("half a directory").to_string();
        assert!(error.contains(told) && error.contains("nothing was changed"), "{error}");
        assert_eq!(house.acts().await, acts);
        harmless(&house, &before, (&log, &["ERROR", "a directory was not synchronised", told])).await;
        wire.passes_only(u64::MAX);
        assert!(syncs(&house).await.0.is_idle(), "it goes on when the server does");
    }
}

#[tokio::test]
async fn a_restart_and_a_dead_server_change_nothing() {
    let mut slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let (before, log) = (state(&house).await, Told::listens());
    slapd.is_killed();
    assert!(fails(&house).await.contains("does not answer"));
    harmless(&house, &before, (&log, &["a directory server cannot be used", "a directory was not synchronised"])).await;
    slapd.starts();
    assert!(syncs(&house).await.0.is_idle());
    assert!(log.text().contains("a directory was synchronised"));
}

#[tokio::test]
async fn a_size_limit_adds_and_never_takes_away() {
    let mut slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(&format!("page_size = 0\n{STAFF}"))).await;
    syncs(&house).await;
    let (before, log) = (state(&house).await, Told::listens());
    slapd.writes_configuration("limits users size=4\n");
    slapd.restarts();
    let (plan, done) = syncs(&house).await;
    assert!(plan.partial.as_ref().is_some_and(|why| why.contains("result 4")), "{:?}", plan.partial);
    assert_eq!((done.locked, done.removed), (0, 0));
    let confirmed = confirms(&house).await.1;
    assert_eq!((confirmed.locked, confirmed.removed), (0, 0), "not even when confirmed");
    harmless(&house, &before, (&log, &["the directory was not read to its end", "result 4"])).await;
}

#[tokio::test]
async fn a_swapped_certificate_is_refused() {
    let mut slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let (before, log) = (state(&house).await, Told::listens());
    slapd.new_certificate(false);
    slapd.restarts();
    assert!(fails(&house).await.contains("no protected connection"));
    harmless(&house, &before, (&log, &["no protected connection", "ca_file", "a directory was not synchronised"]))
        .await;
    let right = house.browser().signs_in("p0", "p0-password").await;
    assert_eq!(right.status, StatusCode::SERVICE_UNAVAILABLE, "no password goes to a server that nobody knows");
}

#[tokio::test]
async fn an_emptied_base_is_refused_until_confirmed() {
    let slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let (before, log) = (state(&house).await, Told::listens());
    for name in NAMES {
        slapd.deletes(&format!("uid={name},ou=people,{BASE}"));
    }
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.locked, done.removed), (0, 0));
    assert!(plan.refusals().iter().any(|refusal| refusal.contains("locking 10 of 10")), "{:?}", plan.refusals());
    harmless(&house, &before, (&log, &["refused", "locking 10 of 10 accounts"])).await;
    let gone = house.browser().signs_in("p0", "p0-password").await;
    assert_ne!(gone.status, StatusCode::SEE_OTHER, "who is not there does not get in");
    slapd.empties(&format!("ou=people,{BASE}"));
    assert!(fails(&house).await.contains("result 32"), "a base that is not there says nothing about anybody");
    harmless(&house, &before, (&log, &["result 32", "a directory was not synchronised"])).await;
}

#[tokio::test]
async fn an_emptied_group_and_one_that_is_not_there_keep_their_people() {
    let slapd = Slapd::with(&ten());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let (before, log) = (state(&house).await, Told::listens());
    slapd.modifies(&format!(
        "dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nreplace: member\nmember: cn=nobody\n\n"
    ));
    let (plan, _) = syncs(&house).await;
    assert!(plan.refusals().iter().any(|refusal| refusal.contains("removing 10 of 10")), "{:?}", plan.refusals());
    harmless(&house, &before, (&log, &["refused", "removing 10 of 10 people from the group staff"])).await;
    slapd.deletes(&format!("cn=staff,ou=groups,{BASE}"));
    let (plan, done) = confirms(&house).await;
    assert_eq!(done.removed, 0, "not even when confirmed");
    assert!(plan.remarks.iter().any(|remark| remark.contains("left as it is")), "{:?}", plan.remarks);
    harmless(&house, &before, (&log, &["cn=staff", "is left as it is"])).await;
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
    let (slapd, log) = (Slapd::with(&ten()), Told::listens());
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
    for told in [
        "uid=twin,ou=people,dc=example,dc=org: no account is made: another account or entry has its e-mail address",
        "uid=bare,ou=people,dc=example,dc=org: no account is made",
        "uid=many,ou=people,dc=example,dc=org: mail has 1000 values; the first one counts",
        "uid=bytes,ou=people,dc=example,dc=org: jpegPhoto holds bytes that are no text; they are passed over",
    ] {
        assert!(log.text().contains(told), "{told}: {}", log.text());
        assert!(plan.remarks.iter().any(|remark| remark.contains(told)), "{told}: {:?}", plan.remarks);
    }
    assert_eq!(house.named("many").await.email, "x0@example.org");
    assert_eq!(house.named("bytes").await.name, "bytes Example");
    assert_eq!(house.named("p1").await.status, AccountStatus::Active);
}

#[tokio::test]
async fn two_of_one_address_and_one_without_let_nobody_into_another_s_account() {
    let (slapd, log) = (Slapd::with(&ten()), Told::listens());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let before = state(&house).await;
    let twin = person("twin").replace("mail: twin@example.org", "mail: p1@example.org");
    let odd = person("odd").replace("mail: odd@example.org", "mail:: //9AAAA=");
    slapd.adds(&format!("{twin}{}", odd.replace("mail:: //9AAAA=", "mail: no address")));
    for (name, status) in [("twin", StatusCode::CONFLICT), ("odd", StatusCode::FORBIDDEN)] {
        let answer = house.browser().signs_in(name, &format!("{name}-password")).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
    }
    let (plan, done) = syncs(&house).await;
    assert!(plan.is_idle() && done.created == 0, "{:?}", plan.words());
    harmless(&house, &before, (&log, &["a directory was synchronised"])).await;
}

#[tokio::test]
async fn a_renamed_entry_stays_the_same_person_with_the_same_rights() {
    let (slapd, log) = (Slapd::with(&ten()), Told::listens());
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let (p0, p1, before) = (house.named("p0").await, house.named("p1").await, state(&house).await);
    slapd.adds(&format!("dn: ou=moved,ou=people,{BASE}\nobjectClass: organizationalUnit\nou: moved\n\n"));
    slapd.modifies(&format!(
        "dn: uid=p0,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=p0\ndeleteoldrdn: 1\n\
         newsuperior: ou=moved,ou=people,{BASE}\n\n"
    ));
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.created, done.locked, done.added, done.removed), (0, 0, 0, 0), "{:?}", plan.words());
    harmless(&house, &before, (&log, &["a directory was synchronised", "removed=0"])).await;
    // Two change their names with each other: each keeps the account, and so the rights.
    for (from, to) in [("uid=p1,ou=people", "uid=third"), ("uid=p0,ou=moved,ou=people", "uid=p1")] {
        slapd.modifies(&format!("dn: {from},{BASE}\nchangetype: modrdn\nnewrdn: {to}\ndeleteoldrdn: 1\n\n"));
    }
    for _ in 0..2 {
        syncs(&house).await;
    }
    assert_eq!((house.named("p1").await.id, house.named("third").await.id), (p0.id, p1.id));
    assert!(log.text().contains("updated=1") || log.text().contains("updated=2"), "{}", log.text());
    assert_eq!(house.count_acts("account.created").await, 10);
}

#[tokio::test]
async fn cycles_and_members_from_elsewhere_are_told_and_let_nobody_in() {
    let groups = [
        group("staff", &["p0", "cn=inner,ou=groups,dc=example,dc=org", "uid=outside,ou=services,dc=example,dc=org"]),
        group("inner", &["p1", "cn=staff,ou=groups,dc=example,dc=org", "uid=far,dc=other"]),
    ];
    let outside = person("outside").replace("ou=people", "ou=services");
    let slapd = Slapd::with(&(NAMES.map(person).concat() + &outside + &groups.concat()));
    let nested = format!("{STAFF}members = \"member\"\nbase_dn = \"ou=groups,{BASE}\"\nnested_depth = 5\n");
    let (house, log) = (House::with(&slapd.directory(&nested)).await, Told::listens());
    let (_, done) = syncs(&house).await;
    assert_eq!((done.created, done.added), (2, 2), "p0 and p1");
    let before = state(&house).await;
    let outside = house.browser().signs_in("outside", "outside-password").await;
    assert_eq!(outside.status, StatusCode::UNPROCESSABLE_ENTITY, "not under base_dn");
    harmless(
        &house,
        &before,
        (&log, &["contains itself", "2 members who are not there, or whom the filter does not let in"]),
    )
    .await;
}

#[tokio::test]
async fn a_thousand_members_and_garbage_among_them_are_read_to_the_end() {
    let slapd = Slapd::with(&ten());
    let (house, log) =
        (House::with(&slapd.directory(&format!("{STAFF}members = \"member\"\n"))).await, Told::listens());
    syncs(&house).await;
    let before = state(&house).await;
    let mut text = format!("dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nadd: member\n");
    for number in 0..1000 {
        writeln!(text, "member: cn=x\\C3\\BC{number},dc=else\\2c where").expect("a string takes everything");
    }
    slapd.modifies(&(text + "\n"));
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.added, done.removed), (0, 0), "{:?}", plan.words());
    harmless(&house, &before, (&log, &["1000 members who are not there, or whom the filter does not let in"])).await;
}
