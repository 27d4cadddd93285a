//! `audit session` on built bricks: equal sides are equal, each difference is exactly its finding.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use georepair::domain::Gfid;

use crate::bricks::{FakeBrick, gfid, new_gfid};
use crate::damage::BEGAN;
use crate::pair::Pair;
use crate::support::georepair;
use crate::told;

/// The findings after a change of equal sides.
#[track_caller]
fn finds(change: impl Fn(&Pair), wanted: &[(&str, &str)]) {
    let Some(pair) = Pair::filled() else { return };
    change(&pair);
    let told = pair.audit(&[]);
    assert_eq!((told.findings(), told.code), (wanted.to_vec(), 1), "{:#}", told.document);
}

#[test]
fn equal_sides_are_equal() {
    let Some(pair) = Pair::filled() else { return };
    let told = pair.audit(&["--content"]);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
    // The root, two directories, 22 files, a symlink and a fifo.
    assert_eq!(told.document["compared"], 27);
    assert_eq!((told.list("unseen"), told.document["pending"].is_null()), ("[]".to_owned(), true));
    let (scope, notes) = (told.list("scope"), told.list("notes"));
    assert!(scope.contains("also compared: the content"), "{scope}");
    assert!(notes.contains("no brick of the primary has a mark"), "{notes}");
}

/// The kernel follows forty links, and those on the way to the brick count as well.
#[test]
fn directories_deeper_than_the_kernel_follows_links() {
    let Some(pair) = Pair::new() else { return };
    let mut path = String::from("top");
    for _ in 0..60 {
        pair.dir(&path);
        path += "/below";
    }
    let [primary, secondary] = pair.both().map(|brick| {
        std::path::Path::new("/proc/self/root").join(brick.path().strip_prefix("/").unwrap())
    });
    let mut command =
        georepair(["--quiet", "--format", "json", "audit", "session", "--settle", "0"]);
    command.arg("--primary-brick").arg(primary).arg("--secondary-brick").arg(secondary);
    let told = told(&command.output().unwrap());
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
    assert_eq!((told.list("unseen"), &told.document["compared"]), ("[]".to_owned(), &61.into()));
}

#[test]
fn lost_and_extra_files() {
    finds(|it| it.secondary.remove("empty"), &[("only-on-primary", "empty")]);
    finds(|it| it.primary.remove("symlink"), &[("only-on-secondary", "symlink")]);
}

#[test]
fn what_no_crawl_carries_is_a_warning() {
    let Some(pair) = Pair::filled() else { return };
    pair.secondary.remove("fifo");
    pair.primary.xattr("d", "user.note", b"a directory's");
    let told = pair.audit(&[]);
    let mut found = told.findings();
    found.sort_unstable();
    assert_eq!(
        (found, told.code),
        (vec![("metadata-differs", "d"), ("only-on-primary", "fifo")], 1)
    );
    for finding in told.document["findings"].as_array().unwrap() {
        assert_eq!(finding["severity"], "warning");
        assert!(finding["says"].as_str().unwrap().contains("a crawl"), "{finding}");
    }
}

#[test]
fn a_lost_tree_is_one_finding_at_its_top() {
    let Some(pair) = Pair::filled() else { return };
    for n in 0..20 {
        pair.secondary.remove(&format!("d/e/{n}"));
    }
    pair.secondary.remove("d/e");
    let told = pair.audit(&[]);
    assert_eq!((told.findings(), told.code), (vec![("only-on-primary", "d/e")], 1));
    assert_eq!(told.document["findings"][0]["below"], 20);
    assert_eq!(told.document["summary"]["only-on-primary"], 1);
}

#[test]
fn sizes_and_times() {
    finds(|it| it.secondary.rewrite("d/e/3", "other size"), &[("size-differs", "d/e/3")]);
    finds(|it| it.secondary.age("empty", 5), &[("mtime-differs", "empty")]);
}

#[test]
fn mode_owner_acl_and_user_xattrs() {
    let mode = |brick: &FakeBrick, mode| {
        fs::set_permissions(brick.at("empty"), fs::Permissions::from_mode(mode)).unwrap();
    };
    let differs = [("metadata-differs", "empty")];
    finds(|it| mode(&it.secondary, 0o4711), &differs);
    finds(|it| chown(it.secondary.at("empty"), Some(7), None).unwrap(), &differs);
    finds(|it| it.secondary.xattr("empty", "user.note", b"other"), &differs);
    let acl = |it: &Pair| {
        it.both().iter().for_each(|brick| mode(brick, 0o664));
        it.secondary.xattr("empty", "system.posix_acl_access", &ACL);
    };
    finds(acl, &differs);
}

/// `u::rw-,u:1000:rw-,g::r--,m::rw-,o::r--` (`linux/posix_acl_xattr.h`).
const ACL: [u8; 44] = [
    2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255,
    255, 255, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255,
];

#[test]
fn the_same_xattrs_set_in_another_order_are_the_same() {
    let Some(pair) = Pair::filled() else { return };
    pair.primary.xattr("empty", "user.a", b"1");
    pair.primary.xattr("empty", "user.b", b"2");
    pair.secondary.xattr("empty", "user.b", b"2");
    pair.secondary.xattr("empty", "user.a", b"1");
    assert_eq!(pair.audit(&[]).code, 0);
}

#[test]
fn names_links_and_targets() {
    finds(|it| it.secondary.rename("d/e/7", "d/e/seven"), &[("place-differs", "d/e/7")]);
    finds(|it| it.secondary.unlink("d/link"), &[("link-missing", "d/link")]);
    let elsewhere = |it: &Pair| {
        let gfid = it.secondary.gfid_of("symlink");
        it.secondary.remove("symlink");
        symlink("elsewhere", it.secondary.at("symlink")).unwrap();
        it.secondary.adopt("symlink", gfid);
        it.secondary.record("symlink");
    };
    finds(elsewhere, &[("target-differs", "symlink")]);
}

#[test]
fn another_gfid_under_the_same_name_is_one_conflict() {
    let file = |it: &Pair| {
        it.secondary.remove("empty");
        it.secondary.file_as("empty", new_gfid(), "");
    };
    finds(file, &[("gfid-differs", "empty")]);
    let directory = |it: &Pair| {
        it.secondary.remove("empty");
        it.secondary.dir("empty");
    };
    finds(directory, &[("gfid-differs", "empty")]);
    let tree = |it: &Pair| {
        it.primary.dir("top");
        it.primary.file_as("top/below", new_gfid(), "x");
        it.secondary.dir("top");
    };
    finds(tree, &[("gfid-differs", "top")]);
}

#[test]
fn another_type_under_the_same_gfid() {
    let change = |it: &Pair| {
        let gfid = it.secondary.gfid_of("empty");
        it.secondary.remove("empty");
        it.secondary.dir_as("empty", gfid);
    };
    finds(change, &[("type-differs", "empty")]);
}

#[test]
fn files_that_arrived_empty_have_a_name() {
    let emptied = |it: &Pair| (0..20).for_each(|n| it.secondary.rewrite(&format!("d/e/{n}"), ""));
    let Some(pair) = Pair::filled() else { return };
    emptied(&pair);
    let told = pair.audit(&[]);
    assert_eq!(told.document["summary"]["size-differs"], 20);
    assert_eq!(told.findings().last(), Some(&("data-sync-empty", "-")), "{:#}", told.document);
}

#[test]
fn names_of_any_bytes_are_told_exactly() {
    let Some(pair) = Pair::filled() else { return };
    pair.primary.file(b"caf\xe9\n");
    let told = pair.audit(&[]);
    assert_eq!(told.document["findings"][0]["path_bytes"], "636166e90a");
}

#[test]
fn what_is_glusterfs_own_is_not_compared() {
    let Some(pair) = Pair::filled() else { return };
    let own = "00000000-0000-0000-0000-000000000005";
    pair.primary.dir_as(".trashcan", gfid(own));
    pair.primary.dir(".trashcan/a");
    pair.primary.dir(".trashcan/a/b");
    pair.primary.file(".trashcan/a/b/c");
    pair.secondary.dir(".glusterfs-anonymous-inode-222d8df5-ced4-48a4-a782-61eb9081b218");
    let told = pair.audit(&[]);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
}

/// A changelog that names the gfid, the last before this end or the one still written to.
fn change(brick: &FakeBrick, file: &std::path::Path, gfid: Gfid) {
    let text = format!("GlusterFS Changelog | version: v1.2 | encoding : 2\nD{gfid}\0");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    brick.stime(BEGAN + 29);
}

#[test]
fn what_replication_still_has_to_do_is_pending() {
    let Some(pair) = Pair::filled() else { return };
    pair.primary.with_changelogs(3);
    let lost = pair.primary.gfid_of("empty");
    pair.secondary.remove("empty");
    change(&pair.primary, &pair.primary.at(".glusterfs/changelogs/CHANGELOG"), lost);
    let told = pair.audit(&[]);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
    assert_eq!(told.document["pending"], 1);
    assert_eq!(told.document["up_to"], "2026-11-21T03:00:29Z");
    assert!(told.list("notes").contains("changelog pending"));
}

#[test]
fn what_replication_is_past_is_a_difference() {
    let Some(pair) = Pair::filled() else { return };
    pair.primary.with_changelogs(3);
    let lost = pair.primary.gfid_of("empty");
    pair.secondary.remove("empty");
    change(&pair.primary, &pair.primary.changelog(BEGAN + 15), lost);
    let told = pair.audit(&[]);
    assert_eq!((told.findings(), told.code), (vec![("only-on-primary", "empty")], 1));
    assert_eq!(told.document["pending"], 0);
}
