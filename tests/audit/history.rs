//! The changelog index against the changelogs, and the marks against both.

use std::fs;

use rustix::fs::lremovexattr;

use crate::bricks::FakeBrick;
use crate::damage::{BEGAN, HEADER};
use crate::{AuditOutput, audit, audit_beside};

fn brick() -> Option<FakeBrick> {
    let brick = FakeBrick::new()?;
    brick.with_changelogs(20);
    Some(brick)
}

fn codes(told: &AuditOutput) -> Vec<&str> {
    told.findings().into_iter().map(|(code, _)| code).collect()
}

/// A damage of the index, and the one code it is found as.
fn only(damage: impl Fn(&FakeBrick), code: &str) {
    let Some(brick) = brick() else { return };
    damage(&brick);
    let told = audit(&brick);
    assert_eq!((codes(&told), told.code), (vec![code], 1), "{}", told.document);
}

#[test]
fn a_sound_index_is_silent() {
    let Some(brick) = brick() else { return };
    let told = audit(&brick);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{}", told.document);
}

#[test]
fn the_count_after_a_restart() {
    only(|brick| brick.count(&format!("{}:{}", BEGAN + 300, 29)), "htime-count-wrong");
    only(|brick| brick.count(&format!("{}:{}", BEGAN + 285, 19)), "htime-count-wrong");
}

#[test]
fn an_index_without_its_xattrs() {
    let index = format!("HTIME.{BEGAN}");
    only(|it| lremovexattr(it.htime(&index), "trusted.glusterfs.htime").unwrap(), "htime-missing");
    only(
        |it| lremovexattr(it.htime(""), "trusted.glusterfs.current_htime").unwrap(),
        "htime-missing",
    );
}

#[test]
fn a_lost_index() {
    only(|brick| fs::remove_dir_all(brick.htime("")).unwrap(), "htime-missing");
}

#[test]
fn what_the_upgrade_script_leaves() {
    only(|brick| fs::write(brick.htime("HTIME.1795230000.bak"), "").unwrap(), "htime-litter");
}

#[test]
fn paths_of_two_lengths_as_after_an_upgrade_from_7() {
    let short = |brick: &FakeBrick| {
        let index = brick.htime(&format!("HTIME.{BEGAN}"));
        let dated = String::from_utf8(fs::read(&index).unwrap()).unwrap();
        fs::write(&index, dated.replacen("2026/11/21/changelog", "changelog", 1)).unwrap();
    };
    only(short, "htime-gap");
}

#[test]
fn an_index_cut_off_in_a_path() {
    let cut = |brick: &FakeBrick| {
        let index = brick.htime(&format!("HTIME.{BEGAN}"));
        let whole = fs::read(&index).unwrap();
        fs::write(&index, &whole[..whole.len() - 7]).unwrap();
        brick.count(&format!("{}:19", BEGAN + 285));
    };
    only(cut, "htime-gap");
}

#[test]
fn a_changelog_that_the_index_forgot() {
    only(|it| drop(fs::copy(it.changelog(BEGAN + 60), it.changelog(BEGAN + 61))), "htime-gap");
}

/// What a brick that stops leaves: no worker is told of it, and the marks pass over it.
#[test]
fn a_changelog_that_the_index_forgot_is_not_benign_because_the_mark_is_past_it() {
    let Some(brick) = brick() else { return };
    fs::copy(brick.changelog(BEGAN + 15), brick.changelog(BEGAN + 16)).unwrap();
    let told = audit(&brick);
    assert_eq!((codes(&told), told.code), (vec!["htime-gap"], 1), "{}", told.document);
    assert_eq!(told.document["findings"][0]["severity"], "loss");
}

#[test]
fn a_changelog_that_the_index_forgot_and_that_holds_nothing_is_no_finding() {
    let Some(brick) = brick() else { return };
    fs::write(brick.changelog(BEGAN + 61), HEADER).unwrap();
    let told = audit(&brick);
    assert_eq!((codes(&told), told.code), (vec![], 0), "{}", told.document);
}

#[test]
fn lost_changelogs_are_one_finding_with_their_span() {
    let lose = |brick: &FakeBrick| {
        for n in [4, 5, 7] {
            fs::remove_file(brick.changelog(BEGAN + 15 * n)).unwrap();
        }
    };
    only(lose, "changelog-missing");
}

#[test]
fn a_lost_changelog_that_every_session_is_past_is_benign() {
    let Some(brick) = brick() else { return };
    fs::remove_file(brick.changelog(BEGAN + 15)).unwrap();
    let told = audit(&brick);
    assert_eq!((codes(&told), told.code), (vec!["changelog-missing"], 0));
    assert_eq!(told.document["findings"][0]["severity"], "benign");
}

#[test]
fn a_changelog_in_the_place_of_an_older_release() {
    let flat = |brick: &FakeBrick| {
        let end = BEGAN + 60;
        fs::rename(
            brick.changelog(end),
            brick.at(format!(".glusterfs/changelogs/CHANGELOG.{end}")),
        )
        .unwrap();
    };
    only(flat, "changelog-misplaced");
}

#[test]
fn a_changelog_that_the_index_names_twice_is_one() {
    let twice = |brick: &FakeBrick| {
        let index = brick.htime(&format!("HTIME.{BEGAN}"));
        let whole = fs::read(&index).unwrap();
        let name = format!("CHANGELOG.{}\0", BEGAN + 60);
        let mut paths: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == 0).collect();
        let at = paths.iter().position(|path| path.ends_with(name.as_bytes())).unwrap();
        paths.insert(at, paths[at]);
        fs::write(&index, paths.concat()).unwrap();
        brick.count(&format!("{}:21", BEGAN + 300));
        let flat = format!(".glusterfs/changelogs/CHANGELOG.{}", BEGAN + 60);
        fs::rename(brick.changelog(BEGAN + 60), brick.at(flat)).unwrap();
    };
    only(twice, "changelog-misplaced");
}

#[test]
fn a_changelog_in_the_folder_of_another_day() {
    let elsewhere = |brick: &FakeBrick| {
        let day = brick.at(".glusterfs/changelogs/2026/11/22");
        fs::create_dir(&day).unwrap();
        let end = BEGAN + 60;
        fs::rename(brick.changelog(end), day.join(format!("CHANGELOG.{end}"))).unwrap();
    };
    only(elsewhere, "changelog-misplaced");
}

#[test]
fn bytes_that_are_no_record() {
    let head = "GlusterFS Changelog | version: v1.2 | encoding : 2\n";
    let spoil = |it: &FakeBrick| {
        fs::write(it.changelog(BEGAN + 60), format!("{head}not a record at all\0\0")).unwrap();
    };
    only(spoil, "changelog-damaged");
}

#[test]
fn marks_outside_history_and_in_the_future() {
    only(|brick| brick.stime(BEGAN - 1), "stime-outside-history");
    only(|brick| brick.stime(u32::MAX - 5), "stime-in-future");
}

#[test]
fn a_reset_mark_is_sound() {
    let Some(brick) = brick() else { return };
    brick.stime(0);
    assert_eq!(audit(&brick).findings(), vec![]);
}

#[test]
fn a_mark_of_another_primary() {
    let Some(brick) = FakeBrick::new() else { return };
    let key = "trusted.glusterfs.0ce6dea6-46f4-4dca-a0cb-72351d8b1527.222d8df5-ced4-48a4-a782-61eb9081b218.stime";
    rustix::fs::lsetxattr(brick.path(), key, &[0; 8], rustix::fs::XattrFlags::empty()).unwrap();
    assert_eq!(codes(&audit(&brick)), ["stime-orphan"]);
}

#[test]
fn a_mark_is_an_orphan_only_where_glusterd_has_the_volume() {
    let Some(brick) = brick() else { return };
    let home = tempfile::tempdir().unwrap();
    let volume = home.path().join("vols/gv0");
    fs::create_dir_all(&volume).unwrap();
    let sessions = home.path().join("geo-replication");
    fs::create_dir(&sessions).unwrap();
    let has = |id: u8| {
        let id = uuid::Uuid::from_bytes([id; 16]);
        fs::write(volume.join("info"), format!("type=2\nvolume-id={id}\n")).unwrap();
    };

    has(8);
    let told = audit_beside(&brick, &sessions);
    assert_eq!((told.findings(), told.code), (vec![], 0), "a detached brick");
    assert!(told.list("notes").contains("the sessions are not known"), "{}", told.document);

    has(7);
    let told = audit_beside(&brick, &sessions);
    assert_eq!((codes(&told), told.code), (vec!["stime-orphan"], 1));
}
