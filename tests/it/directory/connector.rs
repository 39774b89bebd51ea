//! Connections, pages, binds, failover: `connect/ldap` alone.

use crate::support::cable::{Cable, Then};
use crate::support::slapd::{BASE, SECRET, SERVICE, Slapd, group, person};
use std::time::Duration;
use vestibule::connect::ldap::{
    Directory, Found, Host, LdapError, LdapSettings, Reading, Scope, Search, Security, Verdict,
};
use vestibule::domain::secret::Secret;

fn settings(slapd: &Slapd) -> LdapSettings {
    LdapSettings {
        slug: "ldap".to_owned(),
        hosts: vec![Host { name: "127.0.0.1".to_owned(), port: slapd.port }],
        security: Security::StartTls,
        ca_file: Some(slapd.trusted()),
        connect_timeout: Duration::from_secs(5),
        operation_timeout: Duration::from_secs(5),
        login: Some((SERVICE.to_owned(), Secret::new(SECRET.to_owned()))),
        page_size: 100,
        max_binds: 4,
    }
}

fn everybody() -> Search {
    Search {
        base: BASE.to_owned(),
        scope: Scope::Subtree,
        filter: "(objectClass=inetOrgPerson)".to_owned(),
        attributes: vec!["uid".to_owned(), "entryUUID".to_owned()],
    }
}

fn named(uid: &str) -> Search {
    Search { filter: format!("(uid={uid})"), ..everybody() }
}

fn people(count: usize) -> String {
    (0..count).map(|number| person(&format!("p{number}"))).collect()
}

async fn read(directory: &Directory, search: &Search) -> Result<(Vec<Found>, Reading), LdapError> {
    let mut connection = directory.connect().await?;
    let mut found = Vec::new();
    let reading = connection.search(search, &mut |one| found.push(one)).await?;
    Ok((found, reading))
}

fn password(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// A server that waits before it acknowledges lets each handshake stall by 40 ms or more, the quickest as well.
#[tokio::test]
async fn no_message_waits_for_the_last_one_s_acknowledgement() {
    let slapd = Slapd::with(&people(1));
    let directory = Directory::new(settings(&slapd)).expect("a directory");
    let dn = format!("uid=p0,ou=people,{BASE}");
    let mut quickest = Duration::MAX;
    for _ in 0..20 {
        let begun = tokio::time::Instant::now();
        assert_eq!(directory.verify(&dn, &password("wrong")).await, Ok(Verdict::Wrong));
        quickest = quickest.min(begun.elapsed());
    }
    println!("quickest StartTLS and bind: {quickest:?}");
    assert!(quickest < Duration::from_millis(35), "{quickest:?}");
}

#[tokio::test]
async fn starttls_and_ldaps_read_all_pages_and_a_stranger_s_certificate_is_refused() {
    let slapd = Slapd::with(&people(250));
    let over_tls = LdapSettings {
        security: Security::Ldaps,
        hosts: vec![Host { name: "127.0.0.1".to_owned(), port: slapd.tls_port }],
        ..settings(&slapd)
    };
    for settings in [settings(&slapd), over_tls.clone()] {
        let (found, reading) = read(&Directory::new(settings).unwrap(), &everybody()).await.unwrap();
        assert_eq!((found.len(), reading), (250, Reading::Whole));
        assert!(found.iter().all(|one| one.entry.texts("entryUUID").count() == 1));
    }
    slapd.new_certificate(false);
    let mut slapd = slapd;
    slapd.restarts();
    for settings in [settings(&slapd), over_tls] {
        let refused = read(&Directory::new(settings).unwrap(), &everybody()).await.unwrap_err();
        assert!(matches!(&refused, LdapError::Insecure(why) if why.contains("ca_file")), "{refused}");
    }
    let system = Directory::new(LdapSettings { ca_file: None, ..settings(&slapd) }).unwrap();
    assert!(matches!(system.connect().await, Err(LdapError::Insecure(_))));
}

#[tokio::test]
async fn passwords_are_checked_and_an_empty_one_never_leaves() {
    let slapd = Slapd::with(&person("anna"));
    let wire = Cable::to(slapd.port, Then::Break).await;
    let host = Host { name: "127.0.0.1".to_owned(), port: wire.port };
    let directory = Directory::new(LdapSettings { hosts: vec![host], ..settings(&slapd) }).unwrap();
    let anna = format!("uid=anna,ou=people,{BASE}");
    assert_eq!(directory.verify(&anna, &password("anna-password")).await, Ok(Verdict::Right));
    assert_eq!(directory.verify(&anna, &password("wrong")).await, Ok(Verdict::Wrong));
    assert_eq!(directory.verify(&format!("uid=nobody,{BASE}"), &password("x")).await, Ok(Verdict::Wrong));
    assert_eq!(wire.connections(), 3);
    assert_eq!(directory.verify(&anna, &password("")).await, Ok(Verdict::Wrong));
    assert_eq!(directory.verify("", &password("x")).await, Ok(Verdict::Wrong));
    assert_eq!(wire.connections(), 3, "nothing was sent");
}

#[tokio::test]
async fn a_size_limit_without_paging_is_told_as_partial_and_a_server_without_paging_is_read_anyway() {
    let slapd = Slapd::configured("limits users size=50\n", &people(120));
    let unpaged = LdapSettings { page_size: 0, ..settings(&slapd) };
    let (found, reading) = read(&Directory::new(unpaged).unwrap(), &everybody()).await.unwrap();
    assert_eq!(found.len(), 50);
    assert!(matches!(&reading, Reading::Partial(why) if why.contains("result 4")), "{reading:?}");
    let slapd = Slapd::configured("limits users size.prtotal=disabled size.hard=unlimited\n", &people(120));
    let (found, reading) = read(&Directory::new(settings(&slapd)).unwrap(), &everybody()).await.unwrap();
    assert_eq!((found.len(), reading), (120, Reading::Whole));
}

#[tokio::test]
async fn a_dead_server_is_passed_over_and_remembered() {
    let slapd = Slapd::with(&person("anna"));
    let gone = Slapd::with("");
    let dead = Host { name: "127.0.0.1".to_owned(), port: gone.port };
    drop(gone);
    let alive = settings(&slapd).hosts.remove(0);
    let both = Directory::new(LdapSettings { hosts: vec![dead.clone(), alive], ..settings(&slapd) }).unwrap();
    assert_eq!(both.find(&named("anna"), 2).await.unwrap().len(), 1);
    assert!(!both.is_away());
    let none = Directory::new(LdapSettings { hosts: vec![dead], ..settings(&slapd) }).unwrap();
    assert!(matches!(none.find(&named("anna"), 2).await, Err(LdapError::Away(_))));
    assert!(none.is_away());
    let at_once = none.find(&named("anna"), 2).await.unwrap_err();
    assert!(at_once.to_string().contains("a moment ago"), "{at_once}");
}

#[tokio::test]
async fn the_shared_connection_is_made_anew_after_a_restart() {
    let mut slapd = Slapd::with(&person("anna"));
    let directory = Directory::new(settings(&slapd)).unwrap();
    assert_eq!(directory.find(&named("anna"), 2).await.unwrap().len(), 1);
    slapd.restarts();
    assert_eq!(directory.find(&named("anna"), 2).await.unwrap().len(), 1);
    assert!(!directory.is_away());
}

#[tokio::test]
async fn a_server_that_falls_silent_or_breaks_in_the_middle_is_an_error_and_no_short_list() {
    let slapd = Slapd::with(&people(250));
    for then in [Then::Silence, Then::Break] {
        let wire = Cable::to(slapd.port, then).await;
        let host = Host { name: "127.0.0.1".to_owned(), port: wire.port };
        let patience = Duration::from_secs(1);
        let settings = LdapSettings { hosts: vec![host], operation_timeout: patience, ..settings(&slapd) };
        let directory = Directory::new(settings).unwrap();
        let mut connection = directory.connect().await.unwrap();
        wire.passes_only(12_000);
        let mut found = 0;
        let error = connection.search(&everybody(), &mut |_| found += 1).await.unwrap_err();
        assert!(matches!(error, LdapError::Away(_)), "{error}");
        assert!(found < 250, "{found}");
    }
}

#[tokio::test]
async fn the_service_s_wrong_password_and_a_missing_base_are_told_apart() {
    let slapd = Slapd::with("");
    let login = Some((SERVICE.to_owned(), Secret::new("wrong".to_owned())));
    let wrong = Directory::new(LdapSettings { login, ..settings(&slapd) }).unwrap();
    assert!(matches!(wrong.connect().await, Err(LdapError::Login(_))));
    let directory = Directory::new(settings(&slapd)).unwrap();
    let nowhere = Search { base: format!("ou=nowhere,{BASE}"), ..everybody() };
    assert!(read(&directory, &nowhere).await.unwrap_err().is_missing());
    let anonymous = Directory::new(LdapSettings { login: None, ..settings(&slapd) }).unwrap();
    assert_eq!(read(&anonymous, &everybody()).await.unwrap().0.len(), 0);
}

#[tokio::test]
async fn values_in_thousands_and_bytes_that_are_no_text_are_read() {
    let mut slapd = Slapd::with(&people(1));
    let many: Vec<String> = (0..1000).map(|number| format!("uid=q{number},ou=people,{BASE}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    slapd.adds(&group("many", &many));
    slapd.modifies(&format!(
        "dn: uid=p0,ou=people,{BASE}\nchangetype: modify\nadd: jpegPhoto\njpegPhoto:: /9j/4AAQ////AAD+\n\n"
    ));
    slapd.restarts();
    let directory = Directory::new(settings(&slapd)).unwrap();
    let search = Search { filter: "(cn=many)".to_owned(), attributes: vec!["member".to_owned()], ..everybody() };
    let found = directory.find(&search, 2).await.unwrap();
    assert_eq!(found[0].entry.texts("member").count(), 1000);
    let search = Search { attributes: vec!["jpegPhoto".to_owned()], ..named("p0") };
    let found = directory.find(&search, 2).await.unwrap();
    assert_eq!(found[0].entry.values("jpegphoto").count(), 1);
    assert_eq!(found[0].entry.texts("jpegPhoto").count(), 0);
}
