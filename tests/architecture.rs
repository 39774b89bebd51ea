//! The house keeps its rules: layers, sizes, headers, who vouches for a caller, where SQL and environment are.
//!
//! `the_house_keeps_…` read the real sources; all others show, on a snippet that breaks one rule, that the rule can fail.

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use rules::Violation;
use source::SourceFile;
use std::collections::BTreeSet;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn house() -> Result<Vec<SourceFile>, String> {
    Ok(source::production(source::read_tree(root(), "src")?))
}

fn report(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    format!("{} broken rule(s):\n{}", lines.len(), lines.join("\n"))
}

/// Asserts that `rule` finds nothing in the real sources.
macro_rules! the_house_keeps {
    ($($test:ident: $rule:expr;)*) => {$(
        #[test]
        fn $test() {
            let files = house().unwrap();
            assert!(files.len() > 5, "the sources were not found");
            let rule: &dyn Fn(&[SourceFile]) -> Vec<Violation> = &$rule;
            let found = rule(&files);
            assert!(found.is_empty(), "{}", report(&found));
        }
    )*};
}

the_house_keeps! {
    the_house_keeps_imports_downward: rules::imports;
    the_house_keeps_the_environment_in_config: rules::environment;
    the_house_keeps_vouching_at_the_door: rules::vouching;
    the_house_keeps_caller_types_closed: rules::caller_types;
    the_house_keeps_sql_in_the_store: rules::sql;
    the_house_keeps_files_small: rules::sizes;
    the_house_keeps_headers: rules::headers;
    the_house_keeps_rooms: rules::rooms;
    the_house_keeps_names: rules::names;
    the_house_keeps_domain_pure: |files| rules::domain_is_pure(files, &dependencies().unwrap());
}

#[test]
fn the_house_keeps_lints_on_everywhere() {
    for folder in ["src", "tests", "benches", "examples"] {
        if root().join(folder).is_dir() {
            let found = rules::allows(&source::read_tree(root(), folder).unwrap());
            assert!(found.is_empty(), "{}", report(&found));
        }
    }
}

/// The crates of the manifest, as they are spelled in code.
fn dependencies() -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).map_err(|error| error.to_string())?;
    let manifest: toml::Table = text.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let table =
        manifest.get("dependencies").and_then(toml::Value::as_table).ok_or("Cargo.toml names no dependencies")?;
    Ok(table.keys().map(|name| name.replace('-', "_")).collect())
}

fn file(path: &str, text: &str) -> SourceFile {
    match SourceFile::parse(path, text) {
        Ok(file) => file,
        Err(error) => unreachable!("the snippet of this test is not Rust: {error}"),
    }
}

/// Line and rule of everything that `rule` finds in one snippet.
fn found_in(rule: fn(&[SourceFile]) -> Vec<Violation>, path: &str, text: &str) -> Vec<String> {
    rule(&[file(path, text)]).iter().map(ToString::to_string).collect()
}

#[test]
fn an_upward_import_is_named_with_file_and_line() {
    let found = found_in(rules::imports, "src/domain/session.rs", "//! x\nuse crate::store::Store;\n");
    assert_eq!(
        found,
        ["src/domain/session.rs:2: `domain` may not import `store` (crate::store::Store); imports go only downward"]
    );
}

#[test]
fn imports_are_seen_in_every_shape() {
    for upward in [
        "use crate::{domain::Id, store::Store};",
        "use crate::store as s;",
        "use crate::store::*;",
        "use super::super::super::store::Store;",
        "pub use crate::connect::mail::Mail;",
        "fn f() { crate::store::open(); }",
        "fn f(s: &crate::store::Store) {}",
        "fn f() { let _ = format!(\"{}\", crate::store::NAME); }",
        "fn f() { outer!(inner { crate::connect::send() }); }",
        "macro_rules! m { () => { $crate::store::open() } }",
        "mod inner { use super::super::super::super::store::Store; }",
        "impl crate::store::Trait for X {}",
    ] {
        let found = found_in(rules::imports, "src/web/account/sessions.rs", upward);
        assert_eq!(found.len(), 1, "{upward}: {found:?}");
    }
}

#[test]
fn downward_imports_and_tests_are_free() {
    for downward in [
        "use crate::service::session::Sessions;",
        "use super::page;",
        "use super::super::extract::Caller;",
        "use self::inner::X;",
        "pub(crate) fn f() {}",
        "pub(in crate::web) fn f() {}",
        "#[cfg(test)]\nmod tests { use crate::store::Store; }",
        "#[cfg(test)]\nuse crate::store::Store;",
        "/// See [`crate::store::Store`].\nfn f() {}",
    ] {
        let found = found_in(rules::imports, "src/web/account/sessions.rs", downward);
        assert!(found.is_empty(), "{downward}: {found:?}");
    }
}

#[test]
fn a_condition_that_production_can_meet_is_no_test() {
    for text in ["#[cfg(not(test))]\nuse crate::store::X;", "#[cfg(any(test, unix))]\nuse crate::store::X;"] {
        assert_eq!(found_in(rules::imports, "src/web/page.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn every_layer_is_bound() {
    for (layer, upward) in [
        ("config", "store"),
        ("store", "connect"),
        ("connect", "store"),
        ("service", "web"),
        ("web", "store"),
        ("jobs", "connect"),
        ("cli", "store"),
        ("cli", "app"),
        ("web", "app"),
    ] {
        let found = found_in(rules::imports, &format!("src/{layer}/x.rs"), &format!("use crate::{upward}::X;"));
        assert_eq!(found.len(), 1, "{layer} -> {upward}");
    }
    assert!(found_in(rules::imports, "src/app.rs", "use crate::{cli, connect, jobs, store, web};").is_empty());
}

#[test]
fn the_binary_names_the_crate_by_its_name() {
    assert_eq!(found_in(rules::imports, "src/main.rs", "fn main() { vestibule::store::open(); }").len(), 1);
    assert!(found_in(rules::imports, "src/main.rs", "fn main() { vestibule::cli::run(); }").is_empty());
}

#[test]
fn a_new_folder_and_the_bare_crate_are_no_layer() {
    assert_eq!(found_in(rules::imports, "src/extras/x.rs", "").len(), 1);
    assert_eq!(found_in(rules::imports, "src/web/x.rs", "use crate::*;").len(), 1);
    assert_eq!(found_in(rules::imports, "src/web/x.rs", "use crate::prelude::X;").len(), 1);
}

#[test]
fn domain_refuses_frameworks_and_io() {
    let crates: BTreeSet<String> = ["tokio", "sqlx", "uuid"].map(str::to_owned).into();
    let bad = "use tokio::sync::Mutex;\nuse std::{fs, net::IpAddr};\nuse uuid::Uuid;\nfn f() { sqlx::query(\"\"); }";
    let lines = |path: &str| -> Vec<usize> {
        rules::domain_is_pure(&[file(path, bad)], &crates).iter().map(|violation| violation.line).collect()
    };
    assert_eq!(lines("src/domain/x.rs"), [1, 2, 4]);
    assert!(lines("src/store/x.rs").is_empty());
}

#[test]
fn the_environment_outside_config_is_found() {
    for text in [
        "use std::env;",
        "use std::{env, fs};",
        "use std::env::var;",
        "fn f() { std::env::var(\"X\"); }",
        "fn f() { println!(\"{:?}\", std::env::var(\"X\")); }",
    ] {
        assert_eq!(found_in(rules::environment, "src/web/x.rs", text).len(), 1, "{text}");
        assert!(found_in(rules::environment, "src/config/x.rs", text).is_empty());
    }
    assert!(found_in(rules::environment, "src/web/x.rs", "const V: &str = env!(\"CARGO_PKG_VERSION\");").is_empty());
}

#[test]
fn vouching_elsewhere_is_found() {
    for text in [
        "fn f() { SignedIn::vouched(account); }",
        "fn f() { crate::domain::caller::Admin::vouched(role); }",
        "fn f() { x.map(SteppedUp::vouched); }",
        "fn f() { tokio::join!(AppClient::vouched(app)); }",
    ] {
        for path in ["src/web/account/x.rs", "src/service/session.rs", "src/app.rs", "src/web/page.rs"] {
            assert_eq!(found_in(rules::vouching, path, text).len(), 1, "{path}: {text}");
        }
        for path in ["src/web/extract.rs", "src/web/extract/caller.rs", "src/cli/account.rs"] {
            assert!(found_in(rules::vouching, path, text).is_empty(), "{path}: {text}");
        }
    }
    let definition = "impl SignedIn { pub fn vouched(account: Id) -> Self { Self { account } } }";
    assert!(found_in(rules::vouching, "src/domain/caller.rs", definition).is_empty());
}

#[test]
fn an_open_caller_type_is_found() {
    let vouched =
        |text: &str, name: &str| format!("{text}\nimpl {name} {{ pub const fn vouched() -> Self {{ todo() }} }}");
    let open = vouched("pub struct SignedIn { pub account: Id }", "SignedIn");
    let crate_open = vouched("pub struct Admin(pub(crate) Role);", "Admin");
    let forged = vouched("#[derive(Debug, serde::Deserialize)]\npub struct SteppedUp { account: Id }", "SteppedUp");
    for text in [open, crate_open, forged] {
        assert_eq!(found_in(rules::caller_types, "src/service/caller.rs", &text).len(), 1, "{text}");
    }
    let closed = vouched(
        "#[derive(Debug, Clone)]\npub struct SignedIn { account: Id }\npub struct Open { pub x: u8 }",
        "SignedIn",
    );
    assert!(found_in(rules::caller_types, "src/service/caller.rs", &closed).is_empty());
}

#[test]
fn sql_outside_the_store_is_found() {
    for text in [
        "const Q: &str = \"SELECT 1\";",
        "fn f() { query(\"\n   INSERT INTO x VALUES ($1)\"); }",
        "fn f() { query!(r\"DELETE FROM x\"); }",
        "fn f() { format!(\"PRAGMA {x}\"); }",
    ] {
        assert_eq!(found_in(rules::sql, "src/service/x.rs", text).len(), 1, "{text}");
        assert!(found_in(rules::sql, "src/store/x.rs", text).is_empty());
    }
    for innocent in ["/// SELECT is SQL\nfn f() {}", "const T: &str = \"Select one\";", "const T: &str = \"UPDATED\";"]
    {
        assert!(found_in(rules::sql, "src/web/x.rs", innocent).is_empty(), "{innocent}");
    }
}

#[test]
fn a_file_that_grew_is_found() {
    let lines = |count: usize| "// line\n".repeat(count);
    assert!(found_in(rules::sizes, "src/web/x.rs", &lines(300)).is_empty());
    let found = found_in(rules::sizes, "src/web/x.rs", &lines(501));
    assert_eq!(found.first().unwrap(), "src/web/x.rs:501: 501 lines; a file has at most 500");
    let mut many: Vec<SourceFile> = (0..18).map(|n| file(&format!("src/web/{n}.rs"), &lines(10))).collect();
    many.push(file("src/web/a.rs", &lines(400)));
    many.push(file("src/web/b.rs", &lines(400)));
    assert!(rules::sizes(&many).is_empty(), "one in ten may be longer than 300");
    many.push(file("src/web/c.rs", &lines(400)));
    many.push(file("src/web/d.rs", &lines(400)));
    assert_eq!(rules::sizes(&many).len(), 1);
}

#[test]
fn a_missing_header_is_found() {
    for text in ["", "use std::fmt;", "// A comment.\n", "//!\n", "//! x\n"] {
        assert_eq!(found_in(rules::headers, "src/web/x.rs", text).len(), 1, "{text:?}");
    }
    assert!(found_in(rules::headers, "src/web/x.rs", "//! Pages of the sign-in.\n").is_empty());
}

#[test]
fn an_orphan_and_a_room_without_its_door_are_found() {
    let tree = |extra: &str| {
        [
            file("src/lib.rs", "pub mod web;"),
            file("src/web/mod.rs", "mod page;"),
            file("src/web/page.rs", ""),
            file(extra, ""),
        ]
    };
    assert_eq!(rules::rooms(&tree("src/web/lost.rs")).len(), 1);
    let twice: Vec<String> = rules::rooms(&tree("src/web/page/inner.rs")).iter().map(ToString::to_string).collect();
    assert!(twice.iter().any(|found| found.contains("src/web/page/mod.rs")), "{twice:?}");
    assert!(rules::rooms(&tree("src/main.rs")).is_empty());
}

#[test]
fn a_silenced_lint_is_found() {
    for text in [
        "#[allow(dead_code)]\nfn f() {}",
        "#![allow(clippy::all)]",
        "fn f() { #[allow(unused)] let x = 1; }",
        "#[cfg_attr(unix, allow(unused))]\nfn f() {}",
        "#[cfg(test)]\nmod tests { #[allow(unused)] fn f() {} }",
    ] {
        assert_eq!(found_in(rules::allows, "src/web/x.rs", text).len(), 1, "{text}");
    }
    let expected = "#[expect(clippy::too_many_lines, reason = \"one table\")]\nfn f() {}";
    assert!(found_in(rules::allows, "src/web/x.rs", expected).is_empty());
}

#[test]
fn a_name_that_says_nothing_is_found() {
    for text in ["fn get_session() {}", "struct SessionManager;", "mod utils {}", "impl X { fn get_id(&self) {} }"] {
        assert_eq!(found_in(rules::names, "src/web/x.rs", text).len(), 1, "{text}");
    }
    assert_eq!(found_in(rules::names, "src/service/x.rs", "async fn get_session() {}").len(), 1);
    for text in [
        "fn session() {}",
        "pub async fn get_reset() {}",
        "impl Outside for X { fn get_id(&self) {} }",
        "fn forget_device() {}",
    ] {
        assert!(found_in(rules::names, "src/web/x.rs", text).is_empty(), "{text}");
    }
}

#[test]
fn a_file_for_tests_is_not_production() {
    let files = vec![
        file("src/web/mod.rs", "#[cfg(test)]\nmod tests;\nmod page;"),
        file("src/web/tests.rs", "use crate::store::X;"),
        file("src/web/tests/deep.rs", "use crate::store::X;"),
        file("src/web/page.rs", "use crate::store::X;"),
    ];
    let kept: Vec<String> = source::production(files).into_iter().map(|file| file.path).collect();
    assert_eq!(kept, ["src/web/mod.rs", "src/web/page.rs"]);
}

#[test]
fn a_module_at_a_named_path_is_where_it_says() {
    let files = vec![
        file("src/lib.rs", "mod web;"),
        file("src/web/mod.rs", "mod page;"),
        file("src/web/page.rs", "#[cfg(test)]\n#[path = \"page_tests.rs\"]\nmod tests;"),
        file("src/web/page_tests.rs", ""),
    ];
    assert!(rules::rooms(&files).is_empty());
    assert!(source::production(files).iter().all(|file| file.path != "src/web/page_tests.rs"));
}
