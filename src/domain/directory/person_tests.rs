//! What entries say about people.

use super::*;

fn mapping() -> Mapping {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Mapping {
        username: list(&["uid", "sAMAccountName"]),
        name: list(&["displayName", "cn"]),
        email: list(&["mail"]),
        subject: list(&["objectGUID", "entryUUID"]),
        custom: Vec::new(),
    }
}

fn entry(attributes: &[(&str, &[u8])]) -> Entry {
    let mut entry = Entry::new("uid=Anna,dc=x");
    for (name, value) in attributes {
        entry.add(*name, [value.to_vec()]);
    }
    entry
}

fn person(attributes: &[(&str, &[u8])]) -> Person {
    Person::of(&entry(attributes), &mapping(), 1_800_000_000)
}

#[test]
fn the_first_attribute_that_is_there_counts() {
    let anna = person(&[("cn", b"Anna B."), ("uid", b"Anna"), ("mail", b"anna@example.org"), ("entryUUID", b"AB-1")]);
    assert_eq!(anna.username.as_ref().unwrap().as_str(), "Anna");
    assert_eq!(anna.name.as_ref().unwrap().as_str(), "Anna B.");
    assert_eq!(anna.subject.as_str(), "entryuuid:ab-1");
    assert_eq!(anna.flaw(), None);
    assert!(!anna.disabled);
}

#[test]
fn a_guid_is_read_as_the_tools_show_it_and_searched_as_the_bytes_it_was() {
    let bytes = [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
    let subject = person(&[("objectGUID", &bytes)]).subject;
    assert_eq!(subject.as_str(), "objectguid:00112233-4455-6677-8899-aabbccddeeff");
    assert_eq!(subject.searched(), Some(("objectguid", bytes.to_vec())));
}

#[test]
fn without_a_stable_attribute_the_name_is_the_subject_and_bytes_are_written_as_such() {
    assert_eq!(person(&[]).subject, Subject::of(&Entry::new("UID=anna, DC=x"), &[]));
    let odd = Subject::of(&entry(&[("uid", b"\x00\xff")]), &["uid".to_owned()]);
    assert_eq!(odd.as_str(), "uid:#00ff");
    assert_eq!(odd.searched(), Some(("uid", vec![0, 0xff])));
}

#[test]
fn garbage_is_a_flaw_and_no_crash() {
    let odd = person(&[("uid", b"\xff\xfe"), ("mail", b"not an address"), ("cn", b"<script>")]);
    assert_eq!(odd.flaw(), Some(Flaw::NoUsername));
    assert!(odd.email.is_err() && odd.name.is_none());
    let odd = |attributes: &[(&str, &[u8])]| Person::oddity(&entry(attributes), &mapping());
    assert!(odd(&[("uid", b"\xff\xfe")]).is_some_and(|why| why.starts_with("uid holds bytes")));
    assert!(odd(&vec![("mail", &b"a@b.example"[..]); 101]).is_some_and(|why| why.starts_with("mail has 101 values")));
    assert_eq!(odd(&[("uid", b"anna"), ("mail", b"a@b.example"), ("objectGUID", b"\xff")]), None);
    assert!(person(&[("uid", b"an\nna")]).username.is_err());
}

#[test]
fn every_family_of_servers_can_say_that_an_entry_is_shut() {
    for (attribute, shut, open) in [
        ("userAccountControl", "514", "512"),
        ("accountExpires", "116444736010000000", "9223372036854775807"),
        ("accountExpires", "132223104000000000", "0"),
        ("nsAccountLock", "true", "false"),
        ("loginDisabled", "TRUE", "FALSE"),
        ("pwdAccountLockedTime", "000001010000Z", "20200101000000Z"),
        ("shadowExpire", "1", "-1"),
    ] {
        assert!(person(&[(attribute, shut.as_bytes())]).disabled, "{attribute} {shut}");
        assert!(!person(&[(attribute, open.as_bytes())]).disabled, "{attribute} {open}");
    }
}
