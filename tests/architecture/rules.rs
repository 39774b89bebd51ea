//! The rules of the house, each a function from files to violations. How files are read is in `source`.

use crate::source::{Mention, SourceFile, is_test_only};
use std::collections::BTreeSet;
use std::fmt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Who may import whom. A change of this table is a decision (docs/decisions/).
const LAYERS: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("store", &["domain", "config"]),
    ("connect", &["domain", "config"]),
    ("service", &["domain", "config", "store", "connect"]),
    ("web", &["domain", "config", "service"]),
    ("jobs", &["domain", "config", "service"]),
    ("cli", &["domain", "config", "service"]),
    ("app", &["domain", "config", "store", "connect", "service", "web", "jobs", "cli"]),
    ("main", &["app", "cli", "config", "domain"]),
    ("lib", &[]),
];

/// Value crates that `domain` may use: no I/O, no async, no framework.
const DOMAIN_CRATES: [&str; 17] = [
    "aws_lc_rs",
    "base64",
    "cookie",
    "http",
    "ipnet",
    "jiff",
    "schemars",
    "serde",
    "serde_json",
    "strsim",
    "thiserror",
    "unicode_normalization",
    "unicode_security",
    "url",
    "uuid",
    "zeroize",
    "zxcvbn",
];

/// Parts of `std` that do I/O or block, and so have no place in `domain`.
const DOMAIN_STD: [&str; 6] = ["env", "fs", "io", "os", "process", "thread"];

/// Traits whose derivation would build a caller type out of thin air.
const FORGING_TRAITS: [&str; 3] = ["Default", "Deserialize", "FromRow"];

const SQL_STARTS: [&str; 13] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "CREATE UNIQUE ",
    "ALTER TABLE ",
    "DROP TABLE ",
    "PRAGMA ",
    "BEGIN IMMEDIATE",
    "WITH RECURSIVE ",
    "VACUUM",
];

const MAX_LINES: usize = 500;
const MAX_LINES_P90: usize = 300;

/// One broken rule at one place; prints as `file:line: rule`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

fn violation(file: &SourceFile, line: usize, rule: impl Into<String>) -> Violation {
    Violation { file: file.path.clone(), line, rule: rule.into() }
}

/// Imports go only downward.
pub(crate) fn imports(files: &[SourceFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let Some((layer, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == file.layer()) else {
            found.push(violation(
                file,
                1,
                format!("`{}` is no layer; the layers are listed in docs/architecture.md", file.layer()),
            ));
            continue;
        };
        for Mention { line, path } in file.mentions() {
            if path.first().is_none_or(|first| first != "crate") {
                continue;
            }
            let Some(target) = path.get(1).map(String::as_str).filter(|target| *target != "*") else {
                found.push(violation(
                    file,
                    line,
                    "the whole crate is imported; name the layer and what is needed from it",
                ));
                continue;
            };
            let known = LAYERS.iter().any(|(known, _)| *known == target);
            if !known {
                found.push(violation(file, line, format!("`crate::{target}` is no layer; everything lives in one")));
            } else if target != *layer && !allowed.contains(&target) {
                found.push(violation(
                    file,
                    line,
                    format!("`{layer}` may not import `{target}` ({}); imports go only downward", path.join("::")),
                ));
            }
        }
    }
    found
}

/// `domain` uses std and small value crates only. `dependencies` are the crates of the manifest, with `_` for `-`.
pub(crate) fn domain_is_pure(files: &[SourceFile], dependencies: &BTreeSet<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.layer() == "domain") {
        for Mention { line, path } in file.mentions() {
            let mut segments = path.iter().map(String::as_str);
            let (first, second) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
            if dependencies.contains(first) && !DOMAIN_CRATES.contains(&first) && path.len() > 1 {
                found.push(violation(
                    file,
                    line,
                    format!("`domain` may not use the crate `{first}`: values and rules only"),
                ));
            }
            if first == "std" && DOMAIN_STD.contains(&second) {
                found.push(violation(file, line, format!("`domain` may not use `std::{second}`: no I/O")));
            }
        }
    }
    found
}

/// The environment is read in `config/` only.
pub(crate) fn environment(files: &[SourceFile]) -> Vec<Violation> {
    matching(files, |file, path| {
        let env = path.len() > 1 && path.starts_with(&["std".to_owned(), "env".to_owned()]);
        (env && file.layer() != "config")
            .then(|| "`std::env` outside src/config: the environment is configuration".to_owned())
    })
}

/// Only `web/extract` and `cli` vouch for a caller.
pub(crate) fn vouching(files: &[SourceFile]) -> Vec<Violation> {
    matching(files, |file, path| {
        let calls = path.last().is_some_and(|last| last == "vouched");
        let may = file.path.starts_with("src/web/extract") || file.path.starts_with("src/cli/");
        (calls && !may).then(|| "a caller is vouched for outside src/web/extract and src/cli".to_owned())
    })
}

/// Caller types, those with a function `vouched`, cannot be forged: no visible field, no derive that builds one.
pub(crate) fn caller_types(files: &[SourceFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let vouched = vouched_types(file);
        for item in &file.syntax.items {
            let syn::Item::Struct(item) = item else { continue };
            if !vouched.contains(&item.ident.to_string()) {
                continue;
            }
            for field in &item.fields {
                if !matches!(field.vis, syn::Visibility::Inherited) {
                    let rule = format!("a field of the caller type `{}` is visible outside its file", item.ident);
                    found.push(violation(file, field.span().start().line, rule));
                }
            }
            for name in derived(&item.attrs).iter().filter(|name| FORGING_TRAITS.contains(&name.as_str())) {
                let rule = format!("the caller type `{}` derives `{name}`, which builds one without proof", item.ident);
                found.push(violation(file, item.ident.span().start().line, rule));
            }
        }
    }
    found
}

/// Names of the types that this file gives a function `vouched`.
fn vouched_types(file: &SourceFile) -> BTreeSet<String> {
    let implementations = file.syntax.items.iter().filter_map(|item| match item {
        syn::Item::Impl(item) => Some(item),
        _ => None,
    });
    let vouches = |item: &&syn::ItemImpl| {
        item.items.iter().any(|item| matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "vouched"))
    };
    let name = |item: &syn::ItemImpl| match &*item.self_ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    };
    implementations.filter(vouches).filter_map(name).collect()
}

/// SQL is written in `store/` and nowhere else.
pub(crate) fn sql(files: &[SourceFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.layer() != "store") {
        for text in file.texts() {
            let start = text.value.trim_start();
            if SQL_STARTS.iter().any(|sql| start.starts_with(sql)) {
                found.push(violation(file, text.line, "SQL text outside src/store"));
            }
        }
    }
    found
}

/// A file has at most 500 lines, and nine of ten at most 300.
pub(crate) fn sizes(files: &[SourceFile]) -> Vec<Violation> {
    let mut found: Vec<Violation> = files
        .iter()
        .filter(|file| file.lines() > MAX_LINES)
        .map(|file| violation(file, MAX_LINES + 1, format!("{} lines; a file has at most {MAX_LINES}", file.lines())))
        .collect();
    let mut by_size: Vec<&SourceFile> = files.iter().collect();
    by_size.sort_by_key(|file| file.lines());
    let nine_of_ten = (by_size.len() * 9).div_ceil(10);
    if let Some(file) = nine_of_ten.checked_sub(1).and_then(|index| by_size.get(index))
        && file.lines() > MAX_LINES_P90
    {
        let rule = format!("{} lines is the 90th percentile of all files; it may be {MAX_LINES_P90}", file.lines());
        found.push(violation(file, MAX_LINES_P90 + 1, rule));
    }
    found
}

/// Each file opens with `//!`: what lives here, and what does not.
pub(crate) fn headers(files: &[SourceFile]) -> Vec<Violation> {
    let opens =
        |file: &SourceFile| file.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 12);
    let missing = files.iter().filter(|file| !opens(file));
    missing.map(|file| violation(file, 1, "the first line must be `//!` and say what lives here")).collect()
}

/// A room is a folder with a `mod.rs`, and every file is declared by the one above it.
pub(crate) fn rooms(files: &[SourceFile]) -> Vec<Violation> {
    let declared: BTreeSet<String> =
        files.iter().flat_map(SourceFile::declared_modules).map(|(module, _)| module).collect();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !matches!(file.path.as_str(), "src/lib.rs" | "src/main.rs")) {
        let module = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
        if !declared.contains(module) {
            found.push(violation(file, 1, "no `mod` declares this file: it is never compiled"));
        }
        let room = format!("{module}/");
        if !file.path.ends_with("/mod.rs") && files.iter().any(|other| other.path.starts_with(&room)) {
            found.push(violation(file, 1, format!("a room opens with its mod.rs: this file belongs at {room}mod.rs")));
        }
    }
    found
}

/// Exceptions from a lint are `#[expect(…, reason = "…")]`. Tests are bound by this too.
pub(crate) fn allows(files: &[SourceFile]) -> Vec<Violation> {
    struct Finder<'a> {
        file: &'a SourceFile,
        found: Vec<Violation>,
    }
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
            let conditional = attribute.path().is_ident("cfg_attr")
                && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("allow ("));
            if attribute.path().is_ident("allow") || conditional {
                let line = attribute.span().start().line;
                self.found.push(violation(self.file, line, "`#[allow]`: use `#[expect(lint, reason = \"…\")]`"));
            }
        }
    }
    let mut found = Vec::new();
    for file in files {
        let mut finder = Finder { file, found: Vec::new() };
        finder.visit_file(&file.syntax);
        found.append(&mut finder.found);
    }
    found
}

/// Names say what a thing is: no `get_`, no Manager, Helper or Util. For a handler in `web` (an `async fn`), `get_` is the
/// HTTP method.
pub(crate) fn names(files: &[SourceFile]) -> Vec<Violation> {
    struct Finder<'a> {
        file: &'a SourceFile,
        found: Vec<Violation>,
    }
    impl Finder<'_> {
        fn check(&mut self, ident: &syn::Ident) {
            if ident.to_string().starts_with("get_") {
                self.report(ident);
            }
            self.check_words(ident);
        }

        fn check_words(&mut self, ident: &syn::Ident) {
            let name = ident.to_string();
            let vague = ["Manager", "Helper", "Util", "Utils"].iter().any(|word| name.ends_with(word));
            if vague || matches!(name.as_str(), "util" | "utils" | "helper" | "helpers" | "common") {
                self.report(ident);
            }
        }

        fn report(&mut self, ident: &syn::Ident) {
            let line = ident.span().start().line;
            self.found.push(violation(self.file, line, format!("`{ident}` does not say what it is")));
        }
    }
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_signature(&mut self, signature: &'ast syn::Signature) {
            if self.file.layer() == "web" && signature.asyncness.is_some() {
                self.check_words(&signature.ident);
            } else {
                self.check(&signature.ident);
            }
        }
        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.check(&item.ident);
        }
        fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
            self.check(&item.ident);
        }
        fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
            self.check(&item.ident);
            visit::visit_item_trait(self, item);
        }
        /// Names in an implementation of a trait are the trait's.
        fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
            if item.trait_.is_none() {
                visit::visit_item_impl(self, item);
            }
        }
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            self.check(&item.ident);
            if !is_test_only(&item.attrs) {
                visit::visit_item_mod(self, item);
            }
        }
    }
    let mut found = Vec::new();
    for file in files {
        let mut finder = Finder { file, found: Vec::new() };
        finder.visit_file(&file.syntax);
        found.append(&mut finder.found);
    }
    found
}

fn matching(files: &[SourceFile], rule: impl Fn(&SourceFile, &[String]) -> Option<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        for mention in file.mentions() {
            if let Some(broken) = rule(file, &mention.path) {
                found.push(violation(file, mention.line, broken));
            }
        }
    }
    found
}

fn derived(attributes: &[syn::Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            names.extend(meta.path.segments.last().map(|segment| segment.ident.to_string()));
            Ok(())
        });
        if parsed.is_err() {
            names.push("unreadable derive".to_owned());
        }
    }
    names
}
