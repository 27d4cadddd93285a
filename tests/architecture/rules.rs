//! The rules that hold for one file or one arrow at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Mention, Modules};
use crate::names::End;

/// The rooms in the order in which data flows; a room imports only rooms before it.
const ROOMS: &[&str] =
    &["domain", "format", "scan", "check", "plan", "apply", "task", "report", "cli"];

/// A plan is made from findings, never from a look at the world.
const FORBIDDEN: &[(&str, &str)] = &[("plan", "scan")];

/// Rooms that neither read the world nor change it.
const PURE_ROOMS: &[&str] = &["domain", "format", "check", "plan"];

/// What of the standard library does I/O, or reads a clock. `std::io` itself is not among it: its
/// traits and errors are how `format` reads slices and writes buffers.
const IO: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::Stderr",
    "std::io::Stdin",
    "std::io::Stdout",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os::fd",
    "std::os::linux",
    "std::os::unix::fs",
    "std::os::unix::io",
    "std::os::unix::net",
    "std::os::unix::process",
    "std::os::unix::thread",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::get",
    "jiff::tz::TimeZone::system",
    "jiff::tz::TimeZone::try_system",
    "jiff::tz::db",
];

/// Crates that compute; a room that does no I/O may use them.
const PURE_CRATES: &[&str] = &[
    "aho-corasick",
    "anstyle",
    "flate2",
    "jiff",
    "memchr",
    "quick-xml",
    "regex",
    "serde",
    "serde_json",
    "shlex",
    "thiserror",
    "uuid",
    "uuid-simd",
    "xxhash-rust",
];

/// Crates that touch files, processes, terminals, threads or the clock.
const IMPURE_CRATES: &[&str] = &[
    "anstream",
    "clap",
    "indicatif",
    "rayon",
    "rustix",
    "signal-hook",
    "tar",
    "tempfile",
    "walkdir",
    "xattr",
];

fn room(file: &str) -> Option<&str> {
    let first = file.split('/').next()?.trim_end_matches(".rs");
    ROOMS.iter().copied().find(|room| *room == first)
}

/// Arrows that run to the right, and those that are forbidden by name.
pub(crate) fn layers(modules: &Modules) -> Vec<String> {
    let mut violations = BTreeSet::new();
    for mention in &modules.mentions {
        let file = &modules.all[mention.module].file;
        let Some(own) = room(file) else { continue };
        for named in rooms_named(modules, mention) {
            let right = place(&named) > place(own);
            if right || FORBIDDEN.contains(&(own, &named)) {
                violations.insert(format!(
                    "{file}: {own} may not import {named}: {}",
                    mention.path.join("::")
                ));
            }
        }
    }
    violations.into_iter().collect()
}

fn place(name: &str) -> usize {
    ROOMS.iter().position(|room| *room == name).unwrap()
}

/// Rooms on the way of a path, and the room where it ends.
fn rooms_named(modules: &Modules, mention: &Mention) -> BTreeSet<String> {
    if mention.documentation {
        let named = mention.path.get(1).filter(|name| ROOMS.contains(&name.as_str()));
        return named.cloned().into_iter().collect();
    }
    let mut named = BTreeSet::new();
    for target in modules.resolve(mention.module, &mention.path) {
        let end = match target.end {
            End::Module(module) | End::Item { module, .. } => Some(module),
            End::External(_) => None,
        };
        for module in target.trail.into_iter().chain(end) {
            named.extend(room(&modules.all[module].file).map(str::to_owned));
        }
    }
    named
}

/// I/O in a room that does none, tests aside.
pub(crate) fn io(modules: &Modules) -> Vec<String> {
    let mut violations = BTreeSet::new();
    for mention in modules.mentions.iter().filter(|it| !it.test && !it.documentation) {
        let file = &modules.all[mention.module].file;
        if !room(file).is_some_and(|room| PURE_ROOMS.contains(&room)) {
            continue;
        }
        for target in modules.resolve(mention.module, &mention.path) {
            let why = match target.end {
                End::External(path) if is_io(&path, mention.glob) => "does I/O",
                End::Item { module, function: true } if is_scan(modules, module) => {
                    "a function of scan reads the world; take its result instead"
                }
                _ => continue,
            };
            violations.insert(format!("{file}: {}: {why}", mention.path.join("::")));
        }
    }
    violations.into_iter().collect()
}

fn is_scan(modules: &Modules, module: usize) -> bool {
    room(&modules.all[module].file) == Some("scan")
}

fn is_io(path: &[String], glob: bool) -> bool {
    let whole = path.join("::");
    let named = IO.iter().any(|io| {
        let within = whole.strip_prefix(io).is_some_and(|it| it.is_empty() || it.starts_with(':'));
        // `use std::*;` brings `fs` in without a word of it.
        within || (glob && io.starts_with(&format!("{whole}::")))
    });
    let crate_name = |name: &str| name.replace('-', "_") == path[0];
    named || IMPURE_CRATES.iter().any(|name| crate_name(name))
}

/// Dependencies that are in neither list, and listed crates that are not dependencies.
pub(crate) fn unknown_dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let used: BTreeSet<&str> = lines.filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    let listed: BTreeSet<&str> = PURE_CRATES.iter().chain(IMPURE_CRATES).copied().collect();
    let unknown = used.difference(&listed).map(|it| format!("{it} is neither pure nor impure"));
    let unused = listed.difference(&used).map(|it| format!("{it} is no longer a dependency"));
    unknown.chain(unused).collect()
}

/// Files that do not open with one sentence.
pub(crate) fn openings(texts: &BTreeMap<String, String>) -> Vec<String> {
    let without = texts.iter().filter(|(_, text)| {
        let mut lines = text.lines().take_while(|line| line.starts_with("//!"));
        let paragraph: Vec<&str> =
            lines.by_ref().take_while(|line| *line != "//!").map(|it| &it[3..]).collect();
        !text.starts_with("//! ") || !paragraph.concat().ends_with(['.', '?'])
    });
    without.map(|(file, _)| format!("{file}: no opening sentence")).collect()
}

/// Files whose names say nothing.
pub(crate) fn vague_names(texts: &BTreeMap<String, String>) -> Vec<String> {
    let vague = ["util", "utils", "helper", "helpers", "common", "misc"];
    let names = |file: &str| file.trim_end_matches(".rs").split('/').any(|it| vague.contains(&it));
    texts.keys().filter(|file| names(file)).map(|file| format!("{file}: name the thing")).collect()
}

/// Files of more than 600 lines.
pub(crate) fn long_files(texts: &BTreeMap<String, String>) -> Vec<String> {
    let long = texts.iter().map(|(file, text)| (file, text.lines().count()));
    let long = long.filter(|(_, lines)| *lines > 600);
    long.map(|(file, lines)| format!("{file}: {lines} lines; split it by subject")).collect()
}
