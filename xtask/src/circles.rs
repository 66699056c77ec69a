//! Which files import each other in a circle. A file that cannot be understood without another that cannot be understood
//! without it is one room with two doors: what both need moves to a floor below.
//!
//! An import is a `use` of, or a path through, `crate`, `super` or `self` to an item that another file of the same crate
//! defines. A module's re-exports are followed to the definition, and a module's own list of its children is no import.

use crate::run::{output, program, root};
use anyhow::{Context, Result};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::Visit;

type ModulePath = Vec<String>;

/// One file of a crate: what it defines, what it passes on, what it takes.
struct File {
    name: String,
    module: ModulePath,
    defines: BTreeSet<String>,
    /// Name here → where it comes from.
    passes_on: BTreeMap<String, ModulePath>,
    /// Modules all of whose names are passed on.
    passes_on_all: Vec<ModulePath>,
    takes: BTreeSet<ModulePath>,
}

/// Every circle, in words.
pub fn faults() -> Result<Vec<String>> {
    let mut crates: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for name in output(program("git", "", &["ls-files", "*.rs"]))?.lines() {
        let Some((room, module)) = module_of(name) else { continue };
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        crates.entry(room).or_default().push(read(name, module, &text)?);
    }
    let found: Vec<BTreeSet<String>> = crates.values().flat_map(|files| circles(files)).collect();
    let said = |circle: &BTreeSet<String>| {
        let files: Vec<_> = circle.iter().map(String::as_str).collect();
        format!("files import each other in a circle: {}", files.join(", "))
    };
    Ok(found.iter().map(said).collect())
}

/// `crates/x/src/a/b.rs` is module `a::b` of `x`; tests, benches and examples are crates of their own.
fn module_of(name: &str) -> Option<(String, ModulePath)> {
    let (room, path) = name.split_once("/src/")?;
    let mut module: ModulePath = path.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    match module.last().map(String::as_str) {
        Some("mod" | "lib") => drop(module.pop()),
        // A program's `main.rs` uses its library by name.
        Some("main") if module.len() == 1 && root().join(room).join("src/lib.rs").exists() => return None,
        Some("main") if module.len() == 1 => module.clear(),
        _ => {}
    }
    (module.first().map(String::as_str) != Some("bin")).then(|| (room.to_owned(), module))
}

fn read(name: &str, module: ModulePath, text: &str) -> Result<File> {
    let parsed = syn::parse_file(text).with_context(|| format!("{name} is not Rust"))?;
    let mut reader = Reader {
        at: module.clone(),
        file: File {
            name: name.to_owned(),
            module,
            defines: BTreeSet::new(),
            passes_on: BTreeMap::new(),
            passes_on_all: Vec::new(),
            takes: BTreeSet::new(),
        },
    };
    reader.visit_file(&parsed);
    Ok(reader.file)
}

struct Reader {
    /// The module that is being read: the file's, or one inside it.
    at: ModulePath,
    file: File,
}

impl Reader {
    fn define(&mut self, name: &syn::Ident) {
        if self.at == self.file.module {
            self.file.defines.insert(name.to_string());
        }
    }

    /// A path as written, from the crate's root; none where it leaves the crate.
    fn absolute(&self, path: &[String]) -> Option<ModulePath> {
        let mut base = self.at.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => drop(base.pop()),
            _ => return None,
        }
        rest = &rest[1..];
        while rest.first().is_some_and(|segment| segment == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn take(&mut self, path: &[String]) {
        self.file.takes.extend(self.absolute(path));
    }

    fn use_tree(&mut self, tree: &syn::UseTree, mut path: ModulePath, public: bool) {
        match tree {
            syn::UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.use_tree(&inner.tree, path, public);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.use_tree(item, path.clone(), public));
            }
            syn::UseTree::Name(name) => self.used(path, &name.ident, &name.ident, public),
            syn::UseTree::Rename(name) => self.used(path, &name.ident, &name.rename, public),
            syn::UseTree::Glob(_) => {
                // `pub use child::*` names a child without `self`.
                let path = self.absolute(&path).or_else(|| public.then(|| [self.at.clone(), path].concat()));
                match path {
                    Some(path) if public => self.file.passes_on_all.push(path),
                    Some(path) => drop(self.file.takes.insert(path)),
                    None => {}
                }
            }
        }
    }

    fn used(&mut self, mut path: ModulePath, name: &syn::Ident, here: &syn::Ident, public: bool) {
        if name != "self" {
            path.push(name.to_string());
        }
        if !public {
            self.take(&path);
        } else if let Some(path) = self.absolute(&path).or_else(|| Some([self.at.clone(), path].concat())) {
            self.file.passes_on.insert(here.to_string(), path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Fn(item) => self.define(&item.sig.ident),
            syn::Item::Struct(item) => self.define(&item.ident),
            syn::Item::Enum(item) => self.define(&item.ident),
            syn::Item::Trait(item) => self.define(&item.ident),
            syn::Item::Type(item) => self.define(&item.ident),
            syn::Item::Const(item) => self.define(&item.ident),
            syn::Item::Static(item) => self.define(&item.ident),
            syn::Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => self.define(ident),
            _ => {}
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.use_tree(&item.tree, Vec::new(), public);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // Tests may look at everything.
        if item.content.is_none() || item.ident == "tests" {
            return;
        }
        self.at.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: ModulePath = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.take(&segments);
        syn::visit::visit_path(self, path);
    }
}

/// Groups of two and more files of one crate, each of which reaches all others of its group.
fn circles(files: &[File]) -> Vec<BTreeSet<String>> {
    let by_module: BTreeMap<&[String], usize> =
        files.iter().enumerate().map(|(at, file)| (file.module.as_slice(), at)).collect();
    let mut graph = DiGraph::<usize, ()>::new();
    let nodes: Vec<_> = (0..files.len()).map(|at| graph.add_node(at)).collect();
    for (from, file) in files.iter().enumerate() {
        for path in &file.takes {
            if let Some(to) = home(files, &by_module, path, 0).filter(|to| *to != from) {
                graph.update_edge(nodes[from], nodes[to], ());
            }
        }
    }
    let groups = tarjan_scc(&graph).into_iter().filter(|group| group.len() > 1);
    groups.map(|group| group.into_iter().map(|node| files[graph[node]].name.clone()).collect()).collect()
}

/// The file that defines what a path from the crate's root names.
fn home(files: &[File], by_module: &BTreeMap<&[String], usize>, path: &[String], depth: usize) -> Option<usize> {
    const DEEPEST: usize = 8;
    if depth > DEEPEST {
        return None;
    }
    let cut = (0..=path.len()).rev().find(|cut| by_module.contains_key(&path[..*cut]))?;
    let at = by_module[&path[..cut]];
    let file = &files[at];
    let Some(name) = path.get(cut) else { return Some(at) };
    if file.defines.contains(name) {
        return Some(at);
    }
    if let Some(from) = file.passes_on.get(name) {
        return home(files, by_module, &[from.as_slice(), &path[cut + 1..]].concat(), depth + 1);
    }
    let passed = file.passes_on_all.iter().find_map(|module| {
        let inner = *by_module.get(module.as_slice())?;
        files[inner].defines.contains(name).then_some(inner)
    });
    // A macro's, or a module inside the file.
    passed.or(Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, module: &[&str], text: &str) -> File {
        read(name, module.iter().map(ToString::to_string).collect(), text).unwrap()
    }

    fn names(circles: &[BTreeSet<String>]) -> Vec<Vec<&str>> {
        circles.iter().map(|circle| circle.iter().map(String::as_str).collect()).collect()
    }

    #[test]
    fn two_files_that_take_from_each_other_are_a_circle_also_through_their_module() {
        let files = [
            file("lib.rs", &[], "mod a; mod b; pub use a::One; pub use b::Two;"),
            file("a.rs", &["a"], "use crate::Two; pub struct One(Two);"),
            file("b.rs", &["b"], "pub struct Two; fn f() -> super::a::One { todo() }"),
        ];
        assert_eq!(names(&circles(&files)), [["a.rs", "b.rs"]]);
    }

    #[test]
    fn a_module_that_lists_its_children_takes_nothing_from_them() {
        let files = [
            file("m/mod.rs", &["m"], "mod child; pub use child::Leaf; pub struct Ground;"),
            file("m/child.rs", &["m", "child"], "use super::Ground; pub struct Leaf(Ground);"),
        ];
        assert!(circles(&files).is_empty());
    }

    #[test]
    fn what_only_tests_take_is_no_import() {
        let files = [
            file("a.rs", &["a"], "pub struct One; #[cfg(test)] mod tests { use crate::b::Two; }"),
            file("b.rs", &["b"], "use crate::a::One; pub struct Two(One);"),
        ];
        assert!(circles(&files).is_empty());
    }
}
