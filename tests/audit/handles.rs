//! `.glusterfs` against the namespace, and back.

use std::fs;

use rustix::fs::FileType;

use crate::bricks::{FakeBrick, gfid, new_gfid};
use crate::{AuditOutput, audit};

/// A brick with something of every kind, all of it sound.
fn filled() -> Option<FakeBrick> {
    let brick = FakeBrick::new()?;
    brick.dir("a");
    brick.dir("a/b");
    brick.dir("a/b/c");
    for n in 0..20 {
        brick.file(format!("a/b/file-{n}"));
    }
    brick.file("a/it's \"odd\"\nname");
    brick.file(b"a/caf\xe9");
    brick.link("a/b/file-1", "a/second name");
    brick.link("a/b/file-1", "a/b/third name");
    brick.symlink("a/link", "b/file-1");
    brick.symlink("a/spoof", "../../00/00/00000000-0000-0000-0000-000000000001/spoofed");
    brick.special("a/fifo", FileType::Fifo);
    brick.record("a/fifo");
    brick.linkto("a/pointer", new_gfid(), "gv0-client-1");
    brick.record_parent("a/b/file-2", 1);
    brick.deep("deep", 300);
    for folder in ["indices/xattrop", "changelogs/htime", "landfill/x", "unlink", "quarantine"] {
        fs::create_dir_all(brick.at(format!(".glusterfs/{folder}"))).unwrap();
    }
    for file in ["health_check", "unlink/c4b19f1c-cc18-4727-87a4-18de8fe0089e"] {
        fs::write(brick.at(format!(".glusterfs/{file}")), b"").unwrap();
    }
    Some(brick)
}

/// The one finding of a brick that was damaged once.
fn only(told: &AuditOutput) -> (&str, &str) {
    let found = told.findings();
    assert_eq!((told.code, found.len()), (1, 1), "{found:?}");
    found[0]
}

#[test]
fn a_sound_brick_is_silent() {
    let Some(brick) = filled() else { return };
    let told = audit(&brick);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{}", told.document);
    assert!(told.document["compared"].as_u64().unwrap() > 320);
    assert_eq!(told.document["unseen"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_lost_handle_of_a_file() {
    let Some(brick) = filled() else { return };
    brick.lose_handle(brick.gfid_of("a/b/file-3"));
    assert_eq!(only(&audit(&brick)), ("handle-missing", "a/b/file-3"));
}

#[test]
fn a_lost_handle_of_a_directory_says_nothing_about_what_is_below() {
    let Some(brick) = filled() else { return };
    brick.lose_handle(brick.gfid_of("a/b"));
    assert_eq!(only(&audit(&brick)), ("handle-missing", "a/b"));
}

#[test]
fn a_lost_name() {
    let Some(brick) = filled() else { return };
    let gfid = brick.gfid_of("a/b/file-4");
    brick.lose_name("a/b/file-4");
    let told = audit(&brick);
    assert_eq!(only(&told), ("handle-orphan", "-"));
    assert_eq!(told.document["findings"][0]["gfid"], gfid.to_string());
}

#[test]
fn a_lost_name_of_a_symlink() {
    let Some(brick) = filled() else { return };
    brick.lose_name("a/spoof");
    assert_eq!(only(&audit(&brick)), ("handle-orphan", "-"));
}

#[test]
fn a_directory_removed_behind_the_back() {
    let Some(brick) = filled() else { return };
    fs::remove_dir(brick.at("a/b/c")).unwrap();
    assert_eq!(only(&audit(&brick)), ("handle-dangling", "-"));
}

#[test]
fn a_directory_moved_behind_the_back() {
    let Some(brick) = filled() else { return };
    brick.move_silently("a/b", "moved");
    assert_eq!(only(&audit(&brick)), ("handle-wrong", "moved"));
}

#[test]
fn a_file_moved_behind_the_back() {
    let Some(brick) = filled() else { return };
    brick.move_silently("a/b/file-5", "moved");
    assert_eq!(only(&audit(&brick)), ("gfid2path-stale", "moved"));
}

#[test]
fn a_file_moved_deeper_than_any_path() {
    let Some(brick) = filled() else { return };
    brick.deep("a directory with a long name, so that many of them exceed the longest path", 80);
    brick.file("sunk");
    brick.sink(
        "sunk",
        "a directory with a long name, so that many of them exceed the longest path",
        80,
    );
    assert_eq!(only(&audit(&brick)).0, "gfid2path-stale");
}

#[test]
fn a_handle_that_leads_to_another_file() {
    let Some(brick) = filled() else { return };
    let gfid = brick.gfid_of("a/b/file-6");
    brick.lose_handle(gfid);
    fs::hard_link(brick.at("a/b/file-7"), brick.handle(gfid)).unwrap();
    assert_eq!(only(&audit(&brick)), ("handle-wrong", "a/b/file-6"));
}

#[test]
fn a_handle_too_many() {
    let Some(brick) = filled() else { return };
    fs::hard_link(brick.at("a/b/file-7"), brick.handle(new_gfid())).unwrap();
    assert_eq!(only(&audit(&brick)), ("handle-wrong", "-"));
}

#[test]
fn a_copy_that_took_the_gfid_along() {
    let Some(brick) = filled() else { return };
    let gfid = brick.gfid_of("a/b/file-8");
    brick.foreign("a/copy");
    brick.carry("a/copy", gfid);
    assert_eq!(only(&audit(&brick)), ("gfid-duplicate", "a/copy"));
}

#[test]
fn a_directory_copied_with_its_gfid() {
    let Some(brick) = filled() else { return };
    let gfid = brick.gfid_of("a/b/c");
    fs::create_dir(brick.at("copy")).unwrap();
    brick.carry("copy", gfid);
    assert_eq!(only(&audit(&brick)), ("gfid-duplicate", "copy"));
}

#[test]
fn a_file_written_to_the_brick() {
    let Some(brick) = filled() else { return };
    brick.foreign("a/b/c/by hand");
    assert_eq!(only(&audit(&brick)), ("gfid-xattr-missing", "a/b/c/by hand"));
}

#[test]
fn a_directory_made_on_the_brick_says_nothing_about_sound_children() {
    let Some(brick) = filled() else { return };
    fs::create_dir(brick.at("by hand")).unwrap();
    assert_eq!(only(&audit(&brick)), ("gfid-xattr-missing", "by hand"));
}

#[test]
fn two_handles_in_a_ring() {
    let Some(brick) = filled() else { return };
    let (one, two) = (new_gfid(), new_gfid());
    brick.claim(one, two, b"one");
    brick.claim(two, one, b"two");
    let told = audit(&brick);
    assert_eq!(told.findings(), [("handle-cycle", "-"); 2]);
}

#[test]
fn a_name_without_its_record() {
    let Some(brick) = filled() else { return };
    brick.old_file("a/unrecorded");
    assert_eq!(only(&audit(&brick)), ("gfid2path-missing", "a/unrecorded"));
}

#[test]
fn one_of_three_names_without_its_record() {
    let Some(brick) = filled() else { return };
    brick.old_link("a/b/file-1", "a/unrecorded");
    assert_eq!(only(&audit(&brick)), ("gfid2path-missing", "a/unrecorded"));
}

#[test]
fn a_record_of_a_name_that_is_gone() {
    let Some(brick) = filled() else { return };
    brick.record_as("a/b/file-9", brick.gfid_of("a"), b"was once");
    assert_eq!(only(&audit(&brick)), ("gfid2path-stale", "a/b/file-9"));
}

#[test]
fn a_record_left_by_a_lost_second_name() {
    let Some(brick) = filled() else { return };
    brick.lose_name("a/second name");
    let told = audit(&brick);
    assert_eq!(only(&told).0, "gfid2path-stale");
}

#[test]
fn a_brick_without_any_records_cannot_be_told() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("a");
    for n in 0..20 {
        brick.old_file(format!("a/{n}"));
    }
    let told = audit(&brick);
    assert_eq!((told.findings(), told.code), (vec![], 0));
    assert!(told.document["notes"].to_string().contains("storage.gfid2path"));
}

#[test]
fn more_names_than_are_ever_recorded() {
    let Some(brick) = filled() else { return };
    brick.file("a/much linked");
    for n in 0..520 {
        brick.old_link("a/much linked", format!("a/link-{n}"));
    }
    assert_eq!(audit(&brick).findings(), vec![]);
}

#[test]
fn many_damages_are_told_each_once() {
    let Some(brick) = filled() else { return };
    for n in 0..10 {
        brick.lose_handle(brick.gfid_of(format!("a/b/file-{n}")));
    }
    brick.claim(gfid("c4b19f1c-cc18-4727-87a4-18de8fe0089e"), brick.gfid_of("a"), b"never was");
    let told = audit(&brick);
    assert_eq!(told.document["summary"]["handle-missing"], 10);
    assert_eq!(told.document["summary"]["handle-dangling"], 1);
    assert_eq!(told.findings().len(), 11);
}
