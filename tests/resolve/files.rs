//! Files, symlinks and special files: recorded names, and names only a scan can tell.

use georepair::domain::Gfid;
use rustix::fs::FileType;
use serde_json::json;

use crate::bricks::{FakeBrick, new_gfid};
use crate::{ancestors, ask, ask_one};

#[test]
fn every_hard_link_is_found() {
    let Some(brick) = FakeBrick::new() else { return };
    let top = brick.dir("top");
    brick.dir("other");
    let gfid = brick.file("top/file");
    brick.link("top/file", "other/b");
    brick.link("top/file", "a");
    let (code, answer) = ask_one(&brick, gfid);
    assert_eq!((code, &answer["kind"], &answer["via"]), (0, &json!("file"), &json!("gfid2path")));
    assert_eq!(answer["paths"], json!(["a", "other/b", "top/file"]));
    assert_eq!(answer["parents"][2], json!(top));
    assert_eq!(ancestors(&answer), [("00000000-0000-0000-0000-000000000001", ".")]);
}

#[test]
fn recorded_names_are_verified() {
    let Some(brick) = FakeBrick::new() else { return };
    let gfid = brick.file("file");
    brick.record_as("file", Gfid::ROOT, b"gone");
    brick.file("other");
    brick.record_as("file", Gfid::ROOT, b"other");
    brick.record_as("file", new_gfid(), b"lost");
    let (code, answer) = ask_one(&brick, gfid);
    assert_eq!((code, &answer["paths"]), (0, &json!(["file"])));
    let mut stale: Vec<_> = answer["stale"].as_array().unwrap().iter().collect();
    stale.sort_by_key(|entry| entry["name"].as_str());
    let found: Vec<_> = stale.iter().map(|entry| (&entry["name"], &entry["found"])).collect();
    assert_eq!(
        found,
        [
            (&json!("gone"), &json!("no-such-name")),
            (&json!("lost"), &json!("lost-parent")),
            (&json!("other"), &json!("other-object")),
        ]
    );
}

#[test]
fn names_without_records_are_found_by_one_scan() {
    let Some(brick) = FakeBrick::new() else { return };
    let top = brick.dir("top");
    brick.dir("top/low");
    let old = brick.old_file("top/low/old");
    brick.old_link("top/low/old", "twin");
    let half = brick.file("half");
    brick.old_link("half", "top/half");
    let fifo = brick.special("top/fifo", FileType::Fifo);
    let socket = brick.special("top/socket", FileType::Socket);
    let device = brick.special("top/null", FileType::CharacterDevice);
    let link = brick.old_symlink("top/link", "nowhere");
    let all = [old, half, fifo, socket, device, link].map(|gfid| gfid.to_string());
    let (code, answers) = ask(&brick, &all);
    assert_eq!(code, 0);
    let want = [
        ("file", json!(["top/low/old", "twin"])),
        ("file", json!(["half", "top/half"])),
        ("special", json!(["top/fifo"])),
        ("special", json!(["top/socket"])),
        ("special", json!(["top/null"])),
        ("symlink", json!(["top/link"])),
    ];
    for (answer, (kind, paths)) in answers.iter().zip(want) {
        assert_eq!((&answer["kind"], &answer["paths"]), (&json!(kind), &paths));
        assert_eq!((&answer["via"], &answer["unseen"]), (&json!("scan"), &json!(0)));
    }
    assert_eq!(
        ancestors(&answers[2]),
        [(top.to_string().as_str(), "top"), ("00000000-0000-0000-0000-000000000001", ".")]
    );
}

#[test]
fn one_scan_serves_all_leftovers() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("top");
    let files: Vec<_> = (0..200).map(|n| brick.old_file(format!("top/{n}")).to_string()).collect();
    let mut args = vec!["--format".to_owned(), "jsonl".to_owned()];
    args.extend(files);
    let ran = crate::run(brick.path(), &args, b"");
    let head = String::from_utf8(ran.out).unwrap().lines().last().unwrap().to_owned();
    let head: serde_json::Value = serde_json::from_str(&head).unwrap();
    assert_eq!(head["scanned"], json!({ "folders": 2, "entries": 202 }));
    assert_eq!(head["summary"], json!({ "resolved": 200 }));
}

#[test]
fn the_scan_goes_as_deep_as_the_brick() {
    let Some(brick) = FakeBrick::new() else { return };
    let folders = brick.deep("deep", 2000);
    let gfid = brick.old_file("bottom");
    brick.sink("bottom", "deep", 2000);
    let (code, answer) = ask_one(&brick, gfid);
    assert_eq!((code, &answer["via"]), (0, &json!("scan")));
    assert_eq!(answer["paths"][0].as_str().unwrap().split('/').count(), 2001);
    let want: Vec<_> = folders.iter().rev().map(ToString::to_string).collect();
    let found: Vec<_> = ancestors(&answer).into_iter().map(|(gfid, _)| gfid.to_owned()).collect();
    assert_eq!((found.len(), &found[..2000]), (2001, &want[..]));
}

#[test]
fn the_impatient_get_what_is_recorded() {
    let Some(brick) = FakeBrick::new() else { return };
    let old = brick.old_file("old");
    let half = brick.file("half");
    brick.old_link("half", "twin");
    let (code, answers) = ask(&brick, &["--no-scan", &old.to_string(), &half.to_string()]);
    assert_eq!(code, 1);
    assert_eq!((&answers[0]["status"], &answers[0]["unseen"]), (&json!(null), &json!(1)));
    assert_eq!((&answers[1]["paths"], &answers[1]["unseen"]), (&json!(["half"]), &json!(1)));
}

#[test]
fn pgfid_narrows_the_scan_to_one_directory() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("top");
    brick.dir("top/low");
    brick.file("top/low/decoy");
    let gfid = brick.old_file("top/low/old");
    brick.old_link("top/low/old", "top/low/twin");
    brick.record_parent("top/low/old", 2);
    let (code, answers) = ask(&brick, &["--no-scan", &gfid.to_string()]);
    assert_eq!((code, &answers[0]["via"]), (0, &json!("scan")));
    assert_eq!(answers[0]["paths"], json!(["top/low/old", "top/low/twin"]));
}

#[test]
fn a_pgfid_that_lies_is_made_good_by_the_scan() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("top");
    let gfid = brick.old_file("old");
    brick.record_parent("old", 1);
    brick.move_silently("old", "top/old");
    let (code, answer) = ask_one(&brick, gfid);
    assert_eq!((code, &answer["paths"]), (0, &json!(["top/old"])));
}

#[test]
fn a_symlink_cannot_spoof_a_path() {
    let Some(brick) = FakeBrick::new() else { return };
    let spoof = format!("../../00/00/{}/etc-shadow-backup", Gfid::ROOT);
    for gfid in [brick.symlink("mylink", &spoof), brick.old_symlink("mylink2", &spoof)] {
        let (code, answer) = ask_one(&brick, gfid);
        assert_eq!((code, &answer["kind"]), (0, &json!("symlink")));
        assert!(answer["paths"][0].as_str().unwrap().starts_with("mylink"), "{answer}");
    }
}

#[test]
fn a_nameless_symlink_cannot_spoof_one_either() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("real");
    let spoof = format!("../../00/00/{}/real", Gfid::ROOT);
    let gone = brick.symlink("mylink", &spoof);
    let plain = brick.symlink("plain", "anywhere");
    brick.lose_name("mylink");
    brick.lose_name("plain");
    for gfid in [gone, plain] {
        let (code, answer) = ask_one(&brick, gfid);
        assert_eq!(
            (code, &answer["kind"], &answer["status"]),
            (1, &json!("symlink"), &json!("orphan"))
        );
        assert_eq!(answer["paths"], json!([]));
    }
}

#[test]
fn nothing_is_found_below_a_spoofed_chain() {
    let Some(brick) = FakeBrick::new() else { return };
    // A symlink that says of itself what a directory's handle would say.
    let spoof = format!("../../00/00/{}/fake", Gfid::ROOT);
    let fake = brick.symlink("fake", &spoof);
    let below = new_gfid();
    brick.claim(below, fake, b"below");
    let (code, answer) = ask_one(&brick, below);
    assert_eq!((code, &answer["paths"]), (1, &json!([])), "{answer}");
}

#[test]
fn handles_that_belong_to_others_are_foreign() {
    let Some(brick) = FakeBrick::new() else { return };
    let real = brick.file("file");
    let wrong = new_gfid();
    std::fs::hard_link(brick.at("file"), brick.handle(wrong)).unwrap();
    let (code, answer) = ask_one(&brick, wrong);
    assert_eq!((code, &answer["status"], &answer["kind"]), (1, &json!("foreign"), &json!("file")));
    assert!(answer["says"].as_str().unwrap().contains(&real.to_string()));
    let bare = new_gfid();
    std::fs::File::create(brick.handle(bare)).unwrap();
    assert_eq!(ask_one(&brick, bare).1["status"], "foreign");
}

#[test]
fn a_file_that_lost_its_names_is_an_orphan() {
    let Some(brick) = FakeBrick::new() else { return };
    let gfid = brick.file("file");
    brick.lose_name("file");
    let (code, answer) = ask_one(&brick, gfid);
    assert_eq!((code, &answer["status"], &answer["kind"]), (1, &json!("orphan"), &json!("file")));
    let outside = brick.old_file("outside");
    let place = tempfile::tempdir_in(brick.path().parent().unwrap()).unwrap();
    std::fs::hard_link(brick.at("outside"), place.path().join("kept")).unwrap();
    brick.lose_name("outside");
    let (code, answer) = ask_one(&brick, outside);
    assert_eq!((code, &answer["status"], &answer["unseen"]), (1, &json!("orphan"), &json!(1)));
}

#[test]
fn what_lies_under_dot_glusterfs_is_no_name() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("top");
    brick.dir("top/.glusterfs");
    let inner = brick.old_file("top/.glusterfs/file");
    let outer = brick.old_file("file");
    brick.old_link("file", ".glusterfs/leftover");
    let (_, answers) = ask(&brick, &[inner.to_string(), outer.to_string()]);
    assert_eq!(answers[0]["paths"], json!(["top/.glusterfs/file"]));
    assert_eq!((&answers[1]["paths"], &answers[1]["unseen"]), (&json!(["file"]), &json!(1)));
}
