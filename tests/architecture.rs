//! The house keeps its own rules: who may import whom, and what every file begins with.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order the data flows; a room imports only rooms before it.
const ROOMS: &[&str] =
    &["domain", "format", "scan", "check", "plan", "apply", "task", "report", "cli"];

/// `plan` is made from findings, never from a look at the world.
const FORBIDDEN: &[(&str, &str)] = &[("plan", "scan")];

fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 10, "no sources found");
    found
}

fn room_of(path: &Path) -> Option<usize> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next()?.as_os_str().to_str()?;
    ROOMS.iter().position(|room| *room == first.trim_end_matches(".rs"))
}

/// Rooms named by `crate::room` paths in the text, code and documents alike.
fn rooms_named(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    ROOMS.iter().enumerate().filter_map(move |(index, room)| {
        let direct = text.contains(&format!("crate::{room}::"));
        let listed = text.lines().any(|line| {
            line.trim_start().starts_with("use crate::{") && line.contains(&format!("{room}::"))
        });
        (direct || listed).then_some((index, *room))
    })
}

#[test]
fn a_room_imports_only_rooms_to_its_left() {
    for path in sources() {
        let Some(own) = room_of(&path) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for (index, room) in rooms_named(&text) {
            assert!(index <= own, "{} reaches right, into {room}", path.display());
            let forbidden = FORBIDDEN.contains(&(ROOMS[own], room));
            assert!(!forbidden, "{} may not import {room}", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_one_sentence() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} has no opening sentence", path.display());
    }
}

#[test]
fn nothing_is_called_utils() {
    for path in sources() {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let vague = ["util", "utils", "helper", "helpers", "common", "misc"].contains(&stem);
        assert!(!vague, "{}: name the thing", path.display());
    }
}

#[test]
fn no_file_grows_past_six_hundred_lines() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 600, "{}: {lines} lines; a second room, perhaps", path.display());
    }
}
