//! Lists that the server cuts short, groups whose entry is gone, and rules that find nothing: nobody is taken anything
//! away, and the operator is told.

use super::{confirms, groups_of, syncs};
use crate::support::House;
use crate::support::program::Place;
use crate::support::slapd::{BASE, Slapd, group, person};
use std::fmt::Write as _;

/// All groups whose name begins so.
fn matching(names: &str) -> String {
    format!(
        "create_accounts = true\n[[directory.group_sync]]\nfilter = \"(&(objectClass=groupOfNames)(cn={names}))\"\n\
         base_dn = \"ou=groups,{BASE}\"\nmembers = \"member\"\n"
    )
}

fn crowd() -> String {
    let mut text = String::new();
    for number in 0..8 {
        write!(text, "{}", person(&format!("p{number}"))).expect("text");
    }
    text + &group("team", &["p0", "p1"]) + &group("tail", &["p7"])
}

#[test]
fn a_cut_list_is_told_in_words_in_json_and_by_the_exit_code() {
    let mut slapd = Slapd::with(&crowd());
    let place = Place::with("", &slapd.directory(&matching("t*")));
    let said = |arguments: &[&str]| {
        let done = place.runs(arguments, "");
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    assert!(said(&["sync"]).0);
    slapd.writes_configuration("limits users size.prtotal=3\n");
    slapd.restarts();
    slapd.deletes(&format!("cn=tail,ou=groups,{BASE}"));
    for arguments in
        [&["sync"][..], &["sync", "--dry-run"], &["sync", "--confirm"], &["sync", "--dry-run", "--confirm"]]
    {
        let (good, text) = said(arguments);
        assert!(!good && text.contains("NOT READ TO ITS END: not all people were read"), "{arguments:?}: {text}");
        assert!(!text.contains("remove 1"), "{arguments:?}: {text}");
    }
    let (good, text) = said(&["directory", "check", "ldap"]);
    assert!(!good && text.contains("WRONG all entries: 3 were read, and then the server gave no more"), "{text}");
    assert!(text.contains("size.prtotal=unlimited"), "with what to do: {text}");
    let json = place.runs(&["sync", "--confirm", "--json"], "");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["plan"]["cut"].as_array().map(Vec::len), Some(1), "{json}");
    assert_eq!((&json["done"]["removed"], &json["done"]["locked"]), (&0.into(), &0.into()));
    slapd.writes_configuration("limits users size=1\n");
    slapd.restarts();
    let (good, text) = said(&["directory", "check", "ldap", "--user", "p7"]);
    assert!(!good && text.contains("WRONG all entries: 1 were read"), "{text}");
    slapd.writes_configuration("");
    slapd.restarts();
    let (good, text) = said(&["directory", "check", "ldap"]);
    assert!(good || !text.contains("WRONG all entries"), "{text}");
    assert!(text.contains("ok    all entries: 8, read to the end"), "{text}");
    let shown = String::from_utf8_lossy(&place.runs(&["account", "show", "p7"], "").stdout).into_owned();
    assert!(shown.contains("tail"), "{shown}");
}

#[tokio::test]
async fn a_group_whose_entry_is_gone_keeps_its_people_until_that_is_confirmed() {
    let slapd = Slapd::with(&crowd());
    let house = House::with(&slapd.directory(&matching("t*"))).await;
    syncs(&house).await;
    slapd.deletes(&format!("cn=tail,ou=groups,{BASE}"));
    slapd.modifies(&format!(
        "dn: cn=team,ou=groups,{BASE}\nchangetype: modify\ndelete: member\nmember: uid=p1,ou=people,{BASE}\n\n"
    ));
    let (plan, done) = syncs(&house).await;
    assert_eq!(done.removed, 1, "who left a group that is there leaves: {:?}", plan.words());
    assert_eq!(groups_of(&house, "p7").await, ["tail"]);
    assert!(plan.refusals().iter().any(|refusal| refusal.contains("1 of 1 people from the group tail")));
    assert_eq!(confirms(&house).await.1.removed, 1);
    assert!(groups_of(&house, "p7").await.is_empty());
}

#[tokio::test]
async fn a_group_by_entry_keeps_its_people_even_when_confirmed() {
    let slapd = Slapd::with(&crowd());
    let one = format!(
        "create_accounts = true\n[[directory.group_sync]]\ndn = \"cn=team,ou=groups,{BASE}\"\nname_attribute = \"description\"\n"
    );
    slapd.modifies(&format!(
        "dn: cn=team,ou=groups,{BASE}\nchangetype: modify\nadd: description\ndescription: The team\n\n"
    ));
    let house = House::with(&slapd.directory(&one)).await;
    syncs(&house).await;
    assert_eq!(groups_of(&house, "p0").await, ["The team"]);
    slapd.deletes(&format!("cn=team,ou=groups,{BASE}"));
    let (plan, done) = confirms(&house).await;
    assert_eq!(done.removed, 0, "{:?}", plan.words());
    assert_eq!(groups_of(&house, "p0").await, ["The team"]);
}

#[tokio::test]
async fn a_name_that_the_operator_chose_is_spelt_as_chosen() {
    let slapd = Slapd::with(&(crowd() + &group("staff", &["p0", "p1"]) + &group("other", &["p2"])));
    let other = format!("dn: cn=other,ou=groups,{BASE}\nchangetype: modrdn\nnewrdn: cn=STAFF x\ndeleteoldrdn: 1\n\n");
    slapd.modifies(&other);
    slapd.modifies(&format!(
        "dn: cn=STAFF x,ou=groups,{BASE}\nchangetype: modify\nadd: ou\nou: STAFF\n\n\
         dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nadd: ou\nou: none\n\n"
    ));
    let rule = format!(
        "create_accounts = true\n[[directory.group_sync]]\nfilter = \"(ou=STAFF)\"\nbase_dn = \"ou=groups,{BASE}\"\n\
         name_attribute = \"ou\"\nmembers = \"member\"\n[[directory.group_sync]]\ndn = \"cn=staff,ou=groups,{BASE}\"\n\
         group = \"staff\"\nmembers = \"member\"\n"
    );
    let house = House::with(&slapd.directory(&rule)).await;
    syncs(&house).await;
    for name in ["p0", "p2"] {
        assert_eq!(groups_of(&house, name).await, ["staff"], "{name}");
    }
    slapd.deletes(&format!("cn=staff,ou=groups,{BASE}"));
    let (plan, _) = confirms(&house).await;
    assert_eq!(groups_of(&house, "p2").await, ["staff"], "{:?}", plan.words());
    assert_eq!(groups_of(&house, "p0").await, ["staff"], "nobody knows who left");
    assert_eq!(house.count_acts("group.renamed").await, 0);
}

#[test]
fn rules_for_groups_that_find_nothing_have_a_remedy() {
    let slapd = Slapd::with(&crowd());
    let said = |rule: &str| {
        let place = Place::with("", &slapd.directory(&format!("[[directory.group_sync]]\n{rule}\n")));
        let done = place.runs(&["directory", "check", "ldap"], "");
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let team = format!("dn = \"cn=team,ou=groups,{BASE}\"\n");
    for (rule, told) in [
        (format!("dn = \"cn=nobody,ou=groups,{BASE}\"\n"), "is `dn` of this [[directory.group_sync]] right"),
        (format!("filter = \"(cn=nobody)\"\nbase_dn = \"ou=groups,{BASE}\"\n"), "are `filter` and `base_dn` of this"),
        (format!("filter = \"(cn=*)\"\nbase_dn = \"ou=nowhere,{BASE}\"\n"), "are `filter` and `base_dn` of this"),
        (format!("{team}members = \"unique_member\"\n"), "set `members = \"member\"`"),
    ] {
        let (good, text) = said(&rule);
        assert!(!good && text.contains(told), "{told}: {text}");
    }
    let (good, text) = said(&format!("{team}members = \"member\"\n"));
    assert!(good && text.contains("found: team") && text.contains("good until 4096-01-01"), "{text}");
}
