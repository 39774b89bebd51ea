//! Synchronising people and groups, as an operator sees it.

use super::{STAFF, confirms, groups_of, runs, state, syncs};
use crate::support::House;
use crate::support::slapd::{BASE, Slapd, group, person};
use vestibule::domain::account::AccountStatus;
use vestibule::service::caller::Operator;
use vestibule::service::directory::{Directories, Names, Options};

pub(super) fn three() -> String {
    format!("{}{}{}{}", person("anna"), person("bert"), person("cara"), group("staff", &["anna", "bert"]))
}

pub(super) async fn exists(house: &House, username: &str) -> bool {
    house.accounts().named(Operator::vouched(), username).await.is_ok()
}

#[tokio::test]
async fn members_get_accounts_and_nothing_is_written_when_nothing_changed() {
    let slapd = Slapd::with(&three());
    let house = House::with(&slapd.directory(STAFF)).await;
    let (_, done) = syncs(&house).await;
    assert_eq!((done.created, done.groups_created, done.added), (2, 1, 2));
    assert_eq!(groups_of(&house, "anna").await, ["staff"]);
    assert_eq!(house.named("bert").await.email, "bert@example.org");
    assert!(!exists(&house, "cara").await, "nobody asked for her account");
    let (acts, before) = (house.acts().await, state(&house).await);
    let (plan, done) = syncs(&house).await;
    assert!(plan.is_idle(), "{:?}", plan.words());
    assert_eq!((done.created, done.added), (0, 0));
    assert_eq!((house.acts().await, state(&house).await), (acts, before));
}

#[tokio::test]
async fn everybody_gets_an_account_where_the_operator_wants_that_and_changes_follow() {
    let slapd = Slapd::with(&three());
    let house = House::with(&slapd.directory("create_accounts = true\n")).await;
    assert_eq!(syncs(&house).await.1.created, 3);
    slapd.modifies(&format!(
        "dn: uid=anna,ou=people,{BASE}\nchangetype: modify\nreplace: mail\nmail: anna.new@example.org\n-\nreplace: cn\n\
         cn: Anna New\n\ndn: uid=bert,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=Bertram\ndeleteoldrdn: 1\n\n"
    ));
    let bert = house.named("bert").await.id;
    assert_eq!(syncs(&house).await.1.updated, 2);
    let anna = house.named("anna").await;
    assert_eq!((anna.email.as_str(), anna.name.as_str()), ("anna.new@example.org", "Anna New"));
    assert_eq!(house.named("bertram").await.id, bert, "a renamed entry is the same person");
    assert_eq!(house.named("bertram").await.username, "Bertram", "spelt as in the directory");
    assert_eq!(house.count_acts("identity.refreshed").await, 2);
}

#[tokio::test]
async fn a_membership_by_hand_survives_and_only_synced_ones_are_removed() {
    let slapd = Slapd::with(&(three() + &person("dora") + &group("other", &["dora"])));
    let house = House::with(&slapd.directory(STAFF)).await;
    syncs(&house).await;
    let (anna, by) = (house.named("anna").await, Operator::vouched());
    let local = house.account("local").await;
    for account in [&anna, &local] {
        house.groups().add(&house.operator(), by, "staff", account).await.expect("added");
    }
    slapd.modifies(&format!(
        "dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nreplace: member\nmember: uid=dora,ou=people,{BASE}\n\n"
    ));
    let (_, done) = confirms(&house).await;
    assert_eq!((done.created, done.added, done.removed), (1, 1, 2));
    assert_eq!(groups_of(&house, "anna").await, ["staff"], "she was added by hand as well");
    assert_eq!(groups_of(&house, "local").await, ["staff"]);
    assert!(groups_of(&house, "bert").await.is_empty());
    assert_eq!(house.count_acts("group.member_removed").await, 2);
}

#[tokio::test]
async fn groups_name_their_members_in_three_ways_and_the_filter_holds_in_each() {
    let ou = "ou=groups,dc=example,dc=org";
    let people = format!("{}{}{}", person("anna"), person("bert"), person("guest"));
    let groups = format!(
        "{}dn: cn=unique,{ou}\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: uid=Anna, OU=people,{BASE}\n\
         uniqueMember: uid=guest,ou=people,{BASE}\n\ndn: cn=posix,{ou}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 5\n\
         memberUid: BERT\nmemberUid: guest\nmemberUid: nobody\n\n",
        group("named", &["anna", "guest", "uid=elsewhere,dc=other"])
    );
    let slapd = Slapd::with(&(people + &groups));
    let sync = |class: &str, members: &str| {
        format!(
            "[[directory.group_sync]]\nfilter = \"(objectClass={class})\"\nbase_dn = \"{ou}\"\nmembers = \"{members}\"\n\
             create_accounts = true\n"
        )
    };
    let house = House::with(&slapd.directory(&format!(
        "filter = \"(&(objectClass=inetOrgPerson)(!(uid=guest)))\"\n{}{}{}",
        sync("groupOfNames", "member"),
        sync("groupOfUniqueNames", "unique_member"),
        sync("posixGroup", "member_uid")
    )))
    .await;
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.created, done.groups_created), (2, 3));
    assert_eq!(groups_of(&house, "anna").await, ["named", "unique"]);
    assert_eq!(groups_of(&house, "bert").await, ["posix"]);
    assert!(!exists(&house, "guest").await, "the filter does not let them in");
    assert_eq!(plan.remarks.len(), 3, "{:?}", plan.remarks);
}

#[tokio::test]
async fn groups_in_groups_are_followed_to_the_depth_and_cycles_end() {
    let inner = |name: &str| format!("cn={name},ou=groups,{BASE}");
    let entries = format!(
        "{}{}{}{}{}{}",
        person("anna"),
        person("bert"),
        person("cara"),
        group("c", &["cara", &inner("a")]),
        group("b", &["bert", &inner("c")]),
        group("a", &["anna", &inner("b")]),
    );
    for members in ["member", "member_of"] {
        let slapd = Slapd::with(&entries);
        // The overlay fills memberOf for groups that are there when they are named.
        slapd.modifies(&format!(
            "dn: {0}\nchangetype: modify\nreplace: member\nmember: uid=cara,ou=people,{BASE}\nmember: {1}\n\n",
            inner("c"),
            inner("a")
        ));
        let sync = |depth: u32| {
            format!(
                "[[directory.group_sync]]\ndn = \"{}\"\nbase_dn = \"ou=groups,{BASE}\"\nmembers = \"{members}\"\n\
                 nested_depth = {depth}\ncreate_accounts = true\n",
                inner("a")
            )
        };
        let house = House::with(&slapd.directory(&sync(1))).await;
        let (plan, done) = syncs(&house).await;
        assert_eq!(done.added, 2, "{members}: {:?}", plan.words());
        assert!(plan.remarks.iter().any(|remark| remark.contains("nested_depth")), "{:?}", plan.remarks);
        let house = House::with(&slapd.directory(&sync(10))).await;
        let (plan, done) = syncs(&house).await;
        assert_eq!(done.added, 3, "{members}: {:?}", plan.words());
        assert!(plan.remarks.iter().any(|remark| remark.contains("contains itself")), "{:?}", plan.remarks);
    }
}

#[tokio::test]
async fn a_group_follows_its_entry_s_new_name() {
    let slapd = Slapd::with(&three());
    let sync = "[[directory.group_sync]]\nfilter = \"(objectClass=groupOfNames)\"\nbase_dn = \"ou=groups,dc=example,dc=org\"\n\
                create_accounts = true\n";
    let house = House::with(&slapd.directory(sync)).await;
    syncs(&house).await;
    slapd.modifies(&format!(
        "dn: cn=staff,ou=groups,{BASE}\nchangetype: modrdn\nnewrdn: cn=everyone\ndeleteoldrdn: 1\n\n"
    ));
    let (_, done) = syncs(&house).await;
    assert_eq!((done.added, done.removed, done.groups_created), (0, 0, 0));
    assert_eq!(groups_of(&house, "anna").await, ["everyone"]);
}

#[tokio::test]
async fn who_is_gone_is_locked_and_unlocked_when_back_but_never_against_an_administrator() {
    let people: String = ["a", "b", "c", "d", "e", "f"].map(|name| person(&format!("{name}nna"))).concat();
    let slapd = Slapd::with(&people);
    let house = House::with(&slapd.directory("gone = \"lock\"\ncreate_accounts = true\n")).await;
    syncs(&house).await;
    slapd.deletes(&format!("uid=anna,ou=people,{BASE}"));
    assert_eq!(syncs(&house).await.1.locked, 1);
    assert_eq!(house.named("anna").await.status, AccountStatus::Locked);
    assert!(syncs(&house).await.0.is_idle(), "once is enough");
    slapd.adds(&person("anna"));
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.unlocked, done.created), (0, 0), "a new entry of the same name is not the same person");
    assert!(plan.remarks.iter().any(|remark| remark.contains("anna")), "{:?}", plan.remarks);
}

#[tokio::test]
async fn the_filter_decides_who_is_there_and_an_administrator_s_lock_stays() {
    let people: String = ["a", "b", "c", "d", "e", "f"].map(|name| person(&format!("{name}nna"))).concat();
    let slapd = Slapd::with(&people);
    let settings =
        "gone = \"lock\"\ncreate_accounts = true\nfilter = \"(&(objectClass=inetOrgPerson)(!(title=out)))\"\n";
    let house = House::with(&slapd.directory(settings)).await;
    syncs(&house).await;
    let out = |uid: &str, how: &str| {
        slapd.modifies(&format!("dn: uid={uid},ou=people,{BASE}\nchangetype: modify\n{how}: title\ntitle: out\n\n"));
    };
    out("anna", "add");
    assert_eq!(syncs(&house).await.1.locked, 1);
    out("anna", "delete");
    assert_eq!(syncs(&house).await.1.unlocked, 1);
    assert_eq!(house.named("anna").await.status, AccountStatus::Active);
    out("anna", "add");
    syncs(&house).await;
    let anna = house.named("anna").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), anna.id).await.expect("locked");
    out("anna", "delete");
    assert_eq!(syncs(&house).await.1.unlocked, 0);
    assert_eq!(house.named("anna").await.status, AccountStatus::Locked, "an administrator has decided since");
}

#[tokio::test]
async fn an_account_of_the_same_name_is_never_taken_over_and_can_be_linked() {
    let slapd = Slapd::with(&three());
    let house = House::with(&slapd.directory(STAFF)).await;
    let anna = house.account("anna").await;
    let (plan, done) = syncs(&house).await;
    assert_eq!((done.created, done.added), (1, 1));
    assert!(groups_of(&house, "anna").await.is_empty());
    assert!(plan.remarks.iter().any(|remark| remark.contains("account link")), "{:?}", plan.remarks);
    let directories = Directories::new(std::sync::Arc::clone(&house.app.core));
    let by = Operator::vouched();
    directories.link(&house.operator(), by, &anna, ("ldap", "ANNA", Names::Stay)).await.expect("linked");
    assert!(directories.link(&house.operator(), by, &anna, ("ldap", "bert", Names::Stay)).await.is_err());
    assert!(directories.link(&house.operator(), by, &anna, ("ldap", "nobody)(uid=*", Names::Stay)).await.is_err());
    syncs(&house).await;
    assert_eq!(groups_of(&house, "anna").await, ["staff"]);
    assert_eq!(house.named("anna").await.id, anna.id);
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_says_the_same() {
    let slapd = Slapd::with(&three());
    let house = House::with(&slapd.directory(STAFF)).await;
    let (acts, before) = (house.acts().await, state(&house).await);
    let outcome = runs(&house, Options { dry_run: true, confirm: false }).await.expect("a plan");
    assert!(outcome.done.is_none());
    let words = outcome.plan.words().join("\n");
    assert!(words.contains("make the account anna") && words.contains("make the group staff"), "{words}");
    assert_eq!(outcome.plan.json()["create"][0]["username"], "anna");
    assert_eq!((house.acts().await, state(&house).await), (acts, before));
}
