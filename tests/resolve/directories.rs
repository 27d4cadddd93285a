//! Directories: the chain of handles, and what can be wrong with it.

use std::os::unix::fs::symlink;

use georepair::domain::Gfid;
use serde_json::json;

use crate::bricks::{FakeBrick, gfid, new_gfid};
use crate::{ancestors, ask, ask_one, run};

/// The brick of the first report: the list's thread names all but the top directory.
fn seed() -> Option<FakeBrick> {
    let brick = FakeBrick::new()?;
    brick.dir_as("files", gfid("20253364-add8-4149-a7cf-cf46d237a45c"));
    brick.dir_as("files/Banana", gfid("fdea1fc6-0f2a-43d2-8776-651cc6ea73e8"));
    brick.dir_as("files/Banana/1602", gfid("d79f2ebd-029c-4ac5-8074-5eef7ff21236"));
    let xls = "files/Banana/1602/160201_File_1602_XX.xls";
    brick.dir_as(xls, gfid("921bfe8e-81ef-4579-b335-abfa2c7e6afb"));
    let module = format!("{xls}/OC_DEFAULT_MODULE");
    brick.dir_as(module, gfid("c4b19f1c-cc18-4727-87a4-18de8fe0089e"));
    Some(brick)
}

const SEED: &str = "c4b19f1c-cc18-4727-87a4-18de8fe0089e";

#[test]
fn the_seed_case_has_its_path_and_its_chain() {
    let Some(brick) = seed() else { return };
    let (code, answer) = ask_one(&brick, SEED);
    assert_eq!(
        (code, &answer["status"], &answer["via"]),
        (0, &json!("resolved"), &json!("handle"))
    );
    let path = "files/Banana/1602/160201_File_1602_XX.xls/OC_DEFAULT_MODULE";
    assert_eq!(answer["paths"], json!([path]));
    assert_eq!(answer["paths_bytes"], json!([null]));
    assert_eq!(
        ancestors(&answer),
        [
            ("921bfe8e-81ef-4579-b335-abfa2c7e6afb", "160201_File_1602_XX.xls"),
            ("d79f2ebd-029c-4ac5-8074-5eef7ff21236", "1602"),
            ("fdea1fc6-0f2a-43d2-8776-651cc6ea73e8", "Banana"),
            ("20253364-add8-4149-a7cf-cf46d237a45c", "files"),
            ("00000000-0000-0000-0000-000000000001", "."),
        ]
    );
}

#[test]
fn people_see_path_and_chain() {
    let Some(brick) = seed() else { return };
    brick.file("files/Banana/two words.txt");
    brick.link("files/Banana/two words.txt", "files/twin");
    let twin = brick.gfid_of("files/twin").to_string();
    let lost = "11111111-2222-3333-4444-555555555555";
    let ran = run(brick.path(), &["-v", SEED, &twin, lost, "not-a-gfid"], b"");
    assert_eq!(ran.code, 1);
    let text =
        String::from_utf8(ran.out).unwrap().replace(&twin, "<twin>                              ");
    insta::assert_snapshot!(format!("{text}-- on standard error --\n{}", ran.err));
}

#[test]
fn the_root_is_itself() {
    let Some(brick) = FakeBrick::new() else { return };
    let (code, answer) = ask_one(&brick, Gfid::ROOT);
    assert_eq!((code, &answer["paths"], &answer["via"]), (0, &json!(["."]), &json!("root")));
    assert_eq!((&answer["kind"], &answer["ancestors"]), (&json!("directory"), &json!([])));
}

#[test]
fn a_ring_of_handles_ends() {
    let Some(brick) = FakeBrick::new() else { return };
    let [a, b, below, own] = [(); 4].map(|()| new_gfid());
    brick.claim(a, b, b"a");
    brick.claim(b, a, b"b");
    brick.claim(below, a, b"below");
    brick.claim(own, own, b"own");
    for gfid in [a, b, below, own] {
        let (code, answer) = ask_one(&brick, gfid);
        assert_eq!((code, &answer["status"], &answer["paths"]), (1, &json!("cycle"), &json!([])));
    }
}

#[test]
fn a_ring_of_thousands_ends() {
    let Some(brick) = FakeBrick::new() else { return };
    let ring: Vec<_> = (0..5000).map(|_| new_gfid()).collect();
    for (index, gfid) in ring.iter().enumerate() {
        brick.claim(*gfid, ring[(index + 1) % ring.len()], b"ring");
    }
    let (code, answers) = ask(&brick, &ring.iter().map(Gfid::to_string).collect::<Vec<_>>());
    assert_eq!((code, answers.len()), (1, 5000));
    assert!(answers.iter().all(|answer| answer["status"] == "cycle"));
}

#[test]
fn depth_is_no_limit() {
    let Some(brick) = FakeBrick::new() else { return };
    let gfids = brick.deep("deep", 3000);
    for level in [40, 41, 60, 1000, 3000] {
        let (code, answer) = ask_one(&brick, gfids[level - 1]);
        assert_eq!((code, &answer["status"]), (0, &json!("resolved")), "level {level}");
        let path = answer["paths"][0].as_str().unwrap();
        assert_eq!(path.split('/').count(), level);
        assert_eq!(answer["ancestors"].as_array().unwrap().len(), level);
    }
}

#[test]
fn lost_directories_are_told_apart() {
    let Some(brick) = FakeBrick::new() else { return };
    let [gone, taken, bare, headless, under_file, rubbish, up] = [(); 7].map(|()| new_gfid());
    brick.claim(gone, Gfid::ROOT, b"gone");
    brick.claim(taken, Gfid::ROOT, b"taken");
    brick.dir("taken");
    std::fs::create_dir(brick.at("bare")).unwrap();
    brick.claim(bare, Gfid::ROOT, b"bare");
    brick.claim(headless, new_gfid(), b"child");
    let file = brick.file("file");
    brick.claim(under_file, file, b"child");
    symlink("somewhere/else", brick.handle(rubbish)).unwrap();
    brick.claim(up, Gfid::ROOT, b"..");
    for (gfid, status) in [
        (gone, "dangling"),
        (taken, "foreign"),
        (bare, "foreign"),
        (headless, "orphan"),
        (under_file, "orphan"),
        (rubbish, "malformed"),
        (up, "malformed"),
        (new_gfid(), "missing"),
    ] {
        let (code, answer) = ask_one(&brick, gfid);
        assert_eq!((code, &answer["status"], &answer["paths"]), (1, &json!(status), &json!([])));
        assert!(answer["says"].is_string() && answer["via"].is_null());
    }
}

#[test]
fn a_directory_below_a_lost_one_names_the_lost_one() {
    let Some(brick) = FakeBrick::new() else { return };
    let top = brick.dir("top");
    brick.dir("top/mid");
    let low = brick.dir("top/mid/low");
    brick.lose_handle(top);
    let (_, answer) = ask_one(&brick, low);
    assert_eq!(answer["status"], "orphan");
    assert!(answer["says"].as_str().unwrap().contains(&top.to_string()), "{answer}");
}

#[test]
fn a_directory_in_the_place_of_a_handle_is_foreign() {
    let Some(brick) = FakeBrick::new() else { return };
    let gfid = new_gfid();
    std::fs::create_dir(brick.handle(gfid)).unwrap();
    assert_eq!(ask_one(&brick, gfid).1["status"], "foreign");
}

#[test]
fn handles_hard_linked_by_a_backup_still_count() {
    let Some(brick) = seed() else { return };
    let backup = tempfile::tempdir_in(brick.path().parent().unwrap()).unwrap();
    std::fs::hard_link(brick.handle(gfid(SEED)), backup.path().join("copy")).unwrap();
    let (code, answer) = ask_one(&brick, SEED);
    assert_eq!((code, &answer["kind"]), (0, &json!("directory")));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "breaks a brick made for this test")]
fn no_symlink_leads_out_of_the_brick() {
    let Some(brick) = FakeBrick::new() else { return };
    let Some(outside) = FakeBrick::new() else { return };
    let top = brick.dir("top");
    let low = brick.dir("top/low");
    let file = brick.file("top/file");
    brick.move_silently("top", "moved");
    outside.dir_as("low", low);
    symlink(outside.path(), brick.at("top")).unwrap();
    for gfid in [top, low] {
        let (code, answer) = ask_one(&brick, gfid);
        assert_eq!((code, &answer["paths"]), (1, &json!([])), "{answer}");
    }
    let (code, answer) = ask_one(&brick, file);
    assert_eq!((code, &answer["paths"]), (0, &json!(["moved/file"])), "found by the scan");
    // Even one that carries the directory's own gfid.
    rustix::fs::lsetxattr(
        brick.at("top"),
        "trusted.gfid",
        top.as_bytes(),
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    let (code, answer) = ask_one(&brick, low);
    assert_eq!((code, &answer["paths"]), (1, &json!([])), "{answer}");
}
