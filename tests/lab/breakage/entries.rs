//! The two sides hold different things: lost, changed, extra, or of another gfid.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Broken, PRIMARIES, SECONDARIES, wait_faulty, write};
use crate::capture::Capture;
use crate::lab::Lab;
use crate::listing::{self, Difference};
use crate::session;

/// Turns gsyncd's own mending of gfid conflicts off, so that they stay; it stays off until wanted.
fn conflict_resolution_off(lab: &Lab) {
    session::configure(lab, "gfid-conflict-resolution", Some("false"));
}

fn conflict_resolution_on(lab: &Lab) {
    session::configure(lab, "gfid-conflict-resolution", None);
}

/// A file of the same name and another gfid stands on the secondary.
pub(crate) fn gfid_mismatch_of_file(lab: &Lab) -> Broken<'_> {
    conflict_resolution_off(lab);
    let what = "The secondary had a file of the same name with another gfid; \
                gfid-conflict-resolution is off.";
    let capture = Capture::begin(lab, "gfid-mismatch-of-file", what);
    foreign_file(&capture, "mismatch.txt");
    write(lab, "mismatch.txt", "the primary's");
    capture.tell("wrote mismatch.txt on the primary");
    let words = ["ENTRY FAILED", "mismatch.txt", "'gfid_mismatch': True"];
    capture.wait_log(PRIMARIES, "gsyncd.log", &words);
    listing::wait_differs(lab, "mismatch.txt", Difference::Content);
    Broken::new(capture, |lab| take_from_both(lab, "mismatch.txt"))
}

/// The same with gsyncd's own mending on: it deletes the secondary's file and goes on.
pub(crate) fn gfid_conflict_fixed(lab: &Lab) -> Broken<'_> {
    conflict_resolution_on(lab);
    let what = "The secondary had a file of the same name with another gfid; gsyncd deleted \
                it.";
    let capture = Capture::begin(lab, "gfid-conflict-fixed", what);
    foreign_file(&capture, "conflict.txt");
    write(lab, "conflict.txt", "the primary's");
    capture.tell("wrote conflict.txt on the primary");
    let words = ["Successfully fixed", "gfid mismatch"];
    capture.wait_log(PRIMARIES, "gsyncd.log", &words);
    wait_there(lab, "conflict.txt");
    capture.tell("the secondary's conflict.txt is now the primary's");
    Broken::new(capture, |_| ())
}

/// A directory of the same name and another gfid stands on the secondary: MKDIR fails and the
/// worker dies at it again and again.
pub(crate) fn gfid_mismatch_of_directory(lab: &Lab) -> Broken<'_> {
    conflict_resolution_off(lab);
    let what = "The secondary had a directory of the same name with another gfid; \
                gfid-conflict-resolution is off.";
    let capture = Capture::begin(lab, "gfid-mismatch-of-directory", what);
    foreign_directory(&capture, "mismatch.d");
    write(lab, "mismatch.d/inside.txt", "the primary's");
    capture.tell("made mismatch.d and mismatch.d/inside.txt on the primary");
    capture.wait_log(PRIMARIES, "gsyncd.log", &["ENTRY FAILED", "'MKDIR'", "mismatch.d"]);
    wait_faulty(&capture);
    Broken::new(capture, |lab| {
        fs::remove_dir_all(lab.on_secondary("mismatch.d")).expect("the foreign directory");
    })
}

/// A directory stands on the secondary where the primary has a file.
pub(crate) fn directory_in_place_of_file(lab: &Lab) -> Broken<'_> {
    conflict_resolution_off(lab);
    let what = "The secondary had a directory where the primary created a file; \
                gfid-conflict-resolution is off.";
    let capture = Capture::begin(lab, "directory-in-place-of-file", what);
    foreign_directory(&capture, "file-or-directory");
    write(lab, "file-or-directory", "the primary's");
    capture.tell("wrote file-or-directory on the primary");
    let words = ["ENTRY FAILED", "file-or-directory", "'secondary_isdir': True"];
    capture.wait_log(PRIMARIES, "gsyncd.log", &words);
    listing::wait_differs(lab, "file-or-directory", Difference::Type);
    Broken::new(capture, |lab| take_from_both(lab, "file-or-directory"))
}

fn foreign_file(capture: &Capture<'_>, path: &str) {
    fs::write(capture.lab().on_secondary(path), "the secondary's").expect("a foreign file");
    capture
        .tell(&format!("wrote {path} on the secondary volume, so that it has a gfid of its own"));
}

fn foreign_directory(capture: &Capture<'_>, path: &str) {
    fs::create_dir(capture.lab().on_secondary(path)).expect("a foreign directory");
    capture
        .tell(&format!("made {path}/ on the secondary volume, so that it has a gfid of its own"));
}

/// Removes an entry on both sides.
fn take_from_both(lab: &Lab, path: &str) {
    for side in [lab.on_secondary(path), lab.on_primary(path)] {
        if side.is_dir() {
            fs::remove_dir_all(side).expect("a directory goes");
        } else if side.exists() {
            fs::remove_file(side).expect("a file goes");
        }
    }
}

/// A directory is gone on the secondary, with gsyncd's own mending off; its children then fail.
pub(crate) fn parent_missing(lab: &Lab) -> Broken<'_> {
    conflict_resolution_off(lab);
    write(lab, "parent/first.txt", "arrives");
    listing::wait_equal(lab);
    let what = "A directory was removed on the secondary, then forty files were created in it \
                on the primary; gfid-conflict-resolution is off.";
    let capture = Capture::begin(lab, "parent-missing", what);
    fs::remove_dir_all(lab.on_secondary("parent")).expect("the secondary's parent");
    capture.tell("s1# rm -r /mnt/gv0dr/parent");
    for n in 0..40 {
        write(lab, &format!("parent/child-{n:02}.txt"), "has no parent there");
    }
    capture.tell("wrote parent/child-00.txt to child-39.txt on the primary");
    capture.wait_log(PRIMARIES, "gsyncd.log", &["ENTRY FAILED", "child-39.txt", ", 2, {"]);
    listing::wait_differs(lab, "parent", Difference::OnlyOnPrimary);
    Broken::new(capture, |lab| {
        fs::remove_dir_all(lab.on_primary("parent")).expect("the primary's parent");
    })
}

/// A directory is gone on the secondary; gsyncd makes it again for new children, and for them
/// only: what was in it before stays lost, and no log says so.
pub(crate) fn directory_removed(lab: &Lab) -> Broken<'_> {
    conflict_resolution_on(lab);
    for n in 0..5 {
        write(lab, &format!("removed/old-{n}.txt"), "will be lost");
    }
    listing::wait_equal(lab);
    let what = "A directory of five files was removed on the secondary, then a sixth file was \
                created on the primary. gsyncd recreates the directory and the sixth file; the \
                five stay lost.";
    let capture = Capture::begin(lab, "directory-removed", what);
    fs::remove_dir_all(lab.on_secondary("removed")).expect("the secondary's directory");
    capture.tell("s1# rm -r /mnt/gv0dr/removed");
    write(lab, "removed/new.txt", "arrives");
    capture.tell("wrote removed/new.txt on the primary");
    wait_there(lab, "removed/new.txt");
    listing::wait_differs(lab, "removed/old-0.txt", Difference::OnlyOnPrimary);
    capture.wait_log(SECONDARIES, "mnt-", &["remote operation failed", "errno=2"]);
    Broken::new(capture, |lab| {
        fs::remove_dir_all(lab.on_primary("removed")).expect("the primary's directory");
    })
}

#[track_caller]
fn wait_there(lab: &Lab, path: &str) {
    let primary = fs::read(lab.on_primary(path)).expect("the primary's file");
    crate::wait::happens("the file arrives", || {
        fs::read(lab.on_secondary(path)).is_ok_and(|bytes| bytes == primary)
    });
}

/// One file, symlink, hard link and fifo each is gone on the secondary.
pub(crate) fn entries_removed(lab: &Lab) -> Broken<'_> {
    let made = lab.on_primary("gone");
    write(lab, "gone/file", "a file");
    write(lab, "gone/one-name", "a file of two names");
    fs::hard_link(made.join("one-name"), made.join("other-name")).expect("a hard link");
    std::os::unix::fs::symlink("file", made.join("symlink")).expect("a symlink");
    lab.primary().run_on(&["mkfifo", "/mnt/gv0/gone/fifo"]);
    listing::wait_equal(lab);
    let what = "A file, a symlink, one of two hard links and a fifo were removed on the \
                secondary; the primary was not touched.";
    let capture = Capture::begin(lab, "entries-removed", what);
    for name in ["file", "symlink", "other-name", "fifo"] {
        fs::remove_file(lab.on_secondary("gone").join(name)).expect("the secondary's entry");
        capture.tell(&format!("s1# rm /mnt/gv0dr/gone/{name}"));
        let path = format!("gone/{name}");
        listing::wait_differs(lab, &path, Difference::OnlyOnPrimary);
    }
    Broken::new(capture, |lab| {
        fs::remove_dir_all(lab.on_primary("gone")).expect("the primary's directory");
    })
}

/// A file's content differs on the secondary at equal size and mtime: rsync will not look.
pub(crate) fn content_changed(lab: &Lab) -> Broken<'_> {
    write(lab, "changed.txt", "right");
    listing::wait_equal(lab);
    let what = "A file was overwritten on the secondary at equal size, and its mtime set back.";
    let capture = Capture::begin(lab, "content-changed", what);
    let there = lab.on_secondary("changed.txt");
    let time = mtime(&there);
    fs::write(&there, "wrong").expect("the secondary's file");
    let file = fs::File::options().write(true).open(&there).expect("the secondary's file");
    file.set_modified(time).expect("its mtime can be set back");
    drop(file);
    capture
        .tell("overwrote changed.txt on the secondary volume, same size, and set its mtime back");
    assert_eq!(mtime(&there), time, "the mtime is as before");
    assert_eq!(size(&there), size(&lab.on_primary("changed.txt")));
    listing::wait_differs(lab, "changed.txt", Difference::Content);
    Broken::new(capture, |lab| take_from_both_plainly(lab, "changed.txt"))
}

fn take_from_both_plainly(lab: &Lab, path: &str) {
    fs::remove_file(lab.on_primary(path)).expect("the primary's file");
}

fn mtime(path: &Path) -> std::time::SystemTime {
    path.metadata().and_then(|meta| meta.modified()).expect("an mtime")
}

fn size(path: &Path) -> u64 {
    path.metadata().expect("a file").size()
}

/// Entries that the primary never had stand on the secondary.
pub(crate) fn extra_entries(lab: &Lab) -> Broken<'_> {
    let what = "A directory with a file and a symlink was created on the secondary only.";
    let capture = Capture::begin(lab, "extra-entries", what);
    foreign_directory(&capture, "extra");
    foreign_file(&capture, "extra/file");
    std::os::unix::fs::symlink("file", lab.on_secondary("extra/symlink")).expect("a symlink");
    for path in ["extra", "extra/file", "extra/symlink"] {
        listing::wait_differs(lab, path, Difference::OnlyOnSecondary);
    }
    Broken::new(capture, |lab| {
        fs::remove_dir_all(lab.on_secondary("extra")).expect("the extra entries");
    })
}
