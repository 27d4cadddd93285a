//! Circles among files: files that reach each other through what they import.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::Modules;
use crate::names::End;

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Sets of files that import each other in a circle. A `mod.rs` and its own children may.
pub(crate) fn circles(modules: &Modules) -> Vec<BTreeSet<String>> {
    let arrows = arrows(modules);
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        arrows.keys().map(|file| (file, reached_from(file, &arrows))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for file in arrows.keys() {
        let both_ways = |other: &&&String| reached.get(**other).is_some_and(|it| it.contains(file));
        let circle: BTreeSet<String> =
            reached[file].iter().filter(both_ways).map(|it| (*it).clone()).collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Which file needs which, tests aside; what goes through a face counts for the file behind it.
fn arrows(modules: &Modules) -> Arrows {
    let mut arrows = Arrows::new();
    for mention in modules.mentions.iter().filter(|it| !it.test && !it.documentation) {
        let from = &modules.all[mention.module].file;
        for target in modules.resolve(mention.module, &mention.path) {
            let to = match target.end {
                End::Item { module, .. } => module,
                // Naming a module needs nothing of it yet, unless all of it is brought in.
                End::Module(module) if mention.glob => module,
                End::Module(_) | End::External(_) => continue,
            };
            let to = &modules.all[to].file;
            if from != to && !is_face_of(from, to) && !is_face_of(to, from) {
                arrows.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    arrows
}

/// Whether `face` is the `mod.rs` of the folder that holds the file, or the folder.
fn is_face_of(face: &str, file: &str) -> bool {
    let Some(folder) = face.strip_suffix("mod.rs") else { return false };
    let Some(below) = file.strip_prefix(folder) else { return false };
    !below.contains('/') || (below.ends_with("/mod.rs") && below.matches('/').count() == 1)
}

fn reached_from<'a>(file: &'a String, arrows: &'a Arrows) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        for next in arrows.get(file).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

/// What of the found circles is new, and which of the known ones are gone.
pub(crate) fn compare(found: &[BTreeSet<String>], known: &[&[&str]]) -> Vec<String> {
    let within = |circle: &BTreeSet<String>, known: &[&str]| {
        circle.iter().all(|file| known.contains(&file.as_str()))
    };
    let new = found.iter().filter(|it| !known.iter().any(|known| within(it, known)));
    let new =
        new.map(|it| format!("a circle: {}", it.iter().cloned().collect::<Vec<_>>().join(", ")));
    let gone = known.iter().filter(|known| !found.iter().any(|it| within(it, known)));
    let gone = gone.map(|it| format!("no longer a circle, remove it from OPEN: {}", it.join(", ")));
    new.chain(gone).collect()
}
