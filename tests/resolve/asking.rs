//! How questions come in: notations, standard input, paths, entries, findings.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use georepair::domain::Gfid;
use serde_json::{Value, json};

use crate::bricks::{FakeBrick, new_gfid};
use crate::support::georepair;
use crate::{ancestors, ask, ask_one, run};

#[test]
fn every_notation_is_understood_and_order_is_kept() {
    let Some(brick) = FakeBrick::new() else { return };
    let dir = brick.dir("dir").to_string();
    let bare = dir.replace('-', "");
    let old = brick.old_file("old").to_string();
    let forms = [
        dir.clone(),
        old.clone(),
        dir.to_uppercase(),
        bare.clone(),
        format!("0x{bare}"),
        format!("<gfid:{dir}>"),
        format!(".gfid/{dir}"),
        format!("{}/.glusterfs/{}/{}/{dir}", brick.path().display(), &dir[..2], &dir[2..4]),
        old.clone(),
    ];
    let want: Vec<_> =
        forms.iter().map(|form| if *form == old { &old } else { &dir }).cloned().collect();
    let (code, answers) = ask(&brick, &forms);
    assert_eq!(code, 0);
    let gfids: Vec<_> = answers.iter().map(|answer| answer["gfid"].as_str().unwrap()).collect();
    assert_eq!(gfids, want);
    let ran = run(brick.path(), &["--format", "jsonl", "-"], forms.join("\n").as_bytes());
    let lines: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(lines[..forms.len()], answers);
    assert_eq!(lines[forms.len()]["schema"], "georepair/gfids/1");
}

#[test]
fn malformed_gfids_keep_their_text() {
    let Some(brick) = FakeBrick::new() else { return };
    let (code, answers) = ask(&brick, &["c4b19f1c-cc18", ""]);
    assert_eq!(code, 1);
    assert_eq!(
        (&answers[0]["gfid"], &answers[0]["status"]),
        (&json!("c4b19f1c-cc18"), &json!("malformed"))
    );
    assert_eq!((&answers[0]["kind"], &answers[0]["brick"]), (&json!(null), &json!(null)));
    assert_eq!(answers[1]["status"], "malformed");
}

#[test]
fn answers_stream_while_questions_come() {
    let Some(brick) = FakeBrick::new() else { return };
    let dir = brick.dir("dir");
    let mut child = georepair(["resolve-gfid", "--quiet", "--brick"])
        .arg(brick.path())
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        writeln!(stdin, "{dir}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with("dir\n"), "{line:?}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let Some(brick) = FakeBrick::new() else { return };
    let dir = brick.dir("dir");
    let mut child = georepair(["resolve-gfid", "--brick"])
        .arg(brick.path())
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    for _ in 0..100_000 {
        if writeln!(stdin, "{dir}").is_err() {
            break;
        }
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_path_leads_to_its_gfid_and_every_other_path() {
    let Some(brick) = FakeBrick::new() else { return };
    let top = brick.dir("top");
    let low = brick.dir("top/low");
    let file = brick.file("top/low/file");
    brick.link("top/low/file", "a-twin");
    let full = format!("{}/top/low/file", brick.path().display());
    for path in ["top/low/file", "/top/low/file", "./top//low/file", &full] {
        let (code, answer) = ask_one(&brick, path);
        assert_eq!((code, &answer["gfid"]), (0, &json!(file)), "{path}");
        assert_eq!(answer["paths"], json!(["a-twin", "top/low/file"]));
        assert_eq!(answer["asked"], json!(path));
        let want = [(low, "low"), (top, "top"), (Gfid::ROOT, ".")];
        let want = want.map(|(gfid, name)| (gfid.to_string(), name));
        assert_eq!(ancestors(&answer), want.each_ref().map(|(gfid, name)| (gfid.as_str(), *name)));
    }
    for (path, gfid) in [("top", top), (".", Gfid::ROOT), ("/", Gfid::ROOT)] {
        assert_eq!(ask_one(&brick, path).1["gfid"], json!(gfid));
    }
}

#[test]
fn a_path_without_a_sound_handle_still_tells() {
    let Some(brick) = FakeBrick::new() else { return };
    let lost = brick.file("lost");
    brick.lose_handle(lost);
    let (code, answer) = ask_one(&brick, "./lost");
    assert_eq!((code, &answer["gfid"], &answer["status"]), (1, &json!(lost), &json!("missing")));
    assert_eq!(answer["paths"], json!(["lost"]));
    std::fs::File::create(brick.at("bare")).unwrap();
    let (code, answer) = ask_one(&brick, "./bare");
    assert_eq!((code, &answer["gfid"], &answer["kind"]), (1, &json!(null), &json!("file")));
}

#[test]
fn paths_do_not_leave_the_brick() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("top");
    symlink("/etc", brick.at("top/out")).unwrap();
    for (path, status) in [
        ("top/../../x", "malformed"),
        ("../etc", "malformed"),
        ("top/out/passwd", "missing"),
        ("top/none", "missing"),
        ("none/at/all", "missing"),
    ] {
        let (code, answer) = ask_one(&brick, path);
        assert_eq!((code, &answer["status"], &answer["paths"]), (1, &json!(status), &json!([])));
    }
}

#[test]
fn an_entry_of_a_log_is_found_by_parent_and_name() {
    let Some(brick) = FakeBrick::new() else { return };
    let top = brick.dir("top");
    let file = brick.file("top/it's here");
    let (code, answer) = ask_one(&brick, format!(".gfid/{top}/it's here"));
    assert_eq!((code, &answer["gfid"]), (0, &json!(file)));
    for entry in [format!(".gfid/{top}/none"), format!(".gfid/{}/x", new_gfid())] {
        let (code, answer) = ask_one(&brick, &entry);
        assert_eq!(
            (code, &answer["status"], &answer["asked"]),
            (1, &json!("missing"), &json!(entry))
        );
    }
}

#[test]
fn findings_are_followed_and_each_gfid_told_once() {
    let Some(brick) = FakeBrick::new() else { return };
    let (a, b, c) = (brick.dir("a"), brick.file("b"), brick.old_file("c"));
    let gone = new_gfid();
    let findings = format!(
        "{}\n{}\n{}\n",
        json!({ "code": "entry-mkdir-failed", "gfids": [c, a],
                "entries": [{ "gfid": a, "parent": Gfid::ROOT, "name": "a" }] }),
        json!({ "code": "missing-on-secondary", "gfids": [b, c, gone], "entries": [] }),
        json!({ "schema": "georepair/diagnosis/1", "verdict": "faulty" }),
    );
    let args = ["--format", "jsonl", "--follow-log"];
    let ran = run(brick.path(), &args, findings.as_bytes());
    let lines: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let told: Vec<_> = lines[..5].iter().map(|line| line["gfid"].clone()).collect();
    assert_eq!(told, [c, a, Gfid::ROOT, b, gone].map(|gfid| json!(gfid)));
    assert_eq!((ran.code, lines.len()), (1, 6));
    let ran = run(brick.path(), &args, b"[2026-11-21 10:00:00] E ENTRY FAILED\n");
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("georepair diagnose --format jsonl"), "{}", ran.err);
}

#[test]
fn nothing_asked_is_a_usage_error() {
    let Some(brick) = FakeBrick::new() else { return };
    assert_eq!(run(brick.path(), &[] as &[&str], b"").code, 2);
    let ran = run(brick.path(), &["-"], b"");
    assert_eq!((ran.code, ran.out), (0, Vec::new()));
}
