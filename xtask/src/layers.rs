//! `cargo xtask layers`: fails where the imports of a crate form a circle of files.
//!
//! An import is a `use`, or a path in the code, that leads from the module of one file into that of another: through
//! `crate::`, `super::`, `self::`, the name of a child module or the name of a module that was imported. A `mod`
//! declaration is none: a parent may know its children. What is compiled for tests alone does not count.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprLit, ImplItem, Item, ItemMod, ItemUse, Lit, Local, Macro, Meta, Token, TraitItem, UseTree,
};

/// The directories of sources, each of which is looked at by itself.
const CRATES: [&str; 6] = ["src", "policy/src", "zone/src", "lists/src", "cli/src", "xtask/src"];

/// The crates of this workspace that are in `root`.
pub fn check(root: &Path) -> Result<()> {
    let mut report = String::new();
    for directory in CRATES {
        for file in ["lib.rs", "main.rs"] {
            let entry = root.join(directory).join(file);
            if entry.is_file() {
                for circle in circles(&Crate::read(&entry, root)?) {
                    report.push_str(&format!("\n{circle}"));
                }
            }
        }
    }
    if !report.is_empty() {
        bail!(
            "imports form a circle of files\n{report}\nBreak each circle at one of its imports: move what both files \
             need into a file of its own, which both import."
        );
    }
    Ok(())
}

/// A module by the names that lead to it from the root of its crate, which itself is the empty path.
type ModulePath = Vec<String>;

/// A path in the code of a module.
struct Reference {
    module: ModulePath,
    segments: Vec<String>,
    line: usize,
    /// For a `use`, the name that it gives to what it imports.
    imported_as: Option<String>,
}

/// An import of one file by another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    path: String,
}

/// The files of a crate, and for each the first line that imports another.
#[derive(Default)]
struct Crate {
    imports: BTreeMap<String, BTreeMap<String, Import>>,
}

impl Crate {
    /// Reads all files from the root module down; they are called as seen from `base`.
    fn read(entry: &Path, base: &Path) -> Result<Self> {
        let mut reader = Reader {
            base,
            files: HashMap::new(),
            references: Vec::new(),
        };
        let directory = entry.parent().unwrap_or(base);
        reader.read_file(entry, Vec::new(), directory)?;
        Ok(reader.resolve())
    }
}

struct Reader<'a> {
    base: &'a Path,
    /// The file of each module, modules within a file included.
    files: HashMap<ModulePath, String>,
    references: Vec<Reference>,
}

impl Reader<'_> {
    /// `children` is the directory that the files of its child modules lie in.
    fn read_file(&mut self, path: &Path, module: ModulePath, children: &Path) -> Result<()> {
        let source = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let parsed = syn::parse_file(&source).with_context(|| path.display().to_string())?;
        let name = path.strip_prefix(self.base).unwrap_or(path).display().to_string();
        self.files.insert(module.clone(), name.clone());
        let mut scan = Scan {
            module,
            references: Vec::new(),
            modules: Vec::new(),
        };
        scan.visit_file(&parsed);
        self.references.append(&mut scan.references);
        for found in scan.modules {
            if found.inline {
                self.files.insert(found.path, name.clone());
                continue;
            }
            // Modules within the file are directories, too.
            let depth = scan.module.len();
            let mut directory = children.to_owned();
            let (last, between) = found.path.split_last().context("a module has a name")?;
            directory.extend(between.iter().skip(depth));
            let below = directory.join(last);
            let candidates = match &found.file {
                // Relative to the directory of the file, wherever its children lie.
                Some(file) => vec![path.parent().unwrap_or(self.base).join(file)],
                None => vec![below.with_extension("rs"), below.join("mod.rs")],
            };
            let file = candidates
                .into_iter()
                .find(|candidate| candidate.is_file())
                .with_context(|| format!("{name}: the file of module {last} is missing"))?;
            self.read_file(&file, found.path, &below)?;
        }
        Ok(())
    }

    fn resolve(self) -> Crate {
        let mut known = Crate::default();
        // The names that modules were imported under, by the module that imports them.
        let mut imported: HashMap<(ModulePath, String), ModulePath> = HashMap::new();
        for reference in &self.references {
            if let Some(name) = &reference.imported_as {
                if let Some(path) = self.absolute(reference, &HashMap::new()) {
                    if self.files.contains_key(&path) {
                        imported.insert((reference.module.clone(), name.clone()), path);
                    }
                }
            }
        }
        for file in self.files.values() {
            known.imports.entry(file.clone()).or_default();
        }
        for reference in &self.references {
            let Some(mut target) = self.absolute(reference, &imported) else {
                continue;
            };
            // The file of the innermost module on the path; what follows is an item in it.
            while !self.files.contains_key(&target) {
                target.pop();
            }
            let (Some(from), Some(to)) = (self.files.get(&reference.module), self.files.get(&target)) else {
                continue;
            };
            if from != to {
                let import = Import {
                    line: reference.line,
                    path: reference.segments.join("::"),
                };
                known
                    .imports
                    .entry(from.clone())
                    .or_default()
                    .entry(to.clone())
                    .and_modify(|first| {
                        if import.line < first.line {
                            *first = import.clone();
                        }
                    })
                    .or_insert(import);
            }
        }
        known
    }

    /// The path from the root of the crate, or nothing where another crate or something local is meant.
    fn absolute(
        &self,
        reference: &Reference,
        imported: &HashMap<(ModulePath, String), ModulePath>,
    ) -> Option<ModulePath> {
        let mut segments = reference.segments.iter().map(String::as_str).peekable();
        let mut path = reference.module.clone();
        match *segments.peek()? {
            "crate" => {
                path.clear();
                segments.next();
            }
            "self" => {
                segments.next();
            }
            "super" => {
                while segments.next_if_eq(&"super").is_some() {
                    path.pop()?;
                }
            }
            first => {
                let mut child = path.clone();
                child.push(first.to_owned());
                if !self.files.contains_key(&child) {
                    path = imported.get(&(path, first.to_owned()))?.clone();
                    segments.next();
                }
            }
        }
        path.extend(segments.map(str::to_owned));
        Some(path)
    }
}

/// A `mod` in a file.
struct FoundModule {
    path: ModulePath,
    inline: bool,
    /// What `#[path = "..."]` names.
    file: Option<PathBuf>,
}

/// Goes through the code of one file.
struct Scan {
    /// The module that is being looked at: that of the file, or one within it.
    module: ModulePath,
    references: Vec<Reference>,
    modules: Vec<FoundModule>,
}

impl Scan {
    fn refer(&mut self, segments: Vec<String>, line: usize, imported_as: Option<String>) {
        self.references.push(Reference {
            module: self.module.clone(),
            segments,
            line,
            imported_as,
        });
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| {
            let mut segments = before.to_owned();
            // `use a::{self}` imports `a`.
            if before.is_empty() || name != "self" {
                segments.push(name.to_string());
            }
            segments
        };
        match tree {
            UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => {
                let segments = with(&name.ident);
                let imported_as = segments.last().cloned();
                self.refer(segments, name.ident.span().start().line, imported_as);
            }
            UseTree::Rename(name) => {
                let imported_as = Some(name.rename.to_string());
                self.refer(with(&name.ident), name.ident.span().start().line, imported_as);
            }
            UseTree::Glob(glob) => {
                let line = glob.star_token.spans.first().map_or(0, |span| span.start().line);
                self.refer(before.to_owned(), line, None);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(tree, before)),
        }
    }

    /// What a macro is called with cannot be parsed without knowing the macro; its paths can be seen all the same.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        let finish = |scan: &mut Self, path: &mut Vec<String>, line| {
            let segments = std::mem::take(path);
            if segments.len() > 1 {
                scan.refer(segments, line, None);
            }
        };
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 || path.is_empty() {
                        finish(self, &mut path, line);
                        line = name.span().start().line;
                        // `::name` is another crate.
                        if colons == 2 {
                            colons = 0;
                            continue;
                        }
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && colons < 2 => colons += 1,
                TokenTree::Group(group) => {
                    finish(self, &mut path, line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    finish(self, &mut path, line);
                    colons = 0;
                }
            }
        }
        finish(self, &mut path, line);
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item(&mut self, item: &'ast Item) {
        if !for_tests_alone(attributes_of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => return,
        };
        if !for_tests_alone(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => return,
        };
        if !for_tests_alone(attributes) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if !for_tests_alone(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        self.modules.push(FoundModule {
            path: self.module.clone(),
            inline: item.content.is_some(),
            file: item.attrs.iter().find_map(named_file),
        });
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.use_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is an item in scope, which a `use` has brought there, or something local.
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let line = path
                .segments
                .first()
                .map_or(0, |segment| segment.ident.span().start().line);
            self.refer(segments, line, None);
        }
        visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {
        // `pub(in crate::a)` says who may import, and imports nothing.
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone());
    }
}

fn attributes_of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn named_file(attribute: &Attribute) -> Option<PathBuf> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(file), ..
            }) => Some(PathBuf::from(file.value())),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an item is left out wherever `test` is not set, whatever else is.
fn for_tests_alone(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => list
            .parse_args::<Meta>()
            .is_ok_and(|condition| without_tests(&condition) == Some(false)),
        _ => false,
    })
}

/// The value of a condition where `test` is not set; nothing where that depends on something else.
fn without_tests(condition: &Meta) -> Option<bool> {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test").then_some(false);
    };
    let parts = list
        .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .ok()?;
    let values: Vec<Option<bool>> = parts.iter().map(without_tests).collect();
    let decides = if list.path.is_ident("not") {
        return values.first().copied().flatten().map(|value| !value);
    } else if list.path.is_ident("all") {
        false
    } else if list.path.is_ident("any") {
        true
    } else {
        return None;
    };
    if values.contains(&Some(decides)) {
        Some(decides)
    } else if values.contains(&None) {
        None
    } else {
        Some(!decides)
    }
}

/// A description of each set of files that reach each other: its shortest circle, import by import.
fn circles(known: &Crate) -> Vec<String> {
    let mut reported: Vec<&str> = Vec::new();
    let mut descriptions = Vec::new();
    for file in known.imports.keys() {
        if reported.contains(&file.as_str()) || shortest_way(known, file, file).is_none() {
            continue;
        }
        let members: Vec<&str> = known
            .imports
            .keys()
            .map(String::as_str)
            .filter(|other| {
                *other == file
                    || shortest_way(known, file, other).is_some() && shortest_way(known, other, file).is_some()
            })
            .collect();
        let shortest = members
            .iter()
            .filter_map(|member| shortest_way(known, member, member))
            .min_by_key(Vec::len)
            .unwrap_or_default();
        descriptions.push(describe(known, &members, &shortest));
        reported.extend(members);
    }
    descriptions
}

fn describe(known: &Crate, members: &[&str], circle: &[&str]) -> String {
    let mut text = String::new();
    for (from, to) in circle.iter().zip(circle.iter().skip(1)) {
        if let Some(import) = known.imports.get(*from).and_then(|imports| imports.get(*to)) {
            text.push_str(&format!("  {from}:{} imports {to}: {}\n", import.line, import.path));
        }
    }
    let others: Vec<&str> = members
        .iter()
        .copied()
        .filter(|member| !circle.contains(member))
        .collect();
    if !others.is_empty() {
        text.push_str(&format!(
            "  {} files more reach it and are reached from it: {}\n",
            others.len(),
            others.join(" ")
        ));
    }
    text
}

/// The files on the way along imports, both ends included; one import at least.
fn shortest_way<'a>(known: &'a Crate, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![from]]);
    let mut seen: Vec<&str> = Vec::new();
    while let Some(way) = ways.pop_front() {
        let last = way.last()?;
        for next in known.imports.get(*last)?.keys() {
            if next == to {
                return Some([way, vec![next.as_str()]].concat());
            }
            if !seen.contains(&next.as_str()) {
                seen.push(next);
                ways.push_back([way.clone(), vec![next.as_str()]].concat());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
