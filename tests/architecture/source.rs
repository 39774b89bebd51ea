//! Reading production code: files, the paths they mention and the texts they hold. No rule is here.
//!
//! Items under `#[cfg(test)]`, and files declared by a `#[cfg(test)] mod …;`, are not production code.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One `.rs` file, parsed.
pub(crate) struct SourceFile {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
}

/// A path that production code names, resolved as far as the file alone allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) line: usize,
    /// `["crate", "store", …]` for this crate (`self` and `super` are resolved), as written for everything else.
    pub(crate) path: Vec<String>,
}

/// A string literal of production code; attributes, and so doc comments, are left out.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) line: usize,
    pub(crate) value: String,
}

impl SourceFile {
    /// Parses `text` as the file at `path`; the error names file and line.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, String> {
        let syntax = syn::parse_file(text)
            .map_err(|error| format!("{path}:{}: cannot be parsed: {error}", error.span().start().line))?;
        Ok(Self { path: path.to_owned(), text: text.to_owned(), syntax })
    }

    /// The layer: the first folder under `src`, or the name of a file that lies in `src` itself.
    pub(crate) fn layer(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }

    /// The module that the file is, below `crate`.
    pub(crate) fn module(&self) -> Vec<String> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path).trim_end_matches(".rs");
        let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod")) || matches!(inside, "lib" | "main") {
            module.pop();
        }
        module
    }

    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Every path that production code of this file names.
    pub(crate) fn mentions(&self) -> Vec<Mention> {
        self.walk().mentions
    }

    /// Every string literal of production code of this file.
    pub(crate) fn texts(&self) -> Vec<Text> {
        self.walk().texts
    }

    /// Modules that this file declares without a body: path without `.rs` or `/mod.rs`, and whether for tests only.
    pub(crate) fn declared_modules(&self) -> Vec<(String, bool)> {
        let declared = self.syntax.items.iter().filter_map(|item| match item {
            syn::Item::Mod(module) if module.content.is_none() => Some(module),
            _ => None,
        });
        let beside = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = |module: &syn::ItemMod| match named_path(&module.attrs) {
            Some(path) => format!("{beside}/{}", path.trim_end_matches(".rs").trim_end_matches("/mod")),
            None => format!("{}/{}", self.module_folder(), module.ident),
        };
        declared.map(|module| (place(module), is_test_only(&module.attrs))).collect()
    }

    /// The folder in which the modules declared by this file lie.
    pub(crate) fn module_folder(&self) -> String {
        let module = self.module();
        if module.is_empty() { "src".to_owned() } else { format!("src/{}", module.join("/")) }
    }

    fn walk(&self) -> Walk {
        let mut walk = Walk { module: self.module(), binary: self.path == "src/main.rs", ..Walk::default() };
        walk.visit_file(&self.syntax);
        walk
    }
}

/// Reads every `.rs` file below `folder` of the repository at `root`, sorted by path.
pub(crate) fn read_tree(root: &Path, folder: &str) -> Result<Vec<SourceFile>, String> {
    let mut paths = Vec::new();
    let mut pending = vec![root.join(folder)];
    while let Some(directory) = pending.pop() {
        let entries = fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", directory.display()))?.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        SourceFile::parse(&relative, &text)
    };
    paths.iter().map(read).collect()
}

/// Splits off the files that exist for tests only.
pub(crate) fn production(files: Vec<SourceFile>) -> Vec<SourceFile> {
    let mut test_only = BTreeSet::new();
    for file in &files {
        test_only
            .extend(file.declared_modules().into_iter().filter(|(_, for_tests)| *for_tests).map(|(module, _)| module));
    }
    let is_test = |file: &SourceFile| {
        test_only
            .iter()
            .any(|module| file.path == format!("{module}.rs") || file.path.starts_with(&format!("{module}/")))
    };
    files.into_iter().filter(|file| !is_test(file)).collect()
}

/// Whether the attributes keep the item out of every build but the tests'.
pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        if !list.path.is_ident("cfg") {
            return false;
        }
        let condition = list.tokens.to_string().replace(' ', "");
        condition == "test" || condition.starts_with("all(test,")
    })
}

/// The value of `#[path = "…"]`.
fn named_path(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

#[derive(Default)]
struct Walk {
    module: Vec<String>,
    binary: bool,
    mentions: Vec<Mention>,
    texts: Vec<Text>,
}

impl Walk {
    /// Notes a path, with `self`, `super` and (in `main.rs`) the crate's own name resolved.
    fn mention(&mut self, line: usize, path: &[String]) {
        let mut rest = path;
        let mut base: Option<Vec<String>> = None;
        while let Some((first, tail)) = rest.split_first() {
            match first.as_str() {
                "self" if base.is_none() => base = Some(self.module.clone()),
                "super" => {
                    let mut parent = base.unwrap_or_else(|| self.module.clone());
                    parent.pop();
                    base = Some(parent);
                }
                "crate" => base = Some(Vec::new()),
                "vestibule" if self.binary => base = Some(Vec::new()),
                _ => break,
            }
            rest = tail;
        }
        let resolved = match base {
            Some(base) => std::iter::once("crate".to_owned()).chain(base).chain(rest.iter().cloned()).collect(),
            None => rest.to_vec(),
        };
        self.mentions.push(Mention { line, path: resolved });
    }

    fn use_tree(&mut self, prefix: &mut Vec<String>, tree: &syn::UseTree) {
        let line = tree.span().start().line;
        let leaf = match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.use_tree(prefix, &path.tree);
                prefix.pop();
                return;
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(prefix, tree);
                }
                return;
            }
            syn::UseTree::Name(name) => name.ident.to_string(),
            syn::UseTree::Rename(rename) => rename.ident.to_string(),
            syn::UseTree::Glob(_) => "*".to_owned(),
        };
        let mut path = prefix.clone();
        if leaf != "self" || path.is_empty() {
            path.push(leaf);
        }
        self.mention(line, &path);
    }

    /// Macro arguments are not syntax yet: paths and texts are read from their tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons < 2 {
                        self.flush(line, &mut path);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.flush(line, &mut path);
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Literal(literal) => self.literal(&syn::Lit::new(literal)),
                        _ => {}
                    }
                }
            }
        }
        self.flush(line, &mut path);
    }

    fn flush(&mut self, line: usize, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.mention(line, path);
            path.clear();
        }
    }

    fn literal(&mut self, literal: &syn::Lit) {
        if let syn::Lit::Str(text) = literal {
            self.texts.push(Text { line: text.span().start().line, value: text.value() });
        }
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Macro(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Static(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Trait(item) => &item.attrs,
            syn::Item::Type(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !is_test_only(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[syn::Attribute] = match item {
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Const(item) => &item.attrs,
            _ => &[],
        };
        if !is_test_only(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.mention(path.span().start().line, &segments);
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.mention(call.method.span().start().line, &[call.method.to_string()]);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_lit(&mut self, literal: &'ast syn::Lit) {
        self.literal(literal);
    }

    /// `pub(crate)` opens nothing: it is no mention.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}
