//! What is there from the first sign-in on: groups as a synchronisation would find them, and further attributes.

use super::{groups_of, syncs};
use crate::support::slapd::{BASE, Slapd, group, person};
use crate::support::{House, PASSWORD};
use http::StatusCode;

const OU: &str = "ou=groups,dc=example,dc=org";

fn inner(name: &str) -> String {
    format!("cn={name},{OU}")
}

/// anna is in `c`, which is in `b`, which is in `a`, which is in `c` again; bert is in `b`.
fn nested() -> Slapd {
    let people = ["anna", "bert"].map(person).concat();
    let groups = [group("c", &["anna"]), group("b", &["bert", &inner("c")]), group("a", &[&inner("b")])].concat();
    // The server compares usernames of members with regard to case; nobody else does.
    let posix: String = [("posix", "anna"), ("loud", "ANNA"), ("other", "annab")]
        .map(|(name, member)| {
            format!("dn: cn={name},{OU}\nobjectClass: posixGroup\ncn: {name}\ngidNumber: 5\nmemberUid: {member}\n\n")
        })
        .concat();
    let slapd = Slapd::with(&format!("{people}{groups}{posix}"));
    slapd.modifies(&format!("dn: {}\nchangetype: modify\nadd: member\nmember: {}\n\n", inner("c"), inner("a")));
    slapd
}

#[tokio::test]
async fn groups_are_there_at_once_and_the_same_that_a_synchronisation_finds() {
    let slapd = nested();
    let all = |members: &str, depth: u32| {
        format!(
            "[[directory.group_sync]]\nfilter = \"(objectClass=groupOfNames)\"\nbase_dn = \"{OU}\"\n\
             members = \"{members}\"\nnested_depth = {depth}\n"
        )
    };
    let one = |members: &str, depth: u32| {
        let dn = inner("a");
        format!(
            "[[directory.group_sync]]\ndn = \"{dn}\"\ngroup = \"Top\"\nbase_dn = \"{OU}\"\nmembers = \"{members}\"\n\
             nested_depth = {depth}\n"
        )
    };
    let posix = "[[directory.group_sync]]\nfilter = \"(objectClass=posixGroup)\"\nbase_dn = \"ou=groups,dc=example,dc=org\"\n\
                 members = \"member_uid\"\n";
    for (rules, anna) in [
        (all("member", 0), vec!["c"]),
        (all("member_of", 0), vec!["c"]),
        (all("member", 1), vec!["b", "c"]),
        (all("member_of", 1), vec!["b", "c"]),
        (all("member", 9), vec!["a", "b", "c"]),
        (all("member_of", 9), vec!["a", "b", "c"]),
        (one("member", 1), vec![]),
        (one("member_of", 1), vec![]),
        (one("member", 2), vec!["Top"]),
        (one("member_of", 2), vec!["Top"]),
        (posix.to_owned(), vec!["loud", "posix"]),
    ] {
        let house = House::with(&slapd.directory(&rules)).await;
        let answer = house.browser().signs_in("anna", "anna-password").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(groups_of(&house, "anna").await, anna, "{rules}");
        let (plan, done) = syncs(&house).await;
        assert_eq!((done.added, done.removed), (0, 0), "{rules}: {:?}", plan.words());
        assert_eq!(groups_of(&house, "anna").await, anna, "{rules}");
    }
}

#[tokio::test]
async fn who_the_filter_keeps_out_is_in_no_group_and_later_sign_ins_leave_groups_alone() {
    let slapd = nested();
    let rules = format!("[[directory.group_sync]]\ndn = \"{}\"\nmembers = \"member\"\n", inner("c"));
    let filter = "filter = \"(&(objectClass=inetOrgPerson)(!(uid=bert)))\"\n";
    let house = House::with(&slapd.directory(&format!("{filter}{rules}"))).await;
    let refused = house.browser().signs_in("bert", "bert-password").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.browser().signs_in("anna", "anna-password").await;
    assert_eq!(groups_of(&house, "anna").await, ["c"]);
    assert_eq!(house.count_acts("group.member_added").await, 1);
    house.browser().signs_in("anna", "anna-password").await;
    assert_eq!(house.count_acts("group.member_added").await, 1);
}

#[tokio::test]
async fn groups_that_are_not_there_keep_nobody_out() {
    let slapd = nested();
    let rule = "[[directory.group_sync]]\nfilter = \"(objectClass=groupOfNames)\"\nmembers = \"member\"\n";
    let house = House::with(&slapd.directory(&format!("{rule}base_dn = \"ou=missing,{BASE}\"\n"))).await;
    assert_eq!(house.browser().signs_in("anna", "anna-password").await.status, StatusCode::SEE_OTHER);
    assert!(groups_of(&house, "anna").await.is_empty());
}

fn described(uid: &str, department: &str) -> String {
    person(uid).replace("mail:", &format!("departmentNumber: {department}\nroomNumber: 1.01\nmail:"))
}

const CUSTOM: &str = "name = \"Company directory\"\n[[directory.custom_attribute]]\nname = \"department\"\nlabel = \"Department\"\n\
                      from = [\"departmentNumber\", \"ou\"]\n[[directory.custom_attribute]]\nname = \"room\"\nfrom = [\"roomNumber\"]\n";

#[tokio::test]
async fn further_attributes_follow_the_directory_and_are_shown_to_their_owner() {
    let slapd = Slapd::with(&format!("{}{}", described("anna", "Sales"), described("bert", "<b>Informatics</b>")));
    let house = House::with(&slapd.directory(&format!("create_accounts = true\n{CUSTOM}"))).await;
    syncs(&house).await;
    let (acts, again) = (house.acts().await, syncs(&house).await);
    assert!(again.0.is_idle() && house.acts().await == acts);
    let mut anna = house.browser();
    anna.signs_in("anna", "anna-password").await;
    let page = anna.get("/account/profile").await.body;
    for text in ["Company directory", "Department", "Sales", "room", "1.01"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Informatics"), "only one's own");
    let change = |uid: &str, how: &str| {
        slapd.modifies(&format!("dn: uid={uid},ou=people,{BASE}\nchangetype: modify\n{how}\n\n"));
    };
    change("anna", &format!("replace: departmentNumber\ndepartmentNumber: {}", "x".repeat(900)));
    change("bert", "delete: departmentNumber\n-\ndelete: roomNumber");
    // At a sign-in for her, in a synchronisation for him.
    let mut anna = house.browser();
    anna.signs_in("anna", "anna-password").await;
    let page = anna.get("/account/profile").await.body;
    assert!(page.contains(&"x".repeat(200)) && !page.contains(&"x".repeat(201)) && !page.contains("Sales"), "{page}");
    let (plan, done) = syncs(&house).await;
    assert_eq!(done.updated, 1, "{:?}", plan.words());
    let mut bert = house.browser();
    bert.signs_in("bert", "bert-password").await;
    assert!(!bert.get("/account/profile").await.body.contains("Department"));
    assert!(syncs(&house).await.0.is_idle());
    let verified = anna.get("/verify").await;
    assert!(
        verified.headers.values().all(|value| !value.to_str().unwrap_or_default().contains("1.01")),
        "not in headers"
    );
}

#[tokio::test]
async fn an_account_of_ours_has_no_further_attributes() {
    let slapd = Slapd::with(&described("anna", "Sales"));
    let house = House::with(&slapd.directory(CUSTOM)).await;
    house.account("local").await;
    let mut local = house.browser();
    local.signs_in("local", PASSWORD).await;
    assert!(!local.get("/account/profile").await.body.contains("Company directory"));
}
