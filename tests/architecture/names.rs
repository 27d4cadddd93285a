//! Follows a path to what it means: through faces, aliases and `pub use`, to the file that defines the name.

use crate::modules::Modules;

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Modules walked through on the way, the last one included.
    pub(crate) trail: Vec<usize>,
    pub(crate) end: End,
}

/// The last thing of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The path names a module.
    Module(usize),
    /// A name defined in the module; `function` only where the path ends at a function.
    Item { module: usize, function: bool },
    /// A path into another crate, spelled out.
    External(Vec<String>),
}

/// How many aliases may stand one behind the other; more are aliases in a circle.
const DEPTH: usize = 24;

impl Modules {
    /// Everything that the path may mean, seen from a module: a name can be a module and a function.
    pub(crate) fn resolve(&self, from: usize, path: &[String]) -> Vec<Target> {
        self.resolve_within(from, path, DEPTH)
    }

    fn resolve_within(&self, from: usize, path: &[String], depth: usize) -> Vec<Target> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        match first.as_str() {
            "crate" if self.all[from].file != "main.rs" => self.walk(self.root(), rest, depth),
            "georepair" if self.all[from].file == "main.rs" => self.walk(self.root(), rest, depth),
            "self" => self.walk(from, rest, depth),
            "super" => {
                let parent = self.all[from].parent.expect("nothing is above the root");
                match rest.first() {
                    Some(next) if next == "super" => self.resolve_within(parent, rest, depth),
                    _ => self.walk(parent, rest, depth),
                }
            }
            _ => {
                let known = self.look_up(from, path, depth);
                if !known.is_empty() {
                    return known;
                }
                vec![Target { trail: Vec::new(), end: End::External(path.to_vec()) }]
            }
        }
    }

    /// In `use a::a;` the first `a` is a module or a crate, never the name being imported.
    fn resolve_import(
        &self,
        from: usize,
        name: &str,
        path: &[String],
        depth: usize,
    ) -> Vec<Target> {
        if path[0] != name {
            return self.resolve_within(from, path, depth);
        }
        match self.all[from].children.get(name) {
            Some(&child) => self.walk(child, &path[1..], depth),
            None => vec![Target { trail: Vec::new(), end: End::External(path.to_vec()) }],
        }
    }

    fn walk(&self, module: usize, rest: &[String], depth: usize) -> Vec<Target> {
        if rest.is_empty() {
            return vec![Target { trail: vec![module], end: End::Module(module) }];
        }
        let mut found = self.look_up(module, rest, depth);
        if found.is_empty() {
            // Made by a macro, perhaps: it counts for the module that it is named in.
            let end = End::Item { module, function: false };
            found.push(Target { trail: Vec::new(), end });
        }
        for target in &mut found {
            target.trail.insert(0, module);
        }
        found
    }

    fn look_up(&self, module: usize, path: &[String], depth: usize) -> Vec<Target> {
        let Some((name, rest)) = path.split_first() else { return Vec::new() };
        let here = &self.all[module];
        let mut found = Vec::new();
        if let Some(&child) = here.children.get(name) {
            found.extend(self.walk(child, rest, depth));
        }
        if let Some(&function) = here.items.get(name) {
            let end = End::Item { module, function: function && rest.is_empty() };
            found.push(Target { trail: vec![module], end });
        }
        for (_, import) in here.imports.iter().filter(|(it, _)| it == name) {
            let whole: Vec<String> = import.iter().chain(rest).cloned().collect();
            found.extend(self.resolve_import(module, name, &whole, depth));
        }
        if found.is_empty() {
            for glob in &here.globs {
                let Some(depth) = depth.checked_sub(1) else { continue };
                for target in self.resolve_within(module, glob, depth) {
                    if let End::Module(through) = target.end {
                        found.extend(self.look_up(through, path, depth));
                    }
                }
            }
        }
        found
    }
}
