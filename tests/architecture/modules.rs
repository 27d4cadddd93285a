//! Source texts as modules: what each defines and imports, and every path that it mentions.

use std::collections::{BTreeMap, HashMap};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Meta, UseTree};

/// The modules of one crate.
pub(crate) struct Modules {
    pub(crate) all: Vec<Module>,
    pub(crate) mentions: Vec<Mention>,
}

/// A file's module, or a `mod name { … }` inside one.
pub(crate) struct Module {
    /// Path below `src`.
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: HashMap<String, usize>,
    /// Items defined here, and whether each is a function.
    pub(crate) items: HashMap<String, bool>,
    /// Names brought in by `use`, with the path of each; a path is relative to this module.
    pub(crate) imports: Vec<(String, Vec<String>)>,
    /// Paths brought in by `use path::*`.
    pub(crate) globs: Vec<Vec<String>>,
    /// Compiled for tests only.
    pub(crate) test: bool,
}

/// A path named somewhere in a module.
pub(crate) struct Mention {
    pub(crate) module: usize,
    pub(crate) path: Vec<String>,
    /// In a comment only.
    pub(crate) documentation: bool,
    pub(crate) glob: bool,
    pub(crate) test: bool,
}

impl Modules {
    /// Reads a tree of sources: path below `src` to text.
    ///
    /// # Panics
    /// When a text is not Rust, or a file is not the child of another.
    pub(crate) fn read(texts: &BTreeMap<String, String>) -> Self {
        let mut modules = Self { all: Vec::new(), mentions: Vec::new() };
        let mut by_path: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for file in texts.keys() {
            by_path.insert(module_path(file), modules.all.len());
            modules.all.push(Module::new(file, None, false));
        }
        for (path, &module) in &by_path {
            let Some((name, above)) = path.split_last() else { continue };
            let parent = by_path.get(above).copied();
            // `main.rs` is a crate of its own; its module path is never a prefix of another.
            if let Some(parent) = parent {
                modules.all[parent].children.insert(name.clone(), module);
            }
            modules.all[module].parent = parent;
        }
        let mut test_modules = Vec::new();
        for (file, text) in texts {
            let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
            let module = by_path[&module_path(file)];
            let mut reader = Reader { modules: &mut modules, module, test: 0, test_modules };
            reader.visit_file(&parsed);
            test_modules = reader.test_modules;
        }
        modules.mark_tests(&test_modules);
        modules
    }

    /// The module of the file `lib.rs`.
    pub(crate) fn root(&self) -> usize {
        self.all.iter().position(|module| module.file == "lib.rs").unwrap()
    }

    /// A `#[cfg(test)] mod name;` makes all of that file, and those below it, a test.
    fn mark_tests(&mut self, declared: &[(usize, String)]) {
        let mut open: Vec<usize> = declared
            .iter()
            .filter_map(|(module, name)| self.all[*module].children.get(name).copied())
            .collect();
        while let Some(module) = open.pop() {
            self.all[module].test = true;
            open.extend(self.all[module].children.values());
        }
        for mention in &mut self.mentions {
            mention.test |= self.all[mention.module].test;
        }
    }
}

impl Module {
    fn new(file: &str, parent: Option<usize>, test: bool) -> Self {
        Self {
            file: file.to_owned(),
            parent,
            children: HashMap::new(),
            items: HashMap::new(),
            imports: Vec::new(),
            globs: Vec::new(),
            test,
        }
    }
}

/// `a/b/mod.rs` and `a/b.rs` are both the module `a::b`; `lib.rs` is the root.
fn module_path(file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs");
    let mut path: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|name| name == "mod") || stem == "lib" {
        path.pop();
    }
    path
}

struct Reader<'a> {
    modules: &'a mut Modules,
    module: usize,
    /// How many `#[cfg(test)]` are open around this place.
    test: usize,
    test_modules: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn mention(&mut self, path: Vec<String>, documentation: bool, glob: bool) {
        let test = self.test > 0;
        let module = self.module;
        self.modules.mentions.push(Mention { module, path, documentation, glob, test });
    }

    fn define(&mut self, item: &Item) {
        let (name, function) = match item {
            Item::Const(it) => (&it.ident, false),
            Item::Enum(it) => (&it.ident, false),
            Item::Fn(it) => (&it.sig.ident, true),
            Item::Static(it) => (&it.ident, false),
            Item::Struct(it) => (&it.ident, false),
            Item::Trait(it) => (&it.ident, false),
            Item::Type(it) => (&it.ident, false),
            Item::Union(it) => (&it.ident, false),
            Item::Macro(it) => match &it.ident {
                Some(name) => (name, false),
                None => return,
            },
            _ => return,
        };
        self.modules.all[self.module].items.insert(name.to_string(), function);
    }

    /// Takes a `use` apart: `use a::{self, b as c, d::*};` imports three times.
    fn import(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(it) => {
                before.push(it.ident.to_string());
                self.import(&it.tree, before);
            }
            UseTree::Group(it) => it.items.iter().for_each(|it| self.import(it, before.clone())),
            UseTree::Glob(_) => {
                self.modules.all[self.module].globs.push(before.clone());
                self.mention(before, false, true);
            }
            UseTree::Name(it) => self.import_name(&it.ident.to_string(), None, before),
            UseTree::Rename(it) => {
                self.import_name(&it.ident.to_string(), Some(it.rename.to_string()), before);
            }
        }
    }

    fn import_name(&mut self, name: &str, alias: Option<String>, mut path: Vec<String>) {
        if name != "self" {
            path.push(name.to_owned());
        }
        let name = alias.unwrap_or_else(|| path.last().unwrap().clone());
        self.modules.all[self.module].imports.push((name, path.clone()));
        self.mention(path, false, false);
    }

    /// Paths in the tokens of a macro or an attribute, which nobody parses for us.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.mention_tokens(&mut path);
                    path.push(name.to_string());
                }
                TokenTree::Punct(it) if it.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.mention_tokens(&mut path);
                    self.tokens(group.stream());
                }
                TokenTree::Literal(it) => {
                    self.mention_tokens(&mut path);
                    self.path_in_text(&it.to_string());
                }
                TokenTree::Punct(_) => self.mention_tokens(&mut path),
            }
            colons = 0;
        }
        self.mention_tokens(&mut path);
    }

    fn mention_tokens(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.mention(path, false, false);
        }
    }

    /// `"crate::a::f"`, as serde's attributes have it.
    fn path_in_text(&mut self, literal: &str) {
        let Ok(path) = syn::parse_str::<syn::Path>(literal.trim_matches('"')) else { return };
        self.visit_path(&path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let test = attributes(item).iter().any(is_cfg_test);
        self.test += usize::from(test);
        self.define(item);
        visit::visit_item(self, item);
        self.test -= usize::from(test);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        item.attrs.iter().for_each(|it| self.visit_attribute(it));
        let Some((_, items)) = &item.content else {
            let known = self.modules.all[self.module].children.contains_key(&name);
            assert!(known, "{}: no file of module {name}", self.modules.all[self.module].file);
            if self.test > 0 {
                self.test_modules.push((self.module, name));
            }
            return;
        };
        let outer = self.module;
        let file = self.modules.all[outer].file.clone();
        self.module = self.modules.all.len();
        self.modules.all.push(Module::new(&file, Some(outer), self.test > 0));
        self.modules.all[outer].children.insert(name, self.module);
        for it in items {
            self.visit_item(it);
        }
        self.module = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, Vec::new());
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let alias = item.rename.as_ref().map(|(_, name)| name.to_string());
        self.import_name(&item.ident.to_string(), alias, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|it| it.ident.to_string()).collect();
            self.mention(names, false, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        self.visit_path(&it.path);
        self.tokens(it.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(it) => self.tokens(it.tokens.clone()),
            Meta::NameValue(it) if it.path.is_ident("doc") => {
                let Expr::Lit(literal) = &it.value else { return };
                let Lit::Str(text) = &literal.lit else { return };
                for path in documented(&text.value()) {
                    self.mention(path, true, false);
                }
            }
            Meta::NameValue(_) | Meta::Path(_) => {}
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("cfg") && list.tokens.to_string() == "test"
}

/// Paths such as `crate::a::b` in a comment.
fn documented(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.match_indices("crate::").map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_' && it != ':');
        let path = &rest[..end.unwrap_or(rest.len())];
        path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
    })
}
