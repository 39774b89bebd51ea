//! `vestibule sync` and `vestibule directory check`, as an operator types them.

use crate::support::program::Place;
use crate::support::slapd::{BASE, Slapd, group, person};
use std::process::Output;

fn text(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

fn three() -> String {
    ["anna", "bert", "cara"].map(person).concat() + &group("staff", &["anna", "bert"])
}

#[test]
fn a_dry_run_and_then_the_same_for_real() {
    let slapd = Slapd::with(&three());
    let sync = format!("[[directory.group_sync]]\ndn = \"cn=staff,ou=groups,{BASE}\"\ncreate_accounts = true\n");
    let place = Place::with("", &slapd.directory(&sync));
    let dry = place.runs(&["sync", "--dry-run"], "");
    assert!(dry.status.success() && text(&dry).contains("make the account anna"), "{}", text(&dry));
    let json = place.runs(&["sync", "ldap", "--dry-run", "--json"], "");
    let plan: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(plan["plan"]["create"].as_array().map(Vec::len), Some(2));
    assert!(plan["done"].is_null());
    let ran = place.runs(&["sync"], "");
    assert!(ran.status.success() && text(&ran).contains("2 made"), "{}", text(&ran));
    slapd.modifies(&format!(
        "dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nreplace: member\nmember: cn=nobody\n\n"
    ));
    let refused = place.runs(&["sync"], "");
    assert!(!refused.status.success() && text(&refused).contains("--confirm does it"), "{}", text(&refused));
    let confirmed = place.runs(&["sync", "--confirm"], "");
    assert!(confirmed.status.success() && text(&confirmed).contains("2 removed"), "{}", text(&confirmed));
    let unknown = place.runs(&["sync", "elsewhere"], "");
    assert!(!unknown.status.success() && text(&unknown).contains("there is no directory"), "{}", text(&unknown));
}

#[test]
fn an_account_is_shown_with_what_the_directory_says() {
    let anna = person("anna").replace("mail:", "departmentNumber: Sales\nmail:");
    let slapd = Slapd::with(&(anna + &group("staff", &["anna"])));
    let custom = "create_accounts = true\n[[directory.custom_attribute]]\nname = \"department\"\nlabel = \"Department\"\n\
                  from = [\"departmentNumber\"]\n";
    let sync = format!("{custom}[[directory.group_sync]]\ndn = \"cn=staff,ou=groups,{BASE}\"\n");
    let place = Place::with("", &slapd.directory(&sync));
    assert!(place.runs(&["sync"], "").status.success());
    let shown = text(&place.runs(&["account", "show", "anna"], ""));
    for told in ["anna@example.org", "active", "staff", "directory:ldap", "Department (ldap)", "Sales"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
}

#[test]
fn nothing_that_a_directory_holds_reaches_a_terminal_raw() {
    // ESC [31m, a C1 control, a line of its own, and writing from right to left.
    let hostile = "\u{1b}[31m\u{9b}2J\nok    everything\u{202e}";
    let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("anna{hostile}"));
    let anna = person("anna").replace("mail:", &format!("departmentNumber:: {coded}\nmail:"));
    let odd = person("odd").replace("uid: odd\n", &format!("uid: odd\nemployeeNumber:: {coded}\n"));
    let odd = odd.replace("cn: odd Example", &format!("cn:: {coded}"));
    let named = format!(
        "dn: ou=odd,ou=groups,{BASE}\nobjectClass: groupOfNames\nou: odd\ncn:: {coded}\nmember: uid=anna,ou=people,{BASE}\n\n"
    );
    let slapd = Slapd::with(&(anna + &odd + &group("staff", &["anna", "odd"]) + &named));
    let custom = "create_accounts = true\n[[directory.custom_attribute]]\nname = \"department\"\n\
                  from = [\"departmentNumber\"]\n";
    let rule = "filter = \"(objectClass=groupOfNames)\"\nmembers = \"member\"\n";
    let sync = format!("{custom}[[directory.group_sync]]\nbase_dn = \"ou=groups,{BASE}\"\n{rule}");
    let place = Place::with("", &slapd.directory(&sync));
    for arguments in [
        &["directory", "check", "ldap", "--user", "anna"][..],
        &["directory", "check", "ldap", "--json"],
        &["sync", "--dry-run"],
        &["sync", "--dry-run", "--json"],
        &["sync"],
        &["account", "show", "anna"],
    ] {
        let said = text(&place.runs(arguments, ""));
        let raw = |one: char| (one.is_control() && one != '\n') || one == '\u{202e}';
        assert!(!said.contains(raw), "{arguments:?}: {said:?}");
        assert!(!said.lines().any(|line| line.starts_with("ok    everything")), "{arguments:?}: {said:?}");
    }
    let shown = text(&place.runs(&["directory", "check", "ldap"], ""));
    assert!(shown.contains("anna\\u001b[31m\\u009b2J\\u000aok    everything\\u202e"), "shown, not hidden: {shown}");
}

#[test]
fn the_check_names_what_is_wrong_and_what_to_do() {
    let mut slapd = Slapd::with(&(three() + &person("bare").replace("mail: bare@example.org\n", "")));
    let check = |settings: &str, user: &str| {
        let place = Place::with("", settings);
        text(&place.runs(&["directory", "check", "ldap", "--user", user], ""))
    };
    let good = slapd.directory("");
    let said = check(&good, "anna");
    for told in [
        "name: 127.0.0.1",
        "TCP: connected",
        "certificate is trusted",
        "login works",
        "paging: offered",
        "entry uid=anna",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let filtered = slapd.directory("filter = \"(uid=bert)\"\n");
    for (settings, user, told) in [
        (good.clone(), "nobody", "no entry has this name"),
        (good.clone(), "bare", "attributes.email"),
        (filtered, "anna", "`filter` does not let it in"),
        (slapd.directory("filter = \"(uid=nobody)\"\n"), "anna", "it matches nobody"),
        (good.replace("ou=people", "ou=nowhere"), "anna", "is `base_dn` right"),
        (good.replace("bind_password = \"", "bind_password = \"not "), "anna", "are `bind_dn` and its password right"),
        (good.replace("127.0.0.1:", "localhost:"), "anna", "by a name that its certificate has"),
        (good.replace("127.0.0.1:", "nowhere.invalid:"), "anna", "is the name in `hosts` right"),
    ] {
        let said = check(&settings, user);
        assert!(said.contains("WRONG") && said.contains(told), "{told}: {said}");
    }
    slapd.new_certificate(false);
    slapd.restarts();
    assert!(check(&good, "anna").contains("name it in `ca_file`"));
    slapd.expired_certificate();
    slapd.restarts();
    let said = check(&good, "anna");
    assert!(said.contains("has expired") && said.contains("renew the server's certificate"), "{said}");
    slapd.is_killed();
    assert!(check(&good, "anna").contains("does the server run"));
}
