//! The equality check can fail: each kind of difference is seen for what it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::listing::{Difference, compare, list, odd_path};

/// A directory tree with something of every kind.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("d")).expect("a directory");
    fs::write(at("d/file"), "content").expect("a file");
    fs::write(at("d/one"), "two names").expect("a file");
    fs::hard_link(at("d/one"), at("d/two")).expect("a hard link");
    symlink("file", at("d/link")).expect("a symlink");
    fs::write(dir.path().join(odd_path(b"d/odd \n\xff")), "").expect("an odd name");
    dir
}

/// Changes one of two equal trees and returns what the check says of it.
fn after(change: impl Fn(&Path)) -> Vec<(PathBuf, Difference)> {
    let (left, right) = (tree(), tree());
    change(right.path());
    let listings = [left.path(), right.path()].map(|root| list(root).expect("a listing"));
    compare(&listings[0], &listings[1])
}

fn at(path: &str, how: Difference) -> Vec<(PathBuf, Difference)> {
    vec![(PathBuf::from(path), how)]
}

#[test]
fn equal_trees_are_equal() {
    assert_eq!(after(|_| ()), []);
}

#[test]
fn a_missing_entry() {
    let found = after(|root| fs::remove_file(root.join("d/file")).expect("removed"));
    assert_eq!(found, at("d/file", Difference::OnlyOnPrimary));
}

#[test]
fn a_missing_entry_of_an_odd_name() {
    let found =
        after(|root| fs::remove_file(root.join(odd_path(b"d/odd \n\xff"))).expect("removed"));
    assert_eq!(found, [(odd_path(b"d/odd \n\xff"), Difference::OnlyOnPrimary)]);
}

#[test]
fn an_extra_entry() {
    let found = after(|root| fs::create_dir(root.join("d/extra")).expect("made"));
    assert_eq!(found, at("d/extra", Difference::OnlyOnSecondary));
}

#[test]
fn another_type() {
    let found = after(|root| {
        fs::remove_file(root.join("d/file")).expect("removed");
        fs::create_dir(root.join("d/file")).expect("made");
    });
    assert_eq!(found, at("d/file", Difference::Type));
}

#[test]
fn another_target() {
    let found = after(|root| {
        fs::remove_file(root.join("d/link")).expect("removed");
        symlink("elsewhere", root.join("d/link")).expect("made");
    });
    assert_eq!(found, at("d/link", Difference::Target));
}

#[test]
fn other_content_of_equal_size() {
    let found = after(|root| fs::write(root.join("d/file"), "CONTENT").expect("written"));
    assert_eq!(found, at("d/file", Difference::Content));
}

#[test]
fn another_mode() {
    let found = after(|root| {
        fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o2755)).expect("set");
    });
    assert_eq!(found, at("d", Difference::Mode));
}

#[test]
fn another_owner() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let found = after(|root| chown(root.join("d/file"), Some(7), None).expect("chown"));
    assert_eq!(found, at("d/file", Difference::Owner));
}

#[test]
fn a_hard_link_that_is_a_copy() {
    let found = after(|root| {
        fs::remove_file(root.join("d/two")).expect("removed");
        fs::write(root.join("d/two"), "two names").expect("written");
    });
    let both = ["d/one", "d/two"].map(|path| (PathBuf::from(path), Difference::Links));
    assert_eq!(found, both);
}
