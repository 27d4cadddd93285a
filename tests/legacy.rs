//! `georepair reset` with a gluster CLI of 3.7.6: its words, and what it lets be done.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

#[path = "support/skipped.rs"]
mod skipped;
mod support;

use skipped::skipped;
use support::georepair;
use tempfile::TempDir;

const STIME: &str = "trusted.glusterfs.22222222-2222-4222-8222-222222222222.\
                     33333333-3333-4333-8333-333333333333.stime";

/// A node with one brick, and a gluster command that answers as 3.7 does.
struct OldNode(TempDir);

impl OldNode {
    /// `None` if this user may not set the xattrs of bricks.
    #[expect(clippy::disallowed_methods, reason = "a test lays out its brick")]
    fn new() -> Option<Self> {
        let world = Self(tempfile::tempdir().unwrap());
        let brick = world.at("brick");
        fs::create_dir_all(brick.join("a/b")).unwrap();
        fs::create_dir_all(brick.join(".glusterfs/changelogs/htime")).unwrap();
        fs::write(brick.join(".glusterfs/changelogs/CHANGELOG.1456000000"), "old").unwrap();
        let id = uuid::uuid!("22222222-2222-4222-8222-222222222222");
        if xattr::set(&brick, "trusted.glusterfs.volume-id", id.as_bytes()).is_err() {
            skipped("trusted.* xattrs cannot be set here");
            return None;
        }
        for dir in ["", "a", "a/b"] {
            xattr::set(brick.join(dir), STIME, b"\x56\xcb\x00\x01\0\0\0\0").unwrap();
        }
        fs::write(world.at("session"), "Active").unwrap();
        fs::write(world.at("changelog"), "on").unwrap();
        Some(world)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn georepair(&self, words: &[&str]) -> Output {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gluster/3.7.6");
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let mut command = georepair(words);
        command.arg("--state-dir").arg(self.at("state"));
        command.arg("--gluster").arg(tools.join("gluster")).arg("--ssh").arg(tools.join("ssh"));
        // The other side is asked for a plain `gluster`: that is the same one. There is no FUSE.
        let path = format!("{}:/usr/bin:/bin", tools.display());
        command.env("PATH", path).env("WORLD", self.0.path()).env("HOST", host);
        command.output().unwrap()
    }

    /// What was asked of the CLI that changes anything.
    fn changes(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.at("calls")).unwrap();
        let verbs = ["stop", "start", "set", "delete", "create", "config"];
        let changing = calls.lines().filter(|line| {
            let words: Vec<_> = line.split(' ').collect();
            verbs.iter().any(|verb| words.contains(verb)) && words.last() != Some(&"config")
        });
        changing.map(str::to_owned).collect()
    }

    fn marked(&self) -> [bool; 3] {
        let brick = self.at("brick");
        ["", "a", "a/b"].map(|dir| xattr::get(brick.join(dir), STIME).unwrap().is_some())
    }
}

const FULL: [&str; 6] = ["reset", "vault", "s9::vaultdr", "--level", "full", "--keep-secondary"];

#[test]
fn full_keeps_the_session_and_voids_every_mark() {
    let Some(world) = OldNode::new() else { return };
    let shown = world.georepair(&[&FULL[..], &["--dry-run"]].concat());
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert_eq!(shown.status.code(), Some(1), "{said}");
    let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains("those of the directories are removed too"), "{said}");
    assert_eq!((world.changes(), world.marked()), (vec![], [true; 3]));

    // Where nothing can be mounted, the start cannot be proved: the run stops there.
    let output = world.georepair(&[&FULL[..], &["--yes"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("then verify that a change is replicated"), "{said}");
    let stopped: Vec<_> = said.lines().filter(|line| line.contains("step 10 on")).collect();
    assert_eq!(stopped.len(), 1, "the failed step is named once: {said}");
    let expected = [
        "volume geo-replication vault s9::vaultdr stop",
        "volume set vault changelog.changelog off",
        "volume set vault changelog.changelog on",
        "volume geo-replication vault s9::vaultdr start",
    ];
    assert_eq!(world.changes(), expected);
    assert_eq!(world.marked(), [false; 3]);
    let gluster = fs::read_dir(world.at("brick/.glusterfs")).unwrap().flatten();
    let aside: Vec<_> = gluster.map(|entry| entry.path()).collect();
    assert!(aside.len() == 1 && aside[0].join("CHANGELOG.1456000000").exists(), "{aside:?}");
}

#[test]
fn resync_voids_every_mark_too() {
    let Some(world) = OldNode::new() else { return };
    let words = ["reset", "vault", "s9::vaultdr", "--level", "resync", "--yes"];
    let output = world.georepair(&words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), world.marked()), (Some(4), [false; 3]), "{said}");
    assert!(world.at("brick/.glusterfs/changelogs/CHANGELOG.1456000000").exists());
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let Some(world) = OldNode::new() else { return };
    let output = world.georepair(&["reset", "vault", "s9::vaultdr"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no terminal to ask at: choose a level with --level"), "{said}");
    let output = world.georepair(&["reset", "vault", "s9::vaultdr", "--level", "resync"]);
    assert_eq!(output.status.code(), Some(3), "it was not confirmed");
    assert_eq!(world.changes(), Vec::<String>::new());
}
