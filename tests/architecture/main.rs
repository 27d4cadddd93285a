//! The rules of the house: who may import whom, who may do I/O, and how a file looks.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at surprises")]

mod circles;
mod modules;
mod names;
mod planted;
mod rules;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use modules::Modules;

/// Circles among files that are still open; none is.
const OPEN: &[&[&str]] = &[];

static MODULES: LazyLock<Modules> = LazyLock::new(|| Modules::read(&sources()));

/// Reads every source file: the path below `src`, and the text.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    assert!(texts.len() > 100, "only {} source files found", texts.len());
    texts
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn a_room_imports_only_rooms_to_its_left() {
    assert_none(&rules::layers(&MODULES));
}

#[test]
fn check_plan_format_and_domain_do_no_io() {
    assert_none(&rules::io(&MODULES));
}

#[test]
fn every_dependency_is_known_as_pure_or_not() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert_none(&rules::unknown_dependencies(&fs::read_to_string(manifest).unwrap()));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let found = circles::circles(&MODULES);
    assert_none(&circles::compare(&found, OPEN));
}

#[test]
fn every_file_opens_with_one_sentence() {
    assert_none(&rules::openings(&sources()));
}

#[test]
fn nothing_is_called_utils() {
    assert_none(&rules::vague_names(&sources()));
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    assert_none(&rules::long_files(&sources()));
}
